#!/bin/sh
# What plateau.sh, deep.sh, clipping.sh and warmup.sh begin with: not run but sourced, with their
# arguments [DATA [OPTION...]], which become options of gradsim.
gradsim=${GRADSIM:-./gradsim}
data=${1:-$(dirname "$0")/data/digits.csv}
[ $# -eq 0 ] || shift
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

# A folder of MNIST has its own set to test on; of a CSV a fifth is held out.
if [ -d "$data" ]; then
    set -- --data "$data" --test-data "$data" "$@"
else
    set -- --data "$data" --test-share 0.2 "$@"
fi

# train NAME OPTIONS...: prints the steps of a run and, of what follows its table of layers, the
# lines that begin with $ending, by default all. $scratch/NAME keeps everything.
ending=.
train() {
    log=$scratch/$1
    shift
    "$gradsim" "$@" > "$log"
    awk -v ending="^($ending)" '
        /^layer / { table = late = 1 }
        /^trained / { table = 0 }
        !late || (!table && $0 ~ ending)' "$log"
}
