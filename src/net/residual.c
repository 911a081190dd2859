/*
 * Skip connections.
 */
#include "net/residual.h"

void gs_skip_forward(const gs_engine *engine, gs_skip *skip, const gs_signal *branch,
                     gs_signal *out) {
    skip->branch = branch;
    gs_signal_combine(engine, 1, skip->source, skip->alpha, branch, out);
}

/* dL/dalpha = sum of grad branch */
void gs_skip_backward(const gs_engine *engine, gs_skip *skip, gs_signal *grad,
                      gs_signal *grad_source) {
    gs_signal_reshape(engine, grad_source, grad->units);
    gs_signal_copy(engine, grad, grad_source);
    if (skip->learned) {
        skip->grad_alpha = gs_signal_dot(engine, grad, skip->branch);
        skip->exponent = grad->exponent + skip->branch->exponent;
    }
    gs_signal_scale(engine, skip->alpha, grad, grad);
}
