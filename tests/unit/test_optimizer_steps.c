/*
 * Every optimizer, decay, clipping and constraint against plain scalar code in the words of
 * torch.optim, on networks with every kind of parameter.
 */
#include "optimizers.h"

/* ---- The naive optimizer ---- */

typedef struct {
    char name[64];
    size_t layer, rows, cols, count; /* a vector is one row */
    bool is_matrix;
    double *w, *g, *m, *v;
} parameter;

enum { MOST_PARAMETERS = 64 };

typedef struct {
    gs_network *network;
    const char *opt;
    double momentum;
    size_t count, layers, t;
    parameter p[MOST_PARAMETERS];
} naive;

static naive *naive_of(gs_network *network, const char *opt, double momentum) {
    naive *n = calloc(1, sizeof *n);
    gs_tensor tensor, other;
    *n = (naive){.network = network, .opt = opt, .momentum = momentum};
    n->layers = gs_network_layers(network);
    for (size_t i = 0; gs_network_tensor(network, i, &tensor); i++) {
        char grad[80];
        snprintf(grad, sizeof grad, "%s.grad", tensor.name);
        for (size_t j = i; gs_network_tensor(network, j, &other); j++) {
            if (strcmp(other.name, grad) != 0)
                continue;
            parameter *p = &n->p[n->count++];
            snprintf(p->name, sizeof p->name, "%s", tensor.name);
            if (sscanf(tensor.name, "layers.%zu.", &p->layer) != 1)
                p->layer = n->layers;
            p->is_matrix = tensor.rank == 2;
            p->count = tensor.shape[0] * tensor.shape[1];
            p->rows = p->is_matrix ? tensor.shape[0] : 1;
            p->cols = p->count / p->rows;
            p->w = calloc(p->count, sizeof(double)), p->g = calloc(p->count, sizeof(double));
            p->m = calloc(p->count, sizeof(double)), p->v = calloc(p->count, sizeof(double));
        }
    }
    return n;
}

static void naive_free(naive *n) {
    for (size_t i = 0; i < n->count; i++)
        free(n->p[i].w), free(n->p[i].g), free(n->p[i].m), free(n->p[i].v);
    free(n);
}

static void naive_read(naive *n) {
    for (size_t i = 0; i < n->count; i++) {
        char grad[80];
        snprintf(grad, sizeof grad, "%s.grad", n->p[i].name);
        read_tensor(n->network, n->p[i].name, n->p[i].w, n->p[i].count);
        read_tensor(n->network, grad, n->p[i].g, n->p[i].count);
    }
}

static double norm_of(const double *x, size_t count) {
    double squares = 0;
    for (size_t i = 0; i < count; i++)
        squares += x[i] * x[i];
    return sqrt(squares);
}

/* Over the parameters of one layer, or of all for 0. */
static double grad_norm(const naive *n, size_t layer) {
    double total = 0;
    for (size_t i = 0; i < n->count; i++)
        if (layer == 0 || n->p[i].layer == layer)
            total = hypot(total, norm_of(n->p[i].g, n->p[i].count));
    return total;
}

static void scale_grads(naive *n, size_t layer, double factor) {
    for (size_t i = 0; i < n->count; i++)
        for (size_t j = 0; j < n->p[i].count && (layer == 0 || n->p[i].layer == layer); j++)
            n->p[i].g[j] *= factor;
}

static void clip_rows(parameter *p, double c) {
    for (size_t r = 0; r < p->rows; r++) {
        double *g = p->g + r * p->cols, norm = norm_of(g, p->cols);
        double limit = c * fmax(norm_of(p->w + r * p->cols, p->cols), 1e-3);
        for (size_t j = 0; j < p->cols && norm > limit; j++)
            g[j] *= limit / norm;
    }
}

