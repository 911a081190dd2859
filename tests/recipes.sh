#!/bin/sh
# The scripts in examples/recipes do what they say, and those that say the same agree to the byte.
# GRADSIM is the program.

# shellcheck disable=SC2317 # the functions are called by check
cd "$(dirname "$0")/.." || exit 1
GRADSIM=$(realpath "${GRADSIM:-./gradsim}") || exit 1
export GRADSIM
recipes=examples/recipes
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM
status=0

check() { # NAME COMMAND...: the command succeeds
    name=$1
    shift
    if "$@" > "$scratch/output" 2>&1; then
        echo "ok - $name"
    else
        echo "not ok - $name # $(tail -n 3 "$scratch/output" | tr '\n' '|')"
        status=1
    fi
}

# check_with PROGRAM NAME COMMAND...: where there is the program
check_with() {
    program=$1
    shift
    if command -v "$program" > /dev/null; then
        check "$@"
    else
        echo "skip - $1 # $program is missing"
    fi
}

sweep() { # FILE
    "$GRADSIM" sweep --layers 16,32,64 --act sigmoid,tanh,relu --init he --seeds 4 -o "$1"
}

sweep "$scratch/sweep.csv" && sweep "$scratch/sweep.tsv" || exit 1

# ---- A loop ----

# A file's rows without what a loop does not know: run, point, points and the name of the sweep.
without_numbers() { # FILE
    awk -F, '
        NR == 1 { for (i = 1; i <= NF; i++) numbers[i] = $i ~ /^(run|point|points|sweep)$/ }
        { for (i = 1; i <= NF; i++) if (!numbers[i]) printf "%s,", $i; print "" }' "$1"
}

loop_is_a_sweep() {
    "$recipes/loop.sh" > "$scratch/loop.csv" &&
        without_numbers "$scratch/loop.csv" > "$scratch/loop.rows" &&
        without_numbers "$scratch/sweep.csv" > "$scratch/sweep.rows" &&
        [ "$(wc -l < "$scratch/loop.csv")" -eq $((1 + 3 * 4 * (16 + 32 + 64))) ] &&
        cmp "$scratch/loop.rows" "$scratch/sweep.rows"
}

# ---- Summaries ----

# A linear network of W = I / 2 loses log10(2) a layer, whatever the seed.
awk_knows_identity() {
    "$GRADSIM" sweep --layers 11,12 --act linear --init identity:0.5 --seeds 4 \
        --loss random -o "$scratch/half.tsv" &&
        "$recipes/awk.sh" "$scratch/half.tsv" layers,init > "$scratch/half" &&
        printf '%s\n' 'layers,init,networks,decades_mean,decades_std' \
            '11,identity:0.5,4,-3.0103,0.0000' '12,identity:0.5,4,-3.3113,0.0000' |
        cmp - "$scratch/half"
}

# same_as_awk COMMAND...: for the columns by default, and for others
same_as_awk() {
    for by in '' init,act; do
        # shellcheck disable=SC2086 # one argument or none
        "$recipes/awk.sh" "$scratch/sweep.tsv" $by > "$scratch/by_awk" &&
            "$@" "$scratch/sweep.csv" $by > "$scratch/by_other" &&
            cmp "$scratch/by_awk" "$scratch/by_other" || return
    done
}

# ---- A picture ----

# segments NAME FILE: how many a line has, its sample in the legend among them.
segments() {
    awk -v title="<title>$1</title>" '
        index($0, "<title>") { inside = index($0, title) }
        inside { n += gsub(/L[0-9]/, "") }
        END { print n + 0 }' "$2"
}

# Seeds are averaged, so a line has as many points as there are layers.
picture_has_lines() {
    gnuplot -e "log='$scratch/sweep.csv'; by='layers act'; picture='$scratch/sweep.svg'" \
        "$recipes/layers.gp" &&
        for layers in 16 32 64; do
            for act in sigmoid tanh relu; do
                [ "$(segments "$layers/$act" "$scratch/sweep.svg")" -eq "$layers" ] || return
            done
        done &&
        gnuplot -e "log='$scratch/sweep.csv'; picture='$scratch/sweep.png'" "$recipes/layers.gp" &&
        head -c 8 "$scratch/sweep.png" | grep -q PNG
}

check 'a loop in a shell gives the rows of a sweep' loop_is_a_sweep
check 'a summary by awk has the decades of a chain of known gain' awk_knows_identity
check_with mlr 'a summary by Miller is that by awk' same_as_awk "$recipes/miller.sh"
check_with gnuplot 'gnuplot draws the lines of a sweep' picture_has_lines
pandas='a summary by pandas is that by awk'
for python in python3 /usr/bin/python3; do
    "$python" -c 'import pandas' 2> /dev/null && break
    python=
done
if [ -n "$python" ]; then
    check "$pandas" same_as_awk "$python" "$recipes/pandas_summary.py"
else
    echo "skip - $pandas # pandas is missing"
fi
exit $status
