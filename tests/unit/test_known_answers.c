/* Known answers that hold exactly, at any width and for one seed: closed forms and identities that
 * anyone can derive again. A test named for a row shows what that row of the collection says. */
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

static void test_row_51_matrices_with_no_eigenvalue_but_zero_gain_2_to_the_10(void) {
    static const double odd[] = {0, 2, 0, 0}, even[] = {0, 0, 2, 0}, readout[] = {0, 1};
    gs_network *network = network_of("layers=10 width=2 batch=1 act=linear loss=random");
    for (size_t l = 1; l <= 10; l++)
        write_layer(network, l, "weight", l % 2 ? odd : even, 4);
    write_tensor(network, "readout", readout, 2);
    measured m = measure(network);
    check_log10(m.summary.ratio_log10, 1024);
    for (size_t l = 1; l < 10; l++) {
        CHECK_CLOSE(at(&m, l, GS_GAIN), 2, exact);
        CHECK_CLOSE(at(&m, l, GS_W_SIGMA_MAX), 2, 1e-6);
    }
    gs_network_free(network);
}

static void test_row_41_orthogonal_layers_stretch_every_direction_by_g_to_the_depth(void) {
    for (int seed = 1; seed <= 5; seed++) { /* each with another direction at the output */
        char options[128];
        snprintf(options, sizeof options,
                 "layers=10 width=13 batch=2 act=linear init=orthogonal:1.5 loss=random seed=%d",
                 seed);
        measured m = measure_options(options);
        check_log10(m.summary.ratio_log10, pow(1.5, 10));
        for (size_t l = 1; l < 10; l++) {
            CHECK_CLOSE(at(&m, l, GS_GAIN), 1.5, exact);
            CHECK_CLOSE(at(&m, l, GS_W_SIGMA_MAX), 1.5, 1e-6);
        }
    }
}

/* ---- Scalar chains ---- */

/* Every bias of a layer of one unit. */
static void write_bias(gs_network *network, size_t layer, double bias) {
    write_layer(network, layer, "bias", &bias, 1);
}

static void test_row_52_ten_sigmoids_at_zero_pass_a_quarter_each(void) {
    gs_network *network =
        network_of("layers=10 width=3 act=sigmoid init=identity input=constant:0 loss=random");
    static const double minus_half[] = {-0.5, -0.5, -0.5};
    for (size_t l = 2; l <= 10; l++)
        write_layer(network, l, "bias", minus_half, 3);
    measured m = measure(network);
    check_log10(m.summary.ratio_log10, 0x1p-20); /* .25^10 = 9.5367432e-7 */
    for (size_t l = 1; l < 10; l++)
        CHECK_CLOSE(at(&m, l, GS_ACT_GAIN), 0.25, exact);
    gs_network_free(network);
}

/* A chain of single units, x = phi(weight x) `layers` times: the output and its derivative. */
static void check_chain(const char *act, size_t layers, double weight, double input, double output,
                        double derivative) {
    char options[256];
    snprintf(options, sizeof options,
             "layers=%zu width=1 batch=1 loss=sum act=%s init=identity:%.17g input=constant:%.17g",
             layers, act, weight, input);
    measured m = measure_options(options);
    CHECK_CLOSE(m.summary.loss, output, exact);
    check_log10(m.summary.ratio_log10, derivative);
}

static void test_row_53_sigmoid_of_sigmoid_and_its_derivative(void) {
    check_chain("sigmoid", 1, 1, 0, 0.5, 0.25);
    check_chain("sigmoid", 2, 1, 0, 0.62245933120185456464, 0.058750928050398622267);
    check_chain("sigmoid", 3, 1, 0, 0.65077767821470037706, 0.013352093804827869644);
    check_chain("sigmoid", 10, 1, 0, 0.65904582883547185472, 3.8752202320832606065e-7);
}

/* Far from the input the signal is at the fixed point a = phi(c a), and a layer gains c phi'. */
static void check_fixed_point(const char *act, double c, double fixed_point, double gain) {
    char options[256];
    snprintf(options, sizeof options,
             "layers=90 width=3 act=%s init=identity:%g input=constant:0.5 loss=random", act, c);
    measured m = measure_options(options);
    CHECK_CLOSE(at(&m, 80, GS_A_MEAN), fixed_point, exact);
    CHECK_CLOSE(at(&m, 80, GS_GAIN), gain, exact);
}

