for page in spectrum theory example; do gradsim help "$page"; done | awk 'length > 80'
for options in '' '--act relu --init he --residual add --skip 3 --norm layer --norm-at postact' \
    '--layers 1 --width 1' '--layers 9999 --width 8 --example 64' '--inputs 5 --seeds 2'; do
    # shellcheck disable=SC2086
    gradsim spectrum $options | awk -v options="$options" 'length > 80 { print options ": " $0 }'
done
