/*
 * Rows 51 to 68: small networks whose numbers anyone can work out. Published values that the
 * collection rounds stand here with all their digits.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "theory.h"

/* ---- Rows 51 and 52: weights and biases by hand ---- */

/* |dL/dx_0| / |dL/dx_L| */
static double gradient_gain(gs_network *network) {
    theory_measured m = theory_measure(network);
    double gain = pow(10, m.summary.ratio_log10);
    free(m.rows);
    return gain;
}

static void sample_nilpotent(const theory_case *c, uint64_t seed, double *gain) {
    static const double odd[] = {0, 2, 0, 0}, even[] = {0, 0, 2, 0}, readout[] = {0, 1};
    gs_network *network = theory_network(c->options, NULL, seed);
    for (size_t l = 1; l <= 10; l++)
        theory_write(network, l % 2 ? odd : even, 4, "layers.%zu.weight", l);
    theory_write(network, readout, 2, "readout");
    *gain = gradient_gain(network);
}

/* A bias of -.5 meets the sigmoid(0) of the layer below. */
static void sample_sigmoids_at_zero(const theory_case *c, uint64_t seed, double *gain) {
    static const double minus_half[] = {-0.5, -0.5, -0.5};
    gs_network *network = theory_network(c->options, NULL, seed);
    for (size_t l = 2; l <= 10; l++)
        theory_write(network, minus_half, 3, "layers.%zu.bias", l);
    *gain = gradient_gain(network);
}

static const theory_probe nilpotent = {sample_nilpotent, AVERAGE, NULL};
static const theory_probe sigmoids_at_zero = {sample_sigmoids_at_zero, AVERAGE, NULL};

/* ---- Rows 53 to 56: chains of single units with the loss sum, which is the output ---- */

static void sample_chain_output(const theory_case *c, uint64_t seed, double *loss) {
    gs_network *network = theory_network(c->options, NULL, seed);
    gs_error error;
    theory_require(gs_network_forward(network, loss, &error), &error, c->what);
    gs_network_free(network);
}

static void sample_chain_derivative(const theory_case *c, uint64_t seed, double *derivative) {
    *derivative = gradient_gain(theory_network(c->options, NULL, seed));
}

/* Far from the input the signal is at a = phi(c a). */
static void sample_fixed_point(const theory_case *c, uint64_t seed, double *activation) {
    theory_measured m = theory_measure(theory_network(c->options, NULL, seed));
    *activation = theory_at(&m, c->to, GS_A_MEAN);
    free(m.rows);
}

static void sample_gain(const theory_case *c, uint64_t seed, double *gain) {
    theory_measured m = theory_measure(theory_network(c->options, NULL, seed));
    *gain = theory_at(&m, c->to, GS_GAIN);
    free(m.rows);
}

static const theory_probe chain_output = {sample_chain_output, AVERAGE, NULL};
static const theory_probe chain_derivative = {sample_chain_derivative, AVERAGE, NULL};
static const theory_probe fixed_point = {sample_fixed_point, AVERAGE, NULL};
static const theory_probe gain = {sample_gain, AVERAGE, NULL};

/* ---- Rows 57 and 67: identities of gradients ---- */

typedef struct {
    double sum, size; /* and what the sum is small or large against */
} inner;

static inner inner_product(const double *x, const double *y, size_t count, size_t stride) {
    inner total = {0, 0};
    for (size_t i = 0; i < count; i++) {
        total.sum += x[i * stride] * y[i * stride];
        total.size += fabs(x[i * stride] * y[i * stride]);
    }
    return total;
}

/* Both are nothing for a unit that is dead. */
static double difference(inner x, inner y) {
    return x.size + y.size == 0 ? 0 : fabs(x.sum - y.sum) / (x.size + y.size);
}

static double worse(double x, double y) {
    return x >= y || isnan(x) ? x : y;
}

enum { BALANCE_WIDTH = 7, BALANCE_LAYERS = 5 };

