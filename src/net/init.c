/*
 * Weight initialisation. fan_in and fan_out are the columns and the rows of W [out, in].
 */
#include "net/init.h"

#include <math.h>

#include "base/memory.h"
#include "net/streams.h"

/* What a scheme fills, and what its numbers are a function of. */
typedef struct {
    const gs_engine *engine;
    gs_matrix *weight;
    uint64_t seed;
    uint32_t layer;
} target;

typedef struct gs_init gs_init;
struct gs_init {
    gs_name name;
    /* Fill W; `parameter` is the choice's, `gain` multiplies every weight. */
    gs_status (*fill)(const target *t, const gs_init *row, double parameter, double gain,
                      gs_error *error);
    /* fill_random: the law, and its standard deviation or limit: sqrt(numerator / fan) times the
       parameter if there is one. */
    gs_draw draw;
    double numerator;
    enum { NO_FAN, FAN_IN, FAN_SUM } fan;
};

static double scale_of(const gs_init *row, double parameter, double fan_in, double fan_out) {
    const double fans[] = {[NO_FAN] = 1, [FAN_IN] = fan_in, [FAN_SUM] = fan_in + fan_out};
    double factor = row->name.parameter == GS_PARAM_NONE ? 1 : parameter;
    return factor * sqrt(row->numerator / fans[row->fan]);
}

/* ---- Schemes ---- */

/* Entries of a tile at the edge that lie outside the matrix are zero. */
static void clear_outside(const gs_kernels *k, const gs_matrix *m, size_t row_tile,
                          size_t col_tile) {
    char *tile = gs_matrix_tile(k, m, row_tile, col_tile);
    for (size_t i = 0; i < GS_TILE_SIZE; i++)
        if (row_tile * GS_TILE + i / GS_TILE >= m->rows ||
            col_tile * GS_TILE + i % GS_TILE >= m->cols)
            k->set(tile + i * k->size, 0);
}

static void draw_tiles(const target *t, gs_draw draw, double scale) {
    const gs_kernels *k = t->engine->kernels;
    const gs_matrix *m = t->weight;
    for (size_t i = 0; i < m->row_tiles; i++) {
        for (size_t j = 0; j < m->col_tiles; j++) {
            k->random_tile(draw, t->seed, GS_STREAM_WEIGHT, t->layer, (uint32_t)i, (uint32_t)j,
                           scale, gs_matrix_tile(k, m, i, j));
            if ((i + 1) * GS_TILE > m->rows || (j + 1) * GS_TILE > m->cols)
                clear_outside(k, m, i, j);
        }
    }
}

/* What every weight is multiplied by; what is far from 1 goes to the exponent of W. */
static double total_scale(const target *t, double gain, double scale) {
    t->weight->exponent = gs_split_factor(&gain) + gs_split_factor(&scale);
    return gain * scale;
}

static gs_status fill_random(const target *t, const gs_init *row, double parameter, double gain,
                             gs_error *error) {
    (void)error;
    double fan_in = (double)t->weight->cols, fan_out = (double)t->weight->rows;
    draw_tiles(t, row->draw, total_scale(t, gain, scale_of(row, parameter, fan_in, fan_out)));
    return GS_OK;
}

static gs_status fill_identity(const target *t, const gs_init *row, double parameter, double gain,
                               gs_error *error) {
    const gs_kernels *k = t->engine->kernels;
    double value = total_scale(t, gain, parameter);
    (void)row, (void)error;
    for (size_t i = 0; i < t->weight->rows && i < t->weight->cols; i++)
        k->set(gs_matrix_element(k, t->weight, i, i), value);
    return GS_OK;
}

static gs_status fill_constant(const target *t, const gs_init *row, double parameter, double gain,
                               gs_error *error) {
    const gs_kernels *k = t->engine->kernels;
    double value = total_scale(t, gain, parameter);
    (void)row, (void)error;
    for (size_t i = 0; i < t->weight->rows; i++)
        for (size_t j = 0; j < t->weight->cols; j++)
            k->set(gs_matrix_element(k, t->weight, i, j), value);
    return GS_OK;
}

/* v -= Q^T (Q v), Q the orthonormal rows in the first `row_tiles` tiles; rows not yet made are
 * zero. */
static void project_out(const gs_kernels *k, const gs_matrix *q, size_t row_tiles, double *v,
                        double *coefficients) {
    for (size_t i = 0; i < row_tiles * GS_TILE; i++)
        coefficients[i] = 0;
    k->tile_matvec(row_tiles, q->col_tiles, q->data, v, coefficients);
    for (size_t i = 0; i < row_tiles * GS_TILE; i++)
        coefficients[i] = -coefficients[i];
    k->tile_matvec_transposed(row_tiles, q->col_tiles, q->data, coefficients, v);
}

/* Row i of Q from v: Gram-Schmidt, projected twice ("twice is enough": Giraud, Langou, Rozloznik
 * 2005). */
static void append_row(const gs_kernels *k, const gs_matrix *q, size_t i, double *v,
                       double *coefficients) {
    double squares = 0;
    project_out(k, q, i / GS_TILE + 1, v, coefficients);
    project_out(k, q, i / GS_TILE + 1, v, coefficients);
    for (size_t j = 0; j < q->cols; j++)
        squares = fma(v[j], v[j], squares);
    for (size_t j = 0; j < q->cols; j++)
        k->set(gs_matrix_element(k, q, i, j), v[j] / sqrt(squares));
}

