/*
 * Row 68: how weights are drawn, from one matrix [200, 300].
 */
#include <math.h>
#include <stdlib.h>

#include "theory.h"

enum { ROWS = 200, COLS = 300, COUNT = ROWS * COLS };

static void sample_squares(const theory_case *c, uint64_t seed, double *squares) {
    gs_network *network = theory_network(c->options, NULL, seed);
    double *weight = theory_read(network, COUNT, "layers.1.weight");
    for (size_t i = 0; i < COUNT; i++)
        squares[i] = weight[i] * weight[i];
    free(weight);
    gs_network_free(network);
}

static void sample_weights(const theory_case *c, uint64_t seed, double *values) {
    gs_network *network = theory_network(c->options, NULL, seed);
    double *weight = theory_read(network, COUNT, "layers.1.weight");
    for (size_t i = 0; i < COUNT; i++)
        values[i] = weight[i];
    free(weight);
    gs_network_free(network);
}

/* The worst entry of W^T W / g^2 - I, or of W W^T where W is wide; `to` is the rows, `from` the
   columns. */
static void sample_distance_from_orthogonal(const theory_case *c, uint64_t seed, double *worst) {
    gs_network *network = theory_network(c->options, NULL, seed);
    size_t rows = c->to, cols = c->from;
    double *w = theory_read(network, rows * cols, "layers.1.weight");
    size_t vectors = rows >= cols ? cols : rows, length = rows >= cols ? rows : cols;
    size_t step = rows >= cols ? cols : 1, next = rows >= cols ? 1 : cols;
    *worst = 0;
    for (size_t i = 0; i < vectors; i++)
        for (size_t j = 0; j < vectors; j++) {
            double sum = 0;
            for (size_t k = 0; k < length; k++)
                sum += w[i * next + k * step] * w[j * next + k * step];
            double here = fabs(sum / 2.25 - (i == j));
            if (!(here <= *worst))
                *worst = here;
        }
    free(w);
    gs_network_free(network);
}

static const theory_probe weight_mean = {sample_weights, AVERAGE, NULL};
static const theory_probe weight_variance = {sample_squares, AVERAGE, NULL};
static const theory_probe weight_limit = {sample_weights, LARGEST, NULL};
static const theory_probe from_orthogonal = {sample_distance_from_orthogonal, AVERAGE, NULL};

#define MATRIX "layers=1 inputs=300 outputs=200 init="

/* clang-format off */
const theory_case initial_cases[] = {
    {68, "Xavier normal: mean", MATRIX "xavier-normal", &weight_mean,
     0, EXPECTED, .quick = true, .values = COUNT, .detects = 1.002},
    {68, "Xavier normal: variance 2/(in + out)", MATRIX "xavier-normal", &weight_variance,
     2.0 / 500, EXPECTED, .quick = true, .values = COUNT},
    {68, "Xavier uniform: variance 2/(in + out)", MATRIX "xavier-uniform", &weight_variance,
     2.0 / 500, EXPECTED, .quick = true, .values = COUNT},
    {68, "Xavier uniform: limit sqrt(6/(in + out))", MATRIX "xavier-uniform", &weight_limit,
     0.109544511501033, EXPECTED, .quick = true, .values = COUNT},
    {68, "He normal: variance 2/in", MATRIX "he-normal", &weight_variance,
     2.0 / 300, EXPECTED, .quick = true, .values = COUNT},
    {68, "He uniform: variance 2/in", MATRIX "he-uniform", &weight_variance,
     2.0 / 300, EXPECTED, .quick = true, .values = COUNT},
    {68, "He uniform: limit sqrt(6/in)", MATRIX "he-uniform", &weight_limit,
     0.141421356237310, EXPECTED, .quick = true, .values = COUNT},
    {68, "LeCun normal: variance 1/in", MATRIX "lecun-normal", &weight_variance,
     1.0 / 300, EXPECTED, .quick = true, .values = COUNT},
    {68, "LeCun uniform: limit sqrt(3/in)", MATRIX "lecun-uniform", &weight_limit,
     0.1, EXPECTED, .quick = true, .values = COUNT},
    {68, "torch: limit sqrt(1/in)", MATRIX "torch", &weight_limit,
     0.057735026918963, EXPECTED, .quick = true, .values = COUNT},
    {68, "scaled:1.3: variance 1.69/in", MATRIX "scaled:1.3", &weight_variance,
     1.69 / 300, EXPECTED, .quick = true, .values = COUNT},
    {68, "normal:.2: variance .04", MATRIX "normal:0.2", &weight_variance,
     0.04, EXPECTED, .quick = true, .values = COUNT},
    {68, "uniform:.2: limit .2", MATRIX "uniform:0.2", &weight_limit,
     0.2, EXPECTED, .quick = true, .values = COUNT},
    {68, "orthogonal:1.5, 16 x 16: W^T W / g^2 - I",
     "layers=1 inputs=16 outputs=16 init=orthogonal:1.5", &from_orthogonal,
     0, EXACT, .quick = true, .from = 16, .to = 16},
    {68, "orthogonal:1.5, 20 x 11: W^T W / g^2 - I",
     "layers=1 inputs=11 outputs=20 init=orthogonal:1.5", &from_orthogonal,
     0, EXACT, .quick = true, .from = 11, .to = 20},
    {68, "orthogonal:1.5, 9 x 30: W W^T / g^2 - I",
     "layers=1 inputs=30 outputs=9 init=orthogonal:1.5", &from_orthogonal,
     0, EXACT, .quick = true, .from = 30, .to = 9},
    {68, "orthogonal:1.5, 1 x 7: W W^T / g^2 - I",
     "layers=1 inputs=7 outputs=1 init=orthogonal:1.5", &from_orthogonal,
     0, EXACT, .quick = true, .from = 7, .to = 1},
    {.probe = NULL},
};
/* clang-format on */
