sweep() { gradsim sweep --layers 2..5 --width 4 --batch 3 --steps 2 --seeds 2 --resume -o log.csv "$@"; }
refuse() { # OPTION...: after something was done to the log
    cp log.csv before.csv
    sweep "$@" 2>&1 || echo "[$?]"
    cmp log.csv before.csv
    cp kept.csv log.csv
}
sweep
cp log.csv kept.csv
for option in '--lr 3' '--seed 2' '--seeds 3' '--where layers>2' '--act tanh' '--summary' \
    '--shard 2/2' '--layers 3..5' '--steps 3' '--steps 1' '--log-every 2'; do
    # shellcheck disable=SC2086 # words of their own
    refuse $option
done
echo 'what is damaged'
for change in '9s/^[0-9]*/7/' 8d 14,19d 2,4d 5p '7s/$/\r/' 's/$/\r/' '3s/^/x/'; do
    sed -i "$change" log.csv
    refuse
done
sed -n 1p kept.csv >> log.csv
tail -n 1 kept.csv >> log.csv
refuse
echo 'not a log' > log.csv
refuse
printf '{"run":1, "it is": "foreign"}' > log.csv
refuse --format jsonl
