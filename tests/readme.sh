#!/bin/sh
# Runs every command of README.md, the lines of its ```sh blocks, in order in a fresh clone, and expects
# success. Where a block has lines that start with "$ ", only those are commands, and the lines below one are
# what it must print; "..." stands for any lines. What is installed goes to a scratch prefix.

cd "$(dirname "$0")/.." || exit 1
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM
status=0

# A file a command: its line number in the name, the command on the first line, then what it must print.
split_commands() {
    awk -v folder="$scratch/commands" '
        function begin() { file = sprintf("%s/%05d", folder, NR); open = 1 }
        /^```/ { inside = /^```sh *$/; prompts = open = 0; next }
        !inside { next }
        /^\$ / { prompts = 1; begin(); sub(/^\$ /, ""); print > file; next }
        prompts { print > file; next }
        !open && /^[ \t]*(#|$)/ { next }
        {
            if (!open) begin()
            open = sub(/\\$/, "")
            printf "%s%s", $0, open ? "" : "\n" > file
        }' README.md
}

# prints EXPECTED ACTUAL: whether the lines of ACTUAL are those of EXPECTED.
prints() {
    awk '
        NR == FNR { expected[++n] = $0; next }
        { actual[++m] = $0 }
        END {
            j = 1
            for (i = 1; i <= n; i++) {
                if (expected[i] == "...") {
                    while (j <= m && actual[j] != expected[i + 1]) j++
                } else if (actual[j++] != expected[i]) {
                    exit 1
                }
            }
            exit j != m + 1
        }' "$1" "$2"
}

name='the commands of README.md succeed'
mkdir "$scratch/commands"
split_commands
if ! git clone -q . "$scratch/clone" 2> "$scratch/error"; then
    echo "not ok - $name # $(tail -n 1 "$scratch/error")"
    exit 1
fi

cd "$scratch/clone" || exit 1
unset MAKEFLAGS GRADSIM BUILD
PREFIX=$scratch/prefix
PATH=$PREFIX/bin:$PATH
PKG_CONFIG_PATH=$PREFIX/lib/pkgconfig
LD_LIBRARY_PATH=$PREFIX/lib
LC_ALL=C.UTF-8
export PREFIX PATH PKG_CONFIG_PATH LD_LIBRARY_PATH LC_ALL
for file in "$scratch"/commands/*; do
    command=$(head -n 1 "$file")
    name="README.md:$(basename "$file" | sed 's/^0*//'): $command"
    tail -n +2 "$file" > "$scratch/expected"
    if ! sh -c "command -v ${command%% *}" > /dev/null; then
        echo "skip - $name # ${command%% *} is missing"
        continue
    fi
    sh -c "$command" > "$scratch/output" 2> "$scratch/error" < /dev/null
    result=$?
    if [ $result -ne 0 ]; then
        echo "not ok - $name # exit status $result: $(tail -n 1 "$scratch/error")"
        status=1
    elif [ -s "$scratch/expected" ] && ! prints "$scratch/expected" "$scratch/output"; then
        echo "not ok - $name # does not print what README.md says"
        status=1
    else
        echo "ok - $name"
    fi
done
exit $status
