/*
 * Gradient norms without gradients. With delta [out, B] and u [in, B], dL/dW = delta u^T, and the
 * gradient of example b alone (of the mean loss) is delta_b u_b^T. Each example's two vectors are
 * brought to norms near 1 by powers of two, d_b = delta_b / .., v_b = u_b / .., so that nothing is
 * lost where examples differ in size; s_b is the product of the two powers and c_b = 1 / (|d_b|
 * |v_b|). All that is wanted follows from the inner products of those gradients, K = (d^T d) o (v^T
 * v):
 *
 *     ||dL/dW||^2 = s^T K s
 *     snr^2       = s^T K s (B - 1) / (B |n|^2 - s^T K s), n_b = s_b / c_b the examples' norms
 *     corr        = mean over b != b' of c_b K_bb' c_b'
 *
 * Where B is large against the layer, the sums are squared norms of delta u^T and of (d c) v^T.
 */
#include <math.h>

#include "base/memory.h"
#include "flow/measure.h"
#include "net/product.h"

/* ---- Work space ---- */

static gs_status fit_signal(const gs_engine *engine, size_t units, size_t batch, gs_signal *signal,
                            gs_error *error) {
    if (signal->units == units && signal->batch == batch)
        return GS_OK;
    gs_signal_free(signal);
    return gs_signal_new(engine, units, batch, signal, error);
}

static gs_status fit_squares(const gs_signal *delta, gs_gradient_work *work, gs_error *error) {
    size_t count = delta->rows / GS_TILE;
    if (work->square_count == count)
        return GS_OK;
    gs_free(work->squares);
    work->squares = gs_alloc(count, sizeof *work->squares, error);
    work->square_count = work->squares ? count : 0;
    return work->squares ? GS_OK : GS_ERR_MEMORY;
}

static gs_status fit_examples(const gs_engine *engine, const gs_signal *delta,
                              gs_gradient_work *work, gs_error *error) {
    size_t count = delta->panels * engine->kernels->panel;
    if (work->count == count)
        return GS_OK;
    gs_free(work->scale);
    work->scale = gs_alloc(count, 4 * sizeof(double), error);
    work->count = work->scale ? count : 0;
    work->inverse = work->scale + work->count;
    work->partial = work->inverse + work->count;
    return work->scale ? GS_OK : GS_ERR_MEMORY;
}

void gs_gradient_work_free(gs_gradient_work *work) {
    gs_signal_free(&work->near_delta);
    gs_signal_free(&work->near_input);
    gs_signal_free(&work->transposed);
    gs_free(work->scale);
    gs_free(work->squares);
    *work = (gs_gradient_work){0};
}

/* ---- Examples of norms near 1 ---- */

typedef struct {
    const gs_kernels *kernels;
    const char *x;
    char *out;
    double *values; /* one an example */
} example_context;

static void squares_block(void *context, gs_block block) {
    const example_context *c = context;
    const char *x = c->x + block.offset;
    c->kernels->dots[GS_AXIS_EXAMPLE](block.rows, block.lanes, x, x, c->values + block.example);
}

static void scale_block(void *context, gs_block block) {
    static const double zeros[GS_PANEL_BYTES / sizeof(float)];
    const example_context *c = context;
    c->kernels->normalise[GS_AXIS_EXAMPLE](block.rows, zeros, c->values + block.example,
                                           c->x + block.offset, c->out + block.offset);
}

/* out_b = x_b factor[b]; out may be x */
static void scale_examples(const gs_engine *engine, const gs_signal *x, double *factor,
                           gs_signal *out) {
    example_context context = {engine->kernels, x->data, out->data, factor};
    gs_signal_for_blocks(engine, x, scale_block, &context);
    out->exponent = 0;
}

/* Squares of norms that need no scaling: products of four of such vectors' entries fit. */
static bool is_near_one(gs_dtype dtype, double squares) {
    double limit = dtype == GS_F64 ? 0x1p420 : 0x1p60;
    return squares == 0 || (squares >= 1 / limit && squares <= limit);
}

/* *near_b = x_b / 2^k with norms near 1, in `space` unless they are already and k = 0; scale[b] *=
   2^k, inverse[b] /= |near_b|. An example so small beside the others that the element type does not
   hold 2^-k counts as 0. */
