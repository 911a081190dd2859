gradsim compare --layers 4 --width 16 --batch 8 --seeds 2 > page
for format in csv tsv jsonl; do gradsim compare --layers 4 --width 16 --batch 8 --seeds 2 -o rows.$format; done
lines=$(sed -n '/^rank  network/,/^$/p' page | sed -e 1d -e '$d' | grep -c .)
test "$(tail -n +2 rows.csv | grep -c .)" = "$lines"
test "$(tail -n +2 rows.tsv | grep -c .)" = "$lines"
test "$(grep -c . rows.jsonl)" = "$lines"
test "$(cut -f 1 rows.tsv | tail -n +2 | sort -nu | grep -c .)" = "$lines"
# Every row has a cell for every name, and no comma stands within one.
awk -F, 'NR == 1 { n = NF } NF != n' rows.csv
awk -F '\t' 'NR == 1 { n = NF } NF != n' rows.tsv
head -n 1 rows.csv | cut -d, -f 1-20
grep -c '^{"rank":[0-9]*,"remedy":".*"networks":2,.*}$' rows.jsonl | grep -qx "$lines"
# The rows are ranked: healthy ones by distance from 0, then others.
awk -F '\t' 'NR > 1 && $12 == "healthy" {
    size = $7 < 0 ? -$7 : $7
    if (other || size < last) print "rank " $1
    last = size
} NR > 1 && $12 != "healthy" { other = 1 }' rows.tsv
# With one seed there is no deviation.
gradsim compare --layers 4 --width 16 --batch 8 --format tsv --no-header | cut -f 8 | sort -u
