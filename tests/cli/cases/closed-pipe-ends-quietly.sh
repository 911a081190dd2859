gradsim --layers 2000 --width 4 --batch 2 --format csv | head -n 1 | cut -d, -f1-5
(trap '' PIPE && gradsim --layers 2000 --width 4 --batch 2 --format csv | head -n 1 | cut -d, -f1-5)
