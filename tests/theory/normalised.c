/*
 * Rows 24 to 32: layers with norms. The rates are those of inner layers: the norm of the first
 * layer sees the input, and the gradient of the last has not passed through W^T.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "theory.h"

/* ---- Row 31: the gradient that a norm alone passes back, with eps 0 ---- */

enum { UNITS = 9, EXAMPLES = 21, NUMBERS = UNITS * EXAMPLES };

typedef struct {
    double normalised[NUMBERS], grad[NUMBERS];
} norm_pass;

static void pass_through(const char *norm, norm_pass *pass) {
    gs_error error = {GS_OK, ""};
    gs_module *module = gs_module_new_norm(UNITS, norm, 0, &error);
    double x[NUMBERS], grad_y[NUMBERS];
    theory_require(error.code, &error, norm);
    for (size_t i = 0; i < NUMBERS; i++) {
        x[i] = sin((double)(i * i)) + 0.5;
        grad_y[i] = cos((double)(i * i * i));
    }
    theory_require(gs_module_forward(module, EXAMPLES, x, pass->normalised, &error), &error, norm);
    theory_require(gs_module_backward(module, grad_y, pass->grad, &error), &error, norm);
    gs_module_free(module);
}

/* |sum x y| over sum |x y|, of `count` numbers a stride apart. */
static double cosine(const double *x, const double *y, size_t count, size_t stride) {
    double sum = 0, size = 0;
    for (size_t i = 0; i < count; i++) {
        sum += x[i * stride] * y[i * stride];
        size += fabs(x[i * stride] * y[i * stride]);
    }
    return fabs(sum) / size; /* NaN, which agrees with nothing, where there is nothing */
}

/* The larger, or NaN if one is NaN. */
static double worse(double x, double y) {
    return x >= y || isnan(x) ? x : y;
}

/* The worst of dx against x_hat, or against 1: of each unit over the batch, or of each example over
   its units. `options` is the norm. */
static double worst_overlap(const char *norm, bool of_units, bool with_ones) {
    norm_pass pass;
    double ones[NUMBERS], worst = 0;
    size_t lines = of_units ? UNITS : EXAMPLES, length = of_units ? EXAMPLES : UNITS;
    for (size_t i = 0; i < NUMBERS; i++)
        ones[i] = 1;
    pass_through(norm, &pass);
    for (size_t i = 0; i < lines; i++) {
        size_t first = of_units ? i : i * UNITS;
        const double *other = with_ones ? ones : pass.normalised + first;
        worst = worse(cosine(pass.grad + first, other, length, of_units ? UNITS : 1), worst);
    }
    return worst;
}

static void sample_units_with_ones(const theory_case *c, uint64_t seed, double *worst) {
    (void)seed;
    *worst = worst_overlap(c->options, true, true);
}

static void sample_units_with_output(const theory_case *c, uint64_t seed, double *worst) {
    (void)seed;
    *worst = worst_overlap(c->options, true, false);
}

static void sample_examples_with_ones(const theory_case *c, uint64_t seed, double *worst) {
    (void)seed;
    *worst = worst_overlap(c->options, false, true);
}

static void sample_examples_with_output(const theory_case *c, uint64_t seed, double *worst) {
    (void)seed;
    *worst = worst_overlap(c->options, false, false);
}

static const theory_probe units_with_ones = {sample_units_with_ones, AVERAGE, NULL};
static const theory_probe units_with_output = {sample_units_with_output, AVERAGE, NULL};
static const theory_probe examples_with_ones = {sample_examples_with_ones, AVERAGE, NULL};
static const theory_probe examples_with_output = {sample_examples_with_output, AVERAGE, NULL};

/* ---- Row 32: three layers, W_2 -> 3 W_2 before a norm ---- */

enum { WIDTH = 12, SIZE = WIDTH * WIDTH, LAYERS = 3 };

#define THREE "layers=3 width=12 batch=20 act=tanh loss=mse "

typedef struct {
    double loss;
    double *weight[LAYERS], *grad[LAYERS], *grad_bias[LAYERS];
} three_layers;

