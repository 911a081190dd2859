gradsim --layers 1000000 --width 1000000
