# A network that takes all memory has it; what is too large even then is a row that says so.
gradsim sweep --layers 4,200 --width 64 --memory 4M --jobs 2 -o small.csv --weights stored 2>&1 || echo "[$?]"
gradsim sweep --layers 4,200 --width 64 --memory 4M --jobs 2 -o some.csv
gradsim sweep --layers 4,200 --width 64 --jobs 1 -o all.csv
cmp some.csv all.csv
