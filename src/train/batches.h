/*
 * Mini-batches: the examples of every step of training, epoch after epoch.
 */
#ifndef GS_TRAIN_BATCHES_H
#define GS_TRAIN_BATCHES_H

#include "net/streams.h"
#include "train/data.h"

typedef struct {
    const gs_data *data;
    uint64_t seed;
    bool shuffle;
    size_t batch,
        per_epoch;  /* steps of an epoch: what is left of the examples waits for the next */
    uint64_t epoch; /* that `order` is of */
    size_t *order;  /* [examples] */
} gs_batches;

/* Batches of `batch` examples. With `shuffle` each epoch has an order of its own, from the seed;
   that of the first begins as gs_data_batch() does. Without, all have that of the file. `data` must
   live as long. Errors: GS_ERR_USAGE if there are fewer examples than `batch`; GS_ERR_MEMORY. */
gs_status gs_batches_new(const gs_data *data, uint64_t seed, bool shuffle, size_t batch,
                         gs_batches *batches, gs_error *error);
void gs_batches_free(gs_batches *batches);

/* The batch of step `step`, from 0: input [batch, features], labels [batch]. */
void gs_batches_take(gs_batches *batches, uint64_t step, double *input, size_t *labels);

/* A number below `bound`, each as likely: a pure function of its arguments. */
uint64_t gs_random_below(uint64_t seed, gs_stream stream, uint64_t epoch, uint64_t index,
                         uint64_t bound);

#endif
