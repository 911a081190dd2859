/* The singular values of dx_L/dx_0: known answers, a naive Jacobian, and where there are none. */
#include "flow/jacobian.h"
#include "spectra.h"

static double *numbers(size_t count) {
    double *values = calloc(count, sizeof *values);
    if (!values)
        abort();
    return values;
}

/* ---- Known answers ---- */

/* THEORY: a linear network of orthogonal layers of gain g has every singular value g^L. */
static void test_orthogonal_layers_have_the_power_of_their_gain(void) {
    spectrum s = spectrum_of_options("layers=20 width=40 act=linear init=orthogonal:1.1");
    for (size_t i = 0; i < 40; i++)
        CHECK_CLOSE(s.plain[i], pow(1.1, 20), 1e-12);
    CHECK_CLOSE(s.summary.median_log10, 20 * log10(1.1), 1e-12);
    CHECK_CLOSE(s.summary.mean_square_log10, 40 * log10(1.1), 1e-12);
    CHECK(s.summary.rank == 40 && fabs(s.summary.condition_log10) < 1e-12);
    CHECK(s.summary.nonfinite_layer == 0);
}

/* W odd = [[0, 2], [0, 0]], W even = [[0, 0], [2, 0]]: all eigenvalues are 0, one singular value of
   the product is 2^10 and the other is 0. */
static void test_nilpotent_layers_have_a_gain(void) {
    gs_network *network = network_of("layers=10 width=2 act=linear");
    for (size_t l = 1; l <= 10; l++)
        write_weight(network, l, l % 2 ? (double[]){0, 2, 0, 0} : (double[]){0, 0, 2, 0}, 4);
    spectrum s = spectrum_of(network, 0);
    CHECK(s.plain[0] == 1024 && s.plain[1] == 0 && s.log10[1] == -INFINITY);
    CHECK(s.summary.rank == 1 && s.summary.condition_log10 == INFINITY);
    gs_network_free(network);
}

/* Every entry C: the product has the one value (n C)^L, at any depth. */
static void test_constant_layers_have_rank_one(void) {
    spectrum s = spectrum_of_options("layers=1000 width=30 act=linear init=constant:0.01");
    CHECK_CLOSE(s.log10[0], 1000 * log10(0.3), 1e-12);
    CHECK(s.plain[0] == 0 && s.summary.rank == 1 && s.log10[1] == -INFINITY);
}

/* The mean fourth power of the values of a Gaussian product, E tr (J J^T)^2 / n: a' = a (1 +
   1/n) + b, b' = b + 2 a / n^2 (THEORY: 11.986831 for n = 64 and L = 10). */
static void test_gaussian_layers_have_the_moments_of_theory(void) {
    enum { SEEDS = 200, SIZE = 64 };
    double sum = 0, squares = 0;
    for (size_t seed = 1; seed <= SEEDS; seed++) {
        char options[96];
        snprintf(options, sizeof options,
                 "layers=10 width=64 act=linear init=lecun batch=1 seed=%zu", seed);
        spectrum s = spectrum_of_options(options);
        double fourth = 0;
        for (size_t i = 0; i < SIZE; i++)
            fourth += pow(s.plain[i], 4) / SIZE;
        sum += fourth;
        squares += fourth * fourth;
    }
    double mean = sum / SEEDS, error_of_mean = sqrt((squares / SEEDS - mean * mean) / SEEDS);
    CHECK_THAT(fabs(mean - 11.986831) < 3 * error_of_mean && error_of_mean < 0.5,
               "%g with an error of %g", mean, error_of_mean);
}

/* The mean singular value of a Gaussian n x n matrix tends to 8 / (3 pi). */
static void test_one_gaussian_layer_has_a_quarter_circle(void) {
    spectrum s = spectrum_of_options("layers=1 width=128 act=linear init=lecun");
    double sum = 0;
    for (size_t i = 0; i < 128; i++)
        sum += s.plain[i] / 128;
    CHECK_CLOSE(sum, 8 / (3 * 3.14159265358979), 0.01);
}

/* ---- Against the gradients of the network itself ---- */

typedef struct {
    gs_network *network;
    double *row;
} row_context;

static gs_status take_row(void *context, size_t layer, unsigned names, const gs_signal *grad,
                          gs_error *e) {
    const row_context *c = context;
    (void)e;
    if (layer == 0 && (names & GS_IS_X))
        gs_signal_read(&c->network->engine, grad, c->row);
    return GS_OK;
}

