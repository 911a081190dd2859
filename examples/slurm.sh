#!/bin/sh
# A sweep as a Slurm job array: every task runs a shard, and one job after them merges. The same
# command again finishes what is missing.
#
#     examples/slurm.sh OPTION...
#     examples/slurm.sh --layers 16..96:16 --act sigmoid,tanh,relu --seeds 4
#
# Run it, not sbatch, in a folder that all nodes see: shards go to sweep/, the whole to sweep.csv.
# Other limits, a partition or a time are lines like these:
#SBATCH --job-name=sweep
#SBATCH --array=1-8
#SBATCH --cpus-per-task=1
#SBATCH --requeue
#SBATCH --output=sweep/%a.log
#SBATCH --open-mode=append
#
# GRADSIM names the program if it is not in the PATH. It uses the processors that Slurm gives it.
set -eu
gradsim=${GRADSIM:-gradsim}
shard=${SLURM_ARRAY_TASK_ID:-}

# Each row holds its point, so that the order of the shards is of no importance.
if [ -z "$shard" ]; then
    mkdir -p sweep
    array=$(sbatch --parsable "$0" "$@")
    exec sbatch --dependency="afterok:${array%%;*}" --kill-on-invalid-dep=yes \
        --output=sweep/merge.log --wrap "'$gradsim' merge sweep/*.csv -o sweep.csv"
fi

exec "$gradsim" sweep "$@" --shard "$shard/$SLURM_ARRAY_TASK_COUNT" --resume -o "sweep/$shard.csv"
