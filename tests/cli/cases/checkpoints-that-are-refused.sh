# Neither the log nor what --save would replace is touched, whatever is wrong with a checkpoint.
options='--layers 2 --width 3 --batch 2 --opt adam --bias 0.5'
# shellcheck disable=SC2086 # words of their own
gradsim $options --steps 3 -o log.csv --save good.st
cp log.csv kept.csv
echo precious > net.st
refuse() { # WHAT: bad.st is refused in one line
    status=0
    gradsim --load bad.st --steps 5 -o log.csv --save net.st 2> said > out || status=$?
    test $status -eq 1 -o $status -eq 2
    test "$(wc -l < said)" -eq 1
    test ! -s out
    cmp log.csv kept.csv
    test "$(cat net.st)" = precious
    said=$(cat said)
}
size=$(wc -c < good.st)
length=0
while [ $length -lt "$size" ]; do
    head -c $length good.st > bad.st
    refuse
    length=$((length + 1 + length / 4))
done
head -c $((size - 1)) good.st > bad.st
refuse
# Texts of the same length, so that all that follows stays in its place.
change() { # FROM TO
    LC_ALL=C sed "s/$1/$2/" good.st > bad.st
    test "$(wc -c < bad.st)" -eq "$size"
    refuse
    echo "${said#gradsim: }"
}
change '"step":"3"' '"step":"x"'
change '"step":"3"' '"step":"9"'
change '"clipped_steps":"0"' '"clipped_steps":"4"'
change '"opt":"adam"' '"opt":"adan"'
change '"width":"3"' '"width":"4"'
change '"layers":"2"' '"layers":"1"'
change '"seed":"1"' '"seed":"2"'
change '"layers.1.weight"' '"layers.2.weight"'
change 'layers.1.weight.exp_avg"' 'layers.1.weight.exp_svg"'
change 'layers.2.bias.exp_avg_sq"' 'layers.2.bias.exp_avg_sr"'
change 'layers.1.weight.initial":{"dtype":"F64","shape":\[3,3\]' \
    'layers.1.weight.initial":{"dtype":"F64","shape":[1,9]'
change 'layers.1.weight.initial":{"dtype":"F64' 'layers.1.weight.initial":{"dtype":"I64'
change 'data_offsets":\[0,' 'data_offsets":[8,'
