gradsim --layers 5 --layers=2 --width 8 --head --head=off --format csv --no-header | wc -l | tr -d ' '
