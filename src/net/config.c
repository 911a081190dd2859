/*
 * The one table of options that describes a network and its run, the small families that it refers
 * to, and what follows from options and data together.
 */
#include "net/config.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "net/activation.h"
#include "net/init.h"
#include "net/schedule.h"
#include "net/update.h"

#define LARGEST 1e15   /* magnitude of any real option: it and its square fit in either type */
#define SMALLEST 1e-30 /* where zero makes no sense */
#define BELOW_1 0.999999999

/* ---- Families ---- */

static const gs_name order_rows[] = {
    {.name = "dense-act", .help = "x_l = phi(W x + b)"},
    {.name = "act-dense", .help = "x_l = W phi(x) + b"},
};

static const gs_name bias_rows[] = {
    {.minimum = -LARGEST, .maximum = LARGEST, .letter = "X", .help = "every bias is X"},
    {.name = "normal",
     .parameter = GS_PARAM_REQUIRED,
     .maximum = LARGEST,
     .letter = "STD",
     .help = "drawn from N(0, STD^2)"},
};

static const gs_name norm_rows[] = {
    {.name = "none", .help = "no normalisation"},
    {.name = "batch",
     .alias = {"batchnorm", "bn"},
     .help = "(z - mean) / sqrt(var + eps) of a unit over the batch (Ioffe 2015)"},
    {.name = "layer",
     .alias = {"layernorm", "ln"},
     .help = "(z - mean) / sqrt(var + eps) of an example over the units (Ba 2016)"},
    {.name = "rms",
     .alias = {"rmsnorm"},
     .help = "z / sqrt(mean(z^2) + eps) of an example over the units (Zhang 2019)"},
};

static const gs_name norm_at_rows[] = {
    {.name = "input", .help = "what enters a layer"},
    {.name = "preact", .help = "z, before the activation"},
    {.name = "postact", .help = "what the activation gives"},
    {.name = "output", .help = "what leaves a layer, after the skip"},
};

static const gs_name residual_rows[] = {
    {.name = "none", .help = "x_l = a_l"},
    {.name = "add", .help = "x_l = x_{l-s} + alpha a_l"},
    {.name = "post-act", .help = "x_l = phi(x_{l-s} + alpha z_l)"},
};

static const gs_name branch_scale_rows[] = {
    {.minimum = -LARGEST, .maximum = LARGEST, .letter = "X", .help = "alpha is X"},
    {.name = "1/sqrt(L)", .help = "alpha = 1 / sqrt(layers)"},
    {.name = "1/L", .help = "alpha = 1 / layers"},
    {.name = "rezero", .help = "alpha is learned and starts at 0 (Bachlechner 2020)"},
};

static const gs_name input_rows[] = {
    {.name = "normal",
     .parameter = GS_PARAM_OPTIONAL,
     .standard = 1,
     .maximum = LARGEST,
     .letter = "STD",
     .help = "drawn from N(0, STD^2)"},
    {.name = "constant",
     .parameter = GS_PARAM_REQUIRED,
     .minimum = -LARGEST,
     .maximum = LARGEST,
     .letter = "C",
     .help = "every number is C"},
};

static const gs_name data_scale_rows[] = {
    {.name = "none", .help = "as in the file"},
    {.name = "unit", .help = "divided by the largest absolute value in the data"},
    {.name = "standard", .help = "each feature to mean 0 and variance 1, a constant one to 0"},
};

static const gs_name loss_rows[] = {
    {.name = "mse", .help = "mean of (x_L - y)^2 over batch and outputs"},
    {.name = "ce",
     .alias = {"cross-entropy"},
     .help = "mean over the batch of -log softmax(x_L) at the label"},
    {.name = "sum", .help = "(1/B) sum of x_L: dL/dx_L is 1/B everywhere"},
    {.name = "random", .help = "(1/B) sum over b of r . x_L,b; r is random, |r|^2 about 1"},
};

