#!/bin/sh
# Every source obeys .clang-format.

cd "$(dirname "$0")/.." || exit 1
name='sources obey .clang-format'
if ! command -v clang-format > /dev/null; then
    echo "skip - $name # clang-format is not installed"
    exit 0
fi
offending=$(find include src tests examples -name '*.[ch]' 2> /dev/null | sort |
    while read -r file; do
        clang-format --dry-run -Werror "$file" 2> /dev/null || echo "$file"
    done)
if [ -n "$offending" ]; then
    echo "not ok - $name # $(echo "$offending" | tr '\n' ' ')"
    exit 1
fi
echo "ok - $name"
