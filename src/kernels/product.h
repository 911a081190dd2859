/*
 * Products: one micro-kernel, out[8][PANEL] = sum over k of left[row, k] right[k, :], serves all of
 * them. Each output accumulates over k in ascending order by fma, so that blocking and threads
 * change no bit.
 */
#ifndef GS_KERNELS_PRODUCT_H
#define GS_KERNELS_PRODUCT_H

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

/* What is brought into the cache meanwhile from `next`: nothing, the left operand of the next call,
   or the place of its output. */
typedef enum { FETCH_NOTHING, FETCH_WEIGHTS, FETCH_OUTPUT } fetch;

/* What a product leaves: 8 rows of a panel, or the tiles that they are made of. */
typedef enum { PANEL_ROWS, TILES } layout;

/* Vector v of a row of the output. */
static inline size_t place_of(layout in, size_t row, size_t v) {
    size_t col = v * LANES;
    return in == PANEL_ROWS ? row * PANEL + col
                            : col / GS_TILE * GS_TILE_SIZE + row * GS_TILE + col % GS_TILE;
}

static inline void store_sum(layout to, vec sum, real *place) {
    if (to == PANEL_ROWS)
        v_store(place, sum);
    else
        v_store_octets(place, GS_TILE_SIZE, sum);
}

static inline vec load_sum(layout from, const real *place) {
    return from == PANEL_ROWS ? v_load(place) : v_load_octets(place, GS_TILE_SIZE);
}

/* A cache line at a time, as k goes on. */
static inline void fetch_ahead(fetch what, const real *next, size_t block, size_t offset,
                               size_t k) {
    enum { LINE = 64 / sizeof(real) };
    if (what == FETCH_WEIGHTS && k % (GS_TILE / sizeof(real)) == 0)
        __builtin_prefetch(next + offset + k * GS_TILE);
    if (what == FETCH_OUTPUT && block == 0 && k < GS_TILE * PANEL / LINE)
        __builtin_prefetch(next + k * LINE, 1);
}

/* left[row, k] stands at row * row_stride + k * k_stride, and every k_per_block the next block
   begins left_step further. All strides but left_step are constants where this is inlined. */
__attribute__((always_inline)) static inline void
product(size_t k_per_block, size_t row_stride, size_t k_stride, fetch what, layout to,
        size_t k_blocks, size_t left_step, const real *left, const real *next, const real *right,
        bool accumulate, real *out) {
    for (size_t row = 0; row < GS_TILE; row += ROWS) {
        for (size_t col = 0; col < VECS; col += COLS) {
            vec sum[ROWS][COLS];
            for (size_t i = 0; i < ROWS; i++)
                for (size_t j = 0; j < COLS; j++)
                    sum[i][j] =
                        accumulate ? load_sum(to, out + place_of(to, row + i, col + j)) : v_zero();
            const real *l = left + row * row_stride;
            const real *r = right + col * LANES;
            for (size_t block = 0; block < k_blocks; block++, l += left_step) {
                for (size_t k = 0; k < k_per_block; k++, r += PANEL) {
                    if (row + col == 0)
                        fetch_ahead(what, next, block, block * left_step, k);
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
                    store_sum(to, sum[i][j], out + place_of(to, row + i, col + j));
        }
    }
}

/* Z = W A: left is a row of tiles, each 8 rows x 8 k. */
static void product_forward(size_t k_blocks, size_t left_step, const void *left, const void *next,
                            const void *right, bool accumulate, void *out) {
    product(GS_TILE, GS_TILE, 1, FETCH_WEIGHTS, PANEL_ROWS, k_blocks, left_step, left, next, right,
            accumulate, out);
}

/* G = W^T D: left is a column of tiles, read across. */
static void product_backward(size_t k_blocks, size_t left_step, const void *left, const void *next,
                             const void *right, bool accumulate, void *out) {
    product(GS_TILE, 1, GS_TILE, FETCH_WEIGHTS, PANEL_ROWS, k_blocks, left_step, left, next, right,
            accumulate, out);
}

/* dW = D A^T: left is 8 rows of a panel of D, and k runs over its examples. */
static void product_outer(size_t k_blocks, size_t left_step, const void *left, const void *next,
                          const void *right, bool accumulate, void *out) {
    product(PANEL, PANEL, 1, FETCH_OUTPUT, TILES, k_blocks, left_step, left, next, right,
            accumulate, out);
}

/* D^T D: left is 8 examples of a panel of D, and k runs over its units. */
static void product_gram(size_t k_blocks, size_t left_step, const void *left, const void *next,
                         const void *right, bool accumulate, void *out) {
    product(GS_TILE, 1, PANEL, FETCH_NOTHING, PANEL_ROWS, k_blocks, left_step, left, next, right,
            accumulate, out);
}

/* D C: left is 8 rows of a panel of D, and k runs over its lanes. */
static void product_combine(size_t k_blocks, size_t left_step, const void *left, const void *next,
                            const void *right, bool accumulate, void *out) {
    product(PANEL, PANEL, 1, FETCH_NOTHING, PANEL_ROWS, k_blocks, left_step, left, next, right,
            accumulate, out);
}

#endif
