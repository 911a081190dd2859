#!/bin/sh
# Runs test programs and scripts, each of which prints "ok - name", "not ok - name # why" or
# "skip - name # why" per test, and counts. Shows all lines but the ok ones (VERBOSE=1: all lines).
# A program that crashes, exits with failure or runs no test at all counts as a failure.
# Programs run side by side, JOBS at a time (as many as there are processors).
# usage: [EMULATOR=COMMAND] [TESTS=TEXT] [JOBS=N] tests/run.sh PROGRAM...
# EMULATOR runs programs of another processor; of a unit test, those run whose name contains TESTS.

passed=0
failed=0
skipped=0
scratch=$(mktemp -d) || exit 1
export scratch
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

# The output of the N-th program goes to $scratch/N, and then its exit status to $scratch/N.status.
number=0
for program in "$@"; do
    number=$((number + 1))
    case $program in
    /*) printf '%s\0%s\0' "$number" "$program" ;;
    *) printf '%s\0%s\0' "$number" "./$program" ;;
    esac
done > "$scratch/programs"
# shellcheck disable=SC2016 # for the shell inside
xargs -0 -n 2 -P "${JOBS:-$(getconf _NPROCESSORS_ONLN)}" sh -c '
    $EMULATOR "$1" ${TESTS:+"$TESTS"} > "$scratch/$0"
    echo $? > "$scratch/status.$0"
    mv "$scratch/status.$0" "$scratch/$0.status"' < "$scratch/programs" &
runner=$!

wait_for() { # NUMBER
    while [ ! -f "$scratch/$1.status" ] && kill -0 $runner 2> /dev/null; do sleep 0.05; done
}

count() {
    grep -c "^$1 - " "$output"
}

fail() {
    echo "not ok - $program # $1"
    failed=$((failed + 1))
}

number=0
for program in "$@"; do
    number=$((number + 1))
    output=$scratch/$number
    wait_for $number
    status=$(cat "$output.status" 2> /dev/null || echo 255)
    if [ -n "$VERBOSE" ]; then cat "$output"; else grep -v '^ok - ' "$output"; fi
    oks=$(count ok)
    not_oks=$(count 'not ok')
    skips=$(count skip)
    passed=$((passed + oks))
    failed=$((failed + not_oks))
    skipped=$((skipped + skips))
    if [ "$status" -gt 128 ]; then
        fail "killed by signal $((status - 128))"
    elif [ "$status" -gt 1 ] || { [ "$status" -eq 1 ] && [ "$not_oks" -eq 0 ]; }; then
        fail "exited with status $status"
    elif [ $((oks + not_oks + skips)) -eq 0 ]; then
        fail "ran no tests"
    fi
done

summary="$passed passed, $failed failed"
[ "$skipped" -eq 0 ] || summary="$summary, $skipped skipped"
echo "$summary"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
