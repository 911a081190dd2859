# A log of 16 MB in 30, most of which are the program and its library.
# shellcheck disable=SC3045 # where there is no -v, it is skipped
(ulimit -v 30000; gradsim version > /dev/null 2>&1) || { echo "no ulimit -v"; exit 77; }
gradsim sweep --layers 20 --width 2 --batch 2 --act relu,tanh -o a.csv
tail -n +2 a.csv > rows
for i in 1 2 3 4 5 6 7 8 9 10; do
    cat rows rows > more
    mv more rows
done
{ head -n 1 a.csv && cat rows; } > long.csv
# shellcheck disable=SC3045
(ulimit -v 30000; gradsim plot long.csv -o long.svg)
wc -lc < long.csv | awk '{ print $1, ($2 > 1e7) }'
