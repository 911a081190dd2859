/*
 * Normalisation: batch norm (training mode, biased variance), layer norm and RMS norm, each with
 * scale and shift.
 */
#ifndef GS_NET_NORM_H
#define GS_NET_NORM_H

#include "net/dense.h"

typedef struct {
    size_t kind; /* GS_NORM_BATCH, GS_NORM_LAYER, GS_NORM_RMS */
    double eps;
    gs_vector scale, shift;
    /* kept by forward for backward: */
    gs_signal normalised; /* h = (x - mean) inverse_std */
    double *inverse_std;  /* one a unit (batch) or an example (layer, rms), times 2^exponent */
    int64_t exponent;
    double *work; /* three more such vectors */
} gs_norm;

/* Scale 1, shift 0. What forward keeps is in the memory of another norm unless `sharing` is NULL.
   Errors: GS_ERR_MEMORY. */
gs_status gs_norm_new(const gs_engine *engine, size_t kind, double eps, size_t units, size_t batch,
                      const gs_norm *sharing, gs_norm *norm, gs_error *error);
void gs_norm_free(gs_norm *norm);

/* y = scale (x - mean) / sqrt(variance + eps) + shift; rms takes the mean as 0. y may be x. The
   exponent of x is taken into account (eps is scaled with it); y has none, unless x is far below
   eps and the shift is 0. */
void gs_norm_forward(const gs_engine *engine, gs_norm *norm, const gs_signal *x, gs_signal *y);

/* grad_x from grad_y = dL/dy, and the gradients of scale and shift. In place: grad is grad_y, then
 * grad_x. */
void gs_norm_backward(const gs_engine *engine, gs_norm *norm, gs_signal *grad);

#endif
