/*
 * The kernel table: every arithmetic operation on typed memory, once per element type and
 * instruction set. This folder is the only code that knows element types and instruction sets;
 * everyone else holds `const gs_kernels *` and moves opaque buffers with shapes.
 *
 * Layouts
 *   panel   A signal of `units` x `batch` numbers is stored in panels of `panel` examples (16 f64 or
 *           32 f32: 128 bytes). Within a panel, unit u is the row of `panel` lanes at u * panel.
 *           Lanes past the batch, and rows from `units` up to the next multiple of 8, are zero.
 *   tile    A weight matrix [out, in] is stored in 8x8 tiles, row-major inside a tile and over
 *           tiles; entries past out or in are zero.
 *
 * Same bytes everywhere: an element of a product accumulates over k in ascending order by fma; a
 * sum over many elements runs over 16 fixed double lanes and then a fixed tree (lane i + lane i+8,
 * +4, +2, +1), whatever the width of a register.
 */
#ifndef GS_KERNELS_H
#define GS_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "gradsim.h"

enum { GS_TILE = 8, GS_TILE_SIZE = 64, GS_PANEL_BYTES = 128 };

/* Activations in the order of the table in net/activation.c. */
typedef enum {
    GS_ACT_LINEAR,
    GS_ACT_SIGMOID,
    GS_ACT_TANH,
    GS_ACT_RELU,
    GS_ACT_LEAKY_RELU, /* also prelu: param is the slope for z < 0 */
    GS_ACT_ELU,        /* param alpha */
    GS_ACT_SELU,
    GS_ACT_SILU,
    GS_ACT_GELU,
    GS_ACT_GELU_TANH,
    GS_ACT_SOFTPLUS,
    GS_ACT_MISH,
    GS_ACT_COUNT
} gs_activation_kernel;

typedef enum { GS_DRAW_NORMAL, GS_DRAW_UNIFORM } gs_draw; /* N(0,1); U(-1,1), both ends excluded */

/* Which product a call computes: the strides of the left operand follow from it. */
typedef enum {
    GS_PRODUCT_FORWARD,  /* Z = W A:    left is W, tiles of one tile row          */
    GS_PRODUCT_BACKWARD, /* G = W^T D:  left is W, tiles of one tile column       */
    GS_PRODUCT_OUTER,    /* dW = D A^T: left is D in panels, right is A transposed */
    GS_PRODUCT_GRAM,     /* D^T D:      left and right are panels of one signal    */
    GS_PRODUCT_COMBINE,  /* D C:        left is D in panels, right a row of C a lane of D */
    GS_PRODUCT_COUNT
} gs_product;

/* What a sum leaves: a number a unit (over examples), or a number an example (over units). */
typedef enum { GS_AXIS_UNIT, GS_AXIS_EXAMPLE, GS_AXIS_COUNT } gs_axis;

/* Which rule makes a step from a gradient: AdamW is Adam with another `keep`. */
typedef enum {
    GS_UPDATE_SGD,
    GS_UPDATE_MOMENTUM, /* first moment */
    GS_UPDATE_NESTEROV, /* first */
    GS_UPDATE_RMSPROP,  /* second */
    GS_UPDATE_ADAM,     /* both */
    GS_UPDATE_COUNT
} gs_update_kernel;

/* w' = keep w - rate direction(factor grad + l1 sign(w) + l2 w) */
typedef struct {
    double factor, rate, l1, l2;
    double keep;         /* 1 - rate l2 where weights decay beside the gradient, else 1 */
    double beta1, beta2; /* of the first moment (momentum), and of the second (RMSprop's rho) */
    double eps;
    double correction1, correction2; /* 1 / (1 - beta1^t), 1 / sqrt(1 - beta2^t) */
} gs_update;

