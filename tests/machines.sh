#!/bin/sh
# A sweep on more than one machine gives the bytes of one process: examples/slurm.sh with a Slurm of
# its own (one node, this machine), and examples/parallel.sh here and through ssh to itself.
# Servers, keys and settings live in a scratch folder and end with it. GRADSIM is the program.

# shellcheck disable=SC2317 # the functions are called by check
cd "$(dirname "$0")/.." || exit 1
examples=$PWD/examples
GRADSIM=$(realpath "${GRADSIM:-./gradsim}") || exit 1
export GRADSIM
user=$(id -un)
host=$(hostname -s)
scratch=$(mktemp -d) || exit 1
servers='' folder_of_sshd=''
status=0

end() { # every server that runs here, the last first
    [ -z "$SLURM_CONF" ] || scancel --user "$user" 2> /dev/null
    for server in $servers; do
        kill "$server" 2> /dev/null && wait "$server"
    done
    [ -z "$folder_of_sshd" ] || rmdir "$folder_of_sshd"
    rm -rf "$scratch"
}
unset SLURM_CONF
trap end EXIT
trap 'exit 130' INT TERM
PATH=$PATH:/usr/sbin # there are munged, slurmd and sshd

check() { # NAME COMMAND...: the command succeeds in the folder $scratch/work
    name=$1
    shift
    if (cd "$scratch/work" && "$@") > "$scratch/output" 2>&1; then
        echo "ok - $name"
    else
        echo "not ok - $name # $(tail -n 3 "$scratch/output" | tr '\n' '|')"
        status=1
    fi
}

# have TEST PROGRAM...: all are there; says so if not.
have() {
    test=$1
    shift
    for program; do
        command -v "$program" > /dev/null && continue
        echo "skip - $test # $program is missing"
        return 1
    done
}

fresh() { # an empty folder to work in
    rm -rf "$scratch/work" && mkdir "$scratch/work"
}

# What needs quoting all the way is among them.
set -- --layers 4..12:2 --width 16 --act sigmoid,tanh,relu --seeds 2 --where 'layers>4 || act==relu'
"$GRADSIM" sweep "$@" -o "$scratch/whole.csv" || exit 1

is_whole() {
    cmp sweep.csv "$scratch/whole.csv"
}

# ---- Slurm ----

start() { # COMMAND...
    "$@" > "$scratch/log.$1" 2>&1 &
    servers="$! $servers"
}

# wait_for COMMAND...: until it succeeds, 20 seconds at most
wait_for() {
    for _ in $(seq 200); do
        "$@" > /dev/null 2>&1 && return
        sleep 0.1
    done
    return 1
}

start_slurm() {
    mkdir "$scratch/state" "$scratch/spool"
    (umask 077 && head -c 1024 /dev/urandom > "$scratch/key")
    # Any port that is likely to be free; Slurm asks for fixed ones.
    port=$((20000 + $$ % 10000 * 2))
    cat > "$scratch/slurm.conf" << END
ClusterName=local
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmdPort=$((port + 1))
SlurmUser=$user
SlurmdUser=$user
AuthInfo=socket=$scratch/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
MpiDefault=none
ReturnToService=2
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0
StateSaveLocation=$scratch/state
SlurmdSpoolDir=$scratch/spool
SlurmctldPidFile=$scratch/slurmctld.pid
SlurmdPidFile=$scratch/slurmd.pid
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(getconf _NPROCESSORS_ONLN)
PartitionName=all Nodes=ALL Default=YES
END
    start munged --foreground --force --key-file="$scratch/key" --socket="$scratch/munge" \
        --pid-file="$scratch/munge.pid" --seed-file="$scratch/munge.seed"
    wait_for test -S "$scratch/munge" || return
    export SLURM_CONF="$scratch/slurm.conf"
    start slurmctld -D
    start slurmd -D
    wait_for sh -c 'sinfo --noheader --format %t | grep -x idle'
}

# run_slurm OPTION...: until no job is left
run_slurm() {
    "$examples/slurm.sh" "$@" && wait_for sh -c '! squeue --noheader | grep .'
}

