#!/bin/sh
# Decades from the last layer's gradient to the first's, their mean and standard deviation over the
# networks of each configuration, by Miller: examples/recipes/miller.sh sweep.csv [act,layers]
set -eu
log=$1
by=${2:-act,layers}

# shellcheck disable=SC1010,SC2016 # words of Miller: then, and columns
mlr --icsv --ocsv --ofmt %.4f \
    filter '$kind == "dense" && $step == 0 && ($layer == 1 || $layer == $layers)' \
    then put '$decades = $layer == 1 ? $grad_z_log10 : -$grad_z_log10' \
    then stats1 -a sum -f decades -g "$by,run" \
    then rename decades_sum,decades \
    then stats1 -a count,mean,stddev -f decades -g "$by" \
    then rename decades_count,networks,decades_stddev,decades_std "$log"
