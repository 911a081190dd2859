# Runs the command of every line of a table; each must print the ratio that the line shows.
check() {
    gradsim compare "$@" > page
    sed -n '/^rank  command$/,/^$/p' page | sed -e '1d' -e '$d' -e :join -e '/\\$/N; s/\\\n *//; t join' > commands
    awk '/^rank  network/ { table = 1; next } /^$/ { table = 0 } table { print $1, substr($0, 40, 9) }' page > ratios
    test "$(grep -c . commands)" -eq "$(grep -c . ratios)"
    while read -r rank command; do
        read -r same ratio <&3
        test "$rank" = "$same"
        eval "$command -q" > summary < /dev/null
        grep -Eq "^(gradient   10\^$ratio from|log10      $ratio( |$))" summary || { echo "$command: $ratio"; exit 1; }
    done < commands 3< ratios
    test "$(grep -c . ratios)" -gt 35
}

# A width of its own, so that no two inits are the same in the first layer.
check --layers 12 --width 24 --inputs 10 --batch 16
check --layers 6 --width 16 --act tanh --batch 8 --seed 5 --seeds 2 --dtype f32 --threads 1
mkdir "it's a folder"
cp "$ROOT/examples/data/digits.csv" "it's a folder/\$data.csv"
check --data "it's a folder/\$data.csv" --layers 4 --width 16 --batch 8 --act relu --init he --loss mse
