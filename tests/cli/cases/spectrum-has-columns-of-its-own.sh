gradsim spectrum --layers 30 --width 3 --outputs 2 --seeds 2 --seed 5 --example 4 --format csv > log.csv
cut -d, -f1-7,9 log.csv
gradsim spectrum --layers 2 --width 3 --act relu --input constant:0 -o log.jsonl
cut -d, -f1-7 log.jsonl
gradsim spectrum --layers 100 --width 20 --outputs 2 --act silu --init normal:1e10 --format tsv \
    --no-header | cut -f1-7
