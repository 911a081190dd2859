# On a terminal of 50 columns there are lines, of no more than 49, and in the end none is left.
# Else there is nothing: what is no terminal sees it on stderr.
script -qec true /dev/null > /dev/null 2>&1 || { echo 'no script(1) of util-linux' && exit 77; }
on_terminal() { # TERM, STEPS, options
    script -qec "stty cols 50; TERM=$1 gradsim --layers 20 --width 64 --steps $2 $3 -q -o log.txt" \
        /dev/null | tr -d '\n' | tr '\r' '\n'
}
erase=$(printf '\033')'\[K'
on_terminal xterm 1000 '' > shown
sed "s/$erase//" shown | awk 'length > 49 { print "too long: " $0 }'
grep -q "^step [0-9]*/1000  loss [0-9.]*  .*/s  0:[0-9]* left  [0-9.]*$erase\$" shown || cat shown
tail -n 1 shown | grep -c "^$erase\$"
on_terminal dumb 100 ''
on_terminal xterm 100 '--progress never'
gradsim --layers 20 --width 64 --steps 100 -q > log.txt
