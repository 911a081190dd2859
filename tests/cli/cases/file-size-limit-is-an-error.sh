trap 'ls -A' EXIT
ulimit -f 1
gradsim --layers 4 -q --save u.st
