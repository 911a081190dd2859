/*
 * One step of training: gradients are normalised and clipped, weights decay and move, and a
 * max-norm holds them. The rules are those of torch.optim (net/update.h).
 */
#ifndef GS_TRAIN_OPTIMIZER_H
#define GS_TRAIN_OPTIMIZER_H

#include "net/parameters.h"
#include "net/update.h"

/* Of one step. */
typedef struct {
    double rate;         /* learning rate, after warm-up and schedule */
    double beta1, beta2; /* adam, adamw */
    double rho;          /* rmsprop: PyTorch calls it alpha */
    double eps;
    double l1, l2;       /* of every parameter */
    double max_norm;     /* of a unit's incoming weights; 0: none */
    gs_choice clip;      /* of --clip */
    bool grad_normalize; /* each layer's gradient to norm 1 first */
} gs_step_settings;

/* Of one layer's weights. The step is W' - W as stored, and known of one that is tried only. */
typedef struct {
    gs_magnitude before, after; /* of dL/dW as it came, and as it went into the step */
    gs_magnitude weight, step;  /* of W before the step, and of the step */
} gs_layer_step;

typedef struct {
    gs_layer_step *layers; /* the caller's, one a layer; NULL: not wanted */
    /* The same of all gradients together; nan if there was no need and no `layers`. */
    gs_magnitude before, after;
    bool is_clipped; /* clipping changed something */
} gs_step_stats;

/* Some tiles of one parameter, and sums of squares over them. */
typedef struct {
    size_t owner, first, tiles;
    double grad, largest, weight, clipped, step; /* `largest` is no sum */
} gs_step_chunk;

/* A parameter of the network, by its place in the list: its state, and what happens to its gradient
   in this step (clipping.c). */
typedef struct {
    void *moment[GS_MOMENTS]; /* laid out like the parameter; NULL: none */
    size_t first_chunk, chunk_count;
    double *row_factor;  /* of a matrix: agc */
    gs_magnitude norm;   /* of the gradient as it came */
    gs_magnitude factor; /* on the whole of it */
    bool is_clipped;
    bool by_entry; /* by entry or row, not by a factor on the whole alone */
    double limit;  /* of an entry */
    double scale;  /* factor and exponent in one, after */
    int64_t shift; /* what `scale` cannot hold */
} gs_step_slot;

typedef struct {
    gs_network *network;
    gs_choice opt;
    uint64_t steps; /* done: t of the next is one more */
    gs_parameters parameters;
    gs_step_slot *slots;
    gs_step_chunk *chunks;
    size_t chunk_count;
    double *row_factors;
    gs_magnitude *layer_norms, *layer_factors; /* [layers]: of gradients, over all parameters */
} gs_optimizer;

/* An optimizer (a choice of --opt) for a network that lives longer; all moments are 0. Free it
   after an error too. Errors: as gs_parameters_new. */
gs_status gs_optimizer_new(gs_network *network, gs_choice opt, gs_optimizer *optimizer,
                           gs_error *error);
void gs_optimizer_free(gs_optimizer *optimizer);

/* One step from the gradients of the last backward pass, which stay as they are. In this order:
     1. --grad-normalize: the gradient of each layer, over all its parameters, to norm 1; 0 stays
     2. --clip: value: every entry into [-C, C]; norm: all together to a norm of C at most, a factor
        min(1, C / norm); layer: each layer over all its parameters; agc: each row of W, and a bias,
        scale or shift as a whole, by its own weights (Brock 2021). What is not finite stays.
     3. g += l1 sign(w) + l2 w; or for adamw w *= 1 - rate l2, beside g += l1 sign(w)
     4. the step of the rule
     5. --max-norm: a row of W with a greater norm to that norm (Srivastava 2014)
   Vectors of an f32 network are updated in float, as PyTorch does. `stats` may be NULL.
   Errors: GS_ERR_USAGE without gradients. */
gs_status gs_optimizer_step(gs_optimizer *optimizer, const gs_step_settings *settings,
                            gs_step_stats *stats, gs_error *error);

/* What such a step would be, with its max-norm: nothing changes but `stats`. Errors: as above, and
   GS_ERR_MEMORY. */
gs_status gs_optimizer_try(gs_optimizer *optimizer, const gs_step_settings *settings,
                           gs_step_stats *stats, gs_error *error);

/* Values of a moment (0 or 1) of a parameter, row-major, as many as the parameter has; for files.
   The moment must be there. */
void gs_optimizer_read_moment(const gs_optimizer *optimizer, size_t parameter, size_t moment,
                              double *values);
void gs_optimizer_write_moment(const gs_optimizer *optimizer, size_t parameter, size_t moment,
                               const double *values);

/* ---- clipping.c ---- */

enum { GS_CHUNK_TILES = 32, GS_CHUNK_BYTES = GS_CHUNK_TILES * GS_TILE_SIZE * 8 };

/* Run `task` on the index of every chunk, on any thread. */
void gs_step_for_chunks(const gs_optimizer *optimizer, void (*task)(void *context, size_t index),
                        void *context);

/* The same of every parameter; where there are few, threads are left for a job inside the task. */
void gs_step_for_parameters(const gs_optimizer *optimizer,
                            void (*task)(void *context, size_t index), void *context);

/* Steps 1 and 2: what happens to each gradient goes to the slots, and the rest to `stats`. */
void gs_step_plan_clipping(gs_optimizer *optimizer, const gs_step_settings *settings,
                           gs_step_stats *stats);

/* The gradient of a chunk as it goes into the step, but for a factor: in place, or in `scratch`
   (GS_CHUNK_BYTES). */
const void *gs_step_gradient(const gs_optimizer *optimizer, const gs_step_chunk *chunk,
                             void *scratch, double *factor);

#endif
