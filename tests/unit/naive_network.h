/*
 * A naive network: the model in plain loops of double, over the weights and the batch of a real
 * one. Dense layers, activations and skips in either order, with a head, and mean squared error.
 */
#ifndef GS_NAIVE_NETWORK_H
#define GS_NAIVE_NETWORK_H

#include "test_net.h"

#include "flow/measure.h"

static gs_error error;

static const double tolerance = 1e-11; /* a few hundred roundings, next to no cancellation */

typedef const char *const options[16][2];

enum { MOST_LAYERS = 8, MOST_UNITS = 12, MOST_BATCH = 20 };

typedef double table[MOST_BATCH][MOST_UNITS]; /* of [example][unit] */

/* Layer l is at index l; layer 0 is the input. The head is layer layers + 1. */
typedef struct {
    size_t layers, batch, units[MOST_LAYERS + 2];
    bool act_dense, add, head;
    size_t skip;
    double alpha, (*phi)(double), (*slope)(double), largest_slope;
    double weight[MOST_LAYERS + 2][MOST_UNITS][MOST_UNITS], bias[MOST_LAYERS + 2][MOST_UNITS];
    table x[MOST_LAYERS + 2], z[MOST_LAYERS + 2], a[MOST_LAYERS + 2], target;
    table dx[MOST_LAYERS + 2], dz[MOST_LAYERS + 2], da[MOST_LAYERS + 2];
    double dweight[MOST_LAYERS + 2][MOST_UNITS][MOST_UNITS], dbias[MOST_LAYERS + 2][MOST_UNITS];
} naive_network;

/* ---- Reading a network ---- */

static inline size_t depth(const naive_network *n) {
    return n->layers + n->head;
}

static inline void read_layer(const gs_network *network, naive_network *n, size_t l) {
    char name[64];
    double values[MOST_UNITS * MOST_UNITS];
    bool is_head = l > n->layers;
    snprintf(name, sizeof name, is_head ? "head.weight" : "layers.%zu.weight", l);
    CHECK(gs_network_read(network, name, values, n->units[l] * n->units[l - 1], &error) == GS_OK);
    for (size_t i = 0; i < n->units[l] * n->units[l - 1]; i++)
        n->weight[l][i / n->units[l - 1]][i % n->units[l - 1]] = values[i];
    snprintf(name, sizeof name, is_head ? "head.bias" : "layers.%zu.bias", l);
    CHECK(gs_network_read(network, name, n->bias[l], n->units[l], &error) == GS_OK);
}

static inline void read_table(const gs_network *network, const char *name, size_t batch,
                              size_t units, table t) {
    double values[MOST_BATCH * MOST_UNITS];
    CHECK(gs_network_read(network, name, values, batch * units, &error) == GS_OK);
    for (size_t i = 0; i < batch * units; i++)
        t[i / units][i % units] = values[i];
}

static inline double alpha_of(const gs_config *config) {
    double depth = (double)config->layers;
    switch (config->branch_scale.index) {
    case GS_BRANCH_INVERSE_SQRT_DEPTH:
        return 1 / sqrt(depth);
    case GS_BRANCH_INVERSE_DEPTH:
        return 1 / depth;
    default:
        return config->branch_scale.parameter;
    }
}

static inline void read_network(const gs_network *network, naive_network *n) {
    const gs_config *config = network->config;
    n->layers = config->layers, n->batch = config->batch, n->head = config->head;
    n->act_dense = config->order.index == GS_ORDER_ACT_DENSE;
    n->add = config->residual.index == GS_RESIDUAL_ADD;
    n->skip = config->skip;
    n->alpha = alpha_of(config);
    n->units[0] = config->inputs;
    for (size_t l = 1; l <= depth(n); l++) {
        n->units[l] = gs_config_units(config, l);
        read_layer(network, n, l);
    }
    read_table(network, "input", n->batch, n->units[0], n->x[0]);
    read_table(network, "target", n->batch, n->units[depth(n)], n->target);
}

/* ---- Forward and backward by the formulas of the model ---- */

static inline void dense(const naive_network *n, size_t l, table u, table z) {
    for (size_t b = 0; b < n->batch; b++)
        for (size_t i = 0; i < n->units[l]; i++) {
            z[b][i] = n->bias[l][i];
            for (size_t j = 0; j < n->units[l - 1]; j++)
                z[b][i] += n->weight[l][i][j] * u[b][j];
        }
}

static inline void activate(const naive_network *n, size_t units, table z, table a) {
    for (size_t b = 0; b < n->batch; b++)
        for (size_t i = 0; i < units; i++)
            a[b][i] = n->phi(z[b][i]);
}

/* Whether a skip ends at layer l; it then starts at x_{l-s}. */
static inline bool ends_skip(const naive_network *n, size_t l) {
    return n->add && l <= n->layers && l % n->skip == 0 && n->units[l] == n->units[l - n->skip];
}

static inline void forward_layer(naive_network *n, size_t l) {
    if (l > n->layers) {
        dense(n, l, n->x[l - 1], n->z[l]);
    } else if (n->act_dense) {
        activate(n, n->units[l - 1], n->x[l - 1], n->a[l]);
        dense(n, l, n->a[l], n->z[l]);
    } else {
        dense(n, l, n->x[l - 1], n->z[l]);
        activate(n, n->units[l], n->z[l], n->a[l]);
    }
    for (size_t b = 0; b < n->batch; b++)
        for (size_t i = 0; i < n->units[l]; i++) {
            double branch = n->act_dense || l > n->layers ? n->z[l][b][i] : n->a[l][b][i];
            n->x[l][b][i] = ends_skip(n, l) ? n->x[l - n->skip][b][i] + n->alpha * branch : branch;
        }
}

