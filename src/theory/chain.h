/*
 * The prediction where units do not mix: weights that are a multiple of the identity, or all alike.
 */
#ifndef GS_THEORY_CHAIN_H
#define GS_THEORY_CHAIN_H

#include "net/config.h"
#include "theory/quadrature.h"

/* Fills `rows` and the ratios of `theory`, or theory->missing. `config` is resolved.
   Errors: GS_ERR_MEMORY. */
gs_status gs_predict_chain(const gs_config *config, gs_quadrature *quadrature, bool homogeneous,
                           gs_layer_theory *rows, gs_theory *theory, gs_error *error);

#endif
