/*
 * The prediction for a configuration: its signal layer by layer to the loss, and the gradient back.
 * Of a layer its output is kept on the way, and what its activation makes of a signal, which costs
 * most; the steps inside it are made again on the way back.
 */
#include <math.h>

#include "base/error.h"
#include "base/memory.h"
#include "net/activation.h"
#include "net/magnitude.h"
#include "net/network.h"
#include "theory/chain.h"
#include "theory/loss.h"
#include "theory/phase.h"

/* What is predicted of a layer, summed over groups of examples: shares of z's moments, times
   4^exponent, and norms of the gradient over units and batch. */
typedef struct {
    double square, product;
    int64_t exponent;
    gs_magnitude grad_z, grad_x;
} layer_sums;

typedef struct {
    gs_mean_field x; /* the output */
    gs_kept_moments kept;
    layer_sums sums;
} layer_notes;

typedef struct {
    const gs_config *config; /* resolved */
    gs_quadrature *quadrature;
    bool pairs, homogeneous;
    double alpha, share; /* of the batch that is looked at */
    layer_notes *notes;  /* [layers + 2]: from the input to x_L, and the head */
    gs_length_rule *lengths;
} walk;

/* A layer, its steps, and the signals before each of them and after the last. */
typedef struct {
    size_t layer, fan_in, fan_out, count;
    gs_step steps[GS_MOST_STEPS];
    gs_mean_field signal[GS_MOST_STEPS + 1];
    const gs_mean_field *source; /* of its skip */
} layer_walk;

/* ---- Steps ---- */

static gs_dense_theory dense_of(const walk *w, const layer_walk *at) {
    const gs_config *config = w->config;
    bool drawn = config->bias.index == GS_BIAS_NORMAL;
    double bias = config->bias.parameter;
    return (gs_dense_theory){gs_init_law(config->init, config->gain, at->fan_in, at->fan_out),
                             (double)at->fan_in, (double)at->fan_out, drawn ? 0 : bias,
                             drawn ? bias * bias : 0};
}

static gs_activation_theory activation_of(const walk *w, const layer_walk *at) {
    return (gs_activation_theory){w->quadrature, w->config->act.index == GS_ACT_LINEAR, w->pairs,
                                  &w->notes[at->layer].kept};
}

static gs_norm_theory norm_of(const walk *w, size_t units) {
    return (gs_norm_theory){w->config->norm.index, w->config->norm_eps, units, w->config->batch,
                            w->lengths};
}

/* A norm stands before the weights of its layer or after them. */
static size_t norm_units(const layer_walk *at, const gs_step *step) {
    for (const gs_step *s = at->steps; s < step; s++)
        if (s->kind == GS_STAGE_DENSE)
            return at->fan_out;
    return at->fan_in;
}

static const char *forward_step(const walk *w, layer_walk *at, size_t i) {
    const gs_mean_field *in = &at->signal[i];
    gs_mean_field *out = &at->signal[i + 1];
    const gs_step *step = &at->steps[i];
    gs_dense_theory dense = dense_of(w, at);
    gs_activation_theory act = activation_of(w, at);
    gs_norm_theory norm = norm_of(w, norm_units(at, step));
    switch (step->kind) {
    case GS_STAGE_DENSE:
        return gs_dense_mean_forward(&dense, in, out);
    case GS_STAGE_ACTIVATION:
        return gs_activation_mean_forward(&act, in, out);
    case GS_STAGE_NORM:
        return gs_norm_mean_forward(&norm, in, out);
    default:
        return gs_skip_mean_forward(w->alpha, at->source, in, out);
    }
}

static gs_mean_gradient backward_step(const walk *w, const layer_walk *at, size_t i,
                                      gs_mean_gradient g, gs_mean_gradient *g_source) {
    const gs_mean_field *in = &at->signal[i], *out = &at->signal[i + 1];
    const gs_step *step = &at->steps[i];
    gs_dense_theory dense = dense_of(w, at);
    gs_activation_theory act = activation_of(w, at);
    gs_norm_theory norm = norm_of(w, norm_units(at, step));
    switch (step->kind) {
    case GS_STAGE_DENSE:
        return gs_dense_mean_backward(&dense, in, out, g);
    case GS_STAGE_ACTIVATION:
        return gs_activation_mean_backward(&act, in, g);
    case GS_STAGE_NORM:
        return gs_norm_mean_backward(&norm, in, out, g);
    default:
        return gs_skip_mean_backward(w->alpha, at->source, in, out, g, g_source);
    }
}

/* ---- Layers ---- */

static void begin_layer(const walk *w, size_t layer, layer_walk *at) {
    const gs_config *config = w->config;
    size_t source = (layer - 1) / config->skip * config->skip;
    at->layer = layer;
    at->fan_in = gs_config_units(config, layer - 1);
    at->fan_out = gs_config_units(config, layer);
    at->signal[0] = w->notes[layer - 1].x;
    at->source = &w->notes[source].x;
    if (layer <= config->layers) {
        bool fits = gs_config_units(config, source) == at->fan_out;
        at->count = gs_layer_steps(config, layer, fits, at->steps);
    } else {
        at->steps[0] = (gs_step){GS_STAGE_DENSE, 0, GS_IS_Z | GS_IS_X};
        at->count = 1;
    }
}

