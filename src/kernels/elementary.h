/*
 * Elementary functions from vector operations alone, so that their bits are those of no libm: exp,
 * expm1, log, log1p, tanh, erf, and sine and cosine of 2 pi x. One algorithm for both element
 * types; only the constants differ. Errors stay below 1.2 units in the last place, NaN gives NaN,
 * and tanh, expm1 and log1p of a tiny x, -0 included, give x.
 *
 * The polynomials are minimax (Remez) fits to the functions named beside them, coefficients in
 * ascending order of power, made for this file.
 */
#ifndef GS_ELEMENTARY_H
#define GS_ELEMENTARY_H

#include <math.h>

#include "kernels/vector.h"

#if defined(GS_DTYPE_F64)

enum { TOP_BIT = 63 };
static const real EPSILON = 0x1p-52;
static const real MIN_NORMAL = 0x1p-1022;
static const real LN2 = 0x1.62e42fefa39efp-1;
static const real LN2_LOW = 0x1.abc9e3b39803fp-56;
static const real LOG2_E = 0x1.71547652b82fep0;
static const real EXP_LEAST = -0x1.6232bdd7abcd2p9; /* ln MIN_NORMAL, rounded up */
static const real EXP_MOST = 0x1.62e42fefa39efp9;   /* the largest x whose e^x is finite */
static const real TWO_PI = 0x1.921fb54442d18p2;
static const real TWO_PI_LOW = 0x1.1a62633145c07p-52;
static const real QUARTERS = 0x1.8p50; /* half a unit in its last place is 1/8 */
static const real ERFCX_LIMIT = 27.2;  /* e^(-x^2) is 0 beyond it, by far */

/* (e^r - 1 - r) / r^2 for |r| <= ln 2 / 2 */
static const real EXP_TAIL[] = {0x1p-1,
                                0x1.5555555555559p-3,
                                0x1.555555555555ap-5,
                                0x1.111111110f6aep-7,
                                0x1.6c16c16c14456p-10,
                                0x1.a01a01afe5458p-13,
                                0x1.a01a01b0b5609p-16,
                                0x1.71ddf85356d64p-19,
                                0x1.27e4c5a455d38p-22,
                                0x1.af5ebf7ce2cd4p-26,
                                0x1.1f955e02649d3p-29};

/* (log((1 + s) / (1 - s)) - 2 s) / s^3 in z = s^2, sqrt(1/2) <= (1 + s) / (1 - s) <= sqrt(2) */
static const real LOG_SERIES[] = {0x1.5555555555593p-1, 0x1.999999997fc9ap-2, 0x1.249249420214cp-2,
                                  0x1.c71c51fab5b3cp-3, 0x1.7466421704bb4p-3, 0x1.39a16440014cdp-3,
                                  0x1.2f08f5367f2fdp-3};

/* erf(x) / x - 1 in x^2, |x| <= 7/8 */
static const real ERF_SMALL[] = {
    0x1.06eba8214db69p-3,  -0x1.812746b0379e5p-2,  0x1.ce2f21a0429cp-4,   -0x1.b82ce3127ba38p-6,
    0x1.565bcd0bd44b2p-8,  -0x1.c02db3658a1fdp-11, 0x1.f9a31006a4b66p-14, -0x1.f4d01d5e36594p-17,
    0x1.b9c1220cd640bp-20, -0x1.5dd082f1a66a3p-23, 0x1.e54e0cb1f7b84p-27, -0x1.dc9f8fa0e074p-31};

/* (x + 3.4375) e^(x^2) erfc(x) in t = (x - 3.4375) / (x + 3.4375), 0 <= x <= ERFCX_LIMIT */
static const real ERFCX[] = {
    0x1.15efd7f6dc497p0,    -0x1.dd2e3663c6b82p-1, 0x1.5d821d98bfb0cp-1,   -0x1.aec87889957e9p-2,
    0x1.b2c49a06ce855p-3,   -0x1.53d446d32a203p-4, 0x1.63bf342314615p-6,   -0x1.926ebc1f7d584p-10,
    -0x1.8cd278a06d15ap-10, 0x1.378152728afd8p-11, 0x1.9dfabac931b2cp-16,  -0x1.40543e41a499ep-14,
    0x1.385cab43c3779p-17,  0x1.3377ac7ce9bd9p-17, -0x1.24c216eb57d01p-19, -0x1.4b0888f277d52p-20,
    0x1.94fef7324f0dep-22,  0x1.a6616158f6d28p-23, -0x1.eb3cb828e0261p-25, -0x1.2a022c4500f02p-25,
    0x1.cfdc22bfb14b9p-28,  0x1.710c628a7c36ep-28, -0x1.95df1c31a2fbfp-32, -0x1.e5159a0515a5bp-32};

