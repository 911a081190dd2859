/*
 * With W = C I every unit is a chain of its own, x -> phi(C x + b), which differs from others in
 * its input alone. With W = C everywhere all units of a layer are alike, and so an example is a
 * chain, x -> phi(C n x + b). Either is followed at nodes over the law of what it begins with. Its
 * gradient is value + factor t, where t is what the loss draws at random: a target or a readout.
 */
#include "theory/chain.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "net/init.h"
#include "net/magnitude.h"
#include "net/network.h"

/* Panels toward 0, where a kink or an unstable point of a chain may be, and away from it. */
enum { HALVINGS = 40, SIDE = HALVINGS + 5, BREAKS = 2 * SIDE + 1 };
enum { MOST_NODES = (2 * SIDE * GS_PANEL_NODES + 15) / 16 * 16, MOST_STEPS_KEPT = 1 << 22 };

typedef struct {
    double at[MOST_NODES];
    int64_t exponent;
} values;

/* What the way back needs of a step. */
typedef struct {
    double *kept;     /* [count] the slope of an activation, the output of a norm */
    double factor;    /* what a dense step or a norm multiplies by */
    int64_t exponent; /* that of the input of a norm */
} tape;

typedef struct {
    const gs_config *config;
    gs_quadrature *quadrature;
    bool same_units; /* constant weights: a node is an example */
    size_t count;
    double weight[MOST_NODES];
    values x, source;                                /* forward */
    values value, factor, round_value, round_factor; /* backward; factor has value's exponent */
    double *kept;                                    /* [2 layers][count] */
    size_t used;
    tape *tapes; /* [layers * GS_MOST_STEPS] */
} chain;

/* ---- The law that a chain begins with ---- */

static void begin(chain *c, double mean, double deviation) {
    double breaks[BREAKS], total = 0;
    double reach[SIDE] = {10, 8, 6, 4, 2};
    for (size_t i = 5; i < SIDE; i++)
        reach[i] = reach[i - 1] / 2;
    for (size_t i = 0; i < SIDE; i++) {
        breaks[i] = -reach[i];
        breaks[BREAKS - 1 - i] = reach[i];
    }
    breaks[SIDE] = 0;
    c->count = gs_gauss_legendre(breaks, BREAKS, c->x.at, c->weight);
    if (deviation == 0) {
        c->count = 1;
        c->x.at[0] = 0;
        c->weight[0] = 1;
    }
    for (size_t i = 0; i < c->count; i++) {
        c->weight[i] *= gs_exp(-c->x.at[i] * c->x.at[i] / 2);
        c->x.at[i] = mean + deviation * c->x.at[i];
        total += c->weight[i];
    }
    for (size_t i = 0; i < c->count; i++)
        c->weight[i] /= total;
    c->x.exponent = 0;
}

static double expect(const chain *c, const double *x, const double *y) {
    double sum = 0;
    for (size_t i = 0; i < c->count; i++)
        sum += c->weight[i] * x[i] * (y ? y[i] : 1);
    return sum;
}

/* Bring x near 1 by a power of 2. */
static void normalise(const chain *c, values *x, values *beside) {
    int shift;
    double square = expect(c, x->at, x->at) + (beside ? expect(c, beside->at, beside->at) : 0);
    if (!(square > 0 && isfinite(square)))
        return;
    frexp(square, &shift);
    shift /= 2;
    for (size_t i = 0; i < c->count; i++) {
        x->at[i] = ldexp(x->at[i], -shift);
        if (beside)
            beside->at[i] = ldexp(beside->at[i], -shift);
    }
    x->exponent += shift;
}

/* ---- Steps ---- */

static double units(const gs_config *config, size_t layer) {
    return (double)gs_config_units(config, layer);
}

/* W is applied as C to a unit, or as C n to the sum over n units that are alike. */
static double dense_factor(const chain *c, double fan) {
    const gs_config *config = c->config;
    double weight = gs_init_law(config->init, config->gain, 1, 1).value;
    return c->same_units ? weight * fan : weight;
}

