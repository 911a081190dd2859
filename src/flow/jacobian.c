/*
 * The spectrum of the end-to-end Jacobian J = dx_L/dx_0 of one example. The columns of J^T are
 * taken back through the layers all at once. They are never multiplied out: after each activation
 * what stands there is taken apart as Q D T, and it is Q, with its orthonormal columns, that goes
 * on. D falls and has exponents, and T stays well conditioned, so that the smallest value is as
 * right as the largest (Stewart 1995 on graded products; Demmel, Gu, Eisenstat, Slapnicar, Veselic
 * and Drmac 1999 on the values of X D Y).
 */
#include "flow/jacobian.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/machine.h"
#include "base/memory.h"
#include "net/product.h"

typedef struct {
    gs_tangent tangent;
    const gs_engine *engine; /* that of `tangent` */
    size_t columns;          /* of J^T: units of x_L */
    gs_signal grad, spare, skipped;
    size_t joins_at; /* the layer whose output is where `skipped` comes back, SIZE_MAX if none */
    bool has_passed; /* an activation since the last factorisation */
    gs_factor factor;
    gs_scaled *scale;    /* D */
    gs_signal t, next_t; /* T, and the next */
    gs_matrix u;         /* what T is multiplied with */
    double *rows;        /* of D T, for the rotations */
    int64_t *exponents;
    double *squares;
} jacobian;

/* ---- Memory ---- */

static bool bytes_of(const jacobian *j, size_t *total) {
    const gs_kernels *k = j->engine->kernels;
    size_t widest = j->tangent.widest, columns = j->columns, wide, square, factor, tangent;
    return gs_signal_bytes(k, widest, columns, &wide) &&
           gs_signal_bytes(k, columns, columns, &square) &&
           gs_factor_bytes(k, widest, columns, &factor) &&
           gs_tangent_bytes(&j->tangent, &tangent) && gs_size_multiply(wide, 3, &wide) &&
           gs_size_multiply(square, 4, &square) && gs_size_add(wide, square, total) &&
           gs_size_add(*total, factor, total) && gs_size_add(*total, tangent, total);
}

/* Many blocks can be promised by the system and not be there when they are used. */
static gs_status require_memory(const jacobian *j, gs_error *error) {
    static const size_t small = (size_t)64 << 20;
    char needed[32] = "more than can be addressed", had[32];
    size_t need = SIZE_MAX;
    bool fits = bytes_of(j, &need);
    size_t available = fits && need < small ? small : gs_memory_available();
    if (fits && need <= available)
        return GS_OK;
    if (fits)
        gs_format_bytes(needed, (double)need);
    gs_format_bytes(had, (double)available);
    return gs_fail(error, GS_ERR_MEMORY, "the spectrum needs %s, and %s is available", needed, had);
}

static size_t row_length(size_t columns) {
    size_t lanes = GS_PANEL_BYTES / sizeof(double);
    return (columns + lanes - 1) / lanes * lanes;
}

static gs_status allocate(jacobian *j, gs_error *error) {
    size_t widest = j->tangent.widest, columns = j->columns;
    gs_signal *wide[] = {&j->grad, &j->spare, &j->skipped}, *square[] = {&j->t, &j->next_t};
    gs_status status = require_memory(j, error);
    if (status == GS_OK)
        status = gs_tangent_allocate(&j->tangent, error);
    for (size_t i = 0; i < 3 && status == GS_OK; i++)
        status = gs_signal_new(j->engine, widest, columns, wide[i], error);
    for (size_t i = 0; i < 2 && status == GS_OK; i++)
        status = gs_signal_new(j->engine, columns, columns, square[i], error);
    if (status == GS_OK)
        status = gs_matrix_new(j->engine, columns, columns, &j->u, error);
    if (status == GS_OK)
        status = gs_factor_new(j->engine, widest, columns, &j->factor, error);
    if (status != GS_OK)
        return status;
    j->scale = gs_alloc(columns, sizeof *j->scale, error);
    j->exponents = gs_alloc(columns, sizeof *j->exponents, error);
    j->squares = gs_alloc(columns, sizeof *j->squares, error);
    j->rows = gs_alloc(columns, row_length(columns) * sizeof *j->rows, error);
    return j->scale && j->exponents && j->squares && j->rows ? GS_OK : GS_ERR_MEMORY;
}

