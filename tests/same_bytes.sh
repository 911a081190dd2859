#!/bin/sh
# The same bytes everywhere: the CSV of every run below is identical for 1, 2 and 3 threads, for
# every instruction set that this machine can run, and for builds by gcc, by clang, against musl,
# and for 64-bit Arm, under qemu.

cd "$(dirname "$0")/.." || exit 1
unset MAKEFLAGS GRADSIM_ISA # nothing from a make or a test around this
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM
status=0

# Odd sizes lie around the widths of tiles (8) and of panels (16 in f64, 32 in f32).
runs='--layers 6 --width 16 --act sigmoid
--layers 300 --width 4 --batch 5 --act sigmoid
--layers 5 --width 20 --act tanh --init scaled:1.3 --bias normal:0.2
--layers 5 --width 17 --act relu --init he --batch 33
--layers 5 --width 9 --act leaky-relu:0.2 --init he-uniform --batch 17
--layers 4 --width 12 --act prelu --init kaiming --loss random
--layers 4 --width 15 --act elu:0.7 --init lecun --batch 31
--layers 6 --width 16 --act selu --init lecun-uniform --batch 16
--layers 4 --width 23 --act silu --init xavier-uniform --batch 15
--layers 4 --width 24 --act gelu --init normal:0.3
--layers 4 --width 25 --act gelu-tanh --init uniform:0.4 --batch 1
--layers 4 --width 7 --act softplus --init torch --batch 2
--layers 4 --width 31 --act mish --init orthogonal:1.1 --batch 8
--layers 50 --width 8 --act linear --init orthogonal --batch 3
--layers 10 --width 4 --batch 1 --act linear --init identity:2 --loss sum
--layers 3 --width 5 --act tanh --init constant:0.1 --input constant:0.5
--layers 3 --width 1 --inputs 3 --outputs 2 --act sigmoid --batch 65
--layers 3 --width 70 --inputs 1 --act relu --init he --batch 70
--layers 2 --width 130 --act tanh --batch 90
--layers 5 --width 16 --act relu --init he --norm batch
--layers 5 --width 18 --act tanh --norm batch --norm-at input --batch 30
--layers 5 --width 19 --act tanh --norm layer --norm-at postact --norm-eps 1e-3
--layers 5 --width 20 --act gelu --norm rms --norm-at output --residual add
--layers 5 --width 21 --act silu --norm rms --norm-at preact --dtype f32
--layers 6 --width 22 --act relu --init he --residual add --skip 2 --branch-scale 1/sqrt(L)
--layers 6 --width 16 --act tanh --residual post-act --skip 3 --branch-scale 0.5
--layers 6 --width 16 --act relu --residual add --branch-scale rezero --clip norm:0.1
--layers 6 --width 16 --act gelu --order act-dense --residual add --norm layer --branch-scale 1/L
--layers 4 --width 16 --act selu --order act-dense --norm batch --norm-at postact
--layers 4 --width 16 --act tanh --loss ce --outputs 7 --clip agc:0.01
--layers 4 --width 16 --act relu --init he --head --outputs 3 --loss sum --clip value:1e-3
--layers 4 --width 20 --act sigmoid --data examples/data/digits.csv --clip layer:0.1
--layers 3 --width 20 --data examples/data/digits.csv --data-scale unit --loss mse --dtype f32
--layers 3 --width 20 --act relu --data examples/data/digits.csv --data-scale none --batch 40
--layers 200 --width 8 --act sigmoid --dtype f32 --batch 33
--layers 3 --width 90 --act tanh --dtype f32 --bias normal:0.1 --batch 130
--layers 5 --width 12 --act gelu --dtype f32 --norm layer --residual add --batch 65
--layers 5 --width 12 --act mish --dtype f32 --norm batch --norm-at output --batch 32
--layers 5 --width 40 --act elu --dtype f32 --init orthogonal --seeds 3 --batch 10
--layers 100 --width 8 --act relu --init normal:9 --dtype f32 --seed 18446744073709551615
theory --layers 4 --act gelu --bias normal:0.3 --residual add
theory --layers 3 --act relu --norm batch --batch 9 --loss ce
theory --layers 2 --act tanh --init scaled:1.5 --data examples/data/digits.csv
theory --layers 5 --act elu --init identity:2 --norm layer
theory --critical --act silu --bias normal:0.7
spectrum --layers 12 --width 20 --act sigmoid
spectrum --layers 6 --width 17 --act relu --norm layer --residual add --dtype f32 --example 3
compare --layers 2 --width 5 --batch 4'

