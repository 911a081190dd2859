#!/bin/sh
# 96 layers learn with today's mix of He init, batch norm, ReLU and residual connections, and do not
# as plain sigmoid layers. 8,000 digits of MNIST take half a minute. Fails if that is not what comes
# out.
#
#     examples/deep.sh [DATA [OPTION...]]
#
# DATA is a CSV or a folder of MNIST's IDX files, by default the digits in examples/data; options,
# such as --seed 2, go to gradsim. GRADSIM names the program if it is not ./gradsim.
set -eu
# shellcheck source=examples/training.sh
. "$(dirname "$0")/training.sh"

set -- --layers 96 --opt adam --schedule cosine --epochs 10 --dtype f32 "$@"

train sigmoid --act sigmoid "$@"
echo
train mix --act relu --init he --norm batch --residual add --branch-scale '1/sqrt(L)' "$@"

LC_ALL=C awk '
    FNR == 1 { network++ }
    /^held out / { right[network] = $NF + 0 }
    END {
        if (right[1] == 0 || right[1] > 20 || right[2] < 93) {
            print "\nThat is not as expected: see the top of this script."
            exit 1
        }
        printf "\nOf the examples held out the mix gets %.3g%% right, sigmoid layers %.3g%%.\n", \
            right[2], right[1]
    }' "$scratch/sigmoid" "$scratch/mix"
