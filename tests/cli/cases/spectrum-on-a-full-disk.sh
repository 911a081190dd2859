[ -c /dev/full ] || { echo 'there is no /dev/full'; exit 77; }
gradsim spectrum --layers 2 --width 4 -o /dev/full