static void naive_clip(naive *n, const gs_step_settings *s) {
    double c = s->clip.parameter;
    for (size_t l = 1; l <= n->layers && s->grad_normalize; l++)
        if (grad_norm(n, l) > 0)
            scale_grads(n, l, 1 / grad_norm(n, l));
    if (s->clip.index == GS_CLIP_NORM)
        scale_grads(n, 0, fmin(1, c / grad_norm(n, 0)));
    for (size_t l = 1; l <= n->layers && s->clip.index == GS_CLIP_LAYER; l++)
        if (grad_norm(n, l) > 0)
            scale_grads(n, l, fmin(1, c / grad_norm(n, l)));
    for (size_t i = 0; i < n->count; i++) {
        for (size_t j = 0; j < n->p[i].count && s->clip.index == GS_CLIP_VALUE; j++)
            n->p[i].g[j] = fmax(-c, fmin(c, n->p[i].g[j]));
        if (s->clip.index == GS_CLIP_AGC)
            clip_rows(&n->p[i], c);
    }
}

/* torch/optim/sgd.py, rmsprop.py, adam.py, adamw.py */
static double naive_direction(const naive *n, const gs_step_settings *s, double g, double *m,
                              double *v) {
    if (strcmp(n->opt, "sgd") == 0)
        return g;
    if (strcmp(n->opt, "momentum") == 0)
        return *m = n->momentum * *m + g;
    if (strcmp(n->opt, "nesterov") == 0) {
        *m = n->momentum * *m + g;
        return g + n->momentum * *m;
    }
    if (strcmp(n->opt, "rmsprop") == 0) {
        *v = s->rho * *v + (1 - s->rho) * g * g;
        return g / (sqrt(*v) + s->eps);
    }
    *m = s->beta1 * *m + (1 - s->beta1) * g;
    *v = s->beta2 * *v + (1 - s->beta2) * g * g;
    double mean = *m / (1 - pow(s->beta1, (double)n->t));
    return mean / (sqrt(*v / (1 - pow(s->beta2, (double)n->t))) + s->eps);
}

static void naive_update(naive *n, parameter *p, const gs_step_settings *s) {
    bool decoupled = strcmp(n->opt, "adamw") == 0;
    for (size_t j = 0; j < p->count; j++) {
        double w = p->w[j], sign = (w > 0) - (w < 0);
        double g = p->g[j] + s->l1 * sign + (decoupled ? 0 : s->l2 * w);
        double kept = decoupled ? w * (1 - s->rate * s->l2) : w;
        p->w[j] = kept - s->rate * naive_direction(n, s, g, &p->m[j], &p->v[j]);
    }
    for (size_t r = 0; r < p->rows && p->is_matrix && s->max_norm > 0; r++) {
        double norm = norm_of(p->w + r * p->cols, p->cols);
        for (size_t j = 0; j < p->cols && norm > s->max_norm; j++)
            p->w[r * p->cols + j] *= s->max_norm / norm;
    }
}

/* ---- Side by side ---- */

static void check_norm(const char *what, size_t layer, gs_magnitude actual, double expected,
                       double tolerance) {
    CHECK_THAT(fabs(gs_magnitude_value(actual) - expected) <= tolerance * (1e-6 + expected),
               "%s of layer %zu is %.17g, expected %.17g", what, layer, gs_magnitude_value(actual),
               expected);
}

/* Before a step: the norms of gradients and weights; after clipping, and after the step. */
static void check_before(const naive *n, const gs_step_stats *stats, double tolerance) {
    check_norm("all gradients", 0, stats->before, grad_norm(n, 0), tolerance);
    for (size_t i = 0; i < n->count; i++) {
        const parameter *p = &n->p[i];
        const gs_layer_step *layer = &stats->layers[p->layer - 1];
        if (!p->is_matrix)
            continue;
        check_norm("dL/dW", p->layer, layer->before, norm_of(p->g, p->count), tolerance);
        check_norm("W", p->layer, layer->weight, norm_of(p->w, p->count), tolerance);
    }
}

