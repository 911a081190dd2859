for format in csv tsv jsonl; do
    gradsim --layers 3 --width 8 --format $format > expected
    gradsim --layers 3 --width 8 --output log.$format
    cmp expected log.$format
    gradsim --layers 3 --width 8 -olog --format=$format
    cmp expected log
done
gradsim --layers 3 --width 8 > expected
gradsim --layers 3 --width 8 --output=log.txt
cmp expected log.txt
