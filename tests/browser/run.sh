#!/bin/sh
# Opens reports in a headless Chromium, and looks at them, points at them and clicks on them, as
# people do (pages.py). GRADSIM names the program.

cd "$(dirname "$0")/../.." || exit 1
GRADSIM=${GRADSIM:-$PWD/gradsim}
PYTHONDONTWRITEBYTECODE=1
export GRADSIM PYTHONDONTWRITEBYTECODE
for needed in python3 bash chromium; do
    if ! command -v "$needed" > /dev/null; then
        echo "skip - reports in a browser # $needed is missing"
        echo "0 passed, 0 failed, 1 skipped"
        exit
    fi
done
exec python3 tests/browser/pages.py "$@"
