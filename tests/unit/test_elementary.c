#include <float.h>
#include <stddef.h>

#include "kernels/kernels.h"
#include "test.h"

enum { CHUNK = 1024, POINTS = 1 << 20, FEW_POINTS = 1 << 16 };

typedef void unary(size_t count, const void *x, void *y);

typedef struct {
    double from, to; /* uniform between them, or log-uniform where `from` and `to` have a sign */
    bool by_magnitude;
} range;

typedef struct {
    const char *name;
    size_t row; /* offset in the kernel table */
    long double (*reference)(long double);
    range ranges[2][3]; /* by element type; those that are given share the points */
} function;

#define ROW(member) offsetof(gs_kernels, member)
#define ALL(from, to)                                                                              \
    { from, to, false }
#define DECADES(from, to)                                                                          \
    { from, to, true }

static const function functions[] = {
    {"exp", ROW(exp), expl, {{ALL(-708.39, 709.78), ALL(-1, 1)}, {ALL(-87.33, 88.72), ALL(-1, 1)}}},
    {"expm1",
     ROW(expm1),
     expm1l,
     {{ALL(-50, 709.78), ALL(-2, 2), DECADES(1e-300, 1)},
      {ALL(-25, 88.72), ALL(-2, 2), DECADES(1e-37, 1)}}},
    {"log",
     ROW(log),
     logl,
     {{DECADES(1e-320, 1e308), ALL(0.4, 2.2), ALL(0.99, 1.01)},
      {DECADES(1e-44, 3e38), ALL(0.4, 2.2), ALL(0.99, 1.01)}}},
    {"log1p",
     ROW(log1p),
     log1pl,
     {{DECADES(1e-300, 1e308), ALL(-1, 2), DECADES(-1, -1e-300)},
      {DECADES(1e-37, 3e38), ALL(-1, 2), DECADES(-1, -1e-37)}}},
    {"tanh",
     ROW(tanh),
     tanhl,
     {{ALL(-22, 22), ALL(-1, 1), DECADES(1e-300, 1)},
      {ALL(-10, 10), ALL(-1, 1), DECADES(1e-37, 1)}}},
    {"erf",
     ROW(erf),
     erfl,
     {{ALL(-6.5, 6.5), ALL(-1.2, 1.2), DECADES(1e-300, 1)},
      {ALL(-4.5, 4.5), ALL(-1.2, 1.2), DECADES(1e-37, 1)}}},
};

enum { FUNCTION_COUNT = sizeof functions / sizeof *functions };

static unary *unary_of(const gs_kernels *kernels, const function *f) {
    unary *row;
    memcpy(&row, (const char *)kernels + f->row, sizeof row);
    return row;
}

static const gs_kernels *best(gs_dtype dtype) {
    const gs_kernels *found = NULL, *kernels;
    for (size_t i = 0; (kernels = gs_kernels_at(i)); i++)
        if (kernels->dtype == dtype)
            found = kernels;
    return found;
}

/* valgrind computes long double in double, and some machines have nothing longer. */
static bool long_double_is_longer(void) {
    volatile long double one = 1, small = 1e-18L;
    return one + small != one;
}

/* ---- Points: a typed array, and its values as double ---- */

typedef struct {
    _Alignas(64) char typed[CHUNK * sizeof(double)];
    double value[CHUNK];
} points;

static void put(const gs_kernels *kernels, points *p, size_t i, double x) {
    p->value[i] = kernels->dtype == GS_F64 ? x : (double)(float)x;
    kernels->set(p->typed + i * kernels->size, x);
}

static void read_back(const gs_kernels *kernels, points *p) {
    for (size_t i = 0; i < CHUNK; i++)
        p->value[i] = kernels->get(p->typed + i * kernels->size);
}

/* splitmix64 */
static double uniform(uint64_t *state) {
    uint64_t z = *state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return (double)((z ^ z >> 31) >> 11) * 0x1p-53;
}

