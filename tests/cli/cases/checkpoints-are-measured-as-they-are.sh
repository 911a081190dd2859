# With --steps 0 a checkpoint is measured on the batch that it was saved with, whatever the log says.
gradsim --layers 3 --width 8 --act tanh --data "$ROOT/examples/data/digits.csv" --steps 7 \
    -o log.csv --save net.st
gradsim --load net.st --steps 0 -o measured.csv
for column in 3 6 17 19; do # step, loss, grad_w_log10, grad_z_log10
    tail -n 1 log.csv | cut -d, -f$column > logged
    tail -n 1 measured.csv | cut -d, -f$column | cmp logged -
done
gradsim --load net.st --steps 0 --save net.st 2>&1 || echo "status $?"
gradsim --load net.st --steps 9 --quiet | grep '^trained' | sed 's/:.*//'
