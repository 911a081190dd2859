/*
 * The verdict on networks whose gradients are known: diagonal weights, and activations that are
 * linear on either side of 0.
 */
#include "networks.h"

enum { MOST_UNITS = 64 };

/* W_l = c I */
static void set_identity(gs_network *network, size_t layer, double c) {
    double weight[MOST_UNITS * MOST_UNITS] = {0};
    size_t width = gs_network_inputs(network);
    for (size_t i = 0; i < width; i++)
        weight[i * width + i] = c;
    write_layer(network, layer, "weight", weight, width * width);
}

static gs_summary judge(gs_network *network) {
    gs_summary summary = measure(network).summary;
    gs_network_free(network);
    return summary;
}

static gs_summary judge_options(const char *options) {
    return judge(network_of(options));
}

/* ---- Reasons ---- */

/* 8 layers of gain 1/10 each: 10^-8, by e every log10(e) layers. */
static void test_layers_that_are_alike_are_named_together(void) {
    gs_summary s = judge_options("layers=8 width=4 act=linear init=identity:0.1 loss=sum");
    CHECK(s.verdict == GS_VANISHING && s.typical_layers == 8 && s.layers_alike);
    CHECK(s.worst_count == 0 && s.typical.cause == GS_PART_WEIGHTS);
    CHECK_CLOSE(s.ratio_log10, -8, 1e-14);
    CHECK_CLOSE(s.typical.gain, 0.1, 1e-14);
    CHECK_CLOSE(s.typical.factor[GS_PART_WEIGHTS], 0.1, 1e-14);
    CHECK_CLOSE(s.typical.factor[GS_PART_ACTIVATION], 1, 1e-14);
    CHECK(isnan(s.typical.factor[GS_PART_NORM]) && isnan(s.typical.factor[GS_PART_BLOCK]));
    CHECK_CLOSE(s.layers_per_e, -log10(exp(1)), 1e-12);
}

/* A layer stands out by more than a factor of 2. */
static void test_layers_that_hardly_differ_are_not_named(void) {
    static const double near[] = {0.051, 0.19}, far = 0.049;
    for (size_t i = 0; i < 3; i++) {
        gs_network *network = network_of("layers=8 width=4 act=linear init=identity:0.1 loss=sum");
        set_identity(network, 5, i < 2 ? near[i] : far);
        gs_summary s = judge(network);
        CHECK(s.worst_count == (i == 2) && s.layers_alike == (i < 2) && s.typical_layers == 8);
    }
}

static void test_slope_of_the_activation_is_told_from_weights(void) {
    gs_summary s = judge_options("layers=4 width=4 act=leaky-relu:0.01 init=identity:2 loss=sum "
                                 "input=constant:-1");
    CHECK(s.verdict == GS_VANISHING && s.typical.cause == GS_PART_ACTIVATION);
    CHECK_CLOSE(s.ratio_log10, 4 * log10(0.02), 1e-14);
    CHECK_CLOSE(s.typical.factor[GS_PART_ACTIVATION], 0.01, 1e-14);
    CHECK_CLOSE(s.typical.factor[GS_PART_WEIGHTS], 2, 1e-14);
}

/* An RMS norm divides the gradient by the size of its input, 10^6 at the first layer and 1 then. */
static void test_norm_is_told_from_weights(void) {
    gs_summary s = judge_options("layers=6 width=32 act=linear init=identity norm=rms "
                                 "norm-at=input input=normal:1e6 loss=random batch=8");
    CHECK(s.verdict == GS_VANISHING && s.worst_count == 1 && s.typical_layers == 0);
    CHECK(s.worst[0].first == 1 && s.worst[0].last == 1 && s.worst[0].cause == GS_PART_NORM);
    CHECK_CLOSE(s.worst[0].factor[GS_PART_NORM], 1e-6, 0.3);
    CHECK_CLOSE(s.worst[0].factor[GS_PART_WEIGHTS], 1, 1e-14);
    CHECK_CLOSE(s.worst[0].gain, s.worst[0].factor[GS_PART_NORM], 1e-14);
}