/* dL/dW, dL/db and dL/du of a dense layer, from dL/dz. */
static inline void dense_backward(naive_network *n, size_t l, table u, table du) {
    for (size_t b = 0; b < n->batch; b++)
        for (size_t i = 0; i < n->units[l]; i++) {
            n->dbias[l][i] += n->dz[l][b][i];
            for (size_t j = 0; j < n->units[l - 1]; j++) {
                n->dweight[l][i][j] += n->dz[l][b][i] * u[b][j];
                du[b][j] += n->weight[l][i][j] * n->dz[l][b][i];
            }
        }
}

static inline void backward_layer(naive_network *n, size_t l) {
    bool skips = ends_skip(n, l);
    for (size_t b = 0; b < n->batch; b++)
        for (size_t i = 0; i < n->units[l]; i++) {
            double branch = (skips ? n->alpha : 1) * n->dx[l][b][i];
            bool is_z = n->act_dense || l > n->layers;
            n->dz[l][b][i] = is_z ? branch : branch * n->slope(n->z[l][b][i]);
            if (!is_z)
                n->da[l][b][i] = branch;
        }
    if (n->act_dense && l <= n->layers) {
        dense_backward(n, l, n->a[l], n->da[l]);
        for (size_t b = 0; b < n->batch; b++)
            for (size_t j = 0; j < n->units[l - 1]; j++)
                n->dx[l - 1][b][j] += n->da[l][b][j] * n->slope(n->x[l - 1][b][j]);
    } else {
        dense_backward(n, l, n->x[l - 1], n->dx[l - 1]);
    }
    for (size_t b = 0; skips && b < n->batch; b++)
        for (size_t i = 0; i < n->units[l]; i++)
            n->dx[l - n->skip][b][i] += n->dx[l][b][i];
}

/* Mean squared error; returns it. */
static inline double run(naive_network *n) {
    size_t last = depth(n), outputs = n->units[last];
    double loss = 0, count = (double)n->batch * (double)outputs;
    for (size_t l = 1; l <= last; l++)
        forward_layer(n, l);
    for (size_t b = 0; b < n->batch; b++)
        for (size_t i = 0; i < outputs; i++) {
            double distance = n->x[last][b][i] - n->target[b][i];
            loss += distance * distance / count;
            n->dx[last][b][i] = 2 * distance / count;
        }
    for (size_t l = last; l > 0; l--)
        backward_layer(n, l);
    return loss;
}

/* ---- Norms ---- */

static inline double norm(const naive_network *n, table t, size_t units) {
    double squares = 0;
    for (size_t b = 0; b < n->batch; b++)
        for (size_t i = 0; i < units; i++)
            squares += t[b][i] * t[b][i];
    return sqrt(squares);
}

static inline double matrix_norm(const naive_network *n, double (*m)[MOST_UNITS], size_t l) {
    double squares = 0;
    for (size_t i = 0; i < n->units[l]; i++)
        for (size_t j = 0; j < n->units[l - 1]; j++)
            squares += m[i][j] * m[i][j];
    return sqrt(squares);
}

static inline double vector_norm(const double *v, size_t count) {
    double squares = 0;
    for (size_t i = 0; i < count; i++)
        squares += v[i] * v[i];
    return sqrt(squares);
}

/* ---- Networks ---- */

static inline double relu(double z) {
    return z > 0 ? z : 0;
}

static inline double relu_slope(double z) {
    return z > 0;
}

static inline double tanh_slope(double z) {
    return 4 / pow(exp(z) + exp(-z), 2);
}

static inline gs_network *network_of(options o, const char *clip) {
    gs_config *config = gs_config_new(&error);
    for (size_t i = 0; i < 16 && o[i][0]; i++)
        CHECK_THAT(gs_config_set(config, o[i][0], o[i][1], &error) == GS_OK, "%s", error.message);
    CHECK(gs_config_set(config, "clip", clip, &error) == GS_OK);
    gs_network *network = gs_network_new(config, &error);
    CHECK_THAT(network && gs_network_draw_batch(network, &error) == GS_OK, "%s", error.message);
    gs_config_free(config);
    return network;
}

/* Runs both networks; the caller frees the naive one. */
static inline naive_network *measure_both(options o, const char *clip, gs_layer_stats *rows,
                                          gs_summary *summary) {
    gs_network *network = network_of(o, clip);
    naive_network *n = calloc(1, sizeof *n);
    bool is_tanh = strcmp(o[0][1], "tanh") == 0;
    n->phi = is_tanh ? tanh : relu, n->slope = is_tanh ? tanh_slope : relu_slope,
    n->largest_slope = 1;
    read_network(network, n);
    double loss = run(n);
    CHECK_THAT(gs_measure(network, rows, summary, &error) == GS_OK, "%s", error.message);
    CHECK_CLOSE(summary->loss, loss, tolerance);
    gs_network_free(network);
    return n;
}

#endif
