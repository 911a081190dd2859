gradsim compare --layers 3 --width 8 --batch 4 --seeds 2 --format csv | head -n 1 | cut -d, -f 1-3
(trap '' PIPE && gradsim compare --layers 3 --width 8 --batch 4 | head -n 1)