static double point_in(const range *r, uint64_t *state) {
    double u = uniform(state);
    if (!r->by_magnitude)
        return r->from + (r->to - r->from) * u;
    double least = log(fabs(r->from)), most = log(fabs(r->to));
    return copysign(exp(least + (most - least) * u), r->from);
}

static void fill(const gs_kernels *kernels, const function *f, uint64_t *state, points *x) {
    const range *ranges = f->ranges[kernels->dtype];
    size_t count = ranges[2].to != 0 ? 3 : 2;
    for (size_t i = 0; i < CHUNK; i++)
        put(kernels, x, i, point_in(&ranges[i % count], state));
}

/* The error in units of the last place of the true value. */
static double ulps(gs_dtype dtype, double got, long double expected) {
    int digits = dtype == GS_F64 ? DBL_MANT_DIG : FLT_MANT_DIG;
    int least = dtype == GS_F64 ? DBL_MIN_EXP : FLT_MIN_EXP, exponent;
    frexpl(expected, &exponent);
    if (exponent < least)
        exponent = least;
    return (double)(fabsl(got - expected) / ldexpl(1, exponent - digits));
}

/* ---- Accuracy ---- */

static void check_accuracy(gs_dtype dtype, double limit) {
    static points x, y;
    const gs_kernels *kernels = best(dtype);
    if (!long_double_is_longer())
        SKIP("long double is no longer than double here");
    for (size_t f = 0; f < FUNCTION_COUNT; f++) {
        uint64_t state = f;
        double worst = 0, worst_x = 0;
        for (size_t done = 0; done < POINTS; done += CHUNK) {
            fill(kernels, &functions[f], &state, &x);
            unary_of(kernels, &functions[f])(CHUNK, x.typed, y.typed);
            read_back(kernels, &y);
            for (size_t i = 0; i < CHUNK; i++) {
                double error = ulps(dtype, y.value[i], functions[f].reference(x.value[i]));
                if (!(error <= worst)) {
                    worst = error;
                    worst_x = x.value[i];
                }
            }
        }
        CHECK_THAT(worst <= limit, "%s(%.17g) is off by %.3f ulp", functions[f].name, worst_x,
                   worst);
    }
}

/* Half an ulp is the rounding of the result; what rounding the reduced argument, the polynomial and
   a quotient add to it stayed below 0.7 ulp when every float was tried. */
static const double LIMIT = 1.2;

static void test_f64_functions_are_right_to_1_2_ulp(void) {
    check_accuracy(GS_F64, LIMIT);
}

static void test_f32_functions_are_right_to_1_2_ulp(void) {
    check_accuracy(GS_F32, LIMIT);
}

/* sin and cos of 2 pi x, the argument reduced to an eighth of a turn exactly, then in long double.
 */
static void turn(long double x, long double *sine, long double *cosine) {
    const long double two_pi = 6.283185307179586476925286766559L;
    long double quadrant = rintl(4 * x);
    long double s = sinl(two_pi * (x - quadrant / 4)), c = cosl(two_pi * (x - quadrant / 4));
    const long double by_quadrant[4][2] = {{s, c}, {c, -s}, {-s, -c}, {-c, s}};
    *sine = by_quadrant[(int)quadrant % 4][0];
    *cosine = by_quadrant[(int)quadrant % 4][1];
}

