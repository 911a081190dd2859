options='--layers 2..40 --act tanh,relu --width 16 --seeds 2 --jobs 2'
# shellcheck disable=SC2086 # words of their own
gradsim sweep $options -o all.csv
for signal in KILL TERM; do
    # shellcheck disable=SC2086
    gradsim sweep $options -o cut.csv &
    until [ -s cut.csv ]; do sleep 0.01; done
    sleep 0.05
    kill -$signal $!
    status=0
    { wait $! || status=$?; } 2> killed
    echo "$status"
    size=$(($(wc -c < cut.csv)))
    test "$size" -lt $(($(wc -c < all.csv)))
    head -c $size all.csv | cmp - cut.csv
    # shellcheck disable=SC2086
    gradsim sweep $options --resume -o cut.csv
    cmp all.csv cut.csv
    rm cut.csv
done