static const char *forward_layer(const walk *w, size_t layer, layer_walk *at) {
    begin_layer(w, layer, at);
    for (size_t i = 0; i < at->count; i++) {
        const char *missing = forward_step(w, at, i);
        if (missing)
            return missing;
    }
    return isfinite(at->signal[at->count].square) ? NULL : "the signal overflows";
}

/* The signal that is z_l: after the last step that can be. */
static size_t index_of_z(const layer_walk *at) {
    size_t index = 0;
    for (size_t i = 0; i < at->count; i++)
        if (at->steps[i].names & GS_IS_Z)
            index = i + 1;
    return index;
}

static void add_signal(const walk *w, const layer_walk *at) {
    const gs_mean_field *z = &at->signal[index_of_z(at)];
    layer_sums *sums = &w->notes[at->layer].sums;
    if (sums->square == 0)
        sums->exponent = z->exponent;
    sums->square += w->share * gs_ldexp(z->square, 2 * (z->exponent - sums->exponent));
    sums->product += w->share * gs_ldexp(z->product, 2 * (z->exponent - sums->exponent));
}

static void add_gradient(const walk *w, size_t units, const gs_mean_gradient *g,
                         const gs_mean_field *x, gs_magnitude *norm) {
    double count = w->share * (double)units * (double)w->config->batch;
    gs_magnitude part = {count * gs_mean_gradient_square(g, x), g->exponent};
    *norm = gs_magnitude_add(*norm, part);
}

static gs_mean_gradient backward_layer(const walk *w, const layer_walk *at, gs_mean_gradient g,
                                       gs_mean_gradient *g_source) {
    for (size_t i = at->count; i-- > 0;) {
        if (i + 1 == index_of_z(at))
            add_gradient(w, at->fan_out, &g, &at->signal[i + 1], &w->notes[at->layer].sums.grad_z);
        g = backward_step(w, at, i, g, g_source);
        gs_mean_gradient_normalise(&g, &at->signal[i]);
    }
    return g;
}

/* ---- The two ways ---- */

static const char *go_forward(const walk *w) {
    size_t layers = w->config->layers + w->config->head;
    layer_walk at;
    for (size_t l = 1; l <= layers; l++) {
        const char *missing = forward_layer(w, l, &at);
        if (missing)
            return missing;
        w->notes[l].x = at.signal[at.count];
        if (w->homogeneous)
            gs_mean_field_normalise(&w->notes[l].x);
        add_signal(w, &at);
    }
    return NULL;
}

/* What goes round a block waits until the block has been passed. */
static void go_back(const walk *w) {
    const gs_config *config = w->config;
    size_t layers = config->layers + config->head, joins_at = SIZE_MAX;
    gs_mean_gradient g = gs_loss_mean_gradient(config, &w->notes[layers].x), round = {0};
    add_gradient(w, config->outputs, &g, &w->notes[layers].x, &w->notes[layers].sums.grad_x);
    for (size_t l = layers; l > 0; l--) {
        layer_walk at;
        gs_mean_gradient g_source = {.noise = NAN};
        forward_layer(w, l, &at);
        g.slope *= gs_ldexp(1, at.signal[at.count].exponent - w->notes[l].x.exponent);
        g = backward_layer(w, &at, g, &g_source);
        if (!isnan(g_source.noise)) {
            joins_at = l - config->skip;
            round = g_source;
        }
        if (joins_at == l - 1)
            g = gs_mean_gradient_add(g, round);
        gs_mean_gradient_normalise(&g, &w->notes[l - 1].x);
        add_gradient(w, at.fan_in, &g, &w->notes[l - 1].x, &w->notes[l - 1].sums.grad_x);
    }
}

/* ---- Groups of examples ---- */

static gs_mean_field input_of(const walk *w, const gs_input_moments *input, size_t group) {
    const gs_config *config = w->config;
    int exponent = 0;
    double parameter = config->input.parameter, square;
    if (input)
        return (gs_mean_field){
            .mean = input->mean, .square = input->squares[group], .product = input->product};
    if (w->homogeneous) /* whose square may not fit */
        parameter = frexp(parameter, &exponent);
    square = parameter * parameter;
    if (config->input.index == GS_INPUT_CONSTANT)
        return (gs_mean_field){
            .mean = parameter, .square = square, .product = square, .exponent = exponent};
    return (gs_mean_field){.square = square, .exponent = exponent};
}

/* Examples of one size go together through the network: groups differ where data do. */
static const char *follow(walk *w, const gs_input_moments *input) {
    size_t groups = input ? GS_INPUT_GROUPS : 1;
    const char *missing = NULL;
    w->share = 1 / (double)groups;
    for (size_t group = 0; group < groups && !missing; group++) {
        w->notes[0].x = input_of(w, input, group);
        missing = go_forward(w);
        if (!missing)
            go_back(w);
    }
    return missing;
}

