test -c /dev/full || { echo "there is no /dev/full"; exit 77; }
gradsim help > /dev/full
