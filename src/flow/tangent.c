/*
 * A network as the linear map that it is around one example: what each stage does to a small change
 * is recorded as the batch goes forward, and any number of gradients can then be taken back through
 * it, in double whatever the element type. The statistics of a batch norm are held as they are.
 */
#include "flow/jacobian.h"

#include "base/memory.h"
#include "net/product.h"

/* ---- Memory ---- */

static bool has_factor(const gs_stage *stage) {
    return stage->kind == GS_STAGE_ACTIVATION || stage->kind == GS_STAGE_NORM;
}

/* Layer and RMS norm: a gradient is projected too. */
static bool is_projection(const gs_stage *stage) {
    return stage->kind == GS_STAGE_NORM && stage->norm.kind != GS_NORM_BATCH;
}

bool gs_tangent_bytes(const gs_tangent *t, size_t *bytes) {
    size_t numbers = 0;
    bool fits = true;
    for (size_t i = 0; fits && i < t->stage_count; i++)
        if (has_factor(&t->network->stages[i]))
            fits = gs_size_add(numbers, 2 * t->network->stages[i].out.rows, &numbers);
    if (fits && t->network->engine.kernels->dtype != GS_F64) {
        size_t weight;
        fits = gs_size_multiply(t->widest, t->widest + GS_TILE, &weight) &&
               gs_size_add(numbers, weight, &numbers);
    }
    return fits && gs_size_multiply(numbers, sizeof(double), bytes);
}

static gs_status allocate_weight(gs_tangent *t, gs_error *error) {
    const gs_kernels *k = t->network->engine.kernels;
    if (k->dtype == GS_F64)
        return GS_OK;
    t->row = gs_alloc((t->widest + GS_TILE - 1) / GS_TILE, GS_TILE_SIZE * k->size, error);
    return t->row ? gs_matrix_new(&t->engine, t->widest, t->widest, &t->weight, error)
                  : GS_ERR_MEMORY;
}

gs_status gs_tangent_allocate(gs_tangent *t, gs_error *error) {
    t->stages = gs_alloc(t->stage_count, sizeof *t->stages, error);
    if (!t->stages)
        return GS_ERR_MEMORY;
    for (size_t i = 0; i < t->stage_count; i++) {
        const gs_stage *stage = &t->network->stages[i];
        gs_tangent_stage *s = &t->stages[i];
        if (has_factor(stage) && !(s->factor = gs_alloc(stage->out.rows, sizeof(double), error)))
            return GS_ERR_MEMORY;
        if (is_projection(stage) &&
            !(s->normalised = gs_alloc(stage->out.rows, sizeof(double), error)))
            return GS_ERR_MEMORY;
    }
    return allocate_weight(t, error);
}

void gs_tangent_free(gs_tangent *t) {
    for (size_t i = 0; t->stages && i < t->stage_count; i++) {
        gs_free(t->stages[i].factor);
        gs_free(t->stages[i].normalised);
    }
    gs_free(t->stages);
    gs_matrix_free(&t->weight);
    gs_free(t->row);
}

/* ---- Forward ---- */

static void read_example(const gs_tangent *t, const gs_signal *signal, double *values) {
    const gs_kernels *k = t->network->engine.kernels;
    for (size_t u = 0; u < signal->units; u++)
        values[u] = k->get(gs_signal_element(k, signal, u, t->example));
}

/* h is as exact as the element type. What a layer norm cuts off, and what eps leaves along h,
   must not hang on that: the mean of h is taken off once more, and |h|^2 / units is not taken
   from h, but as 1 - eps / (variance + eps). */
static void record_projection(const gs_tangent *t, const gs_norm *norm, gs_tangent_stage *s) {
    size_t units = norm->scale.units;
    double inverse_std = gs_ldexp(norm->inverse_std[t->example], norm->exponent);
    double sum = 0, squares = 0;
    s->inverse_std = norm->inverse_std[t->example];
    read_example(t, &norm->normalised, s->normalised);
    for (size_t u = 0; u < units; u++)
        sum += s->normalised[u];
    for (size_t u = 0; u < units; u++) {
        s->normalised[u] -= norm->kind == GS_NORM_LAYER ? sum / (double)units : 0;
        squares += s->normalised[u] * s->normalised[u];
    }
    s->share = squares > 0 ? (1 - norm->eps * inverse_std * inverse_std) / squares : 0;
}

static void record_norm(const gs_tangent *t, const gs_norm *norm, gs_tangent_stage *s) {
    s->exponent = norm->exponent;
    for (size_t u = 0; u < norm->scale.units; u++)
        s->factor[u] = norm->scale.values[u] * (s->normalised ? 1 : norm->inverse_std[u]);
    if (s->normalised)
        record_projection(t, norm, s);
}

static gs_status record(void *context, const gs_stage *stage, gs_error *error) {
    const gs_tangent *t = context;
    size_t index = (size_t)(stage - t->network->stages);
    (void)error;
    if (index < t->stage_count && stage->kind == GS_STAGE_NORM)
        record_norm(t, &stage->norm, &t->stages[index]);
    if (index < t->stage_count && stage->kind == GS_STAGE_ACTIVATION) {
        t->stages[index].exponent = stage->slope.exponent;
        read_example(t, &stage->slope, t->stages[index].factor);
    }
    return GS_OK;
}