/* (sin(2 pi y) - 2 pi y) / y^3 in y^2, |y| <= 1/8 */
static const real SIN[] = {-0x1.4abbce625be47p5, 0x1.466bc67758d85p6,  -0x1.32d2cce3332c4p6,
                           0x1.5078301b5fa82p5,  -0x1.e300a657116bbp3, 0x1.e403cf4e55492p1};

/* (cos(2 pi y) - 1) / y^2 in y^2, |y| <= 1/8 */
static const real COS[] = {-0x1.3bd3cc9be45dep4, 0x1.03c1f081b5abp6,  -0x1.55d3c7e3c95bbp6,
                           0x1.e1f50683b41e9p5,  -0x1.a6d1ecb735c4p4, 0x1.f9cc6ac854d63p2,
                           -0x1.b26fe64210a0fp0};

#else

enum { TOP_BIT = 31 };
static const real EPSILON = 0x1p-23f;
static const real MIN_NORMAL = 0x1p-126f;
static const real LN2 = 0x1.62e43p-1f;
static const real LN2_LOW = -0x1.05c61p-29f;
static const real LOG2_E = 0x1.715476p0f;
static const real EXP_LEAST = -0x1.5d589ep6f; /* ln MIN_NORMAL, rounded up */
static const real EXP_MOST = 0x1.62e42ep6f;   /* the largest x whose e^x is finite */
static const real TWO_PI = 0x1.921fb6p2f;
static const real TWO_PI_LOW = -0x1.777a5cp-23f;
static const real QUARTERS = 0x1.8p21f; /* half a unit in its last place is 1/8 */
static const real ERFCX_LIMIT = 10.6f;  /* e^(-x^2) is 0 beyond it, by far */

/* (e^r - 1 - r) / r^2 for |r| <= ln 2 / 2 */
static const real EXP_TAIL[] = {0x1p-1f,       0x1.555556p-3f,  0x1.5554aep-5f,
                                0x1.11109p-7f, 0x1.6d7486p-10f, 0x1.a1a162p-13f};

/* (log((1 + s) / (1 - s)) - 2 s) / s^3 in z = s^2, sqrt(1/2) <= (1 + s) / (1 - s) <= sqrt(2) */
static const real LOG_SERIES[] = {0x1.55557ap-1f, 0x1.995eacp-2f, 0x1.31e47ap-2f};

/* erf(x) / x - 1 in x^2, |x| <= 7/8 */
static const real ERF_SMALL[] = {0x1.06eba8p-3f, -0x1.812744p-2f,  0x1.ce2e8ep-4f, -0x1.b81a72p-6f,
                                 0x1.5542a4p-8f, -0x1.aec89cp-11f, 0x1.6cdc5ep-14f};

/* (x + 3.4375) e^(x^2) erfc(x) in t = (x - 3.4375) / (x + 3.4375), 0 <= x <= ERFCX_LIMIT */
static const real ERFCX[] = {0x1.15efd8p0f,    -0x1.dd2e36p-1f, 0x1.5d821ep-1f,  -0x1.aec87ep-2f,
                             0x1.b2c446p-3f,   -0x1.53d34p-4f,  0x1.63d794p-6f,  -0x1.932598p-10f,
                             -0x1.931b66p-10f, 0x1.3435a8p-11f, 0x1.09a904p-14f, -0x1.903a62p-15f};

/* (sin(2 pi y) - 2 pi y) / y^3 in y^2, |y| <= 1/8 */
static const real SIN[] = {-0x1.4abbcp5f, 0x1.466032p6f, -0x1.2dd048p6f};

/* (cos(2 pi y) - 1) / y^2 in y^2, |y| <= 1/8 */
static const real COS[] = {-0x1.3bd3ccp4f, 0x1.03c1dep6f, -0x1.55c664p6f, 0x1.d9f7bap5f};

#endif

enum {
    EXP_TERMS = sizeof EXP_TAIL / sizeof(real),
    LOG_TERMS = sizeof LOG_SERIES / sizeof(real),
    ERF_TERMS = sizeof ERF_SMALL / sizeof(real),
    ERFCX_TERMS = sizeof ERFCX / sizeof(real),
    SIN_TERMS = sizeof SIN / sizeof(real),
    COS_TERMS = sizeof COS / sizeof(real)
};