/* The worst difference between <W_l, dW_l> of neighbours, and between what enters a hidden unit and
   what leaves it. */
static double worst_imbalance(const theory_case *c, const char *loss, uint64_t seed) {
    enum { N = BALANCE_WIDTH, SIZE = N * N };
    gs_network *network = theory_network(c->options, loss, seed);
    gs_error error;
    double *weight[BALANCE_LAYERS], *grad[BALANCE_LAYERS], worst = 0;
    theory_require(gs_network_keep_gradients(network, &error), &error, c->what);
    theory_require(gs_network_forward(network, NULL, &error), &error, c->what);
    theory_require(gs_network_backward(network, &error), &error, c->what);
    for (size_t l = 0; l < BALANCE_LAYERS; l++) {
        weight[l] = theory_read(network, SIZE, "layers.%zu.weight", l + 1);
        grad[l] = theory_read(network, SIZE, "layers.%zu.weight.grad", l + 1);
    }
    for (size_t l = 1; l < BALANCE_LAYERS; l++) {
        worst = worse(difference(inner_product(weight[l - 1], grad[l - 1], SIZE, 1),
                                 inner_product(weight[l], grad[l], SIZE, 1)),
                      worst);
        for (size_t u = 0; u < N; u++)
            worst =
                worse(difference(inner_product(weight[l - 1] + u * N, grad[l - 1] + u * N, N, 1),
                                 inner_product(weight[l] + u, grad[l] + u, N, N)),
                      worst);
    }
    for (size_t l = 0; l < BALANCE_LAYERS; l++) {
        free(weight[l]);
        free(grad[l]);
    }
    gs_network_free(network);
    return worst;
}

static void sample_imbalance(const theory_case *c, uint64_t seed, double *worst) {
    static const char *const losses[] = {"loss=mse", "loss=ce", "loss=sum", "loss=random"};
    *worst = 0;
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++)
        *worst = worse(worst_imbalance(c, losses[i], seed), *worst);
}

/* |dW_l| over |d_l| |a_{l-1}| for one example, that is furthest from 1. */
static void sample_outer_product(const theory_case *c, uint64_t seed, double *ratio) {
    enum { INPUTS = 9, N = 13 };
    gs_network *network = theory_network(c->options, NULL, seed);
    double *x = theory_read(network, INPUTS, "input");
    double squares = inner_product(x, x, INPUTS, 1).sum;
    theory_measured m = theory_measure(network);
    *ratio = 1;
    for (size_t l = 1; l <= 6; l++) {
        double log10_of_ratio =
            theory_at(&m, l, GS_GRAD_W_LOG10) - theory_at(&m, l, GS_GRAD_Z_LOG10);
        double here = pow(10, log10_of_ratio) / sqrt(squares);
        if (!(fabs(here - 1) <= fabs(*ratio - 1)))
            *ratio = here;
        squares = N * (pow(theory_at(&m, l, GS_A_MEAN), 2) + pow(theory_at(&m, l, GS_A_STD), 2));
    }
    free(x);
    free(m.rows);
}

static const theory_probe imbalance = {sample_imbalance, AVERAGE, NULL};
static const theory_probe outer_product = {sample_outer_product, AVERAGE, NULL};

/* ---- Row 65: dW = (3, 4), db = 0; of two examples the first pulls one way, the other back ---- */

static theory_measured measure_three_four(const theory_case *c) {
    static const double weight[] = {0, 0}, input[] = {3, 4, 0, 0}, target[] = {-1, 1};
    gs_network *network = theory_network(c->options, NULL, 1);
    gs_error error;
    theory_write(network, weight, 2, "layers.1.weight");
    theory_require(gs_network_set_batch(network, input, target, NULL, &error), &error, c->what);
    return theory_measure(network);
}