static void dense_forward(chain *c, size_t layer, tape *t) {
    double bias = gs_ldexp(c->config->bias.parameter, -c->x.exponent);
    double factor = dense_factor(c, units(c->config, layer - 1));
    t->factor = dense_factor(c, units(c->config, layer));
    for (size_t i = 0; i < c->count; i++)
        c->x.at[i] = (layer == 1 && c->same_units ? c->x.at[i] : factor * c->x.at[i]) + bias;
}

static void activation_forward(chain *c, tape *t) {
    double phi[MOST_NODES];
    t->kept = c->kept + c->used * c->count;
    c->used++;
    gs_evaluate(c->quadrature, c->count, c->x.at, phi, t->kept);
    memcpy(c->x.at, phi, c->count * sizeof *phi);
}

/* Layer and RMS norm over very many units. */
static void norm_forward(chain *c, tape *t) {
    bool rms = c->config->norm.index == GS_NORM_RMS;
    double mean = rms ? 0 : expect(c, c->x.at, NULL);
    double variance = expect(c, c->x.at, c->x.at) - mean * mean;
    double eps = gs_ldexp(c->config->norm_eps, -2 * c->x.exponent);
    t->kept = c->kept + c->used * c->count;
    c->used++;
    t->factor = 1 / sqrt(fmax(variance, 0) + eps);
    t->exponent = c->x.exponent;
    for (size_t i = 0; i < c->count; i++)
        t->kept[i] = c->x.at[i] = (c->x.at[i] - mean) * t->factor;
    c->x.exponent = 0;
}

static void norm_backward(const chain *c, const tape *t, values *g) {
    bool rms = c->config->norm.index == GS_NORM_RMS;
    double mean = rms ? 0 : expect(c, g->at, NULL), along = expect(c, g->at, t->kept);
    for (size_t i = 0; i < c->count; i++)
        g->at[i] = t->factor * (g->at[i] - mean - along * t->kept[i]);
}

/* x = source + alpha x, or the same of two gradients */
static void add(const chain *c, const values *source, double alpha, values *x) {
    int64_t exponent = source->exponent > x->exponent ? source->exponent : x->exponent;
    for (size_t i = 0; i < c->count; i++)
        x->at[i] = gs_ldexp(source->at[i], source->exponent - exponent) +
                   alpha * gs_ldexp(x->at[i], x->exponent - exponent);
    x->exponent = exponent;
}

static void forward_step(chain *c, size_t layer, const gs_step *step, tape *t) {
    switch (step->kind) {
    case GS_STAGE_DENSE:
        dense_forward(c, layer, t);
        break;
    case GS_STAGE_ACTIVATION:
        activation_forward(c, t);
        break;
    case GS_STAGE_NORM:
        norm_forward(c, t);
        break;
    case GS_STAGE_SKIP:
        add(c, &c->source, gs_branch_scale(c->config), &c->x);
    }
}

static void scale(const chain *c, double factor, const double *factors, double *x) {
    for (size_t i = 0; i < c->count; i++)
        x[i] *= factors ? factors[i] : factor;
}

static void backward_step(chain *c, const gs_step *step, const tape *t) {
    double alpha = gs_branch_scale(c->config);
    switch (step->kind) {
    case GS_STAGE_DENSE:
        scale(c, t->factor, NULL, c->value.at);
        scale(c, t->factor, NULL, c->factor.at);
        break;
    case GS_STAGE_ACTIVATION:
        scale(c, 1, t->kept, c->value.at);
        scale(c, 1, t->kept, c->factor.at);
        break;
    case GS_STAGE_NORM: /* the target does not depend on x */
        norm_backward(c, t, &c->value);
        scale(c, t->factor, NULL, c->factor.at);
        c->value.exponent -= t->exponent;
        break;
    case GS_STAGE_SKIP:
        c->round_value = c->value;
        c->round_factor = c->factor;
        scale(c, alpha, NULL, c->value.at);
        scale(c, alpha, NULL, c->factor.at);
    }
    normalise(c, &c->value, &c->factor);
    c->factor.exponent = c->value.exponent;
}

