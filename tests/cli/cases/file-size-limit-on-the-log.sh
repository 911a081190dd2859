ulimit -f 1
gradsim --layers 4 --format csv -o log.csv
