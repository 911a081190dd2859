/*
 * Nodes and weights for expectations over a law, and Gauss-Legendre that they are made of.
 */
#ifndef GS_THEORY_RULE_H
#define GS_THEORY_RULE_H

#include "base/memory.h"
#include "kernels/kernels.h"

/* x = mean + deviation y, where y has mean 0 and variance 1: it is N(0, 1), or sqrt(dimension)
   times a coordinate of a point that is uniform on the unit sphere of so many dimensions (2 or
   more). */
typedef struct {
    double mean, deviation;
    size_t dimension; /* GS_NORMAL: N(0, 1) */
} gs_law;

#define GS_NORMAL SIZE_MAX

/* The nodes of Gauss-Legendre on panels between `count` ascending breaks, and the weights of dx.
   Returns how many: GS_PANEL_NODES a panel that has a width. */
enum { GS_PANEL_NODES = 10 };
size_t gs_gauss_legendre(const double *breaks, size_t count, double *x, double *weight);

enum { GS_MOST_BREAKS = 100, GS_MOST_NODES = GS_MOST_BREAKS * GS_PANEL_NODES / 16 * 16 };

/* Points x with weights of sum 1, and what an activation and its slope are there. */
typedef struct {
    size_t count; /* a multiple of a panel of a signal; the last weights are 0 */
    _Alignas(GS_ALIGNMENT) double x[GS_MOST_NODES];
    _Alignas(GS_ALIGNMENT) double phi[GS_MOST_NODES];
    _Alignas(GS_ALIGNMENT) double slope[GS_MOST_NODES];
    double weight[GS_MOST_NODES];
} gs_rule;

/* Where an integral over x' has a kink in x, and over which distance it is smooth. */
typedef struct {
    double centre, fine;
} gs_kink;

/* x and weight, for `law` and what is smooth at the scale of an activation; phi and slope are work
   space. `degree` is that of the orthonormal polynomials of the law that it may be multiplied by, 0
   if by none. `other` is NULL, or the kink of the inner one of two nested integrals, of which this
   is the outer. */
void gs_rule_make(const gs_kernels *kernels, gs_law law, int degree, const gs_kink *other,
                  gs_rule *rule);

#endif
