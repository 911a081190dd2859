sweep() {
    gradsim sweep --layers 2..9 --act tanh,relu --width 9 --batch 4 --norm none,batch --batch 1,4 \
        --steps 2 --seeds 2 "$@" 2> failures || test $? -eq 1
    cat failures
}
for format in csv tsv jsonl; do
    sweep --jobs 1 -o one.$format
    for jobs in 2 3 7; do
        sweep --jobs $jobs -o many.$format > /dev/null
        cmp one.$format many.$format
    done
done
sweep --jobs 1 --threads 2 -o many.csv > /dev/null
cmp one.csv many.csv
sweep --summary --jobs 1 -o one.csv > /dev/null
sweep --summary --jobs 5 -o many.csv > /dev/null
cmp one.csv many.csv
