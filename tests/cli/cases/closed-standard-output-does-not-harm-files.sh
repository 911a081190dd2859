# A file that is opened in the place of a closed stdout must not get what was meant for stdout.
gradsim --layers 3 --width 8 --format csv -o log.csv >&-
wc -l < log.csv | tr -d ' '
