/*
 * Weight initialisation. fan_in and fan_out are the columns and the rows of W [out, in].
 */
#include "net/init.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "net/streams.h"

typedef struct gs_init gs_init;
struct gs_init {
    gs_name name;
    /* Each tile by itself (see gs_tile_source), */
    void (*make)(const gs_kernels *kernels, const gs_matrix *matrix, size_t row_tile,
                 size_t col_tile, size_t count, void *tiles);
    /* or, where a weight depends on others, the whole of a stored W; source.scale multiplies it. */
    gs_status (*fill)(const gs_engine *engine, gs_matrix *weight, gs_error *error);
    gs_draw draw; /* the law of make_random */
    /* Its standard deviation or limit, or the value of the others: sqrt(numerator / fan) times the
       parameter if there is one. */
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
static void clear_outside(const gs_kernels *k, const gs_matrix *m, size_t row_tile, size_t col_tile,
                          char *tile) {
    for (size_t i = 0; i < GS_TILE_SIZE; i++)
        if (row_tile * GS_TILE + i / GS_TILE >= m->rows ||
            col_tile * GS_TILE + i % GS_TILE >= m->cols)
            k->set(tile + i * k->size, 0);
}

static void draw_tiles(const gs_kernels *k, const gs_matrix *m, double scale, size_t row_tile,
                       size_t col_tile, size_t count, void *tiles) {
    const gs_tile_source *s = &m->source;
    k->random_tiles(s->draw, s->seed, GS_STREAM_WEIGHT, s->layer, (uint32_t)row_tile,
                    (uint32_t)col_tile, count, scale, tiles);
    bool last_row = (row_tile + 1) * GS_TILE > m->rows;
    for (size_t j = col_tile; j < col_tile + count; j++)
        if (last_row || (j + 1) * GS_TILE > m->cols)
            clear_outside(k, m, row_tile, j,
                          (char *)tiles + (j - col_tile) * GS_TILE_SIZE * k->size);
}

static void make_random(const gs_kernels *k, const gs_matrix *m, size_t row_tile, size_t col_tile,
                        size_t count, void *tiles) {
    draw_tiles(k, m, m->source.scale, row_tile, col_tile, count, tiles);
}

static void make_identity(const gs_kernels *k, const gs_matrix *m, size_t row_tile, size_t col_tile,
                          size_t count, void *tiles) {
    memset(tiles, 0, count * GS_TILE_SIZE * k->size);
    if (row_tile < col_tile || row_tile >= col_tile + count)
        return;
    char *tile = (char *)tiles + (row_tile - col_tile) * GS_TILE_SIZE * k->size;
    for (size_t i = 0; i < GS_TILE; i++)
        k->set(tile + i * (GS_TILE + 1) * k->size, m->source.scale);
    clear_outside(k, m, row_tile, row_tile, tile);
}

static void make_constant(const gs_kernels *k, const gs_matrix *m, size_t row_tile, size_t col_tile,
                          size_t count, void *tiles) {
    for (size_t j = 0; j < count; j++) {
        char *tile = (char *)tiles + j * GS_TILE_SIZE * k->size;
        for (size_t i = 0; i < GS_TILE_SIZE; i++)
            k->set(tile + i * k->size, m->source.scale);
        clear_outside(k, m, row_tile, col_tile + j, tile);
    }
}

/* v -= Q^T (Q v), Q the orthonormal rows in the first `row_tiles` tiles; rows not yet made are
 * zero. */
static void project_out(const gs_kernels *k, const gs_matrix *q, size_t row_tiles, double *v,
                        double *coefficients) {
    for (size_t i = 0; i < row_tiles; i++) {
        double *c = coefficients + i * GS_TILE;
        memset(c, 0, GS_TILE * sizeof *c);
        k->tile_matvec(q->col_tiles, gs_matrix_element(k, q, i * GS_TILE, 0), v, c);
    }
    for (size_t i = 0; i < row_tiles * GS_TILE; i++)
        coefficients[i] = -coefficients[i];
    for (size_t i = 0; i < row_tiles; i++)
        k->tile_matvec_transposed(q->col_tiles, gs_matrix_element(k, q, i * GS_TILE, 0),
                                  coefficients + i * GS_TILE, v);
}

/* v / |v| without its parts along the rows of Q that are there: Gram-Schmidt, projected twice
   ("twice is enough": Giraud, Langou, Rozloznik 2005). */
static void make_orthonormal(const gs_kernels *k, const gs_matrix *q, size_t row_tiles, double *v,
                             double *coefficients) {
    double squares = 0;
    project_out(k, q, row_tiles, v, coefficients);
    project_out(k, q, row_tiles, v, coefficients);
    for (size_t j = 0; j < q->cols; j++)
        squares = fma(v[j], v[j], squares);
    double length = sqrt(squares);
    for (size_t j = 0; j < q->cols; j++)
        v[j] /= length;
}

/* The rows of Q in one row of tiles from what stands there. They come and go by the row of a tile:
   conversion by the element would take as long as the arithmetic. */
static void make_rows(const gs_kernels *k, const gs_matrix *q, size_t row_tile, double *tiles,
                      double *v, double *coefficients) {
    char *place = gs_matrix_element(k, q, row_tile * GS_TILE, 0);
    size_t count = q->col_tiles * GS_TILE_SIZE;
    k->get_all(count, place, tiles);
    memset(place, 0, count * k->size);
    for (size_t i = row_tile * GS_TILE; i < (row_tile + 1) * GS_TILE && i < q->rows; i++) {
        for (size_t j = 0; j < q->col_tiles; j++)
            memcpy(v + j * GS_TILE, tiles + j * GS_TILE_SIZE + i % GS_TILE * GS_TILE,
                   GS_TILE * sizeof *v);
        make_orthonormal(k, q, row_tile + 1, v, coefficients);
        for (size_t j = 0; j < q->col_tiles; j++)
            k->set_all(GS_TILE, v + j * GS_TILE, gs_matrix_element(k, q, i, j * GS_TILE));
    }
}

static void scale_rows(const gs_kernels *k, const gs_matrix *q, size_t row_tile, double scale,
                       double *tiles) {
    char *place = gs_matrix_element(k, q, row_tile * GS_TILE, 0);
    size_t count = q->col_tiles * GS_TILE_SIZE;
    k->get_all(count, place, tiles);
    for (size_t i = 0; i < count; i++)
        tiles[i] *= scale;
    k->set_all(count, tiles, place);
}

static void transpose(const gs_kernels *k, const gs_matrix *from, const gs_matrix *to) {
    for (size_t i = 0; i < from->rows; i++)
        for (size_t j = 0; j < from->cols; j++)
            k->set(gs_matrix_element(k, to, j, i), k->get(gs_matrix_element(k, from, i, j)));
}

/* W W^T = (gain parameter)^2 I, or W^T W where W is tall: the orthonormal factor of a Gaussian
   matrix. Gram-Schmidt leaves R with a positive diagonal, so that it is uniform over such matrices
   (Saxe 2014, Mezzadri 2007). */
static gs_status fill_orthogonal(const gs_engine *engine, gs_matrix *w, gs_error *error) {
    const gs_kernels *k = engine->kernels;
    bool tall = w->rows > w->cols;
    gs_matrix transposed = {0}, *q = tall ? &transposed : w;
    size_t rows = (tall ? w->col_tiles : w->row_tiles) * GS_TILE;
    size_t cols = (tall ? w->row_tiles : w->col_tiles) * GS_TILE;
    double *v = gs_alloc(rows + (1 + GS_TILE) * cols, sizeof *v, error);
    gs_status status = v ? GS_OK : GS_ERR_MEMORY;
    if (status == GS_OK && tall)
        status = gs_matrix_new(engine, w->cols, w->rows, q, error);
    if (status == GS_OK) {
        double *tiles = v + cols, *coefficients = tiles + GS_TILE * cols;
        for (size_t i = 0; i < w->row_tiles; i++)
            draw_tiles(k, w, 1, i, 0, w->col_tiles, gs_matrix_element(k, w, i * GS_TILE, 0));
        if (tall)
            transpose(k, w, q);
        for (size_t i = 0; i < q->row_tiles; i++)
            make_rows(k, q, i, tiles, v, coefficients);
        for (size_t i = 0; i < q->row_tiles; i++)
            scale_rows(k, q, i, w->source.scale, tiles);
        if (tall)
            transpose(k, q, w);
    }
    gs_matrix_free(&transposed);
    gs_free(v);
    return status;
}

/* ---- The table ---- */

/* Magnitudes that keep every product of a few of them inside f32. */
#define LARGEST 1e15

#define RANDOM(law, times, of) .make = make_random, .draw = law, .numerator = times, .fan = of
#define NUMBER(symbol, value, usage)                                                               \
    .parameter = usage, .standard = value, .minimum = -LARGEST, .maximum = LARGEST, .letter = symbol
#define SPREAD(symbol)                                                                             \
    .parameter = GS_PARAM_REQUIRED, .standard = 1, .minimum = 0, .maximum = LARGEST,               \
    .letter = symbol

/* clang-format off */
static const gs_init inits[] = {
    {{"xavier-normal", {"xavier", "glorot", "glorot-normal"},
      .help = "N(0, 2 / (fan_in + fan_out)) (Glorot 2010)"}, RANDOM(GS_DRAW_NORMAL, 2, FAN_SUM)},
    {{"xavier-uniform", {"glorot-uniform"},
      .help = "U(+-sqrt(6 / (fan_in + fan_out)))"}, RANDOM(GS_DRAW_UNIFORM, 6, FAN_SUM)},
    {{"he-normal", {"he", "kaiming", "kaiming-normal"},
      .help = "N(0, 2 / fan_in) (He 2015)"}, RANDOM(GS_DRAW_NORMAL, 2, FAN_IN)},
    {{"he-uniform", {"kaiming-uniform"},
      .help = "U(+-sqrt(6 / fan_in))"}, RANDOM(GS_DRAW_UNIFORM, 6, FAN_IN)},
    {{"lecun-normal", {"lecun"},
      .help = "N(0, 1 / fan_in) (LeCun 1998)"}, RANDOM(GS_DRAW_NORMAL, 1, FAN_IN)},
    {{"lecun-uniform",
      .help = "U(+-sqrt(3 / fan_in))"}, RANDOM(GS_DRAW_UNIFORM, 3, FAN_IN)},
    {{"normal", SPREAD("STD"),
      .help = "N(0, STD^2)"}, RANDOM(GS_DRAW_NORMAL, 1, NO_FAN)},
    {{"uniform", SPREAD("A"),
      .help = "U(-A, A)"}, RANDOM(GS_DRAW_UNIFORM, 1, NO_FAN)},
    {{"scaled", SPREAD("SW"),
      .help = "N(0, SW^2 / fan_in), the sigma_w of mean-field theory"},
     RANDOM(GS_DRAW_NORMAL, 1, FAN_IN)},
    {{"torch",
      .help = "U(+-1 / sqrt(fan_in)), PyTorch's nn.Linear"}, RANDOM(GS_DRAW_UNIFORM, 1, FAN_IN)},
    {{"orthogonal", NUMBER("GAIN", 1, GS_PARAM_OPTIONAL),
      .help = "uniform with W W^T = GAIN^2 I (Saxe 2014)"}, .fill = fill_orthogonal, .numerator = 1},
    {{"identity", NUMBER("C", 1, GS_PARAM_OPTIONAL),
      .help = "C on the diagonal, 0 elsewhere"}, .make = make_identity, .numerator = 1},
    {{"constant", NUMBER("C", 0, GS_PARAM_REQUIRED),
      .help = "C everywhere"}, .make = make_constant, .numerator = 1},
};
/* clang-format on */

const gs_family gs_init_family = GS_FAMILY(inits);

/* The variance of U(-1, 1) is 1/3; a column of an orthogonal matrix, or its row if they are longer,
   has the squared norm gain^2. */
gs_weight_law gs_init_law(gs_choice init, double gain, size_t fan_in, size_t fan_out) {
    const gs_init *row = &inits[init.index];
    double scale = gain * scale_of(row, init.parameter, (double)fan_in, (double)fan_out);
    double longest = (double)(fan_in > fan_out ? fan_in : fan_out);
    if (row->make == make_identity)
        return (gs_weight_law){GS_WEIGHTS_IDENTITY, scale};
    if (row->make == make_constant)
        return (gs_weight_law){GS_WEIGHTS_CONSTANT, scale};
    if (row->fill)
        return (gs_weight_law){GS_WEIGHTS_ORTHOGONAL, scale * scale / longest};
    double unit = row->draw == GS_DRAW_UNIFORM ? 1.0 / 3 : 1;
    return (gs_weight_law){GS_WEIGHTS_INDEPENDENT, unit * scale * scale};
}

/* ---- Drawing ---- */

bool gs_init_can_stream(gs_choice init) {
    return inits[init.index].make != NULL;
}

typedef struct {
    const gs_kernels *kernels;
    const gs_matrix *weight;
} store_context;

static void store_row(void *context, size_t row_tile) {
    const store_context *c = context;
    const gs_matrix *w = c->weight;
    w->source.make(c->kernels, w, row_tile, 0, w->col_tiles,
                   gs_matrix_element(c->kernels, w, row_tile * GS_TILE, 0));
}

/* What is far from 1 in the factors of a weight goes to the exponent of W. */
gs_status gs_init_weight(const gs_engine *engine, gs_choice init, double gain, uint64_t seed,
                         uint32_t layer, gs_matrix *weight, gs_error *error) {
    const gs_init *row = &inits[init.index];
    double scale = scale_of(row, init.parameter, (double)weight->cols, (double)weight->rows);
    weight->exponent = gs_split_factor(&gain) + gs_split_factor(&scale);
    weight->source = (gs_tile_source){row->make, row->draw, seed, layer, gain * scale};
    if (row->fill)
        return row->fill(engine, weight, error);
    if (weight->data) {
        store_context context = {engine->kernels, weight};
        gs_pool_run(engine->pool, weight->row_tiles, store_row, &context);
    }
    return GS_OK;
}
