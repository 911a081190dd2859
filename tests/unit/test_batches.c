/*
 * Batches of training: every example once an epoch, in an order that the seed and the epoch decide.
 */
#include "test.h"

#include "train/batches.h"

static gs_error error;

enum { EXAMPLES = 23, BATCH = 5, FEATURES = 2 };

static double values[EXAMPLES * FEATURES];
static size_t labels[EXAMPLES];
static const gs_data data = {EXAMPLES, FEATURES, EXAMPLES, values, labels};

/* Example i has the label i and the features i and -i. */
static gs_batches batches_of(uint64_t seed, bool shuffle) {
    gs_batches batches;
    for (size_t i = 0; i < EXAMPLES; i++) {
        labels[i] = i;
        values[i * FEATURES] = (double)i;
        values[i * FEATURES + 1] = -(double)i;
    }
    CHECK(gs_batches_new(&data, seed, shuffle, BATCH, &batches, &error) == GS_OK);
    return batches;
}

static void take(gs_batches *batches, uint64_t step, size_t *chosen) {
    double input[BATCH * FEATURES];
    gs_batches_take(batches, step, input, chosen);
    for (size_t i = 0; i < BATCH; i++)
        CHECK(input[i * FEATURES] == (double)chosen[i] &&
              input[i * FEATURES + 1] == -(double)chosen[i]);
}

static void take_epoch(gs_batches *batches, uint64_t epoch, size_t *chosen) {
    CHECK(batches->per_epoch == EXAMPLES / BATCH);
    for (size_t i = 0; i < batches->per_epoch; i++)
        take(batches, epoch * batches->per_epoch + i, chosen + i * BATCH);
}

static void test_an_epoch_has_no_example_twice(void) {
    gs_batches batches = batches_of(3, true);
    for (uint64_t epoch = 0; epoch < 5; epoch++) {
        size_t chosen[EXAMPLES / BATCH * BATCH], times[EXAMPLES] = {0};
        take_epoch(&batches, epoch, chosen);
        for (size_t i = 0; i < EXAMPLES / BATCH * BATCH; i++)
            CHECK(times[chosen[i]]++ == 0);
    }
    gs_batches_free(&batches);
}

static void test_epochs_and_seeds_have_orders_of_their_own(void) {
    enum { TAKEN = EXAMPLES / BATCH * BATCH };
    gs_batches one = batches_of(3, true), other = batches_of(4, true);
    size_t first[TAKEN], second[TAKEN], of_other[TAKEN];
    take_epoch(&one, 0, first);
    take_epoch(&one, 1, second);
    take_epoch(&other, 0, of_other);
    CHECK(memcmp(first, second, sizeof first) != 0);
    CHECK(memcmp(first, of_other, sizeof first) != 0);
    gs_batches_free(&one);
    gs_batches_free(&other);
}

/* What training is continued with is what it would have gone on with. */
static void test_a_step_has_the_same_batch_whenever_it_is_asked_for(void) {
    gs_batches straight = batches_of(9, true), back = batches_of(9, true);
    size_t forward[12][BATCH], again[BATCH];
    for (uint64_t step = 0; step < 12; step++)
        take(&straight, step, forward[step]);
    for (uint64_t step = 12; step-- > 0;) {
        take(&back, step, again);
        CHECK(memcmp(again, forward[step], sizeof again) == 0);
    }
    gs_batches_free(&straight);
    gs_batches_free(&back);
}

static void test_the_first_batch_is_that_of_a_run_without_training(void) {
    gs_batches batches = batches_of(5, true);
    size_t chosen[BATCH], of_run[BATCH];
    double input[BATCH * FEATURES];
    take(&batches, 0, chosen);
    CHECK(gs_data_batch(&data, 5, true, BATCH, 0, input, of_run, &error) == GS_OK);
    CHECK(memcmp(chosen, of_run, sizeof chosen) == 0);
    gs_batches_free(&batches);
}

static void test_without_shuffling_the_order_is_that_of_the_file(void) {
    gs_batches batches = batches_of(5, false);
    for (uint64_t step = 0; step < 9; step++) {
        size_t chosen[BATCH];
        take(&batches, step, chosen);
        for (size_t i = 0; i < BATCH; i++)
            CHECK(chosen[i] == step % (EXAMPLES / BATCH) * BATCH + i);
    }
    gs_batches_free(&batches);
}

static void test_a_batch_larger_than_the_data_is_refused(void) {
    gs_batches batches;
    CHECK(gs_batches_new(&data, 1, true, EXAMPLES + 1, &batches, &error) == GS_ERR_USAGE);
    CHECK_STRING(error.message,
                 "--batch: expected 23 or fewer, the examples in the data, got '24'");
}

TEST_MAIN(TEST(test_an_epoch_has_no_example_twice),
          TEST(test_epochs_and_seeds_have_orders_of_their_own),
          TEST(test_a_step_has_the_same_batch_whenever_it_is_asked_for),
          TEST(test_the_first_batch_is_that_of_a_run_without_training),
          TEST(test_without_shuffling_the_order_is_that_of_the_file),
          TEST(test_a_batch_larger_than_the_data_is_refused))
