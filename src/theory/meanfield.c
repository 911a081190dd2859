/*
 * The steps of a layer in mean-field theory. Two facts carry the way back. Weights of mean 0 that
 * are independent of d give W^T d independent entries with the variance fan_out Var W E d^2. And
 * where d depends on z = W u, they also give slope u, fan_out Var W times the regression of d on z
 * (Stein's lemma: E w f(w u) = Var w E f' u).
 */
#include "theory/meanfield.h"

#include <math.h>

#include "kernels/kernels.h"
#include "net/config.h"
#include "net/magnitude.h"

/* ---- Signals and gradients ---- */

double gs_mean_gradient_square(const gs_mean_gradient *g, const gs_mean_field *x) {
    return g->slope * g->slope * x->square + 2 * g->slope * g->constant * x->mean +
           g->constant * g->constant + g->noise;
}

double gs_mean_gradient_product(const gs_mean_gradient *g, const gs_mean_field *x) {
    return g->slope * g->slope * x->product + 2 * g->slope * g->constant * x->mean +
           g->constant * g->constant + g->product;
}

static double variance(const gs_mean_field *x) {
    return fmax(x->square - x->mean * x->mean, 0);
}

/* The same signal with another exponent. */
static gs_mean_field rescaled(gs_mean_field x, int64_t exponent) {
    int64_t shift = x.exponent - exponent;
    x.mean = gs_ldexp(x.mean, shift);
    x.square = gs_ldexp(x.square, 2 * shift);
    x.product = gs_ldexp(x.product, 2 * shift);
    x.exponent = exponent;
    return x;
}

static gs_mean_gradient scaled(gs_mean_gradient g, double factor) {
    g.slope *= factor;
    g.constant *= factor;
    g.noise *= factor * factor;
    g.product *= factor * factor;
    g.along *= factor * factor;
    return g;
}

/* The exponent to be taken out of a number whose square is `square`. */
static int64_t excess(double square) {
    int exponent;
    if (!(square > 0 && isfinite(square)))
        return 0;
    frexp(square, &exponent);
    return exponent > 64 || exponent < -64 ? exponent / 2 : 0;
}

void gs_mean_field_normalise(gs_mean_field *x) {
    *x = rescaled(*x, x->exponent + excess(x->square));
}

void gs_mean_gradient_normalise(gs_mean_gradient *g, const gs_mean_field *x) {
    int64_t shift = excess(gs_mean_gradient_square(g, x));
    *g = scaled(*g, gs_ldexp(1, -shift));
    g->exponent += shift;
}

gs_mean_gradient gs_mean_gradient_add(gs_mean_gradient a, gs_mean_gradient b) {
    int64_t exponent = a.exponent > b.exponent ? a.exponent : b.exponent;
    a = scaled(a, gs_ldexp(1, a.exponent - exponent));
    b = scaled(b, gs_ldexp(1, b.exponent - exponent));
    return (gs_mean_gradient){
        a.slope + b.slope, a.constant + b.constant, a.noise + b.noise, a.product + b.product, NAN,
        exponent};
}

/* ---- z = W u + b ---- */

static double forward_gain(const gs_dense_theory *dense) {
    return dense->fan_in * dense->weights.value;
}

static double backward_gain(const gs_dense_theory *dense) {
    return dense->fan_out * dense->weights.value;
}

const char *gs_dense_mean_forward(const gs_dense_theory *dense, const gs_mean_field *in,
                                  gs_mean_field *out) {
    double gain = forward_gain(dense), mean = gs_ldexp(dense->bias_mean, -in->exponent);
    double bias = gs_ldexp(dense->bias_variance, -2 * in->exponent) + mean * mean;
    *out = (gs_mean_field){GS_SHAPE_NORMAL,           0,           mean, gain * in->square + bias,
                           gain * in->product + bias, in->exponent};
    return NULL;
}

/* W^T W u is a multiple of u for a tall orthogonal W, and its projection for a wide one: then no
   noise comes of the part of d that is linear in z, or less. */