/* factor (c[0] + c[1] x + ... + c[terms-1] x^(terms-1)), even and odd powers in chains of their
   own; the factor is a power of two. */
static inline vec v_poly_times(real factor, const real *c, size_t terms, vec x) {
    vec square = v_mul(x, x), high = v_set(factor * c[terms - 1]);
    vec low = v_set(factor * c[terms - 2]);
    size_t i = terms - 1;
    for (; i >= 3; i -= 2) {
        high = v_fma(high, square, v_set(factor * c[i - 2]));
        low = v_fma(low, square, v_set(factor * c[i - 3]));
    }
    vec sum = v_fma(high, x, low);
    return i == 2 ? v_fma(sum, x, v_set(factor * c[0])) : sum;
}

static inline vec v_poly(const real *c, size_t terms, vec x) {
    return v_poly_times(1, c, terms, x);
}

/* ---- exp, expm1, tanh ---- */

/* e^x = 2^n (1 + r + tail), n an integer, |r| <= ln 2 / 2, |tail| < r^2. */
typedef struct {
    vec n, r, tail;
} exp_parts;

/* Of x + x_low, finite, the second far smaller. The first fma is exact, and what rounding r loses
   goes to the tail. */
static inline exp_parts exp_split_sum(vec x, vec x_low) {
    vec n = v_round(v_mul(x, v_set(LOG2_E)));
    vec minus_n = v_neg(n);
    vec high = v_fma(minus_n, v_set(LN2), x);
    vec low = v_fma(minus_n, v_set(LN2_LOW), x_low);
    vec r = v_add(high, low);
    vec lost = v_add(v_sub(high, r), low);
    return (exp_parts){n, r, v_fma(v_mul(r, r), v_poly(EXP_TAIL, EXP_TERMS, r), lost)};
}

static inline exp_parts exp_split(vec x) {
    return exp_split_sum(x, v_zero());
}

/* 2^shift e^x, which must be normal. */
static inline vec exp_join(exp_parts e, vec shift) {
    vec fraction = v_add(v_set(1), v_add(e.r, e.tail));
    return v_scale(fraction, v_add(e.n, shift));
}

/* high + low = 2^-n (e^x - 1) = (1 - 2^-n) + r + tail, for |n| < 1023 (f32: 127). */
typedef struct {
    vec high, low;
} pair;

static inline pair expm1_join(exp_parts e) {
    vec power = v_exp2i(v_neg(e.n)), one = v_sub(v_set(1), power);
    vec one_low = v_sub(v_set(1), v_add(one, power));
    vec sum = v_add(one, e.r);
    vec rest = v_add(v_sub(e.r, v_sub(sum, one)), v_add(e.tail, one_low));
    vec high = v_add(sum, rest);
    return (pair){high, v_sub(rest, v_sub(high, sum))};
}

/* 0 where e^x would be below the smallest normal number. */
static inline vec v_exp(vec x) {
    vec y = exp_join(exp_split(x), v_zero());
    y = v_select(v_lt(x, v_set(EXP_LEAST)), v_zero(), y);
    y = v_select(v_lt(v_set(EXP_MOST), x), v_set(INFINITY), y);
    return v_select(v_eq(x, x), y, x);
}

/* Beyond n = 60 the 1 is lost in e^x, and below n = -60 e^x in the 1. */
static inline vec v_expm1(vec x) {
    exp_parts e = exp_split(v_max(v_set(-60 * LN2), x));
    vec n = e.n;
    e.n = v_min(v_set(60), n);
    vec y = v_scale(expm1_join(e).high, n);
    y = v_select(v_lt(v_set(EXP_MOST), x), v_set(INFINITY), y);
    y = v_select(v_lt(v_abs(x), v_set(EPSILON / 4)), x, y);
    return v_select(v_eq(x, x), y, x);
}

/* tanh |x| = -m / (2 + m), m = e^(-2 |x|) - 1, where m and 2 + m are sums of two numbers. The
   quotient of the leading ones, q, is corrected by its remainder. */
typedef struct {
    vec value, reciprocal; /* tanh |x|, 1 / (1 + e^(-2 |x|)) */
} tanh_parts;

