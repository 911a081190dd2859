/*
 * A step of an optimizer over contiguous elements, as torch.optim defines it, and the rows of tiles
 * that clipping and max-norm work on.
 *
 *   g  = factor grad + l1 sign(w) + l2 w        with sign(0) = 0
 *   w' = fma(-rate, direction(g), keep w)       keep = 1 - rate l2 where decay is decoupled, else 1
 *
 * Where grad and w are zero, so are the direction and w': padding stays zero. No subnormal number
 * is made of a square or kept in a moment: what never moves again must not slow a run.
 */
#ifndef GS_KERNELS_OPTIMIZE_H
#define GS_KERNELS_OPTIMIZE_H

#include "kernels/activation.h"
#include "kernels/kernels.h"
#include "kernels/reduce.h"
#include "kernels/vector.h"

/* A gradient below this counts as 0 in a second moment: its share of it would be subnormal. */
#if defined(GS_DTYPE_F64)
#define LEAST_TO_SQUARE 0x1p-500
#else
#define LEAST_TO_SQUARE 0x1p-58f
#endif

/* The numbers of an update in every lane. */
typedef struct {
    vec beta1, rest1; /* rest is 1 - beta */
    vec beta2, rest2;
    vec eps, correction1,
        correction2; /* corrections are 1 / (1 - beta1^t), 1 / sqrt(1 - beta2^t) */
} update_lanes;

typedef vec (*direction_rule)(const update_lanes *u, vec g, real *first, real *second);

/* v <- beta2 v + (1 - beta2) g^2 */
static inline vec second_moment(const update_lanes *u, vec g, real *second) {
    vec base = flush_below(v_set(LEAST_TO_SQUARE), g);
    vec square = v_mul(v_mul(u->rest2, base), base);
    vec v = flush(v_fma(u->beta2, v_load(second), square));
    v_store(second, v);
    return v;
}

/* x / (root + eps), and 0 where x is 0 even if the rest is */
static inline vec over_root(const update_lanes *u, vec x, vec root) {
    return v_select(v_eq(x, v_zero()), v_zero(), v_div(x, v_add(root, u->eps)));
}

static inline vec direction_sgd(const update_lanes *u, vec g, real *first, real *second) {
    (void)u, (void)first, (void)second;
    return g;
}

/* m <- beta1 m + g */
static inline vec heavy_ball(const update_lanes *u, vec g, real *first) {
    vec m = flush(v_fma(u->beta1, v_load(first), g));
    v_store(first, m);
    return m;
}

static inline vec direction_momentum(const update_lanes *u, vec g, real *first, real *second) {
    (void)second;
    return heavy_ball(u, g, first);
}

/* g + beta1 m */
static inline vec direction_nesterov(const update_lanes *u, vec g, real *first, real *second) {
    (void)second;
    return v_fma(u->beta1, heavy_ball(u, g, first), g);
}

/* g / (sqrt(v) + eps) (Hinton 2012) */
static inline vec direction_rmsprop(const update_lanes *u, vec g, real *first, real *second) {
    (void)first;
    return over_root(u, g, v_sqrt(second_moment(u, g, second)));
}

/* m <- m + (1 - beta1) (g - m); m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps)
   (Kingma and Ba 2015, algorithm 1) */
static inline vec direction_adam(const update_lanes *u, vec g, real *first, real *second) {
    vec old = v_load(first);
    vec m = flush(v_fma(u->rest1, v_sub(g, old), old));
    v_store(first, m);
    vec root = v_mul(v_sqrt(second_moment(u, g, second)), u->correction2);
    return over_root(u, v_mul(m, u->correction1), root);
}

