/*
 * The vector operations that every kernel is written in. A kernel source is compiled once per
 * instruction set (-DGS_ISA_PORTABLE, GS_ISA_AVX2, GS_ISA_AVX512 or GS_ISA_NEON) and element type
 * (-DGS_DTYPE_F64 or GS_DTYPE_F32). The header of the instruction set defines `d_` operations on
 * double vectors and `f_` operations on float vectors; `v_` operations work on the element type of
 * this compilation and are the names of one of the two. Each gives the same bits on every
 * instruction set.
 *
 *   load, store             64-byte aligned; load_u, store_u unaligned
 *   store_octets(p, n, a)   8 lanes to p and 8 to p + n; if there are no more than 8, all to p
 *   load_octets(p, n)       the same back
 *   set(s), zero()          every lane s, every lane 0
 *   add sub mul div sqrt    one rounding
 *   fma(a, b, c)            a b + c, one rounding
 *   min(a, b), max(a, b)    a < b ? a : b, and a > b ? a : b: the second operand if either is NaN
 *   abs neg copysign        sign bits alone, NaN included; copysign(a, b): |a| with the sign of b
 *   round(a)                to the nearest integer, ties to even
 *   lt le eq                a mask; false where either is NaN
 *   select(m, a, b)         m ? a : b
 *   exp2i(n)                2^n for an integer n whose 2^n is normal
 *   scale(a, n)             a 2^n where a and a 2^n are normal, n an integer
 *   exponent(a)             floor(log2 |a|) of a normal a
 *   significand(a)          |a| / 2^exponent(a), in [1, 2)
 *   count(m)                lanes of m that hold
 *   m_and m_or m_any        of masks (dm_ and fm_ on double and float masks)
 *   m_first(n)              the lanes below n
 *
 * An `ivec` has an unsigned integer for every number of a vec: 64 bits in the `divec` of a dvec, 32
 * in the `fivec` of an fvec.
 *   i_set(n)                every lane n
 *   i_add(a, b) i_xor(a, b) the sum, modulo 2^64 or 2^32; exclusive or
 *   i_left(a, n) i_right    shifted by n bits; zeros follow
 *   m_bit(a, n)             the lanes whose bit n is set
 *   bits(a)                 the bits of a number
 *   low_half(a, b)          the number with the upper half of the bits of a and the lower half of b
 *   flip(a, b)              -a where the top bit of b is set
 *   di_ascending(n, step)   lane k is n + k step; both below 2^32
 *   di_mul(a, b)            the products of the lower halves
 *   fi_low(parts), fi_high  lane PARTS k + p is the lower, the upper half of lane k of parts[p]
 *   fi_min(a, b)            the smaller
 *   fm_below(a, n)          the lanes below n > 0
 *   f_of_int(a)             the number that the bits are in two's complement, one rounding
 */
#ifndef GS_VECTOR_H
#define GS_VECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(GS_ISA_PORTABLE)
#include "kernels/vector_portable.h"
#elif defined(GS_ISA_AVX2)
#include "kernels/vector_avx2.h"
#elif defined(GS_ISA_AVX512)
#include "kernels/vector_avx512.h"
#elif defined(GS_ISA_NEON)
#include "kernels/vector_neon.h"
#else
#error "define one of GS_ISA_PORTABLE, GS_ISA_AVX2, GS_ISA_AVX512, GS_ISA_NEON"
#endif

static inline void d_store_octets(double *p, size_t n, dvec a) {
    (void)n;
    d_store_u(p, a);
}
static inline dvec d_load_octets(const double *p, size_t n) {
    (void)n;
    return d_load_u(p);
}

#if !defined(GS_ISA_AVX512)
static inline void f_store_octets(float *p, size_t n, fvec a) {
    (void)n;
    f_store_u(p, a);
}
static inline fvec f_load_octets(const float *p, size_t n) {
    (void)n;
    return f_load_u(p);
}
#endif

#if defined(GS_DTYPE_F64)
typedef double real;
typedef dvec vec;
typedef dmask mask;
typedef divec ivec;
enum { LANES = DLANES, PANEL = 16 };
#define GS_OF_REAL(name) d##name
#elif defined(GS_DTYPE_F32)
typedef float real;
typedef fvec vec;
typedef fmask mask;
typedef fivec ivec;
enum { LANES = FLANES, PANEL = 32 };
#define GS_OF_REAL(name) f##name
#else
#error "define one of GS_DTYPE_F64, GS_DTYPE_F32"
#endif

/* Vectors in a panel row; double vectors that one vector converts to; double vectors of a
 * reduction. */
enum { VECS = PANEL / LANES, PARTS = LANES / DLANES, DVECS = 16 / DLANES };

#define v_load GS_OF_REAL(_load)
#define v_store GS_OF_REAL(_store)
#define v_load_u GS_OF_REAL(_load_u)
#define v_store_u GS_OF_REAL(_store_u)
#define v_store_octets GS_OF_REAL(_store_octets)
#define v_load_octets GS_OF_REAL(_load_octets)
#define v_set GS_OF_REAL(_set)
#define v_zero GS_OF_REAL(_zero)
#define v_add GS_OF_REAL(_add)
#define v_sub GS_OF_REAL(_sub)
#define v_mul GS_OF_REAL(_mul)
#define v_div GS_OF_REAL(_div)
#define v_fma GS_OF_REAL(_fma)
#define v_sqrt GS_OF_REAL(_sqrt)
#define v_min GS_OF_REAL(_min)
#define v_max GS_OF_REAL(_max)
#define v_abs GS_OF_REAL(_abs)
#define v_neg GS_OF_REAL(_neg)
#define v_copysign GS_OF_REAL(_copysign)
#define v_round GS_OF_REAL(_round)
#define v_lt GS_OF_REAL(_lt)
#define v_le GS_OF_REAL(_le)
#define v_eq GS_OF_REAL(_eq)
#define v_select GS_OF_REAL(_select)
#define v_exp2i GS_OF_REAL(_exp2i)
#define v_scale GS_OF_REAL(_scale)
#define v_exponent GS_OF_REAL(_exponent)
#define v_significand GS_OF_REAL(_significand)
#define v_count GS_OF_REAL(_count)
#define v_load_d GS_OF_REAL(_load_d) /* DLANES aligned elements as doubles */
#define v_to_d GS_OF_REAL(_to_d) /* dvec v_to_d(vec, part): part 0 .. PARTS-1, ascending lanes */
#define d_to_v                                                                                     \
    GS_OF_REAL(_from_d) /* vec d_to_v(const dvec parts[PARTS]): its inverse, one rounding */
#define v_bits GS_OF_REAL(_bits)
#define v_low_half GS_OF_REAL(_low_half)
#define v_flip GS_OF_REAL(_flip)
#define i_set GS_OF_REAL(i_set)
#define i_add GS_OF_REAL(i_add)
#define i_xor GS_OF_REAL(i_xor)
#define i_left GS_OF_REAL(i_left)
#define i_right GS_OF_REAL(i_right)
#define m_bit GS_OF_REAL(m_bit)
#define m_and GS_OF_REAL(m_and)
#define m_or GS_OF_REAL(m_or)
#define m_any GS_OF_REAL(m_any)
#define m_first GS_OF_REAL(m_first)

#endif