gs_mean_gradient gs_dense_mean_backward(const gs_dense_theory *dense, const gs_mean_field *in,
                                        const gs_mean_field *out, gs_mean_gradient g) {
    double gain = backward_gain(dense);
    double linear = g.slope * g.slope * forward_gain(dense), kept = 1;
    if (dense->weights.kind == GS_WEIGHTS_ORTHOGONAL)
        kept = dense->fan_out < dense->fan_in ? 1 - dense->fan_out / dense->fan_in : 0;
    gs_mean_gradient back = {
        .slope = gain * g.slope,
        .noise = gain * (gs_mean_gradient_square(&g, out) - (1 - kept) * linear * in->square),
        .product = gain * (gs_mean_gradient_product(&g, out) - (1 - kept) * linear * in->product),
        .along = NAN,
        .exponent = g.exponent};
    back.noise = fmax(back.noise, 0);
    return back;
}

/* ---- a = phi(z) ---- */

static gs_law law_of(const gs_mean_field *x) {
    bool normal = x->shape == GS_SHAPE_NORMAL;
    return (gs_law){x->mean, sqrt(variance(x)), normal ? GS_NORMAL : x->dimension};
}

/* Examples that a layer norm keeps apart are nearly normal together; those of a batch norm lie
   along vectors that point away from each other. */
static gs_pair_moments expect_pair(const gs_activation_theory *act, const gs_mean_field *x) {
    gs_law law = law_of(x);
    double own = variance(x);
    double correlation = own > 0 ? (x->product - x->mean * x->mean) / own : 1;
    if (x->shape == GS_SHAPE_NORMED_BATCH)
        correlation = -1 / (double)x->dimension;
    else
        law.dimension = GS_NORMAL;
    return gs_expect_pair(act->quadrature, law, fmax(-1, fmin(1, correlation)));
}

static bool same_number(double a, double b) {
    return a == b || (isnan(a) && isnan(b));
}

static bool same_field(const gs_mean_field *a, const gs_mean_field *b) {
    return a->shape == b->shape && a->dimension == b->dimension && a->mean == b->mean &&
           a->square == b->square && same_number(a->product, b->product);
}

static const gs_kept_moments *moments_at(const gs_activation_theory *act, const gs_mean_field *x) {
    gs_kept_moments *kept = act->kept;
    if (!kept->filled || !same_field(x, &kept->of)) {
        kept->filled = true;
        kept->of = *x;
        kept->pair = act->pairs ? expect_pair(act, x) : (gs_pair_moments){NAN, NAN, NAN};
        kept->one = gs_expect(act->quadrature, law_of(x));
    }
    return kept;
}

const char *gs_activation_mean_forward(const gs_activation_theory *act, const gs_mean_field *in,
                                       gs_mean_field *out) {
    *out = *in;
    if (act->linear)
        return NULL;
    if (in->shape == GS_SHAPE_OTHER)
        return "what enters the activation is not normally distributed";
    const gs_kept_moments *m = moments_at(act, in);
    double product = act->pairs ? m->pair.phi : NAN;
    if (fabs(product) < 1e-15 * m->one.phi2)
        product = 0;
    *out = (gs_mean_field){GS_SHAPE_OTHER, 0, m->one.phi, m->one.phi2, product, in->exponent};
    return NULL;
}

/* d = phi'(z) g, of which the part that is linear in z is found by regression; the rest of what
   depends on z counts as noise. */
gs_mean_gradient gs_activation_mean_backward(const gs_activation_theory *act,
                                             const gs_mean_field *in, gs_mean_gradient g) {
    if (act->linear)
        return g;
    const gs_kept_moments *kept = moments_at(act, in);
    gs_pair_moments pair = kept->pair;
    gs_moments m = kept->one;
    double k = g.slope, c = g.constant, own = variance(in);
    double mean = k * m.phi_slope + c * m.slope;
    double covariance = k * m.c_phi_slope + c * m.c_slope;
    double coherent = k * k * m.phi2_slope2 + 2 * k * c * m.phi_slope2 + c * c * m.slope2;
    double slope = own > 0 ? covariance / own : 0;
    double rest = fmax(coherent - slope * slope * own - mean * mean, 0);
    gs_mean_gradient back = {.slope = slope,
                             .constant = mean - slope * in->mean,
                             .noise = g.noise * m.slope2 + rest,
                             .product = g.product * pair.slope,
                             .along = NAN,
                             .exponent = g.exponent};
    if (in->shape == GS_SHAPE_NORMED_UNITS && own > 0)
        back.along = g.noise * m.c2_slope2 / own + rest;
    if (in->shape == GS_SHAPE_NORMED_BATCH && own > 0)
        back.along =
            (g.noise * m.c2_slope2 + (double)in->dimension * g.product * pair.c_slope) / own + rest;
    return back;
}

