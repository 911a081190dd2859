/*
 * Orthogonal weights: Gram-Schmidt by blocks of rows. Q is W, or W^T where W is tall: its rows are
 * the fewer. A block P is held in double in panels, a row of Q a lane, so that unit u of a panel is
 * column u of Q. For each block of rows of Q that is done,
 *
 *     C = Q P,   P -= Q^T C,
 *
 * then P is made orthonormal within itself, a panel after another. Where that left less than half
 * of a row, all is done again ("twice is enough": Daniel, Gragg, Kaufman and Stewart 1976; by
 * blocks, Barlow and Smoktunowicz 2013). Each element is a sum over ascending k, so that threads
 * change no bit. Only rows that are done are rounded to the element type.
 */
#include "net/orthogonal.h"

#include <string.h>

#include "base/memory.h"

enum {
    LANES = 16,      /* rows of Q in a panel of doubles, */
    PANEL_TILES = 2, /* which is so many rows of tiles; */
    PANELS = 8,      /* in a block, so that Q is not read too often */
    BLOCK_TILES = PANELS * PANEL_TILES,
    TASK_TILES = 4,         /* rows or columns of tiles whose products a task makes, */
    RUN_TILES = 8,          /* over so many tiles of k at a time */
    PARALLEL_WORK = 1 << 18 /* fewer multiplications stay on the calling thread */
};

/* A row is short if less than this is left of its square. */
#define SHORT_SHARE 0.25

typedef struct {
    const gs_kernels *kernels, *in_double;
    gs_pool *pool;
    const gs_matrix *w;
    double scale;
    bool tall;
    size_t rows, row_tiles, col_tiles; /* of Q */

    size_t done;                   /* rows of tiles of Q */
    size_t against;                /* the block of them that P is projected against begins here */
    size_t panels;                 /* of P */
    size_t first;                  /* panels from here on are not orthonormal yet, */
    size_t last;                   /* and this is the last that is */
    double *block;                 /* P [PANELS][8 col_tiles][LANES] */
    double *products;              /* -C [PANELS][8 BLOCK_TILES][LANES] */
    double squares[PANELS][LANES]; /* of the rows as they came */
} job;

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

static double *panel_at(const job *j, size_t panel, size_t tile) {
    return j->block + (panel * j->col_tiles + tile) * GS_TILE * LANES;
}

static double *products_at(const job *j, size_t panel, size_t tile) {
    return j->products + (panel * BLOCK_TILES + tile) * GS_TILE * LANES;
}

/* ---- Tiles of Q ---- */

static char *tile_at(const job *j, size_t row_tile, size_t col_tile) {
    size_t row = (j->tall ? col_tile : row_tile) * GS_TILE;
    size_t col = (j->tall ? row_tile : col_tile) * GS_TILE;
    return gs_matrix_element(j->kernels, j->w, row, col);
}

/* A rectangle of tiles in double, from W or brought to `scratch`. Those of a tall W are transposed.
 */
typedef struct {
    const double *data;
    size_t row_step, col_step; /* from one tile to the next, in doubles */
} tiles;

static tiles tiles_of(const job *j, size_t row, size_t rows, size_t col, size_t cols,
                      double *scratch) {
    size_t across = j->w->col_tiles * GS_TILE_SIZE;
    const char *data = tile_at(j, row, col);
    if (j->kernels == j->in_double) {
        const double *values = (const double *)(const void *)data;
        return (tiles){values, j->tall ? GS_TILE_SIZE : across, j->tall ? across : GS_TILE_SIZE};
    }
    size_t lines = j->tall ? cols : rows, count = (j->tall ? rows : cols) * GS_TILE_SIZE;
    for (size_t i = 0; i < lines; i++)
        j->kernels->get_all(count, data + i * across * j->kernels->size, scratch + i * count);
    return (tiles){scratch, j->tall ? GS_TILE_SIZE : count, j->tall ? count : GS_TILE_SIZE};
}

/* A tile of W to 8 lanes of 8 units of a panel, or back. */
static void move_tile(const job *j, size_t from_step, const double *from, size_t to_step,
                      double *to) {
    if (!j->tall)
        j->in_double->transpose_tile(from_step, from, to_step, to);
    else
        for (size_t i = 0; i < GS_TILE; i++)
            memcpy(to + i * to_step, from + i * from_step, GS_TILE * sizeof *to);
}

