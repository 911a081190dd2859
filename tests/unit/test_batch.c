/*
 * Batches: drawn as the configuration says, each number a function of its seed and its place, or
 * given by the caller.
 */
#include "configured.h"

#include "net/network.h"

typedef const char *const options[8][2]; /* NULL past the last pair */

static double *drawn(options o, const char *name, size_t count) {
    gs_network *network = network_of(o);
    double *values = tensor_values(network, name, count);
    gs_network_free(network);
    return values;
}

/* ---- Drawing ---- */

/* Mean and variance of n numbers of N(0, 1) within four standard errors, sqrt(1/n) and sqrt(2/n).
 */
static void check_normal(const double *values, size_t count, double deviation) {
    double mean = 0, square = 0, n = (double)count;
    for (size_t i = 0; i < count; i++) {
        mean += values[i] / deviation / n;
        square += values[i] / deviation * values[i] / deviation / n;
    }
    CHECK_THAT(fabs(mean) <= 4 / sqrt(n) && fabs(square - 1) <= 4 * sqrt(2 / n),
               "mean %g, variance %g", mean, square);
}

static void test_inputs_and_targets_are_normal(void) {
    static options o = {{"layers", "1"}, {"width", "50"}, {"batch", "200"}, {"input", "normal:3"}};
    double *input = drawn(o, "input", 10000), *target = drawn(o, "target", 10000), dot = 0;
    check_normal(input, 10000, 3);
    check_normal(target, 10000, 1);
    for (size_t i = 0; i < 10000; i++)
        dot += input[i] / 3 * target[i];
    CHECK(fabs(dot) <= 4 * sqrt(10000)); /* they are independent */
    free(input), free(target);
}

static void test_number_of_a_batch_depends_on_its_place_alone(void) {
    static options small = {{"layers", "1"}, {"width", "9"}, {"batch", "13"}},
                   large = {{"layers", "1"}, {"width", "40"}, {"batch", "70"}};
    static options other = {{"layers", "1"}, {"width", "9"}, {"batch", "13"}, {"seed", "2"}};
    double *a = drawn(small, "input", 9 * 13), *b = drawn(large, "input", 40 * 70);
    double *c = drawn(other, "input", 9 * 13);
    for (size_t i = 0; i < 9 * 13; i++)
        CHECK(a[i] == b[i / 9 * 40 + i % 9] && a[i] != c[i]);
    free(a), free(b), free(c);
}

static void test_constant_input_is_constant(void) {
    static options o = {
        {"layers", "1"}, {"width", "9"}, {"batch", "17"}, {"input", "constant:-0.3"}};
    double *input = drawn(o, "input", 9 * 17);
    for (size_t i = 0; i < 9 * 17; i++)
        CHECK(input[i] == -0.3);
    free(input);
}

/* Of 2000 labels in 7 classes each class has 2000/7 within four deviations, sqrt(2000/7 6/7)
 * = 15.6. */
static void test_labels_are_evenly_drawn(void) {
    static options o = {
        {"layers", "1"}, {"width", "2"}, {"batch", "2000"}, {"loss", "ce"}, {"outputs", "7"}};
    double *labels = drawn(o, "target", 2000);
    size_t counts[7] = {0};
    for (size_t b = 0; b < 2000; b++) {
        CHECK(labels[b] == floor(labels[b]) && labels[b] >= 0 && labels[b] < 7);
        counts[(size_t)labels[b] % 7]++;
    }
    for (size_t i = 0; i < 7; i++)
        CHECK_THAT(fabs((double)counts[i] - 2000.0 / 7) <= 4 * 15.6, "class %zu: %zu", i,
                   counts[i]);
    free(labels);
}

/* |r|^2 is chi-squared over 2000, divided by it: 1 within four of sqrt(2/2000). */
static void test_readout_has_length_one(void) {
    static options o = {
        {"layers", "1"}, {"width", "2"}, {"batch", "1"}, {"loss", "random"}, {"outputs", "2000"}};
    double *readout = drawn(o, "readout", 2000);
    check_normal(readout, 2000, 1 / sqrt(2000));
    free(readout);
}

