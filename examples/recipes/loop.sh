#!/bin/sh
# A sweep in a plain shell loop, into one CSV: examples/recipes/loop.sh > loop.csv
#
# Files concatenate, so the header is wanted once. `gradsim sweep --act ... --layers ...` does the
# same on all processors; a loop can do more between two runs.
# GRADSIM names the program if it is not ./gradsim.
set -eu
gradsim=${GRADSIM:-./gradsim}

header=
for layers in 16 32 64; do
    for act in sigmoid tanh relu; do
        # shellcheck disable=SC2086 # one option or none
        "$gradsim" --layers "$layers" --act "$act" --init he --seeds 4 --format csv $header
        header=--no-header
    done
done
