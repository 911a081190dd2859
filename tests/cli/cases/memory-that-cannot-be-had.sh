# More than there is, and more than size_t can count.
gradsim --layers 1000000 --width 1000000 --weights stored ||
    gradsim --layers 10000000 --width 1000000 --weights stored
