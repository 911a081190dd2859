gradsim spectrum --layers 2 --width 8 > full
gradsim spectrum --layers 2 --width 8 -q > quiet
head -n 1 quiet
# It leaves lines out and adds none.
awk 'NR == FNR { full[$0]; next } !($0 in full)' full quiet
gradsim spectrum --layers 2 --width 8 -q --seeds 2 --seed 8 | grep seed
