/*
 * What clipping does to the gradients of a naive network, and to gradients that no number holds.
 */
#include "naive_network.h"

static options plain = {{"act", "tanh"}, {"layers", "5"},        {"width", "9"},
                        {"batch", "17"}, {"bias", "normal:0.3"}, {"gain", "2"}};
static options with_head = {{"act", "relu"}, {"layers", "4"}, {"width", "8"}, {"inputs", "5"},
                            {"batch", "15"}, {"bias", "0.1"}, {"head", "on"}, {"outputs", "3"}};

/* Rows of norm 3e-5, below the least that Brock's rule takes for a row: 1e-3. */
static options tiny = {{"act", "tanh"}, {"layers", "3"},         {"width", "9"},
                       {"batch", "17"}, {"init", "normal:1e-5"}, {"bias", "normal:0.3"}};

/* What is left of entry (i, j) of dL/dW of layer l. */
typedef double (*clipped_entry)(naive_network *n, double c, size_t l, size_t i, size_t j);

static double by_value(naive_network *n, double c, size_t l, size_t i, size_t j) {
    return fmax(-c, fmin(c, n->dweight[l][i][j]));
}

static double layer_norm(naive_network *n, size_t l) {
    double weights = matrix_norm(n, n->dweight[l], l);
    return hypot(weights, vector_norm(n->dbias[l], n->units[l]));
}

static double by_layer(naive_network *n, double c, size_t l, size_t i, size_t j) {
    return n->dweight[l][i][j] * fmin(1, c / layer_norm(n, l));
}

static double by_all(naive_network *n, double c, size_t l, size_t i, size_t j) {
    double total = 0;
    for (size_t k = 1; k <= depth(n); k++)
        total = hypot(total, layer_norm(n, k));
    return n->dweight[l][i][j] * fmin(1, c / total);
}

/* Brock 2021, eq. 3, a unit being a row of W. */
static double by_unit(naive_network *n, double c, size_t l, size_t i, size_t j) {
    double grad = vector_norm(n->dweight[l][i], n->units[l - 1]);
    double weight = fmax(vector_norm(n->weight[l][i], n->units[l - 1]), 1e-3);
    return n->dweight[l][i][j] * (grad > c * weight ? c * weight / grad : 1);
}

static double unclipped(naive_network *n, double c, size_t l, size_t i, size_t j) {
    (void)c;
    return n->dweight[l][i][j];
}

/* Compares every layer; returns how many were clipped. */
static size_t check_clipping(options o, const char *clip, clipped_entry left, double c) {
    gs_layer_stats rows[MOST_LAYERS + 1];
    gs_summary summary;
    naive_network *n = measure_both(o, clip, rows, &summary);
    size_t count = 0;
    for (size_t l = 1; l <= depth(n); l++) {
        double squares = 0, before = matrix_norm(n, n->dweight[l], l), scale = NAN, after = NAN;
        for (size_t i = 0; i < n->units[l]; i++)
            for (size_t j = 0; j < n->units[l - 1]; j++)
                squares += pow(left(n, c, l, i, j), 2);
        CHECK(gs_layer_stats_get(&rows[l - 1], GS_CLIP_SCALE, &scale));
        CHECK(gs_layer_stats_get(&rows[l - 1], GS_GRAD_CLIPPED_LOG10, &after));
        CHECK_THAT(fabs(scale - sqrt(squares) / before) <= tolerance,
                   "%s, layer %zu: %.17g, expected %.17g", clip, l, scale, sqrt(squares) / before);
        CHECK_THAT(fabs(after - log10(squares) / 2) <= tolerance,
                   "%s, layer %zu: 10^%.17g, expected 10^%.17g", clip, l, after,
                   log10(squares) / 2);
        count += scale < 1 - tolerance;
    }
    free(n);
    return count;
}

static void test_without_clipping_the_gradient_is_left(void) {
    CHECK(check_clipping(plain, "none", unclipped, 0) == 0);
}

static void test_clipping_by_value_bounds_every_entry(void) {
    CHECK(check_clipping(plain, "value:0.02", by_value, 0.02) == 5);
    CHECK(check_clipping(with_head, "value:0.03", by_value, 0.03) > 0);
    CHECK(check_clipping(plain, "value:10", by_value, 10) == 0);
}

static void test_clipping_by_norm_scales_all_layers_by_one_factor(void) {
    CHECK(check_clipping(plain, "norm:0.1", by_all, 0.1) == 5);
    CHECK(check_clipping(with_head, "norm:0.1", by_all, 0.1) == 5);
    CHECK(check_clipping(plain, "norm:100", by_all, 100) == 0);
}

