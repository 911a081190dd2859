gradsim compare --layers 12 --width 32 --format tsv --no-header > rows
awk -F '\t' '$2 == "as given" { given = $7 } $2 == "clipping to norm 1" { clipped = $7 }
             END { print given < -3, given == clipped }' rows
