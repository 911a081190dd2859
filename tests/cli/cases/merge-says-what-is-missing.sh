# What is there is written all the same.
gradsim sweep --layers 1..20 --width 3 --batch 2 -o whole.csv
try() {
    status=0
    gradsim merge "$@" -o merged.csv 2>&1 || status=$?
    echo "status $status, points $(awk -F, 'NR > 1 && !seen[$1]++ { print $1 }' merged.csv | xargs)"
}
keep() { # CONDITION on point p
    awk -F, "{ p = \$1 } NR == 1 || ($1)" whole.csv
}
keep 'p % 2' > odd.csv
keep 'p % 4 == 0' > fourth.csv
keep 'p == 10' > ten.csv
try whole.csv
try odd.csv ten.csv fourth.csv
try fourth.csv
gradsim merge ten.csv 2> message > merged || cat message
cmp merged ten.csv
