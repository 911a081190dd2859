#include <float.h>

#include "kernels/kernels.h"
#include "test.h"

enum { CHUNK = 1024, POINTS = 1 << 17, FEW_POINTS = 1 << 14 };

/* ---- The formulas, in long double; `size` is the size of the terms that make the slope ---- */

typedef struct {
    long double a, slope, size;
} truth;

static const long double ROOT_HALF = 0.70710678118654752440084436210485L;

static long double sigma(long double z) {
    return 1 / (1 + expl(-z));
}

static long double pdf(long double z) {
    return expl(-z * z / 2) * 0.39894228040143267793994605993438L;
}

static truth plain(long double a, long double slope) {
    return (truth){a, slope, fabsl(slope)};
}

/* phi = z D, phi' = D + z D' */
static truth gated(long double z, long double d, long double d_prime) {
    return (truth){z * d, d + z * d_prime, fabsl(d) + fabsl(z * d_prime)};
}

static truth true_linear(long double z, double p) {
    (void)p;
    return plain(z, 1);
}
static truth true_sigmoid(long double z, double p) {
    (void)p;
    return plain(sigma(z), sigma(z) * sigma(-z));
}
static truth true_tanh(long double z, double p) {
    (void)p;
    return plain(tanhl(z), 4 * sigma(2 * z) * sigma(-2 * z));
}
static truth true_relu(long double z, double p) {
    (void)p;
    return plain(z > 0 ? z : 0, z > 0);
}
static truth true_leaky_relu(long double z, double p) {
    return z > 0 ? plain(z, 1) : plain(p * z, p);
}
static truth true_elu(long double z, double p) {
    return z > 0 ? plain(z, 1) : plain(p * expm1l(z), p * expl(z));
}
static truth true_selu(long double z, double p) {
    const long double lambda = 1.0507009873554804934193349852946L;
    const long double alpha = 1.6732632423543772848170429916717L;
    (void)p;
    return z > 0 ? plain(lambda * z, lambda)
                 : plain(lambda * alpha * expm1l(z), lambda * alpha * expl(z));
}
static truth true_silu(long double z, double p) {
    (void)p;
    return gated(z, sigma(z), sigma(z) * sigma(-z));
}
static truth true_gelu(long double z, double p) {
    (void)p;
    return gated(z, erfcl(-z * ROOT_HALF) / 2, pdf(z));
}
static truth true_gelu_tanh(long double z, double p) {
    const long double c = 0.79788456080286535587989211986876L, k = 0.044715L;
    long double v = 2 * c * (z + k * z * z * z), v_prime = 2 * c * (1 + 3 * k * z * z);
    (void)p;
    return gated(z, sigma(v), sigma(v) * sigma(-v) * v_prime);
}
static truth true_softplus(long double z, double p) {
    (void)p;
    return plain(fmaxl(z, 0) + log1pl(expl(-fabsl(z))), sigma(z));
}
/* z n / (n + 2), n = e (e + 2), e = exp(z); over 700 n + 2 would be too large, and phi is z. */
static truth true_mish(long double z, double p) {
    long double e = expl(fminl(z, 700)), n = e * (e + 2);
    (void)p;
    return gated(z, n / (n + 2), 4 * e * (e + 1) / ((n + 2) * (n + 2)));
}

/* `far` is where the interesting part ends: what is beyond it in f64 has long become 0. */
typedef struct {
    const char *name;
    gs_activation_kernel kernel;
    double parameter;
    truth (*reference)(long double z, double parameter);
    double far[2];
    double at_minus_infinity, at_zero, slope_at_zero;
} activation;

static const activation activations[] = {
    {"linear", GS_ACT_LINEAR, 0, true_linear, {760, 120}, -INFINITY, 0, 1},
    {"sigmoid", GS_ACT_SIGMOID, 0, true_sigmoid, {760, 120}, 0, 0.5, 0.25},
    {"tanh", GS_ACT_TANH, 0, true_tanh, {380, 60}, -1, 0, 1},
    {"relu", GS_ACT_RELU, 0, true_relu, {760, 120}, 0, 0, 0},
    {"leaky relu", GS_ACT_LEAKY_RELU, 0.0625, true_leaky_relu, {760, 120}, -INFINITY, 0, 0.0625},
    {"leaky relu of 0", GS_ACT_LEAKY_RELU, 0, true_leaky_relu, {760, 120}, 0, 0, 0},
    {"elu", GS_ACT_ELU, 1.25, true_elu, {760, 120}, -1.25, 0, 1.25},
    {"selu", GS_ACT_SELU, 0, true_selu, {760, 120}, -1.7580993408473768600, 0, 1.7580993408473769},
    {"silu", GS_ACT_SILU, 0, true_silu, {760, 120}, 0, 0, 0.5},
    {"gelu", GS_ACT_GELU, 0, true_gelu, {39, 15}, 0, 0, 0.5},
    {"gelu-tanh", GS_ACT_GELU_TANH, 0, true_gelu_tanh, {23, 12}, 0, 0, 0.5},
    {"softplus", GS_ACT_SOFTPLUS, 0, true_softplus, {760, 120}, 0, 0.69314718055994531, 0.5},
    {"mish", GS_ACT_MISH, 0, true_mish, {760, 120}, 0, 0, 0.6},
};

