test -c /dev/full || { echo "there is no /dev/full"; exit 77; }
gradsim --layers 500 --width 8 --format csv > /dev/full
