/*
 * The gradient of every kind of parameter against central differences of the loss, for every
 * activation, norm and its place, residual, order and loss.
 */
#include "test_net.h"

#include "net/network.h"

static gs_error error;

typedef struct {
    const char *act, *norm, *norm_at, *residual, *order, *loss, *branch_scale;
    const char *layers, *skip, *inputs, *outputs, *head;
    const char *width; /* NULL: 6 */
} variant;

static const char *describe(const variant *v) {
    static char text[256];
    snprintf(text, sizeof text, "%s, norm %s at %s, residual %s x %s, %s, loss %s", v->act, v->norm,
             v->norm_at, v->residual, v->branch_scale, v->order, v->loss);
    return text;
}

static gs_network *build(const variant *v, const char *dtype) {
    const char *const options[][2] = {
        {"act", v->act},           {"norm", v->norm},
        {"norm-at", v->norm_at},   {"order", v->order},
        {"residual", v->residual}, {"branch-scale", v->branch_scale},
        {"loss", v->loss},         {"layers", v->layers},
        {"skip", v->skip},         {"width", v->width ? v->width : "6"},
        {"inputs", v->inputs},     {"outputs", v->outputs},
        {"head", v->head},         {"batch", "5"},
        {"init", "scaled:1.3"},    {"threads", "1"},
        {"dtype", dtype},          {"norm-eps", "0.01"}};
    gs_config *config = gs_config_new(&error);
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        CHECK_THAT(gs_config_set(config, options[i][0], options[i][1], &error) == GS_OK, "%s",
                   error.message);
    gs_network *network = gs_network_new(config, &error);
    CHECK_THAT(network && gs_network_draw_batch(network, &error) == GS_OK, "%s: %s", describe(v),
               error.message);
    gs_config_free(config);
    return network;
}

/* ---- Parameters by kind ---- */

/* How a tensor's name ends, and what is put there before the check: away from 0 and 1. */
static const struct {
    const char *ending;
    double value, spread;
} kinds[] = {{"norm.weight", 1, 0.3}, {"norm.bias", 0, 0.3}, {"branch_scale", 0.6, 0},
             {"bias", 0, 0.3},        {"weight", 0, 0},      {"input", 0, 0}};
enum { NORM_WEIGHT, NORM_BIAS, BRANCH_SCALE, BIAS, WEIGHT, INPUT, KINDS, LARGEST = 64 };

/* The first whose ending matches; KINDS for what is no parameter. */
static size_t kind_of(const gs_tensor *tensor) {
    size_t length = strlen(tensor->name), kind = 0;
    for (; kind < KINDS; kind++) {
        size_t ending = strlen(kinds[kind].ending);
        if (length >= ending && strcmp(tensor->name + length - ending, kinds[kind].ending) == 0)
            break;
    }
    return kind;
}

static size_t count_of(const gs_tensor *tensor) {
    return tensor->shape[0] * tensor->shape[1];
}

static void get(const gs_network *network, const char *name, double *values, size_t count) {
    CHECK(count <= LARGEST && gs_network_read(network, name, values, count, &error) == GS_OK);
}

static void put(gs_network *network, const char *name, const double *values, size_t count) {
    CHECK_THAT(gs_network_write(network, name, values, count, &error) == GS_OK, "%s",
               error.message);
}

/* Moves every tensor of a kind by `step` times a random direction, or only one entry of each. */
static void move(gs_network *network, size_t kind, bool single, double step) {
    gs_tensor tensor;
    double values[LARGEST];
    for (size_t i = 0; gs_network_tensor(network, i, &tensor); i++)
        if (kind_of(&tensor) == kind) {
            get(network, tensor.name, values, count_of(&tensor));
            for (size_t j = 0; j < count_of(&tensor); j++)
                if (!single || j == i % count_of(&tensor))
                    values[j] += step * test_noise(i, j);
            put(network, tensor.name, values, count_of(&tensor));
        }
}

