/*
 * Gradient norms without gradients. With delta [out, B] and u [in, B], dL/dW = delta u^T, and the
 * gradient of example b alone (of the mean loss) is delta_b u_b^T. All that is wanted follows from
 * K = (delta^T delta) o (u^T u), B x B, whose entries are the inner products of the examples'
 * gradients:
 *
 *     ||dL/dW||^2 = sum of K
 *     snr^2       = sum of K / ((B trace K - sum of K) / (B - 1))
 *     corr        = mean over b != c of K_bc / sqrt(K_bb K_cc)
 *
 * Where B is large against the layer, the sums are squared norms of delta u^T, with examples scaled
 * to 1 for corr.
 */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "flow/measure.h"

/* ---- Work space ---- */

static gs_status fit_signal(const gs_engine *engine, size_t units, size_t batch, gs_signal *signal,
                            gs_error *error) {
    if (signal->units == units && signal->batch == batch) {
        return GS_OK;
    }
    gs_signal_free(signal);
    return gs_signal_new(engine, units, batch, signal, error);
}

static gs_status fit_matrix(const gs_engine *engine, size_t rows, size_t cols, gs_matrix *matrix,
                            gs_error *error) {
    if (matrix->rows == rows && matrix->cols == cols) {
        return GS_OK;
    }
    gs_matrix_free(matrix);
    return gs_matrix_new(engine, rows, cols, matrix, error);
}

static gs_status fit_squares(const gs_engine *engine, const gs_signal *delta,
                             gs_gradient_work *work, gs_error *error) {
    size_t count = delta->panels * engine->kernels->panel;
    if (work->squares_count != count) {
        gs_free(work->squares);
        work->squares_count = 0;
        work->squares = gs_alloc(count, 2 * sizeof(double), error);
        if (!work->squares) {
            return GS_ERR_MEMORY;
        }
        work->squares_count = count;
    }
    return GS_OK;
}

void gs_gradient_work_free(gs_gradient_work *work) {
    gs_signal_free(&work->scaled);
    gs_signal_free(&work->transposed);
    gs_signal_free(&work->gram_delta);
    gs_signal_free(&work->gram_input);
    gs_matrix_free(&work->matrix);
    gs_free(work->squares);
    *work = (gs_gradient_work){0};
}

/* ---- The diagonal of K ---- */

typedef struct {
    const gs_kernels *kernels;
    const char *x;
    double *sums;
} squares_context;

static void squares_block(void *context, gs_block block) {
    const squares_context *c = context;
    const char *x = c->x + block.offset;
    c->kernels->dots[GS_AXIS_EXAMPLE](block.rows, block.lanes, x, x, c->sums + block.example);
}

/* squares[b] = K_bb = ||delta_b||^2 ||u_b||^2, without exponents */
static void diagonal(const gs_engine *engine, const gs_signal *delta, const gs_signal *u,
                     gs_gradient_work *work) {
    double *of_u = work->squares + work->squares_count;
    squares_context context = {engine->kernels, delta->data, work->squares};
    memset(work->squares, 0, 2 * work->squares_count * sizeof(double));
    gs_signal_for_panels(engine, delta, squares_block, &context);
    context = (squares_context){engine->kernels, u->data, of_u};
    gs_signal_for_panels(engine, u, squares_block, &context);
    for (size_t b = 0; b < delta->batch; b++) {
        work->squares[b] *= of_u[b];
    }
}

/* squares[b] = 1 / sqrt(K_bb), or 0 for an example without a gradient, or with one so small beside
   the others that the element type does not hold its square; returns how many are left. */
static double invert_roots(size_t batch, gs_dtype dtype, gs_gradient_work *work) {
    double least = dtype == GS_F64 ? 0x1p-1000 : 0x1p-120, alive = 0;
    for (size_t b = 0; b < batch; b++) {
        double of_u = work->squares[work->squares_count + b];
        bool is_alive = of_u >= least && work->squares[b] >= fmax(least * of_u, 0x1p-1000);
        work->squares[b] = is_alive ? 1 / sqrt(work->squares[b]) : 0;
        alive += is_alive;
    }
    return alive;
}

/* ---- The two ways to the sums ---- */

typedef struct {
    const gs_kernels *kernels;
    const char *x;
    char *out;
    const double *zeros, *factor;
} scale_context;

static void scale_lanes_block(void *context, gs_block block) {
    const scale_context *c = context;
    c->kernels->normalise[GS_AXIS_EXAMPLE](block.rows, c->zeros, c->factor + block.example,
                                           c->x + block.offset, c->out + block.offset);
}

static void scale_units_block(void *context, gs_block block) {
    const scale_context *c = context;
    c->kernels->affine_rows(block.rows, c->factor + block.row, NULL, c->x + block.offset,
                            c->out + block.offset);
}

/* out[:, b] = x[:, b] factor[b] */
static void scale_examples(const gs_engine *engine, const gs_signal *x, const double *factor,
                           gs_signal *out) {
    static const double zeros[GS_PANEL_BYTES / sizeof(float)];
    scale_context context = {engine->kernels, x->data, out->data, zeros, factor};
    gs_signal_for_blocks(engine, x, scale_lanes_block, &context);
    out->exponent = x->exponent;
}

