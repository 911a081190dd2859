# The log grows over the limit, or the next checkpoint is.
[ -w /dev/full ] || { echo "no /dev/full"; exit 77; }
options='--layers 2 --width 4 --batch 2 --opt adam'
# shellcheck disable=SC2086 # words of their own
gradsim $options --steps 400 -o all.csv --save all.st
status=0
# shellcheck disable=SC2086
(ulimit -f 64; exec gradsim $options --steps 400 -o cut.csv --save cut.st --save-every 10) ||
    status=$?
echo $status
gradsim --load cut.st -o cut.csv --save on.st
cmp all.csv cut.csv
cmp all.st on.st
cp cut.st kept.st
for limit in 1 unlimited; do
    save=cut.st
    [ $limit = 1 ] || save=/dev/full
    status=0
    (ulimit -f $limit; exec gradsim --load cut.st -o /dev/null --save $save) || status=$?
    echo $status
done
cmp kept.st cut.st
ls -A
