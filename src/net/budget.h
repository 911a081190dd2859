/*
 * What a network will take of memory, whether it may, and what it keeps.
 */
#ifndef GS_NET_BUDGET_H
#define GS_NET_BUDGET_H

#include "kernels/kernels.h"
#include "net/config.h"

typedef struct {
    size_t weights; /* bytes of weights that are stored, at most */
    size_t segment; /* layers between checkpoints; 0: all signals are kept */
    size_t total;   /* bytes of weights, signals and what training keeps, about and not less */
} gs_budget;

/* For a resolved configuration. Signals that do not all fit in --memory are made again between
   checkpoints (Chen, Xu, Zhang and Guestrin 2016); --weights auto stores what is left beside them.
   Errors: GS_ERR_MEMORY for more than --memory or than is available. */
gs_status gs_budget_plan(const gs_config *config, const gs_kernels *kernels, gs_budget *budget,
                         gs_error *error);

/* Floating-point operations of all steps of a resolved configuration: of its products, which are
   nearly all there is. */
double gs_budget_flops(const gs_config *config);

/* Whether all gradients of weights could be kept beside the network. Errors: GS_ERR_MEMORY. */
gs_status gs_budget_allows_gradients(const gs_config *config, const gs_kernels *kernels,
                                     gs_error *error);

#endif
