/*
 * Random tiles: 64 numbers that are a pure function of (seed, stream, layer, tile_row, tile_col).
 * The text below says which, and does not change from one release to the next.
 *
 * A tile takes 16 calls q of Philox4x32-10 with the key seed, low half first:
 *     HI_0..3 = philox({tile_col * 16 + q, tile_row, layer, stream * 2})
 *     LO_0..3 = philox({tile_col * 16 + q, tile_row, layer, stream * 2 + 1})
 *     u_i     = (HI_i 2^32 + LO_i + 1/2) / 2^64
 * and the element at 8 row + col = 16 j + q of the tile is
 *     uniform  2 u_j - 1
 *     normal   sqrt(-2 ln u_k) cos(2 pi u_{k+2}) for j = 2 k, its sine for j = 2 k + 1   (k = 0, 1)
 * f32 takes u_i = (HI_i + 1/2) / 2^32, which is the same number to the resolution of f32, except
 * where that would not be so: in the tails, for radii with HI_k < 2^20.
 */
#ifndef GS_RANDOM_H
#define GS_RANDOM_H

#include "kernels/elementary.h"
#include "kernels/kernels.h"

enum { CALLS = 16, WORDS = 4, ROUNDS = 10 };

/* Where numbers come from: a tile, its first call of DLANES, and the keys of the rounds. */
typedef struct {
    uint32_t stream, layer, tile_row, first;
    uint64_t key[ROUNDS][2];
} source;

static inline source source_of(uint64_t seed, uint32_t stream, uint32_t layer, uint32_t tile_row,
                               uint32_t tile_col) {
    source s = {.stream = stream, .layer = layer, .tile_row = tile_row, .first = tile_col * CALLS};
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    for (size_t round = 0; round < ROUNDS; round++, k0 += 0x9e3779b9, k1 += 0xbb67ae85) {
        s.key[round][0] = k0;
        s.key[round][1] = k1;
    }
    return s;
}

/* Philox4x32-10 (Salmon, Moraes, Dror and Shaw, SC 2011, section 3.3) on `sets` times DLANES
   counters at once. Words are the low halves of lanes; what stands in the high halves does not
   matter. */
static inline void philox(const source *s, size_t sets, ivec c[][WORDS]) {
    for (size_t round = 0; round < ROUNDS; round++)
        for (size_t i = 0; i < sets; i++) {
            ivec p0 = i_mul(i_set(0xd2511f53), c[i][0]), p1 = i_mul(i_set(0xcd9e8d57), c[i][2]);
            c[i][0] = i_xor(i_xor(i_high(p1), c[i][1]), i_set(s->key[round][0]));
            c[i][2] = i_xor(i_xor(i_high(p0), c[i][3]), i_set(s->key[round][1]));
            c[i][1] = p1;
            c[i][3] = p0;
        }
}

static inline void set_counter(const source *s, size_t part, uint32_t low, ivec c[WORDS]) {
    c[0] = i_ascending(s->first + part * DLANES);
    c[1] = i_set(s->tile_row);
    c[2] = i_set(s->layer);
    c[3] = i_set(s->stream * 2 + low);
}

/* A vector of calls: HI_i, and (LO_i + 1/2) / 2^32 or the 1/2 that stands for it. */
typedef struct {
    dvec high[PARTS][WORDS], low[PARTS][WORDS];
} words;

static inline dvec low_fraction(ivec word) {
    return d_mul(d_add(d_of_word(word), d_set(0.5)), d_set(0x1p-32));
}

#if defined(GS_DTYPE_F64)

static inline void draw_words(const source *s, gs_draw law, words *w) {
    (void)law;
    ivec c[2][WORDS];
    set_counter(s, 0, 0, c[0]);
    set_counter(s, 0, 1, c[1]);
    philox(s, 2, c);
    for (size_t i = 0; i < WORDS; i++) {
        w->high[0][i] = d_of_word(c[0][i]);
        w->low[0][i] = low_fraction(c[1][i]);
    }
}

#else

static inline void draw_words(const source *s, gs_draw law, words *w) {
    ivec c[PARTS][WORDS];
    for (size_t part = 0; part < PARTS; part++)
        set_counter(s, part, 0, c[part]);
    philox(s, PARTS, c);
    for (size_t part = 0; part < PARTS; part++)
        for (size_t i = 0; i < WORDS; i++) {
            w->high[part][i] = d_of_word(c[part][i]);
            w->low[part][i] = d_set(0.5);
        }
    for (size_t part = 0; part < PARTS && law == GS_DRAW_NORMAL; part++) {
        dmask tail0 = d_lt(w->high[part][0], d_set(0x1p20));
        dmask tail1 = d_lt(w->high[part][1], d_set(0x1p20));
        if (dm_any(dm_or(tail0, tail1))) {
            set_counter(s, part, 1, c[0]);
            philox(s, 1, c);
            w->low[part][0] = d_select(tail0, low_fraction(c[0][0]), d_set(0.5));
            w->low[part][1] = d_select(tail1, low_fraction(c[0][1]), d_set(0.5));
        }
    }
}

