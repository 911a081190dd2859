/*
 * Rows 1 to 23: plain networks at infinite width. q1 is set by a constant input: with x_0 = c every
 * z_1 is N(0, sw2 c^2 + sb2) exactly. Initialisations are "scaled:SW" with SW the root of sw2, and
 * the bias is "normal:SB". The readout after the last layer is random as W^T would make it, but the
 * gradient is measured between layers all the same.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "theory.h"

/* ---- Probes ---- */

static void sample_activation_mean(const theory_case *c, uint64_t seed, double *mean) {
    theory_measured m = theory_measure(theory_network(c->options, NULL, seed));
    *mean = theory_at(&m, c->to, GS_A_MEAN);
    free(m.rows);
}

static void sample_activation_variance(const theory_case *c, uint64_t seed, double *variance) {
    theory_measured m = theory_measure(theory_network(c->options, NULL, seed));
    *variance = pow(theory_at(&m, c->to, GS_A_STD), 2);
    free(m.rows);
}

/* sw2 and sb2 of row 8. */
#define SWISH "layers=2 width=1024 act=swish init=scaled:1.409966198 bias=normal:0.7450793045"

/* q_2 of the network SWISH that has this q_1. */
static double square_after(double q, uint64_t seed) {
    char input[64];
    snprintf(input, sizeof input, "input=constant:%.17g", sqrt((q - 0.55514317) / 1.98800468));
    theory_measured m = theory_measure(theory_network(SWISH, input, seed));
    double square = pow(theory_at(&m, 2, GS_Z_MEAN), 2) + pow(theory_at(&m, 2, GS_Z_STD), 2);
    free(m.rows);
    return square;
}

/* dq'/dq at q*, from the same weights at 1.05 q* and .95 q*: that of the map is .999994. */
static void sample_slope_of_map(const theory_case *c, uint64_t seed, double *slope) {
    double q = 14.32017362;
    (void)c;
    *slope = (square_after(1.05 * q, seed) - square_after(0.95 * q, seed)) / (0.1 * q);
}

static void sample_singular_values(const theory_case *c, uint64_t seed, double *mean) {
    enum { N = 256 };
    gs_network *network = theory_network(c->options, NULL, seed);
    double *weight = theory_read(network, N * N, "layers.1.weight"), values[N], sum = 0;
    theory_singular_values(weight, N, values);
    for (size_t i = 0; i < N; i++)
        sum += values[i];
    *mean = sum / N;
    free(weight);
    gs_network_free(network);
}

/* 1 - rho of two inputs that are orthogonal: the gradients of a linear head, r x for example x,
   have the cosine of what enters it, which is E phi phi over E phi^2, the next rho. */
static void sample_distance_of_examples(const theory_case *c, uint64_t seed, double *distance) {
    gs_network *network = theory_network(c->options, NULL, seed);
    size_t width = gs_network_inputs(network);
    double *input = calloc(2 * width, sizeof *input);
    gs_error error;
    for (size_t i = 0; i < width; i++)
        input[i + (i % 2) * width] = 1;
    theory_require(gs_network_set_batch(network, input, NULL, NULL, &error), &error, c->what);
    free(input);
    theory_measured m = theory_measure(network);
    *distance = 1 - theory_at(&m, c->to + 1, GS_GRAD_CORR);
    free(m.rows);
}

/* Of the head, whose input is what the last layer makes. */
static double predict_distance_of_examples(const theory_case *c) {
    theory_predicted p = theory_predict_case(c);
    double correlation = p.layers[c->to].correlation;
    free(p.layers);
    return 1 - correlation;
}

/* The edge of chaos for the activation and sb of a case, its last point where there are more. */
static gs_critical_point critical_point(const theory_case *c) {
    enum { ROOM = 8 };
    gs_critical_point points[ROOM];
    size_t count = 0;
    gs_error error = {GS_ERR_USAGE, "no such point"};
    gs_config *config = theory_config(c->options, NULL, 1);
    char act[64], bias[64];
    theory_require(gs_config_get(config, "act", act, sizeof act, &error), &error, c->what);
    theory_require(gs_config_get(config, "bias", bias, sizeof bias, &error), &error, c->what);
    gs_config_free(config);
    double sigma_b = strtod(bias + sizeof "normal:" - 1, NULL);
    theory_require(gs_find_critical(act, (double)NAN, sigma_b, ROOM, points, &count, &error),
                   &error, c->what);
    theory_require(count > 0 ? GS_OK : GS_ERR_USAGE, &error, c->what);
    return points[count - 1];
}