static void check_after(const naive *n, const gs_step_stats *stats, double tolerance) {
    check_norm("all clipped", 0, stats->after, grad_norm(n, 0), tolerance);
    for (size_t i = 0; i < n->count; i++)
        if (n->p[i].is_matrix)
            check_norm("clipped", n->p[i].layer, stats->layers[n->p[i].layer - 1].after,
                       norm_of(n->p[i].g, n->p[i].count), tolerance);
}

/* Each value within some roundings of what it is made of: w, and a direction of a size of a few g
   or 1. `moved` is the norm of each W' - W. */
static void check_values(naive *n, double rate, double tolerance, const double *moved,
                         const gs_step_stats *stats) {
    for (size_t i = 0; i < n->count; i++) {
        parameter *p = &n->p[i];
        double *actual = calloc(p->count, sizeof *actual);
        read_tensor(n->network, p->name, actual, p->count);
        for (size_t j = 0; j < p->count; j++) {
            double size = fabs(p->w[j]) + rate * (1 + 10 * fabs(p->g[j]) + fabs(p->m[j]));
            CHECK_THAT(fabs(actual[j] - p->w[j]) <= tolerance * size,
                       "%s, step %zu: %s[%zu] is %.17g, expected %.17g", n->opt, n->t, p->name, j,
                       actual[j], p->w[j]);
        }
        if (p->is_matrix && moved)
            CHECK_THAT(fabs(gs_magnitude_value(stats->layers[p->layer - 1].step) - moved[i]) <=
                           tolerance * (moved[i] + norm_of(actual, p->count)),
                       "%s moved by %.17g, expected %.17g", p->name,
                       gs_magnitude_value(stats->layers[p->layer - 1].step), moved[i]);
        free(actual);
    }
}

/* One step of both from the same weights and gradients. */
static bool step_both(naive *n, gs_optimizer *optimizer, const gs_step_settings *s,
                      double tolerance) {
    gs_layer_step layers[MOST_LAYERS];
    gs_step_stats stats = {.layers = layers};
    double moved[MOST_PARAMETERS] = {0}, unclipped;
    CHECK(gs_network_forward(n->network, NULL, &error) == GS_OK);
    CHECK(gs_network_backward(n->network, &error) == GS_OK);
    naive_read(n);
    n->t++;
    CHECK_THAT(gs_optimizer_try(optimizer, s, &stats, &error) == GS_OK, "%s", error.message);
    CHECK_THAT(gs_optimizer_step(optimizer, s, &stats, &error) == GS_OK, "%s", error.message);
    check_before(n, &stats, tolerance);
    unclipped = grad_norm(n, 0);
    naive_clip(n, s);
    check_after(n, &stats, tolerance);
    for (size_t i = 0; i < n->count; i++) {
        double *old = malloc(n->p[i].count * sizeof *old);
        memcpy(old, n->p[i].w, n->p[i].count * sizeof *old);
        naive_update(n, &n->p[i], s);
        for (size_t j = 0; j < n->p[i].count; j++)
            moved[i] = hypot(moved[i], n->p[i].w[j] - old[j]);
        free(old);
    }
    check_values(n, s->rate, tolerance, s->max_norm > 0 ? NULL : moved, &stats);
    bool is_clipped = s->grad_normalize || grad_norm(n, 0) < unclipped * (1 - 1e-12);
    CHECK_THAT(s->grad_normalize || stats.is_clipped == is_clipped, "%s: clipped %d", n->opt,
               stats.is_clipped);
    return stats.is_clipped;
}

static const char *const shapes[] = {
    "layers=4 width=9 batch=17 act=tanh norm=batch residual=add branch-scale=rezero head=on "
    "outputs=3 inputs=5 bias=normal:0.2",
    "layers=3 width=57 batch=9 act=gelu norm=layer norm-at=output gain=1.5",
};
enum { SHAPES = 2, STEPS = 20 };

