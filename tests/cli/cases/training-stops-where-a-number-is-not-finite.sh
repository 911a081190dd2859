# The log is complete up to that step, which is in it even if it is not due, and is not saved.
options='--layers 4 --width 8 --act linear --init he --lr 10'
# shellcheck disable=SC2086 # words of their own
stop=$(gradsim $options --steps 999 --format csv 2> /dev/null | tail -n 1 | cut -d, -f3)
test "$stop" -gt 3
# shellcheck disable=SC2086
gradsim $options --steps $((stop - 2)) --save net.st -q > log.txt
cp net.st kept.st
for save in '' '--save net.st'; do
    for fail_on in never exploding nonfinite; do
        status=0
        # shellcheck disable=SC2086
        gradsim $options --steps 999 --log-every 1000 --fail-on $fail_on -o log.csv $save \
            2> said || status=$?
        echo "$status $(sed "s/step $stop,/step N,/" said)"
        test "$(cut -d, -f3 log.csv | uniq | paste -sd ' ' -)" = "step 0 $stop"
    done
done
cmp kept.st net.st
gradsim --load net.st --steps 999 --save net.st --fail-on nonfinite -q 2> said > log.txt || echo $?
grep -c "stopped at step $stop, " said
cmp kept.st net.st