static void test_sine_and_cosine_are_right_to_1_2_ulp(void) {
    static points x, s, c;
    if (!long_double_is_longer())
        SKIP("long double is no longer than double here");
    for (gs_dtype dtype = GS_F64; dtype <= GS_F32; dtype++) {
        const gs_kernels *kernels = best(dtype);
        const double below_one = dtype == GS_F64 ? 1 - 0x1p-53 : 1 - 0x1p-24;
        uint64_t state = 7;
        double worst = 0;
        for (size_t done = 0; done < POINTS; done += CHUNK) {
            for (size_t i = 0; i < CHUNK; i++)
                put(kernels, &x, i, fmin(below_one, uniform(&state)));
            kernels->sincos2pi(CHUNK, x.typed, s.typed, c.typed);
            read_back(kernels, &s);
            read_back(kernels, &c);
            for (size_t i = 0; i < CHUNK; i++) {
                long double sine, cosine;
                turn(x.value[i], &sine, &cosine);
                worst = fmax(worst, ulps(dtype, s.value[i], sine));
                worst = fmax(worst, ulps(dtype, c.value[i], cosine));
            }
        }
        CHECK_THAT(worst <= LIMIT, "off by %.3f ulp in type %d", worst, (int)dtype);
    }
}

static void test_sine_and_cosine_of_quarter_turns_are_exact(void) {
    static points x, s, c;
    static const double quarter[4][2] = {{0, 1}, {1, 0}, {0, -1}, {-1, 0}};
    const gs_kernels *kernels;
    for (size_t k = 0; (kernels = gs_kernels_at(k)); k++) {
        for (size_t i = 0; i < CHUNK; i++)
            put(kernels, &x, i, (double)(i % 4) / 4);
        kernels->sincos2pi(CHUNK, x.typed, s.typed, c.typed);
        read_back(kernels, &s);
        read_back(kernels, &c);
        for (size_t i = 0; i < 4; i++)
            CHECK(s.value[i] == quarter[i][0] && c.value[i] == quarter[i][1]);
    }
}

/* ---- The same bytes everywhere ---- */

static void test_every_instruction_set_gives_the_same_bits(void) {
    static points x, y, s, c, y0, s0, c0;
    const gs_kernels *kernels;
    for (size_t k = 0; (kernels = gs_kernels_at(k)); k++) {
        const gs_kernels *portable = gs_kernels_at(kernels->dtype);
        size_t bytes = CHUNK * kernels->size;
        for (size_t f = 0; f < FUNCTION_COUNT; f++) {
            uint64_t state = f + 100;
            for (size_t done = 0; done < FEW_POINTS; done += CHUNK) {
                fill(kernels, &functions[f], &state, &x);
                unary_of(kernels, &functions[f])(CHUNK, x.typed, y.typed);
                unary_of(portable, &functions[f])(CHUNK, x.typed, y0.typed);
                CHECK_THAT(memcmp(y.typed, y0.typed, bytes) == 0, "%s differs on %s",
                           functions[f].name, kernels->isa);
            }
        }
        uint64_t state = 200;
        for (size_t i = 0; i < CHUNK; i++)
            put(kernels, &x, i, uniform(&state));
        kernels->sincos2pi(CHUNK, x.typed, s.typed, c.typed);
        portable->sincos2pi(CHUNK, x.typed, s0.typed, c0.typed);
        CHECK_THAT(memcmp(s.typed, s0.typed, bytes) == 0 && memcmp(c.typed, c0.typed, bytes) == 0,
                   "sincos2pi differs on %s", kernels->isa);
    }
}

/* ---- Special values ---- */

/* f(x) on every table of an element type must be this very number, sign of zero included. */
static void check_value(gs_dtype dtype, unary *(*pick)(const gs_kernels *), double x, double y) {
    static points in, out;
    const gs_kernels *kernels;
    for (size_t k = 0; (kernels = gs_kernels_at(k)); k++) {
        if (kernels->dtype != dtype)
            continue;
        for (size_t i = 0; i < CHUNK; i++)
            put(kernels, &in, i, x);
        pick(kernels)(kernels->panel, in.typed, out.typed);
        double got = kernels->get(out.typed);
        bool same = isnan(y) ? isnan(got) : got == y && !signbit(got) == !signbit(y);
        CHECK_THAT(same, "f(%g) is %.17g on %s, expected %.17g", x, got, kernels->isa, y);
    }
}

