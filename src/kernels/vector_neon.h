/*
 * Vector operations on NEON of 64-bit Arm, where fma is always there: 2 doubles or 4 floats. A mask
 * has all bits of a lane set.
 */
#ifndef GS_VECTOR_NEON_H
#define GS_VECTOR_NEON_H

#include <arm_neon.h>

typedef float64x2_t dvec;
typedef float32x4_t fvec;
typedef uint64x2_t dmask;
typedef uint32x4_t fmask;
typedef uint64x2_t divec;
typedef uint32x4_t fivec;
enum { DLANES = 2, FLANES = 4 };

/* An operation a line. */
/* clang-format off */

/* ---- double ---- */

static inline dvec d_load(const double *p) { return vld1q_f64(p); }
static inline void d_store(double *p, dvec a) { vst1q_f64(p, a); }
static inline dvec d_load_u(const double *p) { return vld1q_f64(p); }
static inline void d_store_u(double *p, dvec a) { vst1q_f64(p, a); }
static inline dvec d_set(double s) { return vdupq_n_f64(s); }
static inline dvec d_zero(void) { return vdupq_n_f64(0.0); }
static inline dvec d_add(dvec a, dvec b) { return vaddq_f64(a, b); }
static inline dvec d_sub(dvec a, dvec b) { return vsubq_f64(a, b); }
static inline dvec d_mul(dvec a, dvec b) { return vmulq_f64(a, b); }
static inline dvec d_div(dvec a, dvec b) { return vdivq_f64(a, b); }
static inline dvec d_fma(dvec a, dvec b, dvec c) { return vfmaq_f64(c, a, b); }
static inline dvec d_sqrt(dvec a) { return vsqrtq_f64(a); }
/* vminq and vmaxq give NaN where either operand is, and order the two zeros. */
static inline dvec d_min(dvec a, dvec b) { return vbslq_f64(vcltq_f64(a, b), a, b); }
static inline dvec d_max(dvec a, dvec b) { return vbslq_f64(vcgtq_f64(a, b), a, b); }
static inline dvec d_abs(dvec a) { return vabsq_f64(a); }
static inline dvec d_neg(dvec a) { return vnegq_f64(a); }
static inline dvec d_copysign(dvec a, dvec b) {
    return vbslq_f64(vdupq_n_u64(0x8000000000000000), b, a);
}
static inline dvec d_round(dvec a) { return vrndnq_f64(a); }
static inline dmask d_lt(dvec a, dvec b) { return vcltq_f64(a, b); }
static inline dmask d_le(dvec a, dvec b) { return vcleq_f64(a, b); }
static inline dmask d_eq(dvec a, dvec b) { return vceqq_f64(a, b); }
static inline dvec d_select(dmask m, dvec a, dvec b) { return vbslq_f64(m, a, b); }

/* n + 1.5 2^52 holds n in its low bits; shifted left by 52 it adds n to an exponent field. */
static inline dvec d_scale(dvec a, dvec n) {
    uint64x2_t bits = vreinterpretq_u64_f64(vaddq_f64(n, vdupq_n_f64(0x1.8p52)));
    return vreinterpretq_f64_u64(vaddq_u64(vreinterpretq_u64_f64(a), vshlq_n_u64(bits, 52)));
}
static inline dvec d_exp2i(dvec n) { return d_scale(vdupq_n_f64(1.0), n); }
static inline dvec d_exponent(dvec a) {
    uint64x2_t biased = vshrq_n_u64(vreinterpretq_u64_f64(vabsq_f64(a)), 52);
    return vsubq_f64(vcvtq_f64_u64(biased), vdupq_n_f64(1023.0));
}
static inline dvec d_significand(dvec a) {
    return vbslq_f64(vdupq_n_u64(0x000fffffffffffff), a, vdupq_n_f64(1.0));
}

static inline size_t d_count(dmask m) { return vaddvq_u64(vshrq_n_u64(m, 63)); }
static inline dmask dm_and(dmask a, dmask b) { return vandq_u64(a, b); }
static inline dmask dm_or(dmask a, dmask b) { return vorrq_u64(a, b); }
static inline bool dm_any(dmask m) { return vmaxvq_u32(vreinterpretq_u32_u64(m)) != 0; }
static inline dmask dm_first(size_t n) {
    const uint64x2_t lane = {0, 1};
    return vcltq_u64(lane, vdupq_n_u64(n));
}

