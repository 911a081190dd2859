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

/* What rides on a kind of signal, and what it saw of each block. */
typedef struct {
    const gs_kernels *kernels;
    double threshold;
    gs_partial *partials; /* [blocks] of the largest signal */
    gs_rider rider;
} ride;

typedef struct {
    gs_network *network;
    gs_layer_stats *rows;
    uint64_t columns;      /* bit c: column c is wanted */
    layer_norms *norms;    /* [layers + 1], from layer 0, the input, on */
    gs_magnitude *weights; /* [layers], of dL/dW from layer 1 on */
    size_t *zeros;         /* zero slopes of each unit */
    ride z, a, slope, grad_a;
    gs_gradient_work work;
} measurement;

static bool is_wanted(const measurement *m, gs_column column) {
    return m->columns >> column & 1;
}

/* ---- Forward: moments and slopes ---- */

/* {count, mean, sum of squares about it, exponent of the mantissas} */
static void ride_moments(void *context, const gs_signal *signal, gs_block block) {
    ride *r = context;
    gs_partial *part = &r->partials[block.index];
    part->value[0] = (double)block.rows * (double)block.lanes;
    r->kernels->moments(block.rows, block.lanes, (const char *)signal->data + block.offset,
                        &part->value[1], &part->value[2]);
    part->value[3] = (double)signal->exponent;
}

/* Two parts as one (Chan, Golub and LeVeque 1979). */
static gs_partial merge_moments(gs_partial total, gs_partial part) {
    double count = total.value[0] + part.value[0];
    double distance = part.value[1] - total.value[1];
    double share = part.value[0] / count;
    return (gs_partial){
        {count, total.value[1] + distance * share,
         total.value[2] + part.value[2] + distance * distance * total.value[0] * share,
         part.value[3]}};
}

static gs_partial merge(const ride *r, const gs_signal *signal, gs_partial_merge merge_two) {
    gs_partial total = {{0}};
    for (size_t i = 0; i < gs_signal_blocks(signal); i++)
        total = merge_two(total, r->partials[i]);
    return total;
}

/* Squares of mantissas that had to be brought to size did not fit before. */
static void set_moments(const gs_engine *engine, ride *r, const gs_signal *signal, gs_column mean,
                        gs_column std, gs_layer_stats *row) {
    if (r->partials[0].value[3] != (double)signal->exponent)
        gs_signal_tell(engine, signal, &r->rider);
    gs_partial total = merge(r, signal, merge_moments);
    double deviation = sqrt(total.value[2] / total.value[0]);
    int64_t exponent = (int64_t)total.value[3];
    gs_stats_set(row, mean, gs_ldexp(total.value[1], exponent));
    gs_stats_set(row, std, gs_ldexp(deviation, exponent));
}

/* {slopes below the threshold, slopes that are 0} */
static void ride_slopes(void *context, const gs_signal *slope, gs_block block) {
    ride *r = context;
    gs_partial *part = &r->partials[block.index];
    const char *x = (const char *)slope->data + block.offset;
    double threshold = gs_ldexp(r->threshold, -slope->exponent);
    part->value[0] = (double)r->kernels->count_below(block.rows, block.lanes, threshold, x);
    part->value[1] = (double)r->kernels->count_at_most(block.rows, block.lanes, 0, x);
}

typedef struct {
    const measurement *m;
    const gs_signal *slope;
} zeros_context;

static void zeros_block(void *context, gs_block block) {
    const zeros_context *c = context;
    c->m->network->engine.kernels->row_zeros(block.rows, block.lanes,
                                             (const char *)c->slope->data + block.offset,
                                             c->m->zeros + block.row);
}

/* Units with slope 0 on the whole batch. */
static double count_dead(const measurement *m, const gs_signal *slope) {
    double dead = 0;
    zeros_context context = {m, slope};
    memset(m->zeros, 0, slope->units * sizeof *m->zeros);
    gs_signal_for_rows(&m->network->engine, slope, zeros_block, &context);
    for (size_t u = 0; u < slope->units; u++)
        dead += m->zeros[u] == slope->batch;
    return dead;
}

