/*
 * Matrices in tiles: memory, elements, norm.
 */
#include "net/matrix.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "net/weight_cache.h"

static size_t tiles_of(size_t count) {
    return count / GS_TILE + (count % GS_TILE > 0);
}

bool gs_matrix_bytes(const gs_kernels *kernels, size_t rows, size_t cols, size_t *bytes) {
    size_t tiles;
    return gs_size_multiply(tiles_of(rows), tiles_of(cols), &tiles) &&
           gs_size_multiply(tiles, GS_TILE_SIZE * kernels->size, bytes);
}

gs_matrix gs_matrix_streamed(size_t rows, size_t cols) {
    return (gs_matrix){
        .rows = rows, .cols = cols, .row_tiles = tiles_of(rows), .col_tiles = tiles_of(cols)};
}

gs_status gs_matrix_new(const gs_engine *engine, size_t rows, size_t cols, gs_matrix *matrix,
                        gs_error *error) {
    size_t bytes;
    *matrix = gs_matrix_streamed(rows, cols);
    if (!gs_matrix_bytes(engine->kernels, rows, cols, &bytes)) {
        return gs_fail(error, GS_ERR_MEMORY, "a matrix of %zu x %zu does not fit in memory", rows,
                       cols);
    }
    matrix->data = gs_engine_alloc(engine, bytes, &matrix->is_borrowed, error);
    return matrix->data ? GS_OK : GS_ERR_MEMORY;
}

void gs_matrix_own(const gs_kernels *kernels, gs_matrix *matrix) {
    if (!matrix->loan)
        return;
    memcpy(matrix->own, matrix->data,
           matrix->row_tiles * matrix->col_tiles * GS_TILE_SIZE * kernels->size);
    matrix->data = matrix->own;
    gs_weight_cache_take_back(matrix->loan);
    matrix->loan = NULL;
}

void gs_matrix_free(gs_matrix *matrix) {
    if (matrix->loan) {
        gs_weight_cache_take_back(matrix->loan);
        matrix->data = matrix->own;
    }
    if (!matrix->is_borrowed)
        gs_free(matrix->data);
    *matrix = (gs_matrix){0};
}

void *gs_matrix_element(const gs_kernels *kernels, const gs_matrix *matrix, size_t row,
                        size_t col) {
    size_t tile = row / GS_TILE * matrix->col_tiles + col / GS_TILE;
    size_t place = tile * GS_TILE_SIZE + row % GS_TILE * GS_TILE + col % GS_TILE;
    return (char *)matrix->data + place * kernels->size;
}

gs_tiles gs_matrix_tiles(const gs_kernels *kernels, const gs_matrix *matrix, size_t row_tile,
                         size_t row_count, size_t col_tile, size_t col_count, void *scratch) {
    size_t tile_bytes = GS_TILE_SIZE * kernels->size;
    if (matrix->data) {
        size_t first = row_tile * matrix->col_tiles + col_tile;
        return (gs_tiles){(char *)matrix->data + first * tile_bytes,
                          matrix->col_tiles * GS_TILE_SIZE};
    }
    for (size_t i = 0; i < row_count; i++) {
        char *row = (char *)scratch + i * col_count * tile_bytes;
        matrix->source.make(kernels, matrix, row_tile + i, col_tile, col_count, row);
    }
    return (gs_tiles){scratch, col_count * GS_TILE_SIZE};
}

/* The tiles of a row are visited so many at a time. */
enum { SOME_TILES = 32 };

typedef void (*tiles_visitor)(const gs_kernels *kernels, const gs_matrix *matrix, size_t row_tile,
                              size_t col_tile, size_t count, const char *tiles, void *context);

static void visit_tiles(const gs_kernels *kernels, const gs_matrix *matrix, tiles_visitor visit,
                        void *context) {
    _Alignas(64) char scratch[SOME_TILES * GS_TILE_SIZE * sizeof(double)];
    for (size_t i = 0; i < matrix->row_tiles; i++) {
        for (size_t j = 0; j < matrix->col_tiles; j += SOME_TILES) {
            size_t left = matrix->col_tiles - j, count = left < SOME_TILES ? left : SOME_TILES;
            gs_tiles tiles = gs_matrix_tiles(kernels, matrix, i, 1, j, count, scratch);
            visit(kernels, matrix, i, j, count, tiles.data, context);
        }
    }
}

static void read_tiles(const gs_kernels *kernels, const gs_matrix *matrix, size_t row_tile,
                       size_t col_tile, size_t count, const char *tiles, void *context) {
    double *values = context;
    for (size_t i = 0; i < count * GS_TILE_SIZE; i++) {
        size_t row = row_tile * GS_TILE + i % GS_TILE_SIZE / GS_TILE;
        size_t col = (col_tile + i / GS_TILE_SIZE) * GS_TILE + i % GS_TILE;
        if (row < matrix->rows && col < matrix->cols)
            values[row * matrix->cols + col] =
                gs_ldexp(kernels->get(tiles + i * kernels->size), matrix->exponent);
    }
}

void gs_matrix_read(const gs_engine *engine, const gs_matrix *matrix, double *values) {
    visit_tiles(engine->kernels, matrix, read_tiles, values);
}

void gs_matrix_write(const gs_engine *engine, const double *values, gs_matrix *matrix) {
    const gs_kernels *k = engine->kernels;
    gs_matrix_own(k, matrix);
    for (size_t i = 0; i < matrix->rows; i++)
        for (size_t j = 0; j < matrix->cols; j++)
            k->set(gs_matrix_element(k, matrix, i, j), values[i * matrix->cols + j]);
    matrix->exponent = 0;
}

static void add_row_squares(const gs_kernels *kernels, const gs_matrix *matrix, size_t row_tile,
                            size_t col_tile, size_t count, const char *tiles, void *context) {
    (void)matrix, (void)col_tile;
    kernels->tile_row_squares(count, tiles, (double *)context + row_tile * GS_TILE);
}

void gs_matrix_row_squares(const gs_engine *engine, const gs_matrix *matrix, double *squares) {
    memset(squares, 0, matrix->row_tiles * GS_TILE * sizeof *squares);
    visit_tiles(engine->kernels, matrix, add_row_squares, squares);
}

/* Some tiles of a row at a time, so that the sum does not depend on how many rows there are. */
static void add_squares(const gs_kernels *kernels, const gs_matrix *matrix, size_t row_tile,
                        size_t col_tile, size_t count, const char *tiles, void *context) {
    double squares, max_abs, *sum = context;
    (void)matrix, (void)row_tile, (void)col_tile;
    kernels->magnitude(count * GS_TILE_SIZE / kernels->panel, kernels->panel, tiles, &squares,
                       &max_abs);
    *sum += squares;
}

gs_magnitude gs_matrix_magnitude(const gs_engine *engine, const gs_matrix *matrix) {
    gs_magnitude total = {0, matrix->exponent};
    visit_tiles(engine->kernels, matrix, add_squares, &total.sum_squares);
    return total;
}