static void load_panel(void *context, size_t panel) {
    job *j = context;
    size_t first = j->done + panel * PANEL_TILES, units = j->col_tiles * GS_TILE;
    double *p = panel_at(j, panel, 0), values[GS_TILE_SIZE];
    if (first + 1 == j->row_tiles)
        memset(p, 0, units * LANES * sizeof *p);
    for (size_t i = 0; i < PANEL_TILES && first + i < j->row_tiles; i++)
        for (size_t c = 0; c < j->col_tiles; c++) {
            j->kernels->get_all(GS_TILE_SIZE, tile_at(j, first + i, c), values);
            move_tile(j, GS_TILE, values, LANES, panel_at(j, panel, c) + i * GS_TILE);
        }
    memset(j->squares[panel], 0, sizeof j->squares[panel]);
    j->in_double->dots[GS_AXIS_EXAMPLE](units, LANES, p, p, j->squares[panel]);
}

static void store_panel(void *context, size_t panel) {
    const job *j = context;
    size_t first = j->done + panel * PANEL_TILES;
    double values[GS_TILE_SIZE];
    for (size_t i = 0; i < PANEL_TILES && first + i < j->row_tiles; i++)
        for (size_t c = 0; c < j->col_tiles; c++) {
            move_tile(j, LANES, panel_at(j, panel, c) + i * GS_TILE, GS_TILE, values);
            j->kernels->set_all(GS_TILE_SIZE, values, tile_at(j, first + i, c));
        }
}

/* ---- Against a block of Q ---- */

static size_t tiles_against(const job *j) {
    return least(BLOCK_TILES, j->done - j->against);
}

/* Some rows of -C. */
static void multiply(void *context, size_t index) {
    const job *j = context;
    size_t first = index * TASK_TILES, rows = least(TASK_TILES, tiles_against(j) - first);
    _Alignas(64) double scratch[TASK_TILES * RUN_TILES * GS_TILE_SIZE];
    for (size_t k = 0; k < j->col_tiles; k += RUN_TILES) {
        size_t length = least(RUN_TILES, j->col_tiles - k);
        tiles q = tiles_of(j, j->against + first, rows, k, length, scratch);
        for (size_t p = j->first; p < j->panels; p++)
            for (size_t i = 0; i < rows; i++)
                j->in_double->product[j->tall ? GS_PRODUCT_BACKWARD : GS_PRODUCT_FORWARD](
                    length, q.col_step, q.data + i * q.row_step,
                    q.data + least(i + 1, rows - 1) * q.row_step, panel_at(j, p, k), k > 0,
                    products_at(j, p, first + i));
    }
    for (size_t p = j->first; p < j->panels; p++) {
        double *c = products_at(j, p, first);
        j->in_double->scale(rows * GS_TILE * LANES, -1, c, c);
    }
}

/* Some rows of P. */
static void subtract(void *context, size_t index) {
    const job *j = context;
    size_t first = index * TASK_TILES, cols = least(TASK_TILES, j->col_tiles - first);
    _Alignas(64) double scratch[TASK_TILES * RUN_TILES * GS_TILE_SIZE];
    for (size_t k = 0; k < tiles_against(j); k += RUN_TILES) {
        size_t length = least(RUN_TILES, tiles_against(j) - k);
        tiles q = tiles_of(j, j->against + k, length, first, cols, scratch);
        for (size_t p = j->first; p < j->panels; p++)
            for (size_t i = 0; i < cols; i++)
                j->in_double->product[j->tall ? GS_PRODUCT_FORWARD : GS_PRODUCT_BACKWARD](
                    length, q.row_step, q.data + i * q.col_step,
                    q.data + least(i + 1, cols - 1) * q.col_step, products_at(j, p, k), true,
                    panel_at(j, p, first + i));
    }
}

/* ---- Within P ---- */

/* C [LANES, LANES] = A^T B of two panels. */
static void multiply_panels(const job *j, const double *a, const double *b, double *c) {
    for (size_t i = 0; i < LANES; i += GS_TILE)
        j->in_double->product[GS_PRODUCT_GRAM](j->col_tiles, GS_TILE * LANES, a + i, a + i, b,
                                               false, c + i * LANES);
}

/* The last panel that is orthonormal is taken out of one that follows it. */
static void take_out_last(void *context, size_t index) {
    const job *j = context;
    const double *q = panel_at(j, j->last, 0);
    double *p = panel_at(j, j->panels - 1 - index, 0);
    _Alignas(64) double c[LANES * LANES];
    multiply_panels(j, q, p, c);
    j->in_double->scale(LANES * LANES, -1, c, c);
    for (size_t i = 0; i < j->col_tiles * GS_TILE * LANES; i += GS_TILE * LANES)
        j->in_double->product[GS_PRODUCT_COMBINE](1, 0, q + i, q + i, c, true, p + i);
}