static gs_status bring_near_one(const gs_engine *engine, const gs_signal *x, gs_gradient_work *work,
                                gs_signal *space, const gs_signal **near, gs_error *error) {
    gs_dtype dtype = engine->kernels->dtype;
    double least = dtype == GS_F64 ? 0x1p-1000 : 0x1p-250, *factor = work->partial;
    example_context context = {engine->kernels, x->data, NULL, factor};
    bool all_near = true;
    for (size_t b = 0; b < x->batch; b++)
        factor[b] = 0;
    gs_signal_for_panels(engine, x, squares_block, &context);
    for (size_t b = 0; b < x->batch; b++)
        all_near = all_near && is_near_one(dtype, factor[b]);
    for (size_t b = 0; b < x->batch; b++) {
        double norm = sqrt(factor[b]), power = isfinite(norm) ? 0 : 1;
        if (isfinite(norm) && factor[b] >= least)
            power = all_near ? 1 : ldexp(1, ilogb(norm));
        factor[b] = power == 0 ? 0 : 1 / power;
        work->scale[b] *= power;
        work->inverse[b] = power == 0 ? 0 : work->inverse[b] * (power / norm);
    }
    *near = x;
    if (all_near)
        return GS_OK;
    gs_status status = fit_signal(engine, x->units, x->batch, space, error);
    if (status == GS_OK)
        scale_examples(engine, x, factor, space);
    *near = space;
    return status;
}

/* What a measurement works on: the two signals with examples near 1. */
typedef struct {
    const gs_signal *delta, *input;
} near_pair;

static gs_status bring_examples_near_one(const gs_engine *engine, const gs_signal *delta,
                                         const gs_signal *u, gs_gradient_work *work,
                                         near_pair *near, gs_error *error) {
    gs_status status = fit_examples(engine, delta, work, error);
    if (status != GS_OK)
        return status;
    for (size_t b = 0; b < delta->batch; b++)
        work->scale[b] = work->inverse[b] = 1;
    status = bring_near_one(engine, delta, work, &work->near_delta, &near->delta, error);
    if (status == GS_OK)
        status = bring_near_one(engine, u, work, &work->near_input, &near->input, error);
    return status;
}

/* ---- The two ways to the sums ---- */

/* s^T K s and c^T K c */
static void gram_forms(const gs_engine *engine, const near_pair *near, gs_gradient_work *work,
                       double forms[2]) {
    const double *const weights[2] = {work->scale, work->inverse};
    gs_product_gram_forms(engine, near->delta, near->input, weights, work->partial, forms);
}

/* ||delta u^T||_F^2, without exponents */
static gs_status squares_of_matrix(const gs_engine *engine, const gs_signal *delta,
                                   const gs_signal *u, gs_gradient_work *work, double *squares,
                                   gs_error *error) {
    size_t whole_panels = u->panels * engine->kernels->panel;
    gs_status status = fit_squares(delta, work, error);
    if (status == GS_OK)
        status = fit_signal(engine, whole_panels, u->units, &work->transposed, error);
    if (status == GS_OK) {
        gs_signal_transpose(engine, u, &work->transposed);
        *squares = gs_product_outer_squares(engine, delta, &work->transposed, work->squares);
    }
    return status;
}

/* ---- The choice between them ---- */

/* Multiplications: two Gram matrices, against two products of the size of W. */
static bool gram_is_cheaper(const gs_signal *delta, const gs_signal *u) {
    double batch = (double)delta->batch, out = (double)delta->units, in = (double)u->units;
    return batch * (out + in) <= 2 * out * in;
}

/* s^T K s has the error of its largest terms, which are at most (sum of n)^2 together. Where it is
   smaller than this share of that, its relative error would pass 1e-11 in f64 and 1e-5 in f32. */
static double cancellation_limit(gs_dtype dtype) {
    return dtype == GS_F64 ? 1e-4 : 2e-3;
}

/* Below this share of B |n|^2 a difference from it has lost too many digits. */
static double difference_limit(gs_dtype dtype) {
    return dtype == GS_F64 ? 1e-2 : 1e-1;
}

/* Centred examples err by a rounding of their mean: below its square, as a share of |n|^2, they are
   alike. */
static double rounding_limit(gs_dtype dtype) {
    return dtype == GS_F64 ? 0x1p-100 : 0x1p-42;
}

