#!/bin/bash
# Measures gradsim beside this machine's peak, OpenBLAS, PyTorch and its own floors, and prints one
# table; see bench.h for how. `make bench` calls it, with the groups to measure as arguments (all if
# there are none). FULL=1 measures the largest runs at their full depth. Results never decide
# anything: it fails only where something cannot be measured.

cd "$(dirname "$0")/../.." || exit 1
gradsim=${GRADSIM:?run me by make bench}
bench=${BUILD:?run me by make bench}/tests/bench/bench
rows=$BUILD/bench/rows.csv
mkdir -p "$BUILD/bench" && : > "$rows" || exit 1
selected=${*:-peak products layers pass training generation process sweep streamed depth}
status=0
trap '' PIPE # a PyTorch that ends early is an answer that is missing, not the end

note() { echo "# $*" >> "$rows"; }

selects() { # GROUP [DTYPE]: whether it was asked for; says so then
    [[ " $selected " == *" $1 "* ]] && echo "measuring $*" >&2
}

# ---- This machine ----

measure() { # ARGUMENTS...: of the measuring program
    "$bench" "$@" >> "$rows" || status=1
}

peaks=$("$bench" peak f64) || exit 1
all=$(tail -n 1 <<< "$peaks" | cut -d, -f4)
thread_counts=1
[ "$all" -eq 1 ] || thread_counts="1 $all"
note "$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1), $all threads," \
    "$(head -n 1 <<< "$peaks" | cut -d, -f6) kernels"

# ---- The opponents at their strongest ----

# OpenBLAS reads its core type when it is loaded, and what it finds by itself can be another one. A
# type that this machine cannot run ends the probe.
case $(uname -m) in
x86_64) core_types='HASWELL ZEN SKYLAKEX COOPERLAKE SAPPHIRERAPIDS' ;;
aarch64) core_types='NEOVERSEN1 NEOVERSEV1 NEOVERSEN2 ARMV8SVE' ;;
esac
declare -A core
probe_blas() { # DTYPE
    local type name speed fastest=0 winner=
    for type in '' $core_types; do
        read -r name speed < <(OPENBLAS_CORETYPE=$type "$bench" blas "$1" 2> /dev/null) || continue
        if awk "BEGIN { exit !($speed > $fastest) }"; then
            fastest=$speed winner=$name core[$1]=$type
        fi
    done
    if [ -z "$winner" ]; then
        note 'OpenBLAS: skipped, package libopenblas0-pthread is missing'
    else
        note "OpenBLAS for $1: core type $winner, the fastest of those that run here"
    fi
}

python=
for candidate in python3 /usr/bin/python3; do
    "$candidate" -c 'import torch' 2> /dev/null && python=$candidate
done
[ -n "$python" ] || note 'PyTorch: skipped, package python3-torch is missing'

# One PyTorch for all questions about an element type, so that only the first waits for its start.
start_torch() { # DTYPE
    [ -n "$python" ] || return
    coproc torch { OPENBLAS_CORETYPE=${core[$1]} exec "$python" -B tests/bench/peer.py; }
    torch_process=$!
    [ "$1" = f32 ] || note "$(ask_torch libraries)"
}

ask_torch() { # QUESTION...: its answer is rows
    local answer
    [ -n "$python" ] || return
    echo "$*" >&"${torch[1]}"
    while read -r answer <&"${torch[0]}" && [ -n "$answer" ]; do
        echo "$answer"
    done
}

# Its questions end, and so does it.
stop_torch() {
    [ -z "$python" ] || { echo end >&"${torch[1]}"; wait "$torch_process"; }
}

# ---- Passes and training: PyTorch between two runs of gradsim ----

# Layers whose weights take 128 MiB (FULL: 1 GiB), four at least; per layer the cost is the same.
depth_within() { # LAYERS WIDTH DTYPE
    local size=8 layers
    [ "$3" = f64 ] || size=4
    layers=$(((FULL ? 1 << 30 : 1 << 27) / ($2 * $2 * size)))
    layers=$((layers < 4 ? 4 : layers))
    echo $((layers < $1 ? layers : $1))
}

measure_both() { # GROUP ITEM LAYERS WIDTH BATCH DTYPE
    local threads
    for threads in $thread_counts; do
        measure "$@" "$threads" 0.3
        ask_torch "$@" "$threads" 0.8 >> "$rows"
        measure "$@" "$threads" 0.3
    done
}

measure_passes() { # DTYPE
    local layers width batch
    while read -r layers width batch; do
        measure_both pass tanh "$(depth_within "$layers" "$width" "$1")" "$width" "$batch" "$1"
    done << END
96 128 32
96 128 64
96 512 128
96 1024 256
24 4096 32
END
    [ "$1" = f64 ] || measure_both pass sigmoid 96 128 32 f32
}