/* Of four that differ from the rest the three worst; the one in the other direction is not. */
static void test_worst_layers_are_named_in_their_order(void) {
    gs_network *network = network_of("layers=20 width=4 act=linear init=identity loss=sum");
    set_identity(network, 3, 1e-3);
    set_identity(network, 7, 1e-5);
    set_identity(network, 11, 1e-4);
    set_identity(network, 16, 1e-6);
    set_identity(network, 18, 100);
    gs_summary s = judge(network);
    CHECK(s.verdict == GS_VANISHING && s.worst_count == 3 && !s.layers_alike);
    CHECK(s.worst[0].last == 16 && s.worst[1].last == 7 && s.worst[2].last == 11);
    CHECK(s.worst[0].cause == GS_PART_WEIGHTS && s.typical_layers == 0);
    CHECK_CLOSE(s.worst[0].gain, 1e-6, 1e-14);
    CHECK_CLOSE(s.typical.gain, 1, 1e-14);
    CHECK_CLOSE(s.ratio_log10, -16, 1e-14);
}

static void test_exploding_names_the_largest_gains(void) {
    gs_network *network = network_of("layers=20 width=4 act=linear init=identity:1.5 loss=sum");
    set_identity(network, 9, 1e4);
    set_identity(network, 4, 1e-2);
    gs_summary s = judge(network);
    CHECK(s.verdict == GS_EXPLODING && s.worst_count == 1 && s.worst[0].last == 9);
    CHECK(s.typical_layers == 20 && s.typical.gain == 1.5 && !s.layers_alike);
    CHECK_CLOSE(s.layers_per_e, 1 / log(1.5), 1e-12);
}

/* A layer that does more than all others together does not count. */
static void test_rate_is_that_of_most_layers(void) {
    gs_network *network = network_of("layers=48 width=4 act=linear init=identity:0.5 loss=sum");
    set_identity(network, 20, 1e-30);
    gs_summary s = judge(network);
    CHECK_CLOSE(s.layers_per_e, -1 / log(2), 1e-12);
    CHECK_CLOSE(s.decades_per_layer, (47 * log10(0.5) - 30) / 48, 1e-12);
}

static void test_dead_layer_is_named(void) {
    gs_network *network = network_of("layers=6 width=4 act=relu init=identity loss=sum "
                                     "input=constant:1");
    double kill[4] = {-2, -2, -2, -2}, revive[4] = {1, 1, 1, 1};
    write_layer(network, 3, "bias", kill, 4);
    write_layer(network, 4, "bias", revive, 4);
    gs_summary s = judge(network);
    CHECK(s.verdict == GS_VANISHING && s.ratio_log10 == -INFINITY);
    CHECK(s.worst_count == 1 && s.worst[0].last == 3 && s.worst[0].gain == 0);
    CHECK(s.worst[0].cause == GS_PART_ACTIVATION);
    CHECK(s.silent_examples == s.examples && s.examples == 64);
}

/* ---- Skips ---- */

/* x + W x with W = I doubles the gradient. */
static void test_skip_and_branch_are_one_factor(void) {
    gs_summary s =
        judge_options("layers=24 width=4 act=linear init=identity residual=add loss=sum");
    CHECK(s.verdict == GS_EXPLODING && s.typical_layers == 24 && s.layers_alike);
    CHECK(s.typical.cause == GS_PART_BLOCK && s.typical.factor[GS_PART_BLOCK] == 2);
    CHECK(isnan(s.typical.factor[GS_PART_WEIGHTS]) && s.typical.gain == 2);
}

