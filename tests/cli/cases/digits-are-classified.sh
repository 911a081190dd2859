gradsim --layers 4 --data "$ROOT/examples/data/digits.csv" --format csv --no-header -o log.csv
cut -d, -f4,5 log.csv
gradsim --layers 96 --act sigmoid --data "$ROOT/examples/data/digits.csv" -q | grep -q vanishing
