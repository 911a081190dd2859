/*
 * The gradient that the way back begins with, in mean-field theory.
 */
#ifndef GS_THEORY_LOSS_H
#define GS_THEORY_LOSS_H

#include "net/config.h"
#include "theory/meanfield.h"

/* dL/dx for the output x of a resolved configuration. Targets are N(0, 1), or classes that do not
   depend on the input. */
gs_mean_gradient gs_loss_mean_gradient(const gs_config *config, const gs_mean_field *x);

#endif
