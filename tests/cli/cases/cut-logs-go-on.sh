# Whatever of the log a kill or a full disk leaves after the checkpoint.
gradsim --layers 2 --width 3 --steps 9 -o all.csv
gradsim --layers 2 --width 3 --steps 4 -o cut.csv --save cut.st
most=$(wc -c < all.csv)
for more in 0 1 7 333 1000 2000 5000; do
    size=$(($(wc -c < cut.csv) + more))
    test $size -lt "$most"
    head -c $size all.csv > log.csv
    gradsim --load cut.st --steps 9 -o log.csv
    cmp all.csv log.csv
done
cp all.csv log.csv
gradsim --load cut.st --steps 9 -o log.csv
cmp all.csv log.csv
: > log.csv # nothing: the rest, with its header
gradsim --load cut.st --steps 9 -o log.csv
cut -d, -f3 log.csv | uniq | paste -sd ' ' -
# A log that lacks what is before the checkpoint is not the one, and keeps its torn record.
head -c $(($(wc -c < cut.csv) - 1)) all.csv > log.csv
cp log.csv kept.csv
gradsim --load cut.st --steps 9 -o log.csv 2>&1 || cmp kept.csv log.csv
