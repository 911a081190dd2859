#!/bin/sh
# Weights half as large again as He's make the gradient explode, and after a few steps the numbers
# are not finite. The same run with clipping learns. Fails if that is not what comes out.
#
#     examples/clipping.sh [DATA [OPTION...]]
#
# DATA is a CSV or a folder of MNIST's IDX files, by default the digits in examples/data; options,
# such as --seed 2, go to gradsim. GRADSIM names the program if it is not ./gradsim.
set -eu
# shellcheck source=examples/training.sh
. "$(dirname "$0")/training.sh"

ending='trained |held out |clipped |stopped '
set -- --layers 10 --act relu --init he --gain 1.5 --opt momentum --lr 0.02 --steps 500 "$@"

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
