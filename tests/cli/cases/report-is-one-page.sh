# Pictures, numbers and a row a configuration, whatever form the log comes in.
set -- sweep --layers 4 --act relu,tanh --width 8 --batch 4 --seeds 2
gradsim "$@" -o a.csv
gradsim "$@" -o a.jsonl
gradsim report a.csv -o a.html
gradsim report - -o - < a.jsonl > b.html
cmp a.html b.html
gradsim report a.csv -o c.HTM --title 'A & B' --where act==relu
gradsim theory --layers 5 --format csv | gradsim report - -o theory.html
gradsim "$@" --summary -o s.csv
gradsim report s.csv -o s.html
for page in a.html c.HTM theory.html s.html; do
    grep -o '<h1>.*' $page
    grep -c '<figure' $page
    grep -c '^<tr><td' $page
done
