/*
 * Networks through the public API: tensors and batches by name, networks of any depth, the same
 * bytes whatever the threads, the instruction set and the exponents, the order of passes, and
 * memory that runs out.
 */
#include "configured.h"

#include "net/network.h"

static double number(const gs_layer_stats *row, gs_column column) {
    double value = NAN;
    CHECK_THAT(gs_layer_stats_get(row, column, &value), "%s is absent", gs_column_name(column));
    return value;
}

/* ---- Tensors ---- */

static void check_list(const gs_network *network, const char *expected) {
    char list[2048] = "";
    gs_tensor tensor;
    for (size_t i = 0; gs_network_tensor(network, i, &tensor); i++) {
        size_t length = strlen(list);
        length += (size_t)snprintf(list + length, sizeof list - length, "%s%s[%zu",
                                   i > 0 ? " " : "", tensor.name, tensor.shape[0]);
        if (tensor.rank == 2)
            length +=
                (size_t)snprintf(list + length, sizeof list - length, ",%zu", tensor.shape[1]);
        CHECK(tensor.rank == 2 || (tensor.rank == 1 && tensor.shape[1] == 1));
        snprintf(list + length, sizeof list - length, "]");
    }
    CHECK_STRING(list, expected);
}

static void test_tensors_are_listed_in_the_order_of_a_file(void) {
    gs_network *network = network_of((const char *const[][2]){
        {"layers", "2"}, {"width", "4"}, {"inputs", "3"}, {"batch", "5"}, {NULL}});
    CHECK(gs_network_layers(network) == 2 && gs_network_inputs(network) == 3);
    CHECK(gs_network_outputs(network) == 4 && gs_network_batch(network) == 5);
    check_list(network,
               "input[5,3] target[5,4] layers.1.weight[4,3] layers.1.bias[4] layers.2.weight[4,4] "
               "layers.2.bias[4]");
    CHECK(gs_network_keep_gradients(network, &error) == GS_OK);
    CHECK(gs_network_forward(network, NULL, &error) == GS_OK);
    CHECK(gs_network_backward(network, &error) == GS_OK);
    check_list(network,
               "input[5,3] target[5,4] layers.1.weight[4,3] layers.1.bias[4] layers.2.weight[4,4] "
               "layers.2.bias[4] layers.1.weight.grad[4,3] layers.1.bias.grad[4] "
               "layers.2.weight.grad[4,4] layers.2.bias.grad[4]");
    gs_network_free(network);
}

static void test_norms_skips_heads_and_labels_have_tensors(void) {
    gs_network *network = network_of((const char *const[][2]){{"layers", "1"},
                                                              {"width", "4"},
                                                              {"batch", "5"},
                                                              {"loss", "ce"},
                                                              {"outputs", "3"},
                                                              {"norm", "layer"},
                                                              {"residual", "add"},
                                                              {"branch-scale", "rezero"},
                                                              {NULL}});
    CHECK(gs_network_layers(network) == 2);
    check_list(network,
               "input[5,4] target[5] layers.1.weight[4,4] layers.1.bias[4] layers.1.norm.weight[4] "
               "layers.1.norm.bias[4] layers.1.branch_scale[1] head.weight[3,4] head.bias[3]");
    gs_network_free(network);
    network = network_of((const char *const[][2]){
        {"layers", "1"}, {"width", "2"}, {"batch", "1"}, {"loss", "random"}, {NULL}});
    check_list(network, "input[1,2] readout[2] layers.1.weight[2,2] layers.1.bias[2]");
    gs_network_free(network);
}

