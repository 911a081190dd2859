/* Building blocks: against naive loops, central differences and a network, and every error. */
#include "networks.h"

enum { MOST = 1024 }; /* numbers in an array of these tests */

/* A fixed sequence in (-1, 1). */
static double next_number(void) {
    static uint64_t state = 1;
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (double)(state >> 11) * 0x1p-52 - 1;
}

static void fill(double *values, size_t count) {
    for (size_t i = 0; i < count; i++)
        values[i] = next_number();
}

static void forward(gs_module *module, size_t batch, const double *x, double *y) {
    CHECK_THAT(gs_module_forward(module, batch, x, y, &error) == GS_OK, "%s", error.message);
}

static void backward(gs_module *module, const double *grad_y, double *grad_x) {
    CHECK_THAT(gs_module_backward(module, grad_y, grad_x, &error) == GS_OK, "%s", error.message);
}

static void read_values(const gs_module *module, const char *name, double *values, size_t count) {
    CHECK_THAT(gs_module_read(module, name, values, count, &error) == GS_OK, "%s", error.message);
}

static void write_values(gs_module *module, const char *name, const double *values, size_t count) {
    CHECK_THAT(gs_module_write(module, name, values, count, &error) == GS_OK, "%s", error.message);
}

static bool same(const double *x, const double *y, size_t count) {
    return memcmp(x, y, count * sizeof *x) == 0;
}

/* ---- Dense layers ---- */

enum { IN = 11, OUT = 5, BATCH = 19 }; /* none a multiple of a tile or a panel */

/* A sum of n terms below 1 in magnitude, in any order and with or without fma, is known to n^2 eps
   or better. */
static const double sum_tolerance = BATCH * BATCH * 0x1p-52;

static void test_dense_forward_is_weight_times_x_plus_bias(void) {
    gs_module *dense = gs_module_new_dense(IN, OUT, "xavier", 1, &error);
    double w[OUT * IN], b[OUT], x[BATCH * IN], y[BATCH * OUT];
    fill(w, OUT * IN), fill(b, OUT), fill(x, BATCH * IN);
    write_values(dense, "weight", w, OUT * IN);
    write_values(dense, "bias", b, OUT);
    forward(dense, BATCH, x, y);
    for (size_t e = 0; e < BATCH; e++)
        for (size_t o = 0; o < OUT; o++) {
            double sum = b[o];
            for (size_t i = 0; i < IN; i++)
                sum += w[o * IN + i] * x[e * IN + i];
            CHECK_THAT(fabs(y[e * OUT + o] - sum) <= sum_tolerance,
                       "y[%zu, %zu] is %.17g not %.17g", e, o, y[e * OUT + o], sum);
        }
    gs_module_free(dense);
}

static void test_dense_backward_gives_every_gradient(void) {
    gs_module *dense = gs_module_new_dense(IN, OUT, "lecun", 2, &error);
    double w[OUT * IN], x[BATCH * IN], y[BATCH * OUT], grad_y[BATCH * OUT], grad_x[BATCH * IN];
    double grad_w[OUT * IN], grad_b[OUT];
    fill(x, BATCH * IN), fill(grad_y, BATCH * OUT);
    read_values(dense, "weight", w, OUT * IN);
    forward(dense, BATCH, x, y);
    backward(dense, grad_y, grad_x);
    read_values(dense, "weight.grad", grad_w, OUT * IN);
    read_values(dense, "bias.grad", grad_b, OUT);
    for (size_t e = 0; e < BATCH; e++)
        for (size_t i = 0; i < IN; i++) {
            for (size_t o = 0; o < OUT; o++)
                grad_x[e * IN + i] -= w[o * IN + i] * grad_y[e * OUT + o];
            CHECK(fabs(grad_x[e * IN + i]) <= sum_tolerance);
        }
    for (size_t o = 0; o < OUT; o++)
        for (size_t e = 0; e < BATCH; e++) {
            grad_b[o] -= grad_y[e * OUT + o];
            for (size_t i = 0; i < IN; i++)
                grad_w[o * IN + i] -= grad_y[e * OUT + o] * x[e * IN + i];
        }
    for (size_t o = 0; o < OUT; o++) {
        CHECK(fabs(grad_b[o]) <= sum_tolerance);
        for (size_t i = 0; i < IN; i++)
            CHECK(fabs(grad_w[o * IN + i]) <= sum_tolerance);
    }
    gs_module_free(dense);
}