/* Saturated: |phi'| below a tenth of its largest. */
static void set_slopes(const measurement *m, const gs_stage *stage, gs_layer_stats *row) {
    const gs_signal *slope = &stage->slope;
    double count = (double)slope->units * (double)slope->batch;
    gs_partial total = merge(&m->slope, slope, gs_partial_sum);
    double dead = total.value[1] > 0 ? count_dead(m, slope) : 0;
    bool finite = m->network->nonfinite_layer == 0;
    gs_stats_set(row, GS_SATURATED, finite ? total.value[0] / count : NAN);
    gs_stats_set(row, GS_ZERO, finite ? total.value[1] / count : NAN);
    gs_stats_set(row, GS_DEAD, finite ? dead / (double)slope->units : NAN);
}

static gs_status see_value(void *context, const gs_stage *stage, gs_error *error) {
    measurement *m = context;
    gs_layer_stats *row = &m->rows[stage->layer - 1];
    (void)error;
    if (stage->kind == GS_STAGE_ACTIVATION)
        set_slopes(m, stage, row);
    if (stage->names & GS_IS_Z)
        set_moments(&m->network->engine, &m->z, &stage->out, GS_Z_MEAN, GS_Z_STD, row);
    if (stage->names & GS_IS_A)
        set_moments(&m->network->engine, &m->a, &stage->out, GS_A_MEAN, GS_A_STD, row);
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

enum { FORMATS = sizeof formats / sizeof *formats };

static void ride_lost(void *context, const gs_signal *grad, gs_block block) {
    ride *r = context;
    gs_partial *part = &r->partials[block.index];
    const char *x = (const char *)grad->data + block.offset;
    for (size_t i = 0; i < FORMATS; i++) {
        double threshold = gs_ldexp(1, formats[i]->largest_lost - grad->exponent);
        part->value[i] = (double)r->kernels->count_at_most(block.rows, block.lanes, threshold, x);
    }
}

static void set_lost(measurement *m, const gs_signal *grad, bool finite, gs_layer_stats *row) {
    double count = (double)grad->units * (double)grad->batch;
    if (!grad->riders)
        gs_signal_tell(&m->network->engine, grad, &m->grad_a.rider);
    gs_partial lost = merge(&m->grad_a, grad, gs_partial_sum);
    for (size_t i = 0; i < FORMATS; i++)
        gs_stats_set(row, formats[i]->zero, finite ? lost.value[i] / count : NAN);
}

static gs_status see_grad(void *context, size_t layer, unsigned names, const gs_signal *grad,
                          gs_error *error) {
    measurement *m = context;
    gs_magnitude norm = gs_signal_magnitude(grad, NULL);
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
        set_lost(m, grad, isfinite(norm.sum_squares), &m->rows[layer - 1]);
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
    double sigma;
    gs_stats_set(row, GS_GRAD_B_LOG10, gs_magnitude_log10(gs_vector_magnitude(&stage->dense.bias)));
    if (is_wanted(m, GS_W_NORM) || is_wanted(m, GS_GRAD_RATIO)) {
        gs_magnitude weight = gs_matrix_magnitude(&network->engine, &stage->dense.weight);
        gs_stats_set(row, GS_W_NORM, gs_magnitude_value(weight));
        set_ratio(row, GS_GRAD_RATIO, m->weights[stage->layer - 1], weight);
    }
    if (is_wanted(m, GS_W_SIGMA_MAX) &&
        gs_largest_singular_value(&network->engine, &stage->dense.weight, network->config->seed,
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

/* Riders on every signal that has a name in the model, or off them. */
static void set_riders(measurement *m, bool on) {
    for (size_t i = 0; i < m->network->stage_count; i++) {
        gs_stage *stage = &m->network->stages[i];
        gs_rider *rider = stage->names & GS_IS_Z   ? &m->z.rider
                          : stage->names & GS_IS_A ? &m->a.rider
                                                   : NULL;
        stage->out.riders = on ? rider : NULL;
        if (stage->kind == GS_STAGE_ACTIVATION)
            stage->slope.riders = on ? &m->slope.rider : NULL;
    }
}

static gs_status run_passes(measurement *m, gs_error *error) {
    gs_observer observer = {m, see_value, see_grad, &m->grad_a.rider, see_dense};
    set_riders(m, true);
    gs_status status = gs_network_forward_observed(m->network, &observer, error);
    set_riders(m, false);
    return status == GS_OK ? gs_network_backward_observed(m->network, &observer, error) : status;
}

static gs_status check_singular_values(const measurement *m, gs_error *error) {
    for (size_t i = 0; is_wanted(m, GS_W_SIGMA_MAX) && i < m->network->layers; i++) {
        double sigma;
        if (!gs_layer_stats_get(&m->rows[i], GS_W_SIGMA_MAX, &sigma)) {
            return gs_fail(error, GS_ERR_MEMORY, "layer %zu: no memory for its singular value",
                           i + 1);
        }
    }
    return GS_OK;
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
    summarise(m, summary);
    status = check_singular_values(m, error);
    return status == GS_OK ? gs_measure_clipping(network, m->weights, m->rows, error) : status;
}

static gs_status board(measurement *m, ride *r, size_t blocks,
                       void (*task)(void *context, const gs_signal *signal, gs_block block),
                       gs_error *error) {
    r->kernels = m->network->engine.kernels;
    r->rider = (gs_rider){task, r, NULL};
    r->partials = gs_alloc(blocks, sizeof *r->partials, error);
    return r->partials ? GS_OK : GS_ERR_MEMORY;
}

static gs_status allocate(measurement *m, gs_error *error) {
    const gs_config *config = m->network->config;
    size_t layers = m->network->layers;
    /* The gradient is a signal that is as large as the largest. */
    size_t blocks = gs_signal_blocks_of(&m->network->grad, gs_config_widest(config));
    m->norms = gs_alloc(layers + 1, sizeof *m->norms, error);
    m->weights = gs_alloc(layers, sizeof *m->weights, error);
    m->zeros = gs_alloc(gs_config_widest(config), sizeof *m->zeros, error);
    gs_status status = m->norms && m->weights && m->zeros ? GS_OK : GS_ERR_MEMORY;
    if (status == GS_OK)
        status = board(m, &m->z, blocks, ride_moments, error);
    if (status == GS_OK)
        status = board(m, &m->a, blocks, ride_moments, error);
    if (status == GS_OK)
        status = board(m, &m->slope, blocks, ride_slopes, error);
    if (status == GS_OK)
        status = board(m, &m->grad_a, blocks, ride_lost, error);
    m->slope.threshold = gs_activation_largest_slope(config->act) / 10;
    return status;
}

static void release(measurement *m) {
    gs_gradient_work_free(&m->work);
    gs_free(m->norms);
    gs_free(m->weights);
    gs_free(m->zeros);
    gs_free(m->z.partials);
    gs_free(m->a.partials);
    gs_free(m->slope.partials);
    gs_free(m->grad_a.partials);
}

gs_status gs_measure_columns(gs_network *network, uint64_t columns, gs_layer_stats *rows,
                             gs_summary *summary, gs_error *error) {
    measurement m = {.network = network, .rows = rows, .columns = columns};
    memset(rows, 0, network->layers * sizeof *rows);
    for (size_t i = 0; i < network->layers; i++) {
        rows[i].layer = i + 1;
        rows[i].kind = i < network->config->layers ? GS_KIND_DENSE : GS_KIND_HEAD;
    }
    gs_status status = allocate(&m, error);
    if (status == GS_OK)
        status = measure(&m, summary, error);
    release(&m);
    return status;
}

gs_status gs_measure(gs_network *network, gs_layer_stats *rows, gs_summary *summary,
                     gs_error *error) {
    return gs_measure_columns(network, GS_ALL_COLUMNS, rows, summary, error);
}