static double predict_critical_weight(const theory_case *c) {
    return pow(critical_point(c).sigma_w, 2);
}

static double predict_critical_deviation(const theory_case *c) {
    return critical_point(c).sigma_w;
}

static double predict_critical_square(const theory_case *c) {
    return critical_point(c).fixed_q;
}

static double predict_critical_slope(const theory_case *c) {
    return critical_point(c).slope;
}

static const theory_probe activation_mean = {sample_activation_mean, AVERAGE, NULL};
static const theory_probe activation_variance = {sample_activation_variance, AVERAGE, NULL};
static const theory_probe slope_of_map = {sample_slope_of_map, AVERAGE, predict_critical_slope};
static const theory_probe critical_weight = {NULL, AVERAGE, predict_critical_weight};
static const theory_probe critical_deviation = {NULL, AVERAGE, predict_critical_deviation};
static const theory_probe critical_square = {NULL, AVERAGE, predict_critical_square};
static const theory_probe mean_singular_value = {sample_singular_values, AVERAGE, NULL};
static const theory_probe distance_of_examples = {sample_distance_of_examples, AVERAGE,
                                                  predict_distance_of_examples};

/* ---- Cases ---- */

#define TANH "width=512 act=tanh bias=normal:0.2236067977 "

/* clang-format off */
const theory_case field_cases[] = {
    {1, "tanh critical at sb2 = .05: sw2", TANH, &critical_weight, 1.760955, MEAN_FIELD,
     .quick = true},
    {1, "tanh critical at sb2 = .05: q*", TANH, &critical_square, 0.570048, MEAN_FIELD,
     .quick = true},
    {1, "tanh critical: q*",
     "layers=8 " TANH "init=scaled:1.327009796 input=constant:0.543435", &preactivation_square,
     0.570048, MEAN_FIELD, .seeds = 700, .to = 8},
    {1, "tanh critical: rate",
     "layers=20 " TANH "init=scaled:1.327009796 input=constant:0.543435", &gradient_rate,
     1, MEAN_FIELD, .seeds = 100, .from = 1, .to = 20},
    {1, "tanh, 5 % above critical: rate",
     "layers=30 " TANH "init=scaled:1.359780405 input=constant:0.543435", &gradient_rate,
     1, DIFFERS, .seeds = 150, .from = 10, .to = 30},
    {1, "tanh, 5 % below critical: rate",
     "layers=30 " TANH "init=scaled:1.293411323 input=constant:0.543435", &gradient_rate,
     1, DIFFERS, .seeds = 150, .from = 10, .to = 30},
    {2, "tanh sw2 = 1: q*",
     "layers=8 " TANH "init=scaled:1 input=constant:0.378937", &preactivation_square,
     0.193593, MEAN_FIELD, .seeds = 700, .to = 8},
    {2, "tanh sw2 = 1: rate",
     "layers=20 " TANH "init=scaled:1 input=constant:0.378937", &gradient_rate,
     0.759032, MEAN_FIELD, .seeds = 100, .from = 1, .to = 20},
    {2, "tanh sw2 = 1.3: q*",
     "layers=8 " TANH "init=scaled:1.140175425 input=constant:0.451762", &preactivation_square,
     0.315316, MEAN_FIELD, .seeds = 700, .to = 8},
    {2, "tanh sw2 = 1.3: rate",
     "layers=20 " TANH "init=scaled:1.140175425 input=constant:0.451762", &gradient_rate,
     0.880164, MEAN_FIELD, .seeds = 100, .from = 1, .to = 20},
    {2, "tanh sw2 = 2.5: q*",
     "layers=8 " TANH "init=scaled:1.58113883 input=constant:0.636854", &preactivation_square,
     1.063958, MEAN_FIELD, .seeds = 700, .to = 8},
    {2, "tanh sw2 = 2.5: rate",
     "layers=20 " TANH "init=scaled:1.58113883 input=constant:0.636854", &gradient_rate,
     1.133516, MEAN_FIELD, .seeds = 100, .from = 1, .to = 20},
    {2, "tanh sw2 = 4: q*",
     "layers=8 " TANH "init=scaled:2 input=constant:0.732375", &preactivation_square,
     2.195494, MEAN_FIELD, .seeds = 700, .to = 8},
    {2, "tanh sw2 = 4: rate",
     "layers=20 " TANH "init=scaled:2 input=constant:0.732375", &gradient_rate,
     1.342402, MEAN_FIELD, .seeds = 100, .from = 1, .to = 20},
    {4, "tanh critical at sb2 = 2.00587e-5: sw2", "act=tanh bias=normal:0.004478694",
     &critical_weight, 1.049961, MEAN_FIELD, .quick = true},
    {4, "tanh critical at sb2 = 2.00587e-5: q*", "act=tanh bias=normal:0.004478694",
     &critical_square, 0.0259, MEAN_FIELD, .quick = true},
    {4, "tanh critical at q* = .0259: q*",
     "layers=20 width=512 act=tanh init=scaled:1.024676046 bias=normal:0.004478694 "
     "input=constant:0.156998", &preactivation_square,
     0.0259, MEAN_FIELD, .seeds = 500, .to = 20, .layers = 3},
    {4, "tanh critical at q* = .0259: rate",
     "layers=20 width=512 act=tanh init=scaled:1.024676046 bias=normal:0.004478694 "
     "input=constant:0.156998", &gradient_rate,
     1, MEAN_FIELD, .seeds = 100, .from = 1, .to = 20},
    {6, "tanh critical at sb = .2: sw", "act=tanh bias=normal:0.2", &critical_deviation,
     1.304146, MEAN_FIELD, .quick = true},
    {6, "tanh critical, sb = .2: rate",
     "layers=30 width=512 act=tanh init=scaled:1.304146 bias=normal:0.2 input=constant:0.526843",
     &gradient_rate, 1, MEAN_FIELD, .seeds = 100, .from = 10, .to = 30},
    {6, "tanh, sb = .2, 5 % above critical: rate",
     "layers=30 width=512 act=tanh init=scaled:1.336351985 bias=normal:0.2 input=constant:0.5",
     &gradient_rate, 1, DIFFERS, .seeds = 150, .from = 10, .to = 30},
    {8, "swish critical at sb2 = .55514317: sw2", SWISH, &critical_weight,
     1.98800468, MEAN_FIELD, .quick = true},
    {8, "swish critical at sb2 = .55514317: q*", SWISH, &critical_square,
     14.32017362, MEAN_FIELD, .quick = true},
    {8, "swish critical: q*",
     "layers=5 width=1024 act=swish init=scaled:1.409966198 bias=normal:0.7450793045 "
     "input=constant:2.6313577", &preactivation_square,
     14.32017362, MEAN_FIELD, .seeds = 300, .to = 5, .layers = 3},
    {8, "swish critical: rate",
     "layers=10 width=512 act=swish init=scaled:1.409966198 bias=normal:0.7450793045 "
     "input=constant:2.6313577", &gradient_rate,
     1, MEAN_FIELD, .seeds = 250, .from = 1, .to = 10},
    {8, "swish critical: dq'/dq", SWISH, &slope_of_map, 1, MEAN_FIELD, .seeds = 800},
    {10, "tanh sw2 = 1 from q1 = 1, L = 10: q",
     "layers=11 width=1024 act=tanh init=lecun input=constant:1", &preactivation_square,
     0.0522001, MEAN_FIELD, .seeds = 150, .to = 11, .layers = 10},
    {10, "tanh sw2 = 1 from q1 = 1, L = 10: g",
     "layers=11 width=1024 act=tanh init=lecun input=constant:1", &gradient_factor,
     0.0713697, MEAN_FIELD, .seeds = 150, .from = 1, .to = 11, .layers = 10},
    {10, "tanh sw2 = 1 from q1 = 1, L = 50: q",
     "layers=51 width=1024 act=tanh init=lecun input=constant:1", &preactivation_square,
     0.0102193, MEAN_FIELD, .seeds = 60, .to = 51, .layers = 20},
    {10, "tanh sw2 = 1 from q1 = 1, L = 50: g",
     "layers=51 width=1024 act=tanh init=lecun input=constant:1", &gradient_factor,
     0.0143348, MEAN_FIELD, .seeds = 80, .from = 1, .to = 51, .layers = 20},
    {12, "sigmoid Xavier: q*",
     "layers=6 width=512 act=sigmoid init=xavier input=constant:0.514477", &preactivation_square,
     0.264687, MEAN_FIELD, .seeds = 400, .to = 6},
    {12, "sigmoid Xavier: rate",
     "layers=20 width=512 act=sigmoid init=xavier input=constant:0.514477", &gradient_rate,
     0.0557207, MEAN_FIELD, .seeds = 100, .from = 1, .to = 20},
    {12, "sigmoid Xavier from q1 = 1: g_10",
     "layers=11 width=512 act=sigmoid init=xavier input=constant:1", &gradient_factor,
     2.29539e-13, MEAN_FIELD, .quick = true, .seeds = 40, .from = 1, .to = 11, .layers = 10},
    /* q wanders by 1/n, and the slower it falls the more of it is left: the mean is above that of
       infinite width by some 160/n, which at n = 1024 is more than 1 % a layer. Measured for g: n =
       256 93 %, 512 38 %, 1024 15 %, 2048 9 %. So 2 % a layer are allowed. */
    {13, "GELU He from q1 = 1, L = 10: q",
     "layers=11 width=1024 act=gelu init=he input=constant:0.70710678", &preactivation_square,
     0.0292563, MEAN_FIELD, .seeds = 150, .to = 11, .layers = 20},
    {13, "GELU He from q1 = 1, L = 10: g",
     "layers=11 width=1024 act=gelu init=he input=constant:0.70710678", &gradient_factor,
     0.0533152, MEAN_FIELD, .seeds = 150, .from = 1, .to = 11, .layers = 20},
    {16, "SELU LeCun: mean of the activation",
     "layers=8 width=512 act=selu init=lecun input=constant:1", &activation_mean,
     0, MEAN_FIELD, .seeds = 300, .to = 8},
    {16, "SELU LeCun: variance of the activation",
     "layers=8 width=512 act=selu init=lecun input=constant:1", &activation_variance,
     1, MEAN_FIELD, .seeds = 900, .to = 8},
    {16, "SELU LeCun: rate",
     "layers=20 width=512 act=selu init=lecun input=constant:1", &gradient_rate,
     1.07157499, MEAN_FIELD, .seeds = 100, .from = 1, .to = 20},
    {17, "ReLU He: rate",
     "layers=5 width=64 act=relu init=he", &end_to_end_rate,
     1, EXPECTED, .quick = true, .seeds = 2000, .to = 5},
    {17, "ReLU Xavier: 2^-5",
     "layers=5 width=64 act=relu init=xavier", &end_to_end,
     0x1p-5, EXPECTED, .seeds = 2000, .to = 5, .detects = 1.1},
    {17, "ReLU Xavier, sb = .5: 2^-5",
     "layers=5 width=64 act=relu init=xavier bias=normal:0.5", &end_to_end,
     0x1p-5, EXPECTED, .seeds = 2000, .to = 5, .detects = 1.1},
    {18, "leaky ReLU, slope .2, sw2 = 2: rate",
     "layers=5 width=64 act=leaky-relu:0.2 init=he", &end_to_end_rate,
     1.04, EXPECTED, .seeds = 2000, .to = 5},
    {18, "leaky ReLU, slope .8, sw2 = 2: rate 1 + .8^2",
     "layers=5 width=64 act=leaky-relu:0.8 init=he", &end_to_end_rate,
     1.64, EXPECTED, .seeds = 2000, .to = 5},
    {19, "U(+-1/sqrt n), linear: rate",
     "layers=10 width=32 act=linear init=torch", &end_to_end_rate,
     1.0 / 3, EXPECTED, .quick = true, .seeds = 2000, .to = 10},
    {21, "mean singular value of a Gaussian layer",
     "layers=1 width=256 act=linear init=lecun", &mean_singular_value,
     0.848826363, MEAN_FIELD, .seeds = 20},
    {23, "ReLU He, orthogonal inputs, 10 layers: 1 - rho",
     "layers=10 width=512 batch=2 act=relu init=he head=on", &distance_of_examples,
     1 - 0.87153552, MEAN_FIELD, .seeds = 300, .to = 10, .layers = 5},
    {23, "ReLU He, orthogonal inputs, 50 layers: 1 - rho",
     "layers=50 width=512 batch=2 act=relu init=he head=on", &distance_of_examples,
     1 - 0.98786194, MEAN_FIELD, .seeds = 150, .to = 50, .layers = 20},
    {.probe = NULL},
};
/* clang-format on */
