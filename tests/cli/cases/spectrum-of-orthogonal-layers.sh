# Every singular value is 1.1^20.
gradsim spectrum --act linear --init orthogonal:1.1 --layers 20 --format csv > log.csv
awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }
         { error = $column["singular_value"] / 1.1 ^ 20 - 1; if (error < 0) error = -error
           if (error < 1e-10 && $column["index"] == NR - 1) right++ }
         END { print NR - 1, right }' log.csv