static inline tanh_parts tanh_join(exp_parts e) {
    e.n = v_max(v_set(-60), e.n);
    pair m = expm1_join(e);
    vec power = v_exp2i(e.n), one = v_set(1), two = v_set(2);
    vec m_high = v_mul(m.high, power), m_low = v_mul(m.low, power);
    vec sum = v_add(two, m_high);
    vec sum_low = v_add(v_add(v_sub(two, sum), m_high), m_low);
    vec reciprocal = v_div(one, sum);
    vec q = v_mul(v_neg(m_high), reciprocal);
    vec remainder = v_sub(v_fma(v_neg(q), sum, v_neg(m_high)), v_fma(q, sum_low, m_low));
    return (tanh_parts){v_fma(remainder, reciprocal, q), reciprocal};
}

static inline vec v_tanh(vec x) {
    exp_parts e = exp_split(v_max(v_set(-60 * LN2), v_mul(v_set(-2), v_abs(x))));
    vec y = v_copysign(tanh_join(e).value, x);
    y = v_select(v_lt(v_abs(x), v_set(EPSILON / 4)), x, y);
    return v_select(v_eq(x, x), y, x);
}

/* ---- log, log1p ---- */

/* x = 2^k (1 + f), sqrt(1/2) < 1 + f <= sqrt(2). */
typedef struct {
    vec k, f;
} log_parts;

/* For normal x > 0. */
static inline log_parts log_split(vec x) {
    vec m = v_significand(x), k = v_exponent(x);
    mask above = v_lt(v_set(1.4142135623730951), m);
    m = v_select(above, v_mul(m, v_set(0.5)), m);
    k = v_select(above, v_add(k, v_set(1)), k);
    return (log_parts){k, v_sub(m, v_set(1))};
}

/* k ln 2 + log(1 + f) + c, c far smaller: with s = f / (2 + f), log(1 + f) = 2 s + s^3 series(s^2)
   = f - (f^2/2 - s (f^2/2 + s^2 series(s^2))), in which f is exact (fdlibm, e_log.c). */
static inline vec log_join(log_parts p, vec c) {
    vec f = p.f, s = v_div(f, v_add(v_set(2), f)), z = v_mul(s, s);
    vec half_square = v_mul(v_mul(v_set(0.5), f), f);
    vec bracket = v_fma(z, v_poly(LOG_SERIES, LOG_TERMS, z), half_square);
    vec low = v_fma(s, bracket, v_fma(p.k, v_set(LN2_LOW), c));
    return v_fma(p.k, v_set(LN2), v_sub(f, v_sub(half_square, low)));
}

static inline vec v_log(vec x) {
    mask tiny = v_lt(x, v_set(MIN_NORMAL));
    log_parts p = log_split(v_select(tiny, v_mul(x, v_set(0x1p54)), x));
    p.k = v_select(tiny, v_sub(p.k, v_set(54)), p.k);
    vec y = log_join(p, v_zero());
    y = v_select(v_lt(v_zero(), x), y, v_set(NAN));
    y = v_select(v_eq(x, v_zero()), v_set(-INFINITY), y);
    return v_select(v_eq(x, v_set(INFINITY)), x, y);
}

/* log(u) + rest / u, where u + rest = 1 + x exactly. */
static inline vec v_log1p(vec x) {
    vec one = v_set(1), u = v_add(one, x), step = v_sub(u, one);
    vec rest = v_add(v_sub(one, v_sub(u, step)), v_sub(x, step));
    vec y = log_join(log_split(u), v_div(rest, u));
    y = v_select(v_lt(v_set(-1), x), y, v_set(NAN));
    y = v_select(v_eq(x, v_set(-1)), v_set(-INFINITY), y);
    y = v_select(v_eq(x, v_set(INFINITY)), x, y);
    return v_select(v_lt(v_abs(x), v_set(EPSILON / 4)), x, y);
}

/* ---- erf ---- */

/* e^(x^2) erfc(x) = sum / (x + k) for 0 <= x <= ERFCX_LIMIT: it falls slowly, as 1 / (x sqrt(pi)),
   so its relative error stays small all the way. t and the quotient are corrected by their
   remainders, x - k - t (x + k) and sum - q (x + k). (The transformation is that of Shepherd and
   Laframboise, Mathematics of Computation 36 (1981), 249-253; this k has a sum whose coefficients
   round well.) */