/* ---- Activations ---- */

static void test_activations_are_those_of_libm(void) {
    gs_module *tanh_module = gs_module_new_activation(IN, "tanh", &error);
    gs_module *leaky = gs_module_new_activation(IN, "leaky-relu:0.2", &error);
    double x[BATCH * IN], y[BATCH * IN], ones[BATCH * IN], slope[BATCH * IN];
    fill(x, BATCH * IN);
    for (size_t i = 0; i < BATCH * IN; i++)
        ones[i] = 1;
    forward(tanh_module, BATCH, x, y);
    for (size_t i = 0; i < BATCH * IN; i++)
        CHECK_CLOSE(y[i], tanh(x[i]), 4 * 0x1p-52); /* 2 ulp here, 1 there */
    forward(leaky, BATCH, x, y);
    backward(leaky, ones, slope);
    for (size_t i = 0; i < BATCH * IN; i++) {
        CHECK(y[i] == (x[i] > 0 ? x[i] : 0.2 * x[i]));
        CHECK(slope[i] == (x[i] > 0 ? 1 : 0.2));
    }
    gs_module_free(tanh_module);
    gs_module_free(leaky);
}

/* ---- Norms ---- */

/* One group of numbers that a statistic is taken over, `stride` apart. */
static void normalise_naively(const double *x, size_t count, size_t stride, bool centred,
                              double eps, double *y) {
    double mean = 0, variance = 0;
    for (size_t i = 0; centred && i < count; i++)
        mean += x[i * stride] / (double)count;
    for (size_t i = 0; i < count; i++)
        variance += (x[i * stride] - mean) * (x[i * stride] - mean) / (double)count;
    for (size_t i = 0; i < count; i++)
        y[i * stride] = (x[i * stride] - mean) / sqrt(variance + eps);
}

static void check_norm(const char *kind) {
    double eps = 0.01, x[BATCH * IN], y[BATCH * IN], expected[BATCH * IN], scale[IN], shift[IN];
    gs_module *norm = gs_module_new_norm(IN, kind, eps, &error);
    fill(x, BATCH * IN), fill(scale, IN), fill(shift, IN);
    write_values(norm, "weight", scale, IN);
    write_values(norm, "bias", shift, IN);
    forward(norm, BATCH, x, y);
    bool by_unit = strcmp(kind, "batch") == 0, centred = strcmp(kind, "rms") != 0;
    for (size_t i = 0; i < (by_unit ? IN : BATCH); i++) {
        size_t start = by_unit ? i : i * IN;
        normalise_naively(x + start, by_unit ? BATCH : IN, by_unit ? IN : 1, centred, eps,
                          expected + start);
    }
    for (size_t i = 0; i < BATCH * IN; i++) {
        double value = scale[i % IN] * expected[i] + shift[i % IN];
        CHECK_THAT(fabs(y[i] - value) <= sum_tolerance, "%s: y[%zu] is %.17g, not %.17g", kind, i,
                   y[i], value);
    }
    gs_module_free(norm);
}

static void test_norms_are_what_their_formulas_say(void) {
    check_norm("batch");
    check_norm("layer");
    check_norm("rms");
}

/* ---- Either end of the range ---- */

