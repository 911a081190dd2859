/*
 * Networks for the cases: made, measured, read and written; a failure ends the program.
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "theory.h"

void theory_require(gs_status status, const gs_error *error, const char *what) {
    if (status == GS_OK)
        return;
    printf("not ok - %s # %s\n", what, error->message);
    exit(1);
}

void theory_require_memory(const void *block) {
    gs_error error = {GS_ERR_MEMORY, "no memory"};
    theory_require(block ? GS_OK : GS_ERR_MEMORY, &error, "memory");
}

/* ---- Made ---- */

static void set_options(gs_config *config, const char *options) {
    char line[512], *rest = line, *word;
    gs_error error;
    snprintf(line, sizeof line, "%s", options);
    while ((word = strtok_r(rest, " ", &rest))) {
        char *value = strchr(word, '=');
        *value++ = '\0';
        theory_require(gs_config_set(config, word, value, &error), &error, options);
    }
}

/* The loss random does not depend on x_L, so that nothing but the layers is in a gradient; without
   eps a norm has no scale of its own. */
gs_config *theory_config(const char *options, const char *more, uint64_t seed) {
    gs_error error;
    gs_config *config = gs_config_new(&error);
    char line[64];
    theory_require_memory(config);
    set_options(config, "threads=1 batch=1 loss=random norm-eps=0");
    set_options(config, options);
    set_options(config, more ? more : "");
    snprintf(line, sizeof line, "seed=%llu", (unsigned long long)seed);
    set_options(config, line);
    return config;
}

gs_network *theory_network(const char *options, const char *more, uint64_t seed) {
    gs_error error;
    gs_config *config = theory_config(options, more, seed);
    gs_network *network = gs_network_new(config, &error);
    theory_require(network ? GS_OK : GS_ERR_USAGE, &error, options);
    theory_require(gs_network_draw_batch(network, &error), &error, options);
    gs_config_free(config);
    return network;
}

/* ---- Measured ---- */

/* All that does not take a pass over the weights of its own. */
static const uint64_t columns = GS_ALL_COLUMNS & ~((uint64_t)1 << GS_W_SIGMA_MAX) &
                                ~((uint64_t)1 << GS_W_NORM) & ~((uint64_t)1 << GS_GRAD_RATIO);

theory_measured theory_measure(gs_network *network) {
    theory_measured m = {.rows = calloc(gs_network_layers(network), sizeof *m.rows)};
    gs_error error;
    theory_require_memory(m.rows);
    theory_require(gs_measure_columns(network, columns, m.rows, &m.summary, &error), &error,
                   "measure");
    gs_network_free(network);
    return m;
}

double theory_at(const theory_measured *m, size_t layer, gs_column column) {
    gs_error error = {GS_ERR_USAGE, "a column has no value"};
    double value = (double)NAN;
    bool present = gs_layer_stats_get(&m->rows[layer - 1], column, &value);
    theory_require(present ? GS_OK : GS_ERR_USAGE, &error, gs_column_name(column));
    return value;
}

/* ---- Read and written ---- */

double *theory_read(const gs_network *network, size_t count, const char *format, ...) {
    double *values = malloc(count * sizeof *values);
    char name[64];
    gs_error error;
    va_list arguments;
    theory_require_memory(values);
    va_start(arguments, format);
    vsnprintf(name, sizeof name, format, arguments);
    va_end(arguments);
    theory_require(gs_network_read(network, name, values, count, &error), &error, name);
    return values;
}

void theory_write(gs_network *network, const double *values, size_t count, const char *format,
                  ...) {
    char name[64];
    gs_error error;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(name, sizeof name, format, arguments);
    va_end(arguments);
    theory_require(gs_network_write(network, name, values, count, &error), &error, name);
}

/* ---- Linear algebra ---- */

/* Turns rows p and q of A until they are orthogonal; false if they were. */
static bool rotate(double *p, double *q, size_t n) {
    double pp = 0, qq = 0, pq = 0;
    for (size_t i = 0; i < n; i++) {
        pp += p[i] * p[i];
        qq += q[i] * q[i];
        pq += p[i] * q[i];
    }
    if (fabs(pq) <= 1e-15 * sqrt(pp * qq))
        return false;
    double zeta = (qq - pp) / (2 * pq);
    double t = copysign(1 / (fabs(zeta) + sqrt(1 + zeta * zeta)), zeta);
    double cosine = 1 / sqrt(1 + t * t), sine = cosine * t;
    for (size_t i = 0; i < n; i++) {
        double old = p[i];
        p[i] = cosine * old - sine * q[i];
        q[i] = sine * old + cosine * q[i];
    }
    return true;
}

void theory_singular_values(double *a, size_t n, double *values) {
    bool turned = true;
    for (int sweep = 0; turned && sweep < 40; sweep++) {
        turned = false;
        for (size_t p = 0; p < n; p++)
            for (size_t q = p + 1; q < n; q++)
                turned = rotate(a + p * n, a + q * n, n) || turned;
    }
    for (size_t p = 0; p < n; p++) {
        double squares = 0;
        for (size_t i = 0; i < n; i++)
            squares += a[p * n + i] * a[p * n + i];
        values[p] = sqrt(squares);
    }
}

/* out = A B, all [n, n] */
static void multiply(const double *a, const double *b, size_t n, double *out) {
    memset(out, 0, n * n * sizeof *out);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n; k++)
            for (size_t j = 0; j < n; j++)
                out[i * n + j] += a[i * n + k] * b[k * n + j];
}

double *theory_jacobian(const gs_network *network, size_t layers, size_t n) {
    double *product = theory_read(network, n * n, "layers.1.weight");
    for (size_t l = 2; l <= layers; l++) {
        double *weight = theory_read(network, n * n, "layers.%zu.weight", l);
        double *next = malloc(n * n * sizeof *next);
        theory_require_memory(next);
        multiply(weight, product, n, next);
        free(weight);
        free(product);
        product = next;
    }
    return product;
}
