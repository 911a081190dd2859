# A log of few configurations becomes lines, in as many columns as asked for.
gradsim sweep --layers 12 --width 8 --act sigmoid,tanh --batch 4 --seeds 2 -o a.csv
COLUMNS=60 gradsim plot a.csv --title 'How gradients fall'
COLUMNS=60 gradsim plot a.csv --color always > colored
LC_ALL=C.UTF-8 COLUMNS=60 gradsim plot a.csv --ascii --title 'How gradients fall' > ascii
COLUMNS=60 gradsim plot - --title 'How gradients fall' < a.csv | cmp - ascii
grep -q "$(printf '\033')" colored
