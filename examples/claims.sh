#!/bin/sh
# What teaching texts say about vanishing and exploding gradients, beside what gradsim measures: every
# claim that shows in a network as it is initialized. Prints for each the right value, which is a
# closed form computed here or a limit, and the measured one; fails if one differs by more than stated.
#
#     examples/claims.sh                      MNIST=path/to/idx/folder examples/claims.sh
#
# GRADSIM names the program if it is not ./gradsim.
set -eu
LC_ALL=C # some awks write 0,5 elsewhere
export LC_ALL
gradsim=${GRADSIM:-./gradsim}
here=$(dirname "$0")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM
differing=0

# ---- Tools ----

# number EXPRESSION: what awk makes of it; exp, log, sqrt and ^ are there.
number() {
    awk "BEGIN { printf \"%.15g\", ($1) }"
}

claim() { # ROW TEXT
    printf '\n%3s  %s\n' "$1" "$2"
}

# show TEXT RIGHT MEASURED RULE HOLDS: HOLDS is 1 if it does.
show() {
    verdict=ok
    [ "$5" = 1 ] || { verdict=DIFFERS && differing=$((differing + 1)); }
    printf '     %-37s %11s %11s  %-6s %s\n' "$1" "$2" "$3" "$4" "$verdict"
}

# within TOLERANCE TEXT RIGHT MEASURED: by so much at most, of the right value if it ends in %.
within() {
    shown=$1
    [ "$1" != "$rounding" ] || shown=exact
    show "$2" "$(number "$3" | awk '{ printf "%.5g", $1 }')" "$(echo "$4" | awk '{ printf "%.5g", $1 }')" \
        "$shown" "$(awk -v right="$(number "$3")" -v measured="$4" -v tolerance="$1" 'BEGIN {
            limit = tolerance ~ /%$/ ? tolerance / 100 * (right < 0 ? -right : right) : tolerance + 0
            distance = measured - right
            print (measured != "" && distance <= limit && -distance <= limit) }')"
}

# Closed forms hold to rounding.
rounding=1e-8%
exactly() { # TEXT RIGHT MEASURED
    within $rounding "$@"
}

below() { # TEXT LIMIT MEASURED
    show "$1" "< $(number "$2" | awk '{ printf "%.4g", $1 }')" "$(echo "$3" | awk '{ printf "%.5g", $1 }')" '' \
        "$(awk -v limit="$(number "$2")" -v measured="$3" 'BEGIN { print (measured != "" && measured + 0 < limit + 0) }')"
}

above() { # TEXT LIMIT MEASURED
    show "$1" "> $(number "$2" | awk '{ printf "%.4g", $1 }')" "$(echo "$3" | awk '{ printf "%.5g", $1 }')" '' \
        "$(awk -v limit="$(number "$2")" -v measured="$3" 'BEGIN { print (measured != "" && measured + 0 > limit + 0) }')"
}

same() { # TEXT RIGHT MEASURED
    holds=0
    [ "$2" != "$3" ] || holds=1
    show "$1" "$2" "$3" '' "$holds"
}

# run OPTIONS...: measure a network; the functions below read its log.
run() {
    "$gradsim" --format tsv "$@" > "$scratch/log"
}

# value COLUMN LAYER
value() {
    awk -F '\t' -v column="$1" -v layer="$2" '
        NR == 1 { for (i = 1; i <= NF; i++) place[$i] = i; next }
        $place["layer"] == layer { print $place[column] }' "$scratch/log"
}

