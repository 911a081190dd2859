/*
 * Expectations against closed forms, and against sums over a million points.
 */
#include "configured.h"

#include "net/config.h"
#include "theory/quadrature.h"

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
    static const size_t dimensions[] = {2, 3, 4, 15, 127, 1000000};
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

TEST_MAIN(TEST(test_half_normal_moments_are_those_of_relu), TEST(test_elu_has_its_closed_form),
          TEST(test_gelu_has_its_mean), TEST(test_a_law_without_width_is_a_point),
          TEST(test_smooth_activations_agree_with_a_plain_sum),
          TEST(test_activations_with_a_kink_agree_with_a_plain_sum),
          TEST(test_a_sphere_has_its_moments), TEST(test_relu_pairs_are_arc_cosine_kernels),
          TEST(test_a_pair_that_is_one_number_is_its_square),
          TEST(test_a_kink_of_the_other_is_met_where_it_lies),
          TEST(test_slopes_of_a_pair_are_the_derivative_by_its_correlation),
          TEST(test_a_pair_of_linear_has_the_correlation))
