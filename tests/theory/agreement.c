/*
 * Varied networks of width 1024: the gradient of every layer as measured, the mean square
 * over seeds, and as predicted. The two must agree within .02 decades for each ten layers that the
 * gradient has come, and within .02 near the output. The weights are random and so is that mean:
 * its standard error must be a third of this at most, or the comparison would say nothing. A batch
 * of 16 examples and targets costs no more than one, and averages what they do not have in common.
 *
 * Those that name widths of their own have these layers instead.
 *
 * The short selection runs the first few at a width of 256 and allows four times as much, as the
 * correction at finite width is of order 1/n.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "theory.h"

typedef struct {
    size_t seeds;
    const char *options; /* the width, a batch of 16 and the seed come besides */
} network_case;

/* clang-format off */
static const network_case cases[] = {
    {40, "layers=20 act=relu init=he inputs=200 outputs=500"},
    {40, "layers=15 act=leaky-relu:0.3 init=he bias=normal:0.2 loss=sum"},
    {40, "layers=10 act=tanh init=xavier"},
    {80, "layers=3 width=400-200-300 act=tanh"},
    {16, "layers=30 act=tanh init=scaled:1.327009796 bias=normal:0.2236067977 loss=mse"},
    {10, "layers=20 act=sigmoid init=xavier loss=mse"},
    {16, "layers=12 act=sigmoid init=he gain=2 bias=0.3 loss=mse"},
    {40, "layers=20 act=relu init=he"},
    {80, "layers=8 width=500-900-300-1200-600-400-800-700 inputs=300 act=relu init=he "
         "head=on outputs=100"},
    {40, "layers=30 act=relu init=xavier loss=sum"},
    {30, "layers=15 act=elu init=he input=normal:2"},
    {20, "layers=20 act=selu init=lecun"},
    {90, "layers=10 act=swish init=scaled:1.6 bias=normal:0.5 loss=mse"},
    {16, "layers=10 act=gelu init=scaled:1.5 bias=normal:0.6 loss=sum"},
    {32, "layers=12 act=softplus init=torch input=normal:0.5"},
    {60, "layers=12 act=mish init=he-uniform bias=0.1 loss=mse"},
    {10, "layers=16 act=linear init=orthogonal:1.1 loss=mse"},
    {10, "layers=16 act=tanh init=orthogonal:1.2 bias=normal:0.1"},
    {12, "layers=10 act=prelu init=scaled:1.3 loss=ce outputs=10 inputs=300 bias=normal:0.3"},
    {30, "layers=20 act=gelu-tanh init=he norm=layer loss=mse"},
    {110, "layers=12 act=relu init=he norm=rms norm-at=postact"},
    {10, "layers=12 act=tanh init=xavier norm=batch batch=32 loss=mse"},
    {12, "layers=10 act=relu init=he norm=batch batch=16 loss=mse"},
    {16, "layers=12 act=sigmoid init=lecun norm=layer norm-at=input input=normal:3"},
    {10, "layers=20 act=tanh init=lecun order=act-dense residual=add norm=layer norm-at=input"},
    {24, "layers=24 act=relu init=he order=act-dense residual=add norm=layer norm-at=output "
         "loss=mse"},
    {36, "layers=30 act=gelu init=he order=act-dense residual=add norm=rms norm-at=input "
         "branch-scale=1/sqrt(L) head=on outputs=100"},
    {20, "layers=20 act=relu init=he order=act-dense residual=add branch-scale=1/sqrt(L) loss=mse"},
    {10, "layers=20 act=tanh init=lecun residual=add branch-scale=0.3"},
    {10, "layers=16 act=sigmoid init=xavier residual=add bias=normal:0.3 loss=mse"},
    {12, "layers=20 act=tanh init=lecun order=act-dense residual=add skip=2 branch-scale=0.5"},
    {10, "layers=20 act=elu init=he order=act-dense residual=add norm=batch norm-at=input "
         "batch=32 branch-scale=1/L loss=mse"},
};
/* clang-format on */

enum { CASES = sizeof cases / sizeof *cases, QUICK = 4 };

