# Of one example of the data, up to what the head reads; not that of a drawn one.
printf 'a,b,label\n1,2,0\n3,5,1\n4,1,0\n' > data.csv
gradsim spectrum --data data.csv --layers 3 --width 4 --batch 3 --act tanh --format csv --no-header |
    cut -d, -f4-6 > first
gradsim spectrum --data data.csv --layers 3 --width 4 --batch 3 --act tanh --format csv --no-header \
    --example 2 | cut -d, -f4-6 > second
wc -l < first | tr -d ' '
cut -d, -f1 second
cmp -s first second || echo 'another example, another spectrum'
