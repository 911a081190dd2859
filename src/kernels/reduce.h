/*
 * Reductions over the first `lanes` lanes of panel rows. Every sum runs in double over 16 lanes
 * (lane i of a panel goes to i % 16), row after row, and ends in the tree of d_sum.
 */
#ifndef GS_KERNELS_REDUCE_H
#define GS_KERNELS_REDUCE_H

#include "kernels/vector.h"

/* Double vectors in a panel row. */
enum { ROW_PARTS = PANEL / DLANES };

static inline dvec load_part(const real *row, size_t part) {
    return v_to_d(v_load(row + part / PARTS * LANES), part % PARTS);
}

/* The lanes of part `part` that lie below `lanes`. */
static inline dmask valid_part(size_t lanes, size_t part) {
    size_t first = part * DLANES;
    return dm_first(lanes > first ? lanes - first : 0);
}

static inline mask valid_vec(size_t lanes, size_t v) {
    size_t first = v * LANES;
    return m_first(lanes > first ? lanes - first : 0);
}

static inline void clear_sums(dvec sums[DVECS]) {
    for (size_t i = 0; i < DVECS; i++)
        sums[i] = d_zero();
}

/* The mean, and the sum of squares about it: two passes over a block that is in cache. */
static void moments(size_t rows, size_t lanes, const void *x, double *mean,
                    double *centred_squares) {
    dvec sums[DVECS];
    clear_sums(sums);
    for (size_t u = 0; u < rows; u++) {
        const real *row = (const real *)x + u * PANEL;
        for (size_t part = 0; part < ROW_PARTS; part++)
            sums[part % DVECS] = d_add(sums[part % DVECS], load_part(row, part));
    }
    *mean = d_sum(sums) / ((double)rows * (double)lanes);
    dvec centre = d_set(*mean);
    clear_sums(sums);
    for (size_t u = 0; u < rows; u++) {
        const real *row = (const real *)x + u * PANEL;
        for (size_t part = 0; part < ROW_PARTS; part++) {
            dvec distance = d_sub(load_part(row, part), centre);
            distance = d_select(valid_part(lanes, part), distance, d_zero());
            sums[part % DVECS] = d_fma(distance, distance, sums[part % DVECS]);
        }
    }
    *centred_squares = d_sum(sums);
}

static void magnitude(size_t rows, size_t lanes, const void *x, double *squares, double *max_abs) {
    (void)lanes; /* the others are zero */
    dvec sums[DVECS];
    vec largest = v_zero();
    clear_sums(sums);
    for (size_t u = 0; u < rows; u++) {
        const real *row = (const real *)x + u * PANEL;
        for (size_t v = 0; v < VECS; v++)
            largest = v_max(v_abs(v_load(row + v * LANES)), largest);
        for (size_t part = 0; part < ROW_PARTS; part++) {
            dvec value = load_part(row, part);
            sums[part % DVECS] = d_fma(value, value, sums[part % DVECS]);
        }
    }
    _Alignas(64) real lane[LANES];
    v_store(lane, largest);
    *max_abs = 0;
    for (size_t i = 0; i < LANES; i++)
        *max_abs = lane[i] > *max_abs ? lane[i] : *max_abs;
    *squares = d_sum(sums);
}

static double dot(size_t rows, size_t lanes, const void *x, const void *y) {
    (void)lanes;
    dvec sums[DVECS];
    clear_sums(sums);
    for (size_t u = 0; u < rows; u++) {
        const real *a = (const real *)x + u * PANEL, *b = (const real *)y + u * PANEL;
        for (size_t part = 0; part < ROW_PARTS; part++)
            sums[part % DVECS] = d_fma(load_part(a, part), load_part(b, part), sums[part % DVECS]);
    }
    return d_sum(sums);
}

/* sum over u and lanes of row_factor[u] x[u, lane] y[u, lane] lane_factor[lane] */
static double bilinear(size_t rows, const double *row_factor, const double *lane_factor,
                       const void *x, const void *y) {
    dvec sums[DVECS];
    clear_sums(sums);
    for (size_t u = 0; u < rows; u++) {
        const real *a = (const real *)x + u * PANEL, *b = (const real *)y + u * PANEL;
        dvec factor = d_set(row_factor[u]);
        for (size_t part = 0; part < ROW_PARTS; part++) {
            dvec product = d_mul(load_part(a, part), load_part(b, part));
            product = d_mul(product, d_load_u(lane_factor + part * DLANES));
            sums[part % DVECS] = d_fma(factor, product, sums[part % DVECS]);
        }
    }
    return d_sum(sums);
}

/* How many |x| < threshold, or <= if `or_equal`. */
static inline size_t count(bool or_equal, size_t rows, size_t lanes, double threshold,
                           const real *x) {
    vec limit = v_set((real)threshold);
    size_t total = 0;
    for (size_t u = 0; u < rows; u++)
        for (size_t v = 0; v < VECS; v++) {
            vec size = v_abs(v_load(x + u * PANEL + v * LANES));
            mask below = or_equal ? v_le(size, limit) : v_lt(size, limit);
            total += v_count(m_and(below, valid_vec(lanes, v)));
        }
    return total;
}

static size_t count_below(size_t rows, size_t lanes, double threshold, const void *x) {
    return count(false, rows, lanes, threshold, x);
}

static size_t count_at_most(size_t rows, size_t lanes, double threshold, const void *x) {
    return count(true, rows, lanes, threshold, x);
}

static void row_zeros(size_t rows, size_t lanes, const void *x, size_t *zeros) {
    for (size_t u = 0; u < rows; u++)
        for (size_t v = 0; v < VECS; v++) {
            mask zero = v_eq(v_load((const real *)x + u * PANEL + v * LANES), v_zero());
            zeros[u] += v_count(m_and(zero, valid_vec(lanes, v)));
        }
}

#endif