static void check_written(const char *dtype, const char *loss) {
    gs_network *network = network_of((const char *const[][2]){{"layers", "2"},
                                                              {"width", "9"},
                                                              {"inputs", "7"},
                                                              {"batch", "17"},
                                                              {"loss", loss},
                                                              {"dtype", dtype},
                                                              {"norm", "rms"},
                                                              {"residual", "add"},
                                                              {"branch-scale", "rezero"},
                                                              {NULL}});
    gs_tensor tensor;
    for (size_t i = 0; gs_network_tensor(network, i, &tensor); i++) {
        size_t count = tensor.shape[0] * tensor.shape[1];
        bool labels = strcmp(tensor.name, "target") == 0 && tensor.rank == 1;
        double *values = test_random(i, count);
        for (size_t j = 0; j < count; j++)
            values[j] = labels ? (double)(j % 9) : values[j] / 3;
        CHECK(gs_network_write(network, tensor.name, values, count, &error) == GS_OK);
        CHECK(gs_network_forward(network, NULL, &error) == GS_OK);
        double *read = tensor_values(network, tensor.name, count);
        for (size_t j = 0; j < count; j++)
            CHECK_THAT(read[j] ==
                           (strcmp(dtype, "f32") == 0 ? (double)(float)values[j] : values[j]),
                       "%s: %.17g, expected %.17g", tensor.name, read[j], values[j]);
        free(values), free(read);
    }
    gs_network_free(network);
}

static void test_tensors_that_are_written_are_read_back_rounded_to_their_type(void) {
    static const char *const losses[] = {"mse", "ce", "sum", "random"};
    for (size_t i = 0; i < 4; i++) {
        check_written("f64", losses[i]);
        check_written("f32", losses[i]);
    }
}

static void check_refused(gs_network *network, const char *name, size_t count, double value,
                          const char *message) {
    double values[64];
    for (size_t i = 0; i < 64; i++)
        values[i] = value;
    CHECK(gs_network_write(network, name, values, count, &error) == GS_ERR_USAGE);
    CHECK(error.code == GS_ERR_USAGE);
    CHECK_STRING(error.message, message);
}

static void test_what_cannot_be_written_is_refused_by_name(void) {
    gs_network *network = network_of((const char *const[][2]){
        {"layers", "1"}, {"width", "4"}, {"batch", "5"}, {"loss", "ce"}, {"outputs", "3"}, {NULL}});
    check_refused(network, "weight", 4, 0, "this network has no tensor 'weight'");
    check_refused(network, "layers.1.weight.grad", 16, 0,
                  "layers.1.weight.grad: a gradient cannot be written");
    check_refused(network, "layers.1.weight", 12, 0, "layers.1.weight: expected 16 values, got 12");
    check_refused(network, "target", 5, 3, "target: expected classes from 0 to 2, got 3");
    check_refused(network, "target", 5, -1, "target: expected classes from 0 to 2, got -1");
    check_refused(network, "target", 5, 0.5, "target: expected classes from 0 to 2, got 0.5");
    check_refused(network, "target", 5, NAN, "target: expected classes from 0 to 2, got nan");
    CHECK(gs_network_keep_gradients(network, &error) == GS_OK);
    check_refused(network, "layers.1.weight.grad", 16, 0,
                  "layers.1.weight.grad: a gradient cannot be written");
    double value;
    CHECK(gs_network_read(network, "input", &value, 1, &error) == GS_ERR_USAGE);
    CHECK_STRING(error.message, "input: expected 20 values, got 1");
    CHECK(gs_network_read(network, "", &value, 1, NULL) == GS_ERR_USAGE);
    gs_network_free(network);
}

static void test_contradictory_options_make_no_network(void) {
    gs_config *config =
        configure((const char *const[][2]){{"norm", "batch"}, {"batch", "1"}, {NULL}});
    CHECK(gs_network_new(config, &error) == NULL && error.code == GS_ERR_USAGE);
    gs_config_free(config);
    gs_network_free(NULL);
}

/* ---- Any depth ---- */

/* Every layer of a linear network with W = c I multiplies the gradient by c, so that all is known.
   With mantissas rounded to f32 c is a power of two; log10 errs by two units in the last place. */