static void test_numbers_whose_squares_do_not_fit_are_no_trouble(void) {
    static const double ends[][2] = {{1e300, -1e300}, {5e-324, -5e-324}};
    gs_module *norm = gs_module_new_norm(2, "layer", 0, &error);
    gs_module *relu = gs_module_new_activation(2, "relu", &error);
    double y[2];
    for (size_t i = 0; i < 2; i++) {
        forward(norm, 1, ends[i], y);
        CHECK_CLOSE(y[0], 1, 8 * 0x1p-52);
        CHECK_CLOSE(y[1], -1, 8 * 0x1p-52);
        forward(relu, 1, ends[i], y);
        CHECK(y[0] == ends[i][0] && y[1] == 0);
    }
    gs_module_free(norm);
    gs_module_free(relu);
}

static void test_a_network_is_finite_as_long_as_its_numbers_are(void) {
    gs_network *network = network_of("layers=1 width=2 batch=1 act=gelu init=identity loss=sum");
    double x[2] = {1e300, -1}, grad[2];
    write_tensor(network, "input", x, 2);
    measured m = measure(network);
    CHECK(m.summary.nonfinite_layer == 0 && m.summary.verdict == GS_HEALTHY);
    CHECK_CLOSE(m.summary.loss, 1e300, 8 * 0x1p-52);
    read_tensor(network, "layers.1.bias.grad", grad, 2);
    CHECK(grad[0] == 1);
    x[1] = (double)INFINITY;
    write_tensor(network, "input", x, 2);
    m = measure(network);
    CHECK(m.summary.nonfinite_layer == 1 && m.summary.verdict == GS_NONFINITE);
    gs_network_free(network);
}

/* ---- Gradients against central differences ---- */

/* L = sum of r y */
static double objective(gs_module *module, size_t batch, const double *x, const double *r,
                        size_t outputs) {
    double y[MOST], sum = 0;
    forward(module, batch, x, y);
    for (size_t i = 0; i < batch * outputs; i++)
        sum += r[i] * y[i];
    return sum;
}

/* |L'''| h^2 / 6 + eps |L| / h with h = 1e-4 and |L'''| below 50, |L| below 100: 9e-8. */
static const double step = 1e-4, difference_tolerance = 1e-7;

static void check_difference(const char *what, size_t i, double plus, double minus, double grad) {
    double difference = (plus - minus) / (2 * step);
    CHECK_THAT(fabs(difference - grad) <= difference_tolerance * (1 + fabs(grad)),
               "%s[%zu]: gradient %.12g, difference %.12g", what, i, grad, difference);
}

static void check_parameter(gs_module *module, const char *name, size_t count, size_t batch,
                            const double *x, const double *r, size_t outputs) {
    double values[MOST], grad[MOST];
    char grad_name[32];
    if (count == 0)
        return;
    snprintf(grad_name, sizeof grad_name, "%s.grad", name);
    read_values(module, name, values, count);
    read_values(module, grad_name, grad, count);
    for (size_t i = 0; i < count; i++) {
        double value = values[i], at[2];
        for (int side = 0; side < 2; side++) {
            values[i] = value + (side == 0 ? step : -step);
            write_values(module, name, values, count);
            at[side] = objective(module, batch, x, r, outputs);
        }
        values[i] = value;
        write_values(module, name, values, count);
        check_difference(name, i, at[0], at[1], grad[i]);
    }
}

/* `weights` and `biases` say how many there are, 0 for none. Frees the module. */
static void check_gradients(gs_module *module, size_t inputs, size_t outputs, size_t weights,
                            size_t biases) {
    enum { EXAMPLES = 5 };
    double x[MOST], r[MOST], grad[MOST], squares = 0;
    fill(x, EXAMPLES * inputs), fill(r, EXAMPLES * outputs);
    objective(module, EXAMPLES, x, r, outputs);
    backward(module, r, grad);
    check_parameter(module, "weight", weights, EXAMPLES, x, r, outputs);
    check_parameter(module, "bias", biases, EXAMPLES, x, r, outputs);
    for (size_t i = 0; i < EXAMPLES * inputs; i++) {
        double value = x[i], at[2];
        for (int side = 0; side < 2; side++) {
            x[i] = value + (side == 0 ? step : -step);
            at[side] = objective(module, EXAMPLES, x, r, outputs);
        }
        x[i] = value;
        check_difference("x", i, at[0], at[1], grad[i]);
        squares += grad[i] * grad[i];
    }
    CHECK(squares > 0.01);
    gs_module_free(module);
}

