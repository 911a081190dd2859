/*
 * What the two passes show of every layer: an observer, and riders on the signals.
 */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "flow/measure.h"

/* ---- What the observer keeps ---- */

/* What rides on a kind of signal, and what it saw of each block. */
typedef struct {
    const gs_kernels *kernels;
    double threshold;
    gs_partial *partials; /* [blocks] of the largest signal */
    gs_rider rider;
} ride;

typedef struct {
    gs_network *network;
    gs_observation *seen;
    size_t *zeros; /* zero slopes of each unit */
    ride z, a, slope, grad_a;
    gs_gradient_work work;
} observer;

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
    const observer *o;
    const gs_signal *slope;
} zeros_context;

static void zeros_block(void *context, gs_block block) {
    const zeros_context *c = context;
    c->o->network->engine.kernels->row_zeros(block.rows, block.lanes,
                                             (const char *)c->slope->data + block.offset,
                                             c->o->zeros + block.row);
}

/* Units with slope 0 on the whole batch. */
static double count_dead(const observer *o, const gs_signal *slope) {
    double dead = 0;
    zeros_context context = {o, slope};
    memset(o->zeros, 0, slope->units * sizeof *o->zeros);
    gs_signal_for_rows(&o->network->engine, slope, zeros_block, &context);
    for (size_t u = 0; u < slope->units; u++)
        dead += o->zeros[u] == slope->batch;
    return dead;
}

/* Saturated: |phi'| below a tenth of its largest. */
static void set_slopes(const observer *o, const gs_stage *stage, gs_layer_stats *row) {
    const gs_signal *slope = &stage->slope;
    double count = (double)slope->units * (double)slope->batch;
    gs_partial total = merge(&o->slope, slope, gs_partial_sum);
    double dead = total.value[1] > 0 ? count_dead(o, slope) : 0;
    bool finite = o->network->nonfinite_layer == 0;
    gs_stats_set(row, GS_SATURATED, finite ? total.value[0] / count : NAN);
    gs_stats_set(row, GS_ZERO, finite ? total.value[1] / count : NAN);
    gs_stats_set(row, GS_DEAD, finite ? dead / (double)slope->units : NAN);
}

static gs_status see_value(void *context, const gs_stage *stage, gs_error *error) {
    observer *o = context;
    gs_layer_stats *row = &o->seen->rows[stage->layer - 1];
    (void)error;
    if (stage->kind == GS_STAGE_ACTIVATION)
        set_slopes(o, stage, row);
    if (stage->names & GS_IS_Z)
        set_moments(&o->network->engine, &o->z, &stage->out, GS_Z_MEAN, GS_Z_STD, row);
    if (stage->names & GS_IS_A)
        set_moments(&o->network->engine, &o->a, &stage->out, GS_A_MEAN, GS_A_STD, row);
    return GS_OK;
}

/* ---- Backward: norms, and what a smaller format would lose ---- */

const gs_number_format gs_number_formats[GS_NUMBER_FORMATS] = {
    {GS_F32_ZERO, -150, 128}, {GS_F16_ZERO, -25, 16}, {GS_BF16_ZERO, -134, 128}};

static void ride_lost(void *context, const gs_signal *grad, gs_block block) {
    ride *r = context;
    gs_partial *part = &r->partials[block.index];
    const char *x = (const char *)grad->data + block.offset;
    for (size_t i = 0; i < GS_NUMBER_FORMATS; i++) {
        double threshold = gs_ldexp(1, gs_number_formats[i].largest_lost - grad->exponent);
        part->value[i] = (double)r->kernels->count_at_most(block.rows, block.lanes, threshold, x);
    }
}

static void set_lost(observer *o, const gs_signal *grad, bool finite, gs_layer_stats *row) {
    double count = (double)grad->units * (double)grad->batch;
    if (!grad->riders)
        gs_signal_tell(&o->network->engine, grad, &o->grad_a.rider);
    gs_partial lost = merge(&o->grad_a, grad, gs_partial_sum);
    for (size_t i = 0; i < GS_NUMBER_FORMATS; i++)
        gs_stats_set(row, gs_number_formats[i].zero, finite ? lost.value[i] / count : NAN);
}

static gs_status see_grad(void *context, size_t layer, unsigned names, const gs_signal *grad,
                          gs_error *error) {
    observer *o = context;
    gs_magnitude norm = gs_signal_magnitude(grad, NULL);
    (void)error;
    gs_path_see(&o->seen->path, layer, names, grad, norm);
    if (names & GS_IS_X)
        o->seen->norms[layer].x = norm;
    if (names & GS_IS_Z) {
        o->seen->norms[layer].z = norm;
        gs_stats_set(&o->seen->rows[layer - 1], GS_GRAD_Z_LOG10, gs_magnitude_log10(norm));
    }
    if (names & GS_IS_A) {
        o->seen->norms[layer].a = norm;
        o->seen->norms[layer].a_count = (double)grad->units * (double)grad->batch;
        set_lost(o, grad, isfinite(norm.sum_squares), &o->seen->rows[layer - 1]);
    }
    return GS_OK;
}