/* W W^T = (gain parameter)^2 I, or W^T W where W is tall: the orthonormal factor of a Gaussian
   matrix. Gram-Schmidt leaves R with a positive diagonal, so that it is uniform over such matrices
   (Saxe 2014, Mezzadri 2007). */
static gs_status fill_orthogonal(const target *t, const gs_init *row, double parameter, double gain,
                                 gs_error *error) {
    const gs_kernels *k = t->engine->kernels;
    gs_matrix *w = t->weight, q = {0};
    bool tall = w->rows > w->cols;
    size_t rows = tall ? w->cols : w->rows, cols = tall ? w->rows : w->cols;
    double scale = total_scale(t, gain, parameter);
    (void)row;
    double *v = gs_alloc(cols + GS_TILE, sizeof *v, error);
    double *coefficients = gs_alloc(rows + GS_TILE, sizeof *coefficients, error);
    gs_status status =
        v && coefficients ? gs_matrix_new(t->engine, rows, cols, &q, error) : GS_ERR_MEMORY;
    if (status == GS_OK) {
        draw_tiles(t, GS_DRAW_NORMAL, 1);
        for (size_t i = 0; i < rows; i++) {
            for (size_t j = 0; j < cols; j++)
                v[j] = k->get(gs_matrix_element(k, w, tall ? j : i, tall ? i : j));
            append_row(k, &q, i, v, coefficients);
            for (size_t j = 0; j < cols; j++) {
                double value = k->get(gs_matrix_element(k, &q, i, j));
                k->set(gs_matrix_element(k, w, tall ? j : i, tall ? i : j), scale * value);
            }
        }
    }
    gs_matrix_free(&q);
    gs_free(v);
    gs_free(coefficients);
    return status;
}

/* ---- The table ---- */

/* Magnitudes that keep every product of a few of them inside f32. */
#define LARGEST 1e15

#define NUMBER(symbol, value, usage)                                                               \
    .parameter = usage, .standard = value, .minimum = -LARGEST, .maximum = LARGEST, .letter = symbol
#define SPREAD(symbol)                                                                             \
    .parameter = GS_PARAM_REQUIRED, .standard = 1, .minimum = 0, .maximum = LARGEST,               \
    .letter = symbol

/* clang-format off */
static const gs_init inits[] = {
    {{"xavier-normal", {"xavier", "glorot", "glorot-normal"},
      .help = "N(0, 2 / (fan_in + fan_out)) (Glorot 2010)"}, fill_random, GS_DRAW_NORMAL, 2, FAN_SUM},
    {{"xavier-uniform", {"glorot-uniform"},
      .help = "U(+-sqrt(6 / (fan_in + fan_out)))"}, fill_random, GS_DRAW_UNIFORM, 6, FAN_SUM},
    {{"he-normal", {"he", "kaiming", "kaiming-normal"},
      .help = "N(0, 2 / fan_in) (He 2015)"}, fill_random, GS_DRAW_NORMAL, 2, FAN_IN},
    {{"he-uniform", {"kaiming-uniform"},
      .help = "U(+-sqrt(6 / fan_in))"}, fill_random, GS_DRAW_UNIFORM, 6, FAN_IN},
    {{"lecun-normal", {"lecun"},
      .help = "N(0, 1 / fan_in) (LeCun 1998)"}, fill_random, GS_DRAW_NORMAL, 1, FAN_IN},
    {{"lecun-uniform",
      .help = "U(+-sqrt(3 / fan_in))"}, fill_random, GS_DRAW_UNIFORM, 3, FAN_IN},
    {{"normal", SPREAD("STD"),
      .help = "N(0, STD^2)"}, fill_random, GS_DRAW_NORMAL, 1, NO_FAN},
    {{"uniform", SPREAD("A"),
      .help = "U(-A, A)"}, fill_random, GS_DRAW_UNIFORM, 1, NO_FAN},
    {{"scaled", SPREAD("SW"),
      .help = "N(0, SW^2 / fan_in), the sigma_w of mean-field theory"},
     fill_random, GS_DRAW_NORMAL, 1, FAN_IN},
    {{"torch",
      .help = "U(+-1 / sqrt(fan_in)), PyTorch's nn.Linear"}, fill_random, GS_DRAW_UNIFORM, 1, FAN_IN},
    {{"orthogonal", NUMBER("GAIN", 1, GS_PARAM_OPTIONAL),
      .help = "uniform with W W^T = GAIN^2 I (Saxe 2014)"}, .fill = fill_orthogonal},
    {{"identity", NUMBER("C", 1, GS_PARAM_OPTIONAL),
      .help = "C on the diagonal, 0 elsewhere"}, .fill = fill_identity},
    {{"constant", NUMBER("C", 0, GS_PARAM_REQUIRED),
      .help = "C everywhere"}, .fill = fill_constant},
};
/* clang-format on */

const gs_family gs_init_family = GS_FAMILY(inits);

gs_status gs_init_weight(const gs_engine *engine, gs_choice init, double gain, uint64_t seed,
                         uint32_t layer, gs_matrix *weight, gs_error *error) {
    target t = {engine, weight, seed, layer};
    const gs_init *row = &inits[init.index];
    return row->fill(&t, row, init.parameter, gain, error);
}
