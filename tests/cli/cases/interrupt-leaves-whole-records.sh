timeout --version > /dev/null 2>&1 || { echo "timeout is not GNU's"; exit 77; }
status=0
timeout --preserve-status -s INT 1 gradsim --layers 7 --width 8 --seeds 1000000 -o log.csv || status=$?
test $(($(wc -l < log.csv) % 7)) -eq 1
test "$(awk -F, '{ print NF }' log.csv | sort -u | wc -l)" -eq 1
exit $status