/* ---- Measured ---- */

typedef struct {
    size_t seeds, layers;
    char options[256];
    double *squares; /* [seeds, layers] of |dL/dz_l|^2 over its prediction */
    const gs_layer_theory *predicted;
} sampling;

static void sample_seed(void *context, size_t index) {
    const sampling *s = context;
    size_t layers = s->layers;
    theory_measured m = theory_measure(theory_network(s->options, NULL, index + 1));
    for (size_t l = 1; l <= layers; l++) {
        double distance = theory_at(&m, l, GS_GRAD_Z_LOG10) - s->predicted[l - 1].grad_z_log10;
        s->squares[index * layers + l - 1] = pow(10, 2 * distance);
    }
    free(m.rows);
}

/* ---- Compared ---- */

typedef struct {
    double distance, standard_error, tolerance; /* in decades */
    size_t layer;
} comparison;

/* d log10(norm) = d mean / (2 mean ln 10) */
static comparison compare_layer(const sampling *s, size_t layer, double widening) {
    size_t layers = s->layers, seeds = s->seeds;
    double mean = 0, squares = 0, come = (double)(layers - layer) / 10;
    for (size_t i = 0; i < seeds; i++)
        mean += s->squares[i * layers + layer - 1] / (double)seeds;
    for (size_t i = 0; i < seeds; i++)
        squares += pow(s->squares[i * layers + layer - 1] - mean, 2);
    double of_mean = sqrt(squares / (double)(seeds * (seeds - 1)));
    return (comparison){log10(mean) / 2, of_mean / (2 * mean * log(10)),
                        0.02 * widening * fmax(1, come), layer};
}

/* What is furthest off beside what is allowed, and the largest uncertainty beside it. */
static comparison compare(const sampling *s, double widening, double *uncertainty) {
    comparison worst = {0, 0, 1, 0};
    *uncertainty = 0;
    for (size_t l = 1; l <= s->layers; l++) {
        comparison here = compare_layer(s, l, widening);
        if (!(fabs(here.distance) / here.tolerance <= fabs(worst.distance) / worst.tolerance))
            worst = here;
        *uncertainty = fmax(*uncertainty, here.standard_error / here.tolerance);
    }
    return worst;
}

static bool run_network(const network_case *network, size_t number, bool all) {
    sampling s = {.seeds = network->seeds};
    snprintf(s.options, sizeof s.options, "width=%d batch=16 %s", all ? 1024 : 256,
             network->options);
    theory_predicted predicted = theory_predict(s.options, NULL);
    s.predicted = predicted.layers;
    s.layers = predicted.count;
    s.squares = calloc(s.seeds * s.layers, sizeof *s.squares);
    theory_require_memory(s.squares);
    double uncertainty;
    theory_parallel(s.seeds, sample_seed, &s);
    comparison worst = compare(&s, all ? 1 : 4, &uncertainty);
    bool passed = fabs(worst.distance) <= worst.tolerance && uncertainty <= 1.0 / 3;
    if (all)
        printf("# %2zu %8.4f %7.4f %6.3f %6zu  %s\n", number, worst.distance, worst.standard_error,
               worst.tolerance, worst.layer, network->options);
    if (passed)
        printf("ok - network %zu: gradients as predicted: %s\n", number, network->options);
    else
        printf("not ok - network %zu: gradients as predicted: %s # layer %zu: %.4f decades off, "
               "allowed %.3f, uncertain by %.2f of that%s%s\n",
               number, network->options, worst.layer, worst.distance, worst.tolerance, uncertainty,
               *predicted.theory.missing ? ", no theory: " : "", predicted.theory.missing);
    fflush(stdout);
    free(s.squares);
    free(predicted.layers);
    return passed;
}

bool theory_agreement(bool all) {
    bool passed = true;
    if (all)
        printf("#  decades off +- error, allowed, at layer\n");
    for (size_t i = 0; i < (all ? CASES : QUICK); i++)
        passed = run_network(&cases[i], i + 1, all) && passed;
    return passed;
}
