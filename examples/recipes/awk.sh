#!/bin/sh
# Decades from the last layer's gradient to the first's, their mean and standard deviation over the
# networks of each configuration, by awk: examples/recipes/awk.sh sweep.tsv [act,layers]
#
# TSV, because a value in CSV may hold a comma.
set -eu
log=$1
by=${2:-act,layers}

LC_ALL=C awk -F '\t' -v by="$by" '
    NR == 1 {
        for (i = 1; i <= NF; i++) place[$i] = i
        names = split(by, name, ",")
        next
    }
    $place["kind"] == "dense" && $place["step"] == 0 {
        run = $place["run"]
        if (!(run in first)) {
            first[run] = $place["grad_z_log10"]
            key = $place[name[1]]
            for (i = 2; i <= names; i++) key = key "," $place[name[i]]
            if (!(key in networks)) keys[++configurations] = key
            networks[key]++
            key_of[run] = key
        }
        last[run] = $place["grad_z_log10"]
    }
    END {
        for (run in first) mean[key_of[run]] += (first[run] - last[run]) / networks[key_of[run]]
        for (run in first) squares[key_of[run]] += (first[run] - last[run] - mean[key_of[run]]) ^ 2
        print by ",networks,decades_mean,decades_std"
        for (i = 1; i <= configurations; i++) {
            key = keys[i]
            printf "%s,%d,%.4f,", key, networks[key], mean[key]
            if (networks[key] > 1) printf "%.4f", sqrt(squares[key] / (networks[key] - 1))
            print ""
        }
    }' "$log"
