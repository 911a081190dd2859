# One device twice, or the names of one file in two folders.
mkdir a b
gradsim --layers 2 --width 8 -q --save /dev/null -o /dev/null
gradsim --layers 2 --width 8 -q --save a/x -o b/x
gradsim --layers 2 --width 8 -q --save s > log
ls
