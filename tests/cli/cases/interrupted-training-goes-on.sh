# A signal may come twice, as from timeout; where it is SIGINT, only timeout can send it.
timeout --version > /dev/null 2>&1 || { echo "timeout is not GNU's"; exit 77; }
options='--layers 4 --width 8 --batch 4 --opt adam'
go_on() { # STATUS
    steps=$(sed -n "s/^gradsim: interrupted at step \([0-9]*\); to go on: --load 'cut.st'$/\1/p" said)
    echo "$1 $(wc -l < said)"
    test "$(tail -n 1 cut.csv | cut -d, -f3,4)" = "$steps,4"
    gradsim --load cut.st --steps $((steps + 9)) -o cut.csv --save on.st
    # shellcheck disable=SC2086 # words of their own
    gradsim $options --steps $((steps + 9)) -o all.csv --save all.st
    cmp all.csv cut.csv
    cmp all.st on.st
    rm cut.csv cut.st
}
status=0
# shellcheck disable=SC2086
timeout --preserve-status -s INT 0.2 gradsim $options --steps 1000000 -o cut.csv --save cut.st \
    2> said || status=$?
go_on $status
for name in TERM HUP; do
    # shellcheck disable=SC2086
    gradsim $options --steps 1000000 -o cut.csv --save cut.st 2> said &
    until [ -s cut.csv ]; do sleep 0.01; done
    kill -$name $!
    kill -$name $! || true
    status=0
    { wait $! || status=$?; } 2> killed
    go_on $status
done
