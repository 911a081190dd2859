#!/bin/sh
# The gradient of five 96-layer networks in one CSV: examples/compare.sh > compare.csv
# GRADSIM names the program if it is not ./gradsim.
set -eu
gradsim=${GRADSIM:-./gradsim}

# Files concatenate, so a sweep is a loop; the header is wanted once.
"$gradsim" --act sigmoid --format csv
"$gradsim" --act relu --format csv --no-header
"$gradsim" --act relu --init he --format csv --no-header
"$gradsim" --act relu --init he --norm batch --format csv --no-header
"$gradsim" --act relu --init he --norm layer --norm-at input --order act-dense --residual add \
    --format csv --no-header
