# A FIFO that nobody opens, and one that nobody reads from, for the log and for --save.
timeout --version > /dev/null 2>&1 || { echo "timeout is not GNU's"; exit 77; }
exec 4>&1
interrupt() {
    status=0
    timeout --preserve-status -k 5 -s INT 0.5 gradsim --width 8 "$@" || status=$?
    echo "$status" >&4
}
mkfifo fifo
interrupt --layers 2 -o fifo
interrupt --layers 2 -q --save fifo
exec 3<> fifo
interrupt --layers 2000 --format csv -o fifo
interrupt --layers 2000 --format csv >&3
interrupt --layers 2000 -q --save fifo
