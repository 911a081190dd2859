/*
 * The statistics of every layer: an observer of the forward and backward pass, and what follows
 * from what it saw.
 */
#include "flow/measure.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

/* ---- Columns ---- */

static const char *const column_names[GS_COLUMN_COUNT] = {
    [GS_Z_MEAN] = "z_mean",
    [GS_Z_STD] = "z_std",
    [GS_A_MEAN] = "a_mean",
    [GS_A_STD] = "a_std",
    [GS_SATURATED] = "saturated",
    [GS_ZERO] = "zero",
    [GS_DEAD] = "dead",
    [GS_W_NORM] = "w_norm",
    [GS_W_SIGMA_MAX] = "w_sigma_max",
    [GS_GRAD_W] = "grad_w",
    [GS_GRAD_W_LOG10] = "grad_w_log10",
    [GS_GRAD_B_LOG10] = "grad_b_log10",
    [GS_GRAD_Z_LOG10] = "grad_z_log10",
    [GS_WEIGHT_GAIN] = "weight_gain",
    [GS_ACT_GAIN] = "act_gain",
    [GS_GAIN] = "gain",
    [GS_GRAD_RATIO] = "grad_ratio",
    [GS_UPDATE_RATIO] = "update_ratio",
    [GS_CLIP_SCALE] = "clip_scale",
    [GS_GRAD_CLIPPED_LOG10] = "grad_clipped_log10",
    [GS_GRAD_SNR] = "grad_snr",
    [GS_GRAD_CORR] = "grad_corr",
    [GS_F32_ZERO] = "f32_zero",
    [GS_F16_ZERO] = "f16_zero",
    [GS_BF16_ZERO] = "bf16_zero",
    [GS_THEORY_GRAD_LOG10] = "theory_grad_log10",
};

const char *gs_column_name(gs_column column) {
    return column_names[column];
}

bool gs_layer_stats_get(const gs_layer_stats *stats, gs_column column, double *value) {
    if (!(stats->present >> column & 1))
        return false;
    *value = stats->value[column];
    return true;
}

void gs_stats_set(gs_layer_stats *stats, gs_column column, double value) {
    stats->present |= (uint64_t)1 << column;
    stats->value[column] = value;
}

/* ---- What the observer keeps ---- */

/* Norms of the gradients that pass a layer: dL/dx_l, dL/da_l, dL/dz_l. */
typedef struct {
    gs_magnitude x, a, z;
    double a_count; /* entries of dL/da_l */
} layer_norms;

typedef struct {
    gs_network *network;
    gs_layer_stats *rows;
    layer_norms *norms;    /* [layers + 1], from layer 0, the input, on */
    gs_magnitude *weights; /* [layers], of dL/dW from layer 1 on */
    size_t *zeros;         /* zero slopes of each unit */
    gs_gradient_work work;
} measurement;

/* ---- Forward: moments and slopes ---- */

typedef struct {
    const gs_kernels *kernels;
    const char *x;
    double threshold;
    size_t *zeros;
} block_context;

/* {count, mean, sum of squares about it} */
static gs_partial moments_block(const void *context, gs_block block) {
    const block_context *c = context;
    gs_partial part = {{(double)block.rows * (double)block.lanes}};
    c->kernels->moments(block.rows, block.lanes, c->x + block.offset, &part.value[1],
                        &part.value[2]);
    return part;
}

/* Two parts as one (Chan, Golub and LeVeque 1979). */
static gs_partial merge_moments(gs_partial total, gs_partial part) {
    double count = total.value[0] + part.value[0];
    double distance = part.value[1] - total.value[1];
    double share = part.value[0] / count;
    return (gs_partial){
        {count, total.value[1] + distance * share,
         total.value[2] + part.value[2] + distance * distance * total.value[0] * share}};
}

static void set_moments(const gs_engine *engine, const gs_signal *signal, gs_column mean,
                        gs_column std, gs_layer_stats *row) {
    block_context context = {.kernels = engine->kernels, .x = signal->data};
    gs_partial total = gs_signal_reduce(engine, signal, moments_block, &context, merge_moments);
    double deviation = sqrt(total.value[2] / total.value[0]);
    gs_stats_set(row, mean, gs_ldexp(total.value[1], signal->exponent));
    gs_stats_set(row, std, gs_ldexp(deviation, signal->exponent));
}

