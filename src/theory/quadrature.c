/*
 * Expectations of an activation: sums over the nodes of a rule; for pairs, a series of such sums, or
 * a rule within a rule.
 */
#include "theory/quadrature.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "net/activation.h"
#include "theory/series.h"

struct gs_quadrature {
    const gs_kernels *kernels;
    const gs_activation *activation;
    double parameter;
    gs_rule outer, inner;
    gs_law last_law; /* what was asked for last, of which `outer` is the rule, and the answer */
    gs_moments last;
    gs_law last_pair_law;
    double last_correlation;
    gs_pair_moments last_pair;
};

gs_quadrature *gs_quadrature_new(gs_choice act, gs_error *error) {
    const gs_kernels *kernels;
    if (gs_kernels_get(GS_F64, &kernels, error) != GS_OK)
        return NULL;
    gs_quadrature *q = gs_alloc(1, sizeof *q, error);
    if (!q)
        return NULL;
    q->kernels = kernels;
    q->activation =
        (const gs_activation *)(const void *)gs_family_row(&gs_activation_family, act.index);
    q->parameter = act.parameter;
    q->last_law.mean = q->last_pair_law.mean = NAN;
    return q;
}

void gs_quadrature_free(gs_quadrature *quadrature) {
    gs_free(quadrature);
}

/* Most series end by the first degree. By the second do those of a kink on spheres of FEWEST to FEW
   dimensions; with fewer still they take thousands of terms. */
enum { DEGREE = 63, MOST_DEGREE = 191, FEWEST = 9, FEW = 32 };

static void evaluate(const gs_quadrature *q, gs_rule *r) {
    q->kernels->activation[q->activation->kernel](q->parameter, r->count, r->x, r->phi, r->slope);
}

static void make_rule(const gs_quadrature *q, gs_law law, int degree, const gs_kink *other,
                      gs_rule *r) {
    gs_rule_make(q->kernels, law, degree, other, r);
    evaluate(q, r);
}

/* ---- One number ---- */

static bool same_law(gs_law a, gs_law b) {
    return a.mean == b.mean && a.deviation == b.deviation && a.dimension == b.dimension;
}

/* Signals that have settled differ by rounding, which no pair is worth. */
static bool nearly_same_law(gs_law a, gs_law b) {
    return fabs(a.mean - b.mean) <= 1e-13 * b.deviation &&
           fabs(a.deviation - b.deviation) <= 1e-13 * b.deviation && a.dimension == b.dimension;
}

gs_moments gs_expect(gs_quadrature *q, gs_law law) {
    if (same_law(law, q->last_law))
        return q->last;
    gs_moments m = {0};
    double rounded = 0; /* E c, which is 0: what is made of it counts where x hardly varies */
    gs_rule *r = &q->outer;
    make_rule(q, law, DEGREE, NULL, r);
    for (size_t i = 0; i < r->count; i++) {
        double w = r->weight[i], c = r->x[i] - law.mean, phi = r->phi[i], slope = r->slope[i];
        double w_phi = w * phi, w_slope = w * slope, phi_slope = phi * slope;
        rounded += w * c;
        m.phi += w_phi;
        m.phi2 += w_phi * phi;
        m.slope += w_slope;
        m.slope2 += w_slope * slope;
        m.c_slope += w_slope * c;
        m.c_phi_slope += w * c * phi_slope;
        m.phi_slope += w * phi_slope;
        m.phi_slope2 += w_slope * phi_slope;
        m.phi2_slope2 += w * phi_slope * phi_slope;
        m.c2_slope2 += w_slope * slope * c * c;
    }
    m.c_slope -= rounded * m.slope;
    m.c_phi_slope -= rounded * m.phi_slope;
    q->last_law = law;
    q->last = m;
    return m;
}

/* ---- Two numbers ---- */

/* The law of x' where x is known. */
static gs_law conditional(gs_law law, double correlation, double x) {
    double rest = (1 - correlation) * (1 + correlation), y = (x - law.mean) / law.deviation;
    gs_law other = {law.mean + correlation * (x - law.mean), law.deviation * sqrt(fmax(rest, 0)),
                    law.dimension};
    if (law.dimension != GS_NORMAL) {
        double d = (double)law.dimension;
        other.dimension = law.dimension - 1;
        other.deviation *= sqrt(fmax((d - y * y) / (d - 1), 0));
    }
    return other;
}

gs_pair_moments gs_expect_pair_nested(gs_quadrature *q, gs_law law, double correlation) {
    gs_pair_moments total = {0};
    double rest = fmax((1 - correlation) * (1 + correlation), 0);
    gs_kink other = {law.mean - law.mean / correlation, law.deviation * sqrt(rest)};
    gs_rule *outer = &q->outer, *inner = &q->inner;
    q->last_law.mean = NAN;
    make_rule(q, law, 0, correlation != 0 ? &other : NULL, outer);
    for (size_t i = 0; i < outer->count; i++) {
        double phi = 0, slope = 0, c_slope = 0, c = outer->x[i] - law.mean;
        if (outer->weight[i] == 0)
            continue;
        make_rule(q, conditional(law, correlation, outer->x[i]), 0, NULL, inner);
        for (size_t j = 0; j < inner->count; j++) {
            double weighted = inner->weight[j] * inner->slope[j];
            phi += inner->weight[j] * inner->phi[j];
            slope += weighted;
            c_slope += weighted * (inner->x[j] - law.mean);
        }
        total.phi += outer->weight[i] * outer->phi[i] * phi;
        total.slope += outer->weight[i] * outer->slope[i] * slope;
        total.c_slope += outer->weight[i] * outer->slope[i] * c * c_slope;
    }
    return total;
}

/* The length of a normal vector does not depend on its direction, and in what is homogeneous it is
   a factor: then the pair of a sphere is that of the normal law, whose series ends sooner. */
gs_pair_moments gs_expect_pair(gs_quadrature *q, gs_law law, double correlation) {
    if (nearly_same_law(law, q->last_pair_law) && correlation == q->last_correlation)
        return q->last_pair;
    q->last_pair_law = law;
    q->last_correlation = correlation;
    if (q->activation->homogeneous && law.mean == 0)
        law.dimension = GS_NORMAL;
    gs_moments moments = gs_expect(q, law);
    bool ends = gs_pair_series(law, correlation, DEGREE, &q->outer, &moments, &q->last_pair);
    if (!ends && law.dimension >= FEWEST && law.dimension <= FEW) {
        make_rule(q, law, MOST_DEGREE, NULL, &q->inner);
        ends = gs_pair_series(law, correlation, MOST_DEGREE, &q->inner, &moments, &q->last_pair);
    }
    if (!ends)
        q->last_pair = gs_expect_pair_nested(q, law, correlation);
    return q->last_pair;
}

void gs_evaluate(gs_quadrature *q, size_t count, const double *x, double *phi, double *slope) {
    gs_rule *r = &q->inner;
    r->count = 16;
    for (size_t i = 0; i < count; i += 16) {
        size_t part = count - i < 16 ? count - i : 16;
        memset(r->x, 0, 16 * sizeof *r->x);
        memcpy(r->x, x + i, part * sizeof *x);
        evaluate(q, r);
        memcpy(phi + i, r->phi, part * sizeof *phi);
        memcpy(slope + i, r->slope, part * sizeof *slope);
    }
}