/* A moment that the rule does not have may be NULL. */
__attribute__((always_inline)) static inline void optimize(direction_rule direction,
                                                           const gs_update *update, size_t count,
                                                           const void *grad, void *weight,
                                                           void *first, void *second) {
    const update_lanes u = {v_set((real)update->beta1),      v_set((real)(1 - update->beta1)),
                            v_set((real)update->beta2),      v_set((real)(1 - update->beta2)),
                            v_set((real)update->eps),        v_set((real)update->correction1),
                            v_set((real)update->correction2)};
    vec factor = v_set((real)update->factor), down = v_set((real)-update->rate);
    vec keep = v_set((real)update->keep), l1 = v_set((real)update->l1),
        l2 = v_set((real)update->l2);
    real *m = first ? first : weight, *v = second ? second : weight;
    for (size_t i = 0; i < count; i += LANES) {
        vec w = v_load((real *)weight + i);
        vec sign = v_select(v_eq(w, v_zero()), v_zero(), v_copysign(l1, w));
        vec g = v_fma(factor, v_load((const real *)grad + i), sign);
        vec step = direction(&u, v_fma(l2, w, g), m + i, v + i);
        v_store((real *)weight + i, v_fma(down, step, v_mul(keep, w)));
    }
}

static void optimize_sgd(const gs_update *update, size_t count, const void *grad, void *weight,
                         void *first, void *second) {
    optimize(direction_sgd, update, count, grad, weight, first, second);
}

static void optimize_momentum(const gs_update *update, size_t count, const void *grad, void *weight,
                              void *first, void *second) {
    optimize(direction_momentum, update, count, grad, weight, first, second);
}

static void optimize_nesterov(const gs_update *update, size_t count, const void *grad, void *weight,
                              void *first, void *second) {
    optimize(direction_nesterov, update, count, grad, weight, first, second);
}

static void optimize_rmsprop(const gs_update *update, size_t count, const void *grad, void *weight,
                             void *first, void *second) {
    optimize(direction_rmsprop, update, count, grad, weight, first, second);
}

static void optimize_adam(const gs_update *update, size_t count, const void *grad, void *weight,
                          void *first, void *second) {
    optimize(direction_adam, update, count, grad, weight, first, second);
}

static double squared_distance(size_t count, const void *x, const void *y) {
    dvec sums[DVECS];
    clear_sums(sums);
    for (size_t i = 0; i < count; i += PANEL) {
        const real *a = (const real *)x + i, *b = (const real *)y + i;
        for (size_t part = 0; part < ROW_PARTS; part++) {
            dvec moved = d_sub(load_part(a, part), load_part(b, part));
            sums[part % DVECS] = d_fma(moved, moved, sums[part % DVECS]);
        }
    }
    return d_sum(sums);
}

/* ---- Rows of tiles ---- */

enum { TILE_DVECS = GS_TILE_SIZE / DLANES };

/* Eight sums a row, one a column of the tiles, which meet as column c + c+4, +2, +1. */
static void tile_row_squares(size_t tiles, const void *row, double *squares) {
    dvec sums[TILE_DVECS];
    for (size_t i = 0; i < TILE_DVECS; i++)
        sums[i] = d_zero();
    for (size_t t = 0; t < tiles; t++)
        for (size_t i = 0; i < TILE_DVECS; i++) {
            dvec x = v_load_d((const real *)row + t * GS_TILE_SIZE + i * DLANES);
            sums[i] = d_fma(x, x, sums[i]);
        }
    _Alignas(64) double s[GS_TILE_SIZE];
    for (size_t i = 0; i < TILE_DVECS; i++)
        d_store(s + i * DLANES, sums[i]);
    for (size_t r = 0; r < GS_TILE; r++) {
        const double *c = s + r * GS_TILE;
        squares[r] += ((c[0] + c[4]) + (c[2] + c[6])) + ((c[1] + c[5]) + (c[3] + c[7]));
    }
}

static void clip_tile_row(size_t tiles, const double *factor, double limit, const void *row,
                          void *out) {
    _Alignas(64) real factors[GS_TILE_SIZE];
    for (size_t i = 0; i < GS_TILE_SIZE; i++)
        factors[i] = (real)factor[i / GS_TILE];
    vec most = v_set((real)limit), least = v_neg(most);
    for (size_t t = 0; t < tiles; t++)
        for (size_t i = 0; i < GS_TILE_SIZE; i += LANES) {
            size_t at = t * GS_TILE_SIZE + i;
            vec x = v_mul(v_load(factors + i), v_load((const real *)row + at));
            v_store((real *)out + at, v_min(most, v_max(least, x)));
        }
}

#endif