/* Blocks of three layers, x + W W W x, and after the last skip a plain one. */
static void test_block_of_several_layers_is_named_as_one(void) {
    gs_network *network = network_of("layers=13 width=4 act=linear init=identity residual=add "
                                     "skip=3 loss=sum");
    set_identity(network, 5, 1e4);
    gs_summary s = judge(network);
    CHECK(s.verdict == GS_EXPLODING && s.worst_count == 1 && s.typical.gain == 2);
    CHECK(s.worst[0].first == 4 && s.worst[0].last == 6 && s.worst[0].gain == 10001);
    CHECK(s.typical_layers == 4 && s.worst[0].cause == GS_PART_BLOCK);
}

/* phi stands on the way of the skip too, and a norm at the output. */
static void test_what_follows_a_skip_has_its_own_factor(void) {
    gs_summary s = judge_options("layers=8 width=4 act=leaky-relu:0.001 init=identity loss=sum "
                                 "residual=post-act input=constant:-1");
    CHECK(s.verdict == GS_VANISHING && s.typical.cause == GS_PART_ACTIVATION);
    CHECK_CLOSE(s.typical.factor[GS_PART_ACTIVATION], 0.001, 1e-14);
    CHECK_CLOSE(s.typical.factor[GS_PART_BLOCK], 2, 1e-14);
}

/* With alpha = 0 no gradient enters a branch, and all of it passes. */
static void test_rezero_is_healthy(void) {
    const char *const all[] = {"residual=add branch-scale=rezero layers=30 width=8 act=relu",
                               "residual=add branch-scale=rezero layers=30 width=8 skip=5",
                               "residual=add branch-scale=0 layers=30 width=8 order=act-dense"};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        gs_summary s = judge_options(all[i]);
        CHECK(s.verdict == GS_HEALTHY && s.ratio_log10 == 0 && s.low_log10 == 0);
        CHECK(s.silent_examples == 0 && s.worst_count == 0 && s.typical_layers == 0);
        CHECK(s.corr_input == s.corr_output && !s.shattered);
    }
}

/* ---- Examples ---- */

/* With identity weights the gradient of an example whose inputs are positive passes whole, and
   10^-2 of that of the others at each of 4 layers. The first example is far from its target. */
static gs_summary judge_examples(bool first_is_negative) {
    enum { WIDTH = 4, BATCH = 5 };
    gs_network *network = network_of("layers=4 width=4 batch=5 act=leaky-relu:0.01 init=identity");
    double input[BATCH * WIDTH], target[BATCH * WIDTH];
    for (size_t i = 0; i < BATCH * WIDTH; i++) {
        input[i] = (i < WIDTH) == first_is_negative ? -1 : 1;
        target[i] = i < WIDTH ? 1e15 : 2;
    }
    CHECK(gs_network_set_batch(network, input, target, NULL, &error) == GS_OK);
    return judge(network);
}

static void test_example_that_dominates_the_batch_does_not_decide(void) {
    gs_summary vanishing = judge_examples(false), healthy = judge_examples(true);
    CHECK(vanishing.verdict == GS_VANISHING && healthy.verdict == GS_HEALTHY);
    CHECK_CLOSE(vanishing.ratio_log10, -8, 1e-14);
    CHECK(vanishing.high_log10 == 0 && vanishing.examples == 5);
    CHECK(healthy.ratio_log10 == 0 && healthy.high_log10 == 0);
    CHECK_CLOSE(healthy.low_log10, -8, 1e-14);
}

/* Of 12 examples the first is at its target, and three are dead; one at each end is left out. */
static void test_examples_without_a_gradient_are_counted(void) {
    enum { WIDTH = 2, BATCH = 12 };
    gs_network *network = network_of("layers=3 width=2 batch=12 act=relu init=identity");
    double input[BATCH * WIDTH], target[BATCH * WIDTH];
    for (size_t i = 0; i < BATCH * WIDTH; i++) {
        input[i] = i / WIDTH >= 4 && i / WIDTH < 7 ? -1 : 1;
        target[i] = i < WIDTH ? 1 : 3;
    }
    CHECK(gs_network_set_batch(network, input, target, NULL, &error) == GS_OK);
    gs_summary s = judge(network);
    CHECK(s.examples == 11 && s.silent_examples == 3);
    CHECK(s.ratio_log10 == 0 && s.verdict == GS_HEALTHY);
    CHECK(s.low_log10 == -INFINITY && s.high_log10 == 0);
}

