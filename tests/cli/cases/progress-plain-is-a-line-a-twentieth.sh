# The first, each twentieth and the last; rates and times are those of the machine.
gradsim --layers 3 --width 8 --steps 41 --progress plain -q 2>&1 > log.txt |
    sed 's|  loss [0-9.]*\(  [0-9.]*/s\)*\(  [0-9]*:[0-9]* left\)*$||' | paste -sd ' ' -