#endif

/* u, or u - 1 where u >= 3/4, which keeps the digits of numbers near 1. */
static inline dvec signed_fraction(dvec high, dvec low) {
    dvec above = d_sub(high, d_set(0x1p32));
    dvec whole = d_select(d_lt(high, d_set(0x3p30)), high, above);
    return d_mul(d_add(whole, low), d_set(0x1p-32));
}

/* sqrt(-2 ln u) of a signed fraction x: ln(1 + x) where it is negative. */
static inline vec radius(vec x) {
    mask near_one = v_lt(x, v_zero());
    log_parts p = log_split(v_abs(x));
    p.k = v_select(near_one, v_zero(), p.k);
    p.f = v_select(near_one, x, p.f);
    return v_sqrt(v_mul(v_set(-2), log_join(p, v_zero())));
}

typedef struct {
    vec x[WORDS], quadrant[2];
} drawn;

/* One vector of calls; x[i] is signed_fraction(u_i) for a radius, u_i - quadrant / 4 for an angle,
   and 2 u_i - 1 for the uniform law. */
static inline drawn draw_vec(const source *s, gs_draw law) {
    words w;
    dvec x[WORDS][PARTS], quadrant[2][PARTS];
    draw_words(s, law, &w);
    for (size_t part = 0; part < PARTS; part++) {
        const dvec *high = w.high[part], *low = w.low[part];
        for (size_t i = 0; i < WORDS && law == GS_DRAW_UNIFORM; i++)
            x[i][part] = d_mul(d_add(d_sub(high[i], d_set(0x1p31)), low[i]), d_set(0x1p-31));
        for (size_t i = 0; i < 2 && law == GS_DRAW_NORMAL; i++) {
            dvec turn = d_round(d_mul(high[2 + i], d_set(0x1p-30)));
            dvec rest = d_fma(turn, d_set(-0x1p30), high[2 + i]);
            x[i][part] = signed_fraction(high[i], low[i]);
            x[2 + i][part] = d_mul(d_add(rest, low[2 + i]), d_set(0x1p-32));
            quadrant[i][part] = turn;
        }
    }
    drawn d;
    for (size_t i = 0; i < WORDS; i++)
        d.x[i] = d_to_v(x[i]);
    for (size_t i = 0; i < 2 && law == GS_DRAW_NORMAL; i++)
        d.quadrant[i] = d_to_v(quadrant[i]);
    return d;
}

static inline void normal_tile(source s, vec scale, real *tile) {
    for (size_t q = 0; q < CALLS; q += LANES, s.first += LANES) {
        drawn d = draw_vec(&s, GS_DRAW_NORMAL);
        for (size_t k = 0; k < 2; k++) {
            vec r = radius(d.x[k]);
            sincos_parts angle = sincos_join(d.quadrant[k], d.x[2 + k]);
            v_store(tile + 32 * k + q, v_mul(v_mul(r, angle.cosine), scale));
            v_store(tile + 32 * k + 16 + q, v_mul(v_mul(r, angle.sine), scale));
        }
    }
}

/* The largest number below 1 keeps out what rounding would make 1. */
static inline void uniform_tile(source s, vec scale, real *tile) {
    const vec most = v_set(1 - EPSILON / 2);
    for (size_t q = 0; q < CALLS; q += LANES, s.first += LANES) {
        drawn d = draw_vec(&s, GS_DRAW_UNIFORM);
        for (size_t i = 0; i < WORDS; i++) {
            vec x = v_min(most, v_max(v_neg(most), d.x[i]));
            v_store(tile + 16 * i + q, v_mul(x, scale));
        }
    }
}

static void random_tile(gs_draw law, uint64_t seed, uint32_t stream, uint32_t layer,
                        uint32_t tile_row, uint32_t tile_col, double scale, void *tile) {
    source s = source_of(seed, stream, layer, tile_row, tile_col);
    if (law == GS_DRAW_NORMAL)
        normal_tile(s, v_set((real)scale), tile);
    else
        uniform_tile(s, v_set((real)scale), tile);
}

#endif
