# A picture is that of the numbers, whatever form they come in and however they are parted.
set -- sweep --layers 4,6 --act relu,tanh --width 8 --batch 4 --seeds 2
gradsim "$@" -o a.csv
gradsim "$@" -o a.tsv
gradsim "$@" -o a.jsonl
gradsim "$@" --shard 1/2 -o 1.csv
gradsim "$@" --shard 2/2 -o 2.csv
cat 1.csv 2.csv > both.csv
for log in a.csv a.tsv a.jsonl; do
    gradsim plot $log -o $log.svg
    cmp a.csv.svg $log.svg
done
gradsim plot 1.csv 2.csv -o two.svg
gradsim plot both.csv -o both.svg
cmp two.svg both.svg