static gs_partial below_block(const void *context, gs_block block) {
    const block_context *c = context;
    return (gs_partial){{(double)c->kernels->count_below(block.rows, block.lanes, c->threshold,
                                                         c->x + block.offset)}};
}

static void zeros_block(void *context, gs_block block) {
    const block_context *c = context;
    c->kernels->row_zeros(block.rows, block.lanes, c->x + block.offset, c->zeros + block.row);
}

/* Saturated: |phi'| below a tenth of its largest. Dead: a unit with slope 0 on the whole batch. */
static void set_slopes(const measurement *m, const gs_stage *stage, gs_layer_stats *row) {
    const gs_engine *engine = &m->network->engine;
    const gs_signal *slope = &stage->slope;
    double count = (double)slope->units * (double)slope->batch, zero = 0, dead = 0;
    double threshold = gs_activation_largest_slope(stage->act) / 10;
    block_context context = {.kernels = engine->kernels,
                             .x = slope->data,
                             .threshold = gs_ldexp(threshold, -slope->exponent),
                             .zeros = m->zeros};
    gs_partial below = gs_signal_reduce(engine, slope, below_block, &context, gs_partial_sum);
    memset(m->zeros, 0, slope->units * sizeof *m->zeros);
    gs_signal_for_rows(engine, slope, zeros_block, &context);
    for (size_t u = 0; u < slope->units; u++) {
        zero += (double)m->zeros[u];
        dead += m->zeros[u] == slope->batch;
    }
    bool finite = m->network->nonfinite_layer == 0;
    gs_stats_set(row, GS_SATURATED, finite ? below.value[0] / count : NAN);
    gs_stats_set(row, GS_ZERO, finite ? zero / count : NAN);
    gs_stats_set(row, GS_DEAD, finite ? dead / (double)slope->units : NAN);
}

static gs_status see_value(void *context, const gs_stage *stage, gs_error *error) {
    measurement *m = context;
    gs_layer_stats *row = &m->rows[stage->layer - 1];
    (void)error;
    if (stage->kind == GS_STAGE_ACTIVATION)
        set_slopes(m, stage, row);
    if (stage->names & GS_IS_Z)
        set_moments(&m->network->engine, &stage->out, GS_Z_MEAN, GS_Z_STD, row);
    if (stage->names & GS_IS_A)
        set_moments(&m->network->engine, &stage->out, GS_A_MEAN, GS_A_STD, row);
    return GS_OK;
}

/* ---- Backward: norms, and what a smaller format would lose ---- */

/* A number rounds to zero at or below half of the smallest subnormal, 2^-149, 2^-24 and 2^-133, and
   the largest are just below 2^128, 2^16 and 2^128. */
typedef struct {
    gs_column zero;
    int largest_lost, overflow;
} number_format;

static const number_format f32 = {GS_F32_ZERO, -150, 128};
static const number_format f16 = {GS_F16_ZERO, -25, 16};
static const number_format bf16 = {GS_BF16_ZERO, -134, 128};
static const number_format *const formats[] = {&f32, &f16, &bf16};

static gs_partial lost_block(const void *context, gs_block block) {
    const block_context *c = context;
    return (gs_partial){{(double)c->kernels->count_at_most(block.rows, block.lanes, c->threshold,
                                                           c->x + block.offset)}};
}

static void set_lost(const gs_engine *engine, const gs_signal *grad, bool finite,
                     gs_layer_stats *row) {
    double count = (double)grad->units * (double)grad->batch;
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        block_context context = {.kernels = engine->kernels,
                                 .x = grad->data,
                                 .threshold =
                                     gs_ldexp(1, formats[i]->largest_lost - grad->exponent)};
        gs_partial lost = gs_signal_reduce(engine, grad, lost_block, &context, gs_partial_sum);
        gs_stats_set(row, formats[i]->zero, finite ? lost.value[0] / count : NAN);
    }
}

