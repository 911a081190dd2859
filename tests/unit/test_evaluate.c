/*
 * Evaluation against a naive network: losses of single examples, and means over all of them.
 */
#include "losses.h"
#include "networks.h"

#include "train/evaluate.h"

/* ---- Losses of single examples ---- */

/* x [batch, outputs] at another exponent than 0. */
static gs_signal signal_at(const gs_engine *engine, size_t outputs, size_t batch, int exponent,
                           const double *x) {
    double *mantissas = test_numbers(outputs * batch);
    for (size_t i = 0; i < outputs * batch; i++)
        mantissas[i] = ldexp(x[i], -exponent);
    gs_signal signal = test_signal_of(engine, outputs, batch, mantissas);
    signal.exponent = exponent;
    free(mantissas);
    return signal;
}

/* |x| < 1, so no term is over 4 and no sum over 4 outputs; a linear loss is the difference of
   larger ones. The value over the batch is rounded in the element type. */
static void check_example_losses(const gs_engine *engine, size_t kind, size_t outputs, size_t batch,
                                 int exponent) {
    double mean = 0, roundings = (double)(outputs + batch + 8);
    loss_case c = loss_case_of(engine, kind, outputs, batch);
    gs_signal out = signal_at(engine, outputs, batch, exponent, c.x);
    for (size_t b = 0; b < batch; b++) {
        double value = gs_loss_of_example(engine, &c.loss, &out, b);
        double naive =
            naive_loss(kind, outputs, c.x + b * outputs, c.y + b * outputs, c.r, b % outputs);
        CHECK_THAT(fabs(value - naive) <= 4 * (double)outputs * roundings * 0x1p-53,
                   "loss %zu of example %zu is %.17g, expected %.17g", kind, b, value, naive);
        mean += value / (double)batch;
    }
    double value = gs_loss_gradient(engine, &c.loss, &out, &c.grad);
    double scale = kind == GS_LOSS_MSE || kind == GS_LOSS_CE ? mean : (double)outputs;
    CHECK_THAT(fabs(value - mean) <= scale * roundings * test_rounding(engine->kernels),
               "loss %zu is %.17g, its mean over %zu examples %.17g", kind, value, batch, mean);
    CHECK(engine->kernels->dtype != GS_F64 || fabs(value - mean) <= 1e-13 * scale);
    gs_signal_free(&out);
    loss_case_free(&c);
}

static void check_losses(const gs_engine *engine) {
    for (size_t kind = GS_LOSS_MSE; kind <= GS_LOSS_RANDOM; kind++)
        for (size_t i = 0; i < TEST_SIZES; i++)
            for (size_t j = 0; j < TEST_SIZES; j++)
                check_example_losses(engine, kind, test_units[i], test_batches[j], (int)j - 2);
}

static void test_the_mean_of_the_losses_of_examples_is_the_loss(void) {
    test_on_every_table(check_losses);
}

static double cross_entropy(const gs_engine *engine, double first, double second, int64_t exponent,
                            size_t label) {
    gs_loss loss;
    gs_signal x = test_signal_of(engine, 2, 1, (double[]){first, second});
    CHECK(gs_loss_new(engine, GS_LOSS_CE, 2, 1, &loss, &error) == GS_OK);
    loss.labels[0] = label;
    x.exponent = exponent;
    double value = gs_loss_of_example(engine, &loss, &x, 0);
    gs_loss_free(&loss);
    gs_signal_free(&x);
    return value;
}

/* log(1 + e^-d) and d + log(1 + e^-d), where 1 + e^-d is 1. */
static void check_extreme_logits(const gs_engine *engine) {
    CHECK_CLOSE(cross_entropy(engine, 50, 0, 0, 0), 1.9287498479639178e-22, 1e-15);
    CHECK_CLOSE(cross_entropy(engine, 0, 600, 0, 1), 2.6503965530043108e-261, 1e-15);
    CHECK(cross_entropy(engine, 50, 0, 0, 1) == 50);
    CHECK_CLOSE(cross_entropy(engine, 0, 0, 0, 1), 0.69314718055994531, 1e-15);
    CHECK_CLOSE(cross_entropy(engine, 1, 0, -3000, 0), 0.69314718055994531, 1e-15);
    CHECK(cross_entropy(engine, 1, 0, 5000, 0) == 0);
    CHECK(cross_entropy(engine, 1, 0, 5000, 1) == INFINITY);
    CHECK(isnan(cross_entropy(engine, (double)NAN, 0, 0, 1)));
    CHECK(isnan(cross_entropy(engine, 0, (double)NAN, 0, 0)));
}

