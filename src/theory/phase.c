/*
 * Phases: fixed points of the maps q -> sigma_w^2 E phi^2 + sigma_b^2 and c -> sigma_w^2 E phi phi'
 * + sigma_b^2, their slopes, and the edge of chaos, where the gradient keeps its size.
 */
#include "theory/phase.h"

#include <math.h>

#include "base/memory.h"
#include "net/activation.h"
#include "net/init.h"

double gs_inner_sigma_w2(const gs_config *config) {
    size_t first = gs_config_width(config, 1);
    size_t below = first, above = config->layers > 1 ? gs_config_width(config, 2) : first;
    double sigma_w2 = (double)below * gs_init_law(config->init, config->gain, below, above).value;
    for (size_t l = 3; l <= config->width.count; l++) {
        below = gs_config_width(config, l - 1);
        above = gs_config_width(config, l);
        double other = (double)below * gs_init_law(config->init, config->gain, below, above).value;
        if (fabs(other - sigma_w2) > 1e-12 * sigma_w2)
            return (double)NAN;
    }
    return sigma_w2;
}

/* What a plain network does to the moments of z; biases have a mean and a variance. */
typedef struct {
    gs_quadrature *quadrature;
    double sigma_w2, bias_mean, bias_variance;
    double q; /* at which correlations are looked at */
} maps;

static gs_law law_at(const maps *m, double q) {
    double mean = m->bias_mean;
    return (gs_law){mean, sqrt(fmax(q - mean * mean, 0)), GS_NORMAL};
}

static double next_q(const maps *m, double q) {
    return m->sigma_w2 * gs_expect(m->quadrature, law_at(m, q)).phi2 + m->bias_variance +
           m->bias_mean * m->bias_mean;
}

/* d next_q / dq = sigma_w^2 E[phi^2 (y^2 - 1)] / (2 v), by parts sigma_w^2 E[phi phi' c] / v, where
   v = E c^2, c = z - mean. */
static double slope_of_q(const maps *m, double q) {
    gs_law law = law_at(m, q);
    gs_moments e = gs_expect(m->quadrature, law);
    double v = law.deviation * law.deviation;
    return v > 0 ? m->sigma_w2 * e.c_phi_slope / v : 0;
}

static double chi_at(const maps *m, double q) {
    return m->sigma_w2 * gs_expect(m->quadrature, law_at(m, q)).slope2;
}

/* Correlation of z - mean, to that of z - mean one layer on. */
static double next_correlation(const maps *m, double correlation) {
    gs_law law = law_at(m, m->q);
    double product = gs_expect_pair(m->quadrature, law, correlation).phi;
    return (m->sigma_w2 * product + m->bias_variance) / (law.deviation * law.deviation);
}

/* ---- Fixed points ---- */

/* What lies below or above counts as 0 or inf, and the maps do the same there as here. */
static const double LEAST_Q = 1e-30, MOST_Q = 1e100;

/* Where f changes its sign between two points where it differs in sign: bisection to the last bit.
 */
static double root_between(double (*f)(const void *context, double x), const void *context,
                           double low, double high) {
    bool rises = f(context, low) < 0;
    for (int i = 0; i < 200; i++) {
        double middle = low + (high - low) / 2;
        if (middle <= low || middle >= high)
            break;
        if ((f(context, middle) < 0) == rises)
            low = middle;
        else
            high = middle;
    }
    return low + (high - low) / 2;
}

static double excess_q(const void *context, double q) {
    return next_q(context, q) - q;
}

static double excess_correlation(const void *context, double c) {
    return next_correlation(context, c) - c;
}

/* What q comes to from `start`: the map rises with q, so it goes one way, to the first fixed point
   on it, and never beyond in a step of the map. 0 and inf are where it goes beyond all bounds. */
static double fixed_q(const maps *m, double start) {
    static const double rounding = 1e-13;
    double least = m->bias_mean * m->bias_mean + m->bias_variance;
    if (start == 0 && next_q(m, 0) == 0)
        return 0;
    double here = fmax(start, fmax(least, LEAST_Q)), excess = excess_q(m, here);
    if (fabs(excess) <= rounding * here)
        return here;
    bool rises = excess > 0;
    for (int i = 0; i < 400 && (rises ? here < MOST_Q : here > LEAST_Q); i++) {
        double mapped = next_q(m, here);
        double next = rises ? fmax(here * 1.25, mapped) : fmax(fmin(here * 0.8, mapped), least);
        if (next == here)
            return here;
        excess = excess_q(m, next);
        if (rises ? excess < -rounding * next : excess > rounding * next)
            return root_between(excess_q, m, fmin(here, next), fmax(here, next));
        here = next;
    }
    return rises ? INFINITY : 0;
}

/* The same for the correlation. 1 is a fixed point; it is where all goes if chi <= 1. */
static double fixed_correlation(const maps *m, double start, double chi) {
    double here = fmax(-0.999, fmin(0.999, start)), excess = excess_correlation(m, here);
    if (chi <= 1)
        return 1;
    if (fabs(excess) < 1e-13)
        return here;
    double most = excess > 0 ? 1 : -1;
    for (int i = 0; i < 60; i++) {
        double next = here + (most - here) / 4, there = excess_correlation(m, next);
        if ((there > 0) != (excess > 0))
            return root_between(excess_correlation, m, fmin(here, next), fmax(here, next));
        here = next;
    }
    return most;
}

/* Layers over which what is multiplied by `slope` each falls by e. */
static double depth_of(double slope) {
    double fall = -gs_log10(fabs(slope)) / gs_log10(2.718281828459045);
    return fall > 1e-9 ? 1 / fall : INFINITY;
}

