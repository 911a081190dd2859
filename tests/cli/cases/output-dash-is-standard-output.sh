gradsim --layers 3 --width 8 -o - > dash
gradsim --layers 3 --width 8 | cmp - dash
ls
