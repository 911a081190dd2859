# Files of 30 MB in 12, most of which are the program and its library. Rows are made by hand: what
# counts is how many there are.
# shellcheck disable=SC3045 # where there is no -v, it is skipped
(ulimit -v 12000; gradsim version > /dev/null 2>&1) || { echo "no ulimit -v"; exit 77; }
awk 'BEGIN {
    note = sprintf("%700s", "")
    for (p = 0; p <= 40000; p++)
        for (s = 1; s <= 3; s++)
            if (p == 0)
                print "run,step,layer,point,points,error,layers,head,note" > (s ".csv")
            else if (p % 3 == s - 1)
                print p ",0,1," p ",40000,,1,off," note > (s ".csv")
}'
# shellcheck disable=SC3045
(ulimit -v 12000; gradsim merge 1.csv 2.csv 3.csv -o merged.csv)
wc -l < merged.csv
cut -d, -f1 merged.csv | sort -cn
