/*
 * What differs between the configurations that were gathered: factors, each of which is an option
 * with its values, or several options that walk together (--zip).
 */
#ifndef GS_REPORT_VARIATION_H
#define GS_REPORT_VARIATION_H

#include "report/gather.h"

typedef struct {
    const char *label; /* "norm-at", or "act, init" */
    size_t count;
    const char *const *texts; /* [count]: numbers ascend, others are in the order they came */
    const double *numbers;    /* [count], or NULL: they are none */
    const size_t *place;      /* [config_count]: which of them a configuration has */
} gs_factor;

typedef struct {
    const gs_gather *gather;
    size_t count;
    const gs_factor *factors; /* in the order of gs_config_options */
    size_t option_count;
    const size_t *options; /* indices of those that differ */
    size_t told_count;
    const size_t *told; /* and with them those in which only networks that failed do */
    bool is_long;       /* names that say all of it are */
    char **usual;       /* the defaults of gs_config_options */
    struct gs_arena *arena;
} gs_variation;

/* The gathering must last. What follows from another option, as the inputs from the width, is none
   of its own. Errors: GS_ERR_MEMORY. */
gs_variation *gs_variation_new(const gs_gather *gather, gs_error *error);
void gs_variation_free(gs_variation *variation); /* NULL does nothing */

/* "act relu, norm batch": what a configuration has that others have not. Where some would be long,
   only the first option and what is not as by default. */
void gs_variation_name(const gs_variation *variation, size_t config, gs_line *name);

/* "layers 96, width 128, act sigmoid": what all have alike, as far as it is worth saying. */
void gs_variation_common(const gs_variation *variation, gs_line *text);

/* "layers, act and norm" */
void gs_variation_labels(const gs_variation *variation, gs_line *text);

#endif
