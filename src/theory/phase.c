/*
 * Phases: fixed points of the maps q -> sigma_w^2 E phi^2 + sigma_b^2 and c -> sigma_w^2 E phi phi'
 * + sigma_b^2, their slopes, and the edge of chaos, where the gradient keeps its size.
 */
#include "theory/phase.h"

#include <math.h>

#include "base/memory.h"
#include "net/activation.h"

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
   v = E c^2, c = z - mean. At v = 0 it is sigma_w^2 phi'^2 where phi is 0. */
static double slope_of_q(const maps *m, double q) {
    gs_law law = law_at(m, q);
    gs_moments e = gs_expect(m->quadrature, law);
    double v = law.deviation * law.deviation;
    return m->sigma_w2 * (v > 0 ? e.c_phi_slope / v : e.slope2);
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
   on it. 0 and inf are where it goes beyond all bounds. */
static double fixed_q(const maps *m, double start) {
    double least = m->bias_mean * m->bias_mean + m->bias_variance;
    double here = fmax(start, fmax(least, 1e-30)), excess = excess_q(m, here);
    if (fabs(excess) <= 1e-13 * here)
        return here;
    double factor = excess > 0 ? 1.25 : 0.8;
    for (int i = 0; i < 400; i++) {
        double next = fmax(here * factor, least);
        if (next == here)
            return here;
        double there = excess_q(m, next);
        if (excess > 0 ? there < 0 : there > 1e-14 * next)
            return root_between(excess_q, m, fmin(here, next), fmax(here, next));
        here = next;
    }
    return excess > 0 ? INFINITY : 0;
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
    theory->fixed_q = m.q = fixed_q(&m, q);
    if (!isfinite(m.q)) {
        /* What is homogeneous does the same at every q; what is not, what it does when it is large.
         */
        m.q = 1e20;
        theory->chi = chi_at(&m, m.q);
    } else {
        theory->chi = chi_at(&m, m.q);
        theory->depth_q = depth_of(slope_of_q(&m, m.q));
        double variance = m.q - m.bias_mean * m.bias_mean;
        double own = (correlation * q - m.bias_mean * m.bias_mean) / variance;
        if (variance > 0 && isfinite(own)) {
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

/* At a given q, chi = 1 makes sigma_w^2 = 1 / E phi'^2, and q is kept if sigma_b^2 = q - sigma_w^2 E
   phi^2. So the edge is a curve in q, and its points are where one of the two is what is asked. */
typedef struct {
    gs_quadrature *quadrature;
    bool by_bias;
    double target; /* sigma_b^2 or sigma_w^2 */
} edge;

static double weights_at(const edge *e, double q) {
    return 1 / gs_expect(e->quadrature, (gs_law){0, sqrt(q), GS_NORMAL}).slope2;
}

static double biases_at(const edge *e, double q) {
    return q - weights_at(e, q) * gs_expect(e->quadrature, (gs_law){0, sqrt(q), GS_NORMAL}).phi2;
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
    points[(*count)++] =
        (gs_critical_point){sqrt(sigma_w2), sqrt(fmax(sigma_b2, 0)), q, slope_of_q(&m, q)};
}

/* q = 0 is a point without biases, if phi(0) = 0; others are found by their change of sign. What is
   homogeneous is critical at every q or at none. */
static void scan(const edge *e, size_t room, gs_critical_point *points, size_t *count) {
    double slope2 = gs_expect(e->quadrature, (gs_law){0, 0, GS_NORMAL}).slope2;
    double phi2 = gs_expect(e->quadrature, (gs_law){0, 0, GS_NORMAL}).phi2, last = NAN, before = 0;
    bool everywhere = true;
    bool at_zero = phi2 == 0 && slope2 > 0 && fabs(distance(e, 0)) <= 1e-12;
    if (at_zero)
        add_point(e, 0, room, points, count);
    for (double q = 1e-8; q < 1e8; q *= 1.05) {
        double here = distance(e, q);
        bool holds = fabs(here) <= 1e-12 * fmax(q, e->target);
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