/* ---- The two ways ---- */

static size_t steps_of(const chain *c, size_t layer, gs_step steps[GS_MOST_STEPS]) {
    return gs_layer_steps(c->config, layer, true, steps);
}

static void go_forward(chain *c, bool homogeneous, gs_layer_theory *rows) {
    const gs_config *config = c->config;
    c->source = c->x;
    for (size_t l = 1; l <= config->layers; l++) {
        gs_step steps[GS_MOST_STEPS];
        size_t count = steps_of(c, l, steps);
        for (size_t i = 0; i < count; i++) {
            forward_step(c, l, &steps[i], &c->tapes[(l - 1) * GS_MOST_STEPS + i]);
            if (steps[i].names & GS_IS_Z)
                rows[l - 1].q = gs_ldexp(expect(c, c->x.at, c->x.at), 2 * c->x.exponent);
        }
        if (homogeneous)
            normalise(c, &c->x, NULL);
        if (l % config->skip == 0)
            c->source = c->x;
    }
}

static void begin_backward(chain *c) {
    const gs_config *config = c->config;
    double batch = (double)config->batch, count = batch * (double)config->outputs;
    bool mse = config->loss.index == GS_LOSS_MSE;
    c->value.exponent = c->factor.exponent = mse && c->x.exponent > 0 ? c->x.exponent : 0;
    for (size_t i = 0; i < c->count; i++) {
        double shift = gs_ldexp(2 / count, -c->value.exponent);
        c->value.at[i] = mse ? gs_ldexp(c->x.at[i], c->x.exponent) * shift
                             : (config->loss.index == GS_LOSS_SUM ? 1 / batch : 0);
        if (mse && c->x.exponent > 0)
            c->value.at[i] = c->x.at[i] * 2 / count;
        c->factor.at[i] = mse ? -shift : (config->loss.index == GS_LOSS_RANDOM ? 1 / batch : 0);
    }
}

/* Norm of the gradient over `count` entries, where t has a variance of `noise`. */
static gs_magnitude norm_of(const chain *c, double count, double noise) {
    double square =
        expect(c, c->value.at, c->value.at) + noise * expect(c, c->factor.at, c->factor.at);
    return (gs_magnitude){square * count * (double)c->config->batch, c->value.exponent};
}

/* Below the last layer constant weights have summed t over the outputs. */
static void go_back(chain *c, gs_layer_theory *rows, gs_theory *theory) {
    const gs_config *config = c->config;
    double outputs = (double)config->outputs;
    double noise = config->loss.index == GS_LOSS_MSE ? 1 : 1 / outputs;
    size_t joins_at = SIZE_MAX;
    begin_backward(c);
    gs_magnitude above = norm_of(c, outputs, noise), top = above;
    for (size_t l = config->layers; l > 0; l--) {
        gs_step steps[GS_MOST_STEPS];
        size_t count = steps_of(c, l, steps), z = 0;
        for (size_t i = 0; i < count; i++)
            z = steps[i].names & GS_IS_Z ? i : z;
        for (size_t i = count; i-- > 0;) {
            if (i == z)
                rows[l - 1].grad_z_log10 = gs_magnitude_log10(norm_of(c, units(config, l), noise));
            backward_step(c, &steps[i], &c->tapes[(l - 1) * GS_MOST_STEPS + i]);
            if (steps[i].kind == GS_STAGE_SKIP)
                joins_at = l - config->skip;
            if (steps[i].kind == GS_STAGE_DENSE && l == config->layers && c->same_units)
                noise /= outputs;
        }
        if (joins_at == l - 1) {
            c->factor.exponent = c->value.exponent;
            c->round_factor.exponent = c->round_value.exponent;
            add(c, &c->round_value, 1, &c->value);
            add(c, &c->round_factor, 1, &c->factor);
        }
        gs_magnitude below = norm_of(c, units(config, l - 1), noise);
        double ratio = gs_magnitude_ratio(below, above);
        rows[l - 1].rate = ratio * ratio;
        above = below;
    }
    theory->ratio_log10 = gs_magnitude_log10(
        (gs_magnitude){above.sum_squares / top.sum_squares, above.exponent - top.exponent});
    theory->decades_per_layer = theory->ratio_log10 / (double)config->layers;
}