static gs_status see_dense(void *context, const gs_stage *stage, const gs_signal *delta,
                           gs_error *error) {
    observer *o = context;
    gs_layer_stats *row = &o->seen->rows[stage->layer - 1];
    gs_weight_gradient grad;
    gs_status status = gs_measure_weight_gradient(
        &o->network->engine, delta, stage->in,
        o->network->keep_gradients ? &stage->dense.grad : NULL, &o->work, &grad, error);
    if (status != GS_OK)
        return status;
    o->seen->weights[stage->layer - 1] = grad.norm;
    gs_stats_set(row, GS_GRAD_W, gs_magnitude_value(grad.norm));
    gs_stats_set(row, GS_GRAD_W_LOG10, gs_magnitude_log10(grad.norm));
    if (!isnan(grad.snr))
        gs_stats_set(row, GS_GRAD_SNR, grad.snr);
    if (!isnan(grad.corr))
        gs_stats_set(row, GS_GRAD_CORR, grad.corr);
    return GS_OK;
}

/* ---- The whole ---- */

/* Riders on every signal that has a name in the model, or off them. */
static void set_riders(observer *o, bool on) {
    for (size_t i = 0; i < o->network->stage_count; i++) {
        gs_stage *stage = &o->network->stages[i];
        gs_rider *rider = stage->names & GS_IS_Z   ? &o->z.rider
                          : stage->names & GS_IS_A ? &o->a.rider
                                                   : NULL;
        stage->out.riders = on ? rider : NULL;
        if (stage->kind == GS_STAGE_ACTIVATION)
            stage->slope.riders = on ? &o->slope.rider : NULL;
    }
}

static gs_status run_passes(observer *o, gs_error *error) {
    gs_observer sees = {o, see_value, see_grad, &o->grad_a.rider, see_dense};
    set_riders(o, true);
    gs_status status = gs_network_forward_observed(o->network, &sees, error);
    set_riders(o, false);
    return status == GS_OK ? gs_network_backward_observed(o->network, &sees, error) : status;
}

static gs_status board(observer *o, ride *r, size_t blocks,
                       void (*task)(void *context, const gs_signal *signal, gs_block block),
                       gs_error *error) {
    r->kernels = o->network->engine.kernels;
    r->rider = (gs_rider){.task = task, .context = r};
    r->partials = gs_alloc(blocks, sizeof *r->partials, error);
    return r->partials ? GS_OK : GS_ERR_MEMORY;
}

static gs_status allocate(observer *o, gs_error *error) {
    const gs_config *config = o->network->config;
    /* The gradient is a signal that is as large as the largest. */
    size_t blocks = gs_signal_blocks_of(&o->network->grad, gs_config_widest(config));
    o->zeros = gs_alloc(gs_config_widest(config), sizeof *o->zeros, error);
    gs_status status = o->zeros ? GS_OK : GS_ERR_MEMORY;
    if (status == GS_OK)
        status = board(o, &o->z, blocks, ride_moments, error);
    if (status == GS_OK)
        status = board(o, &o->a, blocks, ride_moments, error);
    if (status == GS_OK)
        status = board(o, &o->slope, blocks, ride_slopes, error);
    if (status == GS_OK)
        status = board(o, &o->grad_a, blocks, ride_lost, error);
    o->slope.threshold = gs_activation_largest_slope(config->act) / 10;
    return status;
}

static void release(observer *o) {
    gs_gradient_work_free(&o->work);
    gs_free(o->zeros);
    gs_free(o->z.partials);
    gs_free(o->a.partials);
    gs_free(o->slope.partials);
    gs_free(o->grad_a.partials);
}

static gs_status allocate_observation(const gs_network *network, gs_layer_stats *rows,
                                      gs_observation *seen, gs_error *error) {
    size_t layers = network->layers;
    *seen = (gs_observation){
        .rows = rows,
        .norms = gs_alloc(layers + 1, sizeof *seen->norms, error),
        .weights = gs_alloc(layers, sizeof *seen->weights, error),
    };
    gs_status status = gs_path_new(network, &seen->path, error);
    return seen->norms && seen->weights ? status : GS_ERR_MEMORY;
}

gs_status gs_observe(gs_network *network, gs_layer_stats *rows, gs_observation *seen,
                     gs_error *error) {
    observer o = {.network = network, .seen = seen};
    gs_status status = allocate_observation(network, rows, seen, error);
    if (status == GS_OK)
        status = allocate(&o, error);
    if (status == GS_OK)
        status = run_passes(&o, error);
    release(&o);
    return status;
}

void gs_observation_free(gs_observation *seen) {
    gs_path_free(&seen->path);
    gs_free(seen->norms);
    gs_free(seen->weights);
}
