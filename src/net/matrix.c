/*
 * Matrices in tiles, and products. Every product is split over its output: 8 rows of one panel are
 * one call of the micro-kernel, and no two calls share a sum.
 */
#include "net/matrix.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"

/* ---- Memory and elements ---- */

static size_t tiles_of(size_t count) {
    return count / GS_TILE + (count % GS_TILE > 0);
}

bool gs_matrix_bytes(const gs_kernels *kernels, size_t rows, size_t cols, size_t *bytes) {
    size_t tiles;
    return gs_size_multiply(tiles_of(rows), tiles_of(cols), &tiles) &&
           gs_size_multiply(tiles, GS_TILE_SIZE * kernels->size, bytes);
}

gs_status gs_matrix_new(const gs_engine *engine, size_t rows, size_t cols, gs_matrix *matrix,
                        gs_error *error) {
    size_t bytes;
    *matrix = (gs_matrix){NULL, rows, cols, tiles_of(rows), tiles_of(cols), 0};
    if (!gs_matrix_bytes(engine->kernels, rows, cols, &bytes)) {
        return gs_fail(error, GS_ERR_MEMORY, "a matrix of %zu x %zu does not fit in memory", rows,
                       cols);
    }
    matrix->data = gs_alloc(bytes, 1, error);
    return matrix->data ? GS_OK : GS_ERR_MEMORY;
}

void gs_matrix_free(gs_matrix *matrix) {
    gs_free(matrix->data);
    *matrix = (gs_matrix){0};
}

void *gs_matrix_tile(const gs_kernels *kernels, const gs_matrix *matrix, size_t row_tile,
                     size_t col_tile) {
    size_t tile = row_tile * matrix->col_tiles + col_tile;
    return (char *)matrix->data + tile * GS_TILE_SIZE * kernels->size;
}

void *gs_matrix_element(const gs_kernels *kernels, const gs_matrix *matrix, size_t row,
                        size_t col) {
    char *tile = gs_matrix_tile(kernels, matrix, row / GS_TILE, col / GS_TILE);
    return tile + (row % GS_TILE * GS_TILE + col % GS_TILE) * kernels->size;
}

void gs_matrix_read(const gs_engine *engine, const gs_matrix *matrix, double *values) {
    const gs_kernels *k = engine->kernels;
    for (size_t i = 0; i < matrix->rows; i++) {
        for (size_t j = 0; j < matrix->cols; j++) {
            double mantissa = k->get(gs_matrix_element(k, matrix, i, j));
            values[i * matrix->cols + j] = gs_ldexp(mantissa, matrix->exponent);
        }
    }
}

void gs_matrix_write(const gs_engine *engine, const double *values, gs_matrix *matrix) {
    const gs_kernels *k = engine->kernels;
    for (size_t i = 0; i < matrix->rows; i++)
        for (size_t j = 0; j < matrix->cols; j++)
            k->set(gs_matrix_element(k, matrix, i, j), values[i * matrix->cols + j]);
    matrix->exponent = 0;
}

/* A row of tiles at a time, so that the sum does not depend on how many rows there are. */
gs_magnitude gs_matrix_magnitude(const gs_engine *engine, const gs_matrix *matrix) {
    const gs_kernels *k = engine->kernels;
    size_t rows = matrix->col_tiles * GS_TILE_SIZE / k->panel;
    gs_magnitude total = {0, matrix->exponent};
    for (size_t i = 0; i < matrix->row_tiles; i++) {
        double squares, max_abs;
        k->magnitude(rows, k->panel, gs_matrix_tile(k, matrix, i, 0), &squares, &max_abs);
        total.sum_squares += squares;
    }
    return total;
}

/* ---- Products ---- */

/* Products smaller than this many multiplications are done on the calling thread. */
enum { PARALLEL_WORK = 1 << 18 };

/* How to walk the operands, in elements; see gs_kernels.product. Output tile t reads its left
   operand at t / group * group_step + t % group * tile_step. */
typedef struct {
    const gs_kernels *kernels;
    gs_product product;
    const void *left;
    size_t tile_step, group, group_step;
    size_t k_blocks, k_step;
    const gs_signal *right;
    size_t out_tiles;  /* per panel of `right` */
    gs_signal *signal; /* the output, if it is a signal; else */
    gs_matrix *matrix; /* if it is a matrix */
} product_job;

