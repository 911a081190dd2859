/*
 * A matrix in 8x8 tiles times 2^exponent: weights, and their gradients. The tiles of a weight
 * matrix are stored, or made when they are needed and forgotten ("streamed"): each is a function of
 * its place alone.
 */
#ifndef GS_NET_MATRIX_H
#define GS_NET_MATRIX_H

#include "net/signal.h"

typedef struct gs_matrix gs_matrix;

/* How the tiles of a matrix that is not stored come about. */
typedef struct {
    /* Makes tiles (row_tile, col_tile) to (row_tile, col_tile + count - 1), one after the other. */
    void (*make)(const gs_kernels *kernels, const gs_matrix *matrix, size_t row_tile,
                 size_t col_tile, size_t count, void *tiles);
    gs_draw draw;
    uint64_t seed;
    uint32_t layer;
    double scale; /* what random numbers are multiplied by, or the value of all */
} gs_tile_source;

struct gs_matrix {
    void *data; /* NULL: made by `source` */
    size_t rows, cols;
    size_t row_tiles, col_tiles;
    int64_t exponent;
    gs_tile_source source;
    bool is_borrowed;
    struct gs_weight_loan *loan;  /* `data` is only to be read, until gs_matrix_own; or NULL */
    void *own;                    /* what `data` was before, and will be */
    const gs_matrix *upcoming[2]; /* W whose tiles forward, and backward, will want after those of
                                     this one, to be fetched ahead; NULL if they are laid out
                                     otherwise */
};

/* A zero matrix. Errors: GS_ERR_MEMORY. */
gs_status gs_matrix_new(const gs_engine *engine, size_t rows, size_t cols, gs_matrix *matrix,
                        gs_error *error);
void gs_matrix_free(gs_matrix *matrix);

/* Before it is written to: what is on loan (see weight_cache.h) is copied. */
void gs_matrix_own(const gs_kernels *kernels, gs_matrix *matrix);

/* A matrix without memory, whose tiles will have a source. */
gs_matrix gs_matrix_streamed(size_t rows, size_t cols);

/* Bytes that gs_matrix_new would take; false on overflow. */
bool gs_matrix_bytes(const gs_kernels *kernels, size_t rows, size_t cols, size_t *bytes);

/* One element of a stored matrix, for the `set` and `get` of the kernels. */
void *gs_matrix_element(const gs_kernels *kernels, const gs_matrix *matrix, size_t row, size_t col);

/* A rectangle of tiles: where they are, or after they have been made in `scratch`, which has room
   for them. */
typedef struct {
    const char *data; /* the first tile; those of a row follow each other */
    size_t row_step;  /* from one row of tiles to the next, in elements */
} gs_tiles;
gs_tiles gs_matrix_tiles(const gs_kernels *kernels, const gs_matrix *matrix, size_t row_tile,
                         size_t row_count, size_t col_tile, size_t col_count, void *scratch);

/* Row-major true values out and in. What is written to must be stored. */
void gs_matrix_read(const gs_engine *engine, const gs_matrix *matrix, double *values);
void gs_matrix_write(const gs_engine *engine, const double *values, gs_matrix *matrix);

/* squares[row] = sum of squares of the mantissas of a row; [rows] in whole tiles. */
void gs_matrix_row_squares(const gs_engine *engine, const gs_matrix *matrix, double *squares);

/* Frobenius norm. */
gs_magnitude gs_matrix_magnitude(const gs_engine *engine, const gs_matrix *matrix);

#endif
