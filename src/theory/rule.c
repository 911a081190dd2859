/*
 * Gauss-Legendre over panels. Panels end where an activation has a kink, at 0, and are narrow
 * beside both the width of the law and the scale of an activation, which is 1 near 0 and grows with
 * the distance from it: what is integrated is analytic on a panel and far beyond, and ten nodes are
 * exact to rounding.
 */
#include "theory/rule.h"

#include <math.h>
#include <string.h>

/* Dimensions in which the density falls so fast at the ends that panels there are narrower. */
enum { FEW = 48 };

/* Beyond so many deviations a normal law has a share of 1e-23. */
static const double REACH = 10;

/* ---- Panels ---- */

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

static void add_steps(double mean, double wide, double low, double high, double *breaks,
                      size_t *count) {
    for (int i = -8; i <= 8; i++)
        add_break(breaks, count, low, high, mean + i * wide);
}

/* At nearly equal angles: those of weigh_sphere in equal steps. */
static void add_angles(gs_law law, int panels, double low, double high, double *breaks,
                       size_t *count) {
    for (int i = 1; i < panels; i++) {
        double w = 2.0 * i / panels - 1, t = 2 * w / (1 + w * w);
        add_break(breaks, count, low, high, law.mean + t * (high - law.mean));
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
   mean of x' is at the kink, in the deviation `fine` of x', which smooths it there. On a sphere of
   few dimensions polynomials go on waving to its ends: k / 2 waves over all angles. */
static size_t choose_breaks(gs_law law, int degree, const gs_kink *other,
                            double breaks[GS_MOST_BREAKS]) {
    double reach = law.deviation * REACH;
    if (law.dimension != GS_NORMAL)
        reach = fmin(reach, law.deviation * sqrt((double)law.dimension));
    double low = law.mean - reach, high = law.mean + reach;
    size_t count = 0;
    double wide = law.deviation * (law.dimension > FEW ? 2 : 1);
    breaks[count++] = low;
    if (degree > 0 && law.dimension <= FEW)
        add_angles(law, degree / 4 + 1, low, high, breaks, &count);
    else
        add_steps(law.mean, wide, low, high, breaks, &count);
    if (other && law.dimension <= 64)
        add_ends(law, other->fine, low, high, breaks, &count);
    add_scale(0, 1, wide, low, high, breaks, &count);
    if (other)
        add_scale(other->centre, other->fine, wide, low, high, breaks, &count);
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

/* A whole number of panels of a signal; what is added has no weight, and a place among the rest. */
static void fill_nodes(gs_rule *r, const double *breaks, size_t count) {
    r->count = gs_gauss_legendre(breaks, count, r->x, r->weight);
    for (; r->count % 16 != 0; r->count++) {
        r->x[r->count] = r->x[0];
        r->weight[r->count] = 0;
    }
}

static void normalise(gs_rule *r) {
    double total = 0;
    for (size_t i = 0; i < r->count; i++)
        total += r->weight[i];
    for (size_t i = 0; i < r->count; i += 16)
        for (size_t j = i; j < i + 16; j++)
            r->weight[j] /= total;
}

/* The density exp(-y^2 / 2). */
static void weigh_normal(const gs_kernels *kernels, gs_law law, gs_rule *r) {
    double *density = r->phi;
    for (size_t i = 0; i < r->count; i++) {
        double y = (r->x[i] - law.mean) / law.deviation;
        density[i] = -y * y / 2;
    }
    kernels->exp(r->count, density, density);
    for (size_t i = 0; i < r->count; i++)
        r->weight[i] *= density[i];
}

/* A coordinate t of the unit sphere in d dimensions has the density (1 - t^2)^((d - 3) / 2). With
   t = 2 w / (1 + w^2) it is (1 - w^2)^(d - 2) / (1 + w^2)^(d - 1) in w, which has no singular ends.
   The nodes are panels in w; here they become points x. */
static void weigh_sphere(const gs_kernels *kernels, gs_law law, gs_rule *r) {
    double d = (double)law.dimension, radius = law.deviation * sqrt(d);
    double *plus = r->phi, *minus = r->slope;
    for (size_t i = 0; i < r->count; i++) {
        double w = r->x[i];
        plus[i] = w * w;
        minus[i] = -w * w;
        r->x[i] = law.mean + radius * (2 * w / (1 + w * w));
    }
    kernels->log1p(r->count, plus, plus);
    kernels->log1p(r->count, minus, minus);
    for (size_t i = 0; i < r->count; i++)
        plus[i] = (d - 2) * minus[i] - (d - 1) * plus[i];
    kernels->exp(r->count, plus, plus);
    for (size_t i = 0; i < r->count; i++)
        r->weight[i] *= plus[i];
}

void gs_rule_make(const gs_kernels *kernels, gs_law law, int degree, const gs_kink *other,
                  gs_rule *r) {
    double breaks[GS_MOST_BREAKS];
    size_t count = choose_breaks(law, degree, other, breaks);
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
        weigh_normal(kernels, law, r);
    } else {
        weigh_sphere(kernels, law, r);
    }
    normalise(r);
}
