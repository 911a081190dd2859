gradsim --layers 3 --width 8 -o x/y.csv
