/*
 * The backward signal on its way from x_L to x_0: what each layer makes of it, and at some layers
 * what it is for single examples, by norm and by direction. A verdict rests on these (verdict.c).
 *
 * The way is that past the branches which skips go round: from the output of a block its gradient
 * comes to the input of the block in one step.
 */
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "flow/measure.h"

/* ---- Factors of layers ---- */

static const gs_gain_part factor_of[] = {
    [GS_STAGE_DENSE] = GS_PART_WEIGHTS,
    [GS_STAGE_ACTIVATION] = GS_PART_ACTIVATION,
    [GS_STAGE_NORM] = GS_PART_NORM,
    [GS_STAGE_SKIP] = GS_PART_BLOCK,
};

/* Where no gradient arrives, nothing can be said. */
static void multiply(gs_path *path, const gs_stage *stage, double ratio) {
    if (isnan(ratio))
        return;
    gs_layer_gain *gain = &path->gains[stage->layer - 1];
    double *factor = &gain->factor[factor_of[stage->kind]];
    bool is_block = stage->kind == GS_STAGE_SKIP;
    gain->first = is_block ? stage->skip.source_layer + 1 : stage->layer;
    gain->last = stage->layer;
    gain->gain *= ratio;
    *factor = isnan(*factor) ? ratio : *factor * ratio;
}

/* The gradient with respect to the output of the stage `here`, NULL for x_0, has arrived: the stage
   that it left last, or the block that ends with it, has been passed. */
static void follow(gs_path *path, const gs_stage *here, gs_magnitude norm) {
    const gs_stage *left = path->left;
    if (path->network->joins_at != SIZE_MAX)
        return;
    if (left && left->layer <= path->network->config->layers)
        multiply(path, left, gs_magnitude_ratio(norm, path->norm));
    path->left = here;
    path->norm = norm;
}

/* ---- Examples ---- */

typedef struct {
    const gs_kernels *kernels;
    const char *x;
    const double *factor; /* one an example */
    double *sums;
} example_context;

/* out = x_b factor[b] */
static void scale_block(const example_context *c, gs_block block, void *out) {
    static const double zeros[GS_PANEL_BYTES / sizeof(float)];
    c->kernels->normalise[GS_AXIS_EXAMPLE](block.rows, zeros, c->factor + block.example,
                                           c->x + block.offset, out);
}

static void squares_block(void *context, gs_block block) {
    const example_context *c = context;
    const char *x = c->x + block.offset;
    _Alignas(64) char scaled[GS_BLOCK_ROWS * GS_PANEL_BYTES];
    if (c->factor) {
        scale_block(c, block, scaled);
        x = scaled;
    }
    c->kernels->dots[GS_AXIS_EXAMPLE](block.rows, block.lanes, x, x, c->sums + block.example);
}

static void sum_block(void *context, gs_block block) {
    const example_context *c = context;
    _Alignas(64) char scaled[GS_BLOCK_ROWS * GS_PANEL_BYTES];
    scale_block(c, block, scaled);
    c->kernels->sums[GS_AXIS_UNIT](block.rows, block.lanes, scaled, c->sums + block.row);
}

static void clear(double *values, size_t count) {
    for (size_t i = 0; i < count; i++)
        values[i] = 0;
}

static void sum_squares(const gs_engine *engine, const gs_signal *grad, const double *factor,
                        double *squares) {
    example_context context = {engine->kernels, grad->data, factor, squares};
    clear(squares, grad->panels * engine->kernels->panel);
    gs_signal_for_panels(engine, grad, squares_block, &context);
}

/* log10 of the norm of each example, which must be finite, and its squares as far as they fit.
   Squares below 2^-900 are those of numbers below 2^-450, and may have underflown: they are taken
   again times 2^600. */
static void take_norms(gs_path *path, const gs_signal *grad) {
    enum { SHIFT = 600 };
    const gs_engine *engine = &path->network->engine;
    bool has_small = false;
    sum_squares(engine, grad, NULL, path->squares);
    for (size_t b = 0; b < grad->batch; b++) {
        path->norms[b] = gs_magnitude_log10((gs_magnitude){path->squares[b], grad->exponent});
        has_small = has_small || path->squares[b] < 0x1p-900;
    }
    if (!has_small || engine->kernels->dtype == GS_F32)
        return;
    for (size_t b = 0; b < grad->batch; b++)
        path->factor[b] = path->squares[b] < 0x1p-900 ? ldexp(1, SHIFT) : 0;
    sum_squares(engine, grad, path->factor, path->sums);
    for (size_t b = 0; b < grad->batch; b++)
        if (path->factor[b] != 0)
            path->norms[b] =
                gs_magnitude_log10((gs_magnitude){path->sums[b], grad->exponent - SHIFT});
}

/* The mean over b != b' of the cosine between d_b and d_b' = (|sum of d_b / |d_b||^2 - B) / (B (B -
   1)), without examples whose 1 / |d_b| does not fit. *noise is the standard deviation of that mean
   for directions that are independent and uniform: a cosine of two in n dimensions has variance
   1 / n, and those of different pairs are uncorrelated. */
