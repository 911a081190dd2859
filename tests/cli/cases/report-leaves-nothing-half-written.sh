# What fails leaves the page that was there; a full disk is an error.
gradsim --layers 3 --width 4 -o a.csv
head -c 2000 a.csv > torn.csv
echo old > a.html
gradsim report torn.csv -o a.html 2> error || echo $?
cat error a.html
# shellcheck disable=SC3045
{ (ulimit -f 1; gradsim report a.csv -o a.html 2>&1) || echo $?; } | cat
cat a.html
gradsim report a.csv -o - > /dev/full 2> error || echo $?
cat error
ls -A