static void check_both(unary *(*pick)(const gs_kernels *), double x, double y) {
    check_value(GS_F64, pick, x, y);
    check_value(GS_F32, pick, x, y);
}

static unary *pick_exp(const gs_kernels *kernels) {
    return kernels->exp;
}
static unary *pick_expm1(const gs_kernels *kernels) {
    return kernels->expm1;
}
static unary *pick_log(const gs_kernels *kernels) {
    return kernels->log;
}
static unary *pick_log1p(const gs_kernels *kernels) {
    return kernels->log1p;
}
static unary *pick_tanh(const gs_kernels *kernels) {
    return kernels->tanh;
}
static unary *pick_erf(const gs_kernels *kernels) {
    return kernels->erf;
}

static void test_nan_gives_nan(void) {
    check_both(pick_exp, NAN, NAN);
    check_both(pick_expm1, NAN, NAN);
    check_both(pick_log, NAN, NAN);
    check_both(pick_log1p, NAN, NAN);
    check_both(pick_tanh, NAN, NAN);
    check_both(pick_erf, NAN, NAN);
}

static void test_infinity_gives_the_limit(void) {
    check_both(pick_exp, INFINITY, INFINITY);
    check_both(pick_exp, -INFINITY, 0);
    check_both(pick_expm1, INFINITY, INFINITY);
    check_both(pick_expm1, -INFINITY, -1);
    check_both(pick_log, INFINITY, INFINITY);
    check_both(pick_log1p, INFINITY, INFINITY);
    check_both(pick_tanh, INFINITY, 1);
    check_both(pick_tanh, -INFINITY, -1);
    check_both(pick_erf, INFINITY, 1);
    check_both(pick_erf, -INFINITY, -1);
}

static void test_logarithms_outside_their_domain_are_nan(void) {
    check_both(pick_log, 0, -INFINITY);
    check_both(pick_log, -0.0, -INFINITY);
    check_both(pick_log, -1, NAN);
    check_both(pick_log, -INFINITY, NAN);
    check_both(pick_log1p, -1, -INFINITY);
    check_both(pick_log1p, -1.5, NAN);
    check_both(pick_log1p, -INFINITY, NAN);
}

static void test_tiny_arguments_and_signed_zeros_are_kept(void) {
    static const double tiny[] = {0, 1e-45, 1e-40, 1e-30, 1e-20};
    for (size_t i = 0; i < sizeof tiny / sizeof *tiny; i++)
        for (double sign = -1; sign <= 1; sign += 2) {
            double x = sign * tiny[i], x32 = (double)(float)x;
            check_value(GS_F64, pick_expm1, x, x);
            check_value(GS_F64, pick_log1p, x, x);
            check_value(GS_F64, pick_tanh, x, x);
            check_value(GS_F32, pick_expm1, x32, x32);
            check_value(GS_F32, pick_log1p, x32, x32);
            check_value(GS_F32, pick_tanh, x32, x32);
        }
    check_both(pick_erf, 0, 0);
    check_both(pick_erf, -0.0, -0.0);
    check_both(pick_exp, 0, 1);
    check_both(pick_exp, -0.0, 1);
    check_both(pick_log, 1, 0);
}

/* ln(DBL_MIN) = -708.39641853226410..., ln(DBL_MAX) = 709.78271289338397..., ln(FLT_MIN) =
   -87.336544750553..., ln(FLT_MAX) = 88.7228390520683...; the doubles and floats on either side. */
