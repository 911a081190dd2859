/*
 * Vector operations in plain C: a vector is one number. fma() and rint() are exact in every libm,
 * so this is also the reference that the other instruction sets are compared with.
 */
#ifndef GS_VECTOR_PORTABLE_H
#define GS_VECTOR_PORTABLE_H

#include <math.h>
#include <string.h>

typedef double dvec;
typedef float fvec;
typedef bool dmask;
typedef bool fmask;
typedef uint64_t divec;
typedef uint32_t fivec;
enum { DLANES = 1, FLANES = 1 };

static inline uint64_t d_bits(dvec a) {
    uint64_t bits;
    memcpy(&bits, &a, sizeof bits);
    return bits;
}

static inline dvec d_of_bits(uint64_t bits) {
    dvec a;
    memcpy(&a, &bits, sizeof a);
    return a;
}

static inline uint32_t f_bits(fvec a) {
    uint32_t bits;
    memcpy(&bits, &a, sizeof bits);
    return bits;
}

static inline fvec f_of_bits(uint32_t bits) {
    fvec a;
    memcpy(&a, &bits, sizeof a);
    return a;
}

/* An operation a line. */
/* clang-format off */

/* ---- double ---- */

static inline dvec d_load(const double *p) { return *p; }
static inline void d_store(double *p, dvec a) { *p = a; }
static inline dvec d_load_u(const double *p) { return *p; }
static inline void d_store_u(double *p, dvec a) { *p = a; }
static inline dvec d_set(double s) { return s; }
static inline dvec d_zero(void) { return 0.0; }
static inline dvec d_add(dvec a, dvec b) { return a + b; }
static inline dvec d_sub(dvec a, dvec b) { return a - b; }
static inline dvec d_mul(dvec a, dvec b) { return a * b; }
static inline dvec d_div(dvec a, dvec b) { return a / b; }
static inline dvec d_fma(dvec a, dvec b, dvec c) { return fma(a, b, c); }
static inline dvec d_sqrt(dvec a) { return sqrt(a); }
static inline dvec d_min(dvec a, dvec b) { return a < b ? a : b; }
static inline dvec d_max(dvec a, dvec b) { return a > b ? a : b; }
static inline dvec d_abs(dvec a) { return fabs(a); }
static inline dvec d_neg(dvec a) { return -a; }
static inline dvec d_copysign(dvec a, dvec b) { return copysign(a, b); }
static inline dvec d_round(dvec a) { return rint(a); }
static inline dmask d_lt(dvec a, dvec b) { return a < b; }
static inline dmask d_le(dvec a, dvec b) { return a <= b; }
static inline dmask d_eq(dvec a, dvec b) { return a == b; }
static inline dvec d_select(dmask m, dvec a, dvec b) { return m ? a : b; }

/* n + (1.5 2^52 + bias) holds n + bias in its low bits; shifted by 52 it is an exponent field. */
static inline uint64_t d_exponent_field(dvec n) { return d_bits(n + (0x1.8p52 + 1023)) << 52; }
static inline dvec d_exp2i(dvec n) { return d_of_bits(d_exponent_field(n)); }
static inline dvec d_scale(dvec a, dvec n) {
    return d_of_bits(d_bits(a) + (d_bits(n + 0x1.8p52) << 52));
}
static inline dvec d_exponent(dvec a) { return (double)(int64_t)(d_bits(a) << 1 >> 53) - 1023; }
static inline dvec d_significand(dvec a) {
    return d_of_bits((d_bits(a) & 0x000fffffffffffff) | 0x3ff0000000000000);
}

static inline size_t d_count(dmask m) { return m; }
static inline dmask dm_and(dmask a, dmask b) { return a && b; }
static inline dmask dm_or(dmask a, dmask b) { return a || b; }
static inline bool dm_any(dmask m) { return m; }
static inline dmask dm_first(size_t n) { return n > 0; }

static inline dvec d_load_d(const double *p) { return d_load(p); }
static inline dvec d_to_d(dvec a, size_t part) {
    (void)part;
    return a;
}
static inline dvec d_from_d(const dvec parts[1]) { return parts[0]; }

/* The sum of 16 double lanes: lane i + lane i+8, then +4, +2, +1. */
static inline double d_sum(const dvec sums[16]) {
    double s[8];
    for (size_t i = 0; i < 8; i++)
        s[i] = sums[i] + sums[i + 8];
    for (size_t i = 0; i < 4; i++)
        s[i] += s[i + 4];
    for (size_t i = 0; i < 2; i++)
        s[i] += s[i + 2];
    return s[0] + s[1];
}

/* Of each row of an 8x8 tile the sum of its lanes: lane i + lane i+4, then +2, +1. */
static inline void d_row_sums(const dvec rows[64], double sums[8]) {
    for (size_t i = 0; i < 8; i++) {
        const double *s = rows + 8 * i;
        sums[i] = ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
    }
}

/* ---- float ---- */

