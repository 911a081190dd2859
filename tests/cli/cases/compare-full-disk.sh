test -c /dev/full || { echo "there is no /dev/full"; exit 77; }
gradsim compare --layers 3 --width 8 --batch 4 -o /dev/full
