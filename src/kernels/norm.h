/*
 * What normalisation and softmax are made of. A statistic belongs to a unit (batch norm: taken over
 * lanes) or to an example (layer and RMS norm: taken over rows); each operation is written once for
 * both axes.
 */
#ifndef GS_KERNELS_NORM_H
#define GS_KERNELS_NORM_H

#include "kernels/elementary.h"
#include "kernels/reduce.h"
#include "kernels/vector.h"

/* ---- Sums: sums[u] += over lanes, or sums[lane] += over rows ---- */

typedef enum { SUM, SUM_OF_PRODUCTS, SUM_OF_CENTRED_SQUARES } summand;

/* The double vector `part` of row u of the summand. */
static inline dvec summand_part(summand what, gs_axis axis, size_t u, size_t part, size_t lanes,
                                const real *x, const real *y, const double *mean) {
    dvec value = load_part(x + u * PANEL, part);
    if (what == SUM)
        return value;
    if (what == SUM_OF_PRODUCTS)
        return d_mul(value, load_part(y + u * PANEL, part));
    dvec centre = axis == GS_AXIS_UNIT ? d_set(mean[u]) : d_load_u(mean + part * DLANES);
    value = d_sub(value, centre);
    value = d_select(valid_part(lanes, part), value, d_zero());
    return d_mul(value, value);
}

static inline void accumulate(summand what, gs_axis axis, size_t rows, size_t lanes, const real *x,
                              const real *y, const double *mean, double *sums) {
    dvec column[ROW_PARTS];
    for (size_t part = 0; axis == GS_AXIS_EXAMPLE && part < ROW_PARTS; part++)
        column[part] = d_load_u(sums + part * DLANES);
    for (size_t u = 0; u < rows; u++) {
        dvec row[DVECS];
        clear_sums(row);
        for (size_t part = 0; part < ROW_PARTS; part++) {
            dvec value = summand_part(what, axis, u, part, lanes, x, y, mean);
            if (axis == GS_AXIS_UNIT)
                row[part % DVECS] = d_add(row[part % DVECS], value);
            else
                column[part] = d_add(column[part], value);
        }
        if (axis == GS_AXIS_UNIT)
            sums[u] += d_sum(row);
    }
    for (size_t part = 0; axis == GS_AXIS_EXAMPLE && part < ROW_PARTS; part++)
        d_store_u(sums + part * DLANES, column[part]);
}

static void unit_sums(size_t rows, size_t lanes, const void *x, double *sums) {
    accumulate(SUM, GS_AXIS_UNIT, rows, lanes, x, NULL, NULL, sums);
}

static void example_sums(size_t rows, size_t lanes, const void *x, double *sums) {
    accumulate(SUM, GS_AXIS_EXAMPLE, rows, lanes, x, NULL, NULL, sums);
}

static void unit_dots(size_t rows, size_t lanes, const void *x, const void *y, double *sums) {
    accumulate(SUM_OF_PRODUCTS, GS_AXIS_UNIT, rows, lanes, x, y, NULL, sums);
}

static void example_dots(size_t rows, size_t lanes, const void *x, const void *y, double *sums) {
    accumulate(SUM_OF_PRODUCTS, GS_AXIS_EXAMPLE, rows, lanes, x, y, NULL, sums);
}

static void unit_squares(size_t rows, size_t lanes, const void *x, const double *mean,
                         double *sums) {
    accumulate(SUM_OF_CENTRED_SQUARES, GS_AXIS_UNIT, rows, lanes, x, NULL, mean, sums);
}

static void example_squares(size_t rows, size_t lanes, const void *x, const double *mean,
                            double *sums) {
    accumulate(SUM_OF_CENTRED_SQUARES, GS_AXIS_EXAMPLE, rows, lanes, x, NULL, mean, sums);
}

/* ---- (x - mean) scale, and its backward ---- */

/* The statistic of row u and vector v. */
static inline vec statistic(gs_axis axis, const double *values, size_t u, size_t v) {
    if (axis == GS_AXIS_UNIT)
        return v_set((real)values[u]);
    dvec parts[PARTS];
    for (size_t part = 0; part < PARTS; part++)
        parts[part] = d_load_u(values + v * LANES + part * DLANES);
    return d_to_v(parts);
}

static inline void normalise(gs_axis axis, size_t rows, const double *mean, const double *factor,
                             const real *x, real *out) {
    for (size_t u = 0; u < rows; u++)
        for (size_t v = 0; v < VECS; v++) {
            size_t i = u * PANEL + v * LANES;
            vec centred = v_sub(v_load(x + i), statistic(axis, mean, u, v));
            v_store(out + i, v_mul(centred, statistic(axis, factor, u, v)));
        }
}

static void unit_normalise(size_t rows, const double *mean, const double *factor, const void *x,
                           void *out) {
    normalise(GS_AXIS_UNIT, rows, mean, factor, x, out);
}

static void example_normalise(size_t rows, const double *mean, const double *factor, const void *x,
                              void *out) {
    normalise(GS_AXIS_EXAMPLE, rows, mean, factor, x, out);
}

static inline void normalise_backward(gs_axis axis, size_t rows, const double *factor,
                                      const double *mean_grad, const double *mean_dot,
                                      const real *normalised, const real *grad, real *out) {
    for (size_t u = 0; u < rows; u++)
        for (size_t v = 0; v < VECS; v++) {
            size_t i = u * PANEL + v * LANES;
            vec centred = v_sub(v_load(grad + i), statistic(axis, mean_grad, u, v));
            vec along = v_neg(statistic(axis, mean_dot, u, v));
            vec rest = v_fma(v_load(normalised + i), along, centred);
            v_store(out + i, v_mul(rest, statistic(axis, factor, u, v)));
        }
}

static void unit_normalise_backward(size_t rows, const double *factor, const double *mean_grad,
                                    const double *mean_dot, const void *normalised,
                                    const void *grad, void *out) {
    normalise_backward(GS_AXIS_UNIT, rows, factor, mean_grad, mean_dot, normalised, grad, out);
}

static void example_normalise_backward(size_t rows, const double *factor, const double *mean_grad,
                                       const double *mean_dot, const void *normalised,
                                       const void *grad, void *out) {
    normalise_backward(GS_AXIS_EXAMPLE, rows, factor, mean_grad, mean_dot, normalised, grad, out);
}

/* ---- Softmax over units, a lane an example ---- */

static void softmax(size_t units, double factor, const void *z, void *p, double *largest,
                    double *log_total) {
    for (size_t v = 0; v < VECS; v++) {
        const real *in = (const real *)z + v * LANES;
        real *out = (real *)p + v * LANES;
        vec top = v_load(in), total = v_zero();
        for (size_t u = 1; u < units; u++)
            top = v_max(v_load(in + u * PANEL), top);
        for (size_t u = 0; u < units; u++) {
            vec e = v_exp(v_mul(v_sub(v_load(in + u * PANEL), top), v_set((real)factor)));
            total = v_add(total, e);
            v_store(out + u * PANEL, e);
        }
        for (size_t u = 0; u < units; u++)
            v_store(out + u * PANEL, v_div(v_load(out + u * PANEL), total));
        vec log_sum = v_log(total);
        for (size_t part = 0; part < PARTS; part++) {
            d_store_u(largest + v * LANES + part * DLANES, v_to_d(top, part));
            d_store_u(log_total + v * LANES + part * DLANES, v_to_d(log_sum, part));
        }
    }
}

#endif
