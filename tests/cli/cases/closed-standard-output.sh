gradsim --layers 3 --width 8 --format csv >&-