measure_training() { # DTYPE
    local opt
    for opt in sgd adam; do
        measure_both training "$opt" 96 128 64 "$1"
        measure_both training "$opt" 96 512 128 "$1"
    done
}

measure_generation() { # DTYPE
    local threads
    measure generation "$1"
    for threads in $thread_counts; do
        ask_torch generation "$1" "$threads" 2 >> "$rows"
    done
    measure generation "$1"
}

# ---- Whole processes ----

time_process() { # SHAPE DTYPE PROGRAM RUNS COMMAND
    hyperfine --style none --shell none --warmup 2 --min-runs "$4" --export-csv "$BUILD/bench/process.csv" \
        "$5" > /dev/null 2>&1 || { status=1; return; }
    # command, mean, stddev, median, user, system, min, max
    awk -F, -v OFS=, -v start="process,$1,$2,$all" -v program="$3" 'NR == 2 {
        print start, "least", program, $(NF - 1), $(NF - 1), 1, "run"
        print start, "mean", program, $(NF - 6), $(NF - 6), 1, "run"
    }' "$BUILD/bench/process.csv" >> "$rows"
}

measure_processes() {
    if ! command -v hyperfine > /dev/null; then
        note 'whole processes: skipped, hyperfine is missing'
        return
    fi
    time_process 96x128x64 f64 gradsim 50 "$gradsim --layers 96 --act sigmoid --format csv"
    [ -z "$python" ] || OPENBLAS_CORETYPE=${core[f64]} time_process 96x128x64 f64 torch 4 \
        "$python -B tests/bench/norms.py 96 128 64 f64"
}

# ---- Sweeps ----

# Both samples have every depth, activation, init, norm and residual alike: every 85th point is six
# of them, one of each depth.
measure_sweeps() {
    local way threads some=5 item='a fifth of it' networks=348
    local sweep=("$gradsim" sweep --layers 16..96:16 --act 'sigmoid,tanh,relu,leaky-relu'
        --init 'xavier,he,orthogonal' --norm 'none,batch,layer' --residual 'none,add' --seeds 4)
    local points=$BUILD/bench/points.csv
    [ -z "$FULL" ] || { some=1 item='all of it' networks=1728; }
    measure sweep "$item" "$networks" "${sweep[@]}" --shard "1/$some"
    "${sweep[@]}" --shard 1/85 --dry-run --format csv -o "$points" || status=1
    for way in ${python:+loop script batched}; do
        for threads in $thread_counts; do
            OPENBLAS_CORETYPE=${core[f64]} OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 "$python" -B \
                tests/bench/sweep.py "$way" "$points" "$threads" 8 "$item" >> "$rows" || status=1
        done
    done
    measure sweep "$item" "$networks" "${sweep[@]}" --shard "1/$some"
}

# ---- Streamed weights ----

measure_streamed() {
    "$gradsim" --layers 1 --width 8 --weights streamed > /dev/null 2>&1
    if [ $? -eq 2 ]; then
        note 'streamed: skipped, this gradsim has no --weights streamed'
    else
        measure streamed "$gradsim" "$([ -n "$FULL" ] && echo 96 || echo 8)"
    fi
}

# ---- All ----

if [[ $selected =~ products|pass|training|process|sweep ]]; then
    for dtype in f64 f32; do
        probe_blas "$dtype"
    done
fi
for dtype in f64 f32; do
    selects peak "$dtype" && measure peak "$dtype"
    selects products "$dtype" && OPENBLAS_CORETYPE=${core[$dtype]} measure products "$dtype"
    selects layers "$dtype" && measure layers "$dtype"
    if [[ $selected =~ pass|training|generation ]]; then
        start_torch "$dtype"
        selects pass "$dtype" && measure_passes "$dtype"
        selects training "$dtype" && measure_training "$dtype"
        selects generation "$dtype" && measure_generation "$dtype"
        stop_torch
    fi
done
selects process && measure_processes
selects sweep && measure_sweeps
selects streamed && measure_streamed
selects depth && measure depth "$gradsim"

# The rows of a group come together, whatever its element type.
{
    grep '^#' "$rows"
    echo '# A ratio says how many times as fast gradsim is, of peak the share that it reaches, of floors'
    echo '# how many times as long it takes, of 1000 layers the time of one layer. "on" is threads.'
    for group in peak products layers pass training generation process sweep streamed depth; do
        grep "^$group," "$rows"
    done
} | awk -v csv="$BUILD/bench/results.csv" -f tests/bench/table.awk
exit $status