void gs_find_phase(const gs_config *config, gs_quadrature *quadrature, double sigma_w2, double q,
                   double correlation, gs_theory *theory) {
    bool drawn = config->bias.index == GS_BIAS_NORMAL;
    double bias = config->bias.parameter;
    maps m = {quadrature, sigma_w2, drawn ? 0 : bias, drawn ? bias * bias : 0, 0};
    theory->fixed_q = fixed_q(&m, q);
    m.q = fmax(LEAST_Q, fmin(MOST_Q, theory->fixed_q));
    theory->chi = chi_at(&m, m.q);
    if (isfinite(theory->fixed_q)) {
        theory->depth_q = depth_of(slope_of_q(&m, m.q));
        double variance = m.q - m.bias_mean * m.bias_mean;
        double own =
            (correlation * q - m.bias_mean * m.bias_mean) / (q - m.bias_mean * m.bias_mean);
        if (theory->fixed_q > 0 && variance > 0 && isfinite(own)) {
            double c = fixed_correlation(&m, own, theory->chi);
            double slope = c == 1 ? theory->chi
                                  : sigma_w2 * gs_expect_pair(quadrature, law_at(&m, m.q), c).slope;
            theory->fixed_correlation = (c * variance + m.bias_mean * m.bias_mean) / m.q;
            theory->depth_correlation = depth_of(slope);
        }
    }
    double logarithm = gs_log10(theory->chi) / gs_log10(2.718281828459045);
    theory->depth_gradient = fabs(logarithm) > 1e-9 ? 1 / fabs(logarithm) : INFINITY;
    theory->phase = fabs(theory->chi - 1) < 1e-6 ? GS_PHASE_CRITICAL
                    : theory->chi < 1            ? GS_PHASE_ORDERED
                                                 : GS_PHASE_CHAOTIC;
}

const char *gs_phase_name(gs_phase phase) {
    static const char *const names[] = {[GS_PHASE_NONE] = "none",
                                        [GS_PHASE_ORDERED] = "ordered",
                                        [GS_PHASE_CRITICAL] = "critical",
                                        [GS_PHASE_CHAOTIC] = "chaotic"};
    return names[phase];
}

/* ---- The edge of chaos ---- */

/* At a given q, chi = 1 makes sigma_w^2 = 1 / E phi'^2, and q is kept if sigma_b^2 = q -
   sigma_w^2 E phi^2. So the edge is a curve in q, and its points are where one of the two is
   what is asked. */
typedef struct {
    gs_quadrature *quadrature;
    bool by_bias;
    double target; /* sigma_b^2 or sigma_w^2 */
} edge;

/* At q = 0, what they come to there: slopes on both sides of 0 may differ. */
static gs_moments expect_at(const edge *e, double q) {
    return gs_expect(e->quadrature, (gs_law){0, sqrt(fmax(q, LEAST_Q)), GS_NORMAL});
}

static double weights_at(const edge *e, double q) {
    return 1 / expect_at(e, q).slope2;
}

static double biases_at(const edge *e, double q) {
    return q > 0 ? q - weights_at(e, q) * expect_at(e, q).phi2 : 0;
}

static double distance(const void *context, double q) {
    const edge *e = context;
    return (e->by_bias ? biases_at(e, q) : weights_at(e, q)) - e->target;
}

static void add_point(const edge *e, double q, size_t room, gs_critical_point *points,
                      size_t *count) {
    double sigma_w2 = weights_at(e, q), sigma_b2 = biases_at(e, q);
    maps m = {e->quadrature, sigma_w2, 0, fmax(sigma_b2, 0), q};
    if (*count >= room || sigma_b2 < -1e-12 * q)
        return;
    points[(*count)++] = (gs_critical_point){sqrt(sigma_w2), sqrt(fmax(sigma_b2, 0)), q,
                                             slope_of_q(&m, fmax(q, LEAST_Q))};
}

/* q = 0 is a point without biases, if phi(0) = 0; others are found by their change of sign. What is
   homogeneous is critical at every q or at none. */
static void scan(const edge *e, size_t room, gs_critical_point *points, size_t *count) {
    double last = NAN, before = 0;
    bool everywhere = true;
    if (expect_at(e, 0).phi2 < 1e-20 && fabs(distance(e, 0)) <= 1e-12)
        add_point(e, 0, room, points, count);
    for (double q = 1e-8; q < 1e40; q *= 1.05) {
        double here = distance(e, q), rounding = 1e-12 * (e->by_bias ? q : e->target);
        bool holds = fabs(here) <= rounding;
        everywhere &= holds;
        if (!holds && !isnan(last) && (last > 0) != (here > 0))
            add_point(e, root_between(distance, e, before, q), room, points, count);
        last = holds ? NAN : here;
        before = q;
    }
    if (everywhere) {
        *count = 0;
        add_point(e, 1, room, points, count);
        points[0].fixed_q = NAN;
    }
}

gs_status gs_find_critical(const char *act, double sigma_w, double sigma_b, size_t room,
                           gs_critical_point *points, size_t *count, gs_error *error) {
    gs_config *config = gs_config_new(error);
    gs_status status = config ? gs_config_set(config, "act", act, error) : GS_ERR_MEMORY;
    gs_quadrature *quadrature = status == GS_OK ? gs_quadrature_new(config->act, error) : NULL;
    gs_config_free(config);
    *count = 0;
    if (!quadrature)
        return status == GS_OK ? GS_ERR_MEMORY : status;
    bool by_bias = !isnan(sigma_b);
    edge e = {quadrature, by_bias, by_bias ? sigma_b * sigma_b : sigma_w * sigma_w};
    scan(&e, room, points, count);
    gs_quadrature_free(quadrature);
    return GS_OK;
}