static inline vec v_erfcx(vec x) {
    vec minus_k = v_set(-3.4375), reciprocal = v_div(v_set(1), v_sub(x, minus_k));
    vec t = v_mul(v_add(x, minus_k), reciprocal);
    vec remainder = v_fma(v_neg(t), x, v_fma(v_add(t, v_set(1)), minus_k, x));
    t = v_fma(reciprocal, remainder, t);
    vec sum = v_set(ERFCX[ERFCX_TERMS - 1]);
    for (size_t i = ERFCX_TERMS - 1; i-- > 0;)
        sum = v_fma(sum, t, v_set(ERFCX[i]));
    vec q = v_mul(sum, reciprocal);
    remainder = v_fma(v_neg(q), x, v_fma(q, minus_k, sum));
    return v_fma(reciprocal, remainder, q);
}

/* e^(c x^2) in parts, c minus a power of two. */
static inline exp_parts exp_split_square(real c, vec x, vec least) {
    vec square = v_mul(x, x), square_low = v_fma(x, x, v_neg(square));
    return exp_split_sum(v_max(least, v_mul(v_set(c), square)), v_mul(v_set(c), square_low));
}

/* Small |x| by its own series, the rest by 1 - e^(-x^2) erfcx(|x|). */
static inline vec v_erf(vec x) {
    vec size = v_min(v_set(7), v_abs(x));
    vec small = v_fma(size, v_poly(ERF_SMALL, ERF_TERMS, v_mul(size, size)), size);
    vec power = exp_join(exp_split_square(-1, size, v_set(EXP_LEAST)), v_zero());
    vec large = v_fma(v_neg(power), v_erfcx(size), v_set(1));
    vec y = v_copysign(v_select(v_lt(size, v_set(0.875)), small, large), x);
    return v_select(v_eq(x, x), y, x);
}

/* ---- sine and cosine ---- */

typedef struct {
    vec sine, cosine;
} sincos_parts;

/* Of 2 pi (y + quadrant / 4), |y| <= 1/8; the quadrant stands in the top two bits of a lane. Odd
   quadrants exchange sine and cosine, sine is negative in quadrants 2 and 3, cosine in 1 and 2. */
static inline sincos_parts sincos_join(ivec quadrant, vec y) {
    vec square = v_mul(y, y);
    vec low = v_fma(square, v_poly(SIN, SIN_TERMS, square), v_set(TWO_PI_LOW));
    vec s = v_fma(y, v_set(TWO_PI), v_mul(y, low));
    vec c = v_fma(square, v_poly(COS, COS_TERMS, square), v_set(1));
    mask odd = m_bit(quadrant, TOP_BIT - 1);
    ivec next = i_add(quadrant, i_set(1ull << (TOP_BIT - 1)));
    return (sincos_parts){v_flip(v_select(odd, c, s), quadrant), v_flip(v_select(odd, s, c), next)};
}

/* The nearest multiple of 1/4 to x in [0, 1], ties to even, is x + QUARTERS - QUARTERS, and its
   last two bits are those of the sum. */
static inline sincos_parts v_sincos2pi(vec x) {
    vec sum = v_add(x, v_set(QUARTERS));
    vec y = v_sub(x, v_sub(sum, v_set(QUARTERS)));
    return sincos_join(i_left(v_bits(sum), TOP_BIT - 1), y);
}

/* ---- Rows of the kernel table ---- */

static inline void map(vec (*function)(vec), size_t count, const void *from, void *to) {
    const real *x = from;
    real *y = to;
    for (size_t i = 0; i < count; i += LANES)
        v_store(y + i, function(v_load(x + i)));
}

static inline void kernel_exp(size_t count, const void *x, void *y) {
    map(v_exp, count, x, y);
}

static inline void kernel_expm1(size_t count, const void *x, void *y) {
    map(v_expm1, count, x, y);
}

static inline void kernel_log(size_t count, const void *x, void *y) {
    map(v_log, count, x, y);
}

static inline void kernel_log1p(size_t count, const void *x, void *y) {
    map(v_log1p, count, x, y);
}

static inline void kernel_tanh(size_t count, const void *x, void *y) {
    map(v_tanh, count, x, y);
}

static inline void kernel_erf(size_t count, const void *x, void *y) {
    map(v_erf, count, x, y);
}

static inline void kernel_sincos2pi(size_t count, const void *from, void *sine, void *cosine) {
    const real *x = from;
    real *s = sine, *c = cosine;
    for (size_t i = 0; i < count; i += LANES) {
        sincos_parts both = v_sincos2pi(v_load(x + i));
        v_store(s + i, both.sine);
        v_store(c + i, both.cosine);
    }
}

#endif
