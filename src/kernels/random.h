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

/* A block of tiles is made in two passes, words and then numbers. GROUP vectors of calls are drawn
   at once, because a round waits for the one before it. */
enum { CALLS = 16, WORDS = 4, ROUNDS = 10, GROUP = 2, BLOCK = 8 };

static const uint32_t FACTOR_0 = 0xd2511f53, FACTOR_1 = 0xcd9e8d57;

/* What the calls of a tile row have in common: the keys of the rounds, and what the first two
   rounds make of the words that are the same in every counter of the row. stream[0] is for HI, [1]
   for LO. */
typedef struct {
    uint64_t key[ROUNDS][2], stream[2], word_0, word_2, word_3;
} source;

static inline source source_of(uint64_t seed, uint32_t stream, uint32_t layer, uint32_t tile_row) {
    source s;
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    for (size_t round = 0; round < ROUNDS; round++, k0 += 0x9e3779b9, k1 += 0xbb67ae85) {
        s.key[round][0] = k0;
        s.key[round][1] = k1;
    }
    uint64_t first = (uint64_t)FACTOR_1 * layer;
    uint64_t second = FACTOR_0 * (first >> 32 ^ tile_row ^ s.key[0][0]);
    s.stream[0] = stream * 2 ^ s.key[0][1];
    s.stream[1] = s.stream[0] ^ 1;
    s.word_0 = (uint32_t)first ^ s.key[1][0];
    s.word_2 = second >> 32 ^ s.key[1][1];
    s.word_3 = (uint32_t)second;
    return s;
}

/* Philox4x32-10 (Salmon, Moraes, Dror and Shaw, SC 2011, section 3.3) on DLANES counters at once.
   Words are the lower halves of lanes; what stands in the upper halves does not matter. */
static inline void two_rounds(const source *s, divec counter, size_t low, divec c[WORDS]) {
    divec p0 = di_mul(di_set(FACTOR_0), counter);
    divec word_2 = di_xor(di_right(p0, 32), di_set(s->stream[low]));
    divec p1 = di_mul(di_set(FACTOR_1), word_2);
    c[0] = di_xor(di_right(p1, 32), di_set(s->word_0));
    c[1] = p1;
    c[2] = di_xor(p0, di_set(s->word_2));
    c[3] = di_set(s->word_3);
}

static inline void more_rounds(const source *s, size_t end, size_t sets, divec c[][WORDS]) {
    for (size_t round = 2; round < end; round++)
        for (size_t i = 0; i < sets; i++) {
            divec p0 = di_mul(di_set(FACTOR_0), c[i][0]), p1 = di_mul(di_set(FACTOR_1), c[i][2]);
            c[i][0] = di_xor(di_right(p1, 32), di_xor(c[i][1], di_set(s->key[round][0])));
            c[i][2] = di_xor(di_right(p0, 32), di_xor(c[i][3], di_set(s->key[round][1])));
            c[i][1] = p1;
            c[i][3] = p0;
        }
}

/* HI and LO of `count` times DLANES calls. */
static inline void draw_pairs(const source *s, uint32_t first, size_t count, divec c[][WORDS]) {
    for (size_t i = 0; i < 2 * count; i++)
        two_rounds(s, di_ascending(first + i / 2 * DLANES, 1), i % 2, c[i]);
    more_rounds(s, ROUNDS, 2 * count, c);
}

/* 2^20 + u - origin, rounded once: 2^20 + HI / 2^32 and 2^-12 + LO / 2^64 end with these words. */
static inline dvec d_fraction(divec high, divec low, dvec origin) {
    dvec h = d_sub(d_low_half(d_set(0x1p20), high), origin);
    dvec l = d_sub(d_low_half(d_set(0x1p-12), low), d_set(0x1p-12 - 0x1p-65));
    return d_add(h, l);
}

/* Of the words of a vector of calls:
     centred_fraction   u - 1/2
     signed_fraction    u, or u - 1 where u >= 3/4, which keeps the digits of numbers near 1
     angle              u - quadrant / 4, and the quadrant in the top bits of a lane
     correct_tails      takes LO into signed fractions that need it */
#if defined(GS_DTYPE_F64)

typedef struct {
    divec high[WORDS], low[WORDS];
} words;

