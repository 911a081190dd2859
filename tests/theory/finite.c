/*
 * Rows 34 to 41: what is known at finite width, and the singular values of linear networks. In rows
 * 34 to 37 the growths of layers are independent of each other (weights are Gaussian, so that what
 * matters of a signal is its norm), and each is a value of its own.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "theory.h"

/* ---- Growth of each layer: |a_{l+1}|^2 / |a_l|^2 for l = 1 .. c->values ---- */

static double square_of(const theory_measured *m, size_t layer) {
    return pow(theory_at(m, layer, GS_A_MEAN), 2) + pow(theory_at(m, layer, GS_A_STD), 2);
}

static void sample_log_growths(const theory_case *c, uint64_t seed, double *logs) {
    theory_measured m = theory_measure(theory_network(c->options, NULL, seed));
    for (size_t l = 1; l <= c->values; l++)
        logs[l - 1] = log(square_of(&m, l + 1) / square_of(&m, l));
    free(m.rows);
}

static void sample_growths_squared(const theory_case *c, uint64_t seed, double *squares) {
    sample_log_growths(c, seed, squares);
    for (size_t l = 0; l < c->values; l++)
        squares[l] = exp(2 * squares[l]);
}

/* log |dL/dz_l|^2 / |dL/dz_{l+1}|^2 */
static void sample_log_gains(const theory_case *c, uint64_t seed, double *logs) {
    theory_measured m = theory_measure(theory_network(c->options, NULL, seed));
    for (size_t l = 1; l <= c->values; l++)
        logs[l - 1] = 2 * log(theory_at(&m, l, GS_GAIN));
    free(m.rows);
}

static const theory_probe fourth_moment = {sample_growths_squared, OVER_LAYERS, NULL};
static const theory_probe log_growth = {sample_log_growths, AVERAGE, NULL};
static const theory_probe log_growth_variance = {sample_log_growths, VARIANCE, NULL};
static const theory_probe log_gain = {sample_log_gains, AVERAGE, NULL};
static const theory_probe log_gain_variance = {sample_log_gains, VARIANCE, NULL};

/* ---- Singular values ---- */

static size_t measure_spectrum(const theory_case *c, const char *more, uint64_t seed,
                               double **values) {
    gs_network *network = theory_network(c->options, more, seed);
    size_t count = gs_network_spectrum_size(network);
    double *logs = malloc(count * sizeof *logs);
    gs_spectrum spectrum;
    gs_error error;
    *values = malloc(count * sizeof **values);
    theory_require(gs_measure_spectrum(network, 0, *values, logs, &spectrum, &error), &error,
                   c->what);
    free(logs);
    gs_network_free(network);
    return count;
}

/* tr (J J^T)^2 / n */
static void sample_fourth_powers(const theory_case *c, uint64_t seed, double *mean) {
    double *values, sum = 0;
    size_t count = measure_spectrum(c, NULL, seed, &values);
    for (size_t i = 0; i < count; i++)
        sum += pow(values[i], 4);
    *mean = sum / (double)count;
    free(values);
}

/* The end of a spectrum is approached as n^(-2/3) (Tracy and Widom 1994), slowly (6.095, 6.315,
   6.481 and 6.610 +- .02 at n = 64 to 512, with two layers): what is left from 128 to 256 says
   what is left at 256. */
static void sample_largest_eigenvalue(const theory_case *c, uint64_t seed, double *largest) {
    double *narrow, *wide, step = pow(2, 2.0 / 3);
    measure_spectrum(c, "width=128", seed, &narrow);
    measure_spectrum(c, "width=256", seed, &wide);
    *largest = (step * wide[0] * wide[0] - narrow[0] * narrow[0]) / (step - 1);
    free(narrow);
    free(wide);
}

/* The value that is furthest from the published one. */
static double furthest(const theory_case *c, const double *values, size_t count) {
    double worst = c->published;
    for (size_t i = 0; i < count; i++)
        if (!(fabs(values[i] - c->published) <= fabs(worst - c->published)))
            worst = values[i];
    return worst;
}

static void sample_furthest_value(const theory_case *c, uint64_t seed, double *value) {
    double *values;
    size_t count = measure_spectrum(c, NULL, seed, &values);
    *value = furthest(c, values, count);
    free(values);
}