static void sample_norm_before(const theory_case *c, uint64_t seed, double *norm) {
    theory_measured m = measure_three_four(c);
    (void)seed;
    *norm = theory_at(&m, 1, GS_GRAD_W);
    free(m.rows);
}

static void sample_norm_after(const theory_case *c, uint64_t seed, double *norm) {
    theory_measured m = measure_three_four(c);
    (void)seed;
    *norm = pow(10, theory_at(&m, 1, GS_GRAD_CLIPPED_LOG10));
    free(m.rows);
}

/* One factor for the whole of dW: the entries are 3 and 4 of these. */
static void sample_clip_scale(const theory_case *c, uint64_t seed, double *scale) {
    theory_measured m = measure_three_four(c);
    (void)seed;
    *scale = theory_at(&m, 1, GS_CLIP_SCALE);
    free(m.rows);
}

static const theory_probe norm_before = {sample_norm_before, AVERAGE, NULL};
static const theory_probe norm_after = {sample_norm_after, AVERAGE, NULL};
static const theory_probe clip_scale = {sample_clip_scale, AVERAGE, NULL};

/* ---- Row 66: a head of zeros makes equal logits ---- */

static gs_network *equal_logits(const theory_case *c) {
    static const double zeros[10 * 8];
    gs_network *network = theory_network(c->options, NULL, 1);
    theory_write(network, zeros, 80, "head.weight");
    return network;
}

static void sample_loss_of_equals(const theory_case *c, uint64_t seed, double *loss) {
    gs_network *network = equal_logits(c);
    gs_error error;
    (void)seed;
    theory_require(gs_network_forward(network, loss, &error), &error, c->what);
    gs_network_free(network);
}

static void sample_gradient_of_equals(const theory_case *c, uint64_t seed, double *norm) {
    theory_measured m = theory_measure(equal_logits(c));
    (void)seed;
    *norm = pow(10, theory_at(&m, 3, GS_GRAD_Z_LOG10));
    free(m.rows);
}

static const theory_probe loss_of_equals = {sample_loss_of_equals, AVERAGE, NULL};
static const theory_probe gradient_of_equals = {sample_gradient_of_equals, AVERAGE, NULL};

/* ---- Cases ---- */

#define CHAIN "width=1 loss=sum init=identity:1 "
#define SIGMOID CHAIN "act=sigmoid input=constant:0 "
#define LONG "layers=90 width=3 input=constant:0.5 "
#define BALANCE "layers=5 width=7 batch=6 init=he "
#define THREE_FOUR "layers=1 inputs=2 outputs=1 batch=2 act=linear loss=mse "

