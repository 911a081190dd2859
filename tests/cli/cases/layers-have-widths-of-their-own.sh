options='--layers 3 --width 9-5-7 --batch 4'
# shellcheck disable=SC2086 # words of their own
{
    gradsim $options | head -n 1
    gradsim $options --format jsonl | tail -n 1 | grep -o '"layers":3,"width":"9-5-7","inputs":9,"outputs":7'
    gradsim $options --format csv | tail -n 1 | grep -o ',3,9-5-7,9,7,'
    gradsim $options --head --inputs 4 --outputs 2 --format csv | tail -n 1 | grep -o ',3,9-5-7,4,2,'

    gradsim $options --opt adam --steps 6 --save all.st -o all.csv -q > /dev/null
    gradsim $options --opt adam --steps 3 --save cut.st -o cut.csv -q > /dev/null
    gradsim --load cut.st --steps 6 --save cut.st -o cut.csv -q > /dev/null
    cmp all.st cut.st
    cmp all.csv cut.csv
    gradsim --load all.st --width 9-5-8-7 --layers 4 2>&1 || true

    # A number for all is what as many numbers say, but for the word in the log.
    gradsim --layers 3 --width 6-6-6 --format csv | sed 's/6-6-6/6/' > list.csv
    gradsim --layers 3 --width 6 --format csv | cmp - list.csv
    gradsim theory --layers 3 --width 6-6-6 --act tanh | tail -n +2 > list
    gradsim theory --layers 3 --width 6 --act tanh | tail -n +2 | cmp - list
    gradsim spectrum --layers 3 --width 9-5-7 | sed -n 3p

    # Of a long list the title shows the ends.
    list=$(yes 1000 | head -n 200 | tr '\n' '-')
    gradsim theory --layers 201 --width "${list}17" | head -n 2
    gradsim --layers 201 --width "${list}17" --inputs 3 --batch 2 --weights streamed --memory 100K 2>&1 |
        sed 's/needs .*, and/needs .., and/'
}
