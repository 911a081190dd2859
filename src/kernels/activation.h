/*
 * Activations: a = phi(z) and slope = phi'(z) in one pass, to a few units in the last place for
 * every finite z. At z = -inf and +inf both are their limits, NaN gives NaN, and what is below the
 * smallest normal number becomes 0, so that no denormal ever slows a run.
 *
 * Most are made of q = e^-|z| or the like, whose product with a polynomial in z can be a normal
 * number where q is not. So q is kept times 2^32 in whatever it is a factor of, and that is taken
 * back last.
 */
#ifndef GS_ACTIVATION_H
#define GS_ACTIVATION_H

#include "kernels/elementary.h"

static const real SHIFT = 32, UNSHIFT = 0x1p-32f;

#if defined(GS_DTYPE_F64)
static const real DECAY_LEAST = -730; /* ln MIN_NORMAL - ln 2^SHIFT, rounded up */
/* -2 sqrt(2/pi) and 0.044715 times it, each in two numbers. */
static const real GELU_C1 = -0x1.9884533d43651p0, GELU_C1_LOW = 0x1.cbc0d30ebfd15p-54;
static const real GELU_C3 = -0x1.2444f2a4d8b4bp-4, GELU_C3_LOW = 0x1.6c843a29d1c7p-61;
#else
static const real DECAY_LEAST = -109;
static const real GELU_C1 = -0x1.988454p0f, GELU_C1_LOW = 0x1.857936p-25f;
static const real GELU_C3 = -0x1.2444f2p-4f, GELU_C3_LOW = -0x1.49b16ap-29f;
#endif

typedef struct {
    vec a, slope;
} activated;

/* q = e^y for y <= 0: times 2^SHIFT, and as it is but never below the smallest normal number. */
typedef struct {
    vec scaled, value;
} decay;

static inline decay decay_join(exp_parts y) {
    vec scaled = exp_join(y, v_set(SHIFT));
    vec least = v_set(MIN_NORMAL / UNSHIFT);
    return (decay){scaled, v_mul(v_max(scaled, least), v_set(UNSHIFT))};
}

static inline vec flush_below(vec least, vec x) {
    return v_select(v_lt(v_abs(x), least), v_zero(), x);
}

static inline vec flush(vec x) {
    return flush_below(v_set(MIN_NORMAL), x);
}

/* base + 2^-SHIFT scaled, or base alone where the second would be denormal. */
static inline vec unshift(vec scaled, vec base) {
    return v_fma(flush_below(v_set(MIN_NORMAL / UNSHIFT), scaled), v_set(UNSHIFT), base);
}

/* For phi = z D(z), with x = |z|. On the left, D = `tail` and phi' = `fall`; on the right, 1 - D =
   `tail` and 1 - phi' = `fall`, both times 2^SHIFT. Either way phi = max(z, 0) - x tail. */
static inline activated gated(vec z, vec x, vec tail, vec fall) {
    mask negative = v_lt(z, v_zero());
    vec one_or_zero = v_select(negative, v_zero(), v_set(1));
    vec a = unshift(v_mul(v_neg(x), tail), v_max(z, v_zero()));
    vec slope = unshift(v_select(negative, fall, v_neg(fall)), one_or_zero);
    return (activated){a, slope};
}

/* |z|, and no more than where every decay is long over. */
static inline vec size_of(vec z) {
    return v_min(v_set(-DECAY_LEAST), v_abs(z));
}

/* ---- Linear left: right z for z > 0, else left z; phi' = right or left ---- */

static inline activated two_lines(vec z, vec left, vec right) {
    mask positive = v_lt(v_zero(), z);
    vec slope = v_select(positive, right, left);
    vec a = v_select(v_eq(slope, v_zero()), v_zero(), v_mul(slope, z));
    return (activated){flush(a), slope};
}

/* ---- Exponential left: right z for z > 0, else left (e^z - 1); phi' = right or left e^z ---- */

static inline activated line_and_exp(vec z, vec left, vec right) {
    mask positive = v_lt(v_zero(), z);
    exp_parts y = exp_split(v_max(v_set(DECAY_LEAST), v_min(v_zero(), z)));
    decay q = decay_join(y);
    y.n = v_max(v_set(-60), y.n);
    vec q_minus_1 = v_mul(expm1_join(y).high, v_exp2i(y.n));
    vec a = v_select(positive, v_mul(right, z), v_mul(left, q_minus_1));
    return (activated){flush(a),
                       v_select(positive, right, unshift(v_mul(left, q.scaled), v_zero()))};
}

/* ---- sigmoid: 1 / (1 + q) for z >= 0, else q / (1 + q); phi' = q / (1 + q)^2, q = e^-|z| ---- */

