gradsim --layers 2 --width 8 --act elu:0.5 --clip norm:2 --seed 7 --format jsonl | head -n 1
