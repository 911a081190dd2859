/*
 * Phases of a plain network that goes on for ever: the variance and the correlation that it comes
 * to, how fast, and what its gradient does there (Poole 2016, Schoenholz 2017).
 */
#ifndef GS_THEORY_PHASE_H
#define GS_THEORY_PHASE_H

#include "net/config.h"
#include "theory/quadrature.h"

/* fan_in Var W of an inner layer; nan where inner layers differ in it. */
double gs_inner_sigma_w2(const gs_config *config);

/* Fills the phase of `theory`, from the second moment q and the correlation that the first layer
   has. `config` is resolved, and plain; `sigma_w2` is fan_in Var W of an inner layer. */
void gs_find_phase(const gs_config *config, gs_quadrature *quadrature, double sigma_w2, double q,
                   double correlation, gs_theory *theory);

#endif
