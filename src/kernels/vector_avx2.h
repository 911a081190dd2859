/* Vector operations on AVX2 with FMA: 4 doubles or 8 floats. A mask has all bits of a lane set. */
#ifndef GS_VECTOR_AVX2_H
#define GS_VECTOR_AVX2_H

#include <immintrin.h>

typedef __m256d dvec;
typedef __m256 fvec;
typedef __m256d dmask;
typedef __m256 fmask;
typedef __m256i divec;
typedef __m256i fivec;
enum { DLANES = 4, FLANES = 8 };

/* An operation a line. */
/* clang-format off */

/* ---- double ---- */

static inline dvec d_load(const double *p) { return _mm256_load_pd(p); }
static inline void d_store(double *p, dvec a) { _mm256_store_pd(p, a); }
static inline dvec d_load_u(const double *p) { return _mm256_loadu_pd(p); }
static inline void d_store_u(double *p, dvec a) { _mm256_storeu_pd(p, a); }
static inline dvec d_set(double s) { return _mm256_set1_pd(s); }
static inline dvec d_zero(void) { return _mm256_setzero_pd(); }
static inline dvec d_add(dvec a, dvec b) { return _mm256_add_pd(a, b); }
static inline dvec d_sub(dvec a, dvec b) { return _mm256_sub_pd(a, b); }
static inline dvec d_mul(dvec a, dvec b) { return _mm256_mul_pd(a, b); }
static inline dvec d_div(dvec a, dvec b) { return _mm256_div_pd(a, b); }
static inline dvec d_fma(dvec a, dvec b, dvec c) { return _mm256_fmadd_pd(a, b, c); }
static inline dvec d_sqrt(dvec a) { return _mm256_sqrt_pd(a); }
static inline dvec d_min(dvec a, dvec b) { return _mm256_min_pd(a, b); }
static inline dvec d_max(dvec a, dvec b) { return _mm256_max_pd(a, b); }
static inline dvec d_abs(dvec a) { return _mm256_andnot_pd(_mm256_set1_pd(-0.0), a); }
static inline dvec d_neg(dvec a) { return _mm256_xor_pd(_mm256_set1_pd(-0.0), a); }
static inline dvec d_copysign(dvec a, dvec b) {
    return _mm256_or_pd(d_abs(a), _mm256_and_pd(_mm256_set1_pd(-0.0), b));
}
static inline dvec d_round(dvec a) {
    return _mm256_round_pd(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
static inline dmask d_lt(dvec a, dvec b) { return _mm256_cmp_pd(a, b, _CMP_LT_OQ); }
static inline dmask d_le(dvec a, dvec b) { return _mm256_cmp_pd(a, b, _CMP_LE_OQ); }
static inline dmask d_eq(dvec a, dvec b) { return _mm256_cmp_pd(a, b, _CMP_EQ_OQ); }
static inline dvec d_select(dmask m, dvec a, dvec b) { return _mm256_blendv_pd(b, a, m); }

/* n + 1.5 2^52 holds n in its low bits; shifted left by 52 it adds n to an exponent field. */
static inline dvec d_scale(dvec a, dvec n) {
    __m256i bits = _mm256_castpd_si256(_mm256_add_pd(n, _mm256_set1_pd(0x1.8p52)));
    return _mm256_castsi256_pd(
        _mm256_add_epi64(_mm256_castpd_si256(a), _mm256_slli_epi64(bits, 52)));
}
static inline dvec d_exp2i(dvec n) { return d_scale(_mm256_set1_pd(1.0), n); }
/* The biased exponent as the low bits of 2^52, made a number by taking 2^52 off again. */
static inline dvec d_exponent(dvec a) {
    __m256i biased = _mm256_srli_epi64(_mm256_castpd_si256(d_abs(a)), 52);
    dvec sum = _mm256_or_pd(_mm256_castsi256_pd(biased), _mm256_set1_pd(0x1p52));
    return _mm256_sub_pd(sum, _mm256_set1_pd(0x1p52 + 1023));
}
static inline dvec d_significand(dvec a) {
    const dvec fraction = _mm256_castsi256_pd(_mm256_set1_epi64x(0x000fffffffffffff));
    return _mm256_or_pd(_mm256_and_pd(a, fraction), _mm256_set1_pd(1.0));
}

static inline size_t d_count(dmask m) {
    return (size_t)__builtin_popcount((unsigned)_mm256_movemask_pd(m));
}
static inline dmask dm_and(dmask a, dmask b) { return _mm256_and_pd(a, b); }
static inline dmask dm_or(dmask a, dmask b) { return _mm256_or_pd(a, b); }
static inline bool dm_any(dmask m) { return _mm256_movemask_pd(m) != 0; }
static inline dmask dm_first(size_t n) {
    double limit = n < 4 ? (double)n : 4.0;
    return _mm256_cmp_pd(_mm256_setr_pd(0, 1, 2, 3), _mm256_set1_pd(limit), _CMP_LT_OQ);
}

static inline dvec d_load_d(const double *p) { return d_load(p); }
static inline dvec d_to_d(dvec a, size_t part) {
    (void)part;
    return a;
}
static inline dvec d_from_d(const dvec parts[1]) { return parts[0]; }

/* The sum of 16 double lanes: lane i + lane i+8, then +4, +2, +1. */
static inline double d_sum(const dvec sums[4]) {
    __m256d s4 = _mm256_add_pd(_mm256_add_pd(sums[0], sums[2]), _mm256_add_pd(sums[1], sums[3]));
    __m128d s2 = _mm_add_pd(_mm256_castpd256_pd128(s4), _mm256_extractf128_pd(s4, 1));
    return _mm_cvtsd_f64(_mm_add_sd(s2, _mm_unpackhi_pd(s2, s2)));
}

/* Of each row of an 8x8 tile the sum of its lanes: lane i + lane i+4, then +2, +1. */
static inline void d_row_sums(const dvec rows[16], double sums[8]) {
    for (size_t first = 0; first < 8; first += 4) {
        __m256d s4[4], s2[2];
        for (size_t i = 0; i < 4; i++)
            s4[i] = _mm256_add_pd(rows[2 * (first + i)], rows[2 * (first + i) + 1]);
        for (size_t i = 0; i < 2; i++)
            s2[i] = _mm256_add_pd(_mm256_permute2f128_pd(s4[2 * i], s4[2 * i + 1], 0x20),
                                  _mm256_permute2f128_pd(s4[2 * i], s4[2 * i + 1], 0x31));
        /* Rows 0 2 1 3. */
        __m256d s1 = _mm256_hadd_pd(s2[0], s2[1]);
        _mm256_storeu_pd(sums + first, _mm256_permute4x64_pd(s1, 0xd8));
    }
}

/* ---- float ---- */

static inline fvec f_load(const float *p) { return _mm256_load_ps(p); }
static inline void f_store(float *p, fvec a) { _mm256_store_ps(p, a); }
static inline fvec f_load_u(const float *p) { return _mm256_loadu_ps(p); }
static inline void f_store_u(float *p, fvec a) { _mm256_storeu_ps(p, a); }
static inline fvec f_set(float s) { return _mm256_set1_ps(s); }
static inline fvec f_zero(void) { return _mm256_setzero_ps(); }
static inline fvec f_add(fvec a, fvec b) { return _mm256_add_ps(a, b); }
static inline fvec f_sub(fvec a, fvec b) { return _mm256_sub_ps(a, b); }
static inline fvec f_mul(fvec a, fvec b) { return _mm256_mul_ps(a, b); }
static inline fvec f_div(fvec a, fvec b) { return _mm256_div_ps(a, b); }
static inline fvec f_fma(fvec a, fvec b, fvec c) { return _mm256_fmadd_ps(a, b, c); }
static inline fvec f_sqrt(fvec a) { return _mm256_sqrt_ps(a); }
static inline fvec f_min(fvec a, fvec b) { return _mm256_min_ps(a, b); }
static inline fvec f_max(fvec a, fvec b) { return _mm256_max_ps(a, b); }
static inline fvec f_abs(fvec a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a); }
static inline fvec f_neg(fvec a) { return _mm256_xor_ps(_mm256_set1_ps(-0.0f), a); }
static inline fvec f_copysign(fvec a, fvec b) {
    return _mm256_or_ps(f_abs(a), _mm256_and_ps(_mm256_set1_ps(-0.0f), b));
}
static inline fvec f_round(fvec a) {
    return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
static inline fmask f_lt(fvec a, fvec b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
static inline fmask f_le(fvec a, fvec b) { return _mm256_cmp_ps(a, b, _CMP_LE_OQ); }
static inline fmask f_eq(fvec a, fvec b) { return _mm256_cmp_ps(a, b, _CMP_EQ_OQ); }
static inline fvec f_select(fmask m, fvec a, fvec b) { return _mm256_blendv_ps(b, a, m); }

static inline fvec f_scale(fvec a, fvec n) {
    __m256i bits = _mm256_castps_si256(_mm256_add_ps(n, _mm256_set1_ps(0x1.8p23f)));
    return _mm256_castsi256_ps(
        _mm256_add_epi32(_mm256_castps_si256(a), _mm256_slli_epi32(bits, 23)));
}
static inline fvec f_exp2i(fvec n) { return f_scale(_mm256_set1_ps(1.0f), n); }
static inline fvec f_exponent(fvec a) {
    __m256i biased = _mm256_srli_epi32(_mm256_castps_si256(f_abs(a)), 23);
    return _mm256_sub_ps(_mm256_cvtepi32_ps(biased), _mm256_set1_ps(127.0f));
}
static inline fvec f_significand(fvec a) {
    const fvec fraction = _mm256_castsi256_ps(_mm256_set1_epi32(0x007fffff));
    return _mm256_or_ps(_mm256_and_ps(a, fraction), _mm256_set1_ps(1.0f));
}

static inline size_t f_count(fmask m) {
    return (size_t)__builtin_popcount((unsigned)_mm256_movemask_ps(m));
}
static inline fmask fm_and(fmask a, fmask b) { return _mm256_and_ps(a, b); }
static inline fmask fm_or(fmask a, fmask b) { return _mm256_or_ps(a, b); }
static inline bool fm_any(fmask m) { return _mm256_movemask_ps(m) != 0; }
static inline fmask fm_first(size_t n) {
    float limit = n < 8 ? (float)n : 8.0f;
    return _mm256_cmp_ps(_mm256_setr_ps(0, 1, 2, 3, 4, 5, 6, 7), _mm256_set1_ps(limit), _CMP_LT_OQ);
}

static inline dvec f_load_d(const float *p) { return _mm256_cvtps_pd(_mm_load_ps(p)); }
static inline dvec f_to_d(fvec a, size_t part) {
    return _mm256_cvtps_pd(part == 0 ? _mm256_castps256_ps128(a) : _mm256_extractf128_ps(a, 1));
}
static inline fvec f_from_d(const dvec parts[2]) {
    return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm256_cvtpd_ps(parts[0])),
                                _mm256_cvtpd_ps(parts[1]), 1);
}

/* ---- integers ---- */

static inline divec di_set(uint64_t n) { return _mm256_set1_epi64x((int64_t)n); }
static inline divec di_add(divec a, divec b) { return _mm256_add_epi64(a, b); }
static inline divec di_xor(divec a, divec b) { return _mm256_xor_si256(a, b); }
static inline divec di_left(divec a, unsigned n) { return _mm256_slli_epi64(a, (int)n); }
static inline divec di_right(divec a, unsigned n) { return _mm256_srli_epi64(a, (int)n); }
/* Blends look at the top bit of a lane alone. */
static inline dmask dm_bit(divec a, unsigned n) { return _mm256_castsi256_pd(di_left(a, 63 - n)); }
static inline divec d_bits(dvec a) { return _mm256_castpd_si256(a); }
static inline dvec d_low_half(dvec a, divec b) {
    return _mm256_castsi256_pd(_mm256_blend_epi32(b, _mm256_castpd_si256(a), 0xaa));
}
static inline dvec d_flip(dvec a, divec b) {
    return _mm256_xor_pd(a, _mm256_and_pd(_mm256_castsi256_pd(b), _mm256_set1_pd(-0.0)));
}

static inline divec di_ascending(uint64_t n, uint64_t step) {
    return di_add(di_set(n), _mm256_mul_epu32(_mm256_setr_epi64x(0, 1, 2, 3), di_set(step)));
}
static inline divec di_mul(divec a, divec b) { return _mm256_mul_epu32(a, b); }

static inline fivec fi_set(uint32_t n) { return _mm256_set1_epi32((int32_t)n); }
static inline fivec fi_add(fivec a, fivec b) { return _mm256_add_epi32(a, b); }
static inline fivec fi_xor(fivec a, fivec b) { return _mm256_xor_si256(a, b); }
static inline fivec fi_left(fivec a, unsigned n) { return _mm256_slli_epi32(a, (int)n); }
static inline fivec fi_right(fivec a, unsigned n) { return _mm256_srli_epi32(a, (int)n); }
static inline fmask fm_bit(fivec a, unsigned n) { return _mm256_castsi256_ps(fi_left(a, 31 - n)); }
static inline fivec f_bits(fvec a) { return _mm256_castps_si256(a); }
static inline fvec f_low_half(fvec a, fivec b) {
    return _mm256_castsi256_ps(_mm256_blend_epi16(b, _mm256_castps_si256(a), 0xaa));
}
static inline fvec f_flip(fvec a, fivec b) {
    return _mm256_xor_ps(a, _mm256_and_ps(_mm256_castsi256_ps(b), _mm256_set1_ps(-0.0f)));
}

static inline fivec fi_min(fivec a, fivec b) { return _mm256_min_epu32(a, b); }
static inline fmask fm_below(fivec a, uint32_t n) {
    return _mm256_castsi256_ps(_mm256_cmpeq_epi32(fi_min(a, fi_set(n - 1)), a));
}
static inline fvec f_of_int(fivec a) { return _mm256_cvtepi32_ps(a); }
static inline fivec fi_low(const divec parts[2]) {
    return _mm256_blend_epi32(parts[0], di_left(parts[1], 32), 0xaa);
}
static inline fivec fi_high(const divec parts[2]) {
    return _mm256_blend_epi32(di_right(parts[0], 32), parts[1], 0xaa);
}

/* clang-format on */

#endif
