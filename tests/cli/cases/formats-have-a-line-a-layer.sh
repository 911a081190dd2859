for format in csv tsv jsonl; do
    gradsim --layers 5 --width 8 --format $format | wc -l | tr -d ' '
    gradsim --layers 5 --width 8 --format $format --no-header | wc -l | tr -d ' '
done
