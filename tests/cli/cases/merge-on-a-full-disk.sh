test -c /dev/full || { echo "there is no /dev/full"; exit 77; }
gradsim sweep --layers 1..9 --width 3 --batch 2 -o whole.csv
status() {
    "$@" 2>&1 || echo $?
}
status gradsim merge whole.csv -o /dev/full
status sh -c "gradsim merge whole.csv > /dev/full"
echo precious > out.csv
(ulimit -f 1; status gradsim merge whole.csv -o out.csv)
cat out.csv
ls -A