# installed COMMAND...: all of them are, or $missing is not.
installed() {
    for missing; do
        command -v "$missing" > /dev/null || return
    done
}

# run_all PROGRAM FOLDER: the runs, each to a file.
run_all() {
    mkdir -p "$2"
    number=0
    echo "$runs" | while read -r line; do
        number=$((number + 1))
        # shellcheck disable=SC2086 # the words of a line are its options
        $emulator "$1" $line --threads "$threads" --format csv > "$2/$number" 2>&1 ||
            echo "exit status $?" >> "$2/$number"
    done
}

# build COMPILER: the path of its program, made if need be; a static one for the emulator, which
# finds no libraries of another processor.
build() {
    set -- CC="$1" ${emulator:+LDFLAGS=-static}
    # shellcheck disable=SC2016 # for make to expand
    path=$(make -s --eval='where: ; @echo $(PROGRAM)' "$@" where) || return
    make -s -j "$(getconf _NPROCESSORS_ONLN)" "$@" "$path" > "$scratch/make" 2>&1 || return
    echo "$path"
}

# compare NAME FOLDER: the runs there are those of the reference.
compare() {
    different=$(cd "$scratch/reference" && for run in *; do
        cmp -s "$run" "$2/$run" || echo "$run"
    done | sort -n)
    if [ -z "$different" ]; then
        echo "ok - $1"
    else
        first=$(echo "$different" | head -n 1)
        line=$(echo "$runs" | sed -n "${first}p")
        echo "not ok - $1 # $(echo "$different" | wc -l) differ, the first: gradsim $line"
        status=1
    fi
}

count=$(echo "$runs" | wc -l)
reference=
for compiler in gcc clang musl-gcc aarch64-linux-gnu-gcc 'clang --target=aarch64-linux-gnu'; do
    name="$count runs give the same bytes with $compiler"
    case $compiler in
    *aarch64*) emulator=qemu-aarch64 ;;
    *) emulator= ;;
    esac
    # The clang for Arm links with the libraries of the gcc for Arm.
    if ! installed "${compiler%% *}" ${emulator:+"$emulator" aarch64-linux-gnu-gcc}; then
        echo "skip - $name # $missing is not installed"
        continue
    fi
    if ! program=$(build "$compiler"); then
        echo "not ok - $name # it does not build: $(tail -n 1 "$scratch/make")"
        status=1
        continue
    fi
    if [ -z "$reference" ]; then
        reference=$compiler
        threads=1
        run_all "$program" "$scratch/reference"
        failures=$(grep -l 'exit status' "$scratch"/reference/*)
        for file in $failures; do
            echo "not ok - run $(basename "$file") succeeds # $(head -n 1 "$file")"
            status=1
        done
        [ -n "$failures" ] || echo "ok - $count runs succeed"
    fi
    for isa in portable avx2 avx512 neon; do
        # What this machine cannot run is nothing to compare; portable runs on every machine.
        [ "$isa" = portable ] ||
            GRADSIM_ISA=$isa $emulator "$program" --layers 1 -q > /dev/null 2>&1 || continue
        export GRADSIM_ISA="$isa"
        for threads in 1 2 3; do
            run_all "$program" "$scratch/$compiler-$isa-$threads"
            compare "$name, $isa, --threads $threads" "$scratch/$compiler-$isa-$threads"
        done
        unset GRADSIM_ISA
    done
done
exit $status
