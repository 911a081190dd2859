/*
 * Layers: forward and backward of dense layers, activations, norms, skips and losses against plain
 * loops in double, with signals that carry exponents.
 */
#include "losses.h"

#include "net/activation.h"
#include "net/dense.h"
#include "net/norm.h"
#include "net/residual.h"

static gs_error error;

/* n roundings of an element type, and a few for what led to it. */
static double roundings(const gs_engine *engine, size_t n) {
    return (8 + (double)n) * test_rounding(engine->kernels);
}

/* Every value of a signal within `tolerance` times the largest that is expected. */
static void check_values(const gs_engine *engine, const char *what, const gs_signal *signal,
                         const double *expected, double tolerance) {
    double *actual = test_values(engine, signal), largest = 0;
    for (size_t i = 0; i < signal->units * signal->batch; i++)
        largest = fmax(largest, fabs(expected[i]));
    for (size_t i = 0; i < signal->units * signal->batch; i++)
        CHECK_THAT(fabs(actual[i] - expected[i]) <= tolerance * largest,
                   "%s of %zu x %zu on %s: %zu is %.17g, expected %.17g", what, signal->units,
                   signal->batch, engine->kernels->isa, i, actual[i], expected[i]);
    CHECK_THAT(test_padding_is_zero(engine, signal), "%s: padding", what);
    free(actual);
}

static void check_vector(const gs_engine *engine, const char *what, const gs_vector *vector,
                         const double *expected, double tolerance) {
    double largest = 0;
    for (size_t u = 0; u < vector->units; u++)
        largest = fmax(largest, fabs(expected[u]));
    for (size_t u = 0; u < vector->units; u++) {
        double actual = gs_ldexp(vector->grad[u], vector->exponent);
        CHECK_THAT(fabs(actual - expected[u]) <= tolerance * largest,
                   "%s on %s: %zu is %.17g, not %.17g", what, engine->kernels->isa, u, actual,
                   expected[u]);
    }
}

/* A signal of numbers times 2^exponent: `values` become the true ones. */
static gs_signal scaled_signal(const gs_engine *engine, size_t units, size_t batch, int exponent,
                               double *values) {
    gs_signal signal = test_signal_of(engine, units, batch, values);
    signal.exponent = exponent;
    for (size_t i = 0; i < units * batch; i++)
        values[i] = ldexp(values[i], exponent);
    return signal;
}

/* ---- Dense ---- */

static gs_dense dense_of(const gs_engine *engine, size_t out, size_t in, const double *w,
                         const double *b) {
    gs_dense dense;
    CHECK(gs_dense_new(engine, out, in, true, &dense, &error) == GS_OK);
    gs_matrix_write(engine, w, &dense.weight);
    memcpy(dense.bias.values, b, out * sizeof *b);
    return dense;
}

static void check_dense_forward(const gs_engine *engine, size_t out, size_t in, size_t batch,
                                int exponent, bool biased) {
    double *w = test_random(1, out * in), *b = biased ? test_random(2, out) : test_numbers(out);
    double *x = test_random(3, in * batch), *expected = test_numbers(out * batch);
    gs_dense dense = dense_of(engine, out, in, w, b);
    gs_signal u = scaled_signal(engine, in, batch, exponent, x),
              z = test_signal(engine, out, batch);
    gs_dense_forward(engine, &dense, &u, &z);
    for (size_t e = 0; e < batch; e++)
        for (size_t i = 0; i < out; i++) {
            expected[e * out + i] = b[i];
            for (size_t j = 0; j < in; j++)
                expected[e * out + i] += w[i * in + j] * x[e * in + j];
        }
    check_values(engine, "z", &z, expected, roundings(engine, in));
    CHECK(biased || z.exponent == exponent);
    gs_dense_free(&dense);
    gs_signal_free(&u), gs_signal_free(&z);
    free(w), free(b), free(x), free(expected);
}