/* The naive way: the product of the weights, and Jacobi's method on it. */
static void sample_furthest_of_product(const theory_case *c, uint64_t seed, double *value) {
    gs_network *network = theory_network(c->options, NULL, seed);
    size_t n = gs_network_inputs(network);
    double *product = theory_jacobian(network, 10, n), *values = malloc(n * sizeof *values);
    theory_singular_values(product, n, values);
    *value = furthest(c, values, n);
    free(values);
    free(product);
    gs_network_free(network);
}

static const theory_probe fourth_powers = {sample_fourth_powers, AVERAGE, NULL};
static const theory_probe largest_eigenvalue = {sample_largest_eigenvalue, AVERAGE, NULL};
static const theory_probe furthest_value = {sample_furthest_value, AVERAGE, NULL};
static const theory_probe furthest_of_product = {sample_furthest_of_product, AVERAGE, NULL};

/* ---- Cases ---- */

/* clang-format off */
const theory_case finite_cases[] = {
    {34, "ReLU He, fourth moment, (n, L) = (100, 20)",
     "layers=21 width=100 act=relu init=he", &fourth_moment, 2.653298, EXPECTED,
     .seeds = 4000, .values = 20, .to = 20, .detects = 1.2},
    {34, "ReLU He, fourth moment, (n, L) = (256, 50)",
     "layers=51 width=256 act=relu init=he", &fourth_moment, 2.630432, EXPECTED,
     .seeds = 1000, .values = 50, .to = 50, .detects = 1.4},
    {35, "ReLU He, log of the growth, n = 64: mean",
     "layers=41 width=64 act=relu init=he", &log_growth, -0.0401086, EXPECTED,
     .seeds = 2000, .values = 40, .detects = 1.2},
    {35, "ReLU He, log of the growth, n = 64: variance",
     "layers=21 width=64 act=relu init=he", &log_growth_variance, 0.0829974, EXPECTED,
     .seeds = 2000, .values = 20, .detects = 1.1},
    {35, "ReLU He, log of the growth, n = 256: mean",
     "layers=21 width=256 act=relu init=he", &log_growth, -0.0098287, EXPECTED,
     .seeds = 2000, .values = 20, .detects = 1.5},
    {35, "ReLU He, log of the growth, n = 256: variance",
     "layers=21 width=256 act=relu init=he", &log_growth_variance, 0.0198187, EXPECTED,
     .seeds = 2000, .values = 20, .detects = 1.1},
    {37, "linear, log of the gain, n = 64: mean",
     "layers=21 width=64 act=linear init=lecun", &log_gain, -0.0157064, EXPECTED,
     .quick = true, .seeds = 2000, .values = 20, .detects = 1.3},
    {37, "linear, log of the gain, n = 64: variance",
     "layers=21 width=64 act=linear init=lecun", &log_gain_variance, 0.0317434, EXPECTED,
     .seeds = 2000, .values = 20, .detects = 1.1},
    {38, "linear Jacobian, n = 64, L = 10: E tr (J J^T)^2 / n",
     "layers=10 width=64 act=linear init=lecun", &fourth_powers, 11.986831, EXPECTED,
     .seeds = 2000, .detects = 1.1},
    {39, "linear Jacobian, L = 2: largest eigenvalue of J J^T",
     "layers=2 act=linear init=lecun", &largest_eigenvalue, 6.75, MEAN_FIELD,
     .seeds = 350, .layers = 2},
    {39, "linear Jacobian, L = 10: largest eigenvalue of J J^T",
     "layers=10 act=linear init=lecun", &largest_eigenvalue, 28.531167, MEAN_FIELD,
     .seeds = 140, .layers = 10},
    {41, "orthogonal, g = 1.5, L = 10: singular values",
     "layers=10 width=33 act=linear init=orthogonal:1.5", &furthest_value,
     57.6650390625, EXACT, .quick = true},
    {41, "orthogonal, g = 1.5, L = 10: those of the product",
     "layers=10 width=33 act=linear init=orthogonal:1.5", &furthest_of_product,
     57.6650390625, EXACT, .quick = true},
    {41, "orthogonal, g = 1.5, L = 10: squared gradient",
     "layers=10 width=33 act=linear init=orthogonal:1.5", &end_to_end,
     3325.256730079651, EXACT, .quick = true},
    {.probe = NULL},
};
/* clang-format on */