static inline fvec f_load(const float *p) { return *p; }
static inline void f_store(float *p, fvec a) { *p = a; }
static inline fvec f_load_u(const float *p) { return *p; }
static inline void f_store_u(float *p, fvec a) { *p = a; }
static inline fvec f_set(float s) { return s; }
static inline fvec f_zero(void) { return 0.0f; }
static inline fvec f_add(fvec a, fvec b) { return a + b; }
static inline fvec f_sub(fvec a, fvec b) { return a - b; }
static inline fvec f_mul(fvec a, fvec b) { return a * b; }
static inline fvec f_div(fvec a, fvec b) { return a / b; }
static inline fvec f_fma(fvec a, fvec b, fvec c) { return fmaf(a, b, c); }
static inline fvec f_sqrt(fvec a) { return sqrtf(a); }
static inline fvec f_min(fvec a, fvec b) { return a < b ? a : b; }
static inline fvec f_max(fvec a, fvec b) { return a > b ? a : b; }
static inline fvec f_abs(fvec a) { return fabsf(a); }
static inline fvec f_neg(fvec a) { return -a; }
static inline fvec f_copysign(fvec a, fvec b) { return copysignf(a, b); }
static inline fvec f_round(fvec a) { return rintf(a); }
static inline fmask f_lt(fvec a, fvec b) { return a < b; }
static inline fmask f_le(fvec a, fvec b) { return a <= b; }
static inline fmask f_eq(fvec a, fvec b) { return a == b; }
static inline fvec f_select(fmask m, fvec a, fvec b) { return m ? a : b; }

static inline uint32_t f_exponent_field(fvec n) { return f_bits(n + (0x1.8p23f + 127)) << 23; }
static inline fvec f_exp2i(fvec n) { return f_of_bits(f_exponent_field(n)); }
static inline fvec f_scale(fvec a, fvec n) {
    return f_of_bits(f_bits(a) + (f_bits(n + 0x1.8p23f) << 23));
}
static inline fvec f_exponent(fvec a) { return (float)(int32_t)(f_bits(a) << 1 >> 24) - 127; }
static inline fvec f_significand(fvec a) {
    return f_of_bits((f_bits(a) & 0x007fffff) | 0x3f800000);
}

static inline size_t f_count(fmask m) { return m; }
static inline fmask fm_and(fmask a, fmask b) { return a && b; }
static inline fmask fm_or(fmask a, fmask b) { return a || b; }
static inline bool fm_any(fmask m) { return m; }
static inline fmask fm_first(size_t n) { return n > 0; }

static inline dvec f_load_d(const float *p) { return *p; }
static inline dvec f_to_d(fvec a, size_t part) {
    (void)part;
    return a;
}
static inline fvec f_from_d(const dvec parts[1]) { return (float)parts[0]; }

/* ---- integers ---- */

static inline divec di_set(uint64_t n) { return n; }
static inline divec di_add(divec a, divec b) { return a + b; }
static inline divec di_xor(divec a, divec b) { return a ^ b; }
static inline divec di_left(divec a, unsigned n) { return a << n; }
static inline divec di_right(divec a, unsigned n) { return a >> n; }
static inline dmask dm_bit(divec a, unsigned n) { return a >> n & 1; }
static inline dvec d_low_half(dvec a, divec b) {
    return d_of_bits((d_bits(a) & 0xffffffff00000000) | (b & 0xffffffff));
}
static inline dvec d_flip(dvec a, divec b) { return d_of_bits(d_bits(a) ^ (b & 1ull << 63)); }

static inline divec di_ascending(uint64_t n, uint64_t step) {
    (void)step;
    return n;
}
static inline divec di_mul(divec a, divec b) { return (a & 0xffffffff) * (b & 0xffffffff); }

static inline fivec fi_set(uint32_t n) { return n; }
static inline fivec fi_add(fivec a, fivec b) { return a + b; }
static inline fivec fi_xor(fivec a, fivec b) { return a ^ b; }
static inline fivec fi_left(fivec a, unsigned n) { return a << n; }
static inline fivec fi_right(fivec a, unsigned n) { return a >> n; }
static inline fmask fm_bit(fivec a, unsigned n) { return a >> n & 1; }
static inline fvec f_low_half(fvec a, fivec b) {
    return f_of_bits((f_bits(a) & 0xffff0000) | (b & 0xffff));
}
static inline fvec f_flip(fvec a, fivec b) { return f_of_bits(f_bits(a) ^ (b & 1u << 31)); }

static inline fivec fi_min(fivec a, fivec b) { return a < b ? a : b; }
static inline fmask fm_below(fivec a, uint32_t n) { return a < n; }
/* The number of two's complement. */
static inline fvec f_of_int(fivec a) { return (float)((int64_t)(a ^ 1u << 31) - (1ll << 31)); }
static inline fivec fi_low(const divec parts[1]) { return (uint32_t)parts[0]; }
static inline fivec fi_high(const divec parts[1]) { return (uint32_t)(parts[0] >> 32); }

/* clang-format on */

#endif