static three_layers run_three(const theory_case *c, double factor) {
    gs_error error;
    gs_network *network = theory_network(c->options, NULL, 1);
    three_layers run;
    double *scaled = theory_read(network, SIZE, "layers.2.weight");
    for (size_t i = 0; i < SIZE; i++)
        scaled[i] *= factor;
    theory_write(network, scaled, SIZE, "layers.2.weight");
    free(scaled);
    theory_require(gs_network_keep_gradients(network, &error), &error, c->what);
    theory_require(gs_network_forward(network, &run.loss, &error), &error, c->what);
    theory_require(gs_network_backward(network, &error), &error, c->what);
    for (size_t l = 0; l < LAYERS; l++) {
        run.weight[l] = theory_read(network, SIZE, "layers.%zu.weight", l + 1);
        run.grad[l] = theory_read(network, SIZE, "layers.%zu.weight.grad", l + 1);
        run.grad_bias[l] = theory_read(network, WIDTH, "layers.%zu.bias.grad", l + 1);
    }
    gs_network_free(network);
    return run;
}

static void free_three(three_layers *run) {
    for (size_t l = 0; l < LAYERS; l++) {
        free(run->weight[l]);
        free(run->grad[l]);
        free(run->grad_bias[l]);
    }
}

static double largest(const double *x, size_t count) {
    double most = 0;
    for (size_t i = 0; i < count; i++)
        most = worse(fabs(x[i]), most);
    return most;
}

static void sample_loss_ratio(const theory_case *c, uint64_t seed, double *ratio) {
    three_layers before = run_three(c, 1), after = run_three(c, 3);
    (void)seed;
    *ratio = after.loss / before.loss;
    free_three(&before);
    free_three(&after);
}

/* The worst change of an entry of a gradient that should be the same, or a third for W_2, beside
   the largest entry. */
static void sample_change_of_gradients(const theory_case *c, uint64_t seed, double *worst) {
    three_layers before = run_three(c, 1), after = run_three(c, 3);
    (void)seed;
    *worst = 0;
    for (size_t l = 0; l < LAYERS; l++) {
        double size = largest(before.grad[l], SIZE);
        for (size_t i = 0; i < SIZE; i++) {
            double again = (l == 1 ? 3 : 1) * after.grad[l][i];
            *worst = worse(fabs(again - before.grad[l][i]) / size, *worst);
        }
    }
    free_three(&before);
    free_three(&after);
}

/* The worst <w_row, dw_row> of W_2, or <W_2, dW_2>. */
static void sample_rows_with_gradients(const theory_case *c, uint64_t seed, double *worst) {
    three_layers run = run_three(c, 1);
    (void)seed;
    *worst = 0;
    for (size_t row = 0; row < WIDTH; row++) {
        size_t first = row * WIDTH;
        *worst = worse(cosine(run.weight[1] + first, run.grad[1] + first, WIDTH, 1), *worst);
    }
    free_three(&run);
}

static void sample_weight_with_gradient(const theory_case *c, uint64_t seed, double *overlap) {
    three_layers run = run_three(c, 1);
    (void)seed;
    *overlap = cosine(run.weight[1], run.grad[1], SIZE, 1);
    free_three(&run);
}

/* The largest entry of db beside that of dW, in the worst layer. */
static void sample_gradient_of_bias(const theory_case *c, uint64_t seed, double *worst) {
    three_layers run = run_three(c, 1);
    (void)seed;
    *worst = 0;
    for (size_t l = 0; l < LAYERS; l++)
        *worst = worse(largest(run.grad_bias[l], WIDTH) / largest(run.grad[l], SIZE), *worst);
    free_three(&run);
}

static const theory_probe loss_ratio = {sample_loss_ratio, AVERAGE, NULL};
static const theory_probe change_of_gradients = {sample_change_of_gradients, AVERAGE, NULL};
static const theory_probe rows_with_gradients = {sample_rows_with_gradients, AVERAGE, NULL};
static const theory_probe weight_with_gradient = {sample_weight_with_gradient, AVERAGE, NULL};
static const theory_probe gradient_of_bias = {sample_gradient_of_bias, AVERAGE, NULL};

