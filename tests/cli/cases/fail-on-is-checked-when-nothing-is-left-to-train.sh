run() {
    status=0
    gradsim "$@" --fail-on vanishing -o log.csv || status=$?
    echo "$status $(cut -d, -f3 log.csv | uniq | paste -sd ' ' -)"
}
run --width 8 --layers 40 --steps 3 --save net.st
run --load net.st