/* ---- The noise, where examples are nearly alike ---- */

typedef struct {
    const gs_kernels *kernels;
    const char *x, *y;
    char *out;
    double *sums;
    const double *factor, *mean;
} centre_context;

static void unit_sums_block(void *context, gs_block block) {
    const centre_context *c = context;
    c->kernels->sums[GS_AXIS_UNIT](block.rows, block.lanes, c->x + block.offset,
                                   c->sums + block.row);
}

static void centre_block(void *context, gs_block block) {
    const centre_context *c = context;
    c->kernels->normalise[GS_AXIS_UNIT](block.rows, c->mean + block.row, c->factor + block.row,
                                        c->x + block.offset, c->out + block.offset);
}

static void example_dots_block(void *context, gs_block block) {
    const centre_context *c = context;
    c->kernels->dots[GS_AXIS_EXAMPLE](block.rows, block.lanes, c->x + block.offset,
                                      c->y + block.offset, c->sums + block.example);
}

/* sums[b] = x_b . y_b */
static void example_dots(const gs_engine *engine, const gs_signal *x, const gs_signal *y,
                         double *sums) {
    centre_context context = {.kernels = engine->kernels, .x = x->data, .y = y->data, .sums = sums};
    for (size_t b = 0; b < x->batch; b++)
        sums[b] = 0;
    gs_signal_for_panels(engine, x, example_dots_block, &context);
}

/* centred = x - mean over the examples; *mean_square = |mean|^2 */
static gs_status centre(const gs_engine *engine, const gs_signal *x, gs_signal *centred,
                        double *mean_square, gs_error *error) {
    gs_status status = gs_signal_new(engine, x->units, x->batch, centred, error);
    double *mean = gs_alloc(x->rows, sizeof *mean, error);
    double *ones = gs_alloc(x->rows, sizeof *ones, error);
    if (status == GS_OK && mean && ones) {
        centre_context context = {.kernels = engine->kernels,
                                  .x = x->data,
                                  .out = centred->data,
                                  .sums = mean,
                                  .mean = mean,
                                  .factor = ones};
        gs_signal_for_rows(engine, x, unit_sums_block, &context);
        *mean_square = 0;
        for (size_t u = 0; u < x->units; u++) {
            mean[u] /= (double)x->batch;
            *mean_square += mean[u] * mean[u];
            ones[u] = 1;
        }
        gs_signal_make(engine, centred, centre_block, &context);
    }
    gs_free(mean);
    gs_free(ones);
    return mean && ones ? status : GS_ERR_MEMORY;
}

/* With d_b = delta_b - m and v_b = u_b - mean of u, the gradients less their mean are e_b - M,
   where e_b = d_b u_b^T + m v_b^T and M = mean of e_b = mean of d_b v_b^T, so that

       sum over b of |g_b - mean|^2 = sum of |e_b|^2 - B |M|^2,
       |e_b|^2 = |d_b|^2 |u_b|^2 + |m|^2 |v_b|^2 + 2 (d_b . m) (u_b . v_b)

   has no difference of large numbers, however alike the examples are. d . m = d . delta - |d|^2. */
static double sum_centred(const gs_engine *engine, const gs_signal *delta, const gs_signal *u,
                          const gs_signal *d, const gs_signal *v, double mean_square,
                          double *sums[5]) {
    double total = 0;
    example_dots(engine, d, d, sums[0]);
    example_dots(engine, d, delta, sums[1]);
    example_dots(engine, u, u, sums[2]);
    example_dots(engine, v, v, sums[3]);
    example_dots(engine, u, v, sums[4]);
    for (size_t b = 0; b < delta->batch; b++) {
        double along = sums[1][b] - sums[0][b];
        total += sums[0][b] * sums[2][b] + mean_square * sums[3][b] + 2 * along * sums[4][b];
    }
    return total;
}

