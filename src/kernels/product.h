/*
 * Products: one micro-kernel, out[8][PANEL] = sum over k of left[row, k] right[k, :], serves all
 * four. Each output accumulates over k in ascending order by fma, so that blocking and threads
 * change no bit.
 */
#ifndef GS_KERNELS_PRODUCT_H
#define GS_KERNELS_PRODUCT_H

#include <string.h>

#include "kernels/vector.h"

/* The accumulators of a pass, ROWS x COLS vectors, fill the register file but for an operand or
 * two. */
#if defined(GS_ISA_AVX512)
enum { ROWS = 8, COLS = 2 };
#elif defined(GS_ISA_AVX2)
enum { ROWS = 4, COLS = 2 };
#else
enum { ROWS = 4, COLS = 4 };
#endif

/* left[row, k] stands at row * row_stride + k * k_stride, and every k_per_block the next block
   begins left_step further. All strides but left_step are constants where this is inlined. Tiles of
   weights come from far away and are used soon: while those of this call are multiplied, those at
   `next`, laid out alike, are fetched into the cache. */
__attribute__((always_inline)) static inline void
product(size_t k_per_block, size_t row_stride, size_t k_stride, bool fetch, size_t k_blocks,
        size_t left_step, const real *left, const real *next, const real *right, bool accumulate,
        real *out) {
    for (size_t row = 0; row < GS_TILE; row += ROWS) {
        for (size_t col = 0; col < VECS; col += COLS) {
            vec sum[ROWS][COLS];
            real *to = out + row * PANEL + col * LANES;
            for (size_t i = 0; i < ROWS; i++)
                for (size_t j = 0; j < COLS; j++)
                    sum[i][j] = accumulate ? v_load(to + i * PANEL + j * LANES) : v_zero();
            const real *l = left + row * row_stride;
            const real *r = right + col * LANES;
            for (size_t block = 0; block < k_blocks; block++, l += left_step) {
                for (size_t k = 0; k < k_per_block; k++, r += PANEL) {
                    if (fetch && row + col == 0 && k % (GS_TILE / sizeof(real)) == 0)
                        __builtin_prefetch(next + block * left_step + k * GS_TILE);
                    vec operand[COLS];
                    for (size_t j = 0; j < COLS; j++)
                        operand[j] = v_load(r + j * LANES);
                    for (size_t i = 0; i < ROWS; i++) {
                        vec weight = v_set(l[i * row_stride + k * k_stride]);
                        for (size_t j = 0; j < COLS; j++)
                            sum[i][j] = v_fma(weight, operand[j], sum[i][j]);
                    }
                }
            }
            for (size_t i = 0; i < ROWS; i++)
                for (size_t j = 0; j < COLS; j++)
                    v_store(to + i * PANEL + j * LANES, sum[i][j]);
        }
    }
}

/* Z = W A: left is a row of tiles, each 8 rows x 8 k. */
static void product_forward(size_t k_blocks, size_t left_step, const void *left, const void *next,
                            const void *right, bool accumulate, void *out) {
    product(GS_TILE, GS_TILE, 1, true, k_blocks, left_step, left, next, right, accumulate, out);
}

/* G = W^T D: left is a column of tiles, read across. */
static void product_backward(size_t k_blocks, size_t left_step, const void *left, const void *next,
                             const void *right, bool accumulate, void *out) {
    product(GS_TILE, 1, GS_TILE, true, k_blocks, left_step, left, next, right, accumulate, out);
}

/* dW = D A^T: left is 8 rows of a panel of D, and k runs over its examples. */
static void product_outer(size_t k_blocks, size_t left_step, const void *left, const void *next,
                          const void *right, bool accumulate, void *out) {
    product(PANEL, PANEL, 1, false, k_blocks, left_step, left, next, right, accumulate, out);
}

/* D^T D: left is 8 examples of a panel of D, and k runs over its units. */
static void product_gram(size_t k_blocks, size_t left_step, const void *left, const void *next,
                         const void *right, bool accumulate, void *out) {
    product(GS_TILE, 1, PANEL, false, k_blocks, left_step, left, next, right, accumulate, out);
}

/* 8 rows of a panel as the first `tiles` tiles that they are made of. */
static void store_tiles(size_t tiles, const void *block, void *out) {
    for (size_t tile = 0; tile < tiles; tile++)
        for (size_t row = 0; row < GS_TILE; row++)
            memcpy((real *)out + tile * GS_TILE_SIZE + row * GS_TILE,
                   (const real *)block + row * PANEL + tile * GS_TILE, GS_TILE * sizeof(real));
}

/* ---- Matrix times vector, in double ---- */

/* Vectors of doubles in a row of a tile, and in a tile. */
enum { TILE_ROW_PARTS = GS_TILE / DLANES, TILE_PARTS = GS_TILE_SIZE / DLANES };

static inline void load_tile(const real *tile, dvec parts[TILE_PARTS]) {
    for (size_t i = 0; i < GS_TILE_SIZE / LANES; i++) {
        vec w = v_load(tile + i * LANES);
        for (size_t part = 0; part < PARTS; part++)
            parts[i * PARTS + part] = v_to_d(w, part);
    }
}

/* Lanes run over the 8 columns of a tile: (lane i + lane i+4), then +2, +1 at the end. */
static void tile_matvec(size_t row_tiles, size_t col_tiles, const void *weight, const double *x,
                        double *y) {
    const real *tile = weight;
    for (size_t row_tile = 0; row_tile < row_tiles; row_tile++) {
        dvec sum[TILE_PARTS], parts[TILE_PARTS];
        for (size_t i = 0; i < TILE_PARTS; i++)
            sum[i] = d_zero();
        for (size_t col_tile = 0; col_tile < col_tiles; col_tile++, tile += GS_TILE_SIZE) {
            load_tile(tile, parts);
            for (size_t i = 0; i < TILE_PARTS; i++)
                sum[i] =
                    d_fma(parts[i], d_load_u(x + col_tile * GS_TILE + i % TILE_ROW_PARTS * DLANES),
                          sum[i]);
        }
        double lanes[GS_TILE][GS_TILE];
        for (size_t i = 0; i < TILE_PARTS; i++)
            d_store_u(&lanes[0][0] + i * DLANES, sum[i]);
        for (size_t r = 0; r < GS_TILE; r++) {
            double *s = lanes[r];
            y[row_tile * GS_TILE + r] +=
                ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
        }
    }
}

static void tile_matvec_transposed(size_t row_tiles, size_t col_tiles, const void *weight,
                                   const double *x, double *y) {
    const real *tile = weight;
    for (size_t row_tile = 0; row_tile < row_tiles; row_tile++) {
        for (size_t col_tile = 0; col_tile < col_tiles; col_tile++, tile += GS_TILE_SIZE) {
            dvec sum[TILE_ROW_PARTS], parts[TILE_PARTS];
            double *target = y + col_tile * GS_TILE;
            load_tile(tile, parts);
            for (size_t j = 0; j < TILE_ROW_PARTS; j++)
                sum[j] = d_load_u(target + j * DLANES);
            for (size_t i = 0; i < TILE_PARTS; i++) {
                size_t row = row_tile * GS_TILE + i / TILE_ROW_PARTS;
                sum[i % TILE_ROW_PARTS] = d_fma(d_set(x[row]), parts[i], sum[i % TILE_ROW_PARTS]);
            }
            for (size_t j = 0; j < TILE_ROW_PARTS; j++)
                d_store_u(target + j * DLANES, sum[j]);
        }
    }
}

#endif
