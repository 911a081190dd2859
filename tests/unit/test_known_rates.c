/* Known answers about the average network: means over seeds against closed forms, each within 3
 * standard errors of the mean (the seeds are fixed, so a test passes always or never). Where the
 * closed form is that of infinite width, 1/n of it is allowed besides: the correction of first
 * order, which is +1/n in row 30, where it is known. */
#include "networks.h"

/* ---- Samples ---- */

typedef struct {
    double count, mean, squares; /* squares of distances from the mean (Welford 1962) */
} sample;

static void add(sample *s, double value) {
    double distance = value - s->mean;
    s->mean += distance / ++s->count;
    s->squares += distance * (value - s->mean);
}

static double variance_of(const sample *s) {
    return s->squares / (s->count - 1);
}

/* The mean is `expected` within 3 standard errors and `allowed` of it. */
static void check_mean(const char *what, const sample *s, double expected, double allowed) {
    double tolerance = 3 * sqrt(variance_of(s) / s->count) + allowed * expected;
    CHECK_THAT(fabs(s->mean - expected) <= tolerance, "%s: mean %g of %g, expected %g +- %g", what,
               s->mean, s->count, expected, tolerance);
}

/* Of a sample that is close to normal: var sqrt(2 / N) is the standard error of its variance. */
static void check_variance(const char *what, const sample *s, double expected) {
    CHECK_THAT(fabs(variance_of(s) / expected - 1) <= 3 * sqrt(2 / s->count),
               "%s: variance %g of %g, expected %g", what, variance_of(s), s->count, expected);
}

/* ---- What is sampled ---- */

static measured measure_seed(const char *options, int seed) {
    char line[512];
    snprintf(line, sizeof line, "threads=1 loss=random batch=1 norm-eps=0 %s seed=%d", options,
             seed);
    return measure_options(line);
}

/* Squared gains of layers first .. last, each a sample. */
static sample gains(const char *options, size_t first, size_t last, int seeds) {
    sample s = {0, 0, 0};
    for (int seed = 1; seed <= seeds; seed++) {
        measured m = measure_seed(options, seed);
        for (size_t l = first; l <= last; l++)
            add(&s, pow(at(&m, l, GS_GAIN), 2));
    }
    return s;
}

/* |dL/dx_0|^2 / |dL/dx_L|^2, a sample a network. */
static sample ends(const char *options, int seeds) {
    sample s = {0, 0, 0};
    for (int seed = 1; seed <= seeds; seed++)
        add(&s, pow(10, 2 * measure_seed(options, seed).summary.ratio_log10));
    return s;
}

/* |x_L|^2 / |x_0|^2: the mean square of x_L is the loss mse with a target of 0. */
static sample growths(const char *options, int seeds) {
    sample s = {0, 0, 0};
    for (int seed = 1; seed <= seeds; seed++) {
        enum { WIDTH = 64 };
        static const double zeros[WIDTH];
        double x[WIDTH], squares = 0, loss;
        char line[512];
        snprintf(line, sizeof line, "threads=1 width=64 batch=1 loss=mse %s seed=%d", options,
                 seed);
        gs_network *network = network_of(line);
        write_tensor(network, "target", zeros, WIDTH);
        read_tensor(network, "input", x, WIDTH);
        for (size_t i = 0; i < WIDTH; i++)
            squares += x[i] * x[i];
        CHECK(gs_network_forward(network, &loss, &error) == GS_OK);
        add(&s, loss * WIDTH / squares);
        gs_network_free(network);
    }
    return s;
}

static void check_gains(const char *options, size_t first, size_t last, int seeds, double expected,
                        double allowed) {
    sample s = gains(options, first, last, seeds);
    check_mean(options, &s, expected, allowed);
}

static void check_ends(const char *options, int seeds, double expected, double allowed) {
    sample s = ends(options, seeds);
    check_mean(options, &s, expected, allowed);
}

/* ---- Expectations that are exact at any width ---- */

