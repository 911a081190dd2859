[ -w /dev/full ] || { echo "no /dev/full"; exit 77; }
gradsim --layers 2 --width 4 --steps 1000000 --format csv > /dev/full
