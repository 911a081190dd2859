gradsim sweep --norm none,batch --batch 1,4 --layers 3 --width 5 2>&1 || echo "[$?]"
gradsim sweep --norm none,batch --batch 1,4 --layers 3 --width 5 --format csv 2> /dev/null |
    awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i }
        { print $1, $(column["layer"]), $(column["point"]), $(column["points"]), $(column["error"]), $(column["norm"]) }'
gradsim sweep --norm none,batch --batch 1,4 --layers 3 --act tanh --summary --format tsv 2> /dev/null |
    cut -f 1,2,6,7,11,22
