/*
 * Rows 43 to 50: residual networks as the papers have them, x + W phi(x), which is the order
 * act-dense. There dL/dz_l = alpha dL/dx_l, so that gradient_rate is that of x.
 */
#include <math.h>
#include <stdlib.h>

#include "theory.h"

/* ---- Row 50: x + 0 phi(W x) ---- */

enum { WIDTH = 5, BATCH = 3, LAYERS = 6 };

#define REZERO "layers=6 width=5 batch=3 act=tanh init=lecun residual=add branch-scale=rezero"

/* What the loss r . x_L is with x_L = x_0, over what it is. */
static void sample_output(const theory_case *c, uint64_t seed, double *ratio) {
    gs_network *network = theory_network(c->options, NULL, seed);
    double *x = theory_read(network, BATCH * WIDTH, "input"), loss = 0, expected = 0;
    double *readout = theory_read(network, WIDTH, "readout");
    gs_error error;
    theory_require(gs_network_forward(network, &loss, &error), &error, c->what);
    for (size_t i = 0; i < BATCH * WIDTH; i++)
        expected += x[i] * readout[i % WIDTH] / BATCH;
    *ratio = loss / expected;
    free(x);
    free(readout);
    gs_network_free(network);
}

static gs_network *run_rezero(const theory_case *c, uint64_t seed) {
    gs_error error;
    gs_network *network = theory_network(c->options, NULL, seed);
    theory_require(gs_network_keep_gradients(network, &error), &error, c->what);
    theory_require(gs_network_forward(network, NULL, &error), &error, c->what);
    theory_require(gs_network_backward(network, &error), &error, c->what);
    return network;
}

/* The largest entry of any dW. */
static void sample_weight_gradients(const theory_case *c, uint64_t seed, double *largest) {
    gs_network *network = run_rezero(c, seed);
    *largest = 0;
    for (size_t l = 1; l <= LAYERS; l++) {
        double *grad = theory_read(network, WIDTH * WIDTH, "layers.%zu.weight.grad", l);
        for (size_t i = 0; i < WIDTH * WIDTH; i++)
            if (!(fabs(grad[i]) <= *largest))
                *largest = fabs(grad[i]);
        free(grad);
    }
    gs_network_free(network);
}

/* The smallest |d alpha|. */
static void sample_scale_gradients(const theory_case *c, uint64_t seed, double *smallest) {
    gs_network *network = run_rezero(c, seed);
    *smallest = (double)INFINITY;
    for (size_t l = 1; l <= LAYERS; l++) {
        double *grad = theory_read(network, 1, "layers.%zu.branch_scale.grad", l);
        *smallest = fmin(*smallest, fabs(*grad));
        free(grad);
    }
    gs_network_free(network);
}

/* The gain of every block but the last, which has none above it. */
static void sample_worst_gain(const theory_case *c, uint64_t seed, double *gain) {
    theory_measured m = theory_measure(theory_network(c->options, NULL, seed));
    *gain = 1;
    for (size_t l = 1; l < LAYERS; l++)
        if (theory_at(&m, l, GS_GAIN) != 1)
            *gain = theory_at(&m, l, GS_GAIN);
    free(m.rows);
}

static const theory_probe output = {sample_output, AVERAGE, NULL};
static const theory_probe weight_gradients = {sample_weight_gradients, AVERAGE, NULL};
static const theory_probe scale_gradients = {sample_scale_gradients, AVERAGE, NULL};
static const theory_probe worst_gain = {sample_worst_gain, AVERAGE, NULL};

/* ---- Cases ---- */

#define RESIDUAL "order=act-dense residual=add "
#define PRE_NORM RESIDUAL "norm-at=input "
#define POST_NORM RESIDUAL "norm-at=output "

/* clang-format off */
const theory_case residual_cases[] = {
    {43, "x + W relu(x), He: forward, L = 10",
     "layers=10 width=512 loss=mse act=relu init=he " RESIDUAL, &growth,
     1024, MEAN_FIELD, .seeds = 100, .to = 10, .layers = 10},
    {43, "x + W relu(x), He: squared gradient, L = 10",
     "layers=10 width=512 act=relu init=he " RESIDUAL, &end_to_end,
     1024, MEAN_FIELD, .quick = true, .seeds = 100, .to = 10, .layers = 10},
    {44, "branch / sqrt(L), He ReLU, L = 10: forward",
     "layers=10 width=512 loss=mse act=relu init=he branch-scale=1/sqrt(L) " RESIDUAL, &growth,
     2.593742, MEAN_FIELD, .seeds = 150, .to = 10, .layers = 3},
    {44, "branch / sqrt(L), He ReLU, L = 10: squared gradient",
     "layers=10 width=512 act=relu init=he branch-scale=1/sqrt(L) " RESIDUAL, &end_to_end,
     2.593742, MEAN_FIELD, .seeds = 100, .to = 10, .layers = 3},
    {44, "branch / L, He ReLU, L = 10: forward",
     "layers=10 width=512 loss=mse act=relu init=he branch-scale=1/L " RESIDUAL, &growth,
     1.104622, MEAN_FIELD, .seeds = 150, .to = 10},
    {44, "branch / L, He ReLU, L = 10: squared gradient",
     "layers=10 width=512 act=relu init=he branch-scale=1/L " RESIDUAL, &end_to_end,
     1.104622, MEAN_FIELD, .seeds = 100, .to = 10},
    {45, "x + W relu(LN(x)), He, L = 10: forward",
     "layers=10 width=512 loss=mse act=relu init=he norm=layer " PRE_NORM, &growth,
     11, MEAN_FIELD, .seeds = 100, .to = 10, .layers = 3},
    {45, "x + W relu(LN(x)), He, L = 10: squared gradient",
     "layers=10 width=512 act=relu init=he norm=layer " PRE_NORM, &end_to_end,
     11, MEAN_FIELD, .seeds = 200, .to = 10, .layers = 5},
    {45, "x + W relu(RMS(x)), He, L = 10: squared gradient",
     "layers=10 width=512 act=relu init=he norm=rms " PRE_NORM, &end_to_end,
     11, MEAN_FIELD, .seeds = 200, .to = 10, .layers = 5},
    {48, "LN(x + W relu(x)), He: rate",
     "layers=20 width=512 act=relu init=he norm=layer " POST_NORM, &gradient_rate,
     1, MEAN_FIELD, .seeds = 100, .from = 1, .to = 19},
    {48, "LN(x + W tanh(x)), sw2 = 1: rate",
     "layers=20 width=512 act=tanh init=lecun norm=layer " POST_NORM, &gradient_rate,
     1.050282, MEAN_FIELD, .seeds = 100, .from = 1, .to = 19},
    {48, "LN(x + W sigmoid(x)), sw2 = 1: rate",
     "layers=20 width=512 act=sigmoid init=lecun norm=layer " POST_NORM, &gradient_rate,
     0.807835, MEAN_FIELD, .seeds = 100, .from = 1, .to = 19},

    {50, "ReZero: output over input", REZERO, &output, 1, EXACT, .quick = true},
    {50, "ReZero: largest dW", REZERO, &weight_gradients, 0, EXACT, .quick = true},
    {50, "ReZero: smallest d alpha is not 0", REZERO, &scale_gradients, 0, DIFFERS, .quick = true},
    {50, "ReZero: gain of every block", REZERO, &worst_gain, 1, EXACT, .quick = true},
    {.probe = NULL},
};
/* clang-format on */
