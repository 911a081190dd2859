#!/bin/sh
# Ten sigmoid layers learn nothing: the first ones do not move, and the loss stays on a plateau.
# Three of them, trained in the same way, learn. Fails if that is not what comes out.
#
#     examples/plateau.sh [DATA [OPTION...]]
#
# DATA is a CSV or a folder of MNIST's IDX files, by default the digits in examples/data; options,
# such as --seed 2, go to gradsim. GRADSIM names the program if it is not ./gradsim.
set -eu
# shellcheck source=examples/training.sh
. "$(dirname "$0")/training.sh"

"$gradsim" --layers 10 --act sigmoid --lr 0.5 --steps 500 "$@" > "$scratch/deep"
cat "$scratch/deep"
printf '\n3 layers:\n'
"$gradsim" --layers 3 --act sigmoid --lr 0.5 --steps 500 --quiet "$@" > "$scratch/shallow"
grep -E '^(trained|held out) ' "$scratch/shallow"

LC_ALL=C awk '
    FNR == 1 { network++ }
    network == 1 && /^plateau / { from = $3; to = $5; loss = $10 + 0 }
    network == 1 && /^depth / { moved = $2; layers = $4 }
    /^held out / { right[network] = $NF + 0 }
    END {
        if (loss == 0 || moved == 0 || moved > 5 || right[1] > 20 || right[2] < 80) {
            print "\nThat is not as expected: see the top of this script."
            exit 1
        }
        printf "\nThe loss stays at %.3g from step %d to %d. Of %d layers, the readout among\n", \
            loss, from, to, layers
        printf "them, %d hardly move. Of the examples held out 10 layers get %.3g%% right, 3\n", \
            layers - moved, right[1]
        printf "layers %.3g%%.\n", right[2]
    }' "$scratch/deep" "$scratch/shallow"