/* J [outputs, inputs] of an example, a backward pass a row. */
static double *naive_jacobian(gs_network *network, size_t example) {
    size_t inputs = gs_network_inputs(network), outputs = gs_network_outputs(network);
    size_t batch = gs_network_batch(network);
    double *j = numbers(inputs * outputs), *row = numbers(batch * inputs);
    row_context context = {network, row};
    gs_observer observer = {.context = &context, .grad = take_row};
    for (size_t i = 0; i < outputs; i++) {
        double *start = numbers(batch * outputs);
        start[example * outputs + i] = 1;
        CHECK(gs_network_forward(network, NULL, &error) == GS_OK);
        gs_signal_write(&network->engine, start, &network->grad);
        CHECK(gs_network_backward_observed(network, &observer, &error) == GS_OK);
        memcpy(j + i * inputs, row + example * inputs, inputs * sizeof *j);
        free(start);
    }
    free(row);
    return j;
}

/* Rotates rows p and q until they are orthogonal; returns the cosine between them (Hestenes
   1958). */
static double rotate(double *x, double *y, size_t length) {
    double xx = 0, yy = 0, xy = 0;
    for (size_t i = 0; i < length; i++)
        xx += x[i] * x[i], yy += y[i] * y[i], xy += x[i] * y[i];
    if (xy == 0)
        return 0;
    double zeta = (yy - xx) / (2 * xy);
    double t = copysign(1, zeta) / (fabs(zeta) + sqrt(1 + zeta * zeta));
    double c = 1 / sqrt(1 + t * t), s = c * t;
    for (size_t i = 0; i < length; i++) {
        double old = x[i];
        x[i] = c * old - s * y[i], y[i] = s * old + c * y[i];
    }
    return fabs(xy) / sqrt(xx * yy);
}

static int descending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

/* The singular values of a [rows, cols], rows <= cols, which is destroyed. */
static double *naive_values(double *a, size_t rows, size_t cols) {
    double *values = numbers(rows), angle = 1;
    for (size_t sweep = 0; sweep < 60 && angle > 1e-15; sweep++) {
        angle = 0;
        for (size_t p = 0; p < rows; p++)
            for (size_t q = p + 1; q < rows; q++)
                angle = fmax(angle, rotate(a + p * cols, a + q * cols, cols));
    }
    for (size_t i = 0; i < rows * cols; i++)
        values[i / cols] += a[i] * a[i];
    for (size_t i = 0; i < rows; i++)
        values[i] = sqrt(values[i]);
    qsort(values, rows, sizeof *values, descending);
    return values;
}

/* A product that is formed plainly has an error of eps times its largest value. */
static void check_naive(const char *options, double tolerance) {
    gs_network *network = network_of(options);
    size_t inputs = gs_network_inputs(network), outputs = gs_network_outputs(network);
    size_t count = inputs < outputs ? inputs : outputs, most = inputs < outputs ? outputs : inputs;
    size_t example = gs_network_batch(network) - 1;
    spectrum s = spectrum_of(network, example);
    double *j = naive_jacobian(network, example), *turned = numbers(inputs * outputs);
    for (size_t i = 0; i < inputs * outputs; i++)
        turned[outputs < inputs ? i : i % inputs * outputs + i / inputs] = j[i];
    double *values = naive_values(turned, count, most);
    CHECK_THAT(s.summary.count == count && values[0] > 0, "%s: %zu values", options,
               s.summary.count);
    for (size_t i = 0; i < count; i++)
        CHECK_THAT(fabs(s.plain[i] - values[i]) <= tolerance * values[0],
                   "%s: value %zu is %.17g, expected %.17g", options, i, s.plain[i], values[i]);
    free(j), free(turned), free(values);
    gs_network_free(network);
}

