/*
 * Elementwise operations on panels: `count` contiguous elements, or rows of PANEL lanes with a
 * number a row.
 */
#ifndef GS_KERNELS_ELEMENTWISE_H
#define GS_KERNELS_ELEMENTWISE_H

#include <string.h>

#include "kernels/kernels.h"
#include "kernels/vector.h"

/* What multiply() takes for zero: far below the rounding of a gradient whose largest entry is near
   1, and far enough above the smallest normal number that sums of products with it stay normal. */
#if defined(GS_DTYPE_F64)
#define NEGLIGIBLE 0x1p-800
#else
#define NEGLIGIBLE 0x1p-100f
#endif

static void set(void *element, double value) {
    *(real *)element = (real)value;
}

static double get(const void *element) {
    return *(const real *)element;
}

static void set_all(size_t count, const double *values, void *elements) {
    for (size_t i = 0; i < count; i++)
        ((real *)elements)[i] = (real)values[i];
}

static void get_all(size_t count, const void *elements, double *values) {
    for (size_t i = 0; i < count; i++)
        values[i] = ((const real *)elements)[i];
}

static void scale(size_t count, double factor, const void *x, void *out) {
    vec f = v_set((real)factor);
    for (size_t i = 0; i < count; i += LANES)
        v_store((real *)out + i, v_mul(f, v_load((const real *)x + i)));
}

static void combine(size_t count, double a, const void *x, double b, const void *y, void *out) {
    vec va = v_set((real)a), vb = v_set((real)b);
    for (size_t i = 0; i < count; i += LANES) {
        vec first = v_mul(va, v_load((const real *)x + i));
        v_store((real *)out + i, v_fma(vb, v_load((const real *)y + i), first));
    }
}

static void multiply(size_t count, const void *x, const void *y, void *out) {
    vec limit = v_set(NEGLIGIBLE);
    for (size_t i = 0; i < count; i += LANES) {
        vec p = v_mul(v_load((const real *)x + i), v_load((const real *)y + i));
        v_store((real *)out + i, v_select(v_lt(v_abs(p), limit), v_zero(), p));
    }
}

static void add_rows(size_t rows, double factor, const double *bias, void *x) {
    for (size_t u = 0; u < rows; u++) {
        real *row = (real *)x + u * PANEL;
        vec b = v_set((real)(factor * bias[u]));
        for (size_t i = 0; i < PANEL; i += LANES)
            v_store(row + i, v_add(v_load(row + i), b));
    }
}

static void affine_rows(size_t rows, const double *factor, const double *shift, const void *x,
                        void *out) {
    for (size_t u = 0; u < rows; u++) {
        vec w = v_set((real)factor[u]);
        vec b = v_set(shift ? (real)shift[u] : 0);
        for (size_t i = u * PANEL; i < (u + 1) * PANEL; i += LANES)
            v_store((real *)out + i, v_fma(w, v_load((const real *)x + i), b));
    }
}

static void fetch_rows(size_t rows, const void *x) {
    enum { LINE = 64 };
    for (size_t i = 0; i < rows * PANEL * sizeof(real); i += LINE)
        __builtin_prefetch((const char *)x + i);
}

/* ---- Transposition, 8 x 8 at a time ---- */

#if defined(__clang__) || __GNUC__ >= 12

typedef real octet __attribute__((vector_size(GS_TILE * sizeof(real))));

/* Exchange of what lies off the diagonal between blocks of 1, 2 and 4. */
static inline void exchange_1(octet *a, octet *b) {
    octet x = *a, y = *b;
    *a = __builtin_shufflevector(x, y, 0, 8, 2, 10, 4, 12, 6, 14);
    *b = __builtin_shufflevector(x, y, 1, 9, 3, 11, 5, 13, 7, 15);
}

static inline void exchange_2(octet *a, octet *b) {
    octet x = *a, y = *b;
    *a = __builtin_shufflevector(x, y, 0, 1, 8, 9, 4, 5, 12, 13);
    *b = __builtin_shufflevector(x, y, 2, 3, 10, 11, 6, 7, 14, 15);
}

static inline void exchange_4(octet *a, octet *b) {
    octet x = *a, y = *b;
    *a = __builtin_shufflevector(x, y, 0, 1, 2, 3, 8, 9, 10, 11);
    *b = __builtin_shufflevector(x, y, 4, 5, 6, 7, 12, 13, 14, 15);
}

static inline void exchange(size_t from_step, const real *from, size_t to_step, real *to) {
    octet row[GS_TILE];
    for (size_t i = 0; i < GS_TILE; i++)
        memcpy(&row[i], from + i * from_step, sizeof row[i]);
    for (size_t i = 0; i < GS_TILE; i += 2)
        exchange_1(&row[i], &row[i + 1]);
    for (size_t i = 0; i < GS_TILE; i += 4) {
        exchange_2(&row[i], &row[i + 2]);
        exchange_2(&row[i + 1], &row[i + 3]);
    }
    for (size_t i = 0; i < GS_TILE / 2; i++)
        exchange_4(&row[i], &row[i + 4]);
    for (size_t i = 0; i < GS_TILE; i++)
        memcpy(to + i * to_step, &row[i], sizeof row[i]);
}

#else /* no __builtin_shufflevector */

static inline void exchange(size_t from_step, const real *from, size_t to_step, real *to) {
    for (size_t b = 0; b < GS_TILE; b++)
        for (size_t u = 0; u < GS_TILE; u++)
            to[b * to_step + u] = from[u * from_step + b];
}

#endif

/* Lane b of unit u goes to row b, lane u % PANEL of output panel u / PANEL; those lie out_stride
 * apart. */
static void transpose_panel(size_t units, const void *panel, size_t out_stride, void *out) {
    for (size_t u = 0; u < units; u += GS_TILE) {
        real *to = (real *)out + u / PANEL * out_stride + u % PANEL;
        for (size_t b = 0; b < PANEL; b += GS_TILE)
            exchange(PANEL, (const real *)panel + u * PANEL + b, PANEL, to + b * PANEL);
    }
}

static void transpose_tile(size_t from_step, const void *from, size_t to_step, void *to) {
    exchange(from_step, from, to_step, to);
}

#endif