static void spread_parameters(gs_network *network) {
    gs_tensor tensor;
    double values[LARGEST];
    for (size_t i = 0; gs_network_tensor(network, i, &tensor); i++) {
        size_t kind = kind_of(&tensor);
        if (kind < WEIGHT) {
            for (size_t j = 0; j < count_of(&tensor); j++)
                values[j] =
                    (double)(float)(kinds[kind].value + kinds[kind].spread * test_noise(9 + i, j));
            put(network, tensor.name, values, count_of(&tensor));
        }
    }
}

static bool has_kind(const gs_network *network, size_t kind) {
    gs_tensor tensor;
    for (size_t i = 0; gs_network_tensor(network, i, &tensor); i++)
        if (kind_of(&tensor) == kind)
            return true;
    return false;
}

/* ---- Derivatives ---- */

/* Gradients of one backward pass, tensor by tensor in the order of the list. */
typedef struct {
    double grad[40][LARGEST];
} gradients;

static void compute_gradients(gs_network *network, gradients *g) {
    gs_tensor tensor;
    CHECK(gs_network_keep_gradients(network, &error) == GS_OK);
    CHECK(gs_network_forward(network, NULL, &error) == GS_OK);
    CHECK(gs_network_backward(network, &error) == GS_OK);
    for (size_t i = 0; gs_network_tensor(network, i, &tensor) && i < 40; i++) {
        size_t kind = kind_of(&tensor);
        char name[80];
        snprintf(name, sizeof name, "%s.grad", tensor.name);
        if (kind < INPUT)
            get(network, name, g->grad[i], count_of(&tensor));
        else if (kind == INPUT) /* dL/dx_0 is what is left of the pass */
            gs_signal_read(&network->engine, &network->grad, g->grad[i]);
    }
}

/* <gradient, direction> of move(). */
static double predicted(const gs_network *network, const gradients *g, size_t kind, bool single) {
    gs_tensor tensor;
    double total = 0;
    for (size_t i = 0; gs_network_tensor(network, i, &tensor); i++)
        for (size_t j = 0; kind_of(&tensor) == kind && j < count_of(&tensor); j++)
            if (!single || j == i % count_of(&tensor))
                total += g->grad[i][j] * test_noise(i, j);
    return total;
}

static double loss_of(gs_network *network) {
    double loss = NAN;
    CHECK(gs_network_forward(network, &loss, &error) == GS_OK);
    return loss;
}

/* (L(p + h d) - L(p - h d)) / 2 h, with parameters left as they were but for rounding. */
static double central_difference(gs_network *network, size_t kind, bool single, double h) {
    move(network, kind, single, h);
    double above = loss_of(network);
    move(network, kind, single, -2 * h);
    double below = loss_of(network);
    move(network, kind, single, h);
    return (above - below) / (2 * h);
}

/* A loss of 1 after a hundred operations has an error of 1e-15, which h = 2^-20 makes 1e-9 of the
   difference; what h^2 L''' / 6 adds is less. No kink lies within h of a pre-activation here, and
   as the bytes are the same everywhere it lies nowhere. */
static void check_kind(gs_network *network, const gradients *g, const variant *v, size_t kind,
                       bool is_zero) {
    static const double h = 0x1p-20, tolerance = 1e-8;
    for (int single = 0; single < 2; single++) {
        double expected = central_difference(network, kind, single, h);
        double actual = predicted(network, g, kind, single);
        CHECK_THAT(fabs(actual - expected) <= tolerance * (1 + fabs(expected)),
                   "%s of %s: %.12g, central difference %.12g", kinds[kind].ending, describe(v),
                   actual, expected);
        CHECK_THAT(single || is_zero || fabs(actual) > 1e-6, "%s of %s has no gradient",
                   kinds[kind].ending, describe(v));
    }
}

/* Where the gradient may be zero: batch norm takes every constant out of a unit, be it a bias or a
   shift, and makes sums over the batch, and with them linear losses, constants. */
