#!/bin/sh
# Ten residual layers without a norm: their gradient is so large at first that a learning rate which
# serves them well later destroys them. Warm-up leads to it; a rate that is safe from the first step
# learns less in the same time. Fails if that is not what comes out.
#
#     examples/warmup.sh [DATA [OPTION...]]
#
# DATA is a CSV or a folder of MNIST's IDX files, by default the digits in examples/data; options,
# such as --seed 2, go to gradsim. GRADSIM names the program if it is not ./gradsim.
set -eu
# shellcheck source=examples/training.sh
. "$(dirname "$0")/training.sh"

ending='trained |held out |clipped |stopped '
set -- --layers 10 --act relu --init he --residual add --steps 500 "$@"

train at_once --lr 0.05 "$@"
echo
train warmup --lr 0.05 --warmup 100 "$@"
echo
train slow --lr 0.005 "$@"

LC_ALL=C awk '
    FNR == 1 { network++ }
    network == 1 && /^stopped / { last = $3 + 0 }
    /^held out / { right[network] = $NF + 0 }
    END {
        if (last == 0 || last > 50 || right[2] < 85 || right[3] >= right[2]) {
            print "\nThat is not as expected: see the top of this script."
            exit 1
        }
        printf "\nWithout warm-up the run ends in numbers that are not finite after %d steps.\n", \
            last
        printf "With it %.3g%% of the examples held out are right, ", right[2]
        printf "at a tenth of its rate %.3g%%.\n", right[3]
    }' "$scratch/at_once" "$scratch/warmup" "$scratch/slow"