static void describe(const walk *w, gs_layer_theory *rows, gs_theory *theory) {
    size_t depth = w->config->layers, layers = depth + w->config->head;
    const layer_notes *notes = w->notes;
    for (size_t l = 1; l <= layers; l++) {
        double ratio = gs_magnitude_ratio(notes[l - 1].sums.grad_x, notes[l].sums.grad_x);
        rows[l - 1].q = gs_ldexp(notes[l].sums.square, 2 * notes[l].sums.exponent);
        if (w->pairs && notes[l].sums.square > 0)
            rows[l - 1].correlation = notes[l].sums.product / notes[l].sums.square;
        rows[l - 1].grad_z_log10 = gs_magnitude_log10(notes[l].sums.grad_z);
        rows[l - 1].rate = ratio * ratio;
    }
    gs_magnitude bottom = notes[0].sums.grad_x, top = notes[depth].sums.grad_x;
    theory->ratio_log10 = gs_magnitude_log10(
        (gs_magnitude){bottom.sum_squares / top.sum_squares, bottom.exponent - top.exponent});
    theory->decades_per_layer = theory->ratio_log10 / (double)depth;
}

/* ---- The whole ---- */

/* A plain network of random weights, which has inner layers. */
static bool has_phase(const gs_config *config) {
    return config->norm.index == GS_NORM_NONE && config->residual.index == GS_RESIDUAL_NONE;
}

static void find_phase(const walk *w, const gs_layer_theory *first, gs_theory *theory) {
    double sigma_w2 = gs_inner_sigma_w2(w->config);
    if (!isnan(sigma_w2))
        gs_find_phase(w->config, w->quadrature, sigma_w2, first->q, first->correlation, theory);
}

static gs_status predict_mean_field(walk *w, const gs_input_moments *input, bool thorough,
                                    gs_layer_theory *rows, gs_theory *theory, gs_error *error) {
    const gs_config *config = w->config;
    const char *missing = "a batch norm of data, whose examples are not alike";
    gs_length_rule lengths = {0};
    w->lengths = &lengths;
    w->notes = gs_alloc(config->layers + 2, sizeof *w->notes, error);
    if (!w->notes)
        return GS_ERR_MEMORY;
    if (!(config->data && config->norm.index == GS_NORM_BATCH))
        missing = follow(w, input);
    if (missing)
        gs_format(theory->missing, sizeof theory->missing, "%s", missing);
    else
        describe(w, rows, theory);
    if (!missing && thorough && has_phase(config))
        find_phase(w, &rows[0], theory);
    gs_free(w->notes);
    return GS_OK;
}

static gs_status predict(const gs_config *config, const gs_input_moments *input, bool thorough,
                         gs_layer_theory *rows, gs_theory *theory, gs_error *error) {
    const gs_activation *act = (const gs_activation *)(const void *)gs_family_row(
        &gs_activation_family, config->act.index);
    walk w = {.config = config,
              .quadrature = gs_quadrature_new(config->act, error),
              .pairs = thorough || config->norm.index == GS_NORM_BATCH,
              .homogeneous = act->homogeneous,
              .alpha = gs_branch_scale(config)};
    if (!w.quadrature)
        return error ? error->code : GS_ERR_MEMORY;
    gs_weight_kind kind = gs_init_law(config->init, config->gain, 1, 1).kind;
    bool random = kind == GS_WEIGHTS_INDEPENDENT || kind == GS_WEIGHTS_ORTHOGONAL;
    gs_status status =
        random ? predict_mean_field(&w, input, thorough, rows, theory, error)
               : gs_predict_chain(config, w.quadrature, w.homogeneous, rows, theory, error);
    gs_quadrature_free(w.quadrature);
    return status;
}

/* Nothing is known until it is found. */
static void forget(size_t count, bool head, gs_layer_theory *rows, gs_theory *theory) {
    *theory = (gs_theory){"", NAN, NAN, GS_PHASE_NONE, NAN, NAN, NAN, NAN, NAN, NAN};
    for (size_t i = 0; i < count; i++) {
        gs_layer_kind kind = head && i + 1 == count ? GS_KIND_HEAD : GS_KIND_DENSE;
        rows[i] = (gs_layer_theory){i + 1, kind, NAN, NAN, NAN, NAN};
    }
}

gs_status gs_predict(const gs_config *config, const gs_input_moments *input, bool thorough,
                     gs_layer_theory *layers, gs_theory *theory, gs_error *error) {
    gs_error local;
    gs_theory unused;
    gs_config resolved = *config;
    gs_status status = gs_config_resolve(&resolved, 0, 0, error);
    if (status == GS_OK && config->data && !input)
        status = gs_fail(error, GS_ERR_USAGE, "--data: expected the moments of its examples");
    if (status != GS_OK)
        return status;
    size_t count = resolved.layers + resolved.head;
    gs_layer_theory *rows = layers ? layers : gs_alloc(count, sizeof *rows, error);
    if (!rows)
        return GS_ERR_MEMORY;
    theory = theory ? theory : &unused;
    forget(count, resolved.head, rows, theory);
    status = predict(&resolved, input, thorough, rows, theory, error ? error : &local);
    if (rows != layers)
        gs_free(rows);
    return status;
}