/* ---- y = (x - mean) / sqrt(variance + eps) ---- */

/* What a norm divides by is the root of s + eps, where s is the variance of the numbers in a group:
   `expected`, and where they are normal that times what the square of a vector of `freedom` normal
   numbers is in units of its mean. */
typedef struct {
    double group;    /* numbers that are normed together */
    double freedom;  /* those that their mean leaves */
    double expected; /* E s */
    double eps;
    bool varies;
} spread;

static spread spread_of(const gs_norm_theory *norm, const gs_mean_field *in) {
    bool rms = norm->kind == GS_NORM_RMS, batch = norm->kind == GS_NORM_BATCH;
    double group = (double)(batch ? norm->batch : norm->units), freedom = rms ? group : group - 1;
    double of_one = batch ? fmax(in->square - in->product, 0) : rms ? in->square : variance(in);
    return (spread){group, freedom, of_one * freedom / group,
                    gs_ldexp(norm->eps, -2 * in->exponent),
                    in->shape == GS_SHAPE_NORMAL && !(rms && in->mean != 0)};
}

/* Expectations over s, with t = s / (s + eps). */
typedef struct {
    double share;    /* t */
    double inverse;  /* 1 / (s + eps) */
    double along;    /* (1 - (1 - t)^2) / (s + eps) */
    double slope;    /* t (1 - t) */
    double coherent; /* t (1 - t)^2 / (s + eps) */
} spread_moments;

static void add_moments(const spread *s, double factor, double weight, spread_moments *m) {
    double value = s->expected * factor, inverse = weight / (value + s->eps);
    double t = value / (value + s->eps), rest = s->eps / (value + s->eps);
    m->share += weight * t;
    m->inverse += inverse;
    m->along += inverse * (1 + rest) * t;
    m->slope += weight * t * rest;
    m->coherent += inverse * t * rest * rest;
}

/* The trapezoid rule in log(s / E s) = y, of which the density is exp(f / 2 (y - e^y)). */
static void fill_lengths(double freedom, gs_length_rule *r) {
    double half = freedom / 2, step = fmin(0.25, 0.5 / sqrt(half));
    *r = (gs_length_rule){.freedom = freedom};
    for (int side = -1; side <= 1; side += 2)
        for (double y = side < 0 ? 0 : step; r->count < GS_MOST_LENGTHS; y += side * step) {
            double factor = gs_exp(y), weight = gs_exp(half * (y - factor + 1));
            if (!(weight > 1e-17 * factor))
                break;
            r->factor[r->count] = factor;
            r->weight[r->count++] = weight;
            r->total += weight;
        }
}

static spread_moments moments_of(const spread *s, gs_length_rule *lengths) {
    spread_moments m = {0};
    if (!s->varies) {
        add_moments(s, 1, 1, &m);
        return m;
    }
    if (lengths->freedom != s->freedom)
        fill_lengths(s->freedom, lengths);
    for (size_t i = 0; i < lengths->count; i++)
        add_moments(s, lengths->factor[i], lengths->weight[i], &m);
    double total = lengths->total;
    return (spread_moments){m.share / total, m.inverse / total, m.along / total, m.slope / total,
                            m.coherent / total};
}

const char *gs_norm_mean_forward(const gs_norm_theory *norm, const gs_mean_field *in,
                                 gs_mean_field *out) {
    spread s = spread_of(norm, in);
    bool batch = norm->kind == GS_NORM_BATCH;
    if (batch && in->shape != GS_SHAPE_NORMAL)
        return "what enters the batch norm is not normally distributed over the batch";
    if (s.freedom < 3)
        return batch ? "a batch norm of 3 examples or fewer has no mean squared gradient"
                     : "a norm of 3 units or fewer has no mean squared gradient";
    if (!(s.expected > 1e-20 * in->square))
        return batch ? "the batch norm gets examples that are all alike"
                     : "a norm gets units that are all alike";
    double share = moments_of(&s, norm->lengths).share, root = sqrt(s.expected + s.eps);
    *out = (gs_mean_field){.shape = GS_SHAPE_OTHER, .square = share};
    if (batch) {
        out->shape = GS_SHAPE_NORMED_BATCH;
        out->product = -share / s.freedom;
    } else if (norm->kind == GS_NORM_LAYER) {
        out->product = (in->product - in->mean * in->mean) / (root * root);
    } else {
        out->mean = in->mean / root;
        out->product = in->product / (root * root);
    }
    if (!batch && s.varies)
        out->shape = GS_SHAPE_NORMED_UNITS;
    out->dimension = (size_t)s.freedom;
    return NULL;
}

