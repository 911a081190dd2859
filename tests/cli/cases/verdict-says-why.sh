# Exact: identity weights of 0.1; shattered: He-initialised ReLU of 100 layers; by design: rezero.
gradsim --layers 4 --width 4 --act linear --init identity:0.1 --loss sum -q | sed -n '/^verdict/,/^float32/p'
gradsim --layers 100 --act relu --init he --loss random -q | grep -c '^shattered '
gradsim --layers 3 --width 4 --residual add --branch-scale rezero --color always |
    grep -c -e '  zero: alpha is 0$' -e 'verdict    healthy'