/* 8 rows of a panel into the tiles that they are made of. */
static void store_tiles(const product_job *job, const char *block, size_t row_tile, size_t panel) {
    const gs_kernels *k = job->kernels;
    size_t row_bytes = GS_TILE * k->size, across = k->panel / GS_TILE;
    for (size_t i = 0; i < across && panel * across + i < job->matrix->col_tiles; i++) {
        char *tile = gs_matrix_tile(k, job->matrix, row_tile, panel * across + i);
        for (size_t r = 0; r < GS_TILE; r++)
            memcpy(tile + r * row_bytes, block + r * GS_PANEL_BYTES + i * row_bytes, row_bytes);
    }
}

static void run_product(void *context, size_t index) {
    const product_job *job = context;
    const gs_kernels *k = job->kernels;
    size_t panel = index / job->out_tiles, tile = index % job->out_tiles;
    size_t offset = tile / job->group * job->group_step + tile % job->group * job->tile_step;
    const char *left = (const char *)job->left + offset * k->size;
    const char *right = (const char *)job->right->data + panel * job->right->rows * GS_PANEL_BYTES;
    if (job->signal) {
        size_t row = panel * job->signal->rows + tile * GS_TILE;
        char *out = (char *)job->signal->data + row * GS_PANEL_BYTES;
        k->product[job->product](job->k_blocks, job->k_step, left, right, out);
    } else {
        _Alignas(64) char block[GS_TILE * GS_PANEL_BYTES];
        k->product[job->product](job->k_blocks, job->k_step, left, right, block);
        store_tiles(job, block, tile, panel);
    }
}

static void run_job(const gs_engine *engine, product_job *job) {
    job->kernels = engine->kernels;
    size_t tasks = job->out_tiles * job->right->panels;
    bool small =
        job->k_blocks * tasks < PARALLEL_WORK / (GS_TILE * GS_TILE * engine->kernels->panel);
    gs_pool_run(small ? NULL : engine->pool, tasks, run_product, job);
}

void gs_product_forward(const gs_engine *engine, const gs_matrix *weight, const gs_signal *u,
                        gs_signal *z) {
    product_job job = {.product = GS_PRODUCT_FORWARD,
                       .left = weight->data,
                       .tile_step = weight->col_tiles * GS_TILE_SIZE,
                       .group = SIZE_MAX,
                       .k_blocks = weight->col_tiles,
                       .k_step = GS_TILE_SIZE,
                       .right = u,
                       .out_tiles = weight->row_tiles,
                       .signal = z};
    run_job(engine, &job);
    z->exponent = weight->exponent + u->exponent;
}

void gs_product_backward(const gs_engine *engine, const gs_matrix *weight, const gs_signal *delta,
                         gs_signal *grad_u) {
    product_job job = {.product = GS_PRODUCT_BACKWARD,
                       .left = weight->data,
                       .tile_step = GS_TILE_SIZE,
                       .group = SIZE_MAX,
                       .k_blocks = weight->row_tiles,
                       .k_step = weight->col_tiles * GS_TILE_SIZE,
                       .right = delta,
                       .out_tiles = weight->col_tiles,
                       .signal = grad_u};
    run_job(engine, &job);
    grad_u->exponent = weight->exponent + delta->exponent;
}

void gs_product_outer(const gs_engine *engine, const gs_signal *delta, const gs_signal *transposed,
                      gs_matrix *grad_weight) {
    size_t panel = engine->kernels->panel;
    product_job job = {.product = GS_PRODUCT_OUTER,
                       .left = delta->data,
                       .tile_step = GS_TILE * panel,
                       .group = SIZE_MAX,
                       .k_blocks = delta->panels,
                       .k_step = delta->rows * panel,
                       .right = transposed,
                       .out_tiles = grad_weight->row_tiles,
                       .matrix = grad_weight};
    run_job(engine, &job);
    grad_weight->exponent = delta->exponent + transposed->exponent;
}

void gs_product_gram(const gs_engine *engine, const gs_signal *x, gs_signal *gram) {
    size_t panel = engine->kernels->panel;
    product_job job = {.product = GS_PRODUCT_GRAM,
                       .left = x->data,
                       .tile_step = GS_TILE,
                       .group = panel / GS_TILE,
                       .group_step = x->rows * panel,
                       .k_blocks = x->rows / GS_TILE,
                       .k_step = GS_TILE * panel,
                       .right = x,
                       .out_tiles = gram->rows / GS_TILE,
                       .signal = gram};
    run_job(engine, &job);
    gram->exponent = 2 * x->exponent;
}
