/*
 * The statistics of every layer: what follows from what the passes have shown.
 */
#include "flow/measure.h"

#include <math.h>
#include <string.h>

#include "base/error.h"

typedef struct {
    gs_network *network;
    uint64_t columns; /* bit c: column c is wanted */
    gs_observation seen;
} measurement;

static bool is_wanted(const measurement *m, gs_column column) {
    return m->columns >> column & 1;
}

void gs_stats_set_ratio(gs_layer_stats *stats, gs_column column, gs_magnitude numerator,
                        gs_magnitude denominator) {
    if (denominator.sum_squares != 0)
        gs_stats_set(stats, column, gs_magnitude_ratio(numerator, denominator));
}

/* How the backward signal changes at each layer, from what reaches it to what it passes on. Plain
   networks split it at the activation; where a skip goes round, only the whole means something. */
static void set_gains(const measurement *m) {
    const gs_network *network = m->network;
    bool act_dense = network->config->order.index == GS_ORDER_ACT_DENSE;
    for (size_t l = 1; l <= network->config->layers; l++) {
        gs_layer_stats *row = &m->seen.rows[l - 1];
        const gs_layer_norms *here = &m->seen.norms[l], *above = here + 1, *below = here - 1;
        bool has_above = l < network->layers;
        if (network->has_skip) {
            if (has_above)
                gs_stats_set_ratio(row, GS_GAIN, here->x, above->x);
        } else if (act_dense) {
            gs_stats_set_ratio(row, GS_WEIGHT_GAIN, here->a, here->z);
            gs_stats_set_ratio(row, GS_ACT_GAIN, below->x, here->a);
            gs_stats_set_ratio(row, GS_GAIN, below->x, here->z);
        } else {
            gs_stats_set_ratio(row, GS_ACT_GAIN, here->z, here->a);
            if (has_above) {
                gs_stats_set_ratio(row, GS_WEIGHT_GAIN, here->a, above->z);
                gs_stats_set_ratio(row, GS_GAIN, here->z, above->z);
            }
        }
    }
}

static gs_status find_sigma(const gs_network *network, const gs_matrix *weight, double *sigma) {
    if (gs_weight_cache_recall_sigma(weight, sigma))
        return GS_OK;
    gs_status status =
        gs_largest_singular_value(&network->engine, weight, network->config->seed, sigma, NULL);
    if (status == GS_OK)
        gs_weight_cache_keep_sigma(weight, *sigma);
    return status;
}

/* Norms of the parameters of one dense stage, and of their gradients. */
static void set_parameters(void *context, size_t index) {
    const measurement *m = context;
    const gs_network *network = m->network;
    const gs_stage *stage = &network->stages[index];
    if (stage->kind != GS_STAGE_DENSE)
        return;
    gs_layer_stats *row = &m->seen.rows[stage->layer - 1];
    double sigma;
    gs_stats_set(row, GS_GRAD_B_LOG10, gs_magnitude_log10(gs_vector_magnitude(&stage->dense.bias)));
    if (is_wanted(m, GS_W_NORM) || is_wanted(m, GS_GRAD_RATIO)) {
        gs_magnitude weight = gs_matrix_magnitude(&network->engine, &stage->dense.weight);
        gs_stats_set(row, GS_W_NORM, gs_magnitude_value(weight));
        gs_stats_set_ratio(row, GS_GRAD_RATIO, m->seen.weights[stage->layer - 1], weight);
    }
    if (is_wanted(m, GS_W_SIGMA_MAX) && find_sigma(network, &stage->dense.weight, &sigma) == GS_OK)
        gs_stats_set(row, GS_W_SIGMA_MAX, sigma);
}

/* Where all of dL/da is zero in every format, by design (rezero) or because units are dead, no
 * format is to blame. */
static gs_format_range range_of(const measurement *m, size_t index) {
    const gs_number_format *format = &gs_number_formats[index];
    gs_format_range range = {0, 0};
    double log10_of_overflow = gs_log10(gs_ldexp(1, format->overflow));
    for (size_t l = 1; l <= m->network->config->layers; l++) {
        const gs_layer_norms *norms = &m->seen.norms[l];
        double share = 0,
               log10_of_rms = gs_magnitude_log10(norms->a) - gs_log10(norms->a_count) / 2;
        gs_layer_stats_get(&m->seen.rows[l - 1], format->zero, &share);
        if (share >= 0.5 && norms->a.sum_squares != 0)
            range.underflow = l;
        if (log10_of_rms > log10_of_overflow)
            range.overflow = l;
    }
    return range;
}

static void summarise(const measurement *m, gs_summary *summary) {
    const gs_network *network = m->network;
    bool finite = network->nonfinite_layer == 0 && isfinite(m->seen.norms[0].x.sum_squares);
    *summary = (gs_summary){.loss = network->loss_value,
                            .nonfinite_layer = network->nonfinite_layer,
                            .f32 = range_of(m, GS_NUMBER_F32),
                            .f16 = range_of(m, GS_NUMBER_F16),
                            .bf16 = range_of(m, GS_NUMBER_BF16)};
    gs_judge(&m->seen.path, finite, summary);
}

/* ---- The whole ---- */

static gs_status check_singular_values(const measurement *m, gs_error *error) {
    for (size_t i = 0; is_wanted(m, GS_W_SIGMA_MAX) && i < m->network->layers; i++) {
        double sigma;
        if (!gs_layer_stats_get(&m->seen.rows[i], GS_W_SIGMA_MAX, &sigma)) {
            return gs_fail(error, GS_ERR_MEMORY, "layer %zu: no memory for its singular value",
                           i + 1);
        }
    }
    return GS_OK;
}

static gs_status measure(measurement *m, gs_layer_stats *rows, gs_summary *summary,
                         gs_error *error) {
    gs_network *network = m->network;
    gs_status status = gs_observe(network, rows, &m->seen, error);
    if (status != GS_OK)
        return status;
    set_gains(m);
    gs_pool_run(network->engine.pool, network->stage_count, set_parameters, m);
    summarise(m, summary);
    status = check_singular_values(m, error);
    return status == GS_OK ? gs_measure_clipping(network, m->seen.weights, rows, error) : status;
}

gs_status gs_measure_columns(gs_network *network, uint64_t columns, gs_layer_stats *rows,
                             gs_summary *summary, gs_error *error) {
    measurement m = {.network = network, .columns = columns};
    gs_status status = GS_OK;
    memset(rows, 0, network->layers * sizeof *rows);
    for (size_t i = 0; i < network->layers; i++) {
        rows[i].layer = i + 1;
        rows[i].kind = i < network->config->layers ? GS_KIND_DENSE : GS_KIND_HEAD;
    }
    if (gs_clip_needs_gradients(network->config->clip))
        status = gs_network_keep_gradients(network, error);
    if (status == GS_OK)
        status = measure(&m, rows, summary, error);
    gs_observation_free(&m.seen);
    return status;
}

gs_status gs_measure(gs_network *network, gs_layer_stats *rows, gs_summary *summary,
                     gs_error *error) {
    return gs_measure_columns(network, GS_ALL_COLUMNS, rows, summary, error);
}