static const gs_name clip_rows[] = {
    {.name = "none", .help = "gradients as they are"},
    {.name = "value",
     .parameter = GS_PARAM_REQUIRED,
     .minimum = SMALLEST,
     .maximum = LARGEST,
     .letter = "C",
     .help = "every entry into [-C, C]"},
    {.name = "norm",
     .alias = {"global"},
     .parameter = GS_PARAM_REQUIRED,
     .minimum = SMALLEST,
     .maximum = LARGEST,
     .letter = "C",
     .help = "all together to a norm of C at most (Pascanu 2013)"},
    {.name = "layer",
     .parameter = GS_PARAM_REQUIRED,
     .minimum = SMALLEST,
     .maximum = LARGEST,
     .letter = "C",
     .help = "each layer's own to a norm of C at most"},
    {.name = "agc",
     .parameter = GS_PARAM_REQUIRED,
     .minimum = SMALLEST,
     .maximum = LARGEST,
     .letter = "C",
     .help = "each unit's to C times the norm of its weights, taken as 1e-3 at least (Brock 2021)"},
};

static const gs_name dtype_rows[] = {
    {.name = "f64", .alias = {"float64", "double"}, .help = "64-bit floating point"},
    {.name = "f32", .alias = {"float32", "float"}, .help = "32-bit floating point"},
};

static const gs_name shuffle_rows[] = {
    {.name = "on", .help = "every epoch in an order of its own, from the seed"},
    {.name = "off", .help = "in the order of the file"},
};

static const gs_name log_every_rows[] = {
    {.minimum = 1,
     .maximum = LARGEST,
     .whole = true,
     .letter = "N",
     .help = "steps 0, N, 2 N, ... and the last"},
    {.name = "log", .help = "steps 0, 1, 2, 5, 10, 20, 50, ... and the last"},
};

static const gs_name weights_rows[] = {
    {.name = "stored", .help = "drawn once and kept"},
    {.name = "streamed", .help = "made by tile when needed, forward and again backward"},
};

static const gs_family order_family = GS_FAMILY(order_rows);
static const gs_family bias_family = GS_FAMILY(bias_rows);
static const gs_family norm_family = GS_FAMILY(norm_rows);
static const gs_family norm_at_family = GS_FAMILY(norm_at_rows);
static const gs_family residual_family = GS_FAMILY(residual_rows);
static const gs_family branch_scale_family = GS_FAMILY(branch_scale_rows);
static const gs_family input_family = GS_FAMILY(input_rows);
static const gs_family data_scale_family = GS_FAMILY(data_scale_rows);
static const gs_family loss_family = GS_FAMILY(loss_rows);
static const gs_family clip_family = GS_FAMILY(clip_rows);
static const gs_family dtype_family = GS_FAMILY(dtype_rows);
static const gs_family shuffle_family = GS_FAMILY(shuffle_rows);
static const gs_family log_every_family = GS_FAMILY(log_every_rows);
static const gs_family weights_family = GS_FAMILY(weights_rows);

/* ---- The table of options ---- */

