# No machine has all of them: what it has runs, the rest is bad usage.
for isa in portable avx2 avx512 neon; do
    status=0
    GRADSIM_ISA=$isa gradsim --layers 2 --width 8 > /dev/null 2> message || status=$?
    test "$status" -eq 0 || grep -q "^gradsim: GRADSIM_ISA: .*, got '$isa'$" message
    echo "$status"
done | sort -u