static bool may_be_zero(const variant *v, size_t kind) {
    bool is_batch = strcmp(v->norm, "batch") == 0;
    bool is_linear = strcmp(v->loss, "sum") == 0 || strcmp(v->loss, "random") == 0;
    return is_batch && (kind == BIAS || kind == NORM_BIAS || is_linear);
}

static void check_variant(const variant *v) {
    static gradients g;
    gs_network *network = build(v, "f64");
    if (!network)
        return;
    spread_parameters(network);
    compute_gradients(network, &g);
    for (size_t kind = 0; kind < KINDS; kind++)
        if (has_kind(network, kind))
            check_kind(network, &g, v, kind, may_be_zero(v, kind));
    gs_network_free(network);
}

/* ---- All variants ---- */

static const char *const losses[] = {"mse", "ce", "sum", "random"};
static const char *const norms[][2] = {
    {"none", "input"},   {"batch", "input"}, {"batch", "preact"}, {"batch", "postact"},
    {"batch", "output"}, {"layer", "input"}, {"layer", "preact"}, {"layer", "postact"},
    {"layer", "output"}, {"rms", "input"},   {"rms", "preact"},   {"rms", "postact"},
    {"rms", "output"}};
static const char *const residuals[][3] = {{"none", "dense-act", "1"},
                                           {"none", "act-dense", "1"},
                                           {"add", "dense-act", "0.7"},
                                           {"add", "act-dense", "0.7"},
                                           {"add", "dense-act", "rezero"},
                                           {"add", "act-dense", "rezero"},
                                           {"post-act", "dense-act", "1/sqrt(L)"},
                                           {"post-act", "dense-act", "rezero"}};
enum { LOSSES = 4, NORMS = 13, RESIDUALS = 8 };

/* `with` names an activation and shapes; everything else is tried with it. */
static void on_every_combination(const variant *with, void (*check)(const variant *v)) {
    for (size_t i = 0; i < NORMS * RESIDUALS * LOSSES; i++) {
        const char *const *residual = residuals[i / LOSSES % RESIDUALS];
        variant v = *with;
        v.norm = norms[i / LOSSES / RESIDUALS][0], v.norm_at = norms[i / LOSSES / RESIDUALS][1];
        v.residual = residual[0], v.order = residual[1], v.branch_scale = residual[2];
        v.loss = losses[i % LOSSES];
        check(&v);
    }
}

static variant three_layers(const char *act) {
    return (variant){
        .act = act, .layers = "3", .skip = "1", .inputs = "6", .outputs = "6", .head = "off"};
}

static void test_gradients_are_central_differences_for_smooth_activations(void) {
    static const char *const acts[] = {"linear", "sigmoid",   "tanh",     "silu",
                                       "gelu",   "gelu-tanh", "softplus", "mish"};
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
        variant v = three_layers(acts[i]);
        on_every_combination(&v, check_variant);
    }
}

static void test_gradients_are_central_differences_for_activations_with_a_kink(void) {
    static const char *const acts[] = {"relu", "leaky-relu", "prelu", "elu", "selu"};
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
        variant v = three_layers(acts[i]);
        on_every_combination(&v, check_variant);
    }
}

/* A skip that is left out, where widths differ; blocks of two layers, and a layer after the last;
   layers of their own widths.
 */
static void test_gradients_are_central_differences_for_other_shapes(void) {
    static const variant shapes[] = {
        {.layers = "3", .skip = "1", .inputs = "5", .outputs = "4", .head = "off"},
        {.layers = "5", .skip = "2", .inputs = "6", .outputs = "6", .head = "off"},
        {.layers = "4", .skip = "2", .inputs = "7", .outputs = "3", .head = "on"},
        {.layers = "2", .skip = "3", .inputs = "6", .outputs = "9", .head = "on"},
        {.layers = "1", .skip = "1", .inputs = "6", .outputs = "6", .head = "off"},
        {.layers = "3",
         .skip = "1",
         .inputs = "7",
         .outputs = "5",
         .width = "7-4-5",
         .head = "off"},
        {.layers = "4",
         .skip = "2",
         .inputs = "5",
         .outputs = "3",
         .width = "8-5-6-7",
         .head = "on"}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        variant v = shapes[i];
        v.act = "tanh";
        on_every_combination(&v, check_variant);
    }
}