static void test_dense_gradients_are_central_differences(void) {
    check_gradients(gs_module_new_dense(IN, OUT, "he", 3, &error), IN, OUT, IN * OUT, OUT);
}

static void test_activation_gradients_are_central_differences(void) {
    static const char *const acts[] = {"linear",    "sigmoid",  "tanh", "relu", "leaky-relu:0.2",
                                       "prelu",     "elu:0.7",  "selu", "silu", "gelu",
                                       "gelu-tanh", "softplus", "mish"};
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
        check_gradients(gs_module_new_activation(IN, acts[i], &error), IN, IN, 0, 0);
}

static void test_norm_gradients_are_central_differences(void) {
    static const char *const norms[] = {"batch", "layer", "rms"};
    for (size_t i = 0; i < sizeof norms / sizeof *norms; i++) {
        gs_module *norm = gs_module_new_norm(IN, norms[i], 1e-3, &error);
        double scale[IN];
        fill(scale, IN);
        write_values(norm, "weight", scale, IN);
        check_gradients(norm, IN, IN, IN, IN);
    }
}

/* ---- The code of the network ---- */

static void check_same_tensor(const gs_network *network, const char *tensor,
                              const gs_module *module, const char *name, size_t count) {
    double there[OUT * IN], here[OUT * IN];
    read_tensor(network, tensor, there, count);
    read_values(module, name, here, count);
    CHECK_THAT(same(there, here, count), "%s differs", tensor);
}

static void test_a_chain_of_modules_is_a_network_to_the_last_bit(void) {
    gs_network *network = network_of(
        "layers=1 inputs=11 width=5 batch=19 act=gelu init=torch norm=layer loss=random seed=7");
    gs_module *dense = gs_module_new_dense(IN, OUT, "torch", 7, &error);
    gs_module *norm = gs_module_new_norm(OUT, "layer", 1e-5, &error);
    gs_module *gelu = gs_module_new_activation(OUT, "gelu", &error);
    double x[BATCH * IN], z[BATCH * OUT], readout[OUT], grad_x[BATCH * IN];
    read_tensor(network, "input", x, BATCH * IN);
    read_tensor(network, "readout", readout, OUT);
    CHECK(gs_network_forward(network, NULL, &error) == GS_OK);
    CHECK(gs_network_backward(network, &error) == GS_OK);
    forward(dense, BATCH, x, z);
    forward(norm, BATCH, z, z); /* in place */
    forward(gelu, BATCH, z, z);
    for (size_t i = 0; i < BATCH * OUT; i++)
        z[i] = readout[i % OUT] / BATCH;
    backward(gelu, z, z);
    backward(norm, z, z);
    backward(dense, z, grad_x);
    check_same_tensor(network, "layers.1.weight", dense, "weight", OUT * IN);
    check_same_tensor(network, "layers.1.weight.grad", dense, "weight.grad", OUT * IN);
    check_same_tensor(network, "layers.1.bias.grad", dense, "bias.grad", OUT);
    check_same_tensor(network, "layers.1.norm.weight.grad", norm, "weight.grad", OUT);
    check_same_tensor(network, "layers.1.norm.bias.grad", norm, "bias.grad", OUT);
    gs_module_free(dense);
    gs_module_free(norm);
    gs_module_free(gelu);
    gs_network_free(network);
}

/* ---- One module, many passes ---- */

