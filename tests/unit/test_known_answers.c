/* What texts on vanishing and exploding gradients say, where it holds exactly: a test named for a
 * row shows what that row of the collection says. (What papers say is in tests/theory.) */
#include "networks.h"

/* Exact identities hold to this in f64. */
static const double exact = 1e-10;

/* 10^log10_value is `expected`. */
static void check_log10(double log10_value, double expected) {
    CHECK_CLOSE(pow(10, log10_value), expected, exact);
}

/* The factor from dL/dz_L to dL/dz_l. */
static double factor_from_last(const measured *m, size_t layer, size_t last) {
    return at(m, layer, GS_GRAD_Z_LOG10) - at(m, last, GS_GRAD_Z_LOG10);
}

/* ---- Linear chains ---- */

static void test_doubling_layers_double_the_gradient_exactly(void) {
    gs_network *network =
        network_of("layers=10 width=4 batch=1 act=linear init=identity:2 loss=sum");
    measured m = measure(network);
    double grad[4];
    for (size_t l = 1; l < 10; l++) {
        double fall = at(&m, l, GS_GRAD_Z_LOG10) - at(&m, l + 1, GS_GRAD_Z_LOG10);
        CHECK(fabs(fall - log10(2)) <= 4 * 0x1p-52 * 4); /* of numbers below 4 */
        CHECK(at(&m, l, GS_GAIN) == 2);
    }
    read_layer(network, 1, "bias.grad", grad, 4);
    CHECK(grad[0] == 512 && grad[3] == 512); /* the text's fifth row: 2^(10-1) */
    gs_network_free(network);
}

static void test_source_row_1_a_factor_g_per_layer_gives_g_to_the_depth(void) {
    static const double factors[] = {0.5, 0.9, 1, 1.5, -3};
    for (size_t i = 0; i < sizeof factors / sizeof *factors; i++) {
        char options[128];
        snprintf(options, sizeof options,
                 "layers=96 width=3 batch=5 act=linear init=identity:%g loss=random", factors[i]);
        measured m = measure_options(options);
        for (size_t l = 1; l <= 96; l++)
            check_log10(factor_from_last(&m, l, 96), pow(fabs(factors[i]), (double)(96 - l)));
    }
}

static void test_source_row_2_half_to_the_96_and_nine_tenths_to_the_96(void) {
    measured half = measure_options("layers=96 width=2 act=linear init=identity:0.5 loss=random");
    measured tenths = measure_options("layers=96 width=2 act=linear init=identity:0.9 loss=random");
    CHECK_CLOSE(pow(10, half.summary.ratio_log10), 1.26e-29, 0.005 / 1.26); /* as printed */
    CHECK_CLOSE(pow(10, tenths.summary.ratio_log10), 4.05e-5, 0.005 / 4.05);
    CHECK(half.summary.verdict == GS_VANISHING && tenths.summary.verdict == GS_VANISHING);
}

/* ---- Scalar chains ---- */

/* Every bias of a layer of one unit. */
static void write_bias(gs_network *network, size_t layer, double bias) {
    write_layer(network, layer, "bias", &bias, 1);
}

static void test_source_row_4_half_identity_sigmoid_stays_below_an_eighth_per_layer(void) {
    measured m = measure_options(
        "layers=10 width=4 act=sigmoid init=identity:0.5 input=constant:0 loss=random");
    double factor = pow(10, factor_from_last(&m, 1, 10));
    CHECK_CLOSE(factor, 6.3681215316713544767e-9, exact);
    CHECK(factor < pow(0.5 * 0.25, 9)); /* 7.45e-9 */
}

static void test_source_row_6_one_neuron_a_layer_at_a_slope_of_4_percent(void) {
    double a = (1 + sqrt(1 - 4 * 0.04)) / 2; /* a (1 - a) = 0.04: 0.958258 */
    gs_network *network =
        network_of("layers=5 width=1 batch=1 act=sigmoid init=identity:1.5 loss=sum");
    for (size_t l = 1; l <= 5; l++)
        write_bias(network, l, log(a / (1 - a)) - 1.5 * a);
    write_tensor(network, "input", &a, 1);
    measured m = measure(network);
    check_log10(factor_from_last(&m, 1, 5), 1.296e-5);
    CHECK_CLOSE(m.summary.loss, a, exact);
    gs_network_free(network);
}

static void test_source_row_7_three_sigmoids_at_nine_tenths_pass_0_09_cubed(void) {
    gs_network *network =
        network_of("layers=3 width=1 batch=1 act=sigmoid init=identity input=constant:0 loss=sum");
    for (size_t l = 1; l <= 3; l++)
        write_bias(network, l, log(9) - (l > 1 ? 0.9 : 0));
    measured m = measure(network);
    check_log10(m.summary.ratio_log10, 7.29e-4);
    gs_network_free(network);
}

TEST_MAIN(TEST(test_doubling_layers_double_the_gradient_exactly),
          TEST(test_source_row_1_a_factor_g_per_layer_gives_g_to_the_depth),
          TEST(test_source_row_2_half_to_the_96_and_nine_tenths_to_the_96),
          TEST(test_source_row_4_half_identity_sigmoid_stays_below_an_eighth_per_layer),
          TEST(test_source_row_6_one_neuron_a_layer_at_a_slope_of_4_percent),
          TEST(test_source_row_7_three_sigmoids_at_nine_tenths_pass_0_09_cubed))
