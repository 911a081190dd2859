/*
 * Expectations against closed forms, and against sums over a million points.
 */
#include "configured.h"

#include "net/config.h"
#include "theory/series.h"

static const double pi = 3.14159265358979323846;

static gs_quadrature *quadrature_of(const char *act) {
    gs_config *config = configure((const char *const[][2]){{"act", act}, {NULL, NULL}});
    gs_quadrature *quadrature = gs_quadrature_new(config->act, &error);
    CHECK(quadrature);
    gs_config_free(config);
    return quadrature;
}

static gs_moments expect(const char *act, gs_law law) {
    gs_quadrature *quadrature = quadrature_of(act);
    gs_moments moments = gs_expect(quadrature, law);
    gs_quadrature_free(quadrature);
    return moments;
}

static gs_pair_moments expect_pair(const char *act, gs_law law, double correlation) {
    gs_quadrature *quadrature = quadrature_of(act);
    gs_pair_moments moments = gs_expect_pair(quadrature, law, correlation);
    gs_quadrature_free(quadrature);
    return moments;
}

static void test_half_normal_moments_are_those_of_relu(void) {
    gs_moments m = expect("relu", (gs_law){0, 3, GS_NORMAL});
    CHECK_CLOSE(m.phi, 3 / sqrt(2 * pi), 1e-13);
    CHECK_CLOSE(m.phi2, 4.5, 1e-13);
    CHECK_CLOSE(m.slope, 0.5, 1e-13);
    CHECK_CLOSE(m.slope2, 0.5, 1e-13);
    CHECK_CLOSE(m.c_slope, 3 / sqrt(2 * pi), 1e-13);
    CHECK_CLOSE(m.c_phi_slope, 4.5, 1e-13);
    CHECK_CLOSE(m.phi2_slope2, 4.5, 1e-13);
    CHECK_CLOSE(m.c2_slope2, 4.5, 1e-13);
}

/* E exp(z) = exp(1/2) over all z, so that over z < 0 it is exp(1/2) Phi(-1); elu is exp(z) - 1
   there. */
static void test_elu_has_its_closed_form(void) {
    double below = exp(0.5) * erfc(1 / sqrt(2)) / 2;
    gs_moments m = expect("elu", (gs_law){0, 1, GS_NORMAL});
    CHECK_CLOSE(m.phi, 1 / sqrt(2 * pi) + below - 0.5, 1e-13);
    CHECK_CLOSE(m.slope, 0.5 + below, 1e-13);
    CHECK_CLOSE(m.slope2, 0.5 + exp(2) * erfc(2 / sqrt(2)) / 2, 1e-13);
}

/* E z Phi(z) = E phi(z), the density, by parts: 1 / (2 sqrt pi). */
static void test_gelu_has_its_mean(void) {
    CHECK_CLOSE(expect("gelu", (gs_law){0, 1, GS_NORMAL}).phi, 1 / (2 * sqrt(pi)), 1e-13);
}

static void test_a_law_without_width_is_a_point(void) {
    gs_moments m = expect("tanh", (gs_law){0.5, 0, GS_NORMAL});
    CHECK_CLOSE(m.phi, tanh(0.5), 1e-15);
    CHECK_CLOSE(m.slope2, pow(1 - tanh(0.5) * tanh(0.5), 2), 1e-14);
    CHECK(m.c_slope == 0);
}

/* ---- Every activation, against the midpoint rule on the same kernels ---- */

static gs_moments midpoints(gs_quadrature *quadrature, gs_law law, size_t points) {
    gs_moments m = {0};
    double total = 0, reach = 10 * law.deviation;
    double *x = test_numbers(points), *phi = test_numbers(points), *slope = test_numbers(points);
    for (size_t i = 0; i < points; i++)
        x[i] = law.mean + reach * (2 * ((double)i + 0.5) / (double)points - 1);
    gs_evaluate(quadrature, points, x, phi, slope);
    for (size_t i = 0; i < points; i++) {
        double c = x[i] - law.mean, w = exp(-c * c / (2 * law.deviation * law.deviation));
        total += w;
        m.phi += w * phi[i];
        m.phi2 += w * phi[i] * phi[i];
        m.slope2 += w * slope[i] * slope[i];
        m.c_phi_slope += w * c * phi[i] * slope[i];
        m.phi2_slope2 += w * phi[i] * phi[i] * slope[i] * slope[i];
    }
    m.phi /= total;
    m.phi2 /= total;
    m.slope2 /= total;
    m.c_phi_slope /= total;
    m.phi2_slope2 /= total;
    free(x);
    free(phi);
    free(slope);
    return m;
}