static inline void draw_words(const source *s, uint32_t first, words *w) {
    divec c[2 * GROUP][WORDS];
    draw_pairs(s, first, GROUP, c);
    for (size_t i = 0; i < GROUP; i++)
        for (size_t k = 0; k < WORDS; k++) {
            w[i].high[k] = c[2 * i][k];
            w[i].low[k] = c[2 * i + 1][k];
        }
}

static inline dvec centred_fraction(const words *w, size_t k) {
    return d_fraction(w->high[k], w->low[k], d_set(0x1p20 + 0.5));
}

/* 1/4 more, modulo 1, is below 1/4 where u >= 3/4. */
static inline dvec signed_fraction(const words *w, size_t k) {
    divec high = di_add(w->high[k], di_set(1u << 30));
    return d_fraction(high, w->low[k], d_set(0x1p20 + 0.25));
}

static inline dvec angle(const words *w, size_t k, divec *quadrant) {
    dvec turn = d_low_half(d_set(0x1p20), w->high[k]);
    dvec sum = d_add(turn, d_set(QUARTERS - 0x1p20));
    *quadrant = di_left(d_bits(sum), 62);
    return d_fraction(w->high[k], w->low[k], d_sub(sum, d_set(QUARTERS - 0x1p20)));
}

static inline void correct_tails(const source *s, uint32_t first, const words *w, dvec x[2]) {
    (void)s, (void)first, (void)w, (void)x;
}

#else

typedef struct {
    fivec word[WORDS];
} words;

/* The last round is made here, because its words are wanted as an fivec. */
static inline void draw_words(const source *s, uint32_t first, words *w) {
    divec c[GROUP * PARTS][WORDS];
    for (size_t i = 0; i < GROUP * PARTS; i++)
        two_rounds(s, di_ascending(first + i / PARTS * FLANES + i % PARTS, PARTS), 0, c[i]);
    more_rounds(s, ROUNDS - 1, GROUP * PARTS, c);
    fivec key_0 = fi_set((uint32_t)s->key[ROUNDS - 1][0]);
    fivec key_1 = fi_set((uint32_t)s->key[ROUNDS - 1][1]);
    for (size_t i = 0; i < GROUP; i++) {
        divec p0[PARTS], p1[PARTS], c1[PARTS], c3[PARTS];
        for (size_t part = 0; part < PARTS; part++) {
            const divec *call = c[i * PARTS + part];
            p0[part] = di_mul(di_set(FACTOR_0), call[0]);
            p1[part] = di_mul(di_set(FACTOR_1), call[2]);
            c1[part] = call[1];
            c3[part] = call[3];
        }
        w[i].word[0] = fi_xor(fi_high(p1), fi_xor(fi_low(c1), key_0));
        w[i].word[1] = fi_low(p1);
        w[i].word[2] = fi_xor(fi_high(p0), fi_xor(fi_low(c3), key_1));
        w[i].word[3] = fi_low(p0);
    }
}

/* As d_fraction, of the halves of a word. */
static inline fvec f_fraction(fivec word, fvec origin) {
    fvec h = f_sub(f_low_half(f_set(0x1p7f), fi_right(word, 16)), origin);
    fvec l = f_sub(f_low_half(f_set(0x1p-9f), word), f_set(0x1p-9f - 0x1p-33f));
    return f_add(h, l);
}

static inline fvec centred_fraction(const words *w, size_t k) {
    return f_fraction(w->word[k], f_set(0x1p7f + 0.5f));
}

static inline fvec signed_fraction(const words *w, size_t k) {
    return f_fraction(fi_add(w->word[k], fi_set(1u << 30)), f_set(0x1p7f + 0.25f));
}

/* Four times u - quadrant / 4 is the fraction that follows the top two bits, as a signed number. Of
   two quadrants equally near, at a word 2^29 (2 n + 1), it takes the upper, the definition the even
   one; that is the same, for sine and cosine of y = 1/8 are the same number in f32. */
static inline fvec angle(const words *w, size_t k, fivec *quadrant) {
    fivec rest = fi_xor(fi_left(w->word[k], 2), fi_set(2));
    *quadrant = fi_add(w->word[k], fi_set(1u << 29));
    return f_mul(f_of_int(rest), f_set(0x1p-34f));
}