static void check_depth(const char *dtype, const char *init, double log10_of_c) {
    enum { LAYERS = 3000 };
    gs_network *network = network_of((const char *const[][2]){{"layers", "3000"},
                                                              {"width", "8"},
                                                              {"batch", "1"},
                                                              {"act", "linear"},
                                                              {"loss", "sum"},
                                                              {"init", init},
                                                              {"dtype", dtype},
                                                              {"input", "constant:1"},
                                                              {NULL}});
    gs_layer_stats *rows = calloc(LAYERS, sizeof *rows);
    gs_summary summary;
    CHECK(gs_measure(network, rows, &summary, &error) == GS_OK);
    for (size_t l = 1; l <= LAYERS; l++) {
        double grad_z = log10(8) / 2 + (double)(LAYERS - l) * log10_of_c;
        CHECK_CLOSE(number(&rows[l - 1], GS_GRAD_Z_LOG10), grad_z, 8 * 0x1p-52);
        /* dL/dW = d x^T with |x_l| = c^l sqrt(8) */
        CHECK_CLOSE(number(&rows[l - 1], GS_GRAD_W_LOG10),
                    log10(8) + (double)(LAYERS - 1) * log10_of_c, 8 * 0x1p-52);
    }
    CHECK_CLOSE(summary.ratio_log10, LAYERS * log10_of_c, 8 * 0x1p-52);
    CHECK(summary.verdict == (log10_of_c < 0 ? GS_VANISHING : GS_EXPLODING));
    CHECK(summary.nonfinite_layer == 0);
    gs_network_free(network);
    free(rows);
}

static void test_norms_of_three_thousand_layers_are_exact(void) {
    check_depth("f64", "identity:0.0009765625", -10 * log10(2));
    check_depth("f64", "identity:1024", 10 * log10(2));
    check_depth("f32", "identity:0.0009765625", -10 * log10(2));
    check_depth("f32", "identity:1024", 10 * log10(2));
}

/* With W = I and b = -1/2, sigmoid(0) = 1/2 feeds every layer, whose slope is 1/4. */
static void test_two_thousand_sigmoid_layers_divide_the_gradient_by_four_each(void) {
    gs_network *network = network_of((const char *const[][2]){{"layers", "2000"},
                                                              {"width", "8"},
                                                              {"batch", "2"},
                                                              {"act", "sigmoid"},
                                                              {"loss", "sum"},
                                                              {"init", "identity"},
                                                              {"bias", "-0.5"},
                                                              {"input", "constant:0.5"},
                                                              {NULL}});
    gs_layer_stats *rows = calloc(2000, sizeof *rows);
    gs_summary summary;
    CHECK(gs_measure(network, rows, &summary, &error) == GS_OK);
    CHECK_CLOSE(summary.ratio_log10, -4000 * log10(2), 8 * 0x1p-52);
    CHECK(number(&rows[0], GS_GRAD_W) == 0); /* what does not fit */
    CHECK(fabs(number(&rows[0], GS_GRAD_W_LOG10) + 4000 * log10(2)) < 2);
    gs_network_free(network);
    free(rows);
}

/* gelu leaves the range of its type at some layer, and that layer is named; true values of 1e200,
   whose squares do not fit, are still numbers. */
static void test_layer_that_overflows_is_named(void) {
    static const struct {
        const char *dtype;
        size_t layer; /* 10^(10 l) overflows at 1.8e308 or 3.4e38 */
    } cases[] = {{"f64", 31}, {"f32", 4}};
    for (size_t i = 0; i < 2; i++) {
        gs_network *network = network_of((const char *const[][2]){{"layers", "40"},
                                                                  {"width", "8"},
                                                                  {"batch", "1"},
                                                                  {"act", "gelu"},
                                                                  {"init", "identity:1e10"},
                                                                  {"input", "constant:1"},
                                                                  {"dtype", cases[i].dtype},
                                                                  {NULL}});
        gs_layer_stats rows[40];
        gs_summary summary;
        CHECK(gs_measure(network, rows, &summary, &error) == GS_OK);
        CHECK_THAT(summary.nonfinite_layer == cases[i].layer, "%s: layer %zu", cases[i].dtype,
                   summary.nonfinite_layer);
        CHECK(summary.verdict == GS_NONFINITE);
        CHECK_CLOSE(number(&rows[cases[i].layer - 2], GS_A_MEAN), i == 0 ? 1e300 : 1e30,
                    40 * 0x1p-23);
        gs_network_free(network);
    }
}

/* ---- Exponents change no bit ---- */

enum { LEAKY_LAYERS = 60, LEAKY_WIDTH = 9, LEAKY_BATCH = 7 };

/* z = W x by the chain of the kernels: fused, over ascending k. */
static void chain(const double *w, bool transposed, const double *x, double *z) {
    for (size_t i = 0; i < LEAKY_WIDTH; i++) {
        z[i] = 0;
        for (size_t k = 0; k < LEAKY_WIDTH; k++)
            z[i] = fma(transposed ? w[k * LEAKY_WIDTH + i] : w[i * LEAKY_WIDTH + k], x[k], z[i]);
    }
}