/* The last panel becomes orthonormal. Returns whether a row of it was short. */
static bool orthonormalise_last(const job *j) {
    size_t lanes = least(LANES, j->rows - (j->done + j->last * PANEL_TILES) * GS_TILE);
    double *p = panel_at(j, j->last, 0);
    bool is_short = false;
    _Alignas(64) double factor[LANES * LANES], made[GS_TILE * LANES];
    multiply_panels(j, p, p, factor);
    j->in_double->orthonormalising_factor(lanes, factor);
    for (size_t i = 0; i < j->col_tiles * GS_TILE * LANES; i += GS_TILE * LANES) {
        j->in_double->product[GS_PRODUCT_COMBINE](1, 0, p + i, p + i, factor, false, made);
        memcpy(p + i, made, sizeof made);
    }
    for (size_t i = 0; i < lanes; i++) {
        double inverse_length = factor[i * (LANES + 1)];
        is_short |= SHORT_SHARE * j->squares[j->last][i] * inverse_length * inverse_length > 1;
    }
    return is_short;
}

/* ---- All rows ---- */

static void run(job *j, size_t tasks, size_t work, void (*task)(void *context, size_t index)) {
    gs_pool_run(work < PARALLEL_WORK ? NULL : j->pool, tasks, task, j);
}

static size_t tasks_of(size_t tile_count) {
    return (tile_count + TASK_TILES - 1) / TASK_TILES;
}

/* Panels of P from j->first on; returns the first with a short row. */
static size_t orthonormalise(job *j) {
    size_t work = (j->panels - j->first) * LANES * j->col_tiles * GS_TILE, short_panel = j->panels;
    for (j->against = 0; j->against < j->done; j->against += BLOCK_TILES) {
        run(j, tasks_of(tiles_against(j)), tiles_against(j) * GS_TILE * work, multiply);
        run(j, tasks_of(j->col_tiles), tiles_against(j) * GS_TILE * work, subtract);
    }
    for (j->last = 0; j->last < j->panels; j->last++) {
        if (j->last >= j->first && orthonormalise_last(j))
            short_panel = least(short_panel, j->last);
        size_t next = j->last < j->first ? j->first : j->last + 1;
        run(j, j->panels - next, LANES * work, take_out_last);
    }
    return short_panel;
}

static void make_block(job *j) {
    size_t elements = j->panels * LANES * j->col_tiles * GS_TILE;
    run(j, j->panels, elements, load_panel);
    j->first = 0;
    j->first = orthonormalise(j);
    if (j->first < j->panels)
        orthonormalise(j);
    run(j, j->panels, elements, store_panel);
}

static void scale_row(void *context, size_t row_tile) {
    const job *j = context;
    double values[GS_TILE_SIZE];
    for (size_t col_tile = 0; col_tile < j->w->col_tiles; col_tile++) {
        char *tile = gs_matrix_element(j->kernels, j->w, row_tile * GS_TILE, col_tile * GS_TILE);
        j->kernels->get_all(GS_TILE_SIZE, tile, values);
        for (size_t i = 0; i < GS_TILE_SIZE; i++)
            values[i] *= j->scale;
        j->kernels->set_all(GS_TILE_SIZE, values, tile);
    }
}

gs_status gs_make_orthogonal(const gs_engine *engine, double scale, gs_matrix *weight,
                             gs_error *error) {
    bool tall = weight->rows > weight->cols;
    job j = {.kernels = engine->kernels,
             .in_double = gs_kernels_beside(engine->kernels, GS_F64),
             .pool = engine->pool,
             .w = weight,
             .scale = scale,
             .tall = tall,
             .rows = tall ? weight->cols : weight->rows,
             .row_tiles = tall ? weight->col_tiles : weight->row_tiles,
             .col_tiles = tall ? weight->row_tiles : weight->col_tiles};
    bool is_one_block = j.row_tiles <= BLOCK_TILES;
    size_t panels = is_one_block ? (j.row_tiles + PANEL_TILES - 1) / PANEL_TILES : PANELS;
    size_t each = panels * GS_TILE * LANES; /* of a tile in all panels */
    j.block =
        gs_alloc(each * (j.col_tiles + (is_one_block ? 0 : BLOCK_TILES)), sizeof *j.block, error);
    if (!j.block)
        return GS_ERR_MEMORY;
    j.products = j.block + each * j.col_tiles;
    for (; j.done < j.row_tiles; j.done += BLOCK_TILES) {
        j.panels = least(panels, (j.row_tiles - j.done + PANEL_TILES - 1) / PANEL_TILES);
        make_block(&j);
    }
    if (scale != 1)
        run(&j, weight->row_tiles, weight->rows * weight->cols, scale_row);
    gs_free(j.block);
    return GS_OK;
}
