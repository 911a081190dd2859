status=0
gradsim --layers 96 --seeds 3 --fail-on vanishing -o log.csv || status=$?
wc -l < log.csv | tr -d ' '
exit $status