/* Returns in how many steps something was clipped. */
static size_t check_steps(const char *shape, const char *dtype, const char *opt,
                          const gs_step_settings *s, double tolerance) {
    char options[256], name[32];
    size_t clipped = 0;
    snprintf(options, sizeof options, "%s dtype=%s", shape, dtype);
    snprintf(name, sizeof name, "%.*s", (int)strcspn(opt, ":"), opt);
    gs_network *network = network_of(options);
    gs_optimizer optimizer = optimizer_of(network, opt);
    CHECK(gs_network_forward(network, NULL, &error) == GS_OK);
    CHECK(gs_network_backward(network, &error) == GS_OK);
    naive *n = naive_of(network, name, optimizer.opt.parameter);
    for (size_t t = 0; t < STEPS; t++)
        clipped += step_both(n, &optimizer, s, tolerance);
    naive_free(n);
    gs_optimizer_free(&optimizer);
    gs_network_free(network);
    return clipped;
}

/* A few dozen roundings of a step, and as many steps in the moments. */
static const double f64_tolerance = 400 * 0x1p-53, f32_tolerance = 400 * 0x1p-24;

static const char *const optimizers[] = {"sgd",          "momentum", "momentum:0.5", "nesterov",
                                         "nesterov:0.8", "rmsprop",  "adam",         "adamw"};
enum { OPTIMIZERS = 8 };

static void test_every_optimizer_follows_its_formula(void) {
    for (size_t shape = 0; shape < SHAPES; shape++)
        for (size_t i = 0; i < OPTIMIZERS; i++) {
            gs_step_settings s = settings_of(0.01, "none");
            check_steps(shapes[shape], "f64", optimizers[i], &s, f64_tolerance);
        }
}

static void test_every_optimizer_follows_its_formula_in_float(void) {
    for (size_t i = 0; i < OPTIMIZERS; i++) {
        gs_step_settings s = settings_of(0.01, "none");
        s.l1 = 1e-3, s.l2 = 1e-2;
        check_steps(shapes[0], "f32", optimizers[i], &s, f32_tolerance);
    }
}

static void test_decay_and_max_norm_follow_their_formulas(void) {
    for (size_t i = 0; i < OPTIMIZERS; i++) {
        gs_step_settings s = settings_of(0.02, "none");
        s.l1 = 1e-2, s.l2 = 0.1, s.beta1 = 0.8, s.beta2 = 0.99, s.rho = 0.9, s.eps = 1e-4;
        check_steps(shapes[0], "f64", optimizers[i], &s, f64_tolerance);
        s.max_norm = 0.7;
        check_steps(shapes[1], "f64", optimizers[i], &s, f64_tolerance);
    }
}

static void test_every_clipping_follows_its_formula(void) {
    static const char *const clips[] = {"value:0.02", "norm:0.1", "layer:0.05", "agc:0.01"};
    for (size_t shape = 0; shape < SHAPES; shape++)
        for (size_t i = 0; i < 4; i++)
            for (size_t normalize = 0; normalize < 2; normalize++) {
                gs_step_settings s = settings_of(0.01, clips[i]);
                s.grad_normalize = normalize;
                size_t clipped = check_steps(shapes[shape], "f64", "sgd", &s, f64_tolerance);
                CHECK_THAT(clipped > 0, "%s never clips", clips[i]);
                check_steps(shapes[shape], "f32", "momentum", &s, f32_tolerance);
                s.clip.parameter = 1e3;
                CHECK(check_steps(shapes[shape], "f64", "adam", &s, f64_tolerance) == 0);
            }
}

TEST_MAIN(TEST(test_every_optimizer_follows_its_formula),
          TEST(test_every_optimizer_follows_its_formula_in_float),
          TEST(test_decay_and_max_norm_follow_their_formulas),
          TEST(test_every_clipping_follows_its_formula))