slurm_gives_the_same() {
    run_slurm "$@" && tail -qn 1 sweep/*.log && is_whole &&
        [ "$(find sweep -name '[1-8].csv' | wc -l)" -eq 8 ]
}

# What a node that dies leaves: a shard is missing, one ends early, and nothing is merged.
slurm_finishes() {
    rm sweep.csv sweep/2.csv && head -c $(($(wc -c < sweep/3.csv) / 2)) sweep/3.csv > early &&
        mv early sweep/3.csv && run_slurm "$@" && is_whole
}

# The job that merges waits for success, and is gone when there is none.
slurm_reports_failure() {
    rm sweep.csv && run_slurm "$@" --width 8 && grep -q "expected width '8'" sweep/1.log &&
        [ ! -e sweep.csv ] && run_slurm "$@" && is_whole
}

slurm='a Slurm job array gives the bytes of one process'
if have "$slurm" munged slurmctld slurmd sbatch; then
    fresh
    if start_slurm; then
        check "$slurm" slurm_gives_the_same "$@"
        check 'a Slurm job array that was interrupted is finished' slurm_finishes "$@"
        check 'a Slurm job array with other options fails and merges nothing' \
            slurm_reports_failure "$@"
    else
        echo "not ok - $slurm # no node: $(tail -qn 1 "$scratch"/log.* | tr '\n' '|')"
        status=1
    fi
fi

# ---- GNU parallel ----

export SHARDS=5
export PARALLEL_HOME="$scratch/parallel"
mkdir "$PARALLEL_HOME"

# More shards than points: some are empty.
parallel_gives_the_same() {
    SHARDS=20 "$examples/parallel.sh" "$@" && is_whole
}

# A program that fails for one shard until the file "mended" is there.
parallel_finishes() {
    cat > failing << END && chmod +x failing
#!/bin/sh
case "\$*" in *'--shard 3/'*) [ -f '$PWD/mended' ] || exit 1 ;; esac
exec '$GRADSIM' "\$@"
END
    ! GRADSIM=$PWD/failing "$examples/parallel.sh" "$@" && [ ! -e sweep.csv ] && touch mended &&
        cp sweep/jobs before && GRADSIM=$PWD/failing "$examples/parallel.sh" "$@" && is_whole &&
        [ $(($(wc -l < sweep/jobs) - $(wc -l < before))) -eq 1 ]
}

parallel_refuses_others() {
    ! "$examples/parallel.sh" "$@" --width 8 2> error && grep -q 'expected the options' error &&
        ! "$examples/parallel.sh" --act sigmiod 2> error && grep -q 'mean .sigmoid' error &&
        is_whole
}

parallel='GNU parallel gives the bytes of one process'
if have "$parallel" parallel; then
    fresh
    check "$parallel" parallel_gives_the_same "$@"
    fresh
    check 'GNU parallel finishes what has failed' parallel_finishes "$@"
    check 'shards of other options are not mixed, wrong ones refused' parallel_refuses_others "$@"
fi

# ---- GNU parallel and ssh ----

# A real sshd for every connection, on a pipe instead of a port: nothing listens. The hosts have
# another home, as other machines would; "off" is one that does not answer.
prepare_ssh() {
    mkdir "$scratch/home" "$scratch/ssh" && cd "$scratch/ssh" || return
    for key in host_key user_key; do ssh-keygen -q -t ed25519 -N '' -f $key || return; done
    echo "* $(cat host_key.pub)" > known_hosts
    cat > sshd_config << END
HostKey $PWD/host_key
AuthorizedKeysFile $PWD/user_key.pub
StrictModes no
PermitRootLogin prohibit-password
UsePAM no
PidFile none
ForceCommand cd '$scratch/home' && HOME=\$PWD && export HOME && eval "\$SSH_ORIGINAL_COMMAND"
END
    cat > ssh_config << END
Host off
    ProxyCommand false
Host *
    ProxyCommand $(command -v sshd) -i -f $PWD/sshd_config -E $PWD/log
    IdentityFile $PWD/user_key
    IdentitiesOnly yes
    UserKnownHostsFile $PWD/known_hosts
    StrictHostKeyChecking yes
    BatchMode yes
END
    cd "$OLDPWD" || return
    export PARALLEL_SSH="ssh -F $scratch/ssh/ssh_config"
}

# The superuser's sshd wants this one folder.
if [ "$(id -u)" -eq 0 ] && [ ! -e /run/sshd ] && command -v sshd > /dev/null; then
    mkdir -m 755 /run/sshd && folder_of_sshd=/run/sshd
fi

hosts_take_part() { # HOST...
    for host; do grep -q "	$host	" sweep/jobs || return; done
}

ssh_gives_the_same() {
    "$examples/parallel.sh" one,two "$@" && is_whole && hosts_take_part one two
}

others_step_in() {
    "$examples/parallel.sh" off,one,: "$@" && is_whole && hosts_take_part one :
}

ssh='GNU parallel through ssh gives the bytes of one process'
if have "$ssh" parallel ssh ssh-keygen sshd; then
    prepare_ssh || exit 1
    fresh
    check "$ssh" ssh_gives_the_same "$@"
    fresh
    check 'other hosts do the shards of one that does not answer' others_step_in "$@"
fi
exit $status