static void release(jacobian *j) {
    gs_tangent_free(&j->tangent);
    gs_signal_free(&j->grad);
    gs_signal_free(&j->spare);
    gs_signal_free(&j->skipped);
    gs_signal_free(&j->t);
    gs_signal_free(&j->next_t);
    gs_matrix_free(&j->u);
    gs_factor_free(&j->factor);
    gs_free(j->scale);
    gs_free(j->exponents);
    gs_free(j->squares);
    gs_free(j->rows);
}

/* ---- Q D T ---- */

/* What the sums of one product may have left in place of 0, relative to their terms. */
static double noise_of(size_t columns) {
    return 0x1p-49 * sqrt((double)columns);
}

static void fill_row_of_tiles(void *context, size_t tile) {
    jacobian *j = context;
    gs_matrix *u = &j->u;
    double *to = (double *)u->data + tile * u->col_tiles * GS_TILE_SIZE;
    memset(to, 0, u->col_tiles * GS_TILE_SIZE * sizeof *to);
    for (size_t i = tile * GS_TILE; i < (tile + 1) * GS_TILE && i < u->rows; i++)
        for (size_t c = 0; c < u->cols; c++)
            to[c / GS_TILE * GS_TILE_SIZE + i % GS_TILE * GS_TILE + c % GS_TILE] =
                gs_factor_entry(&j->factor, i, c);
}

/* T = U T, where U is what the factorisation left. */
static void multiply_t(jacobian *j) {
    gs_matrix *u = &j->u;
    u->rows = j->factor.rank;
    u->cols = j->grad.batch;
    u->row_tiles = (u->rows + GS_TILE - 1) / GS_TILE;
    u->col_tiles = (u->cols + GS_TILE - 1) / GS_TILE;
    gs_pool_run(j->engine->pool, u->row_tiles, fill_row_of_tiles, j);
    gs_signal_reshape(j->engine, &j->next_t, u->rows);
    gs_product_forward(j->engine, u, &j->t, NULL, &j->next_t);
    gs_signal old = j->t;
    j->t = j->next_t;
    j->next_t = old;
}

/* grad D T = Q D' U T: grad becomes Q if it goes on, D becomes D' and T becomes U T. False if
   all is 0. */
static bool take_apart(jacobian *j, bool goes_on) {
    gs_factor *f = &j->factor;
    for (size_t c = 0; c < j->grad.batch; c++)
        j->scale[c].exponent += j->grad.exponent;
    gs_factor_run(f, &j->grad, j->scale, noise_of(j->grad.batch));
    multiply_t(j);
    for (size_t i = 0; i < f->rank; i++)
        j->scale[i] = gs_factor_scale(f, i);
    if (goes_on)
        gs_factor_basis(f, &j->grad);
    j->has_passed = false;
    return f->rank > 0;
}

static void set_identity(const jacobian *j, gs_signal *signal) {
    const gs_kernels *k = j->engine->kernels;
    gs_signal_reshape(j->engine, signal, j->columns);
    gs_signal_zero(j->engine, signal);
    for (size_t i = 0; i < j->columns; i++)
        k->set(gs_signal_element(k, signal, i, i), 1);
    gs_signal_measure(j->engine, signal);
}

/* ---- The pass ---- */

/* Where x_l is, l = 0 below all stages, what went round the block that starts there joins. */
static bool joins_below(const jacobian *j, size_t index) {
    const gs_stage *below = index > 0 ? &j->tangent.network->stages[index - 1] : NULL;
    return below ? (below->names & GS_IS_X) && below->layer == j->joins_at : j->joins_at == 0;
}

/* False if something is not finite. */
static bool pass_stage(jacobian *j, size_t index) {
    const gs_stage *stage = &j->tangent.network->stages[index];
    gs_tangent_back(&j->tangent, index, &j->grad, &j->spare, &j->skipped);
    j->has_passed |= stage->kind == GS_STAGE_ACTIVATION;
    if (stage->kind == GS_STAGE_SKIP)
        j->joins_at = stage->skip.source_layer;
    if (joins_below(j, index)) {
        gs_signal_combine(j->engine, 1, &j->grad, 1, &j->skipped, &j->grad);
        j->joins_at = SIZE_MAX;
    }
    return gs_signal_normalise(j->engine, &j->grad);
}