static void test_row_17_relu_passes_half_of_the_variance_of_its_weights(void) {
    check_ends("layers=5 width=64 act=relu init=he", 200, 1, 0);
    check_ends("layers=5 width=64 act=relu init=xavier", 200, 0x1p-5, 0);
    check_ends("layers=5 width=64 act=relu init=xavier bias=normal:0.5", 200, 0x1p-5, 0);
}

static void test_row_18_leaky_relu_gains_1_plus_the_square_of_its_slope(void) {
    check_ends("layers=5 width=64 act=leaky-relu:0.2 init=he", 400, pow(1.04, 5), 0);
    check_ends("layers=5 width=64 act=leaky-relu:0.8 init=he", 200, pow(1.64, 5), 0);
}

static void test_row_19_the_standard_uniform_init_passes_a_third_a_layer(void) {
    check_gains("layers=20 width=32 act=linear init=torch", 1, 19, 100, 1.0 / 3, 0);
}

static void test_row_30_a_layer_norm_of_n_units_gains_n_minus_2_over_n_minus_3(void) {
    check_gains("layers=20 width=24 act=linear norm=layer", 1, 18, 300, 22.0 / 21, 0);
}

/* |a_l|^2 / |a_{l-1}|^2 for l = 2 .. layers. */
static void growth_of_layers(const measured *m, size_t layers, double *growth) {
    double before = 0;
    for (size_t l = 1; l <= layers; l++) {
        double mean = at(m, l, GS_A_MEAN), deviation = at(m, l, GS_A_STD);
        double squares = mean * mean + deviation * deviation;
        if (l > 1)
            *growth++ = squares / before;
        before = squares;
    }
}

static void test_row_34_the_fourth_moment_of_relu_grows_by_1_plus_5_over_n_a_layer(void) {
    sample one = {0, 0, 0}, two = {0, 0, 0};
    double growth[20];
    for (int seed = 1; seed <= 200; seed++) {
        measured m = measure_seed("layers=21 width=16 act=relu init=he", seed);
        growth_of_layers(&m, 21, growth);
        for (size_t l = 0; l < 20; l++)
            add(&one, pow(growth[l], 2));
        for (size_t l = 0; l < 20; l += 2)
            add(&two, pow(growth[l] * growth[l + 1], 2));
    }
    check_mean("one layer", &one, 1 + 5.0 / 16, 0);
    check_mean("two layers", &two, pow(1 + 5.0 / 16, 2), 0);
}

static void test_row_35_relu_loses_in_the_logarithm_what_it_keeps_in_the_mean(void) {
    sample logs = {0, 0, 0};
    double growth[20];
    for (int seed = 1; seed <= 100; seed++) {
        measured m = measure_seed("layers=21 width=64 act=relu init=he", seed);
        growth_of_layers(&m, 21, growth);
        for (size_t l = 0; l < 20; l++)
            add(&logs, log(growth[l]));
    }
    check_mean("log of the growth", &logs, -0.0401086, 0);
    check_variance("log of the growth", &logs, 0.0829974);
}

static void test_row_37_linear_layers_lose_a_nth_in_the_logarithm(void) {
    sample logs = {0, 0, 0};
    for (int seed = 1; seed <= 200; seed++) {
        measured m = measure_seed("layers=21 width=64 act=linear init=lecun", seed);
        for (size_t l = 1; l <= 20; l++)
            add(&logs, 2 * log(at(&m, l, GS_GAIN)));
    }
    check_mean("log of the gain", &logs, -0.0157064, 0);
    check_variance("log of the gain", &logs, 0.0317434);
}

/* ---- Mean field ---- */

static void test_row_12_sigmoid_after_xavier_passes_a_twentieth_a_layer(void) {
    check_gains("layers=20 width=64 act=sigmoid init=xavier", 5, 19, 60, 0.0557207, 1.0 / 64);
}