/* Midpoints are exact to far beyond rounding where all is smooth and vanishes at the ends; and at a
   kink in the middle between two of them to h^2. */
static void check_against_midpoints(const char *act, gs_law law, double tolerance) {
    enum { POINTS = 200000 };
    gs_quadrature *quadrature = quadrature_of(act);
    gs_moments fine = midpoints(quadrature, law, POINTS);
    gs_moments m = gs_expect(quadrature, law);
    const double pairs[][2] = {{m.phi, fine.phi},
                               {m.phi2, fine.phi2},
                               {m.slope2, fine.slope2},
                               {m.c_phi_slope, fine.c_phi_slope},
                               {m.phi2_slope2, fine.phi2_slope2}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        double scale = fmax(fabs(pairs[i][1]), 1e-2 * sqrt(m.phi2));
        CHECK_THAT(fabs(pairs[i][0] - pairs[i][1]) <= tolerance * scale,
                   "%s, mean %g, deviation %g, moment %zu: %.15g and %.15g", act, law.mean,
                   law.deviation, i, pairs[i][0], pairs[i][1]);
    }
    gs_quadrature_free(quadrature);
}

static void test_smooth_activations_agree_with_a_plain_sum(void) {
    static const char *const acts[] = {"linear", "sigmoid",   "tanh",     "silu",
                                       "gelu",   "gelu-tanh", "softplus", "mish"};
    static const double deviations[] = {1e-3, 0.3, 1, 7, 300}, means[] = {0, 1.7};
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
        for (size_t j = 0; j < 10; j++)
            check_against_midpoints(acts[i], (gs_law){means[j % 2], deviations[j / 2], GS_NORMAL},
                                    1e-10);
}

/* The points lie on both sides of the kink alike. */
static void test_activations_with_a_kink_agree_with_a_plain_sum(void) {
    static const char *const acts[] = {"relu", "leaky-relu:0.2", "prelu", "elu:2", "selu"};
    static const double deviations[] = {1e-3, 0.3, 1, 7};
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
        for (size_t j = 0; j < 4; j++)
            check_against_midpoints(acts[i], (gs_law){0, deviations[j], GS_NORMAL}, 1e-7);
}

/* ---- Spheres ---- */

/* y = sqrt(d) t: E y^2 = 1, E y^4 = 3 d / (d + 2). */
static void test_a_sphere_has_its_moments(void) {
    static const size_t dimensions[] = {2, 3, 4, 15, 33, 36, 48, 49, 127, 1000000};
    for (size_t i = 0; i < sizeof dimensions / sizeof *dimensions; i++) {
        double d = (double)dimensions[i];
        gs_moments m = expect("linear", (gs_law){0.5, 2, dimensions[i]});
        CHECK_CLOSE(m.phi, 0.5, 1e-12);
        CHECK_CLOSE(m.c_phi_slope, 4, 1e-12);
        m = expect("relu", (gs_law){0, 1, dimensions[i]});
        CHECK_CLOSE(m.phi2, 0.5, 1e-12);
        m = expect("softplus", (gs_law){0, 1e-3, dimensions[i]});
        CHECK_CLOSE(m.slope, 0.5, 1e-12);
        /* sigmoid^2 (1 - sigmoid)^2 = 1/16 - y^2/32 + 7 y^4/768 - ... */
        m = expect("sigmoid", (gs_law){0, 0.01, dimensions[i]});
        double series = 1.0 / 16 - 1e-4 / 32 + 1e-8 * 3 * d / (d + 2) * 7 / 768;
        CHECK_CLOSE(m.slope2, series, 1e-12);
    }
}

