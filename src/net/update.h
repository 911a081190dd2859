/*
 * How weights are trained: the table of optimizers, with the names, formulas and defaults of
 * torch.optim. The arithmetic is in kernels/optimize.h, the step of a network in train/optimizer.h.
 */
#ifndef GS_NET_UPDATE_H
#define GS_NET_UPDATE_H

#include "kernels/kernels.h"
#include "net/option.h"

enum { GS_MOMENTS = 2 };

typedef struct {
    gs_name name;
    gs_update_kernel kernel;
    const char *moment[GS_MOMENTS]; /* names, those of PyTorch; NULL: it does not keep this one */
    bool decoupled;                 /* l2 shrinks the weights beside the gradient and its moments */
    double rate;                    /* default learning rate */
} gs_update_rule;

extern const gs_family gs_optimizer_family;

/* The row of a choice of --opt. */
const gs_update_rule *gs_update_rule_of(gs_choice opt);

#endif
