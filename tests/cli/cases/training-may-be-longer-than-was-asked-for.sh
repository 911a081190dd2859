# The last step of the shorter run is not due in the longer one, and leaves its log.
options='--layers 3 --width 8 --opt rmsprop'
for every in 7 log; do
    # shellcheck disable=SC2086 # words of their own
    gradsim $options --log-every $every --steps 30 -o all.csv
    # shellcheck disable=SC2086
    gradsim $options --log-every $every --steps 13 -o cut.csv --save cut.st
    cut -d, -f3 cut.csv | uniq | paste -sd ' ' -
    gradsim --load cut.st --steps 30 -o cut.csv
    cut -d, -f3 cut.csv | uniq | paste -sd ' ' -
    cmp all.csv cut.csv
    gradsim --load cut.st -o cut.csv # which has more already
    cut -d, -f3 cut.csv | uniq | paste -sd ' ' -
done
