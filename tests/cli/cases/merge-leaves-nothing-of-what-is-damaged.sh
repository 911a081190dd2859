# Found when points have been written already: what was there stays, and nothing stands beside it.
gradsim sweep --layers 1..9 --width 3 --batch 2 -o whole.csv
echo precious > out.csv
try() {
    status=0
    gradsim merge "$@" -o out.csv 2>&1 || status=$?
    echo "$status, $(cat out.csv)"
}
try_edited() {
    sed "$1" whole.csv > edited.csv
    try edited.csv
}
# shellcheck disable=SC2016 # sed's own $
try_edited '$d'
try_edited 20d
try_edited '20s/,/;/'
try_edited '20s/^/"/'
try_edited '20s/.$/&,/'
try_edited '30s/.*//'
head -c $(($(wc -c < whole.csv) - 9)) whole.csv > cut.csv
try cut.csv
(sed 20q whole.csv; head -c 99 /dev/zero) > zeros.csv
try zeros.csv
try whole.csv edited.csv
ls -A