/* From dx_L/dx_L = I to J^T = Q D T. The product is taken apart wherever nothing goes round, right
   after an activation: its slopes may be of any size, and what comes next would mix them. */
static bool pass_back(jacobian *j) {
    set_identity(j, &j->grad);
    set_identity(j, &j->t);
    for (size_t c = 0; c < j->columns; c++)
        j->scale[c] = gs_scaled_of(1, 0);
    j->joins_at = SIZE_MAX;
    for (size_t i = j->tangent.stage_count; i-- > 0;) {
        if (!pass_stage(j, i))
            return false;
        bool is_whole = j->joins_at == SIZE_MAX;
        if ((i == 0 || (j->has_passed && is_whole)) && !take_apart(j, i > 0))
            break;
    }
    return true;
}

/* D' U for T^T D = Q D' U: it has the values of D T, and rows that are nearly orthogonal if D falls
   steeply, which leaves little for the rotations to do (Drmac and Veselic 2008). */
static void make_rows(jacobian *j) {
    gs_factor *f = &j->factor;
    gs_signal *transposed = &j->spare;
    const gs_kernels *k = j->engine->kernels;
    size_t rank = j->t.units, length = row_length(rank);
    gs_signal_set_columns(j->engine, transposed, rank);
    gs_signal_reshape(j->engine, transposed, j->columns);
    gs_signal_zero(j->engine, transposed);
    for (size_t c = 0; c < j->columns; c++)
        for (size_t i = 0; i < rank; i++)
            k->set(gs_signal_element(k, transposed, c, i),
                   k->get(gs_signal_element(k, &j->t, i, c)));
    gs_factor_run(f, transposed, j->scale, 0);
    for (size_t i = 0; i < f->rank; i++) {
        j->scale[i] = gs_factor_scale(f, i);
        j->exponents[i] = j->scale[i].exponent;
        for (size_t c = 0; c < rank; c++)
            j->rows[i * length + c] = j->scale[i].mantissa * gs_factor_entry(f, i, c);
    }
}

/* ---- Values ---- */

static bool is_larger(const gs_magnitude *a, const gs_magnitude *b) {
    return gs_scaled_exceeds(gs_scaled_of(a->sum_squares, 2 * a->exponent),
                             gs_scaled_of(b->sum_squares, 2 * b->exponent));
}

static void sort_magnitudes(gs_magnitude *values, size_t count) {
    for (size_t i = 1; i < count; i++) {
        gs_magnitude value = values[i];
        size_t place = i;
        for (; place > 0 && is_larger(&value, &values[place - 1]); place--)
            values[place] = values[place - 1];
        values[place] = value;
    }
}

/* Of the rows that the rotations left, largest first; what has no row is 0. */
static gs_status take_values(jacobian *j, gs_magnitude *values, size_t count, gs_error *error) {
    size_t rank = j->factor.rank < count ? j->factor.rank : count;
    gs_status status = gs_jacobi(j->engine, j->factor.rank, row_length(j->t.units), j->rows,
                                 j->exponents, j->squares, error);
    for (size_t i = 0; i < count; i++)
        values[i] = (gs_magnitude){0};
    for (size_t i = 0; i < rank && status == GS_OK; i++)
        values[i] = (gs_magnitude){j->squares[i], j->exponents[i]};
    sort_magnitudes(values, rank);
    return status;
}

static double mean_square_log10(const gs_magnitude *values, size_t count) {
    gs_magnitude total = {0};
    for (size_t i = 0; i < count; i++)
        total = gs_magnitude_add(total, values[i]);
    return 2 * gs_magnitude_log10(total) - gs_log10((double)count);
}

static double median_log10(const double *values_log10, size_t count) {
    double low = values_log10[count / 2], high = values_log10[(count - 1) / 2];
    return low == high ? low : (low + high) / 2;
}

