/*
 * The polynomials e_k(y) of y = (x - mean) / deviation that are orthonormal under its law, Hermite's
 * where it is normal and Gegenbauer's on a sphere, have E[e_k(y') | y] = r_k e_k(y) (Mehler; Funk
 * and Hecke). So E f(x) f(x') = sum over k of r_k f_k^2, where f_k = E f(x) e_k(y). With
 * h = 1 / dimension, or 0 where the law is normal, and the correlation c:
 *
 *   y e_k = a_{k+1} e_{k+1} + a_k e_{k-1}
 *   a_k^2 = k (1 + (k - 3) h) / ((1 + (2k - 4) h) (1 + (2k - 2) h))
 *   r_{k+1} = ((1 + (2k - 2) h) c r_k - k h r_{k-1}) / (1 + (k - 2) h)
 *
 * The squares f_k^2 add up to E f^2, and |r_k| <= b_m for k >= 2m, since by Laplace's integral r_k =
 * E (c + i sqrt(1 - c^2) s)^k, where s is a coordinate of the sphere of one dimension less:
 *
 *   b_m = E (c^2 + (1 - c^2) s^2)^m
 *   b_{m+1} = ((c^2 + (1 + 2m + (2m - 2) c^2) h) b_m - 2m h c^2 b_{m-1}) / (1 + (2m - 1) h)
 *
 * So what is left out is at most b_m (E f^2 - the squares that were added).
 */
#include "theory/series.h"

#include <math.h>

enum { FUNCTIONS = 3 }; /* phi, slope, c_slope */

/* The share of E f^2 that may be left out. */
static const double REST = 1e-13;

typedef struct {
    double h, c;
    int k;
    double r, r_before;         /* r_k, r_{k-1} */
    double bound, bound_before; /* of |r| past k: b_m, where 2m is k or k + 1; b_{m-1} */
} term;

static double step_of(double h, int k) { /* a_k */
    return sqrt(k * (1 + (k - 3) * h) / ((1 + (2 * k - 4) * h) * (1 + (2 * k - 2) * h)));
}

static void next_term(term *t) {
    double h = t->h, c = t->c, c2 = c * c;
    int k = t->k++, m = k / 2;
    double r = ((1 + (2 * k - 2) * h) * c * t->r - k * h * t->r_before) / (1 + (k - 2) * h);
    t->r_before = t->r;
    t->r = r;
    if (t->k % 2 == 0)
        return;
    double bound = (c2 + (1 + 2 * m + (2 * m - 2) * c2) * h) * t->bound;
    bound -= 2 * m * h * c2 * t->bound_before;
    t->bound_before = t->bound;
    t->bound = bound / (1 + (2 * m - 1) * h);
}

/* f_k of e_k; and e_{k+1} to where e_{k-1} is. */
static void project(gs_law law, const gs_rule *rule, const term *t, const double *e,
                    double *e_beside, double f[FUNCTIONS]) {
    double next = step_of(t->h, t->k + 1), back = t->k > 0 ? step_of(t->h, t->k) / next : 0;
    double along = 1 / (law.deviation * next), phi = 0, slope = 0, c_slope = 0;
    for (size_t i = 0; i < rule->count; i++) {
        double c = rule->x[i] - law.mean, weighted = rule->weight[i] * e[i];
        double weighted_slope = weighted * rule->slope[i];
        phi += weighted * rule->phi[i];
        slope += weighted_slope;
        c_slope += weighted_slope * c;
        e_beside[i] = along * c * e[i] - back * e_beside[i];
    }
    f[0] = phi;
    f[1] = slope;
    f[2] = c_slope;
}

bool gs_pair_series(gs_law law, double correlation, int degree, const gs_rule *rule,
                    const gs_moments *moments, gs_pair_moments *pair) {
    const double squares[FUNCTIONS] = {moments->phi2, moments->slope2, moments->c2_slope2};
    double e[2][GS_MOST_NODES], f[FUNCTIONS], added[FUNCTIONS] = {0}, sum[FUNCTIONS] = {0};
    double h = law.dimension == GS_NORMAL ? 0 : 1 / (double)law.dimension;
    bool ends = false;
    for (size_t i = 0; i < rule->count; i++) {
        e[0][i] = 1;
        e[1][i] = 0;
    }
    for (term t = {h, correlation, 0, 1, 0, 1, 0}; t.k <= degree && !ends; next_term(&t)) {
        project(law, rule, &t, e[t.k % 2], e[1 - t.k % 2], f);
        ends = true;
        for (int i = 0; i < FUNCTIONS; i++) {
            double square = f[i] * f[i];
            sum[i] += t.r * square;
            added[i] += square;
            ends = ends && t.bound * (squares[i] - added[i]) <= REST * squares[i];
        }
    }
    *pair = (gs_pair_moments){sum[0], sum[1], sum[2]};
    return ends;
}
