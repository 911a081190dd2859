/*
 * Weight initialisation: the table of schemes. A weight is a pure function of (seed, layer, row,
 * column), except for orthogonal, which needs the whole matrix.
 */
#ifndef GS_NET_INIT_H
#define GS_NET_INIT_H

#include "net/matrix.h"
#include "net/option.h"

extern const gs_family gs_init_family;

/* Whether each tile can be made by itself. */
bool gs_init_can_stream(gs_choice init);

/* The law of a weight, apart from the draws: what mean-field theory needs to know. */
typedef enum {
    GS_WEIGHTS_INDEPENDENT, /* entries of mean 0 and a variance of `value` */
    GS_WEIGHTS_ORTHOGONAL,  /* the same, and W W^T or W^T W is a multiple of I */
    GS_WEIGHTS_IDENTITY,    /* `value` on the diagonal */
    GS_WEIGHTS_CONSTANT     /* `value` everywhere */
} gs_weight_kind;

typedef struct {
    gs_weight_kind kind;
    double value;
} gs_weight_law;

gs_weight_law gs_init_law(gs_choice init, double gain, size_t fan_in, size_t fan_out);

/* Draw W [fan_out, fan_in], or make it the source of its tiles if it is not stored. `gain`
   multiplies every weight. Errors: GS_ERR_MEMORY (the work space of orthogonal). */
gs_status gs_init_weight(const gs_engine *engine, gs_choice init, double gain, uint64_t seed,
                         uint32_t layer, gs_matrix *weight, gs_error *error);

#endif