static void check_dense_backward(const gs_engine *engine, size_t out, size_t in, size_t batch) {
    double *w = test_random(1, out * in), *b = test_numbers(out), *g = test_numbers(in * batch);
    double *d = test_random(4, out * batch), *x = test_random(3, in * batch),
           *dw = test_numbers(out * in);
    gs_dense dense = dense_of(engine, out, in, w, b);
    gs_signal u = scaled_signal(engine, in, batch, 5, x), grad = test_signal(engine, in, batch);
    gs_signal delta = scaled_signal(engine, out, batch, -9, d);
    CHECK(gs_matrix_new(engine, out, in, &dense.grad, &error) == GS_OK);
    gs_dense_backward(engine, &dense, &delta, &u, &grad);
    for (size_t e = 0; e < batch; e++)
        for (size_t i = 0; i < out; i++) {
            b[i] += d[e * out + i];
            for (size_t j = 0; j < in; j++) {
                g[e * in + j] += w[i * in + j] * d[e * out + i];
                dw[i * in + j] += d[e * out + i] * x[e * in + j];
            }
        }
    check_values(engine, "W^T delta", &grad, g, roundings(engine, out));
    check_vector(engine, "dL/db", &dense.bias, b, roundings(engine, batch));
    double *actual = test_numbers(out * in);
    gs_matrix_read(engine, &dense.grad, actual);
    for (size_t i = 0; i < out * in; i++) /* |delta u^T| <= 2^-4 a term */
        CHECK(fabs(actual[i] - dw[i]) <= roundings(engine, batch) * (double)batch / 16);
    gs_dense_free(&dense);
    gs_signal_free(&u), gs_signal_free(&grad), gs_signal_free(&delta);
    free(w), free(b), free(g), free(d), free(x), free(dw), free(actual);
}

static void check_dense(const gs_engine *engine) {
    static const int exponents[] = {0, -40, 40};
    for (size_t i = 0; i < TEST_SIZES; i++)
        for (size_t e = 0; e < 3; e++) {
            check_dense_forward(engine, test_units[i], 9, test_batches[i], exponents[e], true);
            check_dense_forward(engine, 7, test_units[i], test_batches[i], exponents[e], false);
        }
    for (size_t i = 0; i < TEST_SIZES; i++)
        check_dense_backward(engine, test_units[i], test_units[(i + 2) % TEST_SIZES],
                             test_batches[i]);
}

static void test_dense_layer_is_the_naive_one_at_any_exponent(void) {
    test_on_every_table(check_dense);
}

/* ---- Activations ---- */

static const double selu_scale = 1.0507009873554804934, selu_alpha = 1.6732632423543772848;

static double phi(const char *name, double z) {
    double softplus = fmax(z, 0) + log1p(exp(-fabs(z))), sigmoid = 1 / (1 + exp(-z));
    const struct {
        const char *name;
        double value;
    } table[] = {
        {"linear", z},
        {"sigmoid", sigmoid},
        {"tanh", tanh(z)},
        {"relu", fmax(z, 0)},
        {"leaky-relu:0.25", z > 0 ? z : 0.25 * z},
        {"prelu:-0.5", z > 0 ? z : -0.5 * z},
        {"elu:2", z > 0 ? z : 2 * expm1(z)},
        {"selu", selu_scale * (z > 0 ? z : selu_alpha * expm1(z))},
        {"silu", z * sigmoid},
        {"gelu", 0.5 * z * erfc(-z / sqrt(2))},
        {"gelu-tanh", 0.5 * z * (1 + tanh(0.79788456080286535588 * (z + 0.044715 * z * z * z)))},
        {"softplus", softplus},
        {"mish", z * tanh(softplus)},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i].name, name) == 0)
            return table[i].value;
    return NAN;
}

static const char *const activations[] = {
    "linear", "sigmoid", "tanh", "relu",      "leaky-relu:0.25", "prelu:-0.5", "elu:2",
    "selu",   "silu",    "gelu", "gelu-tanh", "softplus",        "mish"};
enum { ACTIVATIONS = sizeof activations / sizeof *activations };

static gs_choice activation(const char *name) {
    gs_config *config = gs_config_new(&error);
    CHECK_THAT(gs_config_set(config, "act", name, &error) == GS_OK, "%s", error.message);
    gs_choice choice = config->act;
    gs_config_free(config);
    return choice;
}

