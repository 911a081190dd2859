# The log and the saved state, where the log goes on in its file, and where its rows are appended.
data=$ROOT/examples/data/digits.csv
compare() { # FORMAT ARGUMENT...
    log=log.$1
    shift
    gradsim "$@" --steps 30 -o "all-$log" --save all.st
    gradsim "$@" --steps 13 -o "cut-$log" --save cut.st
    cp "cut-$log" "parts-$log"
    gradsim --load cut.st --steps 30 -o "cut-$log" --save on.st
    gradsim --load cut.st --steps 30 -o "rest-$log" --save apart.st --no-header
    cat "rest-$log" >> "parts-$log"
    { cmp "all-$log" "cut-$log" && cmp "all-$log" "parts-$log"; } || echo "$*"
    { cmp all.st on.st && cmp all.st apart.st; } || echo "$*"
    rm ./*"$log"
}
for format in csv tsv jsonl; do
    compare $format --layers 3 --width 8 --opt momentum --schedule step:7 --warmup 3
done
compare jsonl --data "$data" --layers 3 --width 8 --batch 500 --opt adamw --l2 0.1 --test-share 0.2 \
    --norm batch --residual add --branch-scale rezero
compare csv --data "$data" --layers 3 --width 8 --batch 16 --opt nesterov --shuffle off \
    --act prelu --norm layer --clip norm:0.1 --dtype f32