static gs_status make_grams(const gs_engine *engine, const gs_signal *delta, const gs_signal *u,
                            gs_gradient_work *work, gs_error *error) {
    size_t batch = delta->batch;
    gs_status status = fit_signal(engine, batch, batch, &work->gram_delta, error);
    if (status == GS_OK) {
        status = fit_signal(engine, batch, batch, &work->gram_input, error);
    }
    if (status == GS_OK) {
        gs_product_gram(engine, delta, &work->gram_delta);
        gs_product_gram(engine, u, &work->gram_input);
    }
    return status;
}

/* sum over b, c of factor[b] K_bc factor[c] */
static double weighted_sum_by_gram(const gs_engine *engine, const double *factor,
                                   gs_gradient_work *work) {
    gs_signal *gram = &work->gram_delta;
    scale_context context = {engine->kernels, gram->data, gram->data, NULL, factor};
    scale_examples(engine, gram, factor, gram);
    gs_signal_for_blocks(engine, gram, scale_units_block, &context);
    return gs_signal_dot(engine, gram, &work->gram_input);
}

/* dL/dW of delta with each example scaled by factor[b]; NULL: as it is */
static gs_status make_matrix(const gs_engine *engine, const gs_signal *delta, const gs_signal *u,
                             const double *factor, gs_gradient_work *work, gs_error *error) {
    size_t whole_panels = u->panels * engine->kernels->panel;
    gs_status status = fit_matrix(engine, delta->units, u->units, &work->matrix, error);
    if (status == GS_OK) {
        status = fit_signal(engine, whole_panels, u->units, &work->transposed, error);
    }
    if (status == GS_OK && factor) {
        status = fit_signal(engine, delta->units, delta->batch, &work->scaled, error);
    }
    if (status == GS_OK) {
        if (factor) {
            scale_examples(engine, delta, factor, &work->scaled);
        }
        gs_signal_transpose(engine, u, &work->transposed);
        gs_product_outer(engine, factor ? &work->scaled : delta, &work->transposed, &work->matrix);
    }
    return status;
}

/* ---- The choice between them ---- */

/* Multiplications: two Gram matrices, against two products of the size of W. */
static bool gram_is_cheaper(const gs_signal *delta, const gs_signal *u) {
    double batch = (double)delta->batch, out = (double)delta->units, in = (double)u->units;
    return batch * (out + in) <= 2 * out * in;
}

/* The sum of K has the error of its largest terms, which are at most (sum of sqrt K_bb)^2 together.
   Where it is smaller than this share of that, its relative error would pass 1e-11 in f64 and 1e-5
   in f32. */
static double cancellation_limit(gs_dtype dtype) {
    return dtype == GS_F64 ? 1e-4 : 2e-3;
}

/* Below this share of B trace K a difference from it is rounding. */
static double rounding_limit(gs_dtype dtype) {
    return dtype == GS_F64 ? 1e-13 : 1e-5;
}

static double signal_to_noise(double sum, double trace, double batch, gs_dtype dtype) {
    double noise = (batch * trace - sum) / (batch - 1);
    if (batch < 2 || trace == 0) {
        return NAN;
    }
    return noise <= rounding_limit(dtype) * trace ? INFINITY : sqrt(sum / noise);
}

gs_status gs_measure_weight_gradient(const gs_engine *engine, const gs_signal *delta,
                                     const gs_signal *u, const gs_matrix *known,
                                     gs_gradient_work *work, gs_weight_gradient *result,
                                     gs_error *error) {
    gs_dtype dtype = engine->kernels->dtype;
    double sum = 0, trace = 0, roots = 0, alive = 0;
    bool gram = gram_is_cheaper(delta, u);
    gs_status status = fit_squares(engine, delta, work, error);
    if (status == GS_OK && gram) {
        status = make_grams(engine, delta, u, work, error);
    }
    if (status != GS_OK) {
        return status;
    }
    diagonal(engine, delta, u, work);
    for (size_t b = 0; b < delta->batch; b++) {
        trace += work->squares[b];
        roots += sqrt(work->squares[b]);
    }
    if (gram && !known) {
        sum = gs_signal_dot(engine, &work->gram_delta, &work->gram_input);
    }
    if (known || !gram || sum < cancellation_limit(dtype) * roots * roots) {
        status = known ? GS_OK : make_matrix(engine, delta, u, NULL, work, error);
        sum = status == GS_OK
                  ? gs_matrix_magnitude(engine, known ? known : &work->matrix).sum_squares
                  : 0;
    }
    result->norm = (gs_magnitude){sum, delta->exponent + u->exponent};
    result->snr = signal_to_noise(sum, trace, (double)delta->batch, dtype);
    result->corr = NAN;
    alive = invert_roots(delta->batch, dtype, work);
    if (status != GS_OK || alive < 2) {
        return status;
    }
    if (gram) {
        sum = weighted_sum_by_gram(engine, work->squares, work);
    } else {
        status = make_matrix(engine, delta, u, work->squares, work, error);
        sum = status == GS_OK ? gs_matrix_magnitude(engine, &work->matrix).sum_squares : 0;
    }
    result->corr = (sum - alive) / (alive * (alive - 1));
    return status;
}
