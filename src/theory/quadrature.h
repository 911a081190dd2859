/*
 * Expectations of an activation and its slope, to a relative 1e-10 or better: over one number, or
 * over a pair. The numbers are normal, or lie on a sphere, as what a norm leaves does.
 */
#ifndef GS_THEORY_QUADRATURE_H
#define GS_THEORY_QUADRATURE_H

#include "kernels/kernels.h"
#include "net/option.h"

/* x = mean + deviation y, where y has mean 0 and variance 1: it is N(0, 1), or sqrt(dimension)
   times a coordinate of a point that is uniform on the unit sphere of so many dimensions (2 or
   more). */
typedef struct {
    double mean, deviation;
    size_t dimension; /* GS_NORMAL: N(0, 1) */
} gs_law;

#define GS_NORMAL SIZE_MAX

/* E over x, with phi = phi(x), slope = phi'(x), and c = x - mean. */
typedef struct {
    double phi, phi2;             /* phi, phi^2 */
    double slope, slope2;         /* slope, slope^2 */
    double c_slope, c_phi_slope;  /* c slope, c phi slope */
    double phi_slope, phi_slope2; /* phi slope, phi slope^2 */
    double phi2_slope2;           /* (phi slope)^2 */
    double c2_slope2;             /* (c slope)^2 */
} gs_moments;

/* E over two numbers of one law. Where it is normal `correlation` is theirs; on a sphere they are
   the coordinates along two unit vectors with that inner product. */
typedef struct {
    double phi, slope; /* phi(x) phi(x'), phi'(x) phi'(x') */
    double c_slope;    /* (x - mean) phi'(x) (x' - mean) phi'(x') */
} gs_pair_moments;

typedef struct gs_quadrature gs_quadrature;

/* For the activation `act` of the family. Errors: GS_ERR_MEMORY, and those of gs_kernels_get. */
gs_quadrature *gs_quadrature_new(gs_choice act, gs_error *error);
void gs_quadrature_free(gs_quadrature *quadrature);

gs_moments gs_expect(gs_quadrature *quadrature, gs_law law);
gs_pair_moments gs_expect_pair(gs_quadrature *quadrature, gs_law law, double correlation);

/* The nodes of Gauss-Legendre on panels between `count` ascending breaks, and the weights of dx.
   Returns how many: GS_PANEL_NODES a panel that has a width. */
enum { GS_PANEL_NODES = 10 };
size_t gs_gauss_legendre(const double *breaks, size_t count, double *x, double *weight);

/* phi and its slope at `count` points. */
void gs_evaluate(gs_quadrature *quadrature, size_t count, const double *x, double *phi,
                 double *slope);

#endif
