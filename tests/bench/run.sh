#!/bin/sh
# Times whole processes side by side in one run: gradsim, and the shortest PyTorch script that prints the same
# norms. Timings are for reading, not for passing: these need hyperfine, and python3-torch for the peer.

cd "$(dirname "$0")/../.." || exit 1
gradsim=${GRADSIM:-./gradsim}
if ! command -v hyperfine > /dev/null; then
    echo 'skip - make bench # hyperfine is missing'
    exit 0
fi
python=/usr/bin/python3
"$python" -c 'import torch' 2> /dev/null || python=
[ -n "$python" ] || echo 'skip - PyTorch # python3-torch is missing'

# LAYERS WIDTH BATCH DTYPE
while read -r layers width batch dtype; do
    echo "== $layers layers x $width, batch $batch, $dtype, sigmoid"
    set -- "$gradsim --layers $layers --width $width --batch $batch --dtype $dtype --format csv"
    [ -z "$python" ] || set -- "$@" "$python tests/bench/norms.py $layers $width $batch $dtype"
    hyperfine --style basic --shell none --warmup 2 --min-runs 5 "$@" 2> /dev/null |
        grep -E '^Benchmark|Time|times faster|ran' || exit 1
done << END
96 128 64 f64
96 128 32 f32
96 512 128 f32
24 1024 256 f64
END