static void test_batch_at_its_target_has_no_ratio(void) {
    enum { COUNT = 8 };
    gs_network *network = network_of("layers=3 width=2 batch=4 act=linear init=identity");
    double ones[COUNT] = {1, 1, 1, 1, 1, 1, 1, 1};
    CHECK(gs_network_set_batch(network, ones, ones, NULL, &error) == GS_OK);
    gs_summary s = judge(network);
    CHECK(s.examples == 0 && isnan(s.ratio_log10) && isnan(s.low_log10) && !s.shattered);
    CHECK(isnan(s.corr_output) && s.verdict == GS_HEALTHY);
}

/* Beside a gradient of 1 that of 10^-230, whose square fits no double, and 10^-28, whose square
   fits no float. */
static void check_small_beside_large(const char *options, double log) {
    gs_network *network = network_of(options);
    double input[4] = {1, 1, -1, -1};
    CHECK(gs_network_set_batch(network, input, NULL, NULL, &error) == GS_OK);
    gs_summary s = judge(network);
    CHECK(s.silent_examples == 0 && s.high_log10 == 0);
    CHECK_CLOSE(s.low_log10, log, 1e-6);
}

static void test_examples_far_below_others_are_measured(void) {
    check_small_beside_large("layers=10 width=2 batch=2 act=leaky-relu:1e-23 init=identity "
                             "loss=sum",
                             -230);
    check_small_beside_large("layers=4 width=2 batch=2 act=leaky-relu:1e-7 init=identity loss=sum "
                             "dtype=f32",
                             -28);
}

/* ---- Shattered gradients ---- */

/* All get the same gradient at the output, and each keeps that of two units of its own: cosines are
   1 and 0, and the noise of 992 pairs in 64 dimensions is sqrt(2 / (992 64)). */
static void test_examples_that_share_no_unit_are_shattered(void) {
    enum { WIDTH = 64, BATCH = 32 };
    double input[BATCH * WIDTH];
    gs_network *network = network_of("layers=1 width=64 batch=32 act=relu init=identity loss=sum");
    for (size_t i = 0; i < BATCH * WIDTH; i++)
        input[i] = i % WIDTH / 2 == i / WIDTH ? 1 : -1;
    CHECK(gs_network_set_batch(network, input, NULL, NULL, &error) == GS_OK);
    gs_summary s = judge(network);
    CHECK(s.verdict == GS_HEALTHY && s.shattered);
    CHECK_CLOSE(s.corr_output, 1, 1e-14);
    CHECK(fabs(s.corr_input) < 1e-14);
    CHECK_CLOSE(s.corr_layers_per_e, 1 / log(sqrt(992 * 64 / 2.)), 1e-12);
}

/* Two examples in two dimensions may be orthogonal by chance. */
static void test_batch_too_small_to_tell_is_not_called_shattered(void) {
    double input[4] = {1, -1, -1, 1};
    gs_network *network = network_of("layers=1 width=2 batch=2 act=relu init=identity loss=sum");
    CHECK(gs_network_set_batch(network, input, NULL, NULL, &error) == GS_OK);
    gs_summary s = judge(network);
    CHECK_CLOSE(s.corr_output, 1, 1e-14);
    CHECK(fabs(s.corr_input) < 1e-14 && !s.shattered && s.corr_layers_per_e == 0);
}

/* Nor may 12 examples that are +-1 in one dimension: their mean cosine is -1/11, and its noise is
   sqrt(2 / 132). */