/* ---- Pairs ---- */

/* E relu relu' = (sqrt(1 - r^2) + r (pi - acos r)) / (2 pi) (Cho and Saul 2009), on a sphere too,
   since relu is homogeneous; E relu' relu'' = (pi - acos r) / (2 pi). */
/* In 3 dimensions x' lies on a circle when x is known, and where its density is infinite the
   last bit of x moves it by the root of that. */
static void check_relu_pair(size_t dimension, double r) {
    gs_pair_moments m = expect_pair("relu", (gs_law){0, 1, dimension}, r);
    double angle = pi - acos(r), tolerance = dimension == 3 ? 1e-9 : 1e-12;
    CHECK_CLOSE(m.phi, (sqrt(1 - r * r) + r * angle) / (2 * pi), tolerance);
    CHECK_CLOSE(m.slope, angle / (2 * pi), tolerance);
}

static void test_relu_pairs_are_arc_cosine_kernels(void) {
    static const double correlations[] = {-0.9, -1.0 / 7, 0, 0.3, 0.99, 0.999999};
    static const size_t dimensions[] = {3, 4, 7, 31, 100, 1000000};
    for (size_t i = 0; i < sizeof correlations / sizeof *correlations; i++)
        check_relu_pair(GS_NORMAL, correlations[i]);
    for (size_t i = 0; i < sizeof dimensions / sizeof *dimensions; i++) /* as of a batch norm */
        check_relu_pair(dimensions[i], -1 / (double)dimensions[i]);
}

static void test_a_pair_that_is_one_number_is_its_square(void) {
    gs_moments one = expect("tanh", (gs_law){0.2, 1.3, GS_NORMAL});
    gs_pair_moments same = expect_pair("tanh", (gs_law){0.2, 1.3, GS_NORMAL}, 1);
    gs_pair_moments opposite = expect_pair("tanh", (gs_law){0, 1.3, GS_NORMAL}, -1);
    CHECK_CLOSE(same.phi, one.phi2, 1e-12);
    CHECK_CLOSE(same.slope, one.slope2, 1e-12);
    CHECK_CLOSE(opposite.phi, -expect("tanh", (gs_law){0, 1.3, GS_NORMAL}).phi2, 1e-12);
}

/* x' = 2 mean - x where the correlation is -1: both slopes of relu are 1 where |x - mean| <
   mean. */
static void test_a_kink_of_the_other_is_met_where_it_lies(void) {
    gs_law law = {0.3, 10, GS_NORMAL};
    CHECK_CLOSE(expect_pair("relu", law, -1).slope, erf(0.03 / sqrt(2)), 1e-10);
}

/* Price's theorem: d E phi phi' / dr = deviation^2 E slope slope'. */
static void test_slopes_of_a_pair_are_the_derivative_by_its_correlation(void) {
    static const char *const acts[] = {"tanh", "gelu", "selu"};
    for (size_t i = 0; i < 3; i++) {
        gs_law law = {0.3, 1.2, GS_NORMAL};
        double h = 1e-4, high = expect_pair(acts[i], law, 0.4 + h).phi;
        double low = expect_pair(acts[i], law, 0.4 - h).phi;
        CHECK_CLOSE(1.44 * expect_pair(acts[i], law, 0.4).slope, (high - low) / (2 * h), 1e-7);
    }
}

static void test_a_pair_of_linear_has_the_correlation(void) {
    CHECK_CLOSE(expect_pair("linear", (gs_law){0, 2, 9}, -1.0 / 9).c_slope, -4.0 / 9, 1e-12);
    CHECK_CLOSE(expect_pair("linear", (gs_law){1, 2, GS_NORMAL}, 0.5).phi, 3, 1e-12);
}

/* ---- Pairs by a series ---- */

/* The polynomials of the law by their textbook recurrences: Hermite's over sqrt(k!), and
   Gegenbauer's that are 1 at 1 times the root of `terms`, which makes their square 1 in the mean;
   and what E[e_k(y') | y] is of e_k(y). */
