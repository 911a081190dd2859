# Each point is a run: the same rows but for the places of run and point.
gradsim sweep --layers 3,5 --act sigmoid,relu:0 --seeds 2 -o x.csv 2> /dev/null || echo 'relu takes no parameter'
grid='--width 7 --batch 5 --norm batch --residual add --seeds 2'
# shellcheck disable=SC2086 # words of their own
gradsim sweep --layers 3,5 --act sigmoid,relu --lr 0.1,0.3 --steps 2 $grid -o sweep.csv
for layers in 3 5; do
    for act in sigmoid relu; do
        for lr in 0.1 0.3; do
            # shellcheck disable=SC2086
            gradsim --layers $layers --act $act --lr $lr --steps 2 $grid --format csv
        done
    done
done > runs.csv
awk -F, -v OFS=, '
    NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i }
    FNR > 1 && $1 == "run" { next }
    FNR > 1 { $1 = $(column["point"]) = $(column["points"]) = $(column["sweep"]) = "" }
    { print > FILENAME ".plain" }' sweep.csv runs.csv
cmp sweep.csv.plain runs.csv.plain
awk -F, 'NR > 1 && $1 != last { printf "%s ", $1; last = $1 } END { print "runs" }' sweep.csv
