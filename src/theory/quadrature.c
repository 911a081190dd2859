/*
 * Gauss-Legendre over panels. Panels end where an activation has a kink, at 0, and are narrow
 * beside both the width of the law and the scale of an activation, which is 1 near 0 and grows with
 * the distance from it: what is integrated is analytic on a panel and far beyond, and ten nodes are
 * exact to rounding.
 */
#include "theory/quadrature.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "net/activation.h"

enum { MOST_BREAKS = 100, MOST_NODES = MOST_BREAKS * GS_PANEL_NODES / 16 * 16 };

/* Beyond so many deviations a normal law has a share of 1e-23. */
static const double REACH = 10;

/* Points x with their weights, and what is computed at them. */
typedef struct {
    size_t count; /* a multiple of a panel; the last weights are 0 */
    _Alignas(GS_ALIGNMENT) double x[MOST_NODES];
    _Alignas(GS_ALIGNMENT) double phi[MOST_NODES];
    _Alignas(GS_ALIGNMENT) double slope[MOST_NODES];
    double weight[MOST_NODES];
} rule;

struct gs_quadrature {
    const gs_kernels *kernels;
    void (*activation)(double param, size_t count, const void *z, void *a, void *slope);
    double parameter;
    rule outer, inner;
    _Alignas(GS_ALIGNMENT) double log_plus[MOST_NODES]; /* work space */
    _Alignas(GS_ALIGNMENT) double log_minus[MOST_NODES];
    gs_law last_law; /* what was asked for last, and the answer */
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
    const gs_activation *row =
        (const gs_activation *)(const void *)gs_family_row(&gs_activation_family, act.index);
    q->kernels = kernels;
    q->activation = kernels->activation[row->kernel];
    q->parameter = act.parameter;
    q->last_law.mean = q->last_pair_law.mean = NAN;
    return q;
}

void gs_quadrature_free(gs_quadrature *quadrature) {
    gs_free(quadrature);
}

/* ---- Panels ---- */

/* Where an integral over x' has a kink in x, and over which distance it is smooth. */
typedef struct {
    double centre, fine;
} kink;

static void add_break(double *breaks, size_t *count, double low, double high, double x) {
    if (x > low && x < high)
        breaks[(*count)++] = x;
}

/* Where the law of x', x being known, has its end at the mean, and so at the kink if that is 0: the
   integral over x' is not smooth there. */
static void add_ends(gs_law law, double fine, double low, double high, double *breaks,
                     size_t *count) {
    double end = fine * sqrt((double)law.dimension);
    for (int side = -1; side <= 1; side += 2)
        for (double share = 1; share > (law.dimension > 8 ? 1e-3 : 1e-6); share /= 3) {
            add_break(breaks, count, low, high, law.mean + side * end * (1 - share / 2));
            add_break(breaks, count, low, high, law.mean + side * end * (1 + share / 2));
        }
}

/* About a kink at `centre` in units of `unit`, as far as panels are wider than that. */
static void add_scale(double centre, double unit, double wide, double low, double high,
                      double *breaks, size_t *count) {
    static const double scale[] = {0, 1, 2, 4, 6, 8, 16, 40};
    for (size_t i = 0; i < sizeof scale / sizeof *scale && scale[i] * unit < 2 * wide; i++) {
        add_break(breaks, count, low, high, centre + scale[i] * unit);
        add_break(breaks, count, low, high, centre - scale[i] * unit);
    }
}

/* The ends of panels for x in ascending order: in deviations from the mean, about the kink at 0
   in the scale of an activation, and, for the outer one of a pair, about the x for which the
   mean of x' is at the kink, in the deviation `fine` of x', which smooths it there. */
static size_t choose_breaks(gs_law law, const kink *other, double breaks[MOST_BREAKS]) {
    double reach = law.deviation * REACH;
    if (law.dimension != GS_NORMAL)
        reach = fmin(reach, law.deviation * sqrt((double)law.dimension));
    double low = law.mean - reach, high = law.mean + reach;
    size_t count = 0;
    breaks[count++] = low;
    double step = law.dimension > 32 ? 2 : 1;
    for (int i = -8; i <= 8; i++)
        add_break(breaks, &count, low, high, law.mean + step * i * law.deviation);
    if (other && law.dimension <= 64)
        add_ends(law, other->fine, low, high, breaks, &count);
    add_scale(0, 1, step * law.deviation, low, high, breaks, &count);
    if (other)
        add_scale(other->centre, other->fine, step * law.deviation, low, high, breaks, &count);
    breaks[count++] = high;
    for (size_t i = 1; i < count; i++) {
        double x = breaks[i];
        size_t j = i;
        for (; j > 0 && x < breaks[j - 1]; j--)
            breaks[j] = breaks[j - 1];
        breaks[j] = x;
    }
    return count;
}

size_t gs_gauss_legendre(const double *breaks, size_t count, double *x, double *weight) {
    static const double node[] = {0.14887433898163121088, 0.4333953941292471908,
                                  0.67940956829902440623, 0.86506336668898451073,
                                  0.97390652851717172008};
    static const double share[] = {0.29552422471475287017, 0.26926671930999635509,
                                   0.219086362515982044, 0.14945134915058059315,
                                   0.066671344308688137594};
    size_t made = 0;
    for (size_t i = 0; i + 1 < count; i++) {
        double middle = (breaks[i] + breaks[i + 1]) / 2, half = (breaks[i + 1] - breaks[i]) / 2;
        for (int j = -GS_PANEL_NODES / 2; j < GS_PANEL_NODES / 2 && half > 0; j++) {
            x[made] = j < 0 ? middle - half * node[-1 - j] : middle + half * node[j];
            weight[made++] = half * share[j < 0 ? -1 - j : j];
        }
    }
    return made;
}

