# A network that takes all memory has it; what is too large even then is a row that says so.
gradsim sweep --layers 4,200 --width 64 --memory 4M --jobs 2 -o small.csv --weights stored 2>&1 || echo "[$?]"
gradsim sweep --layers 4,200 --width 64 --memory 4M --jobs 2 -o some.csv
gradsim sweep --layers 4,200 --width 64 --jobs 1 -o all.csv
cmp some.csv all.csv
# What fits does not depend on how many are side by side.
for jobs in 1 2 3; do
    gradsim sweep --layers 2 --width 33 --act tanh,selu --residual post-act --memory 300K --jobs $jobs \
        -o "jobs-$jobs.csv"
    cmp jobs-1.csv "jobs-$jobs.csv"
done