/* What a forward pass has rescaled, and what was given before, is replaced. */
static void check_drawn_again(options o) {
    gs_network *network = network_of(o);
    double *zeros = test_numbers(9 * 17), *huge = test_numbers(9 * 17);
    double *first = tensor_values(network, "input", 9 * 17);
    for (size_t i = 0; i < 9 * 17; i++)
        huge[i] = 1e300;
    const double *given[] = {zeros, huge};
    for (size_t i = 0; i < 2; i++) {
        CHECK(gs_network_set_batch(network, given[i], NULL, NULL, &error) == GS_OK);
        CHECK(gs_network_forward(network, NULL, &error) == GS_OK);
        CHECK(gs_network_draw_batch(network, &error) == GS_OK);
        double *again = tensor_values(network, "input", 9 * 17);
        CHECK_THAT(memcmp(first, again, 9 * 17 * sizeof *first) == 0, "%g, expected %g", again[0],
                   first[0]);
        free(again);
    }
    gs_network_free(network);
    free(zeros), free(huge), free(first);
}

static void test_batch_that_is_drawn_again_is_the_same(void) {
    static options normal = {{"layers", "1"}, {"width", "9"}, {"batch", "17"}};
    static options constant = {
        {"layers", "1"}, {"width", "9"}, {"batch", "17"}, {"input", "constant:0.25"}};
    check_drawn_again(normal);
    check_drawn_again(constant);
}

/* ---- Giving ---- */

static void check_held(const gs_network *network, const char *name, const double *expected,
                       size_t count) {
    double *held = tensor_values(network, name, count);
    for (size_t i = 0; i < count; i++)
        CHECK_THAT(held[i] == expected[i], "%s: %zu is %g, expected %g", name, i, held[i],
                   expected[i]);
    free(held);
}

static void test_given_batch_replaces_what_is_given_and_keeps_the_rest(void) {
    static options o = {{"layers", "1"}, {"width", "3"}, {"inputs", "2"}, {"batch", "2"}};
    gs_network *network = network_of(o);
    double input[] = {1, 2, 3, 4}, other[] = {5, 6, 7, 8}, target[] = {9, 8, 7, 6, 5, 4};
    CHECK(gs_network_set_batch(network, input, target, NULL, &error) == GS_OK);
    check_held(network, "input", input, 4);
    check_held(network, "target", target, 6);
    CHECK(gs_network_set_batch(network, other, NULL, NULL, &error) == GS_OK);
    check_held(network, "input", other, 4);
    check_held(network, "target", target, 6);
    CHECK(gs_network_set_batch(network, NULL, NULL, NULL, &error) == GS_OK);
    check_held(network, "input", other, 4);
    gs_network_free(network);
}

static void test_labels_are_classes_for_ce_and_one_hot_rows_for_mse(void) {
    static options ce = {
        {"layers", "1"}, {"width", "2"}, {"outputs", "3"}, {"batch", "2"}, {"loss", "ce"}};
    static options mse = {
        {"layers", "1"}, {"width", "2"}, {"outputs", "3"}, {"batch", "2"}, {"loss", "mse"}};
    gs_network *classes = network_of(ce), *rows = network_of(mse);
    size_t labels[] = {2, 0};
    CHECK(gs_network_set_batch(classes, NULL, NULL, labels, &error) == GS_OK);
    check_held(classes, "target", (double[]){2, 0}, 2);
    CHECK(gs_network_set_batch(rows, NULL, NULL, labels, &error) == GS_OK);
    check_held(rows, "target", (double[]){0, 0, 1, 1, 0, 0}, 6);
    gs_network_free(classes), gs_network_free(rows);
}

static void test_label_that_is_no_class_is_refused_and_changes_nothing(void) {
    static options o = {
        {"layers", "1"}, {"width", "2"}, {"outputs", "3"}, {"batch", "2"}, {"loss", "ce"}};
    gs_network *network = network_of(o);
    double *before = tensor_values(network, "input", 4),
           *target = tensor_values(network, "target", 2);
    double input[] = {1, 2, 3, 4};
    size_t labels[] = {2, 3};
    CHECK(gs_network_set_batch(network, input, NULL, labels, &error) == GS_ERR_USAGE);
    CHECK_STRING(error.message, "label of example 2: expected a class below 3, got 3");
    check_held(network, "input", before, 4);
    check_held(network, "target", target, 2);
    gs_network_free(network);
    free(before), free(target);
}

TEST_MAIN(TEST(test_inputs_and_targets_are_normal),
          TEST(test_number_of_a_batch_depends_on_its_place_alone),
          TEST(test_constant_input_is_constant), TEST(test_labels_are_evenly_drawn),
          TEST(test_readout_has_length_one), TEST(test_batch_that_is_drawn_again_is_the_same),
          TEST(test_given_batch_replaces_what_is_given_and_keeps_the_rest),
          TEST(test_labels_are_classes_for_ce_and_one_hot_rows_for_mse),
          TEST(test_label_that_is_no_class_is_refused_and_changes_nothing))
