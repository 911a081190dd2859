#!/bin/sh
# Runs the command line as a user does. Two kinds of test, each in a scratch folder of its own, with
# `gradsim` in the PATH and $ROOT the top of the repository:
#
#   refused.txt       a transcript: "$ command", the one line that it prints to standard error, and
#                     "[status]"; standard output must stay empty
#   cases/NAME.sh     a script. NAME.exit holds its exit status (0 if there is none),
#                     NAME.stdout.exact and NAME.stderr.exact what it prints, NAME.stdout.glob and
#                     NAME.stderr.glob a pattern for the whole of it, where ? * [ ] are special. What
#                     is said of neither is not looked at on stdout, and must be empty on stderr.
#                     Exit status 77: skipped, for the reason on stdout.
#
# usage: GRADSIM=path/to/gradsim tests/cli/run.sh [NAME...]

here=$(cd "$(dirname "$0")" && pwd)
ROOT=$(cd "$here/../.." && pwd)
export ROOT
: "${GRADSIM:=$ROOT/gradsim}"

scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM
mkdir "$scratch/bin" "$scratch/out" || exit 1
ln -s "$GRADSIM" "$scratch/bin/gradsim" || exit 1
PATH=$scratch/bin:$PATH
unset GRADSIM_ISA NO_COLOR # what a test is about, it sets
LC_ALL=C
export PATH LC_ALL
newline='
'
failed=0

# run_in_scratch COMMAND...: stdout, stderr and the exit status to $scratch/out
run_in_scratch() {
    rm -rf "$scratch/work" && mkdir "$scratch/work" || exit 1
    (cd "$scratch/work" && exec "$@") > "$scratch/out/stdout" 2> "$scratch/out/stderr" < /dev/null
    echo $? > "$scratch/out/exit"
}

pass() {
    printf 'ok - %s\n' "$1"
}

fail() {
    printf 'not ok - %s # %s\n' "$1" "$(printf '%s' "$2" | head -c 300 | tr '\n' '|')"
    failed=1
}

# ---- Transcripts ----

check_refusal() { # COMMAND EXPECTED STATUS
    run_in_scratch sh -c "$1"
    message=$(cat "$scratch/out/stderr")
    status=$(cat "$scratch/out/exit")
    if [ -s "$scratch/out/stdout" ]; then
        fail "$1" "standard output is not empty"
    elif [ "$message" != "$2" ]; then
        fail "$1" "printed: $message"
    elif [ "$status" != "$3" ]; then
        fail "$1" "exit status $status, expected $3"
    else
        pass "$1"
    fi
}

run_transcript() {
    while IFS= read -r line <&3; do
        case $line in
        '$ '*) command=${line#'$ '} expected= ;;
        '['[0-9]*']') status=${line#[} && check_refusal "$command" "$expected" "${status%]}" ;;
        '#'* | '') ;;
        *) expected=$line ;;
        esac
    done 3< "$1"
}

# ---- Scripts ----

# stream_differs CASE STREAM: prints why, if it does
stream_differs() {
    actual=$(cat "$scratch/out/$2" && echo .)
    if [ -f "$1.$2.exact" ]; then
        [ "$actual" = "$(cat "$1.$2.exact" && echo .)" ] || echo "$2: $actual"
    elif [ -f "$1.$2.glob" ]; then
        # shellcheck disable=SC2254 # the pattern is meant as one
        case ${actual%.} in
        $(cat "$1.$2.glob")"$newline") ;;
        *) echo "$2: $actual" ;;
        esac
    elif [ "$2" = stderr ] && [ -s "$scratch/out/stderr" ]; then
        echo "stderr: $actual"
    fi
}

run_script() {
    name=$(basename "$1" .sh)
    case_files=${1%.sh}
    run_in_scratch sh -eu "$1"
    status=$(cat "$scratch/out/exit")
    expected=0
    [ ! -f "$case_files.exit" ] || expected=$(cat "$case_files.exit")
    if [ "$status" = 77 ]; then
        echo "skip - $name # $(tail -n 1 "$scratch/out/stdout")"
        return
    fi
    why=$(stream_differs "$case_files" stderr)
    [ -n "$why" ] || why=$(stream_differs "$case_files" stdout)
    [ "$status" = "$expected" ] || why="exit status $status, expected $expected; $why"
    if [ -n "$why" ]; then fail "$name" "$why"; else pass "$name"; fi
}

if [ $# -eq 0 ]; then
    run_transcript "$here/refused.txt"
    for file in "$here"/cases/*.sh; do run_script "$file"; done
else
    for name in "$@"; do run_script "$here/cases/$name.sh"; done
fi
exit "$failed"