static inline dvec d_load_d(const double *p) { return d_load(p); }
static inline dvec d_to_d(dvec a, size_t part) {
    (void)part;
    return a;
}
static inline dvec d_from_d(const dvec parts[1]) { return parts[0]; }

/* The sum of 16 double lanes: lane i + lane i+8, then +4, +2, +1. */
static inline double d_sum(const dvec sums[8]) {
    dvec s0 = vaddq_f64(vaddq_f64(sums[0], sums[4]), vaddq_f64(sums[2], sums[6]));
    dvec s1 = vaddq_f64(vaddq_f64(sums[1], sums[5]), vaddq_f64(sums[3], sums[7]));
    return vaddvq_f64(vaddq_f64(s0, s1));
}

/* Of each row of an 8x8 tile the sum of its lanes: lane i + lane i+4, then +2, +1. */
static inline void d_row_sums(const dvec rows[32], double sums[8]) {
    dvec s2[8];
    for (size_t i = 0; i < 8; i++)
        s2[i] = vaddq_f64(vaddq_f64(rows[4 * i], rows[4 * i + 2]),
                          vaddq_f64(rows[4 * i + 1], rows[4 * i + 3]));
    for (size_t i = 0; i < 8; i += 2)
        vst1q_f64(sums + i, vpaddq_f64(s2[i], s2[i + 1]));
}

/* ---- float ---- */

static inline fvec f_load(const float *p) { return vld1q_f32(p); }
static inline void f_store(float *p, fvec a) { vst1q_f32(p, a); }
static inline fvec f_load_u(const float *p) { return vld1q_f32(p); }
static inline void f_store_u(float *p, fvec a) { vst1q_f32(p, a); }
static inline fvec f_set(float s) { return vdupq_n_f32(s); }
static inline fvec f_zero(void) { return vdupq_n_f32(0.0f); }
static inline fvec f_add(fvec a, fvec b) { return vaddq_f32(a, b); }
static inline fvec f_sub(fvec a, fvec b) { return vsubq_f32(a, b); }
static inline fvec f_mul(fvec a, fvec b) { return vmulq_f32(a, b); }
static inline fvec f_div(fvec a, fvec b) { return vdivq_f32(a, b); }
static inline fvec f_fma(fvec a, fvec b, fvec c) { return vfmaq_f32(c, a, b); }
static inline fvec f_sqrt(fvec a) { return vsqrtq_f32(a); }
static inline fvec f_min(fvec a, fvec b) { return vbslq_f32(vcltq_f32(a, b), a, b); }
static inline fvec f_max(fvec a, fvec b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }
static inline fvec f_abs(fvec a) { return vabsq_f32(a); }
static inline fvec f_neg(fvec a) { return vnegq_f32(a); }
static inline fvec f_copysign(fvec a, fvec b) { return vbslq_f32(vdupq_n_u32(0x80000000), b, a); }
static inline fvec f_round(fvec a) { return vrndnq_f32(a); }
static inline fmask f_lt(fvec a, fvec b) { return vcltq_f32(a, b); }
static inline fmask f_le(fvec a, fvec b) { return vcleq_f32(a, b); }
static inline fmask f_eq(fvec a, fvec b) { return vceqq_f32(a, b); }
static inline fvec f_select(fmask m, fvec a, fvec b) { return vbslq_f32(m, a, b); }

static inline fvec f_scale(fvec a, fvec n) {
    uint32x4_t bits = vreinterpretq_u32_f32(vaddq_f32(n, vdupq_n_f32(0x1.8p23f)));
    return vreinterpretq_f32_u32(vaddq_u32(vreinterpretq_u32_f32(a), vshlq_n_u32(bits, 23)));
}
static inline fvec f_exp2i(fvec n) { return f_scale(vdupq_n_f32(1.0f), n); }
static inline fvec f_exponent(fvec a) {
    uint32x4_t biased = vshrq_n_u32(vreinterpretq_u32_f32(vabsq_f32(a)), 23);
    return vsubq_f32(vcvtq_f32_u32(biased), vdupq_n_f32(127.0f));
}
static inline fvec f_significand(fvec a) {
    return vbslq_f32(vdupq_n_u32(0x007fffff), a, vdupq_n_f32(1.0f));
}