static void test_cross_entropy_keeps_its_digits_where_it_is_tiny(void) {
    test_on_every_table(check_extreme_logits);
}

/* (2^-2000 - 1)^2 and 2^4000 do not fit the squares of what they are made of. */
static void check_extreme_squares(const gs_engine *engine) {
    gs_loss loss;
    gs_signal x = test_signal_of(engine, 2, 1, (double[]){1, 1});
    CHECK(gs_loss_new(engine, GS_LOSS_MSE, 2, 1, &loss, &error) == GS_OK);
    gs_signal_write(engine, (double[]){1, 0}, &loss.target);
    x.exponent = -2000;
    CHECK(gs_loss_of_example(engine, &loss, &x, 0) == 0.5);
    x.exponent = 400;
    CHECK_CLOSE(gs_loss_of_example(engine, &loss, &x, 0), 0x1p800, 1e-15);
    x.exponent = 2000;
    CHECK(gs_loss_of_example(engine, &loss, &x, 0) == INFINITY);
    loss.target.exponent = x.exponent = GS_EXPONENT_OF_ZERO;
    CHECK(gs_loss_of_example(engine, &loss, &x, 0) == 0);
    gs_loss_free(&loss);
    gs_signal_free(&x);
}

static void test_square_errors_may_be_of_any_size(void) {
    test_on_every_table(check_extreme_squares);
}

/* ---- All examples ---- */

enum { FEATURES = 5, CLASSES = 4, EXAMPLES = 23, WIDTH = 7 };

#define SHAPE "layers=2 width=7 inputs=5 outputs=4 head=on act=tanh init=xavier gain=2 "

static double *values;
static size_t labels[EXAMPLES];

static gs_data data_of(size_t examples) {
    if (!values)
        values = test_random(5, EXAMPLES * FEATURES);
    for (size_t i = 0; i < EXAMPLES; i++)
        labels[i] = i * i % CLASSES == 1 ? 2 : i % CLASSES;
    return (gs_data){examples, FEATURES, CLASSES, values, labels};
}

/* y = W x */
static void multiply(const gs_network *network, const char *name, size_t outputs, size_t inputs,
                     const double *x, double *y) {
    double *weight = test_numbers(outputs * inputs);
    read_tensor(network, name, weight, outputs * inputs);
    for (size_t i = 0; i < outputs; i++) {
        y[i] = 0;
        for (size_t j = 0; j < inputs; j++)
            y[i] += weight[i * inputs + j] * x[j];
    }
    free(weight);
}

static void naive_outputs(const gs_network *network, const double *x, double *out) {
    double first[WIDTH], second[WIDTH];
    multiply(network, "layers.1.weight", WIDTH, FEATURES, x, first);
    for (size_t i = 0; i < WIDTH; i++)
        first[i] = tanh(first[i]);
    multiply(network, "layers.2.weight", WIDTH, WIDTH, first, second);
    for (size_t i = 0; i < WIDTH; i++)
        second[i] = tanh(second[i]);
    multiply(network, "head.weight", CLASSES, WIDTH, second, out);
}

static void naive_evaluation(const gs_network *network, size_t kind, const gs_data *data,
                             double *loss, double *accuracy) {
    double r[CLASSES] = {0};
    if (kind == GS_LOSS_RANDOM)
        read_tensor(network, "readout", r, CLASSES);
    *loss = *accuracy = 0;
    for (size_t i = 0; i < data->examples; i++) {
        double out[CLASSES], target[CLASSES] = {0};
        size_t top = 0;
        naive_outputs(network, data->values + i * FEATURES, out);
        for (size_t u = 1; u < CLASSES; u++)
            top = out[u] > out[top] ? u : top;
        target[data->labels[i]] = 1;
        *loss += naive_loss(kind, CLASSES, out, target, r, data->labels[i]);
        *accuracy += top == data->labels[i];
    }
    *loss /= (double)data->examples;
    *accuracy /= (double)data->examples;
}

/* Whole batches, a batch that is filled up, and one that is filled up with all examples again and
   again. */
static void check_evaluation(const char *name, size_t kind, size_t batch) {
    static const size_t counts[] = {1, 3, 8, 16, EXAMPLES};
    char options[256];
    snprintf(options, sizeof options, SHAPE "loss=%s batch=%zu", name, batch);
    gs_network *network = network_of(options);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        gs_data data = data_of(counts[i]);
        double loss, accuracy, expected_loss, expected_accuracy;
        naive_evaluation(network, kind, &data, &expected_loss, &expected_accuracy);
        CHECK_THAT(gs_network_evaluate(network, &data, &loss, &accuracy, &error) == GS_OK, "%s",
                   error.message);
        CHECK_THAT(fabs(loss - expected_loss) < 1e-14, "%s of %zu is %.17g, expected %.17g", name,
                   counts[i], loss, expected_loss);
        CHECK(accuracy == expected_accuracy);
    }
    gs_network_free(network);
}

