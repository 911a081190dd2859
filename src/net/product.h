/*
 * The products of a dense layer. Every product is split over its output, and each output is one sum
 * over k in ascending order, so that neither blocking nor threads change a bit.
 */
#ifndef GS_NET_PRODUCT_H
#define GS_NET_PRODUCT_H

#include "net/matrix.h"

/* z [rows, batch] = W u + bias, u [cols, batch]; bias [rows] may be NULL. Where W u carries an
   exponent the bias is brought to it, or W u to the bias's if that is larger. */
void gs_product_forward(const gs_engine *engine, const gs_matrix *weight, const gs_signal *u,
                        const double *bias, gs_signal *z);

/* The exponent that z will have, before normalisation. */
int64_t gs_product_exponent(const gs_matrix *weight, const gs_signal *u, bool has_bias);

/* grad_u [cols, batch] = W^T delta, delta [rows, batch] */
void gs_product_backward(const gs_engine *engine, const gs_matrix *weight, const gs_signal *delta,
                         gs_signal *grad_u);

/* The same, and `count` jobs along with it that do not depend on it. */
enum { GS_MOST_BESIDE = 2 };
void gs_product_backward_beside(const gs_engine *engine, const gs_matrix *weight,
                                const gs_signal *delta, gs_signal *grad_u,
                                const gs_pool_job *beside, size_t count);

/* grad_weight [rows, cols] = delta u^T, summed over the batch: a job to be done beside another, in
   memory of the caller. */
typedef struct {
    const gs_kernels *kernels;
    const gs_signal *delta, *u;
    gs_matrix *grad;
    size_t panels; /* of u^T, of a task */
} gs_outer_job;
gs_pool_job gs_product_outer_job(const gs_engine *engine, const gs_signal *delta,
                                 const gs_signal *u, gs_matrix *grad_weight, gs_outer_job *job);

/* The square of the Frobenius norm of delta u^T, of mantissas, without its matrix. `partial` has
   room for a number a row of tiles of delta. */
double gs_product_outer_squares(const gs_engine *engine, const gs_signal *delta,
                                const gs_signal *transposed, double *partial);

/* forms[i] = sum over b and c of w_i[b] (x_b . x_c) (y_b . y_c) w_i[c] for two lists w_0 and w_1 of
   a number an example, in whole panels. Exponents are left out. `partial` has room for two numbers
   a row of tiles of the batch. */
void gs_product_gram_forms(const gs_engine *engine, const gs_signal *x, const gs_signal *y,
                           const double *const weights[2], double *partial, double forms[2]);

#endif