/* A batch of B over n units is correlated by chance, which costs more than 1/n: 1 % are allowed. */
static void test_row_24_batch_norm_gains_B_minus_2_over_B_minus_3(void) {
    check_gains("layers=12 width=512 batch=16 act=linear norm=batch", 2, 10, 3, 14.0 / 13, 0.01);
}

static void test_row_29_a_norm_before_the_activation_gains_the_ratio_of_two_moments(void) {
    check_gains("layers=20 width=64 act=tanh norm=layer", 1, 18, 60, 1.177807, 1.0 / 64);
    check_gains("layers=20 width=64 act=gelu norm=rms", 1, 18, 60, 1.072032, 1.0 / 64);
    check_gains("layers=20 width=64 act=relu norm=rms", 1, 18, 60, 1, 1.0 / 64);
}

#define PRE_NORM "order=act-dense residual=add norm=layer norm-at=input "
#define POST_NORM "order=act-dense residual=add norm=layer norm-at=output "

static void test_row_43_a_residual_he_relu_network_doubles_both_ways(void) {
    sample forward = growths("layers=5 order=act-dense residual=add act=relu init=he", 200);
    check_mean("forward", &forward, 32, 5.0 / 64);
    check_gains("layers=10 width=64 order=act-dense residual=add act=relu init=he", 1, 9, 50, 2,
                1.0 / 64);
}

static void test_row_44_a_scaled_branch_keeps_the_gradient_bounded(void) {
    check_ends("layers=10 width=64 order=act-dense residual=add branch-scale=1/sqrt(L) act=relu "
               "init=he",
               100, 2.593742, 1.0 / 64);
    check_ends("layers=10 width=64 order=act-dense residual=add branch-scale=1/L act=relu init=he",
               50, 1.104622, 1.0 / 64);
}

static void test_row_45_a_pre_norm_network_grows_by_one_a_layer_both_ways(void) {
    sample forward = growths("layers=10 " PRE_NORM "act=relu init=he", 50);
    check_mean("forward", &forward, 11, 1.0 / 64);
    check_ends("layers=10 width=64 " PRE_NORM "act=relu init=he", 100, 11, 1.0 / 64);
}

static void test_row_48_a_post_norm_network_has_the_rate_of_its_activation(void) {
    check_gains("layers=20 width=128 " POST_NORM "act=tanh init=lecun", 1, 18, 40, 1.050282,
                1.0 / 128);
    check_gains("layers=20 width=64 " POST_NORM "act=sigmoid init=lecun", 1, 18, 40, 0.807835,
                1.0 / 64);
    check_gains("layers=20 width=64 " POST_NORM "act=relu init=he", 1, 18, 40, 1, 1.0 / 64);
}

TEST_MAIN(TEST(test_row_17_relu_passes_half_of_the_variance_of_its_weights),
          TEST(test_row_18_leaky_relu_gains_1_plus_the_square_of_its_slope),
          TEST(test_row_19_the_standard_uniform_init_passes_a_third_a_layer),
          TEST(test_row_30_a_layer_norm_of_n_units_gains_n_minus_2_over_n_minus_3),
          TEST(test_row_34_the_fourth_moment_of_relu_grows_by_1_plus_5_over_n_a_layer),
          TEST(test_row_35_relu_loses_in_the_logarithm_what_it_keeps_in_the_mean),
          TEST(test_row_37_linear_layers_lose_a_nth_in_the_logarithm),
          TEST(test_row_12_sigmoid_after_xavier_passes_a_twentieth_a_layer),
          TEST(test_row_24_batch_norm_gains_B_minus_2_over_B_minus_3),
          TEST(test_row_29_a_norm_before_the_activation_gains_the_ratio_of_two_moments),
          TEST(test_row_43_a_residual_he_relu_network_doubles_both_ways),
          TEST(test_row_44_a_scaled_branch_keeps_the_gradient_bounded),
          TEST(test_row_45_a_pre_norm_network_grows_by_one_a_layer_both_ways),
          TEST(test_row_48_a_post_norm_network_has_the_rate_of_its_activation))
