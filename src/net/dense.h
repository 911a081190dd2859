/*
 * A dense layer, z = W u + b: forward, backward to the input, and the gradients of W and b.
 */
#ifndef GS_NET_DENSE_H
#define GS_NET_DENSE_H

#include "net/matrix.h"
#include "net/option.h"

/* Numbers, one a unit, and their gradient times 2^exponent: a bias, or the scale or shift of a
 * norm. */
typedef struct {
    size_t units;
    double
        *values; /* rounded to the element type; as many as the rows of a signal of so many units */
    double *grad;
    int64_t exponent; /* of grad */
} gs_vector;

gs_status gs_vector_new(size_t units, double value, gs_vector *vector, gs_error *error);
void gs_vector_free(gs_vector *vector);
bool gs_vector_is_zero(const gs_vector *vector);           /* all of its values */
gs_magnitude gs_vector_magnitude(const gs_vector *vector); /* norm of the gradient */

/* grad [units] = sum over the batch of x, or of x y. */
void gs_vector_grad_sums(const gs_engine *engine, const gs_signal *x, gs_vector *vector);
void gs_vector_grad_dots(const gs_engine *engine, const gs_signal *x, const gs_signal *y,
                         gs_vector *vector);

typedef struct {
    gs_matrix weight; /* [out, in] */
    gs_vector bias;   /* [out] */
    gs_matrix grad;   /* of weight; no data unless gradients are kept */
} gs_dense;

/* Zero weights and biases; weights that are not stored have no tiles before they are drawn. Errors:
   GS_ERR_MEMORY. */
gs_status gs_dense_new(const gs_engine *engine, size_t out, size_t in, bool stored, gs_dense *dense,
                       gs_error *error);
void gs_dense_free(gs_dense *dense);

/* Draw W by a choice of --init and b by a choice of --bias. */
gs_status gs_dense_draw(const gs_engine *engine, gs_dense *dense, gs_choice init, double gain,
                        gs_choice bias, uint64_t seed, uint32_t layer, gs_error *error);

/* z [out, batch] = W u + b, u [in, batch]. */
void gs_dense_forward(const gs_engine *engine, const gs_dense *dense, const gs_signal *u,
                      gs_signal *z);

/* The exponent that z will have when its blocks are made. */
int64_t gs_dense_exponent(const gs_dense *dense, const gs_signal *u);

/* grad_u [in, batch] = W^T delta for delta = dL/dz [out, batch], and the gradient of b; with u [in,
   batch] that of W too, for who wants more than its norm. */
void gs_dense_backward(const gs_engine *engine, gs_dense *dense, const gs_signal *delta,
                       const gs_signal *u, gs_signal *grad_u);

#endif