/* dL/dx = (g - mean g - y mean(g y)) / sqrt(s + eps): of the noise, its parts along ones and
   along y go; the slope goes with y, all but what eps leaves, and the constant with the mean, if
   there is one. What is left of the slope is 1 - t times y, of which the regression on x is kept
   as such. */
gs_mean_gradient gs_norm_mean_backward(const gs_norm_theory *norm, const gs_mean_field *in,
                                       const gs_mean_field *out, gs_mean_gradient g) {
    spread s = spread_of(norm, in);
    spread_moments m = moments_of(&s, norm->lengths);
    bool batch = norm->kind == GS_NORM_BATCH, rms = norm->kind == GS_NORM_RMS;
    double between = batch ? g.product : 0, own = rms ? in->square : variance(in);
    double ones = rms ? 0 : (g.noise + (s.group - 1) * between) / s.group;
    double along = isnan(g.along) ? g.noise - between : g.along;
    double slope = own > 0 ? g.slope * m.slope / own : 0;
    double rest = fmax(g.slope * g.slope * m.coherent - slope * slope * own, 0);
    double noise = (g.noise - ones) * m.inverse - m.along * along / s.group;
    gs_mean_gradient back = {.slope = slope,
                             .noise = fmax(noise, 0) + rest,
                             .along = NAN,
                             .exponent = g.exponent - in->exponent};
    if (rms) {
        back.slope -= g.constant * out->mean * m.inverse;
        back.constant = g.constant * sqrt(m.inverse);
    } else {
        back.constant = -slope * in->mean;
    }
    back.product = g.product * m.inverse;
    if (batch) /* it sums to 0 over the batch, and so the products do */
        back.product = -(slope * slope * own + back.noise) / (s.group - 1) -
                       slope * slope * (in->product - in->mean * in->mean);
    return back;
}

/* ---- x = source + alpha branch ---- */

const char *gs_skip_mean_forward(double alpha, const gs_mean_field *source, const gs_mean_field *in,
                                 gs_mean_field *out) {
    if (alpha == 0) {
        *out = *source;
        return NULL;
    }
    int64_t exponent = source->exponent > in->exponent ? source->exponent : in->exponent;
    gs_mean_field s = rescaled(*source, exponent), b = rescaled(*in, exponent);
    bool normal = (s.shape == GS_SHAPE_NORMAL || s.shape == GS_SHAPE_NORMED_UNITS) &&
                  (b.shape == GS_SHAPE_NORMAL || b.shape == GS_SHAPE_NORMED_UNITS);
    double means = 2 * alpha * s.mean * b.mean;
    *out = (gs_mean_field){normal ? GS_SHAPE_NORMAL : GS_SHAPE_OTHER,
                           0,
                           s.mean + alpha * b.mean,
                           s.square + alpha * alpha * b.square + means,
                           s.product + alpha * alpha * b.product + means,
                           exponent};
    return NULL;
}

/* g = slope (source + alpha branch) + constant + noise: to either of the two the other is noise
   about its mean. */
static gs_mean_gradient seen_from(double own_factor, double other_factor,
                                  const gs_mean_field *other, gs_mean_gradient g) {
    double seen = g.slope * other_factor;
    gs_mean_gradient back = {.slope = g.slope * own_factor,
                             .constant = g.constant + seen * other->mean,
                             .noise = g.noise + seen * seen * variance(other),
                             .product = g.product +
                                        seen * seen * (other->product - other->mean * other->mean),
                             .along = NAN,
                             .exponent = g.exponent};
    return back;
}

gs_mean_gradient gs_skip_mean_backward(double alpha, const gs_mean_field *source,
                                       const gs_mean_field *in, const gs_mean_field *out,
                                       gs_mean_gradient g, gs_mean_gradient *g_source) {
    double of_source = gs_ldexp(1, source->exponent - out->exponent);
    double of_branch = alpha * gs_ldexp(1, in->exponent - out->exponent);
    *g_source = seen_from(of_source, of_branch, in, g);
    return scaled(seen_from(of_branch, of_source, source, g), alpha);
}