static void test_values_are_those_of_the_gradients(void) {
    static const char *const plain[] = {
        "layers=3 width=20 act=tanh",
        "layers=5 width=17 act=relu init=he",
        "layers=4 width=20 act=gelu order=act-dense init=he",
        "layers=4 width=20 inputs=33 outputs=9 act=silu init=he",
        "layers=4 width=20 inputs=5 outputs=40 act=elu bias=normal:1",
        "layers=3 width=40 inputs=12 outputs=12 act=selu init=lecun",
        "layers=1 width=1 act=sigmoid",
        "layers=4 width=20 act=leaky-relu:0.2 init=he bias=0.1",
        "layers=4 width=20-7-40-13 inputs=15 act=tanh",
        "layers=3 width=9-20-33 act=relu init=he",
    };
    static const char *const skips[] = {
        "layers=6 width=20 act=tanh residual=add",
        "layers=6 width=20 act=relu init=he residual=add skip=3 branch-scale=1/L",
        "layers=7 width=20 inputs=8 act=relu init=he residual=add skip=2",
        "layers=6 width=20 act=tanh residual=post-act",
        "layers=6 width=20 act=tanh residual=post-act skip=2",
        "layers=6 width=20 act=gelu order=act-dense residual=add skip=2",
        "layers=6 width=20 residual=add branch-scale=rezero",
    };
    static const char *const norms[] = {
        "layers=4 width=20 act=tanh norm=layer",
        "layers=4 width=20 act=relu init=he norm=rms",
        "layers=4 width=20 act=gelu init=he norm=layer norm-at=input residual=add",
        "layers=4 width=20 act=relu init=he norm=rms norm-at=output residual=add skip=2",
        "layers=4 width=20 act=tanh norm=layer norm-at=postact order=act-dense",
        "layers=2 width=20 act=tanh norm=layer norm-at=input input=normal:1e-40",
    };
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        check_naive(plain[i], 1e-13);
    for (size_t i = 0; i < sizeof skips / sizeof *skips; i++)
        check_naive(skips[i], 1e-13);
    for (size_t i = 0; i < sizeof norms / sizeof *norms; i++)
        check_naive(norms[i], 1e-13);
}

/* y = W diag(scale / std) ... with the statistics that the batch has: as at inference. */
static void test_batch_norm_is_held_at_the_statistics_of_the_batch(void) {
    enum { SIZE = 10, BATCH = 6 };
    gs_network *network = network_of("layers=1 width=10 batch=6 act=linear norm=batch");
    double w[SIZE * SIZE], x[BATCH * SIZE], scale[SIZE];
    for (size_t i = 0; i < SIZE; i++)
        scale[i] = 0.5 + (double)i;
    write_layer(network, 1, "norm.weight", scale, SIZE);
    read_layer(network, 1, "weight", w, SIZE * SIZE);
    read_tensor(network, "input", x, BATCH * SIZE);
    for (size_t u = 0; u < SIZE; u++) {
        double z[BATCH] = {0}, mean = 0, variance = 0;
        for (size_t b = 0; b < BATCH; b++) {
            for (size_t i = 0; i < SIZE; i++)
                z[b] += w[u * SIZE + i] * x[b * SIZE + i];
            mean += z[b] / BATCH;
        }
        for (size_t b = 0; b < BATCH; b++)
            variance += (z[b] - mean) * (z[b] - mean) / BATCH;
        for (size_t i = 0; i < SIZE; i++)
            w[u * SIZE + i] *= scale[u] / sqrt(variance + 1e-5);
    }
    spectrum s = spectrum_of(network, 3);
    double *values = naive_values(w, SIZE, SIZE);
    for (size_t i = 0; i < SIZE; i++)
        CHECK_THAT(fabs(s.plain[i] - values[i]) < 1e-12 * values[0], "value %zu: %g, expected %g",
                   i, s.plain[i], values[i]);
    free(values);
    gs_network_free(network);
}

/* ---- Values that are exactly 0 ---- */

/* With W = I the units of a negative input are dead. */
static void test_dead_units_leave_exact_zeros(void) {
    gs_network *network = network_of("layers=8 width=20 act=relu init=identity:0.5 batch=2");
    double input[40];
    for (size_t i = 0; i < 40; i++)
        input[i] = i % 4 == 0 ? -1 : 1;
    input[22] = -1;
    write_tensor(network, "input", input, 40);
    spectrum first = spectrum_of(network, 0), second = spectrum_of(network, 1);
    CHECK(first.summary.rank == 15 && second.summary.rank == 14);
    CHECK(first.plain[14] == ldexp(1, -8) && first.log10[15] == -INFINITY);
    gs_network_free(network);
    spectrum none = spectrum_of_options("layers=3 width=20 act=relu input=constant:0");
    CHECK(none.summary.rank == 0 && none.summary.mean_square_log10 == -INFINITY);
    CHECK(isnan(none.summary.condition_log10) && none.log10[0] == -INFINITY);
}

/* The rank is no more than the units that live in the layer with the fewest, and of random weights
   no less. */