static void test_evaluation_is_the_mean_over_all_examples(void) {
    static const char *const names[] = {"mse", "ce", "sum", "random"};
    static const size_t batches[] = {1, 5, 8, 33};
    for (size_t kind = 0; kind < 4; kind++)
        for (size_t j = 0; j < 4; j++)
            check_evaluation(names[kind], kind, batches[j]);
}

/* The sums of a batch norm are over the examples that fill the batch up, too. */
static void test_a_batch_norm_has_the_statistics_of_the_filled_up_batch(void) {
    enum { BATCH = 8 };
    gs_network *network = network_of(SHAPE "norm=batch loss=ce batch=8");
    gs_data data = data_of(11);
    double input[BATCH * FEATURES], loss, accuracy, expected = 0;
    size_t chosen[BATCH];
    for (size_t first = 0; first < data.examples; first += BATCH) {
        for (size_t b = 0; b < BATCH; b++) {
            size_t i = first + b < data.examples ? first + b : first + b - data.examples;
            memcpy(input + b * FEATURES, values + i * FEATURES, FEATURES * sizeof *input);
            chosen[b] = labels[i];
        }
        CHECK(gs_network_set_batch(network, input, NULL, chosen, &error) == GS_OK);
        CHECK(gs_network_forward(network, &loss, &error) == GS_OK);
        for (size_t b = 0; b < BATCH && first + b < data.examples; b++)
            expected += gs_loss_of_example(&network->engine, &network->loss,
                                           &network->stages[network->stage_count - 1].out, b);
    }
    CHECK(gs_network_evaluate(network, &data, &loss, &accuracy, &error) == GS_OK);
    CHECK_CLOSE(loss, expected / (double)data.examples, 0);
    gs_network_free(network);
}

static void test_evaluation_has_the_same_bytes_for_any_number_of_threads(void) {
    static const char *const dtypes[] = {"f64", "f32"};
    gs_data data = data_of(EXAMPLES);
    for (size_t i = 0; i < 2; i++) {
        double first = 0, loss, accuracy;
        for (size_t threads = 1; threads <= 4; threads++) {
            char options[256];
            snprintf(options, sizeof options,
                     "layers=3 width=300 inputs=5 outputs=4 batch=17 loss=ce dtype=%s threads=%zu",
                     dtypes[i], threads);
            gs_network *network = network_of(options);
            CHECK(gs_network_evaluate(network, &data, &loss, &accuracy, &error) == GS_OK);
            first = threads == 1 ? loss : first;
            CHECK(memcmp(&first, &loss, sizeof loss) == 0);
            gs_network_free(network);
        }
    }
}

static void test_examples_that_do_not_fit_are_refused(void) {
    gs_network *network = network_of(SHAPE "loss=ce batch=8");
    gs_data data = data_of(EXAMPLES);
    double loss, accuracy;
    data.features = 4;
    CHECK(gs_network_evaluate(network, &data, &loss, &accuracy, &error) == GS_ERR_USAGE);
    CHECK_STRING(error.message, "expected examples of 5 features, got 4");
    data = data_of(EXAMPLES);
    labels[20] = CLASSES;
    CHECK(gs_network_evaluate(network, &data, &loss, &accuracy, &error) == GS_ERR_USAGE);
    gs_network_free(network);
}

static void test_evaluation_may_run_out_of_memory(void) {
    gs_network *network = network_of(SHAPE "loss=ce batch=8");
    gs_data data = data_of(EXAMPLES);
    double loss, accuracy;
    for (size_t n = 1; n <= 2; n++) {
        test_fail_allocation(n);
        CHECK(gs_network_evaluate(network, &data, &loss, &accuracy, &error) == GS_ERR_MEMORY);
        CHECK(test_allocation_failed());
    }
    CHECK(gs_network_evaluate(network, &data, &loss, &accuracy, &error) == GS_OK);
    gs_network_free(network);
}

/* ---- Accuracy ---- */

/* A network that passes its input on. */
static gs_network *identity(const char *loss) {
    char options[256];
    snprintf(options, sizeof options, "layers=1 width=3 batch=4 act=linear init=identity loss=%s",
             loss);
    return network_of(options);
}