/* The central difference errs by h^2 |phi'''| / 6 <= 3e-10 and 2 roundings / h <= 2e-11 times a
   few, where no kink lies between: none is nearer to a value than 1e-3. Near z = 0 phi is sampled
   at the scale of z itself, where the error is a share of z. */
static void check_activation(const gs_engine *engine, const char *name, int exponent) {
    enum { UNITS = 9, BATCH = 17, COUNT = UNITS * BATCH };
    double *x = test_random(5, COUNT), a[COUNT], slope[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        x[i] = 4 * (x[i] + copysign(1e-3, x[i]));
    for (size_t i = 0; i < COUNT; i++)
        x[i] = (double)(float)x[i];
    gs_signal z = scaled_signal(engine, UNITS, BATCH, exponent, x);
    gs_signal out = test_signal(engine, UNITS, BATCH), slopes = test_signal(engine, UNITS, BATCH);
    for (size_t i = 0; i < COUNT; i++) {
        double h = fmin(1e-5, fabs(x[i]) / 4);
        a[i] = phi(name, x[i]);
        slope[i] = (phi(name, x[i] + h) - phi(name, x[i] - h)) / (2 * h);
    }
    gs_activation_forward(engine, activation(name), &z, &out, &slopes);
    check_values(engine, name, &out, a, roundings(engine, 8));
    check_values(engine, name, &slopes, slope, 1e-9 + roundings(engine, 8));
    gs_activation_backward(engine, &slopes, &z, &z);
    for (size_t i = 0; i < COUNT; i++)
        slope[i] *= x[i];
    check_values(engine, name, &z, slope, 1e-9 + roundings(engine, 8));
    gs_signal_free(&z), gs_signal_free(&out), gs_signal_free(&slopes);
    free(x);
}

static void check_activations(const gs_engine *engine) {
    for (size_t i = 0; i < ACTIVATIONS; i++) {
        check_activation(engine, activations[i], 0);
        check_activation(engine, activations[i], 2);
        check_activation(engine, activations[i], -3);
    }
}

static void test_activations_and_their_slopes_are_the_naive_ones(void) {
    test_on_every_table(check_activations);
}

/* z = +-2^-5000: a = phi(0) + phi'(0+-) z to the last bit, at an exponent that no number has. */
static void check_tiny_signals(const gs_engine *engine) {
    for (size_t i = 0; i < ACTIVATIONS; i++) {
        double values[] = {1, -1}, h = 0x1p-30, zero = phi(activations[i], 0);
        double right = (phi(activations[i], h) - zero) / h,
               left = (zero - phi(activations[i], -h)) / h;
        gs_signal z = test_signal_of(engine, 1, 2, values), a = test_signal(engine, 1, 2);
        gs_signal slope = test_signal(engine, 1, 2);
        z.exponent = -5000;
        gs_activation_forward(engine, activation(activations[i]), &z, &a, &slope);
        check_values(engine, activations[i], &slope, (double[]){right, left}, 1e-6);
        a.exponent += zero == 0 ? 5000 : 0;
        double at_zero[] = {zero, zero}, near_zero[] = {right, -left};
        check_values(engine, activations[i], &a, zero == 0 ? near_zero : at_zero, 1e-6);
        gs_signal_free(&z), gs_signal_free(&a), gs_signal_free(&slope);
    }
}

static void test_activations_of_tiny_signals_follow_their_slopes_at_zero(void) {
    test_on_every_table(check_tiny_signals);
}

/* a - z / 2 = phi''(0) z^2 / 2: at z = 2^-40 a rounding of a is 2^-14 of that in f64, and in f32 at
   2^-10, 2^-15. */
static void check_curvature(const gs_engine *engine) {
    static const struct {
        const char *name;
        double half_curvature;
    } cases[] = {{"silu", 0.25}, {"gelu", 0.39894228040143268}, {"gelu-tanh", 0.39894228040143268}};
    bool wide = engine->kernels->dtype == GS_F64;
    for (size_t i = 0; i < 3; i++) {
        double one = 1, z = wide ? 0x1p-40 : 0x1p-10;
        gs_signal x = test_signal_of(engine, 1, 1, &one), a = test_signal(engine, 1, 1);
        gs_signal slope = test_signal(engine, 1, 1);
        x.exponent = wide ? -40 : -10;
        gs_activation_forward(engine, activation(cases[i].name), &x, &a, &slope);
        double *value = test_values(engine, &a);
        CHECK_CLOSE((*value - z / 2) / (z * z), cases[i].half_curvature, 4 * 0x1p-14);
        gs_signal_free(&x), gs_signal_free(&a), gs_signal_free(&slope);
        free(value);
    }
}

static void test_small_signals_keep_the_curvature_of_their_activation(void) {
    test_on_every_table(check_curvature);
}

/* On a grid of 1e-3 the largest slope is missed by (1e-3)^2 |phi'''| / 8 < 1e-6, and that of elu,
   next to its kink, by the 2e-5 that the grid stays left of it. */
static void test_largest_slopes_are_those_of_a_scan(void) {
    for (size_t i = 0; i < ACTIVATIONS; i++) {
        double most = 0, h = 1e-5;
        for (int step = -20000; step <= 20000; step++) {
            double z = step * 1e-3 - 2e-5;
            double rise = phi(activations[i], z + h) - phi(activations[i], z - h);
            most = fmax(most, fabs(rise) / (2 * h));
        }
        CHECK_CLOSE(gs_activation_largest_slope(activation(activations[i])), most, 3e-5);
    }
}

/* ---- Skips ---- */

static void check_skip(const gs_engine *engine) {
    enum { UNITS = 9, BATCH = 17, COUNT = UNITS * BATCH };
    double *x = test_random(6, COUNT), *a = test_random(7, COUNT), *g = test_random(8, COUNT);
    gs_signal source = scaled_signal(engine, UNITS, BATCH, 3, x);
    gs_signal branch = scaled_signal(engine, UNITS, BATCH, 5, a);
    gs_signal grad = scaled_signal(engine, UNITS, BATCH, -2, g),
              round = test_signal(engine, 130, BATCH);
    gs_signal out = test_signal(engine, UNITS, BATCH);
    gs_skip skip = {.source = &source, .alpha = 0.75, .learned = true};
    double sum[COUNT], dot = 0;
    gs_skip_forward(engine, &skip, &branch, &out);
    gs_skip_backward(engine, &skip, &grad, &round);
    for (size_t i = 0; i < COUNT; i++) {
        sum[i] = x[i] + 0.75 * a[i];
        dot += g[i] * a[i];
    }
    check_values(engine, "x + alpha a", &out, sum, roundings(engine, 2));
    check_values(engine, "dL/dx round the block", &round, g, 0);
    for (size_t i = 0; i < COUNT; i++)
        g[i] *= 0.75;
    check_values(engine, "dL/da", &grad, g, roundings(engine, 1));
    /* 153 terms of 8 at most, in double */
    CHECK(fabs(gs_ldexp(skip.grad_alpha, skip.exponent) - dot) <= 153.0 * 153 * 8 * 0x1p-52);
    gs_signal_free(&source), gs_signal_free(&branch), gs_signal_free(&grad);
    gs_signal_free(&round), gs_signal_free(&out);
    free(x), free(a), free(g);
}

static void test_skip_adds_its_branch_and_passes_the_gradient_both_ways(void) {
    test_on_every_table(check_skip);
}

/* ---- Losses ---- */

/* dL/dx by the formulas of loss.h. */
static void naive_loss_gradient(size_t kind, size_t outputs, size_t batch, const double *x,
                                const double *y, const double *r, double *grad) {
    for (size_t i = 0; i < outputs * batch; i++) {
        size_t b = i / outputs, u = i % outputs;
        double total = 0;
        for (size_t v = 0; v < outputs; v++)
            total += exp(x[b * outputs + v]);
        grad[i] = (kind == GS_LOSS_MSE   ? 2 * (x[i] - y[i]) / (double)outputs
                   : kind == GS_LOSS_CE  ? exp(x[i]) / total - (u == b % outputs)
                   : kind == GS_LOSS_SUM ? 1
                                         : r[u]) /
                  (double)batch;
    }
}

static void check_loss(const gs_engine *engine, size_t kind, size_t outputs, size_t batch,
                       int exponent) {
    double *expected = test_numbers(outputs * batch), naive = 0;
    loss_case c = loss_case_of(engine, kind, outputs, batch);
    gs_signal out = scaled_signal(engine, outputs, batch, exponent, c.x);
    double value = gs_loss_gradient(engine, &c.loss, &out, &c.grad);
    for (size_t b = 0; b < batch; b++)
        naive += naive_loss(kind, outputs, c.x + b * outputs, c.y + b * outputs, c.r, b % outputs) /
                 (double)batch;
    /* |x| <= 4 and |L| <= 32 a term; a small loss is the difference of larger terms */
    CHECK_THAT(fabs(value - naive) <= 32 * roundings(engine, outputs),
               "loss %zu is %.17g, expected %.17g", kind, value, naive);
    naive_loss_gradient(kind, outputs, batch, c.x, c.y, c.r, expected);
    check_values(engine, "dL/dx", &c.grad, expected, 4 * roundings(engine, outputs));
    gs_signal_free(&out);
    loss_case_free(&c);
    free(expected);
}

static void check_losses(const gs_engine *engine) {
    for (size_t kind = GS_LOSS_MSE; kind <= GS_LOSS_RANDOM; kind++)
        for (size_t i = 0; i < TEST_SIZES; i++)
            for (size_t j = 0; j < TEST_SIZES; j++)
                check_loss(engine, kind, test_units[i], test_batches[j], (int)j - 2);
}

static void test_losses_and_their_gradients_are_the_naive_ones(void) {
    test_on_every_table(check_losses);
}

/* Ten classes and zero logits: the loss is log 10, and the norm of p - y is sqrt(0.9) (Goodfellow
   2016, section 6.2.2). At an exponent where x does not fit, p is one-hot and the loss infinite. */
static void check_extreme_logits(const gs_engine *engine) {
    gs_loss loss;
    gs_signal x = test_signal(engine, 10, 1), grad = test_signal(engine, 10, 1);
    CHECK(gs_loss_new(engine, GS_LOSS_CE, 10, 1, &loss, &error) == GS_OK);
    x.exponent = GS_EXPONENT_OF_ZERO;
    CHECK_CLOSE(gs_loss_gradient(engine, &loss, &x, &grad), 2.302585092994046,
                roundings(engine, 10));
    gs_magnitude norm = gs_signal_magnitude(&grad, NULL);
    CHECK_CLOSE(gs_magnitude_value(norm), 0.94868329805051381, roundings(engine, 10));
    double logits[10] = {0, 0, 0, 1};
    gs_signal_write(engine, logits, &x);
    x.exponent = 5000;
    CHECK(gs_loss_gradient(engine, &loss, &x, &grad) == INFINITY);
    check_values(engine, "one-hot", &grad, (double[10]){-1, 0, 0, 1}, 0);
    loss.labels[0] = 3;
    CHECK(gs_loss_gradient(engine, &loss, &x, &grad) == 0);
    gs_loss_free(&loss);
    gs_signal_free(&x), gs_signal_free(&grad);
}

static void test_cross_entropy_of_zero_and_of_boundless_logits(void) {
    test_on_every_table(check_extreme_logits);
}

TEST_MAIN(TEST(test_dense_layer_is_the_naive_one_at_any_exponent),
          TEST(test_activations_and_their_slopes_are_the_naive_ones),
          TEST(test_activations_of_tiny_signals_follow_their_slopes_at_zero),
          TEST(test_small_signals_keep_the_curvature_of_their_activation),
          TEST(test_largest_slopes_are_those_of_a_scan),
          TEST(test_skip_adds_its_branch_and_passes_the_gradient_both_ways),
          TEST(test_losses_and_their_gradients_are_the_naive_ones),
          TEST(test_cross_entropy_of_zero_and_of_boundless_logits))
