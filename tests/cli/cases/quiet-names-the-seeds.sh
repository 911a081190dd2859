gradsim --layers 2 --width 8 -q --seed 8 --seeds 2 | grep seed
gradsim --layers 2 --width 8 -q --seed 8 | grep seed || echo 'one needs no name'
