/*
 * Losses: the value, and its gradient with respect to the output x [outputs, batch]. B is the
 * batch.
 *
 *     mse     mean over batch and outputs of (x - y)^2         2 (x - y) / (B outputs)
 *     ce      mean over the batch of -log softmax(x)[label]     (softmax(x) - onehot(label)) / B
 *     sum     (1/B) sum of x                                    1 / B
 *     random  (1/B) sum over b of r . x_b, r fixed              r / B
 */
#ifndef GS_NET_LOSS_H
#define GS_NET_LOSS_H

#include "net/signal.h"

typedef struct {
    size_t kind;      /* GS_LOSS_MSE ... */
    gs_signal target; /* mse: y */
    size_t *labels;   /* ce: one an example */
    double *readout;  /* random: r [outputs] */
} gs_loss;

/* What `kind` needs, zeroed. Errors: GS_ERR_MEMORY. */
gs_status gs_loss_new(const gs_engine *engine, size_t kind, size_t outputs, size_t batch,
                      gs_loss *loss, gs_error *error);
void gs_loss_free(gs_loss *loss);

/* The value of the loss (inf where it does not fit), and dL/dx to `grad`, of the shape of x. */
double gs_loss_gradient(const gs_engine *engine, const gs_loss *loss, const gs_signal *x,
                        gs_signal *grad);

/* The loss of one example alone, in double: their mean over the batch is the value above. It keeps
   its digits where it is small. */
double gs_loss_of_example(const gs_engine *engine, const gs_loss *loss, const gs_signal *x,
                          size_t example);

#endif
