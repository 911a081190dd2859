for format in csv jsonl table; do
    gradsim --layers 2 --width 4 --steps 1000000000 --log-every 1 --format $format | head -n 1 |
        cut -c 1-8
done
