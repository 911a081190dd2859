#!/bin/sh
# A sweep on several machines by GNU parallel and ssh, in shards: who is done takes the next one, and
# one that fails is tried elsewhere. The same command again finishes what is missing.
#
#     examples/parallel.sh [HOSTS] OPTION...
#     examples/parallel.sh :,node1,me@node2 --layers 16..96:16 --act sigmoid,tanh,relu --seeds 4
#
# HOSTS is a list as --sshlogin takes it; this machine is ":", the default. They need no folder in
# common and may be of any kind: the bytes are those of one process. Shards go to sweep/, the whole
# to sweep.csv. GRADSIM names the program if it is not in the PATH of every host; SHARDS is their
# number, some times that of the hosts.
set -eu
gradsim=${GRADSIM:-gradsim}
shards=${SHARDS:-64}
case ${1:-} in
-* | '') hosts=: ;;
*) hosts=$1 && shift ;;
esac

# Wrong options are refused once, here, and shards are never mixed with those of another sweep.
"$gradsim" sweep "$@" --dry-run > /dev/null
mkdir -p sweep
options=$(printf '%s\n' "$shards shards" "$@")
[ -f sweep/options ] || echo "$options" > sweep/options
if [ "$options" != "$(cat sweep/options)" ]; then
    echo "$0: expected the options in sweep/options, or no folder sweep" >&2
    exit 1
fi

# One at a time on each host: gradsim uses all its processors.
seq "$shards" | parallel --quote --sshlogin "$hosts" --jobs 1 --retries 3 \
    --joblog sweep/jobs --resume-failed --results 'sweep/{}/' \
    "$gradsim" sweep "$@" --shard "{}/$shards" --format csv || {
    cat sweep/*/stderr >&2
    exit 1
}
"$gradsim" merge sweep/*/stdout -o sweep.csv