typedef struct {
    decay q;
    vec large, small, slope; /* sigma(|z|); sigma(-|z|) and sigma', both times 2^SHIFT */
} logistic;

static inline logistic logistic_join(exp_parts y) {
    decay q = decay_join(y);
    vec large = v_div(v_set(1), v_add(v_set(1), q.value));
    vec small = v_mul(q.scaled, large);
    return (logistic){q, large, small, v_mul(small, large)};
}

static inline vec sigmoid_of(logistic s, vec z) {
    mask negative = v_lt(z, v_zero());
    return unshift(v_select(negative, s.small, v_zero()), v_select(negative, v_zero(), s.large));
}

static inline activated phi_sigmoid(vec z) {
    logistic s = logistic_join(exp_split(v_neg(size_of(z))));
    return (activated){sigmoid_of(s, z), unshift(s.slope, v_zero())};
}

/* ---- tanh: phi' = 4 q / (1 + q)^2, q = e^(-2 |z|) ---- */

static inline activated phi_tanh(vec z) {
    exp_parts y = exp_split(v_max(v_set(DECAY_LEAST), v_mul(v_set(-2), v_abs(z))));
    tanh_parts t = tanh_join(y);
    vec slope = v_mul(v_mul(v_set(4), decay_join(y).scaled), v_mul(t.reciprocal, t.reciprocal));
    return (activated){flush(v_copysign(t.value, z)), unshift(slope, v_zero())};
}

/* ---- softplus: max(z, 0) + log(1 + q), q = e^-|z|; phi' = sigmoid(z) ---- */

static inline activated phi_softplus(vec z) {
    logistic s = logistic_join(exp_split(v_neg(size_of(z))));
    vec log_scaled = v_mul(v_log1p(s.q.value), v_set(1 / UNSHIFT));
    vec scaled = v_select(v_lt(s.q.value, v_set(EPSILON / 4)), s.q.scaled, log_scaled);
    return (activated){unshift(scaled, v_max(z, v_zero())), sigmoid_of(s, z)};
}

/* ---- silu: z sigma(z); phi' = sigma(z) (1 + z (1 - sigma(z))) ---- */

static inline activated phi_silu(vec z) {
    vec x = size_of(z);
    logistic s = logistic_join(exp_split(v_neg(x)));
    vec fall = v_mul(s.small, v_fma(v_neg(x), s.large, v_set(1)));
    return gated(z, x, s.small, fall);
}

/* ---- gelu: z Phi(z); phi' = Phi(z) + z pdf(z); pdf(z) = e^(-z^2/2) / sqrt(2 pi),
        Phi(-x) = e^(-x^2/2) erfcx(x / sqrt(2)) / 2 ---- */

static inline activated phi_gelu(vec z) {
    vec x = v_min(v_set(ERFCX_LIMIT * 1.4142135f), v_abs(z));
    decay q = decay_join(exp_split_square(-0.5f, x, v_set(DECAY_LEAST)));
    vec half = v_mul(v_set(0.5), v_erfcx(v_mul(x, v_set(0.70710678118654752440))));
    vec fall = v_fma(v_neg(x), v_set(0.39894228040143267794), half); /* 1 / sqrt(2 pi) */
    return gated(z, x, v_mul(q.scaled, half), v_mul(q.scaled, fall));
}

/* ---- gelu-tanh: z (1 + tanh u) / 2 = z sigma(2 u), u = sqrt(2/pi) (z + 0.044715 z^3);
        phi' = sigma(2 u) (1 + z (1 - sigma(2 u)) 2 u') ---- */

/* -2 u(x) = x (c1 + c3 x^2) reaches -700, so it is made in two numbers. */
static inline exp_parts gelu_tanh_split(vec x) {
    vec square = v_mul(x, x), square_low = v_fma(x, x, v_neg(square));
    vec c1 = v_set(GELU_C1), c3 = v_set(GELU_C3);
    vec cubic = v_mul(c3, square);
    vec cubic_low = v_fma(c3, square, v_neg(cubic));
    cubic_low = v_fma(c3, square_low, v_fma(v_set(GELU_C3_LOW), square, cubic_low));
    vec sum = v_add(c1, cubic), step = v_sub(sum, c1);
    vec sum_low = v_add(v_sub(c1, v_sub(sum, step)), v_sub(cubic, step));
    sum_low = v_add(sum_low, v_add(cubic_low, v_set(GELU_C1_LOW)));
    vec y = v_mul(x, sum);
    vec y_low = v_fma(x, sum_low, v_fma(x, sum, v_neg(y)));
    return exp_split_sum(v_max(v_set(DECAY_LEAST), y), y_low);
}