typedef struct {
    double d, before, here; /* d is 0 where the law is normal */
    double terms;
} polynomial;

static polynomial polynomial_of(size_t k, size_t dimension, double y) {
    polynomial p = {dimension == GS_NORMAL ? 0 : (double)dimension, 0, 1, 1};
    double d = p.d, t = d > 0 ? y / sqrt(d) : y;
    for (size_t i = 0; i < k; i++) {
        double n = (double)i, next = t * p.here - n * p.before;
        if (d > 0 && i > 0)
            next = ((2 * n + d - 2) * t * p.here - n * p.before) / (n + d - 2);
        if (d > 0 && i == 0)
            next = t;
        p.before = p.here;
        p.here = next;
        p.terms *= d > 0 ? (i == 0 ? d : (2 * n + d) / (2 * n + d - 2) * (n + d - 2) / (n + 1))
                         : 1 / (n + 1);
    }
    return p;
}

static double orthonormal(size_t k, size_t dimension, double y) {
    polynomial p = polynomial_of(k, dimension, y);
    return sqrt(p.terms) * p.here;
}

static double eigenvalue(size_t k, size_t dimension, double correlation) {
    if (dimension == GS_NORMAL)
        return pow(correlation, (double)k);
    return polynomial_of(k, dimension, correlation * sqrt((double)dimension)).here;
}

static const gs_kernels *f64_kernels(void) {
    const gs_kernels *kernels;
    CHECK(gs_kernels_get(GS_F64, &kernels, &error) == GS_OK);
    return kernels;
}

static double expect_product(const gs_rule *rule, size_t dimension, size_t i, size_t j) {
    double sum = 0;
    for (size_t at = 0; at < rule->count; at++)
        sum += rule->weight[at] * orthonormal(i, dimension, rule->x[at]) *
               orthonormal(j, dimension, rule->x[at]);
    return sum;
}

/* What an activation is made of has low degrees, so that a product counts far beyond a square. */
static void test_rules_are_fine_enough_for_polynomials(void) {
    static const struct {
        size_t dimension;
        int degree;
        size_t square, product; /* up to which */
    } cases[] = {{3, 63, 32, 63},       {5, 63, 32, 63},        {15, 63, 32, 63},
                 {31, 63, 32, 63},      {48, 63, 32, 63},       {9, 191, 128, 191},
                 {15, 191, 128, 191},   {32, 191, 128, 191},    {49, 63, 16, 32},
                 {63, 63, 16, 32},      {127, 63, 16, 63},      {1023, 63, 16, 63},
                 {1000000, 63, 16, 63}, {GS_NORMAL, 63, 16, 63}};
    static gs_rule rule;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t d = cases[i].dimension;
        gs_rule_make(f64_kernels(), (gs_law){0, 1, d}, cases[i].degree, NULL, &rule);
        for (size_t k = 4; k <= cases[i].product; k++) {
            double product = expect_product(&rule, d, 3, k);
            CHECK_THAT(fabs(product) <= 1e-4, "%zu dimensions, e_3 e_%zu: %g", d, k, product);
        }
        for (size_t k = 0; k <= cases[i].square; k++) {
            double square = expect_product(&rule, d, k, k);
            CHECK_THAT(fabs(square - 1) <= 1e-4, "%zu dimensions, e_%zu^2: %.9g", d, k, square);
        }
    }
}

static void test_a_polynomial_of_the_law_has_its_eigenvalue(void) {
    static const size_t dimensions[] = {3, 4, 8, 15, 31, GS_NORMAL};
    static const double correlations[] = {-0.6, -0.1, 0, 0.3};
    static gs_rule rule;
    for (size_t i = 0; i < 6 * 4 * 9; i++) {
        size_t d = dimensions[i % 6], k = i / 24;
        double c = correlations[i / 6 % 4];
        gs_law law = {0.5, 2, d};
        gs_moments moments = {.phi2 = 1, .slope2 = 1, .c2_slope2 = 4};
        gs_pair_moments pair;
        gs_rule_make(f64_kernels(), law, 63, NULL, &rule);
        for (size_t j = 0; j < rule.count; j++) {
            rule.phi[j] = orthonormal(k, d, (rule.x[j] - 0.5) / 2);
            rule.slope[j] = 1;
        }
        CHECK(gs_pair_series(law, c, 63, &rule, &moments, &pair));
        CHECK_THAT(fabs(pair.phi - eigenvalue(k, d, c)) <= 1e-11 && fabs(pair.slope - 1) <= 1e-11 &&
                       fabs(pair.c_slope - 4 * c) <= 1e-11,
                   "%zu dimensions, correlation %g, e_%zu: %.12g %.12g %.12g", d, c, k, pair.phi,
                   pair.slope, pair.c_slope);
    }
}

