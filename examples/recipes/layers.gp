# The gradient against the layer, from any CSV of gradsim: a line for each value of an option, or of
# several, averaged over the networks that have it in common.
#     gradsim sweep --act sigmoid,tanh,relu --init xavier,he --seeds 4 -o sweep.csv
#     gnuplot -e "log='sweep.csv'; by='act init'; picture='sweep.svg'" examples/recipes/layers.gp
# A picture whose name ends in .png is one. Of a training log, step=100 shows that step.
if (!exists("by")) by = "act"
if (!exists("step")) step = 0
if (picture[strlen(picture) - 3:] eq ".png") {
    set terminal pngcairo size 760,420 font "sans-serif,10" background "white"
} else {
    set terminal svg size 760,420 font "sans-serif,13" background "white"
}
set output picture
set datafile separator ","
set datafile missing NaN
set xlabel "layer (1 is next to the input)"
set ylabel "log10 of the norm of dL/dz"
set grid ytics linecolor rgb "#dddddd"
set key autotitle columnheader outside right center Left reverse samplen 2 title by
set border 3
set tics nomirror
set xrange [1:*]
set autoscale xfixmax

# Colours of Okabe and Ito, which do not depend on telling red from green.
array colour[6] = [0xD55E00, 0x0072B2, 0x009E73, 0xE69F00, 0xCC79A7, 0x56B4E9]

# The lines' names, each once, in the order of the file.
name(i) = strcol(word(by, i)) . (i < words(by) ? "/" . name(i + 1) : "")
names = " "
add(name) = strstrt(names, " " . name . " ") ? names : names . name . " "
stats log using (names = add(name(1)), 0) nooutput

shown(line) = name(1) eq word(names, line) && column("step") == step
at(line, measured) = shown(line) ? column(measured) : NaN
plot for [n = 1:words(names)] log using "layer":(at(n, "grad_z_log10")) smooth unique \
    with lines linewidth 2 linecolor rgb colour[(n - 1) % 6 + 1] \
    dashtype 1 + (n - 1) / 6 title word(names, n), \
    for [n = 1:words(names)] log using "layer":(at(n, "theory_grad_log10")) smooth unique \
    with lines dashtype 3 linecolor rgb "black" title (n == words(names) ? "theory" : "")