typedef struct {
    double weight[LEAKY_LAYERS][LEAKY_WIDTH * LEAKY_WIDTH];
    double x[LEAKY_LAYERS + 1][LEAKY_BATCH][LEAKY_WIDTH]; /* x[0] is the input */
    double z[LEAKY_LAYERS][LEAKY_BATCH][LEAKY_WIDTH];
    double grad[LEAKY_BATCH][LEAKY_WIDTH]; /* dL/dx, at the end dL/dx_0 */
    double grad_weight[LEAKY_LAYERS][LEAKY_WIDTH * LEAKY_WIDTH];
} plain_network;

static void plain_forward_and_backward(plain_network *p, const double *readout) {
    for (size_t l = 0; l < LEAKY_LAYERS; l++)
        for (size_t b = 0; b < LEAKY_BATCH; b++) {
            chain(p->weight[l], false, p->x[l][b], p->z[l][b]);
            for (size_t u = 0; u < LEAKY_WIDTH; u++)
                p->x[l + 1][b][u] = p->z[l][b][u] * (p->z[l][b][u] > 0 ? 1 : 0.25);
        }
    for (size_t b = 0; b < LEAKY_BATCH; b++)
        for (size_t u = 0; u < LEAKY_WIDTH; u++)
            p->grad[b][u] = readout[u] / LEAKY_BATCH;
    for (size_t l = LEAKY_LAYERS; l-- > 0;)
        for (size_t b = 0; b < LEAKY_BATCH; b++) {
            double delta[LEAKY_WIDTH];
            for (size_t u = 0; u < LEAKY_WIDTH; u++)
                delta[u] = p->grad[b][u] * (p->z[l][b][u] > 0 ? 1 : 0.25);
            for (size_t i = 0; i < LEAKY_WIDTH * LEAKY_WIDTH; i++)
                p->grad_weight[l][i] =
                    fma(delta[i / LEAKY_WIDTH], p->x[l][b][i % LEAKY_WIDTH], p->grad_weight[l][i]);
            chain(p->weight[l], true, delta, p->grad[b]);
        }
}

/* Signals fall or rise by 200 decades on the way, which rescales them several times, and no number
   of the plain computation leaves the range of double. */
static void check_exponents(const char *init) {
    gs_network *network = network_of((const char *const[][2]){{"layers", "60"},
                                                              {"width", "9"},
                                                              {"batch", "7"},
                                                              {"act", "leaky-relu:0.25"},
                                                              {"loss", "random"},
                                                              {"init", init},
                                                              {NULL}});
    plain_network *p = calloc(1, sizeof *p);
    double readout[LEAKY_WIDTH], actual[LEAKY_WIDTH * LEAKY_WIDTH];
    char name[64];
    CHECK(gs_network_keep_gradients(network, &error) == GS_OK);
    CHECK(gs_network_forward(network, NULL, &error) == GS_OK);
    CHECK(gs_network_backward(network, &error) == GS_OK);
    CHECK(gs_network_read(network, "readout", readout, LEAKY_WIDTH, &error) == GS_OK);
    CHECK(gs_network_read(network, "input", p->x[0][0], LEAKY_BATCH * LEAKY_WIDTH, &error) ==
          GS_OK);
    for (size_t l = 0; l < LEAKY_LAYERS; l++) {
        snprintf(name, sizeof name, "layers.%zu.weight", l + 1);
        CHECK(gs_network_read(network, name, p->weight[l], LEAKY_WIDTH * LEAKY_WIDTH, &error) ==
              GS_OK);
    }
    plain_forward_and_backward(p, readout);
    double *input_grad = test_values(&network->engine, &network->grad);
    CHECK(memcmp(input_grad, p->grad, sizeof p->grad) == 0);
    CHECK(fabs(log10(fabs(input_grad[0]))) > 190);
    for (size_t l = 0; l < LEAKY_LAYERS; l++) {
        snprintf(name, sizeof name, "layers.%zu.weight.grad", l + 1);
        CHECK(gs_network_read(network, name, actual, LEAKY_WIDTH * LEAKY_WIDTH, &error) == GS_OK);
        CHECK_THAT(memcmp(actual, p->grad_weight[l], sizeof actual) == 0, "layer %zu", l + 1);
    }
    gs_network_free(network);
    free(p), free(input_grad);
}

