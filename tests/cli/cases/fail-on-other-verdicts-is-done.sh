gradsim --layers 96 --fail-on exploding -o log.csv
gradsim --layers 96 --fail-on nonfinite -o log.csv
gradsim --layers 96 --fail-on vanishing --fail-on never -o log.csv
test "$(wc -l < log.csv)" -eq 97