/* clang-format off */
static const gs_option rows[] = {
    {"layers", GS_OPTION_SIZE, offsetof(gs_config, layers), "N", "96",
     "dense layers", .group = "Network", .minimum = 1, .maximum = 1e7, .column = true},
    {"width", GS_OPTION_SIZES, offsetof(gs_config, width), "N", "128",
     "units in a layer, or one number a layer: 512-256-128", .minimum = 1, .maximum = 1e6, .column = true},
    {"inputs", GS_OPTION_SIZE, offsetof(gs_config, inputs), "N", "auto",
     "numbers in an example: the data's features, else the (first) width",
     .minimum = 1, .maximum = 1e6, .automatic = "auto", .column = true},
    {"outputs", GS_OPTION_SIZE, offsetof(gs_config, outputs), "N", "auto",
     "numbers that come out: the data's classes, else the (last) width",
     .minimum = 1, .maximum = 1e6, .automatic = "auto", .column = true},
    {"act", GS_OPTION_CHOICE, offsetof(gs_config, act), "NAME", "sigmoid",
     "activation phi", .family = &gs_activation_family, .column = true},
    {"init", GS_OPTION_CHOICE, offsetof(gs_config, init), "NAME", "xavier",
     "how weights are drawn", .family = &gs_init_family, .column = true},
    {"gain", GS_OPTION_REAL, offsetof(gs_config, gain), "X", "1",
     "factor on every weight", .minimum = -LARGEST, .maximum = LARGEST, .column = true},
    {"bias", GS_OPTION_CHOICE, offsetof(gs_config, bias), "X", "0",
     "bias at the start", .family = &bias_family, .column = true},
    {"order", GS_OPTION_CHOICE, offsetof(gs_config, order), "NAME", "dense-act",
     "what comes first in a layer", .family = &order_family, .column = true},
    {"head", GS_OPTION_FLAG, offsetof(gs_config, head), NULL, NULL,
     "a linear readout after the last layer (always with data or ce)", .column = true},

    {"norm", GS_OPTION_CHOICE, offsetof(gs_config, norm), "NAME", "none",
     "normalisation", .group = "Norm and skip", .family = &norm_family, .column = true},
    {"norm-at", GS_OPTION_CHOICE, offsetof(gs_config, norm_at), "PLACE", "preact",
     "what it normalises", .family = &norm_at_family, .column = true},
    {"norm-eps", GS_OPTION_REAL, offsetof(gs_config, norm_eps), "X", "1e-5",
     "eps in its root", .minimum = 0, .maximum = 1, .column = true},
    {"residual", GS_OPTION_CHOICE, offsetof(gs_config, residual), "KIND", "none",
     "skip connections", .family = &residual_family, .column = true},
    {"skip", GS_OPTION_SIZE, offsetof(gs_config, skip), "S", "1",
     "layers that one skips; there is none between different widths", .minimum = 1, .maximum = 1e7, .column = true},
    {"branch-scale", GS_OPTION_CHOICE, offsetof(gs_config, branch_scale), "X", "1",
     "alpha, the factor on a branch", .family = &branch_scale_family, .column = true},

    {"batch", GS_OPTION_SIZE, offsetof(gs_config, batch), "N", "64",
     "examples in the batch",
     .group = "Data and loss", .minimum = 1, .maximum = 1e7, .column = true},
    {"input", GS_OPTION_CHOICE, offsetof(gs_config, input), "KIND", "normal",
     "examples that are made up", .family = &input_family, .column = true},
    {"data", GS_OPTION_TEXT, offsetof(gs_config, data), "PATH", NULL,
     "examples from a folder of IDX files, or a CSV with the label last", .column = true},
    {"data-scale", GS_OPTION_CHOICE, offsetof(gs_config, data_scale), "KIND", "standard",
     "what is done to their features", .family = &data_scale_family, .column = true},
    {"loss", GS_OPTION_CHOICE, offsetof(gs_config, loss), "NAME", "auto",
     "the loss, by default ce with data and else mse",
     .family = &loss_family, .automatic = "auto", .column = true},
    {"shuffle", GS_OPTION_CHOICE, offsetof(gs_config, shuffle), "on|off", "on",
     "the order of the examples", .family = &shuffle_family, .column = true},
    {"test-data", GS_OPTION_TEXT, offsetof(gs_config, test_data), "PATH", NULL,
     "examples to test on, which no step sees", .column = true},
    {"test-share", GS_OPTION_REAL, offsetof(gs_config, test_share), "X", "0",
     "share of --data to hold back and test on", .minimum = 0, .maximum = 1, .column = true},

    {"steps", GS_OPTION_SIZE, offsetof(gs_config, steps), "N", "0",
     "steps of training in all; 0: the network as it is", .group = "Training", .minimum = 0, .maximum = 1e15, .saved = true},
    {"epochs", GS_OPTION_SIZE, offsetof(gs_config, epochs), "N", "0",
     "the same, as passes over the data", .minimum = 0, .maximum = 1e15},
    {"opt", GS_OPTION_CHOICE, offsetof(gs_config, opt), "NAME", "sgd",
     "optimizer", .family = &gs_optimizer_family, .column = true},
    {"lr", GS_OPTION_REAL, offsetof(gs_config, rate), "X", "auto",
     "learning rate, by default 0.01, and 0.001 for adam and adamw",
     .minimum = 0, .maximum = LARGEST, .automatic = "auto", .column = true},
    {"beta1", GS_OPTION_REAL, offsetof(gs_config, beta1), "X", "0.9",
     "adam: what its mean of gradients keeps", .minimum = 0, .maximum = BELOW_1, .column = true},
    {"beta2", GS_OPTION_REAL, offsetof(gs_config, beta2), "X", "0.999",
     "adam: and that of their squares", .minimum = 0, .maximum = BELOW_1, .column = true},
    {"rho", GS_OPTION_REAL, offsetof(gs_config, rho), "X", "0.99",
     "rmsprop: what its mean of squares keeps", .minimum = 0, .maximum = BELOW_1, .column = true},
    {"eps", GS_OPTION_REAL, offsetof(gs_config, eps), "X", "1e-8",
     "adam, rmsprop: added to the root", .minimum = 0, .maximum = LARGEST, .column = true},
    {"l1", GS_OPTION_REAL, offsetof(gs_config, l1), "X", "0",
     "adds l1 sign(w) to every gradient", .minimum = 0, .maximum = LARGEST, .column = true},
    {"l2", GS_OPTION_REAL, offsetof(gs_config, l2), "X", "0",
     "adds l2 w to it; adamw: shrinks w by lr l2 instead",
     .minimum = 0, .maximum = LARGEST, .column = true},
    {"max-norm", GS_OPTION_REAL, offsetof(gs_config, max_norm), "C", "0",
     "most that the norm of a unit's weights may be after a step; 0: no limit",
     .minimum = 0, .maximum = LARGEST, .column = true},
    {"warmup", GS_OPTION_SIZE, offsetof(gs_config, warmup), "N", "0",
     "steps over which lr rises linearly to its value", .minimum = 0, .maximum = 1e15, .column = true},
    {"schedule", GS_OPTION_CHOICE, offsetof(gs_config, schedule), "NAME", "constant",
     "what lr does after that", .family = &gs_schedule_family, .column = true},
    {"clip", GS_OPTION_CHOICE, offsetof(gs_config, clip), "KIND", "none",
     "clipping of gradients", .family = &clip_family, .column = true},
    {"grad-normalize", GS_OPTION_FLAG, offsetof(gs_config, grad_normalize), NULL, NULL,
     "scale the gradient of each layer to norm 1, before clipping", .column = true},
    {"log-every", GS_OPTION_CHOICE, offsetof(gs_config, log_every), "N", "auto",
     "which steps are reported: a number, or log; by default every one, and in a table log",
     .family = &log_every_family, .automatic = "auto", .saved = true},

    {"seed", GS_OPTION_SEED, offsetof(gs_config, seed), "N", "1",
     "seed of everything random", .group = "Run", .saved = true},
    {"seeds", GS_OPTION_SIZE, offsetof(gs_config, seeds), "N", "1",
     "networks to run, with seeds N, N+1, ...", .minimum = 1, .maximum = 1e6},
    {"dtype", GS_OPTION_CHOICE, offsetof(gs_config, dtype), "TYPE", "f64",
     "element type of all arithmetic", .family = &dtype_family, .column = true},
    {"threads", GS_OPTION_SIZE, offsetof(gs_config, threads), "N", "all",
     "threads, 0 or all: one a processor; the results do not depend on them",
     .minimum = 0, .maximum = 4096, .automatic = "all"},
    {"weights", GS_OPTION_CHOICE, offsetof(gs_config, weights), "HOW", "auto",
     "where weights are, by default stored as far as --memory goes; the results do not depend on it",
     .family = &weights_family, .automatic = "auto"},
    {"memory", GS_OPTION_BYTES, offsetof(gs_config, memory), "BYTES", "half",
     "memory for the network, as 500M or 8G, or half of what is available",
     .minimum = 1, .automatic = "half"},
};
/* clang-format on */

