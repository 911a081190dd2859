sweep() { gradsim sweep --layers 2..5 --width 4 --batch 3 --resume -o log.csv "$@"; }
sweep
cp log.csv kept.csv
for option in '--lr 3' '--seed 2' '--seeds 2' "--where layers>2" '--act tanh' '--summary' \
    '--shard 2/2' '--layers 3..5'; do
    # shellcheck disable=SC2086 # words of their own
    sweep $option 2>&1 || echo "[$?]"
    cmp log.csv kept.csv
done
sed -i '9s/^[0-9]*/7/' log.csv
sweep 2>&1 || echo "[$?]"
echo 'not a log' > log.csv
sweep 2>&1 || echo "[$?]"
cat log.csv
