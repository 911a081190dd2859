/*
 * What clipping would do to the gradients of a backward pass: the factor, and the norm of each
 * dL/dW after it.
 */
#include <math.h>

#include "base/memory.h"
#include "flow/measure.h"

bool gs_clip_needs_gradients(gs_choice clip) {
    return clip.index == GS_CLIP_VALUE || clip.index == GS_CLIP_AGC;
}

/* ---- Clipping by a norm: one factor for all, or one a layer ---- */

/* min(1, c / norm) */
static double factor_for(gs_magnitude norm, double c) {
    double factor = gs_magnitude_ratio((gs_magnitude){c * c, 0}, norm);
    return factor < 1 ? factor : 1; /* nan, for a norm of 0: 1 */
}

/* Norm over the gradients of everything in a layer but its weights. */
static gs_magnitude others_of(const gs_stage *stage) {
    gs_magnitude total = {0, 0};
    switch (stage->kind) {
    case GS_STAGE_DENSE:
        return gs_vector_magnitude(&stage->dense.bias);
    case GS_STAGE_NORM:
        return gs_magnitude_add(gs_vector_magnitude(&stage->norm.scale),
                                gs_vector_magnitude(&stage->norm.shift));
    case GS_STAGE_SKIP:
        if (stage->skip.learned) {
            total = (gs_magnitude){stage->skip.grad_alpha * stage->skip.grad_alpha,
                                   stage->skip.exponent};
        }
        return total;
    case GS_STAGE_ACTIVATION:
        return total;
    }
    return total;
}

/* norms[layer - 1] over all parameters of a layer. */
static void layer_norms(const gs_network *network, const gs_magnitude *weights,
                        gs_magnitude *norms) {
    for (size_t i = 0; i < network->layers; i++) {
        norms[i] = weights[i];
    }
    for (size_t i = 0; i < network->stage_count; i++) {
        gs_magnitude *norm = &norms[network->stages[i].layer - 1];
        *norm = gs_magnitude_add(*norm, others_of(&network->stages[i]));
    }
}

/* ---- Clipping of entries ---- */

/* Every entry into [-c, c], a row of tiles at a time. */
static gs_magnitude clipped_by_value(const gs_kernels *k, const gs_matrix *grad, double c,
                                     void *work) {
    size_t cells = grad->col_tiles * GS_TILE_SIZE;
    gs_magnitude total = {0, grad->exponent};
    for (size_t i = 0; i < grad->row_tiles; i++) {
        double squares, max_abs;
        k->clamp(cells, gs_ldexp(c, -grad->exponent), gs_matrix_tile(k, grad, i, 0), work);
        k->magnitude(cells / k->panel, k->panel, work, &squares, &max_abs);
        total.sum_squares += squares;
    }
    return total;
}

static double row_squares(const gs_kernels *k, const gs_matrix *matrix, size_t row) {
    double squares = 0;
    for (size_t j = 0; j < matrix->cols; j++) {
        double value = k->get(gs_matrix_element(k, matrix, row, j));
        squares = fma(value, value, squares);
    }
    return squares;
}

/* Adaptive gradient clipping (Brock 2021, eq. 3): row i of the gradient to a norm of c max(||W_i||,
 * 1e-3) at most. */
static gs_magnitude clipped_by_unit(const gs_kernels *k, const gs_matrix *grad,
                                    const gs_matrix *weight, double c) {
    gs_magnitude total = {0, grad->exponent};
    for (size_t i = 0; i < grad->rows; i++) {
        double squares = row_squares(k, grad, i);
        double limit = c * fmax(sqrt(row_squares(k, weight, i)), 1e-3);
        double factor = factor_for((gs_magnitude){squares, grad->exponent}, limit);
        total.sum_squares += squares * factor * factor;
    }
    return total;
}

/* ---- The columns ---- */

static gs_status clip_entries(const gs_network *network, const gs_stage *stage, gs_magnitude *after,
                              gs_error *error) {
    const gs_kernels *k = network->engine.kernels;
    const gs_matrix *grad = &stage->dense.grad;
    double c = network->config->clip.parameter;
    if (network->config->clip.index == GS_CLIP_AGC) {
        *after = clipped_by_unit(k, grad, &stage->dense.weight, c);
        return GS_OK;
    }
    void *work = gs_alloc(grad->col_tiles * GS_TILE_SIZE, k->size, error);
    if (!work) {
        return GS_ERR_MEMORY;
    }
    *after = clipped_by_value(k, grad, c, work);
    gs_free(work);
    return GS_OK;
}

static void set_clipped(gs_layer_stats *row, double factor, gs_magnitude after) {
    gs_stats_set(row, GS_CLIP_SCALE, factor);
    gs_stats_set(row, GS_GRAD_CLIPPED_LOG10, gs_magnitude_log10(after));
}

static gs_status clip_all_entries(const gs_network *network, const gs_magnitude *weights,
                                  gs_layer_stats *rows, gs_error *error) {
    for (size_t i = 0; i < network->stage_count; i++) {
        const gs_stage *stage = &network->stages[i];
        if (stage->kind == GS_STAGE_DENSE) {
            gs_magnitude after, before = weights[stage->layer - 1];
            gs_status status = clip_entries(network, stage, &after, error);
            if (status != GS_OK) {
                return status;
            }
            double factor = before.sum_squares == 0 ? 1 : gs_magnitude_ratio(after, before);
            set_clipped(&rows[stage->layer - 1], factor, after);
        }
    }
    return GS_OK;
}

gs_status gs_measure_clipping(const gs_network *network, const gs_magnitude *weights,
                              gs_layer_stats *rows, gs_error *error) {
    gs_choice clip = network->config->clip;
    if (gs_clip_needs_gradients(clip)) {
        return clip_all_entries(network, weights, rows, error);
    }
    gs_magnitude *norms = gs_alloc(network->layers, sizeof *norms, error), total = {0, 0};
    if (!norms) {
        return GS_ERR_MEMORY;
    }
    layer_norms(network, weights, norms);
    for (size_t i = 0; i < network->layers; i++) {
        total = gs_magnitude_add(total, norms[i]);
    }
    for (size_t i = 0; i < network->layers; i++) {
        gs_magnitude after = weights[i];
        gs_magnitude norm = clip.index == GS_CLIP_LAYER ? norms[i] : total;
        double factor = clip.index == GS_CLIP_NONE ? 1 : factor_for(norm, clip.parameter);
        after.sum_squares *= factor * factor;
        set_clipped(&rows[i], factor, after);
    }
    gs_free(norms);
    return GS_OK;
}
