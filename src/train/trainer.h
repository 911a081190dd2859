/*
 * Training: the batches, passes and updates of a run, one step at a time.
 *
 *     step t:  held-out loss   pass over batch t   [statistics]   update -> weights of step t + 1
 *
 * What is said of step t is the weights after t updates, their gradient on batch t, and the update
 * that follows from it; so the last step of a run, which is not taken, is told like the others.
 */
#ifndef GS_TRAIN_TRAINER_H
#define GS_TRAIN_TRAINER_H

#include "flow/measure.h"
#include "train/batches.h"
#include "train/optimizer.h"
#include "train/safetensors_read.h"

/* Of the whole network at one step. nan: there is no such thing. */
typedef struct {
    double accuracy; /* share of the batch whose largest output is that of the label */
    double test_loss, test_accuracy;                 /* of what is held out */
    double rate;                                     /* of learning, in the update that follows */
    double grad_norm_log10, grad_norm_clipped_log10; /* of all gradients together; as they came,
                                                          and as they go into the update */
    double clipped; /* share of the updates up to this that clipping changed */
} gs_training_stats;

/* Of one layer at step 0. */
typedef struct {
    gs_matrix weight;
    gs_magnitude norm;
} gs_initial;

typedef struct {
    gs_network *network;
    const gs_config *config; /* resolved, and its steps are */
    const gs_data *held_out; /* no examples: none */
    gs_optimizer optimizer;  /* its `steps` is t */
    gs_batches batches;      /* no data: every step takes the batch that the network has */
    double *input;           /* [batch, inputs] and [batch]: examples on their way */
    size_t *labels;
    gs_initial *initial;  /* [layers] */
    gs_layer_step *steps; /* [layers] */
    uint64_t clipped;     /* updates that clipping changed */
} gs_trainer;

/* A trainer for a network that lives longer, as do `config` and the data; without examples in
   `data` the network has its batch. Free it after an error too.
   Errors: as gs_optimizer_new() and gs_batches_new(); GS_ERR_USAGE for labels beyond the outputs. */
gs_status gs_trainer_new(gs_network *network, const gs_config *config, const gs_data *data,
                         const gs_data *held_out, gs_trainer *trainer, gs_error *error);
void gs_trainer_free(gs_trainer *trainer);

/* Updates done: t. */
uint64_t gs_trainer_steps(const gs_trainer *trainer);

/* Forward and backward over batch t; measured, with rows[layers] and the summary as in
   gs_measure_columns(), and with update_ratio, moved and `stats`, for which an update is tried and
   not taken. Errors: GS_ERR_MEMORY. */
gs_status gs_trainer_pass(gs_trainer *trainer, gs_error *error);
gs_status gs_trainer_measure(gs_trainer *trainer, uint64_t columns, gs_layer_stats *rows,
                             gs_summary *summary, gs_training_stats *stats, gs_error *error);

/* Whether everything in the last pass was finite. */
bool gs_trainer_is_finite(const gs_trainer *trainer);

/* The update that follows from the last pass: t becomes t + 1. `steps` [layers] may be NULL. */
gs_status gs_trainer_update(gs_trainer *trainer, gs_layer_step *steps, gs_error *error);

/* ---- checkpoint.c: the state of a run in a file ---- */

/* Save the network, its gradients, and what continuing takes: the step, the moments and the weights
   of step 0. As gs_safetensors_save(). */
gs_status gs_checkpoint_save(const gs_trainer *trainer, const char *path, gs_error *error);

/* Whether the file is a checkpoint, and of which step, else 0. Errors: GS_ERR_FORMAT. */
gs_status gs_checkpoint_step(const gs_safetensors *file, bool *is_checkpoint, uint64_t *step,
                             gs_error *error);

/* Set the state of a new trainer, whose network has the weights of the file already.
   Errors: GS_ERR_FORMAT, GS_ERR_USAGE for another optimizer than that of the file; GS_ERR_IO;
   GS_ERR_MEMORY. */
gs_status gs_checkpoint_load(gs_trainer *trainer, const gs_safetensors *file, gs_error *error);

#endif