# fold EXPRESSION INITIAL COLUMN: fold it over the layers, where r is the result so far and x the value.
fold() {
    awk -F '\t' -v column="$3" "
        BEGIN { r = $2 }
        NR == 1 { for (i = 1; i <= NF; i++) place[\$i] = i; next }
        { x = \$place[column]; r = $1 }
        END { printf \"%.15g\", r }" "$scratch/log"
}

# decades L: log10 of the gradient dL/dz at layer 1 over that at layer L.
decades() {
    number "$(value grad_z_log10 1) - ($(value grad_z_log10 "$1"))"
}

factor() {
    number "exp(log(10) * ($(decades "$1")))"
}

# end_to_end OPTIONS...: log10 of the gradient at the input over that at the output.
end_to_end() {
    "$gradsim" -q "$@" | sed -n 's/^gradient   10^\([^ ]*\) .*/\1/p'
}

verdict_of() {
    "$gradsim" -q "$@" | sed -n 's/^verdict    \([a-z]*\).*/\1/p'
}

# A pre-activation that every layer of width 1 and weight W has: bias = z - W phi(z), input phi(z).
held() { # W Z LAYERS
    activation=$(number "1 / (1 + exp(-($2)))")
    run --layers "$3" --width 1 --batch 1 --loss sum --init "constant:$1" --input "constant:$activation" \
        --bias "$(number "$2 - $1 * $activation")"
}

sigmoid_slope='exp(-z) / (1 + exp(-z)) ^ 2'
slope_at() { # Z
    number "$(echo "$sigmoid_slope" | sed "s/z/($1)/g")"
}

diagonal='--width 8 --batch 4 --loss random'

# ---- Claims ----

printf '     %-37s %11s %11s  %s\n' '' right measured 'within'

claim 1 'backprop multiplies Jacobians: a factor g a layer gives g^L'
# shellcheck disable=SC2086 # options
run --layers 10 --act linear --init identity:0.5 $diagonal
exactly 'gain of a layer, W = 0.5 I' 0.5 "$(value gain 5)"
exactly 'from layer 10 to layer 1' '0.5 ^ 9' "$(factor 10)"

claim 2 '0.5^96 is about 1e-29; 0.9^96 about 0.0001 (4e-5, to be exact)'
for g in 0.5 0.9; do
    # shellcheck disable=SC2086
    run --layers 97 --act linear --init identity:$g $diagonal
    exactly "W = $g I, from layer 97 to layer 1" "$g ^ 96" "$(factor 97)"
done

claim 3 "sigmoid' is 1/4 at most, tanh' 1, ReLU' 1 or 0; sigmoid saturates beyond 2"
largest=0
for z in -8 -4 -2 -1 -0.5 0 0.5 1 2 4 8; do
    run --layers 1 --width 1 --batch 1 --loss sum --act sigmoid --init identity --input constant:$z
    largest=$(number "$(value act_gain 1) > $largest ? $(value act_gain 1) : $largest")
    [ $z != 2 ] || at_2=$(value act_gain 1)
done
exactly "sigmoid', the largest for -8 .. 8" 0.25 "$largest"
exactly "sigmoid'(2)" "$(slope_at 2)" "$at_2"
run --layers 1 --width 1 --batch 1 --loss sum --act tanh --init identity --input constant:0
exactly "tanh'(0)" 1 "$(value act_gain 1)"
run --layers 1 --width 1 --batch 1 --loss sum --act relu --init identity --input constant:3
exactly "ReLU'(3)" 1 "$(value act_gain 1)"
run --layers 1 --width 1 --batch 1 --loss sum --act relu --init identity --input constant:-3
exactly "ReLU'(-3)" 0 "$(value act_gain 1)"

claim 4 'W = 0.5 I, sigmoid, 10 layers: 0.125^9, "about 1e-9", at most'
# shellcheck disable=SC2086
run --layers 10 --act sigmoid --init identity:0.5 --input constant:0 $diagonal
below 'the bound, 7.45e-9' '0.125 ^ 9' "$(factor 10)"
chain=$(awk 'BEGIN {
    r = 1
    for (l = 1; l <= 9; l++) { a = 1 / (1 + exp(-a / 2 * (l > 1))); r *= a * (1 - a) / 2 }
    printf "%.15g", r }')
exactly 'the value: z is not 0' "$chain" "$(factor 10)"

claim 5 'W = 2 I, linear, 10 layers: 2^9 = 512'
# shellcheck disable=SC2086
run --layers 10 --act linear --init identity:2 $diagonal
exactly 'from layer 10 to layer 1' 512 "$(factor 10)"

claim 6 "one neuron a layer, 5 layers, w = 1.5, sigmoid' = 0.04: 1.296e-5"
held 1.5 "$(number 'log((1 + sqrt(0.84)) / (1 - sqrt(0.84)))')" 5
exactly 'sigmoid'"'" 0.04 "$(value act_gain 3)"
exactly 'from layer 5 to layer 1' 1.296e-5 "$(factor 5)"

claim 7 "three sigmoid layers with s(z) = 0.9: 0.09^3 (7.29e-4; a text has e-5)"
held 1 "$(number 'log(9)')" 3
exactly 'product of the three slopes' 7.29e-4 "$(fold 'r * x' 1 act_gain)"

claim 8 'tiny weights shrink signal and gradient, large ones explode; z > 4 is death'
run --layers 10 --act linear --init normal:0.01 --loss random
within 0.5 'N(0, 0.01^2): log10 of the signal' "5 * log(128e-4) / log(10)" \
    "$(number "log($(value a_std 10)) / log(10)")"
within 0.5 'N(0, 0.01^2): log10 of the gradient' "4.5 * log(128e-4) / log(10)" "$(decades 10)"
run --layers 10 --act linear --init normal:1 --loss random
within 0.5 'N(0, 1): log10 of the gradient' "4.5 * log(128) / log(10)" "$(decades 10)"
held 1 4 10
exactly 'sigmoid at z = 4, 10 layers' "($(slope_at 4)) ^ 10" "$(fold 'r * x' 1 act_gain)"

claim 9 'the largest singular value above or below 1 decides growth or decay'
for g in 1.1 0.9; do
    run --layers 21 --width 32 --act linear --init orthogonal:$g --loss random
    within 1e-4% "sigma_max, orthogonal times $g" "$g" "$(value w_sigma_max 11)"
    exactly 'over 20 layers' "$g ^ 20" "$(factor 21)"
done
run --layers 21 --act linear --loss random
within 5% 'but Gaussian weights: sigma_max' 2 "$(value w_sigma_max 11)"
within 0.3 '  and log10 over 20 layers is not 6' 0 "$(decades 21)"

claim 10 'each factor splits into activation slope times weights'
run --layers 10 --width 32 --act tanh
exactly 'gain of a layer, from its two parts' "$(value act_gain 5) * $(value weight_gain 5)" "$(value gain 5)"

claim 11 'Xavier: variance 2/(n_in + n_out); He: 2/n_in, for ReLU halves the signal'
run --layers 96 --width 128
within 1% 'Xavier, variance of the weights' '2 / 256' "$(number "$(fold 'r + x * x / 96 / 128 ^ 2' 0 w_norm)")"
run --layers 96 --width 128 --act relu --init he
within 1% 'He, variance of the weights' '2 / 128' "$(number "$(fold 'r + x * x / 96 / 128 ^ 2' 0 w_norm)")"
run --layers 1 --width 1024 --act relu # 65,536 numbers: 2 % are three standard errors
before="$(value z_mean 1) ^ 2 + $(value z_std 1) ^ 2" after="$(value a_mean 1) ^ 2 + $(value a_std 1) ^ 2"
within 2% 'mean square after ReLU over before' 0.5 "$(number "($after) / ($before)")"
within 0.3 'ReLU, 20 layers: log10, Xavier' '-10 * log(2) / log(10)' \
    "$(end_to_end --layers 20 --width 512 --batch 16 --loss random --act relu)"
within 0.3 'ReLU, 20 layers: log10, He' 0 \
    "$(end_to_end --layers 20 --width 512 --batch 16 --loss random --act relu --init he)"

claim 12 'ReLU and its kin mend vanishing (96 layers, He: log10); the dead stay dead'
worst=$(end_to_end --act sigmoid --init he)
below 'sigmoid' -40 "$worst"
for act in relu leaky-relu:0.01 elu prelu; do
    within 3 "$act" 0 "$(end_to_end --act $act --init he)"
done
above 'swish: better, not cured' "$worst + 20" "$(end_to_end --act swish --init he)"
run --layers 2 --width 16 --act relu --bias -100
exactly 'dead units, bias -100' 1 "$(value dead 1)"
exactly '  and their gradient' 0 "$(value grad_w 1)"

claim 13 'batch or layer norm before the activation: the scale of W does not matter'
for norm in batch layer; do
    run --layers 6 --width 16 --act tanh --norm $norm --norm-eps 0
    loss=$(value loss 1) gradient=$(value grad_w 3)
    run --layers 6 --width 16 --act tanh --norm $norm --norm-eps 0 --gain 3
    exactly "$norm norm, 3 W: the loss" "$loss" "$(value loss 1)"
    exactly "$norm norm, 3 W: dL/dW, a third" "$gradient / 3" "$(value grad_w 3)"
done

claim 14 'residual: a + f(a), the activation before or after the sum; over two layers'
residual='--layers 10 --width 8 --batch 1 --loss sum --input constant:1 --init identity:0.5'
# shellcheck disable=SC2086
{
    within 0.005 'add: (1 + 0.5)^10, log10' '10 * log(1.5) / log(10)' \
        "$(end_to_end $residual --act linear --residual add)"
    within 0.005 'ReLU after the sum: the same' '10 * log(1.5) / log(10)' \
        "$(end_to_end $residual --act relu --residual post-act)"
    within 0.005 'over two layers: (1 + 0.5^2)^5' '5 * log(1.25) / log(10)' \
        "$(end_to_end $residual --act linear --residual add --skip 2)"
    within 0.005 'without: 0.5^10' '10 * log(0.5) / log(10)' "$(end_to_end $residual --act linear)"
}

claim 15 'clipping by value; by norm, g min(1, theta / norm g)'
run --layers 10 --width 1 --batch 1 --act linear --init identity:2 --input constant:1 --loss sum --clip value:3
exactly 'the one entry, 512, clipped to 3' 3 "$(number "exp(log(10) * $(value grad_clipped_log10 1))")"
for theta in 0.01 100; do
    run --layers 6 --width 16 --act tanh --clip norm:$theta
    squares='r + exp(2 * log(10) * x)'
    norm=$(number "sqrt($(fold "$squares" 0 grad_w_log10) + $(fold "$squares" 0 grad_b_log10))")
    exactly "factor for theta = $theta" "$theta < $norm ? $theta / $norm : 1" "$(value clip_scale 3)"
done

claim 19 'today: He + BN + ReLU + residual; GPT-3, 96 layers: LN, residual, clipping'
"$gradsim" compare --layers 96 --act sigmoid --format tsv > "$scratch/compare"
compared() { # REMEDY COLUMN
    awk -F '\t' -v name="$1" -v column="$2" '$2 == name { print $column }' "$scratch/compare"
}
same 'sigmoid, Xavier' vanishing "$(compared 'as given' 12)"
for remedy in 'He + BN + ReLU + residual' 'as in GPT-3'; do
    same "$remedy" healthy "$(compared "$remedy" 12)"
    within 3 '  log10' 0 "$(compared "$remedy" 7)"
done

claim 21 'networks past a thousand layers: 10,000 layers run and report'
# shellcheck disable=SC2086
run --layers 10000 --act linear --init identity:0.5 $diagonal
exactly 'W = 0.5 I: log10' '-9999 * log(2) / log(10)' "$(decades 10000)"
run --layers 10000 --width 64 --batch 8 --act sigmoid --loss random # narrower ones lose more
within 2% 'sigmoid, Xavier: log10, mean field' '9999 * log(0.0557207) / 2 / log(10)' "$(decades 10000)"

claim 22 'digits (MNIST) with a deep sigmoid or ReLU network'
data=${MNIST:-$here/data/digits.csv}
same 'sigmoid, 96 layers' vanishing "$(verdict_of --data "$data" --act sigmoid)"
same 'ReLU, He, 96 layers' healthy "$(verdict_of --data "$data" --act relu --init he)"

# ---- The rest ----

cat << 'END'

Those that need training are shown by other scripts: 16 (warm-up) by warmup.sh,
17 (steps that end in nan) by clipping.sh, 18 (the plateau, layers that do not
move) by plateau.sh, and 19 (what mends it) by deep.sh. Not shown: 20 (recurrent
networks).
END
if [ $differing -gt 0 ]; then
    echo "differing: $differing"
    exit 1
fi
