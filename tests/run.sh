#!/bin/sh
# Runs test programs and scripts, each of which prints "ok - name", "not ok - name # why" or
# "skip - name # why" per test, and counts. Shows all lines but the ok ones (VERBOSE=1: all lines).
# A program that crashes, exits with failure or runs no test at all counts as a failure.
# usage: [EMULATOR=COMMAND] [TESTS=TEXT] tests/run.sh PROGRAM...
# EMULATOR runs programs of another processor; of a unit test, those run whose name contains TESTS.

passed=0
failed=0
skipped=0
output=$(mktemp) || exit 1
trap 'rm -f "$output"' EXIT
trap 'exit 130' INT TERM

count() {
    grep -c "^$1 - " "$output"
}

fail() {
    echo "not ok - $program # $1"
    failed=$((failed + 1))
}

for program in "$@"; do
    case $program in
    /*) $EMULATOR "$program" ${TESTS:+"$TESTS"} ;;
    *) $EMULATOR "./$program" ${TESTS:+"$TESTS"} ;;
    esac > "$output"
    status=$?
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