const gs_option_table gs_config_options = {rows, sizeof rows / sizeof rows[0]};

/* ---- Configurations ---- */

gs_config *gs_config_new(gs_error *error) {
    gs_config *config = gs_alloc(1, sizeof *config, error);
    if (config && gs_options_reset(&gs_config_options, config, error) != GS_OK) {
        gs_config_free(config);
        return NULL;
    }
    return config;
}

gs_config *gs_config_copy(const gs_config *config, gs_error *error) {
    gs_config *copy = gs_alloc(1, sizeof *copy, error);
    if (!copy)
        return NULL;
    *copy = *config;
    copy->data = copy->test_data = NULL;
    copy->width.at = gs_alloc(config->width.count, sizeof *copy->width.at, error);
    gs_status status = copy->width.at ? GS_OK : GS_ERR_MEMORY;
    if (status == GS_OK)
        memcpy(copy->width.at, config->width.at, config->width.count * sizeof *copy->width.at);
    if (config->data && status == GS_OK)
        status = gs_config_set(copy, "data", config->data, error);
    if (config->test_data && status == GS_OK)
        status = gs_config_set(copy, "test-data", config->test_data, error);
    if (status == GS_OK)
        return copy;
    gs_config_free(copy);
    return NULL;
}

void gs_config_free(gs_config *config) {
    if (config)
        gs_options_release(&gs_config_options, config);
    gs_free(config);
}