/* From the values, or nan if there are none. */
static void summarise(const gs_magnitude *magnitudes, size_t count, double *values,
                      double *values_log10, gs_spectrum *spectrum) {
    for (size_t i = 0; i < count; i++) {
        values[i] = gs_magnitude_value(magnitudes[i]);
        values_log10[i] = gs_magnitude_log10(magnitudes[i]);
        spectrum->rank += magnitudes[i].sum_squares > 0;
    }
    spectrum->mean_square_log10 = mean_square_log10(magnitudes, count);
    spectrum->median_log10 = median_log10(values_log10, count);
    spectrum->condition_log10 =
        spectrum->rank > 0 ? values_log10[0] - values_log10[count - 1] : (double)NAN;
}

static gs_status measure(jacobian *j, gs_magnitude *magnitudes, size_t count, gs_error *error) {
    const gs_network *network = j->tangent.network;
    gs_status status = gs_tangent_record(&j->tangent, error);
    size_t nonfinite = network->nonfinite_layer;
    bool is_finite = nonfinite == 0 || nonfinite > network->config->layers;
    if (status == GS_OK && is_finite && pass_back(j)) {
        if (j->factor.rank > 0)
            make_rows(j);
        return take_values(j, magnitudes, count, error);
    }
    for (size_t i = 0; i < count; i++)
        magnitudes[i].sum_squares = (double)NAN;
    return status;
}

/* ---- The whole ---- */

static const gs_stage *last_stage(const gs_network *network) {
    size_t i = network->stage_count - 1;
    return &network->stages[i - network->config->head];
}

size_t gs_network_spectrum_size(const gs_network *network) {
    size_t inputs = network->config->inputs, outputs = last_stage(network)->out.units;
    return inputs < outputs ? inputs : outputs;
}

gs_status gs_spectrum_check(const gs_config *config, size_t example, gs_error *error) {
    size_t sizes[] = {config->inputs, gs_config_units(config, config->layers)};
    for (size_t i = 0; i < 2; i++)
        if (sizes[i] > GS_MOST_SPECTRUM)
            return gs_fail(
                error, GS_ERR_USAGE, "--%s: expected at most %d for a spectrum, got '%zu'",
                sizes[i] == gs_config_width(config, i * (config->layers - 1) + 1) ? "width"
                : i == 0                                                          ? "inputs"
                                                                                  : "outputs",
                GS_MOST_SPECTRUM, sizes[i]);
    if (example >= config->batch)
        return gs_fail(error, GS_ERR_USAGE,
                       "--example: expected at most %zu, the examples of the batch, got '%zu'",
                       config->batch, example + 1);
    return GS_OK;
}

static gs_tangent tangent_of(gs_network *network, size_t example) {
    gs_tangent t = {.network = network,
                    .engine = {.pool = network->engine.pool},
                    .example = example,
                    .stage_count = (size_t)(last_stage(network) - network->stages) + 1,
                    .widest = network->config->inputs};
    for (size_t i = 0; i < t.stage_count; i++)
        if (network->stages[i].out.units > t.widest)
            t.widest = network->stages[i].out.units;
    return t;
}

gs_status gs_measure_spectrum(gs_network *network, size_t example, double *values,
                              double *values_log10, gs_spectrum *spectrum, gs_error *error) {
    size_t count = gs_network_spectrum_size(network);
    jacobian j = {.tangent = tangent_of(network, example),
                  .columns = last_stage(network)->out.units};
    gs_magnitude *magnitudes = NULL;
    j.engine = &j.tangent.engine;
    gs_status status = gs_spectrum_check(network->config, example, error);
    if (status == GS_OK)
        status = gs_kernels_get(GS_F64, &j.tangent.engine.kernels, error);
    if (status == GS_OK)
        status = allocate(&j, error);
    if (status == GS_OK) {
        magnitudes = gs_alloc(count, sizeof *magnitudes, error);
        status = magnitudes ? measure(&j, magnitudes, count, error) : GS_ERR_MEMORY;
    }
    if (status == GS_OK) {
        *spectrum = (gs_spectrum){.count = count, .nonfinite_layer = network->nonfinite_layer};
        summarise(magnitudes, count, values, values_log10, spectrum);
    }
    gs_free(magnitudes);
    release(&j);
    return status;
}