enum { ACTIVATION_COUNT = sizeof activations / sizeof *activations };

/* ---- Points ---- */

typedef struct {
    _Alignas(64) char typed[CHUNK * sizeof(double)];
    double value[CHUNK];
} points;

static void put(const gs_kernels *kernels, points *p, size_t i, double x) {
    kernels->set(p->typed + i * kernels->size, x);
    p->value[i] = kernels->get(p->typed + i * kernels->size);
}

static void apply(const gs_kernels *kernels, const activation *act, const points *z, points *a,
                  points *slope) {
    kernels->activation[act->kernel](act->parameter, CHUNK, z->typed, a->typed, slope->typed);
    for (size_t i = 0; i < CHUNK; i++) {
        a->value[i] = kernels->get(a->typed + i * kernels->size);
        slope->value[i] = kernels->get(slope->typed + i * kernels->size);
    }
}

/* splitmix64 */
static double uniform(uint64_t *state) {
    uint64_t z = *state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return (double)((z ^ z >> 31) >> 11) * 0x1p-53;
}

/* A third far out, a third near 0, and a third of every magnitude from `tiny` to 1. */
static void fill(const gs_kernels *kernels, const activation *act, uint64_t *state, points *z) {
    double far = act->far[kernels->dtype], tiny = kernels->dtype == GS_F64 ? 690 : 85;
    for (size_t i = 0; i < CHUNK; i++) {
        double u = uniform(state), sign = i % 2 == 0 ? -1 : 1;
        put(kernels, z, i, sign * (i % 3 == 0 ? far * u : i % 3 == 1 ? 4 * u : exp(-tiny * u)));
    }
}

static const gs_kernels *best(gs_dtype dtype) {
    const gs_kernels *found = NULL, *kernels;
    for (size_t i = 0; (kernels = gs_kernels_at(i)); i++)
        if (kernels->dtype == dtype)
            found = kernels;
    return found;
}

static bool long_double_is_longer(void) {
    volatile long double one = 1, small = 1e-18L;
    return one + small != one;
}

/* ---- Accuracy ---- */

/* In units of the last place of `size`; what is below the smallest normal number must be 0, and at
   its edge may be. */
static double ulps(gs_dtype dtype, double got, long double expected, long double size) {
    long double least = dtype == GS_F64 ? DBL_MIN : FLT_MIN;
    int digits = dtype == GS_F64 ? DBL_MANT_DIG : FLT_MANT_DIG, exponent;
    if (fabsl(expected) < least * 1.000001L && got == 0)
        return 0;
    if (fabsl(expected) < least * 0.999999L)
        return INFINITY;
    frexpl(size, &exponent);
    return (double)(fabsl(got - expected) / ldexpl(1, exponent - digits));
}

static void check_accuracy(gs_dtype dtype, double limit) {
    static points z, a, slope;
    const gs_kernels *kernels = best(dtype);
    if (!long_double_is_longer())
        SKIP("long double is no longer than double here");
    for (size_t k = 0; k < ACTIVATION_COUNT; k++) {
        const activation *act = &activations[k];
        uint64_t state = k;
        for (size_t done = 0; done < POINTS; done += CHUNK) {
            fill(kernels, act, &state, &z);
            apply(kernels, act, &z, &a, &slope);
            for (size_t i = 0; i < CHUNK; i++) {
                truth t = act->reference(z.value[i], act->parameter);
                double of_a = ulps(dtype, a.value[i], t.a, fabsl(t.a));
                double of_slope = ulps(dtype, slope.value[i], t.slope, t.size);
                CHECK_THAT(of_a <= limit, "%s(%.17g) is %.17g, off by %.1f ulp", act->name,
                           z.value[i], a.value[i], of_a);
                CHECK_THAT(of_slope <= limit, "%s'(%.17g) is %.17g, off by %.1f ulp", act->name,
                           z.value[i], slope.value[i], of_slope);
            }
        }
    }
}

