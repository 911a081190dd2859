/*
 * Batches: a shuffle for every epoch, and stretches of it.
 */
#include "train/batches.h"

#include "base/memory.h"
#include "base/philox.h"

/* ---- Shuffling ---- */

enum { EPOCH_BIT = 8 }; /* of the word that counts draws which were thrown away, hardly ever one */

/* The lowest 2^64 mod bound draws would favour some remainders, so they are drawn again. */
uint64_t gs_random_below(uint64_t seed, gs_stream stream, uint64_t epoch, uint64_t index,
                         uint64_t bound) {
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    uint32_t counter[4] = {(uint32_t)index, (uint32_t)(index >> 32), (uint32_t)epoch << EPOCH_BIT,
                           (uint32_t)stream << 1};
    uint64_t bits;
    do {
        uint32_t words[4];
        gs_philox4x32(counter, key, words);
        bits = words[0] | (uint64_t)words[1] << 32;
        counter[2]++;
    } while (bits < (0 - bound) % bound);
    return bits % bound;
}

/* Fisher and Yates, from the front. */
static void begin_epoch(gs_batches *b, uint64_t epoch) {
    size_t count = b->data->examples, *order = b->order;
    b->epoch = epoch;
    for (size_t i = 0; i < count; i++)
        order[i] = i;
    for (size_t i = 0; b->shuffle && i < count; i++) {
        size_t j = i + (size_t)gs_random_below(b->seed, GS_STREAM_SHUFFLE, epoch, i, count - i);
        size_t chosen = order[j];
        order[j] = order[i];
        order[i] = chosen;
    }
}

/* ---- Batches ---- */

gs_status gs_batches_new(const gs_data *data, uint64_t seed, bool shuffle, size_t batch,
                         gs_batches *batches, gs_error *error) {
    *batches = (gs_batches){.data = data, .seed = seed, .shuffle = shuffle, .batch = batch};
    gs_status status = gs_data_check_batch(data, batch, error);
    if (status != GS_OK)
        return status;
    batches->per_epoch = batch > 0 ? data->examples / batch : 1;
    batches->order = gs_alloc(data->examples, sizeof *batches->order, error);
    if (!batches->order)
        return GS_ERR_MEMORY;
    begin_epoch(batches, 0);
    return GS_OK;
}

void gs_batches_free(gs_batches *batches) {
    gs_free(batches->order);
    batches->order = NULL;
}

void gs_batches_take(gs_batches *b, uint64_t step, double *input, size_t *labels) {
    if (step / b->per_epoch != b->epoch)
        begin_epoch(b, step / b->per_epoch);
    const size_t *chosen = b->order + step % b->per_epoch * b->batch;
    for (size_t i = 0; i < b->batch; i++)
        gs_data_copy_example(b->data, chosen[i], i, input, labels);
}
