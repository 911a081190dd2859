/*
 * Dense layers, and the vectors of parameters beside a signal.
 */
#include "net/dense.h"

#include <math.h>

#include "base/memory.h"
#include "net/config.h"
#include "net/init.h"
#include "net/product.h"
#include "net/streams.h"
#include "net/weight_cache.h"

/* ---- Vectors of parameters ---- */

gs_status gs_vector_new(size_t units, double value, gs_vector *vector, gs_error *error) {
    size_t rows = (units + GS_TILE - 1) / GS_TILE * GS_TILE;
    *vector = (gs_vector){.units = units};
    vector->values = gs_alloc(rows, sizeof *vector->values, error);
    vector->grad = gs_alloc(rows, sizeof *vector->grad, error);
    if (!vector->values || !vector->grad)
        return GS_ERR_MEMORY;
    for (size_t u = 0; u < units; u++)
        vector->values[u] = value;
    return GS_OK;
}

void gs_vector_free(gs_vector *vector) {
    gs_free(vector->values);
    gs_free(vector->grad);
    *vector = (gs_vector){0};
}

bool gs_vector_is_zero(const gs_vector *vector) {
    for (size_t u = 0; u < vector->units; u++)
        if (vector->values[u] != 0)
            return false;
    return true;
}

gs_magnitude gs_vector_magnitude(const gs_vector *vector) {
    gs_magnitude total = {0, vector->exponent};
    for (size_t u = 0; u < vector->units; u++)
        total.sum_squares = fma(vector->grad[u], vector->grad[u], total.sum_squares);
    return total;
}

typedef struct {
    const gs_kernels *kernels;
    const gs_signal *x, *y; /* y: or NULL */
    double *sums;
} sums_job;

static void sums_block(void *context, gs_block block) {
    const sums_job *job = context;
    const char *x = (const char *)job->x->data + block.offset;
    double *sums = job->sums + block.row;
    if (job->y) {
        job->kernels->dots[GS_AXIS_UNIT](block.rows, block.lanes, x,
                                         (const char *)job->y->data + block.offset, sums);
    } else {
        job->kernels->sums[GS_AXIS_UNIT](block.rows, block.lanes, x, sums);
    }
}

static sums_job begin_sums(const gs_engine *engine, const gs_signal *x, const gs_signal *y,
                           gs_vector *vector) {
    for (size_t u = 0; u < vector->units; u++)
        vector->grad[u] = 0;
    vector->exponent = x->exponent + (y ? y->exponent : 0);
    return (sums_job){engine->kernels, x, y, vector->grad};
}

static void grad_sums(const gs_engine *engine, const gs_signal *x, const gs_signal *y,
                      gs_vector *vector) {
    sums_job job = begin_sums(engine, x, y, vector);
    gs_signal_for_rows(engine, x, sums_block, &job);
}

void gs_vector_grad_sums(const gs_engine *engine, const gs_signal *x, gs_vector *vector) {
    grad_sums(engine, x, NULL, vector);
}

void gs_vector_grad_dots(const gs_engine *engine, const gs_signal *x, const gs_signal *y,
                         gs_vector *vector) {
    grad_sums(engine, x, y, vector);
}

/* ---- Layers ---- */

gs_status gs_dense_new(const gs_engine *engine, size_t out, size_t in, bool stored, gs_dense *dense,
                       gs_error *error) {
    gs_status status = GS_OK;
    *dense = (gs_dense){.weight = gs_matrix_streamed(out, in)};
    if (stored)
        status = gs_matrix_new(engine, out, in, &dense->weight, error);
    return status == GS_OK ? gs_vector_new(out, 0, &dense->bias, error) : status;
}

void gs_dense_free(gs_dense *dense) {
    gs_matrix_free(&dense->weight);
    gs_matrix_free(&dense->grad);
    gs_vector_free(&dense->bias);
}

static void draw_bias(const gs_engine *engine, gs_vector *bias, gs_choice choice, uint64_t seed,
                      uint32_t layer) {
    const gs_kernels *k = engine->kernels;
    _Alignas(64) char tile[GS_TILE_SIZE * sizeof(double)];
    for (size_t u = 0; u < bias->units; u++) {
        char *element = tile + u % GS_TILE * k->size;
        if (choice.index == GS_BIAS_CONSTANT) {
            k->set(element, choice.parameter);
        } else if (u % GS_TILE == 0) {
            k->random_tiles(GS_DRAW_NORMAL, seed, GS_STREAM_BIAS, layer, 0, (uint32_t)(u / GS_TILE),
                            1, choice.parameter, tile);
        }
        bias->values[u] = k->get(element);
    }
}

gs_status gs_dense_draw(const gs_engine *engine, gs_dense *dense, gs_choice init, double gain,
                        gs_choice bias, uint64_t seed, uint32_t layer, gs_error *error) {
    const gs_kernels *kernels = engine->kernels;
    const gs_weight_origin origin = {init, gain, seed, layer};
    draw_bias(engine, &dense->bias, bias, seed, layer);
    if (gs_weight_cache_lend(engine->cache, kernels, &origin, &dense->weight))
        return GS_OK;
    gs_status status = gs_init_weight(engine, init, gain, seed, layer, &dense->weight, error);
    if (status == GS_OK)
        gs_weight_cache_keep(engine->cache, &dense->weight);
    return status;
}

int64_t gs_dense_exponent(const gs_dense *dense, const gs_signal *u) {
    return gs_product_exponent(&dense->weight, u, !gs_vector_is_zero(&dense->bias));
}

/* z = W u + b */
void gs_dense_forward(const gs_engine *engine, const gs_dense *dense, const gs_signal *u,
                      gs_signal *z) {
    bool has_bias = !gs_vector_is_zero(&dense->bias);
    gs_product_forward(engine, &dense->weight, u, has_bias ? dense->bias.values : NULL, z);
}

static void sum_rows(void *context, size_t place) {
    const sums_job *job = context;
    for (size_t panel = 0; panel < job->x->panels; panel++)
        sums_block(context, gs_signal_block(job->kernels, job->x, panel, place));
}

/* dL/du = W^T dL/dz, dL/db = sum over the batch of dL/dz, dL/dW = dL/dz u^T */
void gs_dense_backward(const gs_engine *engine, gs_dense *dense, const gs_signal *delta,
                       const gs_signal *u, gs_signal *grad_u) {
    sums_job sums = begin_sums(engine, delta, NULL, &dense->bias);
    gs_outer_job outer;
    gs_pool_job beside[GS_MOST_BESIDE] = {
        {gs_signal_blocks(delta) / delta->panels, sum_rows, &sums}};
    if (u)
        beside[1] = gs_product_outer_job(engine, delta, u, &dense->grad, &outer);
    gs_product_backward_beside(engine, &dense->weight, delta, grad_u, beside, u ? 2 : 1);
}