static void test_rescaling_changes_no_bit_where_nothing_would_under_or_overflow(void) {
    check_exponents("normal:2e-4");
    check_exponents("normal:2000");
    check_exponents("identity:2e-4");
}

/* ---- The order of things ---- */

static const char *const small[][2] = {
    {"layers", "3"},     {"width", "6"}, {"batch", "4"},      {"act", "tanh"},  {"norm", "layer"},
    {"residual", "add"}, {"loss", "ce"}, {"clip", "agc:0.1"}, {"threads", "1"}, {NULL}};
enum { SMALL_ROWS = 4 };

static void test_passes_come_in_order(void) {
    gs_config *config = configure(small);
    gs_network *network = gs_network_new(config, &error);
    gs_layer_stats rows[SMALL_ROWS];
    gs_summary summary;
    CHECK(gs_network_forward(network, NULL, &error) == GS_ERR_USAGE);
    CHECK_STRING(error.message, "the network has no batch: draw one or set one first");
    CHECK(gs_measure(network, rows, &summary, &error) == GS_ERR_USAGE);
    CHECK(gs_network_draw_batch(network, &error) == GS_OK);
    CHECK(gs_network_backward(network, &error) == GS_ERR_USAGE);
    CHECK_STRING(error.message, "backward: expected a forward pass before it");
    CHECK(gs_network_forward(network, NULL, &error) == GS_OK);
    CHECK(gs_network_backward(network, &error) == GS_OK);
    CHECK(gs_network_backward(network, &error) == GS_ERR_USAGE);
    double weight[36] = {0};
    CHECK(gs_network_forward(network, NULL, &error) == GS_OK);
    CHECK(gs_network_write(network, "layers.2.weight", weight, 36, &error) == GS_OK);
    CHECK(gs_network_backward(network, &error) == GS_ERR_USAGE);
    CHECK(gs_network_forward(network, NULL, &error) == GS_OK);
    CHECK(gs_network_draw_batch(network, &error) == GS_OK);
    CHECK(gs_network_backward(network, &error) == GS_ERR_USAGE);
    gs_network_free(network);
    gs_config_free(config);
}

static void test_a_batch_has_what_its_loss_needs(void) {
    gs_config *config = configure(small); /* ce */
    gs_network *network = gs_network_new(config, &error);
    double input[24] = {0}, target[24] = {0};
    size_t labels[4] = {0, 1, 2, 3};
    CHECK(gs_network_set_batch(network, input, NULL, NULL, &error) == GS_OK);
    CHECK(gs_network_forward(network, NULL, &error) == GS_ERR_USAGE);
    CHECK_STRING(error.message, "the batch has no labels, which its loss needs");
    CHECK(gs_network_set_batch(network, NULL, target, NULL, &error) == GS_ERR_USAGE);
    CHECK_STRING(error.message, "target: expected none with this loss, got one");
    CHECK(gs_network_set_batch(network, NULL, target, labels, &error) == GS_ERR_USAGE);
    CHECK_STRING(error.message, "target: expected a target or labels, got both");
    CHECK(gs_network_set_batch(network, NULL, NULL, labels, &error) == GS_OK);
    CHECK(gs_network_forward(network, NULL, &error) == GS_OK);
    gs_network_free(network);
    gs_config_free(config);
}

TEST_MAIN(TEST(test_tensors_are_listed_in_the_order_of_a_file),
          TEST(test_norms_skips_heads_and_labels_have_tensors),
          TEST(test_tensors_that_are_written_are_read_back_rounded_to_their_type),
          TEST(test_what_cannot_be_written_is_refused_by_name),
          TEST(test_contradictory_options_make_no_network),
          TEST(test_norms_of_three_thousand_layers_are_exact),
          TEST(test_two_thousand_sigmoid_layers_divide_the_gradient_by_four_each),
          TEST(test_layer_that_overflows_is_named),
          TEST(test_rescaling_changes_no_bit_where_nothing_would_under_or_overflow),
          TEST(test_passes_come_in_order), TEST(test_a_batch_has_what_its_loss_needs))
