#!/bin/sh
# The order of dependence: a folder of src may include itself and the folders above it in this list.
# And only src/kernels may know instruction sets.

cd "$(dirname "$0")/.." || exit 1
order='base kernels net flow theory train report cli'
status=0

report() { # name, offending lines
    if [ -z "$2" ]; then
        echo "ok - $1"
    else
        echo "not ok - $1 # $(echo "$2" | tr '\n' ';')"
        status=1
    fi
}

allowed='gradsim\.h'
for folder in $order; do
    allowed="$allowed|$folder/[a-z0-9_]+\.h"
    offending=$(grep -rnE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' "src/$folder" 2> /dev/null |
        grep -vE "\"($allowed)\"")
    report "src/$folder includes nothing below it" "$offending"
done

report "every folder of src has its place in the order" \
    "$(for path in src/*/; do
        folder=$(basename "$path")
        case " $order " in *" $folder "*) ;; *) echo "$folder" ;; esac
    done)"
report "only src/kernels includes intrinsics" \
    "$(grep -rnE '<(immintrin|arm_neon|x86intrin|cpuid)\.h>' src include | grep -v '^src/kernels/')"
exit $status