/* ---- Cases ---- */

/* The gradient of the loss random is the same for every example, and what is the same a batch norm
   takes out: after a linear layer nothing but rounding would be left. */
#define BATCH "loss=mse"

/* clang-format off */
const theory_case normalised_cases[] = {
    {24, "BN linear, B = 16: rate",
     "layers=12 width=512 batch=16 act=linear norm=batch " BATCH, &gradient_rate,
     1.0769231, MEAN_FIELD, .quick = true, .seeds = 20, .from = 2, .to = 11},
    {24, "BN linear, B = 64: rate",
     "layers=8 width=1024 batch=64 act=linear norm=batch " BATCH, &gradient_rate,
     1.0163934, MEAN_FIELD, .seeds = 20, .from = 2, .to = 7},
    {25, "BN ReLU, B = 8: rate",
     "layers=16 width=1024 batch=8 act=relu norm=batch " BATCH, &gradient_rate,
     1.788190, MEAN_FIELD, .seeds = 20, .from = 5, .to = 15},
    {25, "BN ReLU, B = 16: rate",
     "layers=16 width=1024 batch=16 act=relu norm=batch " BATCH, &gradient_rate,
     1.589950, MEAN_FIELD, .seeds = 20, .from = 5, .to = 15},
    {25, "BN ReLU, B = 32: rate",
     "layers=16 width=1024 batch=32 act=relu norm=batch " BATCH, &gradient_rate,
     1.521953, MEAN_FIELD, .seeds = 20, .from = 5, .to = 15},
    {25, "BN ReLU, B = 64: rate",
     "layers=16 width=1024 batch=64 act=relu norm=batch " BATCH, &gradient_rate,
     1.493063, MEAN_FIELD, .seeds = 20, .from = 5, .to = 15},
    {25, "BN ReLU, B = 128: rate",
     "layers=16 width=1024 batch=128 act=relu norm=batch " BATCH, &gradient_rate,
     1.479681, MEAN_FIELD, .seeds = 20, .from = 5, .to = 15},
    /* A finite batch is off by some c / B, and its Gram matrix wanders by B / n besides: both are
       small only where 1 << B << n. For swish, with the largest of both, that takes n = 2048. */
    {25, "BN ReLU, B = 256 for infinity: rate",
     "layers=10 width=1024 batch=256 act=relu norm=batch " BATCH, &gradient_rate,
     1.466942, MEAN_FIELD, .limit = "batch=1000000", .seeds = 20, .from = 4, .to = 9},
    {26, "BN tanh, B = 256 for infinity: rate",
     "layers=8 width=1024 batch=256 act=tanh norm=batch " BATCH, &gradient_rate,
     1.177807, MEAN_FIELD, .limit = "batch=1000000", .seeds = 20, .from = 2, .to = 7},
    {26, "BN GELU, B = 256 for infinity: rate",
     "layers=8 width=1024 batch=256 act=gelu norm=batch " BATCH, &gradient_rate,
     1.318845, MEAN_FIELD, .limit = "batch=1000000", .seeds = 20, .from = 2, .to = 7},
    {26, "BN swish, B = 256 for infinity: rate",
     "layers=6 width=2048 batch=256 act=swish norm=batch " BATCH, &gradient_rate,
     1.212081, MEAN_FIELD, .limit = "batch=1000000", .seeds = 20, .from = 2, .to = 5},
    {27, "BN tanh, B = 32: rate",
     "layers=12 width=1024 batch=32 act=tanh norm=batch " BATCH, &gradient_rate,
     1.208303, MEAN_FIELD, .seeds = 20, .from = 2, .to = 11},
    {27, "BN tanh, B = 128: rate",
     "layers=12 width=1024 batch=128 act=tanh norm=batch " BATCH, &gradient_rate,
     1.184853, MEAN_FIELD, .seeds = 20, .from = 2, .to = 11},
    {29, "LN tanh: rate", "layers=20 width=512 act=tanh norm=layer", &gradient_rate,
     1.177807, MEAN_FIELD, .seeds = 140, .from = 1, .to = 19},
    {29, "RMS tanh: rate", "layers=20 width=512 act=tanh norm=rms", &gradient_rate,
     1.177807, MEAN_FIELD, .seeds = 140, .from = 1, .to = 19},
    {29, "LN GELU: rate", "layers=20 width=512 act=gelu norm=layer", &gradient_rate,
     1.072032, MEAN_FIELD, .seeds = 140, .from = 1, .to = 19},
    {29, "RMS GELU: rate", "layers=20 width=512 act=gelu norm=rms", &gradient_rate,
     1.072032, MEAN_FIELD, .seeds = 140, .from = 1, .to = 19},
    {29, "LN ReLU: rate", "layers=20 width=512 act=relu norm=layer", &gradient_rate,
     1, MEAN_FIELD, .seeds = 140, .from = 1, .to = 19},
    {29, "RMS ReLU: rate", "layers=20 width=512 act=relu norm=rms", &gradient_rate,
     1, MEAN_FIELD, .seeds = 140, .from = 1, .to = 19},
    {30, "LN linear, n = 24: rate", "layers=20 width=24 act=linear norm=layer", &gradient_rate,
     1.047619048, EXPECTED, .quick = true, .seeds = 2000, .from = 1, .to = 19},

    {31, "BN backward, each unit: dx . 1", "batch", &units_with_ones, 0, EXACT, .quick = true},
    {31, "BN backward, each unit: dx . x_hat", "batch", &units_with_output, 0, EXACT, .quick = true},
    {31, "LN backward, each example: dx . 1", "layer", &examples_with_ones, 0, EXACT, .quick = true},
    {31, "LN backward, each example: dx . x_hat", "layer", &examples_with_output,
     0, EXACT, .quick = true},
    {31, "RMS backward, each example: dx . x_hat", "rms", &examples_with_output,
     0, EXACT, .quick = true},
    {31, "RMS backward, each example: dx . 1 is not 0", "rms", &examples_with_ones,
     0, DIFFERS, .quick = true},
    {32, "W -> 3 W before BN: loss", THREE "norm=batch", &loss_ratio, 1, EXACT, .quick = true},
    {32, "W -> 3 W before LN: loss", THREE "norm=layer", &loss_ratio, 1, EXACT, .quick = true},
    {32, "W -> 3 W before RMS: loss", THREE "norm=rms", &loss_ratio, 1, EXACT, .quick = true},
    {32, "W -> 3 W without a norm: another loss", THREE, &loss_ratio, 1, DIFFERS, .quick = true},
    {32, "W -> 3 W before BN: gradients", THREE "norm=batch", &change_of_gradients,
     0, EXACT, .quick = true},
    {32, "W -> 3 W before LN: gradients", THREE "norm=layer", &change_of_gradients,
     0, EXACT, .quick = true},
    {32, "W -> 3 W before RMS: gradients", THREE "norm=rms", &change_of_gradients,
     0, EXACT, .quick = true},
    {32, "BN: <w_row, dw_row>", THREE "norm=batch", &rows_with_gradients, 0, EXACT, .quick = true},
    {32, "LN: <w_row, dw_row> is not 0", THREE "norm=layer", &rows_with_gradients,
     0, DIFFERS, .quick = true},
    {32, "LN: <W, dW>", THREE "norm=layer", &weight_with_gradient, 0, EXACT, .quick = true},
    {32, "BN: gradient of a bias before it", THREE "norm=batch bias=normal:1", &gradient_of_bias,
     0, EXACT, .quick = true},
    {32, "LN: gradient of a bias before it is not 0", THREE "norm=layer bias=normal:1",
     &gradient_of_bias, 0, DIFFERS, .quick = true},
    {.probe = NULL},
};
/* clang-format on */