static gs_status see_grad(void *context, size_t layer, unsigned names, const gs_signal *grad,
                          gs_error *error) {
    measurement *m = context;
    gs_magnitude norm = gs_signal_magnitude(&m->network->engine, grad, NULL);
    (void)error;
    if (names & GS_IS_X)
        m->norms[layer].x = norm;
    if (names & GS_IS_Z) {
        m->norms[layer].z = norm;
        gs_stats_set(&m->rows[layer - 1], GS_GRAD_Z_LOG10, gs_magnitude_log10(norm));
    }
    if (names & GS_IS_A) {
        m->norms[layer].a = norm;
        m->norms[layer].a_count = (double)grad->units * (double)grad->batch;
        set_lost(&m->network->engine, grad, isfinite(norm.sum_squares), &m->rows[layer - 1]);
    }
    return GS_OK;
}

static gs_status see_dense(void *context, const gs_stage *stage, const gs_signal *delta,
                           gs_error *error) {
    measurement *m = context;
    gs_layer_stats *row = &m->rows[stage->layer - 1];
    gs_weight_gradient grad;
    gs_status status = gs_measure_weight_gradient(
        &m->network->engine, delta, stage->in,
        m->network->keep_gradients ? &stage->dense.grad : NULL, &m->work, &grad, error);
    if (status != GS_OK)
        return status;
    m->weights[stage->layer - 1] = grad.norm;
    gs_stats_set(row, GS_GRAD_W, gs_magnitude_value(grad.norm));
    gs_stats_set(row, GS_GRAD_W_LOG10, gs_magnitude_log10(grad.norm));
    if (!isnan(grad.snr))
        gs_stats_set(row, GS_GRAD_SNR, grad.snr);
    if (!isnan(grad.corr))
        gs_stats_set(row, GS_GRAD_CORR, grad.corr);
    return GS_OK;
}

/* ---- What follows from the norms ---- */

static void set_ratio(gs_layer_stats *row, gs_column column, gs_magnitude numerator,
                      gs_magnitude denominator) {
    if (denominator.sum_squares != 0)
        gs_stats_set(row, column, gs_magnitude_ratio(numerator, denominator));
}

/* How the backward signal changes at each layer, from what reaches it to what it passes on. Plain
   networks split it at the activation; where a skip goes round, only the whole means something. */
static void set_gains(const measurement *m) {
    const gs_network *network = m->network;
    bool act_dense = network->config->order.index == GS_ORDER_ACT_DENSE;
    for (size_t l = 1; l <= network->config->layers; l++) {
        gs_layer_stats *row = &m->rows[l - 1];
        const layer_norms *here = &m->norms[l], *above = here + 1, *below = here - 1;
        bool has_above = l < network->layers;
        if (network->has_skip) {
            if (has_above)
                set_ratio(row, GS_GAIN, here->x, above->x);
        } else if (act_dense) {
            set_ratio(row, GS_WEIGHT_GAIN, here->a, here->z);
            set_ratio(row, GS_ACT_GAIN, below->x, here->a);
            set_ratio(row, GS_GAIN, below->x, here->z);
        } else {
            set_ratio(row, GS_ACT_GAIN, here->z, here->a);
            if (has_above) {
                set_ratio(row, GS_WEIGHT_GAIN, here->a, above->z);
                set_ratio(row, GS_GAIN, here->z, above->z);
            }
        }
    }
}

/* Norms of the parameters of one dense stage, and of their gradients. */
static void set_parameters(void *context, size_t index) {
    const measurement *m = context;
    const gs_network *network = m->network;
    const gs_stage *stage = &network->stages[index];
    if (stage->kind != GS_STAGE_DENSE)
        return;
    gs_layer_stats *row = &m->rows[stage->layer - 1];
    gs_magnitude weight = gs_matrix_magnitude(&network->engine, &stage->dense.weight);
    double sigma;
    gs_stats_set(row, GS_W_NORM, gs_magnitude_value(weight));
    gs_stats_set(row, GS_GRAD_B_LOG10, gs_magnitude_log10(gs_vector_magnitude(&stage->dense.bias)));
    set_ratio(row, GS_GRAD_RATIO, m->weights[stage->layer - 1], weight);
    if (gs_largest_singular_value(&network->engine, &stage->dense.weight, network->config->seed,
                                  &sigma, NULL) == GS_OK)
        gs_stats_set(row, GS_W_SIGMA_MAX, sigma);
}

