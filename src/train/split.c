/*
 * Examples that are held out: moved from those to train on to those to test on.
 */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "train/batches.h"

static gs_status new_data(const gs_data *like, size_t examples, gs_data *data, gs_error *error) {
    *data = (gs_data){.examples = examples, .features = like->features, .classes = like->classes};
    data->values = gs_alloc(examples * like->features, sizeof *data->values, error);
    data->labels = gs_alloc(examples, sizeof *data->labels, error);
    if (data->values && data->labels)
        return GS_OK;
    gs_data_free(data);
    return GS_ERR_MEMORY;
}

/* `to` may be `from`. */
static void copy_example(const gs_data *from, size_t index, gs_data *to, size_t place) {
    size_t features = from->features;
    memmove(to->values + place * features, from->values + index * features,
            features * sizeof *to->values);
    to->labels[place] = from->labels[index];
}

/* Of the examples that are left, as many as are missing are yet to be held out: the next is one of
   them with that probability, which makes each choice of examples as likely (Fan, Muller and
   Rezucha 1962). Where they are to be the last, it is one when no others are left. */
static void move_examples(gs_data *data, bool shuffle, uint64_t seed, gs_data *held_out) {
    size_t kept = 0, held = 0;
    for (size_t i = 0; i < data->examples; i++) {
        size_t left = data->examples - i, missing = held_out->examples - held;
        bool hold = shuffle ? gs_random_below(seed, GS_STREAM_HOLD_OUT, 0, i, left) < missing
                            : left == missing;
        if (hold)
            copy_example(data, i, held_out, held++);
        else
            copy_example(data, i, data, kept++);
    }
    data->examples = kept;
}

gs_status gs_data_split(gs_data *data, double share, bool shuffle, uint64_t seed, gs_data *held_out,
                        gs_error *error) {
    double count = round(share * (double)data->examples);
    *held_out = (gs_data){0};
    if (share == 0)
        return GS_OK;
    if (!(count >= 1 && count < (double)data->examples)) {
        char digits[32];
        gs_format_real(digits, share);
        return gs_fail(error, GS_ERR_USAGE,
                       "--test-share: expected a share of %zu examples that holds one or more back "
                       "and leaves one or more, got '%s'",
                       data->examples, digits);
    }
    gs_status status = new_data(data, (size_t)count, held_out, error);
    if (status == GS_OK)
        move_examples(data, shuffle, seed, held_out);
    return status;
}
