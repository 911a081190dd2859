test -c /dev/full || { echo "there is no /dev/full"; exit 77; }
gradsim --layers 3 --width 8 -o /dev/full
