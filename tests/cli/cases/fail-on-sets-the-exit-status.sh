gradsim --layers 96 --fail-on vanishing -o log.csv