/* One vector of calls in 128 has a tail. */
static __attribute__((noinline)) void draw_tails(const source *s, uint32_t first, fvec x[2]) {
    dvec u[2][PARTS];
    for (size_t part = 0; part < PARTS; part++) {
        divec c[2][WORDS];
        draw_pairs(s, first + (uint32_t)part * DLANES, 1, c);
        for (size_t k = 0; k < 2; k++)
            u[k][part] = d_fraction(c[0][k], c[1][k], d_set(0x1p20));
    }
    for (size_t k = 0; k < 2; k++) {
        fmask tail = fm_and(f_lt(f_zero(), x[k]), f_lt(x[k], f_set(0x1p-12f)));
        x[k] = f_select(tail, f_from_d(u[k]), x[k]);
    }
}

static inline void correct_tails(const source *s, uint32_t first, const words *w, fvec x[2]) {
    if (fm_any(fm_below(fi_min(w->word[0], w->word[1]), 1u << 20)))
        draw_tails(s, first, x);
}

#endif

/* sqrt(-2 ln u) of a signed fraction x: ln(1 + x) where it is negative. This is log_join with all
   but s doubled: -2 (k ln 2 + f - (f^2/2 - s (f^2/2 + s^2 series(s^2)))). */
static inline vec radius(vec x) {
    mask near_one = v_lt(x, v_zero());
    log_parts p = log_split(x);
    vec k = v_select(near_one, v_zero(), p.k);
    vec f = v_select(near_one, x, p.f);
    vec s = v_div(f, v_add(v_set(2), f)), z = v_mul(s, s), square = v_mul(f, f);
    vec bracket = v_fma(z, v_poly_times(2, LOG_SERIES, LOG_TERMS, z), square);
    vec low = v_fma(s, bracket, v_mul(k, v_set(2 * LN2_LOW)));
    vec rest = v_fma(v_set(-2), f, v_sub(square, low));
    return v_sqrt(v_fma(k, v_set(-2 * LN2), rest));
}

static inline void write_normals(const source *s, uint32_t first, const words *w, vec scale,
                                 real *out) {
    ivec quadrant[2];
    vec x[2] = {signed_fraction(w, 0), signed_fraction(w, 1)};
    vec y[2] = {angle(w, 2, &quadrant[0]), angle(w, 3, &quadrant[1])};
    correct_tails(s, first, w, x);
    for (size_t k = 0; k < 2; k++) {
        vec r = radius(x[k]);
        sincos_parts turned = sincos_join(quadrant[k], y[k]);
        v_store(out + 32 * k, v_mul(v_mul(r, turned.cosine), scale));
        v_store(out + 32 * k + 16, v_mul(v_mul(r, turned.sine), scale));
    }
}

/* The largest number below 1 keeps out what rounding would make 1. */
static inline void write_uniforms(const words *w, vec scale, real *out) {
    const vec most = v_set(1 - EPSILON / 2);
    for (size_t i = 0; i < WORDS; i++) {
        vec half = centred_fraction(w, i);
        vec x = v_min(most, v_max(v_neg(most), v_add(half, half)));
        v_store(out + 16 * i, v_mul(x, scale));
    }
}

/* `law` is a constant at both calls, so there are two loops with registers of their own. */
static inline void fill(gs_draw law, const source *s, uint32_t first, size_t count, vec scale,
                        real *tile) {
    words w[BLOCK * CALLS / LANES];
    for (; count > 0; tile += BLOCK * GS_TILE_SIZE) {
        size_t tiles = count < BLOCK ? count : BLOCK;
        for (size_t q = 0; q < tiles * CALLS; q += GROUP * LANES)
            draw_words(s, first + (uint32_t)q, w + q / LANES);
        for (size_t q = 0; q < tiles * CALLS; q += LANES) {
            real *out = tile + q / CALLS * GS_TILE_SIZE + q % CALLS;
            if (law == GS_DRAW_NORMAL)
                write_normals(s, first + (uint32_t)q, w + q / LANES, scale, out);
            else
                write_uniforms(w + q / LANES, scale, out);
        }
        first += BLOCK * CALLS;
        count -= tiles;
    }
}

static inline void random_tiles(gs_draw law, uint64_t seed, uint32_t stream, uint32_t layer,
                                uint32_t tile_row, uint32_t tile_col, size_t count, double scale,
                                void *tiles) {
    const source s = source_of(seed, stream, layer, tile_row);
    const vec factor = v_set((real)scale);
    if (law == GS_DRAW_NORMAL)
        fill(GS_DRAW_NORMAL, &s, tile_col * CALLS, count, factor, tiles);
    else
        fill(GS_DRAW_UNIFORM, &s, tile_col * CALLS, count, factor, tiles);
}

#endif