static gs_status centred_noise(const gs_engine *engine, const gs_signal *delta, const gs_signal *u,
                               gs_gradient_work *work, double *noise, gs_error *error) {
    double batch = (double)delta->batch, mean_square = 0, of_input = 0, of_mean = 0, *sums[5];
    gs_signal d = {0}, v = {0};
    double *memory = gs_alloc(work->count, sizeof sums / sizeof *sums * sizeof(double), error);
    gs_status status = memory ? centre(engine, delta, &d, &mean_square, error) : GS_ERR_MEMORY;
    if (status == GS_OK)
        status = centre(engine, u, &v, &of_input, error);
    if (status == GS_OK)
        status = squares_of_matrix(engine, &d, &v, work, &of_mean, error);
    if (status == GS_OK) {
        for (size_t i = 0; i < sizeof sums / sizeof *sums; i++)
            sums[i] = memory + i * work->count;
        *noise = sum_centred(engine, delta, u, &d, &v, mean_square, sums) - of_mean / batch;
    }
    gs_signal_free(&d);
    gs_signal_free(&v);
    gs_free(memory);
    return status;
}

/* norm of the mean gradient over its standard error, by the sum of squares about the mean; squares
   = |n|^2 */
static gs_status measure_snr(const gs_engine *engine, const gs_signal *delta, const gs_signal *u,
                             double sum, double squares, gs_gradient_work *work, double *snr,
                             gs_error *error) {
    double batch = (double)delta->batch, noise = squares - sum / batch;
    gs_status status = GS_OK;
    *snr = NAN;
    if (batch < 2 || squares == 0)
        return GS_OK;
    if (noise < difference_limit(engine->kernels->dtype) * squares)
        status = centred_noise(engine, delta, u, work, &noise, error);
    bool is_rounding = noise <= rounding_limit(engine->kernels->dtype) * squares;
    *snr = is_rounding ? INFINITY : sqrt(sum * (batch - 1) / (batch * noise));
    return status;
}

static gs_status measure_norm(const gs_engine *engine, const gs_signal *delta, const gs_signal *u,
                              const gs_matrix *known, const double *form, gs_gradient_work *work,
                              gs_weight_gradient *result, gs_error *error) {
    gs_dtype dtype = engine->kernels->dtype;
    gs_status status = GS_OK;
    double squares = 0, total = 0, sum = form ? *form : 0;
    for (size_t b = 0; b < delta->batch; b++) {
        double norm = work->inverse[b] == 0 ? 0 : work->scale[b] / work->inverse[b];
        squares += norm * norm;
        total += norm;
    }
    if (known)
        sum = gs_matrix_magnitude(engine, known).sum_squares;
    else if (!form || sum < cancellation_limit(dtype) * total * total)
        status = squares_of_matrix(engine, delta, u, work, &sum, error);
    result->norm = (gs_magnitude){sum, delta->exponent + u->exponent};
    if (status == GS_OK)
        status = measure_snr(engine, delta, u, sum, squares, work, &result->snr, error);
    return status;
}

static gs_status measure_correlation(const gs_engine *engine, const near_pair *near,
                                     const double *form, gs_gradient_work *work,
                                     gs_weight_gradient *result, gs_error *error) {
    double sum = form ? *form : 0, alive = 0;
    for (size_t b = 0; b < near->delta->batch; b++)
        alive += work->inverse[b] != 0;
    result->corr = NAN;
    if (alive < 2)
        return GS_OK;
    if (!form) {
        gs_signal *scaled = &work->near_delta;
        gs_status status =
            fit_signal(engine, near->delta->units, near->delta->batch, scaled, error);
        if (status != GS_OK)
            return status;
        scale_examples(engine, near->delta, work->inverse, scaled);
        status = squares_of_matrix(engine, scaled, near->input, work, &sum, error);
        if (status != GS_OK)
            return status;
    }
    double corr = (sum - alive) / (alive * (alive - 1));
    result->corr = corr > 1 ? 1 : corr; /* rounding */
    return GS_OK;
}

gs_status gs_measure_weight_gradient(const gs_engine *engine, const gs_signal *delta,
                                     const gs_signal *u, const gs_matrix *known,
                                     gs_gradient_work *work, gs_weight_gradient *result,
                                     gs_error *error) {
    bool gram = gram_is_cheaper(delta, u);
    double forms[2];
    near_pair near;
    gs_status status = bring_examples_near_one(engine, delta, u, work, &near, error);
    if (status == GS_OK && gram)
        gram_forms(engine, &near, work, forms);
    if (status == GS_OK)
        status =
            measure_norm(engine, delta, u, known, gram ? &forms[0] : NULL, work, result, error);
    if (status == GS_OK)
        status = measure_correlation(engine, &near, gram ? &forms[1] : NULL, work, result, error);
    return status;
}
