# What fails leaves the picture or the page that was there; a full disk is an error.
gradsim --layers 3 --width 4 -o a.csv
head -c 2000 a.csv > torn.csv
try() { # COMMAND FILE [OPTION...]: the options are for standard output
    command=$1 file=$2
    shift 2
    echo old > "$file"
    gradsim "$command" torn.csv -o "$file" 2>&1 || echo $?
    cat "$file"
    # shellcheck disable=SC3045
    { (ulimit -f 1; gradsim "$command" a.csv -o "$file" 2>&1) || echo $?; } | cat
    cat "$file"
    { gradsim "$command" a.csv "$@" > /dev/full; } 2>&1 || echo $?
}
try plot a.svg
try report a.html -o -
ls -A