/* ---- The whole ---- */

static bool has_one_width(const gs_config *config) {
    bool same = config->outputs == config->inputs;
    for (size_t i = 0; i < config->width.count; i++)
        same = same && config->width.at[i] == config->inputs;
    return same;
}

static const char *what_is_missing(const gs_config *config, bool same_units) {
    bool plain = config->norm.index == GS_NORM_NONE && config->residual.index == GS_RESIDUAL_NONE &&
                 config->order.index == GS_ORDER_DENSE_ACT;
    if (same_units && !plain)
        return "constant weights with a norm, a skip or the activation first";
    if (!same_units && !has_one_width(config))
        return "an identity between layers of different widths";
    if (config->bias.index == GS_BIAS_NORMAL && config->bias.parameter != 0)
        return "random biases where weights are not random";
    if (config->norm.index == GS_NORM_BATCH)
        return "a batch norm where weights are not random";
    if (config->data || config->head)
        return "data, or a head, where weights are not random";
    if (config->layers > MOST_STEPS_KEPT / GS_MOST_STEPS)
        return "so many layers where weights are not random";
    return NULL;
}

static void follow(chain *c, bool homogeneous, gs_layer_theory *rows, gs_theory *theory) {
    const gs_config *config = c->config;
    bool drawn = config->input.index == GS_INPUT_NORMAL;
    double mean = drawn ? 0 : config->input.parameter, std = drawn ? config->input.parameter : 0;
    double weight = gs_init_law(config->init, config->gain, 1, 1).value;
    double fan_in = (double)config->inputs;
    if (c->same_units) /* z_1 less its bias */
        begin(c, weight * fan_in * mean, fabs(weight) * sqrt(fan_in) * std);
    else
        begin(c, mean, std);
    go_forward(c, homogeneous, rows);
    if (isfinite(expect(c, c->x.at, c->x.at)))
        go_back(c, rows, theory);
    else
        gs_format(theory->missing, sizeof theory->missing, "the signal overflows");
}

gs_status gs_predict_chain(const gs_config *config, gs_quadrature *quadrature, bool homogeneous,
                           gs_layer_theory *rows, gs_theory *theory, gs_error *error) {
    bool same_units = gs_init_law(config->init, config->gain, 1, 1).kind == GS_WEIGHTS_CONSTANT;
    const char *missing = what_is_missing(config, same_units);
    if (missing) {
        gs_format(theory->missing, sizeof theory->missing, "%s", missing);
        return GS_OK;
    }
    chain *c = gs_alloc(1, sizeof *c, error);
    gs_status status = c ? GS_OK : GS_ERR_MEMORY;
    if (status == GS_OK) {
        size_t norms = config->norm.index != GS_NORM_NONE;
        *c = (chain){.config = config, .quadrature = quadrature, .same_units = same_units};
        c->tapes = gs_alloc(config->layers, GS_MOST_STEPS * sizeof *c->tapes, error);
        c->kept = c->tapes
                      ? gs_alloc(config->layers * (1 + norms), MOST_NODES * sizeof *c->kept, error)
                      : NULL;
        status = c->kept ? GS_OK : GS_ERR_MEMORY;
        if (status == GS_OK)
            follow(c, homogeneous, rows, theory);
        gs_free(c->tapes);
        gs_free(c->kept);
    }
    gs_free(c);
    return status;
}
