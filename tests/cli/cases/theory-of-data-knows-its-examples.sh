gradsim theory --layers 3 --act relu --init he --data "$ROOT/examples/data/digits.csv" --format csv | cut -d, -f6 > theory
gradsim --layers 3 --act relu --init he --data "$ROOT/examples/data/digits.csv" --format csv | cut -d, -f32 | cmp - theory
