/*
 * What is measured on the way: an observer of the two passes (observe.c) sees the signals, the
 * statistics of every layer follow from that (measure.c), and so does the verdict (verdict.c).
 */
#ifndef GS_FLOW_MEASURE_H
#define GS_FLOW_MEASURE_H

#include "net/network.h"

void gs_stats_set(gs_layer_stats *stats, gs_column column, double value);

/* The ratio of two norms; where the second is 0 there is none. */
void gs_stats_set_ratio(gs_layer_stats *stats, gs_column column, gs_magnitude numerator,
                        gs_magnitude denominator);

/* ---- gradient.c: the gradient of a weight matrix, dL/dW = sum over b of delta_b u_b^T ---- */

typedef struct {
    gs_magnitude norm; /* ||dL/dW||_F */
    double snr;        /* norm of the mean gradient over its standard error; nan if there is none */
    double corr; /* mean cosine between the gradients of two examples; nan if there are no two */
} gs_weight_gradient;

/* Work space that is kept from layer to layer; all zero to begin with. */
typedef struct {
    gs_signal near_delta, near_input, transposed;
    double *scale, *inverse; /* [count] each, one an example, in whole panels; see gradient.c */
    double *partial;
    size_t count;
    double *squares; /* [square_count], one a row of tiles of delta */
    size_t square_count;
} gs_gradient_work;

/* From Gram matrices, ||delta u^T||_F^2 = <delta^T delta, u^T u>, where that is cheaper and does
   not cancel; else from the matrix itself, which may be known (NULL if not). Errors: GS_ERR_MEMORY.
 */
gs_status gs_measure_weight_gradient(const gs_engine *engine, const gs_signal *delta,
                                     const gs_signal *u, const gs_matrix *known,
                                     gs_gradient_work *work, gs_weight_gradient *result,
                                     gs_error *error);
void gs_gradient_work_free(gs_gradient_work *work);

/* ---- spectrum.c ---- */

/* The largest singular value of `weight`, to a relative 1e-6 or better. Errors: GS_ERR_MEMORY. */
gs_status gs_largest_singular_value(const gs_engine *engine, const gs_matrix *weight, uint64_t seed,
                                    double *sigma, gs_error *error);

/* ---- clip.c ---- */

/* Whether this kind of clipping looks at single entries, so that gradients must be kept. */
bool gs_clip_needs_gradients(gs_choice clip);

/* min(1, c / norm), and 1 for a norm of 0. The factor may be too small for a number, where what it
   leaves is not. */
gs_magnitude gs_clip_factor(gs_magnitude norm, double c);

/* Adaptive gradient clipping (Brock 2021, eq. 3): the gradient of a unit's incoming weights gets a
   norm of c max(||w||, 1e-3) at most. */
double gs_clip_unit_limit(gs_magnitude weight, double c);

/* Fill in clip_scale and grad_clipped_log10 after a backward pass; `weights` are the norms of each
   layer's dL/dW. Errors: GS_ERR_MEMORY. */
gs_status gs_measure_clipping(const gs_network *network, const gs_magnitude *weights,
                              gs_layer_stats *rows, gs_error *error);

/* ---- path.c: the gradient on its way from x_L to x_0 ---- */

enum { GS_MOST_POINTS = 18 };

/* What is left of the gradient at x_l. */
typedef struct {
    size_t layer;
    double ratio_log10; /* median over the examples of log10 |dL/dx_l,b| / |dL/dx_L,b| */
    double corr;        /* mean cosine between the dL/dx_l of two examples */
    double noise;       /* its standard deviation for unrelated examples */
} gs_path_point;

typedef struct {
    const gs_network *network;
    size_t stages_left;   /* whose gradient has not arrived */
    const gs_stage *left; /* the stage, on the way past branches, that comes next */
    gs_magnitude norm;    /* of the gradient that came to it */
    gs_layer_gain *gains; /* [layers]; last = 0: inside a block, or below where all is 0 */
    gs_path_point points[GS_MOST_POINTS]; /* from x_L to x_0 */
    size_t point_count;
    bool is_finite;
    size_t examples, silent; /* with a gradient at x_L; of these, with none at the last point */
    double low, high; /* of log10 of the ratios there, without a tenth of the examples each */
    /* One number an example each; what they hold is of the last point. */
    double *squares, *norms, *output_norms, *ratios, *factor;
    double *sums;   /* one a unit, or an example */
    double *values; /* [layers], for the verdict */
} gs_path;

/* Errors: GS_ERR_MEMORY; free it all the same. */
gs_status gs_path_new(const gs_network *network, gs_path *path, gs_error *error);
void gs_path_free(gs_path *path);

/* To be called with every gradient that an observer is shown, and its norm. */
void gs_path_see(gs_path *path, size_t layer, unsigned names, const gs_signal *grad,
                 gs_magnitude norm);

void gs_sort(double *values, size_t count); /* ascending */

/* Sorts the values; nan if there are none. The mean of the two in the middle if their number is
   even. */
double gs_median(double *values, size_t count);

/* ---- observe.c ---- */

/* A number rounds to zero at or below half of the smallest subnormal, 2^-149, 2^-24 and 2^-133, and
   the largest are just below 2^128, 2^16 and 2^128. */
typedef struct {
    gs_column zero;
    int largest_lost, overflow; /* exponents */
} gs_number_format;

enum { GS_NUMBER_F32, GS_NUMBER_F16, GS_NUMBER_BF16, GS_NUMBER_FORMATS };
extern const gs_number_format gs_number_formats[GS_NUMBER_FORMATS];

/* Norms of the gradients that pass a layer: dL/dx_l, dL/da_l, dL/dz_l. */
typedef struct {
    gs_magnitude x, a, z;
    double a_count; /* entries of dL/da_l */
} gs_layer_norms;

typedef struct {
    gs_layer_stats *rows;  /* the caller's */
    gs_layer_norms *norms; /* [layers + 1], from layer 0, the input, on */
    gs_magnitude *weights; /* [layers], of dL/dW from layer 1 on */
    gs_path path;
} gs_observation;

/* Forward and backward; the columns that are seen on the way go to `rows`, which are zero but for
   what they are of. Errors: GS_ERR_USAGE without a batch, GS_ERR_MEMORY; free it all the same. */
gs_status gs_observe(gs_network *network, gs_layer_stats *rows, gs_observation *seen,
                     gs_error *error);
void gs_observation_free(gs_observation *seen);

/* ---- verdict.c ---- */

/* A correlation is shattered if less than this share of it is left at the input. */
extern const double gs_shattered_share;

/* By the thresholds alone; nan is healthy, as where no gradient is meant to flow. */
gs_verdict gs_verdict_of(double ratio_log10);

/* Everything in the summary that follows from the way of the gradient; the rest stays. `finite`: no
   signal was not. */
void gs_judge(const gs_path *path, bool finite, gs_summary *summary);

#endif