/* A whole number of panels of a signal; what is added has no weight. */
static void fill_nodes(rule *r, const double *breaks, size_t count) {
    r->count = gs_gauss_legendre(breaks, count, r->x, r->weight);
    for (; r->count % 16 != 0; r->count++) {
        r->x[r->count] = 0;
        r->weight[r->count] = 0;
    }
}

static void normalise(rule *r) {
    double total = 0;
    for (size_t i = 0; i < r->count; i++)
        total += r->weight[i];
    for (size_t i = 0; i < r->count; i += 16)
        for (size_t j = i; j < i + 16; j++)
            r->weight[j] /= total;
}

/* The density exp(-y^2 / 2). */
static void weigh_normal(gs_quadrature *q, gs_law law, rule *r) {
    for (size_t i = 0; i < r->count; i++) {
        double y = (r->x[i] - law.mean) / law.deviation;
        q->log_plus[i] = -y * y / 2;
    }
    q->kernels->exp(r->count, q->log_plus, q->log_plus);
    for (size_t i = 0; i < r->count; i++)
        r->weight[i] *= q->log_plus[i];
}

/* A coordinate t of the unit sphere in d dimensions has the density (1 - t^2)^((d - 3) / 2). With
   t = 2 w / (1 + w^2) it is (1 - w^2)^(d - 2) / (1 + w^2)^(d - 1) in w, which has no singular ends.
   The nodes are panels in w; here they become points x. */
static void weigh_sphere(gs_quadrature *q, gs_law law, rule *r) {
    double d = (double)law.dimension, radius = law.deviation * sqrt(d);
    for (size_t i = 0; i < r->count; i++) {
        double w = r->x[i];
        q->log_plus[i] = w * w;
        q->log_minus[i] = -w * w;
        r->x[i] = law.mean + radius * (2 * w / (1 + w * w));
    }
    q->kernels->log1p(r->count, q->log_plus, q->log_plus);
    q->kernels->log1p(r->count, q->log_minus, q->log_minus);
    for (size_t i = 0; i < r->count; i++)
        q->log_plus[i] = (d - 2) * q->log_minus[i] - (d - 1) * q->log_plus[i];
    q->kernels->exp(r->count, q->log_plus, q->log_plus);
    for (size_t i = 0; i < r->count; i++)
        r->weight[i] *= q->log_plus[i];
}

static void make_rule(gs_quadrature *q, gs_law law, const kink *other, rule *r) {
    double breaks[MOST_BREAKS];
    size_t count = choose_breaks(law, other, breaks);
    if (law.dimension != GS_NORMAL) {
        double radius = law.deviation * sqrt((double)law.dimension);
        for (size_t i = 0; i < count; i++) {
            double t = (breaks[i] - law.mean) / radius;
            t = fmax(-1, fmin(1, t));
            breaks[i] = t / (1 + sqrt((1 - t) * (1 + t)));
        }
    }
    fill_nodes(r, breaks, count);
    if (r->count == 0) { /* no width: all at the mean */
        r->count = 16;
        for (size_t i = 0; i < r->count; i++)
            r->x[i] = law.mean;
        memset(r->weight, 0, r->count * sizeof *r->weight);
        r->weight[0] = 1;
    } else if (law.dimension == GS_NORMAL) {
        weigh_normal(q, law, r);
    } else {
        weigh_sphere(q, law, r);
    }
    normalise(r);
    q->activation(q->parameter, r->count, r->x, r->phi, r->slope);
}

/* ---- Expectations ---- */

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
    const rule *r = &q->outer;
    make_rule(q, law, NULL, &q->outer);
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

gs_pair_moments gs_expect_pair(gs_quadrature *q, gs_law law, double correlation) {
    if (nearly_same_law(law, q->last_pair_law) && correlation == q->last_correlation)
        return q->last_pair;
    gs_pair_moments total = {0};
    double rest = fmax((1 - correlation) * (1 + correlation), 0);
    kink other = {law.mean - law.mean / correlation, law.deviation * sqrt(rest)};
    const rule *outer = &q->outer, *inner = &q->inner;
    q->last_law.mean = NAN;
    make_rule(q, law, correlation != 0 ? &other : NULL, &q->outer);
    for (size_t i = 0; i < outer->count; i++) {
        double phi = 0, slope = 0, c_slope = 0, c = outer->x[i] - law.mean;
        if (outer->weight[i] == 0)
            continue;
        make_rule(q, conditional(law, correlation, outer->x[i]), NULL, &q->inner);
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
    q->last_pair_law = law;
    q->last_correlation = correlation;
    q->last_pair = total;
    return total;
}

void gs_evaluate(gs_quadrature *q, size_t count, const double *x, double *phi, double *slope) {
    rule *r = &q->inner;
    for (size_t i = 0; i < count; i += 16) {
        size_t part = count - i < 16 ? count - i : 16;
        memset(r->x, 0, 16 * sizeof *r->x);
        memcpy(r->x, x + i, part * sizeof *x);
        q->activation(q->parameter, 16, r->x, r->phi, r->slope);
        memcpy(phi + i, r->phi, part * sizeof *phi);
        memcpy(slope + i, r->slope, part * sizeof *slope);
    }
}
