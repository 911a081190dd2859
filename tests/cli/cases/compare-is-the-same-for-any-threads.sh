for threads in 1 2 7; do gradsim compare --layers 8 --width 40 --threads $threads --format csv > rows.$threads; done
cmp rows.1 rows.2
cmp rows.1 rows.7
