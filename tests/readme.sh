#!/bin/sh
# Runs every command of README.md, the lines of its ```sh blocks, in order in a fresh clone, and
# expects success. What is installed goes to a scratch prefix. Where a block has lines that start
# with "$ ", only those are commands.

cd "$(dirname "$0")/.." || exit 1
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM
status=0

# LINE COMMAND, with continued lines joined and comments left out.
commands() {
    awk '
        function flush() { if (command != "") print line, command; command = "" }
        /^```/ { inside = /^```sh *$/; prompts = 0; flush(); next }
        !inside { next }
        /^\$ / { prompts = 1; continued = 0 }
        prompts && !/^\$ / && !continued { next }
        !continued && /^[ \t]*(#|$)/ { next }
        {
            sub(/^\$ /, "")
            if (!continued) line = NR
            continued = sub(/\\$/, "")
            command = command $0
            if (!continued) flush()
        }' README.md
}

name='the commands of README.md succeed'
if ! git clone -q . "$scratch/clone" 2> "$scratch/error"; then
    echo "not ok - $name # $(tail -n 1 "$scratch/error")"
    exit 1
fi
commands > "$scratch/commands"
if [ ! -s "$scratch/commands" ]; then
    echo "not ok - $name # README.md has no sh block"
    exit 1
fi

cd "$scratch/clone" || exit 1
unset MAKEFLAGS GRADSIM BUILD
PREFIX=$scratch/prefix
PATH=$PREFIX/bin:$PATH
PKG_CONFIG_PATH=$PREFIX/lib/pkgconfig
LD_LIBRARY_PATH=$PREFIX/lib
export PREFIX PATH PKG_CONFIG_PATH LD_LIBRARY_PATH
while read -r line command; do
    name="README.md:$line: $command"
    case $command in
    'git clone '* | 'cd gradsim') continue ;; # done above
    cd\ *) # for the commands that follow
        cd "${command#cd }" || status=1
        continue
        ;;
    *.ci/run* | *tests/readme.sh*)
        echo "skip - $name # runs this script"
        continue
        ;;
    esac
    if sh -c "${command#sudo }" > "$scratch/output" 2>&1 < /dev/null; then
        echo "ok - $name"
    else
        echo "not ok - $name # exit status $?: $(tail -n 1 "$scratch/output")"
        status=1
    fi
done < "$scratch/commands"
exit $status