static void test_the_batch_may_change_and_the_parameters_stay(void) {
    gs_module *norm = gs_module_new_norm(IN, "batch", 0, &error);
    double scale[IN], x[40 * IN], small[2 * IN], large[40 * IN], again[2 * IN], read[IN];
    fill(scale, IN), fill(x, 40 * IN);
    write_values(norm, "weight", scale, IN);
    forward(norm, 2, x, small);
    forward(norm, 40, x, large);
    forward(norm, 2, x, again);
    read_values(norm, "weight", read, IN);
    CHECK(same(small, again, 2 * IN) && !same(small, large, 2 * IN));
    CHECK(same(scale, read, IN));
    gs_module_free(norm);
}

static void test_a_second_backward_replaces_the_gradients_of_the_first(void) {
    gs_module *dense = gs_module_new_dense(IN, OUT, "he", 1, &error);
    double x[BATCH * IN], y[BATCH * OUT], grad_x[BATCH * IN], first[OUT * IN], second[OUT * IN];
    fill(x, BATCH * IN);
    read_values(dense, "weight.grad", first, OUT * IN);
    CHECK(first[0] == 0 && first[OUT * IN - 1] == 0);
    forward(dense, BATCH, x, y);
    backward(dense, y, grad_x);
    read_values(dense, "weight.grad", first, OUT * IN);
    backward(dense, y, grad_x);
    read_values(dense, "weight.grad", second, OUT * IN);
    CHECK(first[0] != 0 && same(first, second, OUT * IN));
    gs_module_free(dense);
}

/* ---- Errors ---- */

static void check_refused(const gs_module *module, const char *message) {
    CHECK(!module);
    CHECK(error.code == GS_ERR_USAGE);
    CHECK_STRING(error.message, message);
}

static void test_a_bad_module_is_refused(void) {
    check_refused(gs_module_new_dense(0, 1, "he", 1, &error), "inputs: expected 1 or more, got 0");
    check_refused(gs_module_new_dense(1, 0, "he", 1, &error), "outputs: expected 1 or more, got 0");
    check_refused(gs_module_new_activation(0, "tanh", &error), "units: expected 1 or more, got 0");
    check_refused(gs_module_new_norm(0, "rms", 0, &error), "units: expected 1 or more, got 0");
    check_refused(gs_module_new_norm(1, "none", 0, &error),
                  "--norm: expected batch, layer or rms, got 'none'");
    check_refused(gs_module_new_norm(1, "rms", -1, &error),
                  "eps: expected a number from 0 to 1, got -1");
    check_refused(gs_module_new_norm(1, "rms", (double)NAN, &error),
                  "eps: expected a number from 0 to 1, got nan");
    CHECK(!gs_module_new_dense(1, 1, "hee", 1, &error) && strstr(error.message, "'he'"));
    CHECK(!gs_module_new_activation(1, "tahn", &error) && strstr(error.message, "'tanh'"));
    CHECK(!gs_module_new_norm(1, "bach", 0, &error) && strstr(error.message, "'batch'"));
    CHECK(!gs_module_new_activation(1, "tahn", NULL));
}

static void test_a_size_that_overflows_is_refused(void) {
    double x[1] = {0};
    CHECK(!gs_module_new_dense(SIZE_MAX, SIZE_MAX, "he", 1, &error));
    CHECK(error.code == GS_ERR_MEMORY);
    CHECK(!gs_module_new_norm(SIZE_MAX, "rms", 0, &error) && error.code == GS_ERR_MEMORY);
    gs_module *tanh_module = gs_module_new_activation(SIZE_MAX, "tanh", &error);
    CHECK(gs_module_forward(tanh_module, SIZE_MAX, x, x, &error) == GS_ERR_MEMORY);
    gs_module_free(tanh_module);
}