static inline activated phi_gelu_tanh(vec z) {
    vec x = size_of(z);
    logistic s = logistic_join(gelu_tanh_split(x));
    vec steepness = v_fma(v_set(3 * GELU_C3), v_mul(x, x), v_set(GELU_C1)); /* -2 u' */
    vec fall = v_mul(s.small, v_fma(v_mul(x, steepness), s.large, v_set(1)));
    return gated(z, x, s.small, fall);
}

/* ---- mish: z tanh(softplus(z)) = z n / (n + 2), n = e^z (e^z + 2)
        phi' = n / (n + 2) + 4 z e^z (e^z + 1) / (n + 2)^2
   With q = e^-|z| and w = 1 + q, multiplied through by q^2 for z > 0:
        z < 0:      D = q (w + 1) / d,        phi' = q (w + 1 - 4 x w / d) / d,     d = w^2 + 1
        z > 0:  1 - D = 2 q^2 / d,    1 - phi' = q (2 q - 4 x w q / d) / d,     d = w^2 + q^2 ---- */

static inline activated phi_mish(vec z) {
    mask negative = v_lt(z, v_zero());
    vec x = size_of(z), one = v_set(1);
    decay q = decay_join(exp_split(v_neg(x)));
    vec w = v_add(one, q.value);
    vec last = v_select(negative, one, q.value);
    vec top = v_select(negative, v_add(w, one), v_add(last, last));
    vec over_d = v_div(one, v_fma(w, w, v_mul(last, last)));
    vec pull = v_mul(v_mul(v_mul(v_set(4), x), v_mul(w, last)), over_d);
    vec scale_over_d = v_mul(q.scaled, over_d);
    return gated(z, x, v_mul(top, scale_over_d), v_mul(v_sub(top, pull), scale_over_d));
}

/* ---- Rows of the kernel table ---- */

static inline void store_activated(vec z, activated r, real *a, real *slope) {
    mask number = v_eq(z, z);
    v_store(a, v_select(number, r.a, z));
    v_store(slope, v_select(number, r.slope, z));
}

static inline void activate(activated (*phi)(vec), size_t count, const void *from, void *to,
                            void *slopes) {
    const real *z = from;
    real *a = to, *slope = slopes;
    for (size_t i = 0; i < count; i += LANES) {
        vec v = v_load(z + i);
        store_activated(v, phi(v), a + i, slope + i);
    }
}

static inline void activate_sided(activated (*phi)(vec, vec, vec), double left, double right,
                                  size_t count, const void *from, void *to, void *slopes) {
    const real *z = from;
    real *a = to, *slope = slopes;
    vec on_left = v_set((real)left), on_right = v_set((real)right);
    for (size_t i = 0; i < count; i += LANES) {
        vec v = v_load(z + i);
        store_activated(v, phi(v, on_left, on_right), a + i, slope + i);
    }
}

static void activation_linear(double param, size_t count, const void *z, void *a, void *slope) {
    (void)param;
    activate_sided(two_lines, 1, 1, count, z, a, slope);
}

static void activation_sigmoid(double param, size_t count, const void *z, void *a, void *slope) {
    (void)param;
    activate(phi_sigmoid, count, z, a, slope);
}

static void activation_tanh(double param, size_t count, const void *z, void *a, void *slope) {
    (void)param;
    activate(phi_tanh, count, z, a, slope);
}

static void activation_relu(double param, size_t count, const void *z, void *a, void *slope) {
    (void)param;
    activate_sided(two_lines, 0, 1, count, z, a, slope);
}

static void activation_leaky_relu(double param, size_t count, const void *z, void *a, void *slope) {
    activate_sided(two_lines, param, 1, count, z, a, slope);
}

static void activation_elu(double param, size_t count, const void *z, void *a, void *slope) {
    activate_sided(line_and_exp, param, 1, count, z, a, slope);
}

static void activation_selu(double param, size_t count, const void *z, void *a, void *slope) {
    (void)param;
    activate_sided(line_and_exp, 1.7580993408473768599, 1.0507009873554804934, count, z, a, slope);
}

static void activation_silu(double param, size_t count, const void *z, void *a, void *slope) {
    (void)param;
    activate(phi_silu, count, z, a, slope);
}

static void activation_gelu(double param, size_t count, const void *z, void *a, void *slope) {
    (void)param;
    activate(phi_gelu, count, z, a, slope);
}

static void activation_gelu_tanh(double param, size_t count, const void *z, void *a, void *slope) {
    (void)param;
    activate(phi_gelu_tanh, count, z, a, slope);
}

static void activation_softplus(double param, size_t count, const void *z, void *a, void *slope) {
    (void)param;
    activate(phi_softplus, count, z, a, slope);
}

static void activation_mish(double param, size_t count, const void *z, void *a, void *slope) {
    (void)param;
    activate(phi_mish, count, z, a, slope);
}

#endif