/* The longest chain, gelu's tail, has an exponential (1 ulp), erfcx (3 ulp) and three more
   roundings, and the long double reference is itself off by half an ulp of double there. */
static void test_f64_values_and_slopes_are_right_to_7_ulp(void) {
    check_accuracy(GS_F64, 7);
}

static void test_f32_values_and_slopes_are_right_to_7_ulp(void) {
    check_accuracy(GS_F32, 7);
}

/* (phi(z + h) - phi(z - h)) / 2h is off by h^2 / 6 phi''' (2e-10, with phi''' < 1) and eps |phi| /
   h (4e-11, with phi < 10). */
static void test_slopes_are_the_derivatives_of_the_values(void) {
    static points z, above, below, a, a_above, a_below, slope, unused;
    const double h = 0x1p-15;
    for (size_t k = 0; k < ACTIVATION_COUNT; k++) {
        const gs_kernels *kernels = best(GS_F64);
        uint64_t state = 50 + k;
        for (size_t i = 0; i < CHUNK; i++) {
            double x = 20 * uniform(&state) - 10;
            put(kernels, &z, i, fabs(x) < 2 * h ? 1 : x);
            put(kernels, &above, i, z.value[i] + h);
            put(kernels, &below, i, z.value[i] - h);
        }
        apply(kernels, &activations[k], &z, &a, &slope);
        apply(kernels, &activations[k], &above, &a_above, &unused);
        apply(kernels, &activations[k], &below, &a_below, &unused);
        for (size_t i = 0; i < CHUNK; i++) {
            double difference = a_above.value[i] - a_below.value[i];
            double numeric = difference / (above.value[i] - below.value[i]);
            CHECK_THAT(fabs(slope.value[i] - numeric) < 5e-10, "%s'(%g) is %.12g, not %.12g",
                       activations[k].name, z.value[i], slope.value[i], numeric);
        }
    }
}

/* ---- Limits and special values, on every table ---- */

static void check_point(const gs_kernels *kernels, const activation *act, double x, double a,
                        double slope, double tolerance) {
    static points z, got_a, got_slope;
    for (size_t i = 0; i < CHUNK; i++)
        put(kernels, &z, i, x);
    apply(kernels, act, &z, &got_a, &got_slope);
    bool same_a = isinf(a) ? got_a.value[0] == a : fabs(got_a.value[0] - a) <= tolerance * fabs(a);
    CHECK_THAT(same_a, "%s(%g) is %.17g on %s", act->name, x, got_a.value[0], kernels->isa);
    CHECK_THAT(fabs(got_slope.value[0] - slope) <= tolerance * fabs(slope),
               "%s'(%g) is %.17g on %s", act->name, x, got_slope.value[0], kernels->isa);
}

static void test_infinity_and_zero_give_the_limits(void) {
    const gs_kernels *kernels;
    for (size_t k = 0; (kernels = gs_kernels_at(k)); k++) {
        double rounding = kernels->dtype == GS_F64 ? DBL_EPSILON : FLT_EPSILON;
        double huge = kernels->dtype == GS_F64 ? 1e300 : 1e37;
        for (size_t i = 0; i < ACTIVATION_COUNT; i++) {
            const activation *act = &activations[i];
            bool bounded = act->kernel == GS_ACT_SIGMOID || act->kernel == GS_ACT_TANH;
            bool linear = act->kernel == GS_ACT_LINEAR;
            bool leaky = act->kernel == GS_ACT_LEAKY_RELU;
            double steepness = act->kernel == GS_ACT_SELU ? 1.0507009873554805 : 1;
            double right = bounded ? 0 : steepness;
            double left = linear ? 1 : leaky ? act->parameter : 0;
            double left_a = isinf(act->at_minus_infinity) ? -huge * left : act->at_minus_infinity;
            check_point(kernels, act, -INFINITY, act->at_minus_infinity, left, rounding);
            check_point(kernels, act, INFINITY, bounded ? 1 : INFINITY, right, rounding);
            check_point(kernels, act, -huge, left_a, left, rounding);
            check_point(kernels, act, huge, bounded ? 1 : huge * steepness, right, rounding);
            check_point(kernels, act, 0, act->at_zero, act->slope_at_zero, rounding);
            check_point(kernels, act, -0.0, act->at_zero, act->slope_at_zero, rounding);
        }
    }
}

