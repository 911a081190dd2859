gradsim sweep --layers 4..16:4 --act sigmoid,tanh,relu
gradsim sweep --layers 4,8 --act sigmoid,relu --init he,orthogonal --seeds 2
gradsim sweep --layers 4,8 --act sigmoid,tanh,relu --zip layers,act 2>&1 || echo "[$?]"
gradsim sweep --layers 4,8 --act sigmoid,tanh --zip layers,act
gradsim sweep --layers 2,3 --lr 0.1,1 --steps 30 --width 8 --data "$ROOT/examples/data/digits.csv"
gradsim sweep --layers 4,8 --act relu --dry-run
