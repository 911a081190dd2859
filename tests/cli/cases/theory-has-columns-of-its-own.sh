gradsim theory --layers 4 --act relu --init he --head --format csv > log.csv
head -n 1 log.csv | cut -d, -f1-16
wc -l < log.csv
tail -n 1 log.csv | cut -d, -f1,2
gradsim theory --layers 4 --act relu --init he --head --format tsv | tr '\t' , | cmp - log.csv
gradsim theory --layers 4 --act relu --init he --head -o log.jsonl && wc -l < log.jsonl
