/*
 * Mean-field theory of the steps of a layer, forward and backward: what is left of a signal and of
 * its gradient when units are so many that sums over them are their expectations (Poole 2016,
 * Schoenholz 2017, Yang 2019). What a norm does at a finite batch or width is kept.
 */
#ifndef GS_THEORY_MEANFIELD_H
#define GS_THEORY_MEANFIELD_H

#include "net/init.h"
#include "theory/quadrature.h"

typedef enum {
    GS_SHAPE_NORMAL,
    GS_SHAPE_NORMED_BATCH, /* left by a batch norm of normal numbers: on a sphere */
    GS_SHAPE_NORMED_UNITS, /* left by a layer or RMS norm of normal numbers: likewise */
    GS_SHAPE_OTHER
} gs_shape;

/* An entry x of a signal, times 2^exponent, over units and examples. */
typedef struct {
    gs_shape shape;
    size_t dimension; /* of the sphere */
    double mean, square;
    double product; /* E x x' of one unit and two examples; nan if it is not followed */
    int64_t exponent;
} gs_mean_field;

/* Its gradient, g = slope x + constant + noise, times 2^exponent, where the noise does not
   depend on x. `slope` and `constant` are what the loss and the signal have in common: the mse
   of a linear network pulls x toward 0. */
typedef struct {
    double slope, constant;
    double noise;   /* E noise^2 */
    double product; /* E noise noise' of one unit and two examples */
    double along;   /* share of E noise^2 in the direction of a normed x, nan if in none more */
    int64_t exponent;
} gs_mean_gradient;

/* E g^2, and E g g' of two examples, where x is `signal`. */
double gs_mean_gradient_square(const gs_mean_gradient *g, const gs_mean_field *x);
double gs_mean_gradient_product(const gs_mean_gradient *g, const gs_mean_field *x);

/* Bring the numbers near 1, by powers of two; that of a signal only where what follows is
   homogeneous. */
void gs_mean_field_normalise(gs_mean_field *x);
void gs_mean_gradient_normalise(gs_mean_gradient *g, const gs_mean_field *x);

/* The sum of two gradients of one signal. */
gs_mean_gradient gs_mean_gradient_add(gs_mean_gradient a, gs_mean_gradient b);

/* ---- Steps: each makes `out` of `in`, then the gradient of `in` of that of `out`. A forward step
   returns NULL, or why there is no theory of it. ---- */

typedef struct {
    gs_weight_law weights; /* independent or orthogonal */
    double fan_in, fan_out;
    double bias_mean, bias_variance;
} gs_dense_theory;

const char *gs_dense_mean_forward(const gs_dense_theory *dense, const gs_mean_field *in,
                                  gs_mean_field *out);
gs_mean_gradient gs_dense_mean_backward(const gs_dense_theory *dense, const gs_mean_field *in,
                                        const gs_mean_field *out, gs_mean_gradient g);

/* What an activation makes of a signal: kept, since both ways ask for it. All zeros at first. */
typedef struct {
    bool filled;
    gs_mean_field of;
    gs_moments one;
    gs_pair_moments pair; /* nan if products are not followed */
} gs_kept_moments;

typedef struct {
    gs_quadrature *quadrature;
    bool linear;
    bool pairs; /* whether products are followed */
    gs_kept_moments *kept;
} gs_activation_theory;

const char *gs_activation_mean_forward(const gs_activation_theory *act, const gs_mean_field *in,
                                       gs_mean_field *out);
gs_mean_gradient gs_activation_mean_backward(const gs_activation_theory *act,
                                             const gs_mean_field *in, gs_mean_gradient g);

/* Nodes over the square of a vector of `freedom` normal numbers in units of its mean, with weights
   of sum `total`. */
enum { GS_MOST_LENGTHS = 400 };
typedef struct {
    double freedom, total;
    size_t count;
    double factor[GS_MOST_LENGTHS], weight[GS_MOST_LENGTHS];
} gs_length_rule;

typedef struct {
    size_t kind; /* GS_NORM_BATCH, GS_NORM_LAYER, GS_NORM_RMS */
    double eps;
    size_t units, batch;
    gs_length_rule *lengths; /* of the last norm, or all zeros */
} gs_norm_theory;

const char *gs_norm_mean_forward(const gs_norm_theory *norm, const gs_mean_field *in,
                                 gs_mean_field *out);
gs_mean_gradient gs_norm_mean_backward(const gs_norm_theory *norm, const gs_mean_field *in,
                                       const gs_mean_field *out, gs_mean_gradient g);

/* out = source + alpha in */
const char *gs_skip_mean_forward(double alpha, const gs_mean_field *source, const gs_mean_field *in,
                                 gs_mean_field *out);
/* To `*g_source` that of the source, which goes round the branch. */
gs_mean_gradient gs_skip_mean_backward(double alpha, const gs_mean_field *source,
                                       const gs_mean_field *in, const gs_mean_field *out,
                                       gs_mean_gradient g, gs_mean_gradient *g_source);

#endif
