/*
 * Skip connections: out = source + alpha branch, with alpha fixed or learned from 0 (ReZero,
 * Bachlechner 2020).
 */
#ifndef GS_NET_RESIDUAL_H
#define GS_NET_RESIDUAL_H

#include "net/signal.h"

typedef struct {
    const gs_signal *source; /* x_{l-s} */
    size_t source_layer;
    const gs_signal *branch; /* kept by forward: a_l or z_l */
    double alpha;
    bool learned;
    double grad_alpha; /* times 2^exponent */
    int64_t exponent;
} gs_skip;

/* out = source + alpha branch */
void gs_skip_forward(const gs_engine *engine, gs_skip *skip, const gs_signal *branch,
                     gs_signal *out);

/* From grad = dL/dout: dL/dsource = grad, to `grad_source`; dL/dbranch = alpha grad, in place; and
 * dL/dalpha. */
void gs_skip_backward(const gs_engine *engine, gs_skip *skip, gs_signal *grad,
                      gs_signal *grad_source);

#endif
