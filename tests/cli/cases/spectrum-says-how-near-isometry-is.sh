gradsim spectrum --act linear --init orthogonal:1.1 --layers 20
gradsim spectrum --layers 20 --width 32 --init orthogonal --act tanh --residual add \
    --branch-scale 1/L --example 3 --quiet
gradsim spectrum --layers 10 --width 16 --act relu --init he --seeds 2
gradsim spectrum --layers 400 --width 16
gradsim spectrum --layers 2 --width 4 --act relu --input constant:0
gradsim spectrum --layers 100 --width 20 --act silu --init normal:1e10
