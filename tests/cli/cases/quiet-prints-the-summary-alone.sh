gradsim --layers 50 --width 8 > full
gradsim --layers 50 --width 8 -q > quiet
test "$(wc -l < quiet)" -lt 20
tail -n "$(wc -l < quiet)" full | cmp - quiet
