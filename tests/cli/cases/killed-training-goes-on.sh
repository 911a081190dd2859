options='--layers 4 --width 8 --batch 4 --opt adam --steps 2000'
# shellcheck disable=SC2086 # words of their own
gradsim $options -o all.csv --save all.st
# shellcheck disable=SC2086
gradsim $options -o cut.csv --save cut.st --save-every 50 &
until [ -s cut.st ]; do sleep 0.01; done
sleep 0.02
kill -KILL $!
{ wait $! || test $? -eq 137; } 2> killed
test "$(wc -c < cut.csv)" -lt "$(wc -c < all.csv)"
gradsim --load cut.st -o cut.csv --save on.st
cmp all.csv cut.csv
cmp all.st on.st
