# What is drawn depends on what differs, and --where narrows it down.
gradsim sweep --layers 2..4 --act sigmoid,relu --init xavier,he --norm none,batch --width 8 --batch 4 \
    -o a.csv
gradsim plot a.csv
gradsim plot a.csv --where 'norm==none && layers<4 && init==he' -o a.svg
grep -c 'class="gs-series' a.svg
gradsim sweep --gain 1..3 --act tanh --layers 4 --width 8 --batch 4 --summary -o b.csv
gradsim plot b.csv -o b.svg
grep -o 'data-kind="[a-z]*"\|data-x-label="[a-z]*"' b.svg
gradsim --layers 3 --width 4 --steps 4 -o c.csv
gradsim plot c.csv -o c.svg
grep -o 'data-kind="[a-z]*"\|data-x-label="[a-z]*"\|data-y-label="[a-z]*"' c.svg
gradsim plot c.csv --column loss -o c.svg
grep -o 'data-kind="[a-z]*"\|data-x-label="[a-z]*"\|data-y-label="[a-z]*"' c.svg
# The steps are no option that a log has, but one of a summary.
gradsim sweep --steps 1,5 --layers 2,3 --width 4 --summary -o steps.csv
gradsim plot steps.csv --ascii | sed -n 1p
