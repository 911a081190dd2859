/*
 * What is measured on the way: the statistics of every layer, taken by an observer of the two
 * passes (measure.c), and the parts that have a file of their own.
 */
#ifndef GS_FLOW_MEASURE_H
#define GS_FLOW_MEASURE_H

#include "net/network.h"

void gs_stats_set(gs_layer_stats *stats, gs_column column, double value);

/* ---- gradient.c: the gradient of a weight matrix, dL/dW = sum over b of delta_b u_b^T ---- */

typedef struct {
    gs_magnitude norm; /* ||dL/dW||_F */
    double snr;        /* norm of the mean gradient over its standard error; nan if there is none */
    double corr; /* mean cosine between the gradients of two examples; nan if there are no two */
} gs_weight_gradient;

/* Work space that is kept from layer to layer; all zero to begin with. */
typedef struct {
    gs_signal near_delta, near_input, transposed;
    double *scale, *inverse; /* [count] each, one an example, in whole panels; see gradient.c */
    double *partial;
    size_t count;
    double *squares; /* [square_count], one a row of tiles of delta */
    size_t square_count;
} gs_gradient_work;

/* From Gram matrices, ||delta u^T||_F^2 = <delta^T delta, u^T u>, where that is cheaper and does
   not cancel; else from the matrix itself, which may be known (NULL if not). Errors: GS_ERR_MEMORY.
 */
gs_status gs_measure_weight_gradient(const gs_engine *engine, const gs_signal *delta,
                                     const gs_signal *u, const gs_matrix *known,
                                     gs_gradient_work *work, gs_weight_gradient *result,
                                     gs_error *error);
void gs_gradient_work_free(gs_gradient_work *work);

/* ---- spectrum.c ---- */

/* The largest singular value of `weight`, to a relative 1e-6 or better. Errors: GS_ERR_MEMORY. */
gs_status gs_largest_singular_value(const gs_engine *engine, const gs_matrix *weight, uint64_t seed,
                                    double *sigma, gs_error *error);

/* ---- clip.c ---- */

/* Whether this kind of clipping looks at single entries, so that gradients must be kept. */
bool gs_clip_needs_gradients(gs_choice clip);

/* Fill in clip_scale and grad_clipped_log10 after a backward pass; `weights` are the norms of each
   layer's dL/dW. Errors: GS_ERR_MEMORY. */
gs_status gs_measure_clipping(const gs_network *network, const gs_magnitude *weights,
                              gs_layer_stats *rows, gs_error *error);

/* ---- verdict.c ---- */

/* From the norms of dL/dx_0 and dL/dx_L: ratio, decades per layer, and the verdict with its
 * threshold. */
void gs_judge(gs_magnitude first, gs_magnitude last, size_t layers, bool finite,
              gs_summary *summary);

#endif