static const char *const every_act[] = {"sigmoid", "tanh",  "relu",      "leaky-relu:0.2",
                                        "elu",     "elu:2", "selu",      "silu",
                                        "gelu",    "mish",  "gelu-tanh", "softplus"};
enum { ACTS = sizeof every_act / sizeof *every_act };

static void check_pairs(const char *act, gs_law law, double correlation, gs_pair_moments actual,
                        gs_pair_moments expected, gs_moments one, double tolerance) {
    CHECK_THAT(fabs(actual.phi - expected.phi) <= tolerance * one.phi2 &&
                   fabs(actual.slope - expected.slope) <= tolerance * one.slope2 &&
                   fabs(actual.c_slope - expected.c_slope) <= tolerance * one.c2_slope2,
               "%s, %zu dimensions, mean %g, deviation %g, correlation %g: %.13g %.13g %.13g, not "
               "%.13g %.13g %.13g",
               act, law.dimension, law.mean, law.deviation, correlation, actual.phi, actual.slope,
               actual.c_slope, expected.phi, expected.slope, expected.c_slope);
}

static void check_against_nested(const char *act, gs_law law, double correlation) {
    gs_quadrature *quadrature = quadrature_of(act);
    gs_pair_moments actual = gs_expect_pair(quadrature, law, correlation);
    gs_pair_moments nested = gs_expect_pair_nested(quadrature, law, correlation);
    gs_moments one = gs_expect(quadrature, law);
    check_pairs(act, law, correlation, actual, nested, one, 1e-11);
    gs_quadrature_free(quadrature);
}

static void test_series_are_nested_integrals(void) {
    static const size_t dimensions[] = {9, 15, 16, 25, 31, 33, 48, 49, 63, 127, 511, 1024};
    for (size_t i = 0; i < ACTS; i++) {
        for (size_t j = 0; j < sizeof dimensions / sizeof *dimensions; j++) {
            gs_law law = {0, j % 2 == 0 ? 0.99 : 0.3, dimensions[j]};
            check_against_nested(every_act[i], law, -1 / (double)dimensions[j]);
            check_against_nested(every_act[i], law, j % 2 == 0 ? 0.02 : -0.2);
        }
        check_against_nested(every_act[i], (gs_law){0.3, 0.9, 63}, -1.0 / 63);
        check_against_nested(every_act[i], (gs_law){0, 1, GS_NORMAL}, -0.3);
        check_against_nested(every_act[i], (gs_law){0.5, 0.1, GS_NORMAL}, 0.8);
        check_against_nested(every_act[i], (gs_law){-2, 3, GS_NORMAL}, 0.1);
        check_against_nested(every_act[i], (gs_law){0, 0.7, GS_NORMAL}, 0);
    }
}

/* x = radius cos(a), x' = radius (c cos(a) + sqrt(1 - c^2) sin(a) cos(b)): the densities of the two
   angles are sin^(d - 2) and sin^(d - 3). */
