#!/bin/sh
# Weights half as large again as He's make the gradient explode, and after a few steps the numbers
# are not finite. The same run with clipping learns. Fails if that is not what comes out.
#
#     examples/clipping.sh [DATA [OPTION...]]
#
# DATA is a CSV or a folder of MNIST's IDX files, by default the digits in examples/data; options,
# such as --seed 2, go to gradsim. GRADSIM names the program if it is not ./gradsim.
set -eu
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

# train NAME OPTIONS...: prints the steps and how it ended, without the table of layers.
train() {
    log=$scratch/$1
    shift
    "$gradsim" --layers 10 --act relu --init he --gain 1.5 --opt momentum --lr 0.02 \
        --steps 500 "$@" > "$log"
    awk '/^layer / { late = 1 } !late || /^(trained|held out|clipped|stopped) /' "$log"
}

train plain "$@"
echo
train clipped --clip norm:1 "$@"

LC_ALL=C awk '
    FNR == 1 { network++ }
    network == 1 && /^stopped / { last = $3 + 0 }
    network == 2 && /^held out / { right = $NF + 0 }
    END {
        if (last == 0 || last > 50 || right < 70) {
            print "\nThat is not as expected: see the top of this script."
            exit 1
        }
        printf "\nWithout clipping the run ends in numbers that are not finite after %d steps.\n", \
            last
        printf "With it %.3g%% of the examples held out are right.\n", right
    }' "$scratch/plain" "$scratch/clipped"
