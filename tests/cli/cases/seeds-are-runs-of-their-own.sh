# All but the run column of seeds 3, 4, 5 together and one by one.
gradsim --layers 2 --width 8 --seed 3 --seeds 3 --format csv --no-header | cut -d, -f2- > together
for seed in 3 4 5; do
    gradsim --layers 2 --width 8 --seed $seed --format csv --no-header | cut -d, -f2-
done | cmp - together
gradsim --layers 2 --width 8 --seeds 3 --format csv --no-header | cut -d, -f1,2
