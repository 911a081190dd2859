# Without --save there is nothing to go on from; a table ends with its summary.
timeout --version > /dev/null 2>&1 || { echo "timeout is not GNU's"; exit 77; }
interrupt() { # ARGUMENT...
    status=0
    timeout --preserve-status -s INT 0.2 gradsim --layers 7 --width 8 --steps 1000000 "$@" \
        2> said || status=$?
    echo "$status $(sed 's/[0-9][0-9]*$/N/' said)"
}
interrupt --log-every 10 -o log.csv
test $(($(wc -l < log.csv) % 7)) -eq 1
test "$(awk -F, '{ print NF }' log.csv | sort -u | wc -l)" -eq 1
interrupt --seeds 3 -o log.jsonl # none follows
cut -d, -f1 log.jsonl | uniq
interrupt -o log.txt
sed -n 's/^trained  *[0-9]* of \([0-9]* steps\).*/\1/p' log.txt