static void test_nan_gives_nan(void) {
    static points z, a, slope;
    const gs_kernels *kernels;
    for (size_t k = 0; (kernels = gs_kernels_at(k)); k++)
        for (size_t i = 0; i < ACTIVATION_COUNT; i++) {
            for (size_t n = 0; n < CHUNK; n++)
                put(kernels, &z, n, n % 2 == 0 ? NAN : 1);
            apply(kernels, &activations[i], &z, &a, &slope);
            CHECK(isnan(a.value[0]) && isnan(slope.value[0]));
            CHECK(!isnan(a.value[1]) && !isnan(slope.value[1]));
        }
}

static bool is_zero_or_normal(gs_dtype dtype, double x) {
    return x == 0 || fabs(x) >= (dtype == GS_F64 ? DBL_MIN : FLT_MIN);
}

/* Over the whole stretch in which each falls below the smallest normal number, and for denormal z.
 */
static void test_no_result_is_denormal(void) {
    static points z, a, slope;
    const gs_kernels *kernels;
    for (size_t k = 0; (kernels = gs_kernels_at(k)); k++)
        for (size_t i = 0; i < ACTIVATION_COUNT; i++) {
            const activation *act = &activations[i];
            double far = act->far[kernels->dtype];
            for (size_t n = 0; n < CHUNK; n++) {
                double tiny = kernels->dtype == GS_F64 ? 0x1p-1060 : 0x1p-140;
                double x = n % 4 == 0 ? tiny * (double)n : far * (0.75 + 0.5 * (double)n / CHUNK);
                put(kernels, &z, n, n % 8 < 6 ? -x : x);
            }
            apply(kernels, act, &z, &a, &slope);
            for (size_t n = 0; n < CHUNK; n++)
                CHECK_THAT(is_zero_or_normal(kernels->dtype, a.value[n]) &&
                               is_zero_or_normal(kernels->dtype, slope.value[n]),
                           "%s(%g): %g, %g", act->name, z.value[n], a.value[n], slope.value[n]);
        }
}

/* ---- The same bytes everywhere ---- */

static void test_every_instruction_set_gives_the_same_bits(void) {
    static points z, a, slope, a0, slope0;
    const gs_kernels *kernels;
    for (size_t k = 0; (kernels = gs_kernels_at(k)); k++)
        for (size_t i = 0; i < ACTIVATION_COUNT; i++) {
            const activation *act = &activations[i];
            uint64_t state = 100 + i;
            for (size_t done = 0; done < FEW_POINTS; done += CHUNK) {
                fill(kernels, act, &state, &z);
                apply(kernels, act, &z, &a, &slope);
                apply(gs_kernels_at(kernels->dtype), act, &z, &a0, &slope0);
                size_t bytes = CHUNK * kernels->size;
                CHECK_THAT(memcmp(a.typed, a0.typed, bytes) == 0 &&
                               memcmp(slope.typed, slope0.typed, bytes) == 0,
                           "%s differs on %s", act->name, kernels->isa);
            }
        }
}

static void test_values_may_overwrite_their_arguments(void) {
    static points z, a, slope, in_place, slope_in_place;
    const gs_kernels *kernels;
    for (size_t k = 0; (kernels = gs_kernels_at(k)); k++)
        for (size_t i = 0; i < ACTIVATION_COUNT; i++) {
            uint64_t state = 150 + i;
            fill(kernels, &activations[i], &state, &z);
            apply(kernels, &activations[i], &z, &a, &slope);
            in_place = z;
            apply(kernels, &activations[i], &in_place, &in_place, &slope_in_place);
            CHECK(memcmp(in_place.value, a.value, sizeof a.value) == 0);
            CHECK(memcmp(slope_in_place.value, slope.value, sizeof slope.value) == 0);
        }
}

TEST_MAIN(TEST(test_f64_values_and_slopes_are_right_to_7_ulp),
          TEST(test_f32_values_and_slopes_are_right_to_7_ulp),
          TEST(test_slopes_are_the_derivatives_of_the_values),
          TEST(test_infinity_and_zero_give_the_limits), TEST(test_nan_gives_nan),
          TEST(test_no_result_is_denormal), TEST(test_every_instruction_set_gives_the_same_bits),
          TEST(test_values_may_overwrite_their_arguments))