static double mean_cosine(gs_path *path, const gs_signal *grad, double *noise) {
    const gs_engine *engine = &path->network->engine;
    double least = engine->kernels->dtype == GS_F64 ? 0x1p-1000 : 0x1p-250;
    example_context context = {engine->kernels, grad->data, path->factor, path->sums};
    double alive = 0, squares = 0;
    for (size_t b = 0; b < grad->batch; b++) {
        path->factor[b] = path->squares[b] >= least ? 1 / sqrt(path->squares[b]) : 0;
        alive += path->factor[b] != 0;
    }
    *noise = NAN;
    if (alive < 2)
        return NAN;
    clear(path->sums, grad->units);
    gs_signal_for_rows(engine, grad, sum_block, &context);
    for (size_t u = 0; u < grad->units; u++)
        squares = fma(path->sums[u], path->sums[u], squares);
    *noise = sqrt(2 / (alive * (alive - 1) * (double)grad->units));
    return fmin((squares - alive) / (alive * (alive - 1)), 1);
}

/* ---- Points on the way ---- */

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void gs_sort(double *values, size_t count) {
    qsort(values, count, sizeof *values, compare);
}

double gs_median(double *values, size_t count) {
    gs_sort(values, count);
    if (count == 0)
        return NAN;
    double low = values[(count - 1) / 2], high = values[count / 2];
    return low == high ? low : (low + high) / 2;
}

/* Both ends, and between them about every 16th of the way, where a skip may start. */
static bool is_point(const gs_path *path, size_t layer) {
    const gs_config *config = path->network->config;
    size_t blocks = config->layers / config->skip;
    size_t step = (blocks + GS_MOST_POINTS - 3) / (GS_MOST_POINTS - 2) * config->skip;
    return layer == 0 || layer == config->layers ||
           (step > 0 && layer < config->layers && layer % step == 0);
}

/* What is left of each example's dL/dx_L, of those that have one. */
static void take_ratios(gs_path *path, const gs_signal *grad, gs_path_point *point) {
    double *ratios = path->ratios;
    size_t count = 0;
    if (path->point_count == 0)
        for (size_t b = 0; b < grad->batch; b++)
            path->output_norms[b] = path->norms[b];
    path->silent = 0;
    for (size_t b = 0; b < grad->batch; b++)
        if (path->output_norms[b] > -INFINITY) {
            path->silent += path->norms[b] == -INFINITY;
            ratios[count++] = path->norms[b] - path->output_norms[b];
        }
    path->examples = count;
    point->ratio_log10 = gs_median(ratios, count);
    path->low = count ? ratios[count / 10] : NAN;
    path->high = count ? ratios[count - 1 - count / 10] : NAN;
}

static void add_point(gs_path *path, size_t layer, const gs_signal *grad, bool finite) {
    gs_path_point *point = &path->points[path->point_count];
    *point = (gs_path_point){layer, NAN, NAN, NAN};
    if (finite && path->is_finite) {
        take_norms(path, grad);
        take_ratios(path, grad, point);
        point->corr = mean_cosine(path, grad, &point->noise);
    }
    path->is_finite = path->is_finite && finite;
    path->point_count++;
}

void gs_path_see(gs_path *path, size_t layer, unsigned names, const gs_signal *grad,
                 gs_magnitude norm) {
    const gs_network *network = path->network;
    const gs_stage *here = path->stages_left > 0 ? &network->stages[path->stages_left - 1] : NULL;
    follow(path, here, norm);
    path->stages_left -= here != NULL;
    if ((names & GS_IS_X) && is_point(path, layer))
        add_point(path, layer, grad, isfinite(norm.sum_squares));
}

/* ---- The whole ---- */

gs_status gs_path_new(const gs_network *network, gs_path *path, gs_error *error) {
    enum { VECTORS = 5 };
    size_t lanes = network->grad.panels * network->engine.kernels->panel, count;
    size_t layers = network->config->layers, widest = gs_config_widest(network->config);
    size_t sums = lanes > widest ? lanes : widest;
    *path = (gs_path){.network = network, .stages_left = network->stage_count, .is_finite = true};
    if (!gs_size_multiply(lanes, VECTORS, &count) || !gs_size_add(count, sums, &count) ||
        !gs_size_add(count, layers, &count))
        return gs_fail(error, GS_ERR_MEMORY, "a batch of %zu does not fit in memory", lanes);
    path->squares = gs_alloc(count, sizeof(double), error);
    path->gains = gs_alloc(layers, sizeof *path->gains, error);
    if (!path->squares || !path->gains)
        return GS_ERR_MEMORY;
    path->norms = path->squares + lanes;
    path->output_norms = path->norms + lanes;
    path->ratios = path->output_norms + lanes;
    path->factor = path->ratios + lanes;
    path->sums = path->factor + lanes;
    path->values = path->sums + sums;
    for (size_t i = 0; i < layers; i++) {
        path->gains[i].gain = 1;
        for (gs_gain_part f = 0; f < GS_PART_COUNT; f++)
            path->gains[i].factor[f] = NAN;
    }
    return GS_OK;
}

void gs_path_free(gs_path *path) {
    gs_free(path->squares);
    gs_free(path->gains);
}
