/*
 * The steps of a layer in mean-field theory. Two facts carry the way back. Weights of mean 0 that
 * are independent of d give W^T d independent entries with the variance fan_out Var W E d^2. And
 * where d depends on z = W u, they also give slope u, fan_out Var W times the regression of d on z
 * (Stein's lemma: E w f(w u) = Var w E f' u).
 */
#include "theory/meanfield.h"

#include <math.h>

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

const char *gs_activation_mean_forward(const gs_activation_theory *act, const gs_mean_field *in,
                                       gs_mean_field *out) {
    *out = *in;
    if (act->linear)
        return NULL;
    if (in->shape == GS_SHAPE_OTHER)
        return "what enters the activation is not normally distributed";
    double product = act->pairs ? expect_pair(act, in).phi : NAN;
    gs_moments m = gs_expect(act->quadrature, law_of(in));
    if (fabs(product) < 1e-15 * m.phi2)
        product = 0;
    *out = (gs_mean_field){GS_SHAPE_OTHER, 0, m.phi, m.phi2, product, in->exponent};
    return NULL;
}

/* d = phi'(z) g, of which the part that is linear in z is found by regression; the rest of what
   depends on z counts as noise. */
gs_mean_gradient gs_activation_mean_backward(const gs_activation_theory *act,
                                             const gs_mean_field *in, const gs_mean_field *out,
                                             gs_mean_gradient g) {
    (void)out;
    if (act->linear)
        return g;
    gs_pair_moments pair = {NAN, NAN, NAN};
    if (act->pairs)
        pair = expect_pair(act, in);
    gs_moments m = gs_expect(act->quadrature, law_of(in));
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

/* What a norm divides by: `variance` is the expected one, the sample's lies about it as the square
   of a vector of `freedom` normal numbers does where x is normal. */
typedef struct {
    double group;    /* numbers that are normed together */
    double freedom;  /* those that their mean leaves */
    double variance; /* of one about what is taken as its mean, if the group were large */
    double eps;
} spread;

static spread spread_of(const gs_norm_theory *norm, const gs_mean_field *in) {
    double eps = gs_ldexp(norm->eps, -2 * in->exponent), n = (double)norm->units;
    switch (norm->kind) {
    case GS_NORM_BATCH:
        return (spread){(double)norm->batch, (double)norm->batch - 1,
                        fmax(in->square - in->product, 0), eps};
    case GS_NORM_LAYER:
        return (spread){n, n - 1, variance(in), eps};
    default:
        return (spread){n, n, in->square, eps};
    }
}

/* Share of the variance that is left after eps. */
static double share_of(const spread *s) {
    return s->variance > 0 ? s->variance / (s->variance + s->eps) : 0;
}

const char *gs_norm_mean_forward(const gs_norm_theory *norm, const gs_mean_field *in,
                                 gs_mean_field *out) {
    spread s = spread_of(norm, in);
    double share = share_of(&s), root = sqrt(s.variance + s.eps);
    bool normal = in->shape == GS_SHAPE_NORMAL, batch = norm->kind == GS_NORM_BATCH;
    if (batch && !normal)
        return "what enters the batch norm is not normally distributed over the batch";
    if (s.freedom < 3)
        return batch ? "a batch norm of 3 examples or fewer has no mean squared gradient"
                     : "a norm of 3 units or fewer has no mean squared gradient";
    if (batch && !(s.variance > 1e-20 * in->square))
        return "the batch norm gets examples that are all alike";
    *out = (gs_mean_field){.shape = GS_SHAPE_OTHER, .square = share};
    if (batch) {
        out->shape = GS_SHAPE_NORMED_BATCH;
        out->product = -share / s.freedom;
    } else if (norm->kind == GS_NORM_LAYER) {
        out->product = root > 0 ? (in->product - in->mean * in->mean) / (root * root) : 0;
    } else {
        out->mean = root > 0 ? in->mean / root : 0;
        out->product = root > 0 ? in->product / (root * root) : 0;
    }
    if (!batch && normal && out->mean == 0)
        out->shape = GS_SHAPE_NORMED_UNITS;
    out->dimension = (size_t)s.freedom;
    return NULL;
}

/* dL/dx = (g - mean g - y mean(g y)) / sigma: of the noise, its parts along ones and along y go; the
   slope goes with y, all but what eps leaves, and the constant with the mean, if there is one.
   E 1 / sigma^2 = group / (variance (freedom - 2)) where x is normal. */
gs_mean_gradient gs_norm_mean_backward(const gs_norm_theory *norm, const gs_mean_field *in,
                                       const gs_mean_field *out, gs_mean_gradient g) {
    spread s = spread_of(norm, in);
    bool batch = norm->kind == GS_NORM_BATCH, rms = norm->kind == GS_NORM_RMS;
    double share = share_of(&s), inverse_square = 1 / (s.variance + s.eps);
    if (in->shape == GS_SHAPE_NORMAL && !(rms && in->mean != 0))
        inverse_square *= 1 + share * (s.group / (s.freedom - 2) - 1);
    double inverse = sqrt(inverse_square), along = g.along, ones = 0;
    double between = batch ? g.product : 0;
    if (!rms)
        ones = (g.noise + (s.group - 1) * between) / s.group;
    if (isnan(along))
        along = g.noise - between;
    double noise = g.noise - ones - (2 - share) * share * along / s.group;
    double slope = g.slope * (1 - share), constant = 0;
    if (rms) {
        slope -= g.constant * out->mean;
        constant = g.constant;
    }
    gs_mean_gradient back = {.slope = slope * inverse_square,
                             .noise = fmax(noise, 0) * inverse_square,
                             .along = NAN,
                             .exponent = g.exponent - in->exponent};
    back.constant = constant * inverse - (rms ? 0 : back.slope * in->mean);
    back.product = batch ? -back.noise / (s.group - 1) : g.product * inverse_square;
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
