# Identity weights: every seed has the same gradient, 10^-1 a layer.
gradsim --layers 4 --width 4 --act linear --init identity:0.1 --loss sum --seeds 3 | tail -n 11
gradsim --layers 4 --width 4 --act linear --init identity:0.1 --loss sum --seeds 3 -q | tail -n 3