typedef struct gs_kernels {
    const char *isa; /* portable, avx2, avx512, neon */
    gs_dtype dtype;
    size_t size;  /* bytes per element */
    size_t panel; /* lanes per panel: GS_PANEL_BYTES / size */

    /* ---- elementary.h, activation.h, random.h ---- */

    /* a = phi(z), slope = phi'(z), `count` elements (a multiple of panel); a may be z. */
    void (*activation[GS_ACT_COUNT])(double param, size_t count, const void *z, void *a,
                                     void *slope);

    /* 8x8 tiles of random numbers times `scale`, `count` of a tile row, one after another, from
       tile_col on. A tile is a pure function of its first six arguments, with stream < 2^31 and
       tile_col < 2^28. */
    void (*random_tiles)(gs_draw draw, uint64_t seed, uint32_t stream, uint32_t layer,
                         uint32_t tile_row, uint32_t tile_col, size_t count, double scale,
                         void *tiles);

    /* y = f(x) over `count` elements: what activations are made of, so that it can be tested alone.
       sincos2pi is of 2 pi x, 0 <= x < 1. */
    void (*exp)(size_t count, const void *x, void *y);
    void (*expm1)(size_t count, const void *x, void *y);
    void (*log)(size_t count, const void *x, void *y);
    void (*log1p)(size_t count, const void *x, void *y);
    void (*tanh)(size_t count, const void *x, void *y);
    void (*erf)(size_t count, const void *x, void *y);
    void (*sincos2pi)(size_t count, const void *x, void *sine, void *cosine);

    /* ---- product.h ---- */

    /* out[8][panel] = sum over k of left[row, k] * right[k, :], over k_blocks blocks of k; with
       `accumulate`, added to what is there. left_step is the distance in elements from one block of
       `left` to the next. What stands at `next` is fetched meanwhile: weights laid out as
       those at `left`, or for GS_PRODUCT_OUTER the place of the next output.
       GS_PRODUCT_OUTER leaves the panel / 8 tiles that the 8 rows are made of. */
    void (*product[GS_PRODUCT_COUNT])(size_t k_blocks, size_t left_step, const void *left,
                                      const void *next, const void *right, bool accumulate,
                                      void *out);

    /* ---- matvec.h: in double whatever the element type ---- */

    /* u[8] = R x - factor u, then y[8 col_tiles] += R^T u, where R is a row of tiles; returns the
       sum of u^2. */
    double (*tile_row_gram)(size_t col_tiles, const void *row, const double *x, double factor,
                            double *u, double *y);
    /* y = a x + b y, `count` doubles (a multiple of 8); returns the sum of y^2. */
    double (*combine_doubles)(size_t count, double a, const double *x, double b, double *y);

    /* ---- orthonormalise.h ---- */

    /* The first `lanes` lanes of a panel of 16 lanes of doubles, D, have `gram` = D^T D [16, 16],
       the others are 0. It becomes R^-1: the columns of D R^-1 are orthonormal, each in the span of
       itself, with a positive part, and those before it. */
    void (*orthonormalising_factor)(size_t lanes, double *gram);

    /* ---- elementwise.h: `rows` panel rows, `count` elements (a multiple of panel) ---- */

    /* One element, and `count` in a row, rounded to the type. */
    void (*set)(void *element, double value);
    double (*get)(const void *element);
    void (*set_all)(size_t count, const double *values, void *elements);
    void (*get_all)(size_t count, const void *elements, double *values);
    /* out = factor x */
    void (*scale)(size_t count, double factor, const void *x, void *out);
    /* out = fma(b, y, a x) */
    void (*combine)(size_t count, double a, const void *x, double b, const void *y, void *out);
    /* out = x y, where a result far below the rounding of 1 becomes 0 */
    void (*multiply)(size_t count, const void *x, const void *y, void *out);
    /* x[u] += factor bias[u] */
    void (*add_rows)(size_t rows, double factor, const double *bias, void *x);
    /* out[u] = factor[u] x[u] + shift[u]; shift may be NULL */
    void (*affine_rows)(size_t rows, const double *factor, const double *shift, const void *x,
                        void *out);
    /* Lane b of unit u to row b, lane u % panel of panel u / panel; out_stride elements apart.
       `units` counts in whole tiles. */
    void (*transpose_panel)(size_t units, const void *panel, size_t out_stride, void *out);
    /* 8 rows of 8 elements to where their transpose stands; rows are a step apart. */
    void (*transpose_tile)(size_t from_step, const void *from, size_t to_step, void *to);
    /* Brings panel rows into the cache, without waiting for them. */
    void (*fetch_rows)(size_t rows, const void *x);

    /* ---- reduce.h: over the first `lanes` lanes of `rows` panel rows; results are double ---- */

    void (*moments)(size_t rows, size_t lanes, const void *x, double *mean,
                    double *centred_squares);
    void (*magnitude)(size_t rows, size_t lanes, const void *x, double *squares, double *max_abs);
    double (*dot)(size_t rows, size_t lanes, const void *x, const void *y);
    /* sum of row_factor[u] x[u, lane] y[u, lane] lane_factor[lane], every lane of a panel */
    double (*bilinear)(size_t rows, const double *row_factor, const double *lane_factor,
                       const void *x, const void *y);
    /* How many |x| < threshold, or <= threshold. */
    size_t (*count_below)(size_t rows, size_t lanes, double threshold, const void *x);
    size_t (*count_at_most)(size_t rows, size_t lanes, double threshold, const void *x);
    /* zeros[u] += how many of row u are 0 */
    void (*row_zeros)(size_t rows, size_t lanes, const void *x, size_t *zeros);

    /* ---- norm.h: a result a unit [rows] over lanes, or an example [panel] over rows ---- */

    /* += the sums of x, of x y, and of (x - mean)^2 */
    void (*sums[GS_AXIS_COUNT])(size_t rows, size_t lanes, const void *x, double *sums);
    void (*dots[GS_AXIS_COUNT])(size_t rows, size_t lanes, const void *x, const void *y,
                                double *sums);
    void (*centred_squares[GS_AXIS_COUNT])(size_t rows, size_t lanes, const void *x,
                                           const double *mean, double *sums);
    /* out = (x - mean) scale */
    void (*normalise[GS_AXIS_COUNT])(size_t rows, const double *mean, const double *scale,
                                     const void *x, void *out);
    /* out = scale (grad - mean_grad - normalised mean_dot) */
    void (*normalise_backward[GS_AXIS_COUNT])(size_t rows, const double *scale,
                                              const double *mean_grad, const double *mean_dot,
                                              const void *normalised, const void *grad, void *out);
    /* By lane over `units` rows: the largest z, p = exp(factor (z - largest)) / total, log total.
       */
    void (*softmax)(size_t units, double factor, const void *z, void *p, double *largest,
                    double *log_total);

    /* ---- optimize.h: `count` contiguous elements (a multiple of panel) ---- */

    /* Weights and moments in place; a moment that a rule does not have may be NULL. */
    void (*optimize[GS_UPDATE_COUNT])(const gs_update *update, size_t count, const void *grad,
                                      void *weight, void *first, void *second);
    /* The sum of (x - y)^2, in double. */
    double (*squared_distance)(size_t count, const void *x, const void *y);
    /* squares[8] += the sums of squares of the rows of a row of tiles */
    void (*tile_row_squares)(size_t tiles, const void *row, double *squares);
    /* out = factor[8] x by rows of tiles, every entry into [-limit, limit]; out may be x. */
    void (*clip_tile_row)(size_t tiles, const double *factor, double limit, const void *row,
                          void *out);
} gs_kernels;

/* The table for `dtype` on the best instruction set of this machine, or on the one that GRADSIM_ISA
   names; empty counts as unset. Errors: GS_ERR_USAGE if it names none, GS_ERR_UNSUPPORTED if it
   names one that this machine cannot run. */
gs_status gs_kernels_get(gs_dtype dtype, const gs_kernels **kernels, gs_error *error);

/* The table for another element type on the instruction set of this one. */
const gs_kernels *gs_kernels_beside(const gs_kernels *kernels, gs_dtype dtype);

/* Every table that this machine can run, for tests and `gradsim check`; NULL past the last. */
const gs_kernels *gs_kernels_at(size_t index);

/* Of one double, for the rest of the program: made of the same code as the portable kernels. */
double gs_log10(double x);
double gs_log1p(double x); /* log(1 + x) */
double gs_exp(double x);
double gs_cos2pi(double x); /* cos(2 pi x), 0 <= x < 1 */

#endif
