/*
 * Probes that several tables use: how a quantity is measured, and how it is predicted.
 */
#include <math.h>
#include <stdlib.h>

#include "theory.h"

/* ---- Measured ---- */

static void sample_gradients(const theory_case *c, uint64_t seed, double *factor) {
    theory_measured m = theory_measure(theory_network(c->options, NULL, seed));
    *factor = pow(
        10, 2 * (theory_at(&m, c->from, GS_GRAD_Z_LOG10) - theory_at(&m, c->to, GS_GRAD_Z_LOG10)));
    free(m.rows);
}

static void sample_ends(const theory_case *c, uint64_t seed, double *factor) {
    theory_measured m = theory_measure(theory_network(c->options, NULL, seed));
    *factor = pow(10, 2 * m.summary.ratio_log10);
    free(m.rows);
}

static void sample_preactivation(const theory_case *c, uint64_t seed, double *square) {
    theory_measured m = theory_measure(theory_network(c->options, NULL, seed));
    double mean = theory_at(&m, c->to, GS_Z_MEAN), deviation = theory_at(&m, c->to, GS_Z_STD);
    *square = mean * mean + deviation * deviation;
    free(m.rows);
}

/* The mean square of x_L is the loss mse with a target of 0. */
static void sample_growth(const theory_case *c, uint64_t seed, double *ratio) {
    gs_network *network = theory_network(c->options, NULL, seed);
    size_t width = gs_network_inputs(network);
    double *zeros = calloc(width, sizeof *zeros), *input = theory_read(network, width, "input");
    double squares = 0, loss = 0;
    gs_error error;
    theory_require_memory(zeros);
    for (size_t i = 0; i < width; i++)
        squares += input[i] * input[i];
    theory_require(gs_network_set_batch(network, NULL, zeros, NULL, &error), &error, c->options);
    theory_require(gs_network_forward(network, &loss, &error), &error, c->options);
    *ratio = loss * (double)width / squares;
    free(zeros);
    free(input);
    gs_network_free(network);
}

/* ---- Predicted ---- */

theory_predicted theory_predict(const char *options, const char *more) {
    gs_error error;
    gs_config *config = theory_config(options, more, 1);
    char layers[32];
    theory_require(gs_config_get(config, "layers", layers, sizeof layers, &error), &error, options);
    theory_predicted p = {.count = strtoul(layers, NULL, 10)};
    p.layers = calloc(p.count + 1, sizeof *p.layers); /* there may be a head */
    theory_require_memory(p.layers);
    theory_require(gs_predict(config, NULL, true, p.layers, &p.theory, &error), &error, options);
    gs_config_free(config);
    return p;
}

theory_predicted theory_predict_case(const theory_case *c) {
    bool finite = c->law == EXPECTED || c->law == EXACT;
    return theory_predict(c->options, c->limit ? c->limit : finite ? NULL : "width=1000000");
}

static double predict_gradients(const theory_case *c) {
    theory_predicted p = theory_predict_case(c);
    double factor =
        pow(10, 2 * (p.layers[c->from - 1].grad_z_log10 - p.layers[c->to - 1].grad_z_log10));
    free(p.layers);
    return factor;
}

static double predict_ends(const theory_case *c) {
    theory_predicted p = theory_predict_case(c);
    free(p.layers);
    return pow(10, 2 * p.theory.ratio_log10);
}

static double predict_preactivation(const theory_case *c) {
    theory_predicted p = theory_predict_case(c);
    double q = p.layers[c->to - 1].q;
    free(p.layers);
    return q;
}

const theory_probe gradient_factor = {sample_gradients, AVERAGE, predict_gradients};
const theory_probe gradient_rate = {sample_gradients, PER_LAYER, predict_gradients};
const theory_probe end_to_end = {sample_ends, AVERAGE, predict_ends};
const theory_probe end_to_end_rate = {sample_ends, PER_LAYER, predict_ends};
const theory_probe preactivation_square = {sample_preactivation, AVERAGE, predict_preactivation};
const theory_probe growth = {sample_growth, AVERAGE, NULL};