static void test_exp_ends_where_normal_numbers_end(void) {
    static points in, out;
    static const double inside[2][2] = {{-708.3964185322641, 709.782712893384},
                                        {-0x1.5d589ep6, 0x1.62e42ep6}};
    static const double outside[2][2] = {{-708.3964185322642, 709.7827128933841},
                                         {-0x1.5d58ap6, 0x1.62e43p6}};
    const gs_kernels *kernels;
    for (size_t k = 0; (kernels = gs_kernels_at(k)); k++) {
        gs_dtype dtype = kernels->dtype;
        for (size_t i = 0; i < CHUNK; i++)
            put(kernels, &in, i, i < 2 ? inside[dtype][i] : outside[dtype][i % 2]);
        kernels->exp(CHUNK, in.typed, out.typed);
        read_back(kernels, &out);
        double least = dtype == GS_F64 ? DBL_MIN : FLT_MIN;
        double most = dtype == GS_F64 ? DBL_MAX : FLT_MAX;
        CHECK(out.value[0] >= least && out.value[0] <= least * 1.0001);
        CHECK(out.value[1] <= most && out.value[1] >= most * 0.9999);
        CHECK(out.value[2] == 0 && out.value[3] == INFINITY);
    }
}

static void test_odd_functions_are_exactly_odd(void) {
    static points x, minus_x, y, minus_y;
    static unary *(*const picks[])(const gs_kernels *) = {pick_tanh, pick_erf};
    for (gs_dtype dtype = GS_F64; dtype <= GS_F32; dtype++)
        for (size_t f = 0; f < 2; f++) {
            const gs_kernels *kernels = best(dtype);
            uint64_t state = 300 + f;
            for (size_t i = 0; i < CHUNK; i++) {
                put(kernels, &x, i, 8 * uniform(&state));
                put(kernels, &minus_x, i, -x.value[i]);
            }
            picks[f](kernels)(CHUNK, x.typed, y.typed);
            picks[f](kernels)(CHUNK, minus_x.typed, minus_y.typed);
            read_back(kernels, &y);
            read_back(kernels, &minus_y);
            for (size_t i = 0; i < CHUNK; i++)
                CHECK(y.value[i] == -minus_y.value[i]);
        }
}

/* ---- Scalar functions ---- */

static void test_log10_is_right_to_0_7_ulp(void) {
    static const range ranges[] = {{1e-320, 1e308, true}, {0.4, 2.2, false}, {0.99, 1.01, false}};
    uint64_t state = 500;
    double worst = 0;
    if (!long_double_is_longer())
        SKIP("long double is no longer than double here");
    for (size_t i = 0; i < POINTS; i++) {
        double x = point_in(&ranges[i % 3], &state);
        worst = fmax(worst, ulps(GS_F64, gs_log10(x), log10l(x)));
    }
    CHECK_THAT(worst <= 0.7, "off by %.3f ulp", worst);
}

static void test_log10_of_a_power_of_ten_is_whole(void) {
    for (int n = -307; n <= 308; n++) {
        char text[16];
        snprintf(text, sizeof text, "1e%d", n);
        CHECK_THAT(gs_log10(strtod(text, NULL)) == n, "log10(1e%d) is %.17g", n,
                   gs_log10(strtod(text, NULL)));
    }
}

static void test_log10_outside_its_domain(void) {
    CHECK(gs_log10(0) == -INFINITY);
    CHECK(gs_log10(INFINITY) == INFINITY);
    CHECK(isnan(gs_log10(-1)));
    CHECK(isnan(gs_log10(NAN)));
}

TEST_MAIN(TEST(test_f64_functions_are_right_to_1_2_ulp),
          TEST(test_f32_functions_are_right_to_1_2_ulp),
          TEST(test_sine_and_cosine_are_right_to_1_2_ulp),
          TEST(test_sine_and_cosine_of_quarter_turns_are_exact),
          TEST(test_every_instruction_set_gives_the_same_bits), TEST(test_nan_gives_nan),
          TEST(test_infinity_gives_the_limit), TEST(test_logarithms_outside_their_domain_are_nan),
          TEST(test_tiny_arguments_and_signed_zeros_are_kept),
          TEST(test_exp_ends_where_normal_numbers_end), TEST(test_odd_functions_are_exactly_odd),

          TEST(test_log10_is_right_to_0_7_ulp), TEST(test_log10_of_a_power_of_ten_is_whole),
          TEST(test_log10_outside_its_domain))
