/*
 * Normalisation. The three norms differ in two ways only: the axis that a statistic is taken over
 * (a unit's examples for batch norm, an example's units for layer and RMS norm), and whether the
 * mean is subtracted.
 */
#include "net/norm.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "net/config.h"

static gs_axis axis_of(const gs_norm *norm) {
    return norm->kind == GS_NORM_BATCH ? GS_AXIS_UNIT : GS_AXIS_EXAMPLE;
}

/* Statistics kept: one a unit or an example, in whole tiles or panels. */
static size_t statistics_of(const gs_engine *engine, const gs_norm *norm) {
    const gs_signal *x = &norm->normalised;
    return axis_of(norm) == GS_AXIS_UNIT ? x->rows : x->panels * engine->kernels->panel;
}

/* Numbers that a statistic is taken over. */
static double population_of(const gs_norm *norm) {
    return (double)(axis_of(norm) == GS_AXIS_UNIT ? norm->normalised.batch
                                                  : norm->normalised.units);
}

gs_status gs_norm_new(const gs_engine *engine, size_t kind, double eps, size_t units, size_t batch,
                      const gs_norm *sharing, gs_norm *norm, gs_error *error) {
    gs_status status = GS_OK;
    *norm = (gs_norm){.kind = kind, .eps = eps};
    if (sharing)
        norm->normalised = gs_signal_borrow(&sharing->normalised);
    else
        status = gs_signal_new(engine, units, batch, &norm->normalised, error);
    if (status == GS_OK)
        status = gs_vector_new(units, 1, &norm->scale, error);
    if (status == GS_OK)
        status = gs_vector_new(units, 0, &norm->shift, error);
    if (status == GS_OK) {
        size_t count = statistics_of(engine, norm);
        norm->inverse_std = gs_alloc(count, sizeof(double), error);
        norm->work = gs_alloc(count, 3 * sizeof(double), error);
        status = norm->inverse_std && norm->work ? GS_OK : GS_ERR_MEMORY;
    }
    return status;
}

void gs_norm_free(gs_norm *norm) {
    gs_signal_free(&norm->normalised);
    gs_vector_free(&norm->scale);
    gs_vector_free(&norm->shift);
    gs_free(norm->inverse_std);
    gs_free(norm->work);
    *norm = (gs_norm){0};
}

/* ---- Passes over the blocks of a signal ---- */

typedef struct {
    const gs_kernels *kernels;
    const gs_norm *norm;
    gs_axis axis;
    const char *x, *y;
    char *out;
    const double *first, *second, *third; /* statistics, or a vector of parameters */
    double *sums;
} pass;

typedef void (*runner)(const gs_engine *engine, const gs_signal *signal, gs_block_task task,
                       void *context);

/* Sums over an axis need its blocks in order. */
static runner in_order(gs_axis axis) {
    return axis == GS_AXIS_UNIT ? gs_signal_for_rows : gs_signal_for_panels;
}

static size_t at(const pass *p, gs_block block) {
    return p->axis == GS_AXIS_UNIT ? block.row : block.example;
}

static void sums_block(void *context, gs_block block) {
    const pass *p = context;
    p->kernels->sums[p->axis](block.rows, block.lanes, p->x + block.offset, p->sums + at(p, block));
}

static void dots_block(void *context, gs_block block) {
    const pass *p = context;
    p->kernels->dots[p->axis](block.rows, block.lanes, p->x + block.offset, p->y + block.offset,
                              p->sums + at(p, block));
}

static void squares_block(void *context, gs_block block) {
    const pass *p = context;
    p->kernels->centred_squares[p->axis](block.rows, block.lanes, p->x + block.offset,
                                         p->first + at(p, block), p->sums + at(p, block));
}

static void normalise_block(void *context, gs_block block) {
    const pass *p = context;
    p->kernels->normalise[p->axis](block.rows, p->first + at(p, block), p->second + at(p, block),
                                   p->x + block.offset, p->out + block.offset);
}

static void backward_block(void *context, gs_block block) {
    const pass *p = context;
    p->kernels->normalise_backward[p->axis](
        block.rows, p->first + at(p, block), p->second + at(p, block), p->third + at(p, block),
        p->y + block.offset, p->x + block.offset, p->out + block.offset);
}

static void affine_block(void *context, gs_block block) {
    const pass *p = context;
    const double *shift = p->second ? p->second + block.row : NULL;
    p->kernels->affine_rows(block.rows, p->first + block.row, shift, p->x + block.offset,
                            p->out + block.offset);
}

/* The mean over an axis of x, or of x y. */
static void mean_over_axis(const gs_engine *engine, const gs_norm *norm, const gs_signal *x,
                           const gs_signal *y, double *mean) {
    size_t count = statistics_of(engine, norm);
    pass p = {.kernels = engine->kernels, .axis = axis_of(norm), .x = x->data, .sums = mean};
    memset(mean, 0, count * sizeof *mean);
    if (y)
        p.y = y->data;
    in_order(p.axis)(engine, x, y ? dots_block : sums_block, &p);
    for (size_t i = 0; i < count; i++)
        mean[i] /= population_of(norm);
}

