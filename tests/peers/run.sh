#!/bin/sh
# Compares gradsim with PyTorch: networks as they are (peer.py), in training (training.py), and those
# that PyTorch has trained (foreign.py). GRADSIM names the program; arguments go to all.

cd "$(dirname "$0")/../.." || exit 1
GRADSIM=${GRADSIM:-$PWD/gradsim}
PYTHONDONTWRITEBYTECODE=1
export GRADSIM PYTHONDONTWRITEBYTECODE
for python in python3 /usr/bin/python3; do
    "$python" -c 'import torch, numpy' 2> /dev/null || continue
    for script in peer training foreign; do
        "$python" "tests/peers/$script.py" "$@" || echo "$script.py has failed"
    done | awk '
        / has failed$/ { failures++ }
        /^[0-9]+ passed, [0-9]+ failed$/ { passed += $1; failed += $3; next }
        { print; fflush() }
        END {
            printf "%d passed, %d failed\n", passed, failed
            exit failures > 0
        }'
    exit
done
echo "skip - gradsim agrees with PyTorch # python3-torch is missing"
echo "0 passed, 0 failed, 1 skipped"