static void test_row_54_sigmoid_fixed_points_and_their_gains(void) {
    check_fixed_point("sigmoid", 1, 0.65904606840740666098, 0.22470434812414652082);
    check_fixed_point("sigmoid", 2, 0.84394699941423683968, 0.26340092318788592612);
}

static void test_row_55_tanh_fixed_point_and_its_gain(void) {
    check_fixed_point("tanh", 1.5, 0.85855963664011036215, 0.39431302549860249681);
}

static void test_row_56_chains_of_tanh_and_selu_from_one(void) {
    check_chain("tanh", 10, 1, 1, 0.35625016733262494905, 0.040912041969128824433);
    check_chain("selu", 10, 1, 1, 1.6398019695032258932, 1.6398019695032258932);
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

/* ---- Identities of the gradients ---- */

/* sum of x y over n numbers a stride apart, and what it is small or large against. */
typedef struct {
    double sum, size;
} inner;

static inner inner_product(const double *x, const double *y, size_t count, size_t stride) {
    inner total = {0, 0};
    for (size_t i = 0; i < count; i++) {
        total.sum += x[i * stride] * y[i * stride];
        total.size += fabs(x[i * stride] * y[i * stride]);
    }
    return total;
}

static bool is_zero(inner product) {
    return fabs(product.sum) <= exact * product.size && product.size > 0;
}

/* <W_l, dW_l> for every layer, and for every hidden unit what comes in against what goes out. */
static void check_balance(const char *act, const char *loss) {
    enum { WIDTH = 7, SIZE = WIDTH * WIDTH };
    char options[128];
    snprintf(options, sizeof options, "layers=5 width=7 batch=6 init=he act=%s loss=%s", act, loss);
    gs_network *network = network_of(options);
    size_t layers = gs_network_layers(network); /* with ce there is a head too */
    double w[2][SIZE], grad[2][SIZE];
    measure(network);
    for (size_t l = 1; l <= layers; l++) {
        double *above = w[l % 2], *grad_above = grad[l % 2];
        double *below = w[(l + 1) % 2], *grad_below = grad[(l + 1) % 2];
        read_layer(network, l, "weight", above, SIZE);
        read_layer(network, l, "weight.grad", grad_above, SIZE);
        inner here = inner_product(above, grad_above, SIZE, 1);
        CHECK(here.size > 0);
        for (size_t unit = 0; l > 1 && unit < WIDTH; unit++) {
            size_t row = unit * WIDTH;
            inner in = inner_product(below + row, grad_below + row, WIDTH, 1);
            inner out = inner_product(above + unit, grad_above + unit, WIDTH, WIDTH);
            CHECK_THAT(fabs(in.sum - out.sum) <= exact * (in.size + out.size),
                       "%s, layer %zu, unit %zu: in %.17g, out %.17g", options, l, unit, in.sum,
                       out.sum);
        }
        inner before = inner_product(below, grad_below, SIZE, 1);
        CHECK_THAT(l == 1 || fabs(here.sum - before.sum) <= exact * (here.size + before.size),
                   "%s, layer %zu: %.17g after %.17g", options, l, here.sum, before.sum);
    }
    gs_network_free(network);
}

static void test_row_57_weights_times_gradients_are_the_same_for_every_layer_and_unit(void) {
    static const char *const acts[] = {"linear", "relu", "leaky-relu:0.1"};
    static const char *const losses[] = {"mse", "ce", "sum", "random"};
    for (size_t a = 0; a < 3; a++)
        for (size_t l = 0; l < 4; l++)
            check_balance(acts[a], losses[l]);
}

static void test_row_67_the_gradient_of_one_example_is_an_outer_product(void) {
    gs_network *network = network_of("layers=6 width=13 inputs=9 outputs=4 batch=1 act=gelu");
    measured m = measure(network);
    double x[9], squares;
    read_tensor(network, "input", x, 9);
    squares = inner_product(x, x, 9, 1).sum; /* |x_0|^2 */
    for (size_t l = 1; l <= 6; l++) {
        check_log10(at(&m, l, GS_GRAD_W_LOG10) - at(&m, l, GS_GRAD_Z_LOG10), sqrt(squares));
        double mean = at(&m, l, GS_A_MEAN), deviation = at(&m, l, GS_A_STD);
        squares = 13 * (mean * mean + deviation * deviation); /* |a_l|^2 */
    }
    gs_network_free(network);
}

static void test_row_66_cross_entropy_of_ten_equal_logits(void) {
    static const double zeros[10 * 8];
    gs_network *network = network_of("layers=2 width=8 outputs=10 batch=1 loss=ce");
    write_tensor(network, "head.weight", zeros, 80);
    measured m = measure(network);
    CHECK_CLOSE(m.summary.loss, 2.302585092994045684, exact);
    check_log10(at(&m, 3, GS_GRAD_Z_LOG10), 0.9486832980505137996);
    gs_network_free(network);
}

/* dW = (3, 4) and db = 0: two examples, of which only the first is not zero, pull in opposite ways.
 */
static measured measure_three_four(const char *clip) {
    static const double weight[] = {0, 0}, input[] = {3, 4, 0, 0}, target[] = {-1, 1};
    char options[128];
    snprintf(options, sizeof options, "layers=1 inputs=2 outputs=1 batch=2 act=linear clip=%s",
             clip);
    gs_network *network = network_of(options);
    double grad[2];
    write_layer(network, 1, "weight", weight, 2);
    CHECK(gs_network_set_batch(network, input, target, NULL, &error) == GS_OK);
    measured m = measure(network);
    read_layer(network, 1, "weight.grad", grad, 2);
    CHECK_CLOSE(grad[0], 3, exact);
    CHECK_CLOSE(grad[1], 4, exact);
    gs_network_free(network);
    return m;
}

static void test_row_65_the_global_clip_scales_a_norm_of_5_to_1(void) {
    measured clipped = measure_three_four("norm:1"), kept = measure_three_four("norm:6");
    CHECK_CLOSE(at(&clipped, 1, GS_CLIP_SCALE), 0.2, exact); /* (3, 4) becomes (.6, .8) */
    check_log10(at(&clipped, 1, GS_GRAD_CLIPPED_LOG10), 1);
    CHECK(at(&kept, 1, GS_CLIP_SCALE) == 1);
    check_log10(at(&kept, 1, GS_GRAD_CLIPPED_LOG10), 5);
}

static void test_row_50_rezero_blocks_pass_everything_and_learn_only_their_scale(void) {
    gs_network *network = network_of("layers=6 width=5 batch=3 act=tanh init=lecun residual=add "
                                     "branch-scale=rezero loss=random");
    measured m = measure(network);
    double x[15], readout[5], loss = 0, grad;
    read_tensor(network, "input", x, 15);
    read_tensor(network, "readout", readout, 5);
    for (size_t i = 0; i < 15; i++)
        loss += x[i] * readout[i % 5] / 3;
    CHECK_CLOSE(m.summary.loss, loss, exact); /* r . output = r . input */
    CHECK(m.summary.ratio_log10 == 0);
    for (size_t l = 1; l <= 6; l++) {
        CHECK(at(&m, l, GS_GRAD_W) == 0);
        CHECK(l == 6 || at(&m, l, GS_GAIN) == 1);
        read_layer(network, l, "branch_scale.grad", &grad, 1);
        CHECK(fabs(grad) > 1e-3);
    }
    gs_network_free(network);
}

/* ---- Norms ---- */

/* The gradients of a batch of numbers through a norm alone, its eps 0. */
enum { UNITS = 9, EXAMPLES = 21, NUMBERS = UNITS * EXAMPLES };

typedef struct {
    double normalised[NUMBERS], grad[NUMBERS];
} norm_pass;

static norm_pass pass_through(const char *norm) {
    gs_module *module = gs_module_new_norm(UNITS, norm, 0, &error);
    norm_pass pass;
    double x[NUMBERS], grad_y[NUMBERS];
    for (size_t i = 0; i < NUMBERS; i++) {
        x[i] = sin((double)(i * i)) + 0.5;
        grad_y[i] = cos((double)(i * i * i));
    }
    CHECK(gs_module_forward(module, EXAMPLES, x, pass.normalised, &error) == GS_OK);
    CHECK(gs_module_backward(module, grad_y, pass.grad, &error) == GS_OK);
    gs_module_free(module);
    return pass;
}

/* Sums over the units of each example, or over the examples of each unit. */
static void check_orthogonal(const char *norm, bool by_unit, bool to_ones) {
    static double ones[NUMBERS];
    for (size_t i = 0; i < NUMBERS; i++)
        ones[i] = 1;
    norm_pass pass = pass_through(norm);
    size_t count = by_unit ? EXAMPLES : UNITS, stride = by_unit ? UNITS : 1;
    for (size_t i = 0; i < (by_unit ? UNITS : EXAMPLES); i++) {
        size_t first = by_unit ? i : i * UNITS;
        const double *grad = pass.grad + first;
        CHECK_THAT(is_zero(inner_product(grad, pass.normalised + first, count, stride)), "%s",
                   norm);
        CHECK_THAT(is_zero(inner_product(grad, ones, count, stride)) == to_ones, "%s", norm);
    }
}

static void test_row_31_what_passes_back_through_a_norm_is_orthogonal_to_what_it_made(void) {
    check_orthogonal("batch", true, true);
    check_orthogonal("layer", false, true);
    check_orthogonal("rms", false, false);
}

/* W_2 -> 3 W_2 before a norm: the loss and every other gradient are the same, that of W_2 a third.
 */
static void check_scale_invariance(const char *norm) {
    enum { SIZE = 12 * 12 };
    double w[SIZE], grad[3][SIZE], again[SIZE];
    char options[256];
    snprintf(options, sizeof options,
             "layers=3 width=12 batch=20 act=tanh norm=%s norm-eps=0 bias=0", norm);
    gs_network *network = network_of(options);
    measured before = measure(network);
    read_layer(network, 2, "weight", w, SIZE);
    for (size_t l = 1; l <= 3; l++)
        read_layer(network, l, "weight.grad", grad[l - 1], SIZE);
    CHECK_THAT(is_zero(inner_product(w, grad[1], SIZE, 1)), "%s: W . dW", norm);
    for (size_t row = 0; strcmp(norm, "batch") == 0 && row < 12; row++)
        CHECK(is_zero(inner_product(w + 12 * row, grad[1] + 12 * row, 12, 1)));
    for (size_t i = 0; i < SIZE; i++)
        w[i] *= 3;
    write_layer(network, 2, "weight", w, SIZE);
    measured after = measure(network);
    CHECK_CLOSE(after.summary.loss, before.summary.loss, exact);
    for (size_t l = 1; l <= 3; l++) {
        read_layer(network, l, "weight.grad", again, SIZE);
        for (size_t i = 0; i < SIZE; i++)
            CHECK_THAT(fabs((l == 2 ? 3 : 1) * again[i] - grad[l - 1][i]) <=
                           exact * at(&before, l, GS_GRAD_W),
                       "%s, layer %zu: dW[%zu]", norm, l, i);
    }
    gs_network_free(network);
}

static void test_row_32_a_norm_forgets_the_scale_of_the_weights_before_it(void) {
    check_scale_invariance("batch");
    check_scale_invariance("layer");
    check_scale_invariance("rms");
}

static void test_row_32_a_bias_before_a_batch_norm_has_no_gradient(void) {
    measured m = measure_options("layers=3 width=12 batch=20 act=tanh norm=batch bias=normal:1");
    measured layer =
        measure_options("layers=3 width=12 batch=20 act=tanh norm=layer bias=normal:1");
    for (size_t l = 1; l <= 3; l++) {
        CHECK(at(&m, l, GS_GRAD_B_LOG10) < at(&m, l, GS_GRAD_W_LOG10) + log10(exact));
        CHECK(at(&layer, l, GS_GRAD_B_LOG10) > at(&layer, l, GS_GRAD_W_LOG10) - 3);
    }
}

/* ---- Initialisation ---- */

/* The moments of W [200, 300]: the mean within 4 standard errors sqrt(var / N), the variance within
   4 of var sqrt((kurtosis - 1) / N); uniform weights fill their interval, the widest of N missing
   the last 30 / N of it with probability e^-30. */
static void check_moments(const char *init, double variance, double limit) {
    enum { COUNT = 200 * 300 };
    static double w[COUNT];
    char options[128];
    snprintf(options, sizeof options, "layers=1 inputs=300 outputs=200 batch=1 init=%s", init);
    gs_network *network = network_of(options);
    read_layer(network, 1, "weight", w, COUNT);
    double sum = 0, squares = 0, widest = 0, kurtosis = limit > 0 ? 1.8 : 3;
    for (size_t i = 0; i < COUNT; i++) {
        sum += w[i];
        squares += w[i] * w[i];
        widest = fmax(widest, fabs(w[i]));
    }
    CHECK_THAT(fabs(sum / COUNT) < 4 * sqrt(variance / COUNT), "%s: mean %g", init, sum / COUNT);
    CHECK_THAT(fabs(squares / COUNT / variance - 1) < 4 * sqrt((kurtosis - 1) / COUNT),
               "%s: variance %g, not %g", init, squares / COUNT, variance);
    CHECK_THAT(limit == 0 || (widest <= limit && widest > limit * (1 - 30.0 / COUNT)),
               "%s: widest %g, limit %g", init, widest, limit);
    gs_network_free(network);
}

static void test_row_68_weights_have_the_moments_of_their_scheme(void) {
    check_moments("xavier-normal", 2.0 / 500, 0);
    check_moments("xavier-uniform", 2.0 / 500, sqrt(6.0 / 500));
    check_moments("he-normal", 2.0 / 300, 0);
    check_moments("he-uniform", 2.0 / 300, sqrt(6.0 / 300));
    check_moments("lecun-normal", 1.0 / 300, 0);
    check_moments("lecun-uniform", 1.0 / 300, sqrt(3.0 / 300));
    check_moments("torch", 1.0 / 900, sqrt(1.0 / 300));
    check_moments("scaled:1.3", 1.69 / 300, 0);
    check_moments("normal:0.2", 0.04, 0);
    check_moments("uniform:0.2", 0.04 / 3, 0.2);
}

/* W^T W = g^2 I, or W W^T where W is wide. */
static void check_orthogonal_init(size_t rows, size_t cols) {
    double w[400];
    char options[128];
    snprintf(options, sizeof options, "layers=1 inputs=%zu outputs=%zu batch=1 init=orthogonal:1.5",
             cols, rows);
    gs_network *network = network_of(options);
    read_layer(network, 1, "weight", w, rows * cols);
    bool tall = rows >= cols;
    size_t vectors = tall ? cols : rows, length = tall ? rows : cols;
    for (size_t i = 0; i < vectors; i++)
        for (size_t j = 0; j < vectors; j++) {
            double sum = 0;
            for (size_t k = 0; k < length; k++)
                sum += tall ? w[k * cols + i] * w[k * cols + j] : w[i * cols + k] * w[j * cols + k];
            CHECK_THAT(fabs(sum - (i == j ? 2.25 : 0)) <= 2.25 * exact, "%zu x %zu: [%zu, %zu] %g",
                       rows, cols, i, j, sum);
        }
    gs_network_free(network);
}

static void test_row_68_orthogonal_weights_are_orthogonal_in_every_shape(void) {
    check_orthogonal_init(16, 16);
    check_orthogonal_init(20, 11);
    check_orthogonal_init(9, 30);
    check_orthogonal_init(1, 7);
}

TEST_MAIN(TEST(test_doubling_layers_double_the_gradient_exactly),
          TEST(test_source_row_1_a_factor_g_per_layer_gives_g_to_the_depth),
          TEST(test_source_row_2_half_to_the_96_and_nine_tenths_to_the_96),
          TEST(test_source_row_4_half_identity_sigmoid_stays_below_an_eighth_per_layer),
          TEST(test_source_row_6_one_neuron_a_layer_at_a_slope_of_4_percent),
          TEST(test_source_row_7_three_sigmoids_at_nine_tenths_pass_0_09_cubed),
          TEST(test_row_41_orthogonal_layers_stretch_every_direction_by_g_to_the_depth),
          TEST(test_row_51_matrices_with_no_eigenvalue_but_zero_gain_2_to_the_10),
          TEST(test_row_52_ten_sigmoids_at_zero_pass_a_quarter_each),
          TEST(test_row_53_sigmoid_of_sigmoid_and_its_derivative),
          TEST(test_row_54_sigmoid_fixed_points_and_their_gains),
          TEST(test_row_55_tanh_fixed_point_and_its_gain),
          TEST(test_row_56_chains_of_tanh_and_selu_from_one),
          TEST(test_row_57_weights_times_gradients_are_the_same_for_every_layer_and_unit),
          TEST(test_row_67_the_gradient_of_one_example_is_an_outer_product),
          TEST(test_row_66_cross_entropy_of_ten_equal_logits),
          TEST(test_row_65_the_global_clip_scales_a_norm_of_5_to_1),
          TEST(test_row_50_rezero_blocks_pass_everything_and_learn_only_their_scale),
          TEST(test_row_31_what_passes_back_through_a_norm_is_orthogonal_to_what_it_made),
          TEST(test_row_32_a_norm_forgets_the_scale_of_the_weights_before_it),
          TEST(test_row_32_a_bias_before_a_batch_norm_has_no_gradient),
          TEST(test_row_68_weights_have_the_moments_of_their_scheme),
          TEST(test_row_68_orthogonal_weights_are_orthogonal_in_every_shape))
