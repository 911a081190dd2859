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

gs_magnitude gs_clip_factor(gs_magnitude norm, double c) {
    gs_magnitude factor = {c * c / norm.sum_squares, -norm.exponent};
    return gs_magnitude_value(factor) < 1 ? factor : (gs_magnitude){1, 0};
}

double gs_clip_unit_limit(gs_magnitude weight, double c) {
    return c * fmax(gs_magnitude_value(weight), 1e-3);
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
    for (size_t i = 0; i < network->layers; i++)
        norms[i] = weights[i];
    for (size_t i = 0; i < network->stage_count; i++) {
        gs_magnitude *norm = &norms[network->stages[i].layer - 1];
        *norm = gs_magnitude_add(*norm, others_of(&network->stages[i]));
    }
}

/* ---- Clipping of entries ---- */

/* Every entry into [-c, c]: one that lies outside has the square c^2, the others keep theirs. */
static gs_magnitude clipped_by_value(const gs_kernels *k, const gs_matrix *grad, double c) {
    double limit = gs_ldexp(c, -grad->exponent), outside = 0;
    gs_magnitude inside = {0, grad->exponent};
    for (size_t i = 0; i < grad->rows; i++) {
        for (size_t j = 0; j < grad->cols; j++) {
            double size = fabs(k->get(gs_matrix_element(k, grad, i, j)));
            if (size > limit)
                outside++;
            else
                inside.sum_squares = fma(size, size, inside.sum_squares);
        }
    }
    return gs_magnitude_add(inside, (gs_magnitude){outside * c * c, 0});
}

/* Row by row; `squares` has room for those of the rows of both. */
static gs_magnitude clipped_by_unit(const gs_engine *engine, const gs_matrix *grad,
                                    const gs_matrix *weight, double c, double *squares) {
    double *of_grad = squares, *of_weight = squares + grad->row_tiles * GS_TILE;
    gs_magnitude total = {0, grad->exponent};
    gs_matrix_row_squares(engine, grad, of_grad);
    gs_matrix_row_squares(engine, weight, of_weight);
    for (size_t i = 0; i < grad->rows; i++) {
        gs_magnitude norm = {of_grad[i], grad->exponent};
        double limit = gs_clip_unit_limit((gs_magnitude){of_weight[i], weight->exponent}, c);
        bool within = gs_magnitude_value(gs_clip_factor(norm, limit)) == 1;
        total = gs_magnitude_add(total, within ? norm : (gs_magnitude){limit * limit, 0});
    }
    return total;
}

/* ---- The columns ---- */

static void set_clipped(gs_layer_stats *row, double factor, double after_log10) {
    gs_stats_set(row, GS_CLIP_SCALE, factor);
    gs_stats_set(row, GS_GRAD_CLIPPED_LOG10, after_log10);
}

static gs_status clip_entries(const gs_network *network, const gs_magnitude *weights,
                              gs_layer_stats *rows, gs_error *error) {
    const gs_engine *engine = &network->engine;
    gs_choice clip = network->config->clip;
    double *squares =
        gs_alloc(gs_config_widest(network->config) + GS_TILE, 2 * sizeof *squares, error);
    if (!squares)
        return GS_ERR_MEMORY;
    for (size_t i = 0; i < network->stage_count; i++) {
        const gs_stage *stage = &network->stages[i];
        if (stage->kind == GS_STAGE_DENSE) {
            const gs_matrix *grad = &stage->dense.grad;
            gs_magnitude before = weights[stage->layer - 1];
            gs_magnitude after =
                clip.index == GS_CLIP_AGC
                    ? clipped_by_unit(engine, grad, &stage->dense.weight, clip.parameter, squares)
                    : clipped_by_value(engine->kernels, grad, clip.parameter);
            double factor = before.sum_squares == 0 ? 1 : gs_magnitude_ratio(after, before);
            set_clipped(&rows[stage->layer - 1], factor, gs_magnitude_log10(after));
        }
    }
    gs_free(squares);
    return GS_OK;
}

gs_status gs_measure_clipping(const gs_network *network, const gs_magnitude *weights,
                              gs_layer_stats *rows, gs_error *error) {
    gs_choice clip = network->config->clip;
    if (gs_clip_needs_gradients(clip))
        return clip_entries(network, weights, rows, error);
    gs_magnitude *norms = gs_alloc(network->layers, sizeof *norms, error), total = {0, 0};
    if (!norms)
        return GS_ERR_MEMORY;
    layer_norms(network, weights, norms);
    for (size_t i = 0; i < network->layers; i++)
        total = gs_magnitude_add(total, norms[i]);
    for (size_t i = 0; i < network->layers; i++) {
        gs_magnitude norm = clip.index == GS_CLIP_LAYER ? norms[i] : total, factor = {1, 0};
        if (clip.index != GS_CLIP_NONE)
            factor = gs_clip_factor(norm, clip.parameter);
        set_clipped(&rows[i], gs_magnitude_value(factor),
                    gs_magnitude_log10(weights[i]) + gs_magnitude_log10(factor));
    }
    gs_free(norms);
    return GS_OK;
}