static void test_random_dead_units_bound_the_rank(void) {
    const char *options = "layers=30 width=50 act=relu init=he";
    gs_network *network = network_of(options);
    spectrum s = spectrum_of(network, 0);
    size_t fewest = 50;
    for (size_t i = 0; i < network->stage_count; i++) {
        const gs_stage *stage = &network->stages[i];
        size_t alive = 0;
        for (size_t u = 0; stage->kind == GS_STAGE_ACTIVATION && u < 50; u++)
            alive += network->engine.kernels->get(
                         gs_signal_element(network->engine.kernels, &stage->slope, u, 0)) != 0;
        if (stage->kind == GS_STAGE_ACTIVATION && alive < fewest)
            fewest = alive;
    }
    CHECK_THAT(s.summary.rank == fewest, "%zu, and %zu live", s.summary.rank, fewest);
    gs_network_free(network);
}

/* A layer norm takes the mean away in every layer, and without eps the direction of x too: the same
   directions only once. An h that is rounded to f32 takes as much. */
static void test_layer_norm_cuts_off_directions(void) {
    static const struct {
        const char *norm;
        size_t rank;
    } cases[] = {{"norm=layer", 29}, {"norm=layer norm-eps=0", 28}, {"norm=rms norm-eps=0", 29}};
    for (size_t i = 0; i < 6; i++) {
        char line[128];
        snprintf(line, sizeof line, "layers=9 width=30 act=tanh %s dtype=%s", cases[i / 2].norm,
                 i % 2 == 0 ? "f64" : "f32");
        size_t rank = spectrum_of_options(line).summary.rank;
        CHECK_THAT(rank == cases[i / 2].rank, "%s: rank %zu", line, rank);
    }
}

/* What eps leaves of a gradient along h is as right in f32 as the rest. */
static void test_what_eps_leaves_is_right_in_f32(void) {
    spectrum s = spectrum_of_options("layers=3 width=8 act=sigmoid norm=rms dtype=f32");
    spectrum expected = spectrum_of_options("layers=3 width=8 act=sigmoid norm=rms");
    check_logs("f32", &s, 8, expected.log10, 1e-5);
}

/* ---- Where the numbers come from ---- */

static void check_same(const char *what, const spectrum *a, const spectrum *b) {
    CHECK_THAT(memcmp(a, b, sizeof *a) == 0, "%s: not the same bytes", what);
}

static void test_values_are_the_same_bytes_everywhere(void) {
    static const char *const options[] = {
        "layers=12 width=100 act=tanh norm=layer residual=add batch=5",
        "layers=12 width=100 inputs=70 act=relu init=he batch=5",
    };
    static const char *const isas[] = {"portable", "avx2", "avx512", "neon"};
    for (size_t i = 0; i < 2; i++) {
        char line[256];
        spectrum s = spectrum_of_options(options[i]), other;
        for (size_t t = 1; t < 4; t++) {
            snprintf(line, sizeof line, "%s threads=%zu", options[i], t);
            other = spectrum_of_options(line);
            check_same(line, &s, &other);
        }
        snprintf(line, sizeof line, "%s weights=streamed", options[i]);
        for (size_t k = 0; k < 4; k++) {
            const gs_kernels *kernels;
            setenv("GRADSIM_ISA", isas[k], 1);
            if (gs_kernels_get(GS_F64, &kernels, &error) != GS_OK)
                continue;
            other = spectrum_of_options(line);
            check_same(isas[k], &s, &other);
        }
        unsetenv("GRADSIM_ISA");
    }
}

/* Signals that are made again between checkpoints are recorded before they are lost. */
static void test_checkpoints_change_nothing(void) {
    spectrum s = spectrum_of_options("layers=200 width=32 act=tanh batch=64");
    spectrum other = spectrum_of_options("layers=200 width=32 act=tanh batch=64 memory=4M");
    check_same("checkpoints", &s, &other);
}

/* The numbers of a network in f32 are taken as they are, and then computed with in f64. */
static void test_single_precision_weights_are_taken_as_they_are(void) {
    enum { LAYERS = 30, SIZE = 20 };
    gs_network *single = network_of("layers=30 width=20 act=linear init=lecun dtype=f32");
    gs_network *wide = network_of("layers=30 width=20 act=linear");
    for (size_t l = 1; l <= LAYERS; l++) {
        double w[SIZE * SIZE];
        read_layer(single, l, "weight", w, SIZE * SIZE);
        write_weight(wide, l, w, SIZE * SIZE);
    }
    spectrum s = spectrum_of(single, 0), expected = spectrum_of(wide, 0);
    check_same("f32", &s, &expected);
    gs_network_free(single);
    gs_network_free(wide);
    s = spectrum_of_options("layers=8 width=20 inputs=9 act=tanh norm=rms residual=add dtype=f32 "
                            "weights=streamed");
    expected = spectrum_of_options("layers=8 width=20 inputs=9 act=tanh norm=rms residual=add");
    for (size_t i = 0; i < 9; i++)
        CHECK(fabs(s.plain[i] - expected.plain[i]) < 1e-5 * expected.plain[0]);
}

