# A picture of what examples/compare.sh measured:
#     examples/compare.sh > compare.csv
#     gnuplot -e "log='compare.csv'; picture='compare.svg'" examples/compare.gp
set terminal svg size 760,420 font "sans-serif,13" background "white"
set output picture
set datafile separator ","
set title "Where the gradient goes: 96 layers x 128 units, at initialization"
set xlabel "layer (1 is next to the input)"
set ylabel "log10 of the norm of dL/dz"
set xrange [1:96]
set yrange [-65:15]
set grid ytics linecolor rgb "#dddddd"
set key outside right center Left reverse samplen 2
set border 3
set tics nomirror

array name[5] = ["sigmoid", "relu", "relu, He init", "... and batch norm", "pre-LN residual"]
# Colours of Okabe and Ito, which do not depend on telling red from green.
array colour[5] = [0xD55E00, 0x0072B2, 0x009E73, 0xE69F00, 0xCC79A7]

# The networks stand one after the other, 96 rows each, below one line of names.
plot for [n = 1:5] log using "layer":"grad_z_log10" every ::(96 * (n - 1))::(96 * n - 1) \
    with lines linewidth 2 linecolor rgb colour[n] title name[n], \
    for [n = 1:5] log using "layer":"theory_grad_log10" every ::(96 * (n - 1))::(96 * n - 1) \
    with lines dashtype 3 linecolor rgb "black" title (n == 5 ? "theory" : "")