static inline size_t f_count(fmask m) { return vaddvq_u32(vshrq_n_u32(m, 31)); }
static inline fmask fm_and(fmask a, fmask b) { return vandq_u32(a, b); }
static inline fmask fm_or(fmask a, fmask b) { return vorrq_u32(a, b); }
static inline bool fm_any(fmask m) { return vmaxvq_u32(m) != 0; }
static inline fmask fm_first(size_t n) {
    const uint32x4_t lane = {0, 1, 2, 3};
    return vcltq_u32(lane, vdupq_n_u32(n < 4 ? (uint32_t)n : 4));
}

static inline dvec f_load_d(const float *p) { return vcvt_f64_f32(vld1_f32(p)); }
static inline dvec f_to_d(fvec a, size_t part) {
    return part == 0 ? vcvt_f64_f32(vget_low_f32(a)) : vcvt_high_f64_f32(a);
}
static inline fvec f_from_d(const dvec parts[2]) {
    return vcvt_high_f32_f64(vcvt_f32_f64(parts[0]), parts[1]);
}

/* ---- integers ---- */

static inline divec di_set(uint64_t n) { return vdupq_n_u64(n); }
static inline divec di_add(divec a, divec b) { return vaddq_u64(a, b); }
static inline divec di_xor(divec a, divec b) { return veorq_u64(a, b); }
static inline divec di_left(divec a, unsigned n) { return vshlq_u64(a, vdupq_n_s64((int)n)); }
static inline divec di_right(divec a, unsigned n) { return vshlq_u64(a, vdupq_n_s64(-(int)n)); }
static inline dmask dm_bit(divec a, unsigned n) { return vtstq_u64(a, di_set(1ull << n)); }
static inline divec d_bits(dvec a) { return vreinterpretq_u64_f64(a); }
static inline dvec d_low_half(dvec a, divec b) {
    return vbslq_f64(di_set(0xffffffff), vreinterpretq_f64_u64(b), a);
}
static inline dvec d_flip(dvec a, divec b) {
    return vreinterpretq_f64_u64(veorq_u64(d_bits(a), vandq_u64(b, di_set(1ull << 63))));
}

static inline divec di_ascending(uint64_t n, uint64_t step) {
    const uint64x2_t lane = {0, step};
    return vaddq_u64(di_set(n), lane);
}
static inline divec di_mul(divec a, divec b) { return vmull_u32(vmovn_u64(a), vmovn_u64(b)); }

static inline fivec fi_set(uint32_t n) { return vdupq_n_u32(n); }
static inline fivec fi_add(fivec a, fivec b) { return vaddq_u32(a, b); }
static inline fivec fi_xor(fivec a, fivec b) { return veorq_u32(a, b); }
static inline fivec fi_left(fivec a, unsigned n) { return vshlq_u32(a, vdupq_n_s32((int)n)); }
static inline fivec fi_right(fivec a, unsigned n) { return vshlq_u32(a, vdupq_n_s32(-(int)n)); }
static inline fmask fm_bit(fivec a, unsigned n) { return vtstq_u32(a, fi_set(1u << n)); }
static inline fivec f_bits(fvec a) { return vreinterpretq_u32_f32(a); }
static inline fvec f_low_half(fvec a, fivec b) {
    return vbslq_f32(fi_set(0xffff), vreinterpretq_f32_u32(b), a);
}
static inline fvec f_flip(fvec a, fivec b) {
    return vreinterpretq_f32_u32(veorq_u32(f_bits(a), vandq_u32(b, fi_set(1u << 31))));
}

static inline fivec fi_min(fivec a, fivec b) { return vminq_u32(a, b); }
static inline fmask fm_below(fivec a, uint32_t n) { return vcltq_u32(a, fi_set(n)); }
static inline fvec f_of_int(fivec a) { return vcvtq_f32_s32(vreinterpretq_s32_u32(a)); }
static inline fivec fi_low(const divec parts[2]) {
    return vtrn1q_u32(vreinterpretq_u32_u64(parts[0]), vreinterpretq_u32_u64(parts[1]));
}
static inline fivec fi_high(const divec parts[2]) {
    return vtrn2q_u32(vreinterpretq_u32_u64(parts[0]), vreinterpretq_u32_u64(parts[1]));
}

/* clang-format on */

#endif
