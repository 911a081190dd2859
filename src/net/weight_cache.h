/*
 * Weights that networks have drawn, for others that draw the same: those that differ in their
 * activation, their norm or their depth, but not in seed, init and width. All of them read the same
 * bytes, which are those that drawing would give.
 */
#ifndef GS_NET_WEIGHT_CACHE_H
#define GS_NET_WEIGHT_CACHE_H

#include "net/matrix.h"
#include "net/option.h"

/* Several threads may use one at a time. One that is NULL is empty, and keeps nothing. */
typedef struct gs_weight_cache gs_weight_cache;

/* What weights follow from. */
typedef struct {
    gs_choice init;
    double gain;
    uint64_t seed;
    uint32_t layer;
} gs_weight_origin;

/* Keeps so many bytes of weights at most, beside those that are on loan. Errors: GS_ERR_MEMORY. */
gs_weight_cache *gs_weight_cache_new(size_t bytes, gs_error *error);
void gs_weight_cache_free(gs_weight_cache *cache);

/* Lend a stored matrix what was drawn before, and return true; or room to draw it in, which does
   not change what it holds, if there is room. */
bool gs_weight_cache_lend(gs_weight_cache *cache, const gs_kernels *kernels,
                          const gs_weight_origin *origin, gs_matrix *weight);

/* Keep what was drawn in such room. */
void gs_weight_cache_keep(gs_weight_cache *cache, const gs_matrix *weight);

/* Of gs_matrix_own and gs_matrix_free alone. */
typedef struct gs_weight_loan gs_weight_loan;
void gs_weight_cache_take_back(gs_weight_loan *loan);

/* The largest singular value of a matrix on loan: false if it is not, or the value unknown. */
bool gs_weight_cache_recall_sigma(const gs_matrix *weight, double *sigma);
void gs_weight_cache_keep_sigma(const gs_matrix *weight, double sigma);

#endif
