# Whatever there is to say of a network, and of several.
for options in '' '--act relu --init he' '--norm batch --act relu --init he --residual post-act' \
    '--act linear --init normal:1e3 --norm layer --norm-at output' '--act relu --width 3 --seeds 9' \
    '--residual add --branch-scale rezero --seeds 2' '--order act-dense --skip 3 --residual add'; do
    # shellcheck disable=SC2086
    gradsim $options | awk -v options="$options" 'length > 80 { print options ": " $0 }'
done
