#!/bin/sh
# The textbooks' claims hold, and examples/claims.sh says so if one does not. GRADSIM is the program.

# shellcheck disable=SC2317 # the functions are called by check
cd "$(dirname "$0")/.." || exit 1
: "${GRADSIM:=./gradsim}"
export GRADSIM
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM
status=0

check() { # NAME COMMAND...: the command succeeds
    name=$1
    shift
    if "$@"; then
        echo "ok - $name"
    else
        echo "not ok - $name"
        status=1
    fi
}

# Numbers have commas there, if this system knows such a place.
all_hold() {
    LC_ALL=de_DE.UTF-8 examples/claims.sh > "$scratch/claims" &&
        [ "$(grep -c ' ok$' "$scratch/claims")" -eq 59 ]
}

rows_are_there() {
    [ "$(sed -n 's/^ \{1,2\}\([0-9]*\)  [^ ].*/\1/p' "$scratch/claims" | tr '\n' ' ')" = \
        '1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 19 21 22 ' ]
}

fits() {
    [ -z "$(awk 'length > 80' "$scratch/claims")" ]
}

# Each number counts: another right value, and data that are not there.
wrong_value_fails() {
    mkdir "$scratch/examples" && cp -r examples/data "$scratch/examples/data" &&
        sed "s/layer 1' 512 /layer 1' 513 /" examples/claims.sh > "$scratch/examples/claims.sh" &&
        ! sh "$scratch/examples/claims.sh" > "$scratch/wrong" &&
        grep -q ' 513 .* DIFFERS$' "$scratch/wrong" &&
        [ "$(tail -n 1 "$scratch/wrong")" = 'differing: 1' ]
}

missing_data_fail() {
    ! MNIST=missing examples/claims.sh > /dev/null 2> "$scratch/error" &&
        grep -q 'missing: No such file' "$scratch/error"
}

check 'every claim holds, whatever the locale' all_hold
check 'every row that needs no training is shown' rows_are_there
check 'claims fit 80 columns' fits
check 'a claim that does not hold is a failure' wrong_value_fails
check 'data that are not there are a failure' missing_data_fail
exit $status
