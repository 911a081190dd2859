# A file that is not the log of the checkpoint is refused, and is left as it is.
options='--layers 2 --width 3 --batch 2'
# shellcheck disable=SC2086 # words of their own
{
    gradsim $options --steps 3 -o kept.csv --save net.st
    gradsim $options --steps 3 -o kept.jsonl
    gradsim $options --steps 3 -o headless.csv --no-header
    gradsim $options --steps 3 -o seed.csv --seed 2
    gradsim --layers 3 --width 3 --batch 2 --steps 3 -o deeper.csv
}
refuse() { # FILE FORMAT [ARGUMENT...]
    file=$1
    format=$2
    shift 2
    cp "$file" before
    status=0
    gradsim --load net.st --steps 5 --format "$format" -o "$file" "$@" 2> said || status=$?
    sed 's/with [0-9]* columns/with N columns/' said
    cmp before "$file"
    test $status -eq 1
}
echo 'my notes' > notes.csv
printf 'run,seed,step\n1,1,0\n' > other.csv
sed 's/$/\r/' kept.csv > crlf.csv
sed '2,3d' kept.csv > later.csv
sed '5,6d' kept.csv > gap.csv
sed '4s/^1,1,1,1/1,1,one,1/' kept.csv > word.csv
sed '8,$d' kept.csv > sooner.csv
head -c 5000 /dev/urandom | tr -d '\n' | LC_ALL=C tr 'r' 's' > noise.csv
for file in notes other crlf headless gap word noise seed sooner deeper; do refuse $file.csv csv; done
refuse kept.csv tsv
refuse kept.csv jsonl
refuse kept.jsonl csv
refuse kept.csv csv --no-header
# One that begins later is a log too: of a run that was continued in another file.
gradsim --load net.st --steps 4 -o later.csv
cut -d, -f3 later.csv | uniq | paste -sd ' ' -