static gs_pair_moments over_angles(gs_quadrature *quadrature, gs_law law, double correlation) {
    enum { PANELS = 12, NODES = PANELS * GS_PANEL_NODES };
    double breaks[PANELS + 1], angle[NODES], weight[NODES], total = 0;
    double d = (double)law.dimension, radius = law.deviation * sqrt(d);
    double *x = test_numbers(NODES + 1), *phi = test_numbers(NODES + 1);
    double *slope = test_numbers(NODES + 1);
    gs_pair_moments m = {0};
    for (size_t i = 0; i <= PANELS; i++)
        breaks[i] = pi * (double)i / PANELS;
    gs_gauss_legendre(breaks, PANELS + 1, angle, weight);
    for (size_t i = 0; i < NODES; i++) {
        double c = radius * cos(angle[i]), own = pow(sin(angle[i]), d - 2) * weight[i];
        double across = sqrt(1 - correlation * correlation) * radius * sin(angle[i]);
        for (size_t j = 0; j < NODES; j++)
            x[j] = law.mean + correlation * c + across * cos(angle[j]);
        x[NODES] = law.mean + c;
        gs_evaluate(quadrature, NODES + 1, x, phi, slope);
        for (size_t j = 0; j < NODES; j++) {
            double w = own * pow(sin(angle[j]), d - 3) * weight[j];
            total += w;
            m.phi += w * phi[NODES] * phi[j];
            m.slope += w * slope[NODES] * slope[j];
            m.c_slope += w * c * slope[NODES] * (x[j] - law.mean) * slope[j];
        }
    }
    free(x);
    free(phi);
    free(slope);
    return (gs_pair_moments){m.phi / total, m.slope / total, m.c_slope / total};
}

static void test_series_in_few_dimensions_are_integrals_over_angles(void) {
    static const char *const acts[] = {"sigmoid", "tanh", "silu", "gelu", "softplus", "mish"};
    for (size_t i = 0; i < 6; i++)
        for (size_t d = 3; d <= 9; d++) {
            gs_quadrature *quadrature = quadrature_of(acts[i]);
            gs_law law = {0.1, d % 2 == 0 ? 0.99 : 0.2, d};
            double correlation = i % 2 == 0 ? -1 / (double)d : 0.2;
            gs_pair_moments actual = gs_expect_pair(quadrature, law, correlation);
            gs_pair_moments angles = over_angles(quadrature, law, correlation);
            gs_moments one = gs_expect(quadrature, law);
            check_pairs(acts[i], law, correlation, actual, angles, one, 1e-11);
            gs_quadrature_free(quadrature);
        }
}

/* A kink in few dimensions, and numbers that are nearly one. */
static void test_what_no_series_ends_for_is_integrated(void) {
    static const struct {
        gs_law law;
        double correlation;
    } cases[] = {{{0, 1, 5}, -0.2}, {{0.1, 1, GS_NORMAL}, 0.999}, {{0.1, 1, 15}, 0.99}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gs_law law = cases[i].law;
        gs_quadrature *quadrature = quadrature_of("selu");
        gs_pair_moments actual = gs_expect_pair(quadrature, law, cases[i].correlation);
        gs_pair_moments nested = gs_expect_pair_nested(quadrature, law, cases[i].correlation);
        CHECK(actual.phi == nested.phi && actual.slope == nested.slope);
        CHECK(actual.c_slope == nested.c_slope);
        gs_quadrature_free(quadrature);
    }
}

TEST_MAIN(TEST(test_half_normal_moments_are_those_of_relu), TEST(test_elu_has_its_closed_form),
          TEST(test_gelu_has_its_mean), TEST(test_a_law_without_width_is_a_point),
          TEST(test_smooth_activations_agree_with_a_plain_sum),
          TEST(test_activations_with_a_kink_agree_with_a_plain_sum),
          TEST(test_a_sphere_has_its_moments), TEST(test_relu_pairs_are_arc_cosine_kernels),
          TEST(test_a_pair_that_is_one_number_is_its_square),
          TEST(test_a_kink_of_the_other_is_met_where_it_lies),
          TEST(test_slopes_of_a_pair_are_the_derivative_by_its_correlation),
          TEST(test_a_pair_of_linear_has_the_correlation),
          TEST(test_rules_are_fine_enough_for_polynomials),
          TEST(test_a_polynomial_of_the_law_has_its_eigenvalue),
          TEST(test_series_are_nested_integrals),
          TEST(test_series_in_few_dimensions_are_integrals_over_angles),
          TEST(test_what_no_series_ends_for_is_integrated))
