gradsim help > page
gradsim --help | cmp - page
gradsim -h | cmp - page
gradsim run --layers 3 -h | cmp - page
gradsim help check > check
gradsim check --help | cmp - check