/* ---- Forward and backward ---- */

/* Below this exponent it is h that carries the rest: eps on the scale of x would overflow. */
enum { LEAST_EXPONENT = -60 };

/* inverse_std = 2^scale / sqrt(variance + eps): in units of the mantissas of x, if that can be. */
static void take_statistics(const gs_engine *engine, gs_norm *norm, const gs_signal *x,
                            int64_t scale, double *mean) {
    size_t count = statistics_of(engine, norm);
    double least =
        engine->kernels->dtype == GS_F64 ? 0x1p-1000 : 0x1p-120; /* 1 / sqrt(least) fits */
    double eps = fmax(gs_ldexp(norm->eps, -2 * scale), least);
    if (norm->kind == GS_NORM_RMS)
        memset(mean, 0, count * sizeof *mean);
    else
        mean_over_axis(engine, norm, x, NULL, mean);
    pass p = {.kernels = engine->kernels,
              .axis = axis_of(norm),
              .x = x->data,
              .first = mean,
              .sums = norm->inverse_std};
    memset(norm->inverse_std, 0, count * sizeof *norm->inverse_std);
    in_order(p.axis)(engine, x, squares_block, &p);
    for (size_t i = 0; i < count; i++) {
        double variance = norm->inverse_std[i] / population_of(norm);
        norm->inverse_std[i] = 1 / sqrt(gs_ldexp(variance, 2 * (x->exponent - scale)) + eps);
    }
    norm->exponent = -scale;
}

/* y = scale h + shift, where h may be too small for a shift that is not 0 */
static void scale_and_shift(const gs_engine *engine, const gs_norm *norm, gs_signal *y) {
    const gs_signal *h = &norm->normalised;
    pass p = {.kernels = engine->kernels,
              .x = h->data,
              .first = norm->scale.values,
              .second = norm->shift.values,
              .out = y->data};
    y->exponent = h->exponent;
    if (h->exponent != 0 && !gs_vector_is_zero(&norm->shift)) {
        gs_signal_set_exponent(engine, h, 0, y);
        p.x = y->data;
    }
    gs_signal_make(engine, y, affine_block, &p);
}

/* y = scale h + shift with h = (x - mean) inverse_std */
void gs_norm_forward(const gs_engine *engine, gs_norm *norm, const gs_signal *x, gs_signal *y) {
    gs_signal *h = &norm->normalised;
    double *mean = norm->work;
    bool has_eps = norm->eps > 0 || x->exponent == GS_EXPONENT_OF_ZERO;
    int64_t scale = has_eps && x->exponent < LEAST_EXPONENT ? LEAST_EXPONENT : x->exponent;
    take_statistics(engine, norm, x, scale, mean);
    pass p = {.kernels = engine->kernels,
              .axis = axis_of(norm),
              .x = x->data,
              .first = mean,
              .second = norm->inverse_std,
              .out = h->data};
    h->exponent = x->exponent - scale;
    gs_signal_make(engine, h, normalise_block, &p);
    scale_and_shift(engine, norm, y);
}

/* With g = dL/dy scale, h = normalised, and means over the axis:
   dL/dx = inverse_std (g - mean(g) - h mean(g h)); rms has no mean(g). dL/dscale = sum dL/dy h,
   dL/dshift = sum dL/dy over the batch. (Ioffe and Szegedy 2015; Ba, Kiros and Hinton 2016) */
void gs_norm_backward(const gs_engine *engine, gs_norm *norm, gs_signal *grad) {
    size_t count = statistics_of(engine, norm);
    double *mean_grad = norm->work + count, *mean_dot = norm->work + 2 * count;
    gs_vector_grad_dots(engine, grad, &norm->normalised, &norm->scale);
    gs_vector_grad_sums(engine, grad, &norm->shift);

    pass p = {.kernels = engine->kernels,
              .x = grad->data,
              .first = norm->scale.values,
              .out = grad->data};
    gs_signal_for_blocks(engine, grad, affine_block, &p);

    if (norm->kind == GS_NORM_RMS)
        memset(mean_grad, 0, count * sizeof *mean_grad);
    else
        mean_over_axis(engine, norm, grad, NULL, mean_grad);
    mean_over_axis(engine, norm, grad, &norm->normalised, mean_dot);
    for (size_t i = 0; i < count; i++)
        mean_dot[i] = gs_ldexp(mean_dot[i], 2 * norm->normalised.exponent);
    p = (pass){.kernels = engine->kernels,
               .axis = axis_of(norm),
               .x = grad->data,
               .y = norm->normalised.data,
               .first = norm->inverse_std,
               .second = mean_grad,
               .third = mean_dot,
               .out = grad->data};
    grad->exponent += norm->exponent;
    gs_signal_make(engine, grad, backward_block, &p);
}
