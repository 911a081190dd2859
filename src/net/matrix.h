/*
 * A matrix in 8x8 tiles times 2^exponent (weights and their gradients), and the four products of a
 * dense layer.
 */
#ifndef GS_NET_MATRIX_H
#define GS_NET_MATRIX_H

#include "net/signal.h"

typedef struct {
    void *data;
    size_t rows, cols;
    size_t row_tiles, col_tiles;
    int64_t exponent;
} gs_matrix;

/* A zero matrix. Errors: GS_ERR_MEMORY. */
gs_status gs_matrix_new(const gs_engine *engine, size_t rows, size_t cols, gs_matrix *matrix,
                        gs_error *error);
void gs_matrix_free(gs_matrix *matrix);

/* Bytes that gs_matrix_new would take; false on overflow. */
bool gs_matrix_bytes(const gs_kernels *kernels, size_t rows, size_t cols, size_t *bytes);

/* One element, for the `set` and `get` of the kernels. */
void *gs_matrix_element(const gs_kernels *kernels, const gs_matrix *matrix, size_t row, size_t col);

/* One tile, of GS_TILE_SIZE elements. */
void *gs_matrix_tile(const gs_kernels *kernels, const gs_matrix *matrix, size_t row_tile,
                     size_t col_tile);

/* Row-major true values out and in. */
void gs_matrix_read(const gs_engine *engine, const gs_matrix *matrix, double *values);
void gs_matrix_write(const gs_engine *engine, const double *values, gs_matrix *matrix);

gs_magnitude gs_matrix_magnitude(const gs_engine *engine,
                                 const gs_matrix *matrix); /* Frobenius norm */

/* z [rows, batch] = W u, u [cols, batch] */
void gs_product_forward(const gs_engine *engine, const gs_matrix *weight, const gs_signal *u,
                        gs_signal *z);

/* grad_u [cols, batch] = W^T delta, delta [rows, batch] */
void gs_product_backward(const gs_engine *engine, const gs_matrix *weight, const gs_signal *delta,
                         gs_signal *grad_u);

/* grad_weight [rows, cols] = delta u^T, summed over the batch; `transposed` is u by
 * gs_signal_transpose */
void gs_product_outer(const gs_engine *engine, const gs_signal *delta, const gs_signal *transposed,
                      gs_matrix *grad_weight);

/* gram [batch, batch] = X^T X, as a signal of `batch` units; its exponent is twice that of X */
void gs_product_gram(const gs_engine *engine, const gs_signal *x, gs_signal *gram);

#endif
