gradsim --layers 4 --format csv > without
gradsim run --layers 4 --format csv > with
cmp without with