static const gs_option *find_option(const char *name, gs_error *error) {
    const gs_option *option = gs_option_find(&gs_config_options, name);
    if (!option)
        gs_unknown_name("option", "", name, gs_option_name_at, &gs_config_options, error);
    return option;
}

gs_status gs_config_set(gs_config *config, const char *name, const char *value, gs_error *error) {
    const gs_option *option = find_option(name, error);
    return option ? gs_option_parse(option, config, value, error) : GS_ERR_USAGE;
}

gs_status gs_config_get(const gs_config *config, const char *name, char *text, size_t size,
                        gs_error *error) {
    const gs_option *option = find_option(name, error);
    if (!option)
        return GS_ERR_USAGE;
    size_t length = gs_option_format(option, config, text, size);
    if (length >= size)
        return gs_fail(error, GS_ERR_USAGE, "--%s: expected room for %zu bytes, got %zu",
                       option->name, length + 1, size);
    return GS_OK;
}

/* ---- What follows from options and data together ---- */

static gs_status check_widths(const gs_config *config, gs_error *error) {
    size_t count = config->width.count, last = config->width.at[count - 1];
    if (count > 1 && count != config->layers) {
        char expected[48] = "1 width";
        if (config->layers > 1)
            gs_format(expected, sizeof expected, "1 or %zu widths", config->layers);
        return gs_fail(error, GS_ERR_USAGE, "--width: expected %s for --layers %zu, got %zu",
                       expected, config->layers, count);
    }
    if (count > 1 && !config->head && config->outputs > 0 && config->outputs != last)
        return gs_fail(error, GS_ERR_USAGE,
                       "--outputs: expected %zu, the last of --width, or a --head, got '%zu'", last,
                       config->outputs);
    return GS_OK;
}

static gs_status resolve_shape(gs_config *config, size_t features, size_t classes,
                               gs_error *error) {
    if (features > 0 && config->inputs > 0 && config->inputs != features)
        return gs_fail(error, GS_ERR_USAGE,
                       "--inputs: expected %zu, the features of '%s', got '%zu'", features,
                       config->data, config->inputs);
    if (config->outputs > 0 && config->outputs < classes)
        return gs_fail(error, GS_ERR_USAGE,
                       "--outputs: expected %zu or more, the classes of '%s', got '%zu'", classes,
                       config->data, config->outputs);
    if (config->data && features == 0 && (config->inputs == 0 || config->outputs == 0))
        return gs_fail(error, GS_ERR_USAGE,
                       "--data: expected --inputs and --outputs where it is not loaded");
    if (config->inputs == 0)
        config->inputs = features > 0 ? features : gs_config_width(config, 1);
    if (config->outputs == 0)
        config->outputs = classes > 0 ? classes : gs_config_width(config, config->layers);
    if (config->loss.index == GS_LOSS_CE && config->outputs < 2)
        return gs_fail(error, GS_ERR_USAGE,
                       "--outputs: expected 2 or more with --loss ce, got '%zu'", config->outputs);
    return GS_OK;
}