static void check_accuracy(const double *input, const size_t *given, double expected) {
    static const char *const losses[] = {"ce", "mse", "sum", "random"};
    for (size_t i = 0; i < 4; i++) {
        gs_network *network = identity(losses[i]);
        gs_data data = {4, 3, 3, (double *)input, (size_t *)given};
        double loss, accuracy;
        CHECK(gs_network_set_batch(network, input, NULL, given, &error) == GS_OK);
        CHECK(gs_network_forward(network, &loss, &error) == GS_OK);
        CHECK_CLOSE(gs_batch_accuracy(network, given), expected, 0);
        CHECK_CLOSE(gs_batch_accuracy(network, NULL), i == 0 ? expected : (double)NAN, 0);
        CHECK(gs_network_evaluate(network, &data, &loss, &accuracy, &error) == GS_OK);
        CHECK_CLOSE(accuracy, expected, 0);
        gs_network_free(network);
    }
}

static void test_accuracy_is_of_the_first_of_the_largest_outputs(void) {
    const double equal[12] = {0}, some[12] = {1, 3, 3, 2, 1, 0, -3, -1, -2, 4, 5, 6};
    check_accuracy(equal, (size_t[]){0, 0, 0, 1}, 0.75);
    check_accuracy(some, (size_t[]){1, 0, 1, 2}, 1);
    check_accuracy(some, (size_t[]){2, 0, 0, 1}, 0.25);
}

/* An input that is nan makes all outputs nan; a bias of the head that is, one of every example. */
static void test_an_output_that_is_no_number_counts_as_wrong(void) {
    const double n = (double)NAN, input[12] = {n, 0, 0, 0, n, 0, 5, 0, n, 4, 5, 6};
    check_accuracy(input, (size_t[]){0, 1, 0, 2}, 0.25);
    for (size_t unit = 0; unit < 3; unit++) {
        gs_network *network = identity("ce");
        double loss, bias[3] = {0}, numbers[12] = {1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0};
        bias[unit] = n;
        write_tensor(network, "head.bias", bias, 3);
        CHECK(gs_network_set_batch(network, numbers, NULL, (size_t[]){0, 1, 2, 0}, &error) ==
              GS_OK);
        CHECK(gs_network_forward(network, &loss, &error) == GS_OK);
        CHECK(gs_batch_accuracy(network, NULL) == 0);
        gs_network_free(network);
    }
}

static void test_accuracy_is_of_the_drawn_labels_too(void) {
    gs_network *network = network_of("layers=2 width=6 outputs=3 batch=50 loss=ce");
    size_t drawn[50];
    double loss, target[50];
    CHECK(gs_network_forward(network, &loss, &error) == GS_OK);
    read_tensor(network, "target", target, 50);
    for (size_t b = 0; b < 50; b++)
        drawn[b] = (size_t)target[b];
    double accuracy = gs_batch_accuracy(network, NULL);
    CHECK(accuracy > 0 && accuracy < 1 && accuracy == gs_batch_accuracy(network, drawn));
    gs_network_free(network);
}

/* Where the signals of layers are made again on the way back, that of the last is not written
   over. */
static void test_the_accuracy_of_a_batch_is_there_after_the_pass_back(void) {
    gs_network *network = network_of("layers=63 width=40 order=act-dense act=relu init=he loss=ce "
                                     "batch=60 weights=streamed memory=3M");
    double loss;
    CHECK(network->segment > 0);
    CHECK(gs_network_forward(network, &loss, &error) == GS_OK);
    double before = gs_batch_accuracy(network, NULL);
    double *outputs = test_values(&network->engine, &network->stages[network->stage_count - 1].out);
    CHECK(gs_network_backward(network, &error) == GS_OK);
    double *after = test_values(&network->engine, &network->stages[network->stage_count - 1].out);
    CHECK(memcmp(outputs, after, 60 * 40 * sizeof *after) == 0);
    CHECK(gs_batch_accuracy(network, NULL) == before);
    free(outputs), free(after);
    gs_network_free(network);
}

TEST_MAIN(TEST(test_the_mean_of_the_losses_of_examples_is_the_loss),
          TEST(test_cross_entropy_keeps_its_digits_where_it_is_tiny),
          TEST(test_square_errors_may_be_of_any_size),
          TEST(test_evaluation_is_the_mean_over_all_examples),
          TEST(test_a_batch_norm_has_the_statistics_of_the_filled_up_batch),
          TEST(test_evaluation_has_the_same_bytes_for_any_number_of_threads),
          TEST(test_examples_that_do_not_fit_are_refused),
          TEST(test_evaluation_may_run_out_of_memory),
          TEST(test_accuracy_is_of_the_first_of_the_largest_outputs),
          TEST(test_an_output_that_is_no_number_counts_as_wrong),
          TEST(test_accuracy_is_of_the_drawn_labels_too),
          TEST(test_the_accuracy_of_a_batch_is_there_after_the_pass_back))
