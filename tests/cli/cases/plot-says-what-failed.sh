# Networks that could not be measured are left out, and counted.
gradsim sweep --layers 2,3 --norm none,batch --batch 1 --width 4 --seeds 2 -o a.csv 2> error
gradsim plot a.csv -o a.svg
gradsim plot a.csv --where norm==batch 2>&1 || echo $?