/* x_L is what the head reads. */
static void test_head_is_left_out(void) {
    spectrum s = spectrum_of_options("layers=4 width=20 outputs=3 head=on act=tanh");
    spectrum expected = spectrum_of_options("layers=4 width=20 act=tanh");
    check_same("head", &s, &expected);
}

/* ---- Errors ---- */

static void test_network_that_is_not_finite_has_no_spectrum(void) {
    spectrum s = spectrum_of_options("layers=200 width=20 act=silu init=normal:1e10");
    CHECK(s.summary.nonfinite_layer > 1 && isnan(s.summary.mean_square_log10));
    for (size_t i = 0; i < 20; i++)
        CHECK(isnan(s.plain[i]) && isnan(s.log10[i]));
}

static void check_refused(const char *options, bool draw, size_t example, const char *message) {
    gs_config *config = gs_config_new(&error);
    double values[2048];
    gs_spectrum s;
    char name[32], value[32];
    CHECK(gs_config_set(config, "layers", "1", &error) == GS_OK);
    CHECK(gs_config_set(config, "width", "8", &error) == GS_OK);
    for (; sscanf(options, " %31[a-z]=%31[0-9]", name, value) == 2;
         options += strcspn(options, " ") + (strchr(options, ' ') != NULL))
        CHECK(gs_config_set(config, name, value, &error) == GS_OK);
    gs_network *network = gs_network_new(config, &error);
    if (draw)
        CHECK(gs_network_draw_batch(network, &error) == GS_OK);
    CHECK(gs_measure_spectrum(network, example, values, values, &s, &error) == GS_ERR_USAGE);
    CHECK_STRING(error.message, message);
    gs_network_free(network);
    gs_config_free(config);
}

static void test_what_cannot_be_is_refused(void) {
    check_refused("", false, 0, "the network has no batch: draw one or set one first");
    check_refused("batch=4", true, 4,
                  "--example: expected at most 4, the examples of the batch, got '5'");
    check_refused("width=1025", true, 0,
                  "--width: expected at most 1024 for a spectrum, got '1025'");
    check_refused("inputs=1025", true, 0,
                  "--inputs: expected at most 1024 for a spectrum, got '1025'");
    check_refused("outputs=1025", true, 0,
                  "--outputs: expected at most 1024 for a spectrum, got '1025'");
}

static void test_memory_that_runs_out_is_an_error(void) {
    gs_network *network = network_of("layers=3 width=9 act=tanh norm=layer dtype=f32 threads=1");
    double plain[9], logs[9];
    gs_spectrum s;
    bool failed = true;
    for (size_t nth = 1; failed; nth++) {
        test_fail_allocation(nth);
        gs_status status = gs_measure_spectrum(network, 0, plain, logs, &s, &error);
        failed = test_allocation_failed();
        CHECK(status == (failed ? GS_ERR_MEMORY : GS_OK));
    }
    test_fail_allocation(0);
    gs_network_free(network);
}

TEST_MAIN(TEST(test_orthogonal_layers_have_the_power_of_their_gain),
          TEST(test_nilpotent_layers_have_a_gain), TEST(test_constant_layers_have_rank_one),
          TEST(test_gaussian_layers_have_the_moments_of_theory),
          TEST(test_one_gaussian_layer_has_a_quarter_circle),
          TEST(test_values_are_those_of_the_gradients),
          TEST(test_batch_norm_is_held_at_the_statistics_of_the_batch),
          TEST(test_dead_units_leave_exact_zeros), TEST(test_random_dead_units_bound_the_rank),
          TEST(test_layer_norm_cuts_off_directions), TEST(test_what_eps_leaves_is_right_in_f32),
          TEST(test_values_are_the_same_bytes_everywhere), TEST(test_checkpoints_change_nothing),
          TEST(test_single_precision_weights_are_taken_as_they_are), TEST(test_head_is_left_out),
          TEST(test_network_that_is_not_finite_has_no_spectrum),
          TEST(test_what_cannot_be_is_refused), TEST(test_memory_that_runs_out_is_an_error))