/* Where all of dL/da is zero in every format, by design (rezero) or because units are dead, no
 * format is to blame. */
static gs_format_range range_of(const measurement *m, const number_format *format) {
    gs_format_range range = {0, 0};
    double log10_of_overflow = gs_log10(gs_ldexp(1, format->overflow));
    for (size_t l = 1; l <= m->network->config->layers; l++) {
        const layer_norms *norms = &m->norms[l];
        double share = 0,
               log10_of_rms = gs_magnitude_log10(norms->a) - gs_log10(norms->a_count) / 2;
        gs_layer_stats_get(&m->rows[l - 1], format->zero, &share);
        if (share >= 0.5 && norms->a.sum_squares != 0)
            range.underflow = l;
        if (log10_of_rms > log10_of_overflow)
            range.overflow = l;
    }
    return range;
}

static void summarise(const measurement *m, gs_summary *summary) {
    const gs_network *network = m->network;
    size_t depth = network->config->layers;
    bool finite = network->nonfinite_layer == 0 && isfinite(m->norms[0].x.sum_squares);
    *summary = (gs_summary){.loss = network->loss_value,
                            .nonfinite_layer = network->nonfinite_layer,
                            .f32 = range_of(m, &f32),
                            .f16 = range_of(m, &f16),
                            .bf16 = range_of(m, &bf16)};
    gs_judge(m->norms[0].x, m->norms[depth].x, depth, finite, summary);
}

/* ---- The whole ---- */

static gs_status run_passes(measurement *m, gs_error *error) {
    gs_observer observer = {m, see_value, see_grad, see_dense};
    gs_status status = gs_network_forward_observed(m->network, &observer, error);
    return status == GS_OK ? gs_network_backward_observed(m->network, &observer, error) : status;
}

static gs_status measure(measurement *m, gs_summary *summary, gs_error *error) {
    gs_network *network = m->network;
    gs_status status = GS_OK;
    if (gs_clip_needs_gradients(network->config->clip))
        status = gs_network_keep_gradients(network, error);
    if (status == GS_OK)
        status = run_passes(m, error);
    if (status != GS_OK)
        return status;
    set_gains(m);
    gs_pool_run(network->engine.pool, network->stage_count, set_parameters, m);
    for (size_t i = 0; i < network->layers; i++) {
        double sigma;
        if (!gs_layer_stats_get(&m->rows[i], GS_W_SIGMA_MAX, &sigma)) {
            return gs_fail(error, GS_ERR_MEMORY, "layer %zu: no memory for its singular value",
                           i + 1);
        }
    }
    summarise(m, summary);
    return gs_measure_clipping(network, m->weights, m->rows, error);
}

gs_status gs_measure(gs_network *network, gs_layer_stats *rows, gs_summary *summary,
                     gs_error *error) {
    size_t layers = network->layers;
    measurement m = {.network = network, .rows = rows};
    memset(rows, 0, layers * sizeof *rows);
    for (size_t i = 0; i < layers; i++) {
        rows[i].layer = i + 1;
        rows[i].kind = i < network->config->layers ? GS_KIND_DENSE : GS_KIND_HEAD;
    }
    m.norms = gs_alloc(layers + 1, sizeof *m.norms, error);
    m.weights = gs_alloc(layers, sizeof *m.weights, error);
    m.zeros = gs_alloc(gs_config_widest(network->config), sizeof *m.zeros, error);
    gs_status status =
        m.norms && m.weights && m.zeros ? measure(&m, summary, error) : GS_ERR_MEMORY;
    gs_gradient_work_free(&m.work);
    gs_free(m.norms);
    gs_free(m.weights);
    gs_free(m.zeros);
    return status;
}