static void test_clipping_by_layer_gives_each_layer_its_own_factor(void) {
    size_t clipped = check_clipping(plain, "layer:0.3", by_layer, 0.3);
    CHECK_THAT(clipped > 0 && clipped < 5, "%zu layers are clipped", clipped);
    CHECK(check_clipping(with_head, "layer:0.001", by_layer, 0.001) == 5);
}

static void test_adaptive_clipping_bounds_each_row_by_its_weights(void) {
    CHECK(check_clipping(plain, "agc:0.03", by_unit, 0.03) > 0);
    CHECK(check_clipping(with_head, "agc:0.1", by_unit, 0.1) > 0);
    CHECK(check_clipping(plain, "agc:100", by_unit, 100) == 0);
    CHECK(check_clipping(tiny, "agc:1", by_unit, 1) > 0);
}

/* ---- Gradients that no number holds ---- */

enum { DEPTH = 3000 };

/* A linear chain W = 2^10 I or 2^-10 I of width 8 on an input of ones under the sum loss: dL/dz_l =
   c^(L - l) and x_l = c^l everywhere, so every entry of every dL/dW is c^(L - 1), and of dL/db_l
   c^(L - l). */
static gs_layer_stats *measure_chain(const char *init, const char *dtype, const char *clip) {
    options o = {{"act", "linear"}, {"layers", "3000"}, {"width", "8"},          {"batch", "1"},
                 {"loss", "sum"},   {"init", init},     {"input", "constant:1"}, {"dtype", dtype}};
    gs_network *network = network_of(o, clip);
    gs_layer_stats *rows = calloc(DEPTH, sizeof *rows);
    gs_summary summary;
    CHECK_THAT(gs_measure(network, rows, &summary, &error) == GS_OK, "%s", error.message);
    gs_network_free(network);
    return rows;
}

static void check_chain(const char *init, const char *dtype, const char *clip, size_t layer,
                        double scale, double after_log10) {
    gs_layer_stats *rows = measure_chain(init, dtype, clip);
    CHECK_THAT(rows[layer - 1].value[GS_CLIP_SCALE] == scale, "%s of %s: factor %g", clip, init,
               rows[layer - 1].value[GS_CLIP_SCALE]);
    CHECK_THAT(fabs(rows[layer - 1].value[GS_GRAD_CLIPPED_LOG10] - after_log10) <= 1e-10,
               "%s of %s at layer %zu: 10^%.15g, expected 10^%.15g", clip, init, layer,
               rows[layer - 1].value[GS_GRAD_CLIPPED_LOG10], after_log10);
    free(rows);
}

/* The factor is 0 for a number, and what it leaves is known all the same. */
static void test_what_clipping_leaves_of_a_boundless_gradient_is_known(void) {
    static const char *const dtypes[] = {"f64", "f32"};
    for (size_t i = 0; i < 2; i++) {
        check_chain("identity:1024", dtypes[i], "value:0.5", 1500, 0, log10(0.5 * 8));
        /* the biases of layer 1, an eighth of its squares, are all that comes near the weights */
        check_chain("identity:1024", dtypes[i], "norm:0.5", 1500, 0,
                    log10(0.5) - log10(DEPTH + 0.125 * (1 + 1 / 1048575.0)) / 2);
        check_chain("identity:1024", dtypes[i], "layer:0.5", 1, 0, log10(0.5) - log10(1.125) / 2);
        check_chain("identity:1024", dtypes[i], "layer:0.5", 1500, 0, log10(0.5));
        check_chain("identity:1024", dtypes[i], "agc:0.5", 1500, 0, log10(0.5 * 1024 * sqrt(8)));
    }
}

static void test_clipping_leaves_a_vanished_gradient_alone(void) {
    static const char *const clips[] = {"value:1e-30", "layer:1e-30", "agc:1e-20"};
    for (size_t i = 0; i < 3; i++) {
        double before = log10(8) - 10 * (DEPTH - 1) * log10(2);
        check_chain("identity:0.0009765625", "f64", clips[i], 1, 1, before);
        check_chain("identity:0.0009765625", "f32", clips[i], 1, 1, before);
    }
}

TEST_MAIN(TEST(test_without_clipping_the_gradient_is_left),
          TEST(test_clipping_by_value_bounds_every_entry),
          TEST(test_clipping_by_norm_scales_all_layers_by_one_factor),
          TEST(test_clipping_by_layer_gives_each_layer_its_own_factor),
          TEST(test_adaptive_clipping_bounds_each_row_by_its_weights),
          TEST(test_what_clipping_leaves_of_a_boundless_gradient_is_known),
          TEST(test_clipping_leaves_a_vanished_gradient_alone))
