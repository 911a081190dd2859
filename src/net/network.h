/*
 * The network: a list of stages, each with a forward and a backward, built from the configuration.
 * Whoever wants to know what passes by is an observer; the network itself measures nothing.
 */
#ifndef GS_NET_NETWORK_H
#define GS_NET_NETWORK_H

#include "net/activation.h"
#include "net/config.h"
#include "net/dense.h"
#include "net/loss.h"
#include "net/norm.h"
#include "net/residual.h"
#include "net/streams.h"
#include "net/weight_cache.h"

typedef enum { GS_STAGE_DENSE, GS_STAGE_ACTIVATION, GS_STAGE_NORM, GS_STAGE_SKIP } gs_stage_kind;

/* What the output of a stage is called in the model (see DESIGN): a stage can be several. */
enum {
    GS_IS_Z = 1, /* z_l, after a preact norm                         */
    GS_IS_A = 2, /* a_l, after a postact norm                        */
    GS_IS_X = 4  /* x_l, the output of the layer                     */
};

typedef struct {
    gs_stage_kind kind;
    size_t layer;   /* 1 is next to the input */
    unsigned names; /* GS_IS_... */
    const gs_signal *in;
    gs_signal out; /* after the pass, if it is borrowed, what a later stage put there */
    union {        /* by kind */
        gs_dense dense;
        struct {
            gs_choice act;
            gs_signal slope; /* phi'(z), from forward */
        };
        gs_norm norm;
        gs_skip skip;
    };
} gs_stage;

/* Something that is read, written and saved by name. */
typedef enum {
    GS_ENTRY_INPUT,
    GS_ENTRY_TARGET,
    GS_ENTRY_LABELS,
    GS_ENTRY_READOUT,
    GS_ENTRY_WEIGHT,
    GS_ENTRY_VECTOR, /* bias; scale and shift of a norm */
    GS_ENTRY_ALPHA   /* branch_scale */
} gs_entry_kind;

typedef struct {
    gs_tensor tensor;
    gs_entry_kind kind;
    bool grad;
    gs_stage *stage;   /* of a parameter */
    gs_vector *vector; /* of a vector */
} gs_entry;

/* A step of a layer, which becomes a stage. */
typedef struct {
    gs_stage_kind kind;
    size_t place;   /* of a norm: GS_NORM_AT_...; of a skip: GS_RESIDUAL_... */
    unsigned names; /* the last step of a layer that can be z_l, and a_l, is it */
} gs_step;

enum { GS_MOST_STEPS = 8 };

/* The steps that a layer takes, in their order; `fits`: x_{l-s} and x_l have the same width.
   Returns how many. */
size_t gs_layer_steps(const gs_config *config, size_t layer, bool fits,
                      gs_step steps[GS_MOST_STEPS]);

/* alpha, 0 for rezero */
double gs_branch_scale(const gs_config *config);

struct gs_network {
    gs_config *config; /* resolved */
    gs_engine engine;
    gs_arena *arena; /* of all signals and matrices that come with the network */
    size_t layers;   /* dense layers and the head */
    bool has_skip;
    gs_signal input;
    gs_signal passing[2]; /* outputs that only the next stage needs */
    gs_stage *stages;
    size_t stage_count;
    /* 0, or: of every so many layers the last output alone is kept in forward, a checkpoint, and
       backward makes the rest again. */
    size_t segment;
    gs_loss loss;
    double loss_value;
    /* Backward: the gradient, its next value, the one after that if it is made along with it, and
       what goes round a block. */
    gs_signal grad, spare, ridden, skipped;
    /* The layer whose output the block began with that is gone round, SIZE_MAX if none: skips do
       not overlap. */
    size_t joins_at;
    size_t first_there; /* first layer whose signals are there: those below have to be made again */
    bool has_ridden;    /* `ridden` is the gradient below the activation that comes next */
    bool keep_gradients;
    bool has_gradients;     /* a backward pass kept them */
    size_t nonfinite_layer; /* first layer with a value that is not finite, 0 if none */
    gs_entry *entries;
    size_t entry_count;
    bool has_input, has_target; /* drawn or given; of the kind that the loss needs */
    bool has_forward;           /* and went forward as they are: backward may follow, once */
};

/* A network that draws its weights through a cache, which outlives it; NULL: without. */
gs_network *gs_network_new_cached(const gs_config *config, gs_weight_cache *cache, gs_error *error);

/* `count` random numbers times `scale`, rounded to the element type (batch.c). */
void gs_draw_vector(const gs_engine *engine, gs_draw draw, uint64_t seed, gs_stream stream,
                    double scale, size_t count, double *values);

/* ---- Passes (pass.c) ---- */

/* Called while a pass runs; any member may be NULL. A status other than GS_OK ends the pass. */
typedef struct {
    void *context;
    /* Forward: stage->out was made. */
    gs_status (*value)(void *context, const gs_stage *stage, gs_error *error);
    /* Backward: the gradient with respect to the output of a stage, from the last to the first,
       called `names` (GS_IS_..., 0 for none) of `layer`; and x_0, which is (0, GS_IS_X). */
    gs_status (*grad)(void *context, size_t layer, unsigned names, const gs_signal *grad,
                      gs_error *error);
    /* Backward: rides on dL/da_l where that is the product of a layer above; in `grad` its signal
       has a rider then. */
    gs_rider *grad_a;
    /* Backward: the products of a dense stage were made; delta is the gradient with respect to its
       output. That of the weights is there if the network keeps it. */
    gs_status (*dense)(void *context, const gs_stage *stage, const gs_signal *delta,
                       gs_error *error);
} gs_observer;

gs_status gs_network_forward_observed(gs_network *network, const gs_observer *observer,
                                      gs_error *error);
gs_status gs_network_backward_observed(gs_network *network, const gs_observer *observer,
                                       gs_error *error);

/* ---- Named tensors (tensors.c) ---- */

size_t gs_tensor_count(const gs_tensor *tensor); /* of its values */

/* Make the list of entries. Errors: GS_ERR_MEMORY. */
gs_status gs_network_list_entries(gs_network *network, gs_error *error);

/* The values of an entry, as many as its shape says. What is written is no gradient, and weights
   are stored. Errors: GS_ERR_USAGE for a label that is no class. */
void gs_network_read_entry(const gs_network *network, const gs_entry *entry, double *values);
gs_status gs_network_write_entry(gs_network *network, gs_entry *entry, const double *values,
                                 gs_error *error);

#endif
