/* Vector operations on AVX-512 (F, DQ, VL, BW): 8 doubles or 16 floats. */
#ifndef GS_VECTOR_AVX512_H
#define GS_VECTOR_AVX512_H

#include <immintrin.h>

typedef __m512d dvec;
typedef __m512 fvec;
typedef __mmask8 dmask;
typedef __mmask16 fmask;
typedef __m512i divec;
typedef __m512i fivec;
enum { DLANES = 8, FLANES = 16 };

/* An operation a line. */
/* clang-format off */

/* ---- double ---- */

static inline dvec d_load(const double *p) { return _mm512_load_pd(p); }
static inline void d_store(double *p, dvec a) { _mm512_store_pd(p, a); }
static inline dvec d_load_u(const double *p) { return _mm512_loadu_pd(p); }
static inline void d_store_u(double *p, dvec a) { _mm512_storeu_pd(p, a); }
static inline dvec d_set(double s) { return _mm512_set1_pd(s); }
static inline dvec d_zero(void) { return _mm512_setzero_pd(); }
static inline dvec d_add(dvec a, dvec b) { return _mm512_add_pd(a, b); }
static inline dvec d_sub(dvec a, dvec b) { return _mm512_sub_pd(a, b); }
static inline dvec d_mul(dvec a, dvec b) { return _mm512_mul_pd(a, b); }
static inline dvec d_div(dvec a, dvec b) { return _mm512_div_pd(a, b); }
static inline dvec d_fma(dvec a, dvec b, dvec c) { return _mm512_fmadd_pd(a, b, c); }
static inline dvec d_sqrt(dvec a) { return _mm512_sqrt_pd(a); }
static inline dvec d_min(dvec a, dvec b) { return _mm512_min_pd(a, b); }
static inline dvec d_max(dvec a, dvec b) { return _mm512_max_pd(a, b); }
static inline dvec d_abs(dvec a) { return _mm512_andnot_pd(_mm512_set1_pd(-0.0), a); }
static inline dvec d_neg(dvec a) { return _mm512_xor_pd(_mm512_set1_pd(-0.0), a); }
static inline dvec d_copysign(dvec a, dvec b) {
    return _mm512_or_pd(d_abs(a), _mm512_and_pd(_mm512_set1_pd(-0.0), b));
}
static inline dvec d_round(dvec a) {
    return _mm512_roundscale_pd(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
static inline dmask d_lt(dvec a, dvec b) { return _mm512_cmp_pd_mask(a, b, _CMP_LT_OQ); }
static inline dmask d_le(dvec a, dvec b) { return _mm512_cmp_pd_mask(a, b, _CMP_LE_OQ); }
static inline dmask d_eq(dvec a, dvec b) { return _mm512_cmp_pd_mask(a, b, _CMP_EQ_OQ); }
static inline dvec d_select(dmask m, dvec a, dvec b) { return _mm512_mask_blend_pd(m, b, a); }

static inline dvec d_exp2i(dvec n) { return _mm512_scalef_pd(_mm512_set1_pd(1.0), n); }
static inline dvec d_scale(dvec a, dvec n) { return _mm512_scalef_pd(a, n); }
static inline dvec d_exponent(dvec a) { return _mm512_getexp_pd(a); }
static inline dvec d_significand(dvec a) {
    return _mm512_getmant_pd(a, _MM_MANT_NORM_1_2, _MM_MANT_SIGN_zero);
}

static inline size_t d_count(dmask m) { return (size_t)__builtin_popcount(m); }
static inline dmask dm_and(dmask a, dmask b) { return (dmask)(a & b); }
static inline dmask dm_or(dmask a, dmask b) { return (dmask)(a | b); }
static inline bool dm_any(dmask m) { return m != 0; }
static inline dmask dm_first(size_t n) { return n < 8 ? (dmask)((1u << n) - 1) : (dmask)0xff; }

static inline dvec d_load_d(const double *p) { return d_load(p); }
static inline dvec d_to_d(dvec a, size_t part) {
    (void)part;
    return a;
}
static inline dvec d_from_d(const dvec parts[1]) { return parts[0]; }

/* The sum of 16 double lanes: lane i + lane i+8, then +4, +2, +1. */
static inline double d_sum(const dvec sums[2]) {
    __m512d s8 = _mm512_add_pd(sums[0], sums[1]);
    __m256d s4 = _mm256_add_pd(_mm512_castpd512_pd256(s8), _mm512_extractf64x4_pd(s8, 1));
    __m128d s2 = _mm_add_pd(_mm256_castpd256_pd128(s4), _mm256_extractf128_pd(s4, 1));
    return _mm_cvtsd_f64(_mm_add_sd(s2, _mm_unpackhi_pd(s2, s2)));
}

/* Of each row of an 8x8 tile the sum of its lanes: lane i + lane i+4, then +2, +1. */
static inline void d_row_sums(const dvec rows[8], double sums[8]) {
    __m512d s4[4], s2[2];
    for (size_t i = 0; i < 4; i++)
        s4[i] = _mm512_add_pd(_mm512_shuffle_f64x2(rows[2 * i], rows[2 * i + 1], 0x44),
                              _mm512_shuffle_f64x2(rows[2 * i], rows[2 * i + 1], 0xee));
    for (size_t i = 0; i < 2; i++)
        s2[i] = _mm512_add_pd(_mm512_shuffle_f64x2(s4[2 * i], s4[2 * i + 1], 0x88),
                              _mm512_shuffle_f64x2(s4[2 * i], s4[2 * i + 1], 0xdd));
    /* Rows 0 4 1 5 2 6 3 7. */
    __m512d s1 = _mm512_add_pd(_mm512_unpacklo_pd(s2[0], s2[1]), _mm512_unpackhi_pd(s2[0], s2[1]));
    const __m512i order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
    _mm512_storeu_pd(sums, _mm512_permutexvar_pd(order, s1));
}

/* ---- float ---- */

static inline fvec f_load(const float *p) { return _mm512_load_ps(p); }
static inline void f_store(float *p, fvec a) { _mm512_store_ps(p, a); }
static inline fvec f_load_u(const float *p) { return _mm512_loadu_ps(p); }
static inline void f_store_u(float *p, fvec a) { _mm512_storeu_ps(p, a); }
static inline void f_store_octets(float *p, size_t n, fvec a) {
    _mm256_storeu_ps(p, _mm512_castps512_ps256(a));
    _mm256_storeu_ps(p + n, _mm512_extractf32x8_ps(a, 1));
}
static inline fvec f_load_octets(const float *p, size_t n) {
    return _mm512_insertf32x8(_mm512_castps256_ps512(_mm256_loadu_ps(p)), _mm256_loadu_ps(p + n),
                              1);
}
static inline fvec f_set(float s) { return _mm512_set1_ps(s); }
static inline fvec f_zero(void) { return _mm512_setzero_ps(); }
static inline fvec f_add(fvec a, fvec b) { return _mm512_add_ps(a, b); }
static inline fvec f_sub(fvec a, fvec b) { return _mm512_sub_ps(a, b); }
static inline fvec f_mul(fvec a, fvec b) { return _mm512_mul_ps(a, b); }
static inline fvec f_div(fvec a, fvec b) { return _mm512_div_ps(a, b); }
static inline fvec f_fma(fvec a, fvec b, fvec c) { return _mm512_fmadd_ps(a, b, c); }
static inline fvec f_sqrt(fvec a) { return _mm512_sqrt_ps(a); }
static inline fvec f_min(fvec a, fvec b) { return _mm512_min_ps(a, b); }
static inline fvec f_max(fvec a, fvec b) { return _mm512_max_ps(a, b); }
static inline fvec f_abs(fvec a) { return _mm512_andnot_ps(_mm512_set1_ps(-0.0f), a); }
static inline fvec f_neg(fvec a) { return _mm512_xor_ps(_mm512_set1_ps(-0.0f), a); }
static inline fvec f_copysign(fvec a, fvec b) {
    return _mm512_or_ps(f_abs(a), _mm512_and_ps(_mm512_set1_ps(-0.0f), b));
}
static inline fvec f_round(fvec a) {
    return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
static inline fmask f_lt(fvec a, fvec b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
static inline fmask f_le(fvec a, fvec b) { return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ); }
static inline fmask f_eq(fvec a, fvec b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
static inline fvec f_select(fmask m, fvec a, fvec b) { return _mm512_mask_blend_ps(m, b, a); }

static inline fvec f_exp2i(fvec n) { return _mm512_scalef_ps(_mm512_set1_ps(1.0f), n); }
static inline fvec f_scale(fvec a, fvec n) { return _mm512_scalef_ps(a, n); }
static inline fvec f_exponent(fvec a) { return _mm512_getexp_ps(a); }
static inline fvec f_significand(fvec a) {
    return _mm512_getmant_ps(a, _MM_MANT_NORM_1_2, _MM_MANT_SIGN_zero);
}

static inline size_t f_count(fmask m) { return (size_t)__builtin_popcount(m); }
static inline fmask fm_and(fmask a, fmask b) { return (fmask)(a & b); }
static inline fmask fm_or(fmask a, fmask b) { return (fmask)(a | b); }
static inline bool fm_any(fmask m) { return m != 0; }
static inline fmask fm_first(size_t n) { return n < 16 ? (fmask)((1u << n) - 1) : (fmask)0xffff; }

static inline dvec f_load_d(const float *p) { return _mm512_cvtps_pd(_mm256_load_ps(p)); }
static inline dvec f_to_d(fvec a, size_t part) {
    return _mm512_cvtps_pd(part == 0 ? _mm512_castps512_ps256(a) : _mm512_extractf32x8_ps(a, 1));
}
static inline fvec f_from_d(const dvec parts[2]) {
    return _mm512_insertf32x8(_mm512_castps256_ps512(_mm512_cvtpd_ps(parts[0])),
                              _mm512_cvtpd_ps(parts[1]), 1);
}

/* ---- integers ---- */

static inline divec di_set(uint64_t n) { return _mm512_set1_epi64((int64_t)n); }
static inline divec di_add(divec a, divec b) { return _mm512_add_epi64(a, b); }
static inline divec di_xor(divec a, divec b) { return _mm512_xor_si512(a, b); }
static inline divec di_left(divec a, unsigned n) { return _mm512_slli_epi64(a, n); }
static inline divec di_right(divec a, unsigned n) { return _mm512_srli_epi64(a, n); }
static inline dmask dm_bit(divec a, unsigned n) {
    return _mm512_test_epi64_mask(a, di_set(1ull << n));
}
static inline divec d_bits(dvec a) { return _mm512_castpd_si512(a); }
static inline dvec d_low_half(dvec a, divec b) {
    return _mm512_castsi512_pd(_mm512_mask_blend_epi32(0xaaaa, b, _mm512_castpd_si512(a)));
}
static inline dvec d_flip(dvec a, divec b) { /* 0x78 is a ^ (b & c) */
    return _mm512_castsi512_pd(
        _mm512_ternarylogic_epi64(_mm512_castpd_si512(a), b, di_set(1ull << 63), 0x78));
}

static inline divec di_ascending(uint64_t n, uint64_t step) {
    const divec lanes = _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7);
    return di_add(di_set(n), _mm512_mul_epu32(lanes, di_set(step)));
}
static inline divec di_mul(divec a, divec b) { return _mm512_mul_epu32(a, b); }

static inline fivec fi_set(uint32_t n) { return _mm512_set1_epi32((int32_t)n); }
static inline fivec fi_add(fivec a, fivec b) { return _mm512_add_epi32(a, b); }
static inline fivec fi_xor(fivec a, fivec b) { return _mm512_xor_si512(a, b); }
static inline fivec fi_left(fivec a, unsigned n) { return _mm512_slli_epi32(a, n); }
static inline fivec fi_right(fivec a, unsigned n) { return _mm512_srli_epi32(a, n); }
static inline fmask fm_bit(fivec a, unsigned n) {
    return _mm512_test_epi32_mask(a, fi_set(1u << n));
}
static inline fivec f_bits(fvec a) { return _mm512_castps_si512(a); }
static inline fvec f_low_half(fvec a, fivec b) {
    return _mm512_castsi512_ps(_mm512_mask_blend_epi16(0xaaaaaaaa, b, _mm512_castps_si512(a)));
}
static inline fvec f_flip(fvec a, fivec b) {
    return _mm512_castsi512_ps(
        _mm512_ternarylogic_epi32(_mm512_castps_si512(a), b, fi_set(1u << 31), 0x78));
}

static inline fivec fi_min(fivec a, fivec b) { return _mm512_min_epu32(a, b); }
static inline fmask fm_below(fivec a, uint32_t n) {
    return _mm512_cmplt_epu32_mask(a, fi_set(n));
}
static inline fvec f_of_int(fivec a) { return _mm512_cvtepi32_ps(a); }
static inline fivec fi_low(const divec parts[2]) {
    return _mm512_mask_shuffle_epi32(parts[0], 0xaaaa, parts[1], _MM_PERM_CCAA);
}
static inline fivec fi_high(const divec parts[2]) {
    return _mm512_mask_shuffle_epi32(parts[1], 0x5555, parts[0], _MM_PERM_DDBB);
}

/* clang-format on */

#endif