gs_status gs_tangent_record(gs_tangent *t, gs_error *error) {
    const gs_observer observer = {.context = t, .value = record};
    return gs_network_forward_observed(t->network, &observer, error);
}

/* ---- Backward ---- */

/* The weights in f64. */
static const gs_matrix *in_double(gs_tangent *t, const gs_matrix *weight) {
    const gs_kernels *k = t->network->engine.kernels;
    gs_matrix *wide = &t->weight;
    if (k->dtype == GS_F64)
        return weight;
    wide->rows = weight->rows;
    wide->cols = weight->cols;
    wide->row_tiles = weight->row_tiles;
    wide->col_tiles = weight->col_tiles;
    wide->exponent = weight->exponent;
    size_t count = weight->col_tiles * GS_TILE_SIZE;
    for (size_t i = 0; i < weight->row_tiles; i++) {
        gs_tiles from = gs_matrix_tiles(k, weight, i, 1, 0, weight->col_tiles, t->row);
        for (size_t n = 0; n < count; n++)
            ((double *)wide->data)[i * count + n] = k->get(from.data + n * k->size);
    }
    return wide;
}

static void pass_dense(gs_tangent *t, const gs_dense *dense, gs_signal *grad, gs_signal *spare) {
    gs_signal_set_columns(&t->engine, spare, grad->batch);
    gs_signal_reshape(&t->engine, spare, dense->weight.cols);
    gs_product_backward(&t->engine, in_double(t, &dense->weight), grad, spare);
    gs_signal old = *grad;
    *grad = *spare;
    *spare = old;
}

typedef struct {
    const gs_kernels *kernels;
    const gs_tangent_stage *stage;
    gs_signal *grad;
    bool has_mean;
} map_job;

static void scale_rows(void *context, gs_block block) {
    const map_job *job = context;
    char *x = (char *)job->grad->data + block.offset;
    job->kernels->affine_rows(block.rows, job->stage->factor + block.row, NULL, x, x);
}

/* inverse_std (g - mean(g) - h mean(g h)) of every column g of a panel, as in gs_norm_backward.
   Here h may be of any length: it is `share` that makes the mean. */
static void project_panel(void *context, size_t panel) {
    enum { LANES = GS_PANEL_BYTES / sizeof(double) };
    const map_job *job = context;
    const gs_signal *grad = job->grad;
    const double *h = job->stage->normalised;
    double *g = (double *)grad->data + panel * grad->rows * LANES, units = (double)grad->units;
    double mean[LANES] = {0}, dot[LANES] = {0};
    for (size_t u = 0; u < grad->units; u++)
        for (size_t l = 0; l < LANES; l++) {
            mean[l] += g[u * LANES + l];
            dot[l] += h[u] * g[u * LANES + l];
        }
    for (size_t l = 0; l < LANES; l++) {
        mean[l] = job->has_mean ? mean[l] / units : 0;
        dot[l] *= job->stage->share;
    }
    for (size_t u = 0; u < grad->units; u++)
        for (size_t l = 0; l < LANES; l++)
            g[u * LANES + l] =
                job->stage->inverse_std * ((g[u * LANES + l] - mean[l]) - h[u] * dot[l]);
}

static void pass_map(gs_tangent *t, const gs_stage *stage, const gs_tangent_stage *s,
                     gs_signal *grad) {
    bool has_mean = stage->kind == GS_STAGE_NORM && stage->norm.kind == GS_NORM_LAYER;
    map_job job = {t->engine.kernels, s, grad, has_mean};
    gs_signal_make(&t->engine, grad, scale_rows, &job);
    if (s->normalised) {
        gs_pool_run(t->engine.pool, grad->panels, project_panel, &job);
        gs_signal_measure(&t->engine, grad);
    }
    grad->exponent += s->exponent;
}

static void pass_skip(gs_tangent *t, const gs_skip *skip, gs_signal *grad, gs_signal *skipped) {
    gs_signal_set_columns(&t->engine, skipped, grad->batch);
    gs_signal_reshape(&t->engine, skipped, grad->units);
    gs_signal_copy(&t->engine, grad, skipped);
    gs_signal_scale(&t->engine, skip->alpha, grad, grad);
}

void gs_tangent_back(gs_tangent *t, size_t index, gs_signal *grad, gs_signal *spare,
                     gs_signal *skipped) {
    const gs_stage *stage = &t->network->stages[index];
    switch (stage->kind) {
    case GS_STAGE_DENSE:
        pass_dense(t, &stage->dense, grad, spare);
        break;
    case GS_STAGE_ACTIVATION:
    case GS_STAGE_NORM:
        pass_map(t, stage, &t->stages[index], grad);
        break;
    case GS_STAGE_SKIP:
        pass_skip(t, &stage->skip, grad, skipped);
        break;
    }
}
