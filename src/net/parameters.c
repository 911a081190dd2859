/*
 * The list of parameters, and the elements of those that are not matrices.
 */
#include "net/parameters.h"

#include <float.h>

#include "base/error.h"
#include "base/memory.h"

/* ---- The list ---- */

static gs_trainable *add(gs_parameters *parameters, size_t layer, size_t elements) {
    gs_trainable *item = &parameters->items[parameters->count++];
    *item = (gs_trainable){.layer = layer, .tiles = (elements + GS_TILE_SIZE - 1) / GS_TILE_SIZE};
    return item;
}

static void add_vector(gs_parameters *parameters, size_t layer, gs_vector *vector) {
    add(parameters, layer, vector->units)->vector = vector;
}

static void add_stage(gs_parameters *parameters, gs_stage *stage) {
    switch (stage->kind) {
    case GS_STAGE_DENSE: {
        gs_matrix *weight = &stage->dense.weight, *grad = &stage->dense.grad;
        gs_trainable *item =
            add(parameters, stage->layer, weight->row_tiles * weight->col_tiles * GS_TILE_SIZE);
        item->weight = weight, item->weight_grad = grad;
        item->values = weight->data, item->grad = grad->data;
        add_vector(parameters, stage->layer, &stage->dense.bias);
        break;
    }
    case GS_STAGE_NORM:
        add_vector(parameters, stage->layer, &stage->norm.scale);
        add_vector(parameters, stage->layer, &stage->norm.shift);
        break;
    case GS_STAGE_SKIP:
        if (stage->skip.learned)
            add(parameters, stage->layer, 1)->skip = &stage->skip;
        break;
    case GS_STAGE_ACTIVATION:
        break;
    }
}

/* Copies of values come first, in the order of the list, then those of gradients. */
static gs_status add_copies(gs_parameters *parameters, gs_error *error) {
    size_t tiles = 0, bytes = GS_TILE_SIZE * parameters->kernels->size;
    for (size_t i = 0; i < parameters->count; i++)
        tiles += parameters->items[i].weight ? 0 : parameters->items[i].tiles;
    parameters->copies = gs_alloc(tiles, 2 * bytes, error);
    if (!parameters->copies)
        return GS_ERR_MEMORY;
    char *next = parameters->copies;
    for (size_t i = 0; i < parameters->count; i++) {
        gs_trainable *item = &parameters->items[i];
        if (item->weight)
            continue;
        item->values = next;
        item->grad = next + tiles * bytes;
        next += item->tiles * bytes;
    }
    return GS_OK;
}

/* ---- Weights without an exponent ---- */

static double largest_of(const gs_kernels *kernels, const gs_matrix *matrix, size_t count) {
    double squares, max_abs;
    kernels->magnitude(count / kernels->panel, kernels->panel, matrix->data, &squares, &max_abs);
    return max_abs;
}

static gs_status drop_exponent(const gs_kernels *kernels, size_t layer, gs_matrix *weight,
                               gs_error *error) {
    bool wide = kernels->dtype == GS_F64;
    double most = wide ? DBL_MAX : (double)FLT_MAX, least = wide ? DBL_MIN : (double)FLT_MIN;
    size_t count = weight->row_tiles * weight->col_tiles * GS_TILE_SIZE;
    if (!weight->data) {
        return gs_fail(error, GS_ERR_USAGE,
                       "--weights: expected stored for training, but those of layer %zu are "
                       "streamed",
                       layer);
    }
    gs_matrix_own(kernels, weight);
    if (weight->exponent == 0)
        return GS_OK;
    double largest = largest_of(kernels, weight, count);
    double size = gs_ldexp(largest, weight->exponent);
    if (largest != 0 && !(size >= least && size <= most)) {
        gs_magnitude norm = {largest * largest, weight->exponent};
        return gs_fail(error, GS_ERR_USAGE,
                       "layer %zu: expected weights from %.2g to %.2g for training, got 1e%.0f",
                       layer, least, most, gs_magnitude_log10(norm));
    }
    gs_shift(kernels, weight->exponent, count, weight->data, weight->data);
    weight->exponent = 0;
    return GS_OK;
}

gs_status gs_parameters_new(gs_network *network, gs_parameters *parameters, gs_error *error) {
    const gs_kernels *kernels = network->engine.kernels;
    *parameters = (gs_parameters){.kernels = kernels};
    for (size_t i = 0; i < network->stage_count; i++) {
        gs_stage *stage = &network->stages[i];
        if (stage->kind != GS_STAGE_DENSE)
            continue;
        gs_status status = drop_exponent(kernels, stage->layer, &stage->dense.weight, error);
        if (status != GS_OK)
            return status;
    }
    gs_status status = gs_network_keep_gradients(network, error);
    if (status != GS_OK)
        return status;
    parameters->items = gs_alloc(network->stage_count, 2 * sizeof *parameters->items, error);
    if (!parameters->items)
        return GS_ERR_MEMORY;
    for (size_t i = 0; i < network->stage_count; i++)
        add_stage(parameters, &network->stages[i]);
    return add_copies(parameters, error);
}

void gs_parameters_free(gs_parameters *parameters) {
    gs_free(parameters->items);
    gs_free(parameters->copies);
    *parameters = (gs_parameters){0};
}

/* ---- Elements ---- */

void gs_parameters_gather(const gs_parameters *parameters) {
    const gs_kernels *k = parameters->kernels;
    for (size_t i = 0; i < parameters->count; i++) {
        const gs_trainable *item = &parameters->items[i];
        if (item->vector) {
            k->set_all(item->vector->units, item->vector->values, item->values);
            k->set_all(item->vector->units, item->vector->grad, item->grad);
        } else if (item->skip) {
            k->set(item->values, item->skip->alpha);
            k->set(item->grad, item->skip->grad_alpha);
        }
    }
}

void gs_parameters_scatter(const gs_parameters *parameters) {
    const gs_kernels *k = parameters->kernels;
    for (size_t i = 0; i < parameters->count; i++) {
        const gs_trainable *item = &parameters->items[i];
        if (item->vector)
            k->get_all(item->vector->units, item->values, item->vector->values);
        else if (item->skip)
            item->skip->alpha = k->get(item->values);
    }
}

int64_t gs_trainable_exponent(const gs_trainable *trainable) {
    if (trainable->weight_grad)
        return trainable->weight_grad->exponent;
    return trainable->vector ? trainable->vector->exponent : trainable->skip->exponent;
}

/* So many tiles at a time, as in gs_matrix_magnitude. */
enum { SOME_TILES = 32 };

gs_magnitude gs_matrix_distance(const gs_kernels *kernels, const gs_matrix *x, const gs_matrix *y) {
    size_t tiles = x->row_tiles * x->col_tiles, bytes = GS_TILE_SIZE * kernels->size;
    gs_magnitude total = {0, 0};
    for (size_t t = 0; t < tiles; t += SOME_TILES) {
        size_t count = tiles - t < SOME_TILES ? tiles - t : SOME_TILES;
        total.sum_squares +=
            kernels->squared_distance(count * GS_TILE_SIZE, (const char *)x->data + t * bytes,
                                      (const char *)y->data + t * bytes);
    }
    return total;
}
