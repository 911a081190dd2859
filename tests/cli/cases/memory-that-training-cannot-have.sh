# Gradients and what Adam keeps stand beside the weights, which are not streamed. No log is touched.
# shellcheck disable=SC3045 # where there is no -v, it is skipped
(ulimit -v 40000; gradsim version > /dev/null 2>&1) || { echo "no ulimit -v"; exit 77; }
echo precious > log.csv
refuse() { # KILOBYTES ARGUMENT...
    limit=$1
    shift
    status=0
    # shellcheck disable=SC3045
    (ulimit -v "$limit"; exec gradsim --layers 8 --width 400 --batch 8 --opt adam --steps 3 \
        --threads 1 -o log.csv "$@") 2>&1 || status=$?
    echo $status
}
refuse unlimited --memory 40M
refuse 40000 --memory 1G
cat log.csv