/* ---- f32 ---- */

static void copy_tensors(gs_network *from, gs_network *to) {
    gs_tensor tensor;
    double values[LARGEST];
    for (size_t i = 0; gs_network_tensor(from, i, &tensor); i++) {
        get(from, tensor.name, values, count_of(&tensor));
        put(to, tensor.name, values, count_of(&tensor));
    }
}

/* The same numbers in both types: every derivative of f32 within its own rounding, magnified a
   hundredfold at most by what is small here, of the largest of its tensor. */
static void check_narrow(const variant *v) {
    static gradients narrow, wide;
    gs_network *f32 = build(v, "f32"), *f64 = build(v, "f64");
    gs_tensor tensor;
    if (f32 && f64) {
        spread_parameters(f32);
        copy_tensors(f32, f64);
        compute_gradients(f32, &narrow);
        compute_gradients(f64, &wide);
    }
    for (size_t i = 0; f64 && gs_network_tensor(f64, i, &tensor); i++) {
        size_t count = kind_of(&tensor) < KINDS ? count_of(&tensor) : 0;
        double largest = 0.1; /* where terms of this size cancel */
        for (size_t j = 0; j < count; j++)
            largest = fmax(largest, fabs(wide.grad[i][j]));
        for (size_t j = 0; j < count; j++)
            CHECK_THAT(fabs(narrow.grad[i][j] - wide.grad[i][j]) <= 100 * 0x1p-23 * largest,
                       "%s of %s: %.9g, expected %.9g", tensor.name, describe(v), narrow.grad[i][j],
                       wide.grad[i][j]);
    }
    gs_network_free(f32), gs_network_free(f64);
}

static void test_gradients_in_f32_are_those_in_f64_rounded(void) {
    variant v = three_layers("tanh");
    on_every_combination(&v, check_narrow);
}

/* ---- Parameters that start at a special value ---- */

/* ReZero at its start: blocks pass their input on, their weights have no gradient, the scales have
   one (Bachlechner 2020, eq. 2). */
static void test_rezero_starts_as_the_identity_and_learns_its_scales_first(void) {
    static gradients g;
    variant v = three_layers("tanh");
    v.norm = "none", v.norm_at = "input", v.residual = "add", v.order = "dense-act";
    v.branch_scale = "rezero", v.loss = "mse";
    gs_network *network = build(&v, "f64");
    gs_tensor tensor;
    compute_gradients(network, &g);
    const gs_stage *last = &network->stages[network->stage_count - 1];
    double input[30], *output = test_values(&network->engine, &last->out);
    get(network, "input", input, 30);
    CHECK(memcmp(input, output, sizeof input) == 0);
    for (size_t i = 0; gs_network_tensor(network, i, &tensor); i++)
        for (size_t j = 0; kind_of(&tensor) < INPUT && j < count_of(&tensor); j++)
            CHECK_THAT((g.grad[i][j] != 0) == (kind_of(&tensor) == BRANCH_SCALE), "%s: %g",
                       tensor.name, g.grad[i][j]);
    gs_network_free(network);
    free(output);
}

TEST_MAIN(TEST(test_gradients_are_central_differences_for_smooth_activations),
          TEST(test_gradients_are_central_differences_for_activations_with_a_kink),
          TEST(test_gradients_are_central_differences_for_other_shapes),
          TEST(test_gradients_in_f32_are_those_in_f64_rounded),
          TEST(test_rezero_starts_as_the_identity_and_learns_its_scales_first))
