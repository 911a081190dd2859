gradsim --layers 2 --width 8 --norm-at output --act leaky-relu --format csv > expected
gradsim --layers 2 --width 8 --norm_at OUTPUT --act Leaky_ReLU --format CSV | cmp - expected
