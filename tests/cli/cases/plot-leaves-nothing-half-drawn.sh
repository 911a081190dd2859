# What fails leaves the picture that was there.
gradsim --layers 3 --width 4 -o a.csv
head -c 2000 a.csv > torn.csv
echo old > a.svg
gradsim plot torn.csv -o a.svg 2> error || echo $?
cat error a.svg
# shellcheck disable=SC3045
{ (ulimit -f 1; gradsim plot a.csv -o a.svg 2>&1) || echo $?; } | cat
cat a.svg
gradsim plot a.csv > /dev/full 2> error || echo $?
cat error
ls -A