static void test_input_too_narrow_to_tell_is_not_called_shattered(void) {
    enum { WIDTH = 64, BATCH = 12 };
    double weight[WIDTH], input[BATCH];
    gs_network *network = network_of("layers=1 inputs=1 width=64 batch=12 act=relu loss=sum");
    for (size_t i = 0; i < WIDTH; i++)
        weight[i] = i % 2 ? 1 : -1;
    for (size_t b = 0; b < BATCH; b++)
        input[b] = b % 2 ? 1 : -1;
    write_layer(network, 1, "weight", weight, WIDTH);
    CHECK(gs_network_set_batch(network, input, NULL, NULL, &error) == GS_OK);
    gs_summary s = judge(network);
    CHECK_CLOSE(s.corr_output, 1, 1e-14);
    CHECK_CLOSE(s.corr_input, -1. / 11, 1e-14);
    CHECK(!s.shattered);
}

/* Balduzzi et al. 2017: plain ReLU networks shatter, even more so with batch norm; linear ones do
   not, and with skips, scaled by 1/sqrt(L), correlation does not fall with depth. */
static void test_deep_plain_relu_networks_are_shattered(void) {
    for (size_t i = 0; i < 2; i++) {
        gs_summary s = judge_options(i ? "layers=50 act=relu init=he loss=random norm=batch"
                                       : "layers=50 act=relu init=he loss=random");
        CHECK(s.shattered && s.corr_layers_per_e > 0 && s.corr_layers_per_e < 50);
        CHECK_CLOSE(s.corr_output, 1, 1e-12);
    }
}

static void test_linear_networks_and_scaled_skips_do_not_shatter(void) {
    gs_summary linear = judge_options("layers=100 act=linear loss=random");
    gs_summary sigmoid = judge_options("layers=50 act=sigmoid loss=random");
    gs_summary skips = judge_options("layers=100 act=relu init=he loss=random residual=add "
                                     "branch-scale=1/sqrt(L)");
    CHECK(!linear.shattered && fabs(linear.corr_input - 1) < 1e-12);
    CHECK(!sigmoid.shattered && sigmoid.verdict == GS_VANISHING);
    CHECK(!skips.shattered && skips.corr_input > 0.3);
}

/* Gradients that do not agree at the output have nothing to lose. */
static void test_unrelated_targets_are_not_called_shattered(void) {
    gs_summary s = judge_options("layers=50 act=linear init=identity:1e-3 loss=mse");
    CHECK(!s.shattered && fabs(s.corr_output) < 0.05);
}

TEST_MAIN(TEST(test_layers_that_are_alike_are_named_together),
          TEST(test_layers_that_hardly_differ_are_not_named),
          TEST(test_slope_of_the_activation_is_told_from_weights),
          TEST(test_norm_is_told_from_weights), TEST(test_worst_layers_are_named_in_their_order),
          TEST(test_exploding_names_the_largest_gains), TEST(test_rate_is_that_of_most_layers),
          TEST(test_dead_layer_is_named), TEST(test_skip_and_branch_are_one_factor),
          TEST(test_block_of_several_layers_is_named_as_one),
          TEST(test_what_follows_a_skip_has_its_own_factor), TEST(test_rezero_is_healthy),
          TEST(test_example_that_dominates_the_batch_does_not_decide),
          TEST(test_examples_without_a_gradient_are_counted),
          TEST(test_batch_at_its_target_has_no_ratio),
          TEST(test_examples_far_below_others_are_measured),
          TEST(test_examples_that_share_no_unit_are_shattered),
          TEST(test_batch_too_small_to_tell_is_not_called_shattered),
          TEST(test_input_too_narrow_to_tell_is_not_called_shattered),
          TEST(test_deep_plain_relu_networks_are_shattered),
          TEST(test_linear_networks_and_scaled_skips_do_not_shatter),
          TEST(test_unrelated_targets_are_not_called_shattered))