/* clang-format off */
const theory_case exact_cases[] = {
    {51, "matrices without eigenvalues: gain 2^10", "layers=10 width=2 act=linear", &nilpotent,
     1024, EXACT, .quick = true},
    {52, "ten sigmoids at 0: .25^10",
     "layers=10 width=3 act=sigmoid init=identity input=constant:0", &sigmoids_at_zero,
     0x1p-20, EXACT, .quick = true},
    {53, "sigmoid chain, L = 1: out", SIGMOID "layers=1", &chain_output, 0.5, EXACT, .quick = true},
    {53, "sigmoid chain, L = 1: derivative", SIGMOID "layers=1", &chain_derivative,
     0.25, EXACT, .quick = true},
    {53, "sigmoid chain, L = 2: out", SIGMOID "layers=2", &chain_output,
     0.62245933120185456464, EXACT, .quick = true},
    {53, "sigmoid chain, L = 2: derivative", SIGMOID "layers=2", &chain_derivative,
     0.058750928050398622267, EXACT, .quick = true},
    {53, "sigmoid chain, L = 3: out", SIGMOID "layers=3", &chain_output,
     0.65077767821470037706, EXACT, .quick = true},
    {53, "sigmoid chain, L = 3: derivative", SIGMOID "layers=3", &chain_derivative,
     0.013352093804827869644, EXACT, .quick = true},
    {53, "sigmoid chain, L = 10: derivative", SIGMOID "layers=10", &chain_derivative,
     3.8752202320832606065e-7, EXACT, .quick = true},
    {54, "sigmoid, c = 1: fixed point", LONG "act=sigmoid init=identity:1", &fixed_point,
     0.65904606840740666098, EXACT, .quick = true, .to = 80},
    {54, "sigmoid, c = 1: gain", LONG "act=sigmoid init=identity:1", &gain,
     0.22470434812414652082, EXACT, .quick = true, .to = 80},
    {54, "sigmoid, c = 2: fixed point", LONG "act=sigmoid init=identity:2", &fixed_point,
     0.84394699941423683968, EXACT, .quick = true, .to = 80},
    {54, "sigmoid, c = 2: gain", LONG "act=sigmoid init=identity:2", &gain,
     0.26340092318788592612, EXACT, .quick = true, .to = 80},
    {55, "tanh, c = 1.5: fixed point", LONG "act=tanh init=identity:1.5", &fixed_point,
     0.85855963664011036215, EXACT, .quick = true, .to = 80},
    {55, "tanh, c = 1.5: gain", LONG "act=tanh init=identity:1.5", &gain,
     0.39431302549860249681, EXACT, .quick = true, .to = 80},
    {56, "tanh chain from 1, L = 10: out", CHAIN "layers=10 act=tanh input=constant:1",
     &chain_output, 0.35625016733262494905, EXACT, .quick = true},
    {56, "tanh chain from 1, L = 10: derivative", CHAIN "layers=10 act=tanh input=constant:1",
     &chain_derivative, 0.040912041969128824433, EXACT, .quick = true},
    {56, "SELU chain from 1, L = 10: out", CHAIN "layers=10 act=selu input=constant:1",
     &chain_output, 1.6398019695032258932, EXACT, .quick = true},
    {56, "SELU chain from 1, L = 10: derivative", CHAIN "layers=10 act=selu input=constant:1",
     &chain_derivative, 1.6398019695032258932, EXACT, .quick = true},
    {57, "linear: <W, dW> of layers and units", BALANCE "act=linear", &imbalance,
     0, EXACT, .quick = true},
    {57, "ReLU: <W, dW> of layers and units", BALANCE "act=relu", &imbalance,
     0, EXACT, .quick = true},
    {57, "leaky ReLU: <W, dW> of layers and units", BALANCE "act=leaky-relu:0.1", &imbalance,
     0, EXACT, .quick = true},
    {57, "tanh: <W, dW> of layers and units is not", BALANCE "act=tanh", &imbalance,
     0, DIFFERS, .quick = true},
    {65, "dW = (3, 4): norm before", THREE_FOUR "clip=norm:1", &norm_before,
     5, EXACT, .quick = true},
    {65, "dW = (3, 4), c = 1: norm after", THREE_FOUR "clip=norm:1", &norm_after,
     1, EXACT, .quick = true},
    {65, "dW = (3, 4), c = 1: scale", THREE_FOUR "clip=norm:1", &clip_scale,
     0.2, EXACT, .quick = true},
    {65, "dW = (3, 4), c = 6: scale", THREE_FOUR "clip=norm:6", &clip_scale,
     1, EXACT, .quick = true},
    {66, "cross-entropy of ten equal logits: loss", "layers=2 width=8 outputs=10 loss=ce",
     &loss_of_equals, 2.302585092994045684, EXACT, .quick = true},
    {66, "cross-entropy of ten equal logits: |p - y|", "layers=2 width=8 outputs=10 loss=ce",
     &gradient_of_equals, 0.9486832980505137996, EXACT, .quick = true},
    {67, "one example: |dW| / (|d| |a|)",
     "layers=6 width=13 inputs=9 outputs=13 act=gelu loss=mse", &outer_product,
     1, EXACT, .quick = true},
    {.probe = NULL},
};
/* clang-format on */
