gradsim version
gradsim --version
gradsim run --layers 3 --version
