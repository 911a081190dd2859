/*
 * Matrix times vector, in double whatever the element type. A row of tiles R is [8, 8 col_tiles].
 */
#ifndef GS_KERNELS_MATVEC_H
#define GS_KERNELS_MATVEC_H

#include "kernels/vector.h"

enum {
    TILE_ROW_PARTS = GS_TILE / DLANES,  /* vectors of doubles in a row of a tile, */
    TILE_PARTS = GS_TILE_SIZE / DLANES, /* and in a tile */
    ROWS_TOGETHER = DLANES,             /* so many rows take eight accumulators */
    HALF_OF_CACHE = 16384               /* bytes, of the first level */
};

/* R x: lanes run over the 8 columns of a tile, and add up at the end. */
static inline void row_product(size_t col_tiles, const real *row, const double *x, double *sums) {
    enum { ACCUMULATORS = ROWS_TOGETHER * TILE_ROW_PARTS };
    dvec all[TILE_PARTS];
    for (size_t first = 0; first < TILE_PARTS; first += ACCUMULATORS) {
        dvec sum[ACCUMULATORS];
        for (size_t i = 0; i < ACCUMULATORS; i++)
            sum[i] = d_zero();
        const real *tile = row + first * DLANES;
        const double *factor = x;
        for (size_t j = 0; j < col_tiles; j++, tile += GS_TILE_SIZE, factor += GS_TILE)
            for (size_t i = 0; i < ACCUMULATORS; i++)
                sum[i] = d_fma(v_load_d(tile + i * DLANES),
                               d_load_u(factor + i % TILE_ROW_PARTS * DLANES), sum[i]);
        for (size_t i = 0; i < ACCUMULATORS; i++)
            all[first + i] = sum[i];
    }
    d_row_sums(all, sums);
}

/* y += R^T x. A row that was just used comes from the first-level cache, and leaves the second time
   to bring a part of the next row, if there is room for both. */
static inline void row_product_transposed(size_t col_tiles, const real *row, const double *x,
                                          double *y) {
    size_t bytes = col_tiles * GS_TILE_SIZE * sizeof(real);
    dvec factor[GS_TILE];
    for (size_t i = 0; i < GS_TILE; i++)
        factor[i] = d_set(x[i]);
    for (size_t j = 0; j < col_tiles * TILE_ROW_PARTS; j++) {
        const real *part = row + j / TILE_ROW_PARTS * GS_TILE_SIZE + j % TILE_ROW_PARTS * DLANES;
        if (bytes <= HALF_OF_CACHE && j % TILE_ROW_PARTS == 0) {
            uintptr_t next = (uintptr_t)part + bytes;
            __builtin_prefetch((const void *)next);
            __builtin_prefetch((const void *)(next + GS_TILE_SIZE / 2 * sizeof(real)));
        }
        dvec sum = d_load_u(y + j * DLANES);
        for (size_t i = 0; i < GS_TILE; i++)
            sum = d_fma(factor[i], v_load_d(part + i * GS_TILE), sum);
        d_store_u(y + j * DLANES, sum);
    }
}

/* The row is read twice, but comes from memory once. */
static double tile_row_gram(size_t col_tiles, const void *row, const double *x, double factor,
                            double *u, double *y) {
    double sums[GS_TILE], squares = 0;
    row_product(col_tiles, row, x, sums);
    for (size_t r = 0; r < GS_TILE; r++) {
        u[r] = sums[r] - factor * u[r];
        squares += u[r] * u[r];
    }
    row_product_transposed(col_tiles, row, u, y);
    return squares;
}

static double combine_doubles(size_t count, double a, const double *x, double b, double *y) {
    dvec sums[DVECS], x_factor = d_set(a), y_factor = d_set(b);
    for (size_t i = 0; i < DVECS; i++)
        sums[i] = d_zero();
    for (size_t i = 0; i < count / DLANES; i++) {
        double *target = y + i * DLANES;
        dvec scaled = d_mul(y_factor, d_load_u(target));
        dvec value = d_fma(x_factor, d_load_u(x + i * DLANES), scaled);
        d_store_u(target, value);
        sums[i % DVECS] = d_fma(value, value, sums[i % DVECS]);
    }
    return d_sum(sums);
}

#endif