static void test_a_bad_pass_is_refused(void) {
    gs_module *norm = gs_module_new_norm(IN, "batch", 0, &error);
    double x[2 * IN];
    fill(x, 2 * IN);
    CHECK(gs_module_backward(norm, x, x, &error) == GS_ERR_USAGE);
    CHECK_STRING(error.message, "backward: expected a forward pass before it");
    forward(norm, 2, x, x);
    CHECK(gs_module_forward(norm, 1, x, x, &error) == GS_ERR_USAGE);
    CHECK_STRING(error.message, "batch: expected 2 or more for a batch norm, got 1");
    CHECK(gs_module_backward(norm, x, x, &error) == GS_ERR_USAGE);
    gs_module_free(norm);
    gs_module *act = gs_module_new_activation(IN, "tanh", &error);
    CHECK(gs_module_forward(act, 0, x, x, &error) == GS_ERR_USAGE);
    CHECK_STRING(error.message, "batch: expected 1 or more, got 0");
    gs_module_free(act);
}

static void test_a_bad_parameter_is_refused(void) {
    gs_module *dense = gs_module_new_dense(IN, OUT, "he", 1, &error);
    double values[OUT * IN] = {0};
    CHECK(gs_module_read(dense, "weights", values, OUT * IN, &error) == GS_ERR_USAGE);
    CHECK_STRING(error.message, "this module has no parameter 'weights'");
    CHECK(gs_module_write(dense, "bias", values, IN, &error) == GS_ERR_USAGE);
    CHECK_STRING(error.message, "bias: expected 5 values, got 11");
    CHECK(gs_module_write(dense, "bias.grad", values, OUT, &error) == GS_ERR_USAGE);
    CHECK_STRING(error.message, "bias.grad: a gradient cannot be written");
    gs_module_free(dense);
    gs_module *act = gs_module_new_activation(IN, "tanh", &error);
    CHECK(gs_module_read(act, "weight", values, 0, &error) == GS_ERR_USAGE);
    CHECK_STRING(error.message, "this module has no parameter 'weight'");
    gs_module_free(act);
    gs_module_free(NULL);
}

/* Make a module of any kind, and run it; every allocation fails in turn. */
static gs_module *make(int kind) {
    return kind == 0   ? gs_module_new_dense(IN, IN, "orthogonal", 1, &error)
           : kind == 1 ? gs_module_new_activation(IN, "tanh", &error)
                       : gs_module_new_norm(IN, "batch", 0, &error);
}

static void test_every_failed_allocation_is_an_error(void) {
    for (int kind = 0; kind < 3; kind++) {
        bool failed = true;
        for (size_t nth = 1; failed; nth++) {
            double x[2 * IN] = {1, 2, 3};
            test_fail_allocation(nth);
            gs_module *module = make(kind);
            bool passed = module && gs_module_forward(module, 2, x, x, &error) == GS_OK &&
                          gs_module_backward(module, x, x, &error) == GS_OK;
            failed = test_allocation_failed();
            test_fail_allocation(0);
            CHECK_THAT(passed != failed, "kind %d, allocation %zu", kind, nth);
            CHECK(passed || error.code == GS_ERR_MEMORY);
            if (module) /* and all is well again */
                forward(module, 2, x, x), backward(module, x, x);
            gs_module_free(module);
        }
    }
}

TEST_MAIN(TEST(test_dense_forward_is_weight_times_x_plus_bias),
          TEST(test_dense_backward_gives_every_gradient), TEST(test_activations_are_those_of_libm),
          TEST(test_norms_are_what_their_formulas_say),
          TEST(test_numbers_whose_squares_do_not_fit_are_no_trouble),
          TEST(test_a_network_is_finite_as_long_as_its_numbers_are),
          TEST(test_dense_gradients_are_central_differences),
          TEST(test_activation_gradients_are_central_differences),
          TEST(test_norm_gradients_are_central_differences),
          TEST(test_a_chain_of_modules_is_a_network_to_the_last_bit),
          TEST(test_the_batch_may_change_and_the_parameters_stay),
          TEST(test_a_second_backward_replaces_the_gradients_of_the_first),
          TEST(test_a_bad_module_is_refused), TEST(test_a_size_that_overflows_is_refused),
          TEST(test_a_bad_pass_is_refused), TEST(test_a_bad_parameter_is_refused),
          TEST(test_every_failed_allocation_is_an_error))
