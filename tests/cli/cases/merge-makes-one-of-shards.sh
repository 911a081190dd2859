# The bytes of one process, whatever the form, and in whatever order the shards come.
sweep() {
    gradsim sweep --layers 2..4 --act relu,sigmoid --width 3 --batch 2 --seeds 2 "$@"
}
for form in csv tsv jsonl; do
    for rows in --color=never --summary; do
        sweep $rows -o whole.$form
        for shard in 1 2 3 4; do sweep $rows --shard $shard/4 -o $shard.$form; done
        gradsim merge 3.$form 1.$form 4.$form 2.$form > merged
        cmp whole.$form merged
        gradsim merge 1.$form -o merged [2-4].$form # over what is there
        cmp whole.$form merged
        for shard in 1 3; do # with other line ends
            sed "s/\$/$(printf '\r')/" $shard.$form > foreign && mv foreign $shard.$form
        done
        gradsim merge [1-4].$form | cmp - whole.$form
    done
done
# More shards than points, and more than may be open at once.
gradsim sweep --layers 1..30 --width 2 --batch 2 -o whole.csv
for shard in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31; do
    gradsim sweep --layers 1..30 --width 2 --batch 2 --shard "$shard/31" -o "shard-$shard.csv"
done
# shellcheck disable=SC3045 # where there is no -S, all may be open
ulimit -S -n 16 || exit 0
gradsim merge shard-*.csv | cmp - whole.csv
