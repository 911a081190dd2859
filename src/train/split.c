/*
 * Examples that are held out: moved from those to train on to those to test on.
 */
#include <math.h>

#include "base/error.h"
#include "base/text.h"
#include "train/batches.h"

/* Of the examples that are left, as many as are missing are yet to be held out: the next is one of
   them with that probability, which makes each choice of examples as likely (Fan, Muller and
   Rezucha 1962). Where they are to be the last, it is one when no others are left. */
static void move_examples(gs_data *data, bool shuffle, uint64_t seed, gs_data *held_out) {
    size_t kept = 0, held = 0;
    for (size_t i = 0; i < data->examples; i++) {
        size_t left = data->examples - i, missing = held_out->examples - held;
        bool hold = shuffle ? gs_random_below(seed, GS_STREAM_HOLD_OUT, 0, i, left) < missing
                            : left == missing;
        const gs_data *to = hold ? held_out : data;
        gs_data_copy_example(data, i, hold ? held++ : kept++, to->values, to->labels);
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
    gs_status status = gs_data_make_room((size_t)count, data->features, &held_out->values,
                                         &held_out->labels, error);
    if (status != GS_OK)
        return status;
    held_out->examples = (size_t)count;
    held_out->features = data->features;
    held_out->classes = data->classes;
    move_examples(data, shuffle, seed, held_out);
    return GS_OK;
}
