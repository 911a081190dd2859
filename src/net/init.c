/*
 * Weight initialisation. fan_in and fan_out are the columns and the rows of W [out, in].
 */
#include "net/init.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "net/orthogonal.h"
#include "net/streams.h"

typedef struct gs_init gs_init;
struct gs_init {
    gs_name name;
    /* Each tile by itself (see gs_tile_source). */
    void (*make)(const gs_kernels *kernels, const gs_matrix *matrix, size_t row_tile,
                 size_t col_tile, size_t count, void *tiles);
    gs_draw draw;       /* the law of make_random */
    bool is_orthogonal; /* what was drawn is made so: a weight depends on all others */
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
      .help = "uniform with W W^T = GAIN^2 I (Saxe 2014)"},
     RANDOM(GS_DRAW_NORMAL, 1, NO_FAN), .is_orthogonal = true},
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
    if (row->is_orthogonal)
        return (gs_weight_law){GS_WEIGHTS_ORTHOGONAL, scale * scale / longest};
    double unit = row->draw == GS_DRAW_UNIFORM ? 1.0 / 3 : 1;
    return (gs_weight_law){GS_WEIGHTS_INDEPENDENT, unit * scale * scale};
}

/* ---- Drawing ---- */

bool gs_init_can_stream(gs_choice init) {
    return !inits[init.index].is_orthogonal;
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
    weight->source =
        (gs_tile_source){row->make, row->draw, seed, layer, row->is_orthogonal ? 1 : gain * scale};
    if (weight->data) {
        store_context context = {engine->kernels, weight};
        gs_pool_run(engine->pool, weight->row_tiles, store_row, &context);
    }
    return row->is_orthogonal ? gs_make_orthogonal(engine, gain * scale, weight, error) : GS_OK;
}