static gs_status refuse_contradictions(const gs_config *config, gs_error *error) {
    if (config->norm.index == GS_NORM_BATCH && config->batch < 2)
        return gs_fail(error, GS_ERR_USAGE,
                       "--batch: expected 2 or more with --norm batch, got '%zu'", config->batch);
    if (config->residual.index == GS_RESIDUAL_POST_ACT && config->order.index == GS_ORDER_ACT_DENSE)
        return gs_fail(error, GS_ERR_USAGE,
                       "--residual: expected none or add with --order act-dense, got 'post-act'");
    if (config->data && (config->input.index != GS_INPUT_NORMAL || config->input.parameter != 1))
        return gs_fail(error, GS_ERR_USAGE, "--input: expected none with --data '%s'",
                       config->data);
    if (!config->data && config->data_scale.index != GS_SCALE_STANDARD)
        return gs_fail(error, GS_ERR_USAGE, "--data-scale: expected --data with it");
    if (!config->data && (config->shuffle.index == GS_SHUFFLE_OFF || config->epochs > 0))
        return gs_fail(error, GS_ERR_USAGE, "--%s: expected --data with it",
                       config->epochs > 0 ? "epochs" : "shuffle");
    if (!config->data && (config->test_data || config->test_share > 0))
        return gs_fail(error, GS_ERR_USAGE, "--test-%s: expected --data with it",
                       config->test_data ? "data" : "share");
    if (config->test_data && config->test_share > 0)
        return gs_fail(error, GS_ERR_USAGE, "--test-share: expected none with --test-data '%s'",
                       config->test_data);
    if (config->steps > 0 && config->epochs > 0)
        return gs_fail(error, GS_ERR_USAGE, "--epochs: expected none with --steps %zu, got '%zu'",
                       config->steps, config->epochs);
    if (config->weights.index == GS_WEIGHTS_STREAMED && config->steps > 0)
        return gs_fail(error, GS_ERR_USAGE,
                       "--weights: expected stored or auto with --steps, got 'streamed'");
    if (config->weights.index == GS_WEIGHTS_STREAMED && !gs_init_can_stream(config->init))
        return gs_fail(error, GS_ERR_USAGE,
                       "--weights: expected stored or auto with --init %s, which needs the whole "
                       "matrix, got 'streamed'",
                       gs_family_row(&gs_init_family, config->init.index)->name);
    return GS_OK;
}

gs_status gs_config_resolve(gs_config *config, size_t features, size_t classes, gs_error *error) {
    gs_config resolved = *config;
    if (resolved.loss.index == GS_CHOICE_AUTO)
        resolved.loss.index = config->data ? GS_LOSS_CE : GS_LOSS_MSE;
    if (isnan(resolved.rate))
        resolved.rate = gs_update_rule_of(resolved.opt)->rate;
    resolved.head = config->head || config->data || resolved.loss.index == GS_LOSS_CE;
    gs_status status = check_widths(&resolved, error);
    if (status == GS_OK)
        status = resolve_shape(&resolved, features, classes, error);
    if (status == GS_OK)
        status = refuse_contradictions(&resolved, error);
    if (status == GS_OK)
        *config = resolved;
    return status;
}

size_t gs_config_width(const gs_config *config, size_t layer) {
    return config->width.at[config->width.count > 1 ? layer - 1 : 0];
}

size_t gs_config_units(const gs_config *config, size_t layer) {
    if (layer == 0)
        return config->inputs;
    bool last = layer == config->layers && !config->head;
    return last || layer > config->layers ? config->outputs : gs_config_width(config, layer);
}

size_t gs_config_widest(const gs_config *config) {
    size_t widest = config->inputs > config->outputs ? config->inputs : config->outputs;
    size_t hidden = config->layers - !config->head; /* the last without a head gives the outputs */
    for (size_t i = 0; i < config->width.count && i < hidden; i++)
        widest = widest > config->width.at[i] ? widest : config->width.at[i];
    return widest;
}

bool gs_config_has_skip(const gs_config *config) {
    bool has_skip = false;
    if (config->residual.index != GS_RESIDUAL_NONE)
        for (size_t l = config->skip; l <= config->layers && !has_skip; l += config->skip)
            has_skip = gs_config_units(config, l) == gs_config_units(config, l - config->skip);
    return has_skip;
}
