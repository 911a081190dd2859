# Wherever the file ends, --resume makes of it what one run writes.
sweep() {
    gradsim sweep --layers 2..4 --act tanh,relu --width 5 --batch 4 --norm none,batch --batch 1,4 "$@" \
        2> /dev/null || test $? -eq 1
}
try() { # OPTION...
    sweep "$@" -o whole
    size=$(($(wc -c < whole)))
    for cut in 0 1 9 700 $((size / 3)) $((size / 2)) $((size * 9 / 10)) $((size - 1)) $size; do
        head -c "$cut" whole > cut
        sweep "$@" --resume -o cut
        cmp whole cut || echo "cut at $cut: $*"
    done
    rm cut
    sweep "$@" --resume -o cut
    cmp whole cut
}
try --format csv --seeds 2
try --format tsv --summary
try --format jsonl --steps 3 --seeds 2
try --format csv --shard 2/3
try --format csv --data "$ROOT/examples/data/digits.csv" --test-share 0.1,0.2 --steps 1
