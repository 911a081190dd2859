/*
 * The parameters of a network that training changes, in a fixed order: stage by stage from the
 * input on, W then b, scale then shift of a norm, alpha of a learned branch. Each is seen as whole
 * tiles of elements, whose padding is zero, so that an optimizer need not know what it works on.
 */
#ifndef GS_NET_PARAMETERS_H
#define GS_NET_PARAMETERS_H

#include "net/network.h"

typedef struct {
    size_t layer;
    gs_matrix *weight, *weight_grad; /* of a weight matrix, else NULL */
    gs_vector *vector;               /* of a bias, scale or shift, else NULL */
    gs_skip *skip;                   /* of an alpha, else NULL */
    size_t tiles;
    /* Tiles of elements: of a matrix its own, of others a copy. The true gradient is that times
       2^gs_trainable_exponent(). */
    void *values, *grad;
} gs_trainable;

typedef struct {
    const gs_kernels *kernels;
    gs_trainable *items;
    size_t count;
    void *copies; /* what is not a matrix: values, then gradients */
} gs_parameters;

/* The parameters of a network, which keeps its gradients from now on, and whose weights are brought
   to exponent 0. Free it after an error too. Errors: GS_ERR_USAGE for weights that are streamed, or
   that the element type cannot hold without an exponent; GS_ERR_MEMORY. */
gs_status gs_parameters_new(gs_network *network, gs_parameters *parameters, gs_error *error);
void gs_parameters_free(gs_parameters *parameters);

/* Copy values and gradients of what is not a matrix to where an optimizer finds them, rounded to
   the element type; and the values back. */
void gs_parameters_gather(const gs_parameters *parameters);
void gs_parameters_scatter(const gs_parameters *parameters);

/* Of the gradient. */
int64_t gs_trainable_exponent(const gs_trainable *trainable);

/* ||x - y||_F for matrices of one shape and exponent 0. */
gs_magnitude gs_matrix_distance(const gs_kernels *kernels, const gs_matrix *x, const gs_matrix *y);

#endif
