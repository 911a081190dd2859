/*
 * Expectations of an activation and its slope, to a relative 1e-10 or better: over one number, or
 * over a pair. The numbers are normal, or lie on a sphere, as what a norm leaves does.
 */
#ifndef GS_THEORY_QUADRATURE_H
#define GS_THEORY_QUADRATURE_H

#include "net/option.h"
#include "theory/rule.h"

/* E over x, with phi = phi(x), slope = phi'(x), and c = x - mean. */
typedef struct {
    double phi, phi2;             /* phi, phi^2 */
    double slope, slope2;         /* slope, slope^2 */
    double c_slope, c_phi_slope;  /* c slope, c phi slope */
    double phi_slope, phi_slope2; /* phi slope, phi slope^2 */
    double phi2_slope2;           /* (phi slope)^2 */
    double c2_slope2;             /* (c slope)^2 */
} gs_moments;

/* E over two numbers of one law. Where it is normal `correlation` is theirs; on a sphere, of 3
   dimensions or more, they are the coordinates along two unit vectors with that inner product. */
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

/* The same, by nested integrals: for whatever correlation, and a hundred times as slow. */
gs_pair_moments gs_expect_pair_nested(gs_quadrature *quadrature, gs_law law, double correlation);

/* phi and its slope at `count` points. */
void gs_evaluate(gs_quadrature *quadrature, size_t count, const double *x, double *phi,
                 double *slope);

#endif
