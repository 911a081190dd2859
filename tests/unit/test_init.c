/*
 * Initialisation: each scheme has the moments of its law, orthogonal matrices are orthogonal, and a
 * weight is a function of (seed, layer, row, column) alone.
 */
#include "test_net.h"

#include "net/config.h"
#include "net/dense.h"
#include "net/init.h"

static gs_error error;

static gs_config *config_with(const char *option, const char *value) {
    gs_config *config = gs_config_new(&error);
    CHECK_THAT(config && gs_config_set(config, option, value, &error) == GS_OK, "%s",
               error.message);
    return config;
}

/* W [rows, cols] as --init `name` draws it. */
static gs_matrix draw(const gs_engine *engine, const char *name, double gain, uint64_t seed,
                      uint32_t layer, size_t rows, size_t cols) {
    gs_config *config = config_with("init", name);
    gs_matrix w;
    CHECK(gs_matrix_new(engine, rows, cols, &w, &error) == GS_OK);
    CHECK(gs_init_weight(engine, config->init, gain, seed, layer, &w, &error) == GS_OK);
    gs_config_free(config);
    return w;
}

/* The same as numbers, row-major. */
static double *weights(const gs_engine *engine, const char *name, double gain, uint64_t seed,
                       uint32_t layer, size_t rows, size_t cols) {
    gs_matrix w = draw(engine, name, gain, seed, layer, rows, cols);
    double *values = test_numbers(rows * cols);
    gs_matrix_read(engine, &w, values);
    gs_matrix_free(&w);
    return values;
}

/* ---- Moments ---- */

enum { FAN_OUT = 300, FAN_IN = 100, COUNT = FAN_OUT * FAN_IN };

typedef struct {
    const char *name;
    double variance; /* at gain 1 */
    bool uniform;
} law;

/* Xavier: Glorot and Bengio 2010, eqs. 12 and 16; He 2015, eq. 10; LeCun 1998, eq. 16; torch: U(+-1
   / sqrt(fan_in)). A uniform law on +-a has the variance a^2 / 3. */
static const law laws[] = {
    {"xavier", 2.0 / (FAN_IN + FAN_OUT), false},
    {"xavier-uniform", 2.0 / (FAN_IN + FAN_OUT), true},
    {"he", 2.0 / FAN_IN, false},
    {"he-uniform", 2.0 / FAN_IN, true},
    {"lecun", 1.0 / FAN_IN, false},
    {"lecun-uniform", 1.0 / FAN_IN, true},
    {"normal:0.3", 0.09, false},
    {"uniform:0.3", 0.03, true},
    {"scaled:1.5", 2.25 / FAN_IN, false},
    {"torch", 1.0 / (3.0 * FAN_IN), true},
};

/* Means of n independent numbers within four standard errors: of x, sqrt(1 / n); of x^2, sqrt(2 /
   n) for the normal law and sqrt(0.8 / n) for the uniform one; of x^4, sqrt(96 / n) and sqrt(2.56 /
   n), at variance 1, where the law has the fourth moments 3 and 1.8. */
static void check_law(const law *l, const double *w, double gain) {
    double mean = 0, square = 0, fourth = 0, largest = 0, sigma = gain * sqrt(l->variance);
    for (size_t i = 0; i < COUNT; i++) {
        double x = w[i] / sigma;
        mean += x / COUNT, square += x * x / COUNT, fourth += x * x * x * x / COUNT;
        largest = fmax(largest, fabs(x));
    }
    double four = 4 / sqrt(COUNT);
    CHECK_THAT(fabs(mean) <= four, "%s: mean %g", l->name, mean);
    CHECK_THAT(fabs(square - 1) <= four * sqrt(l->uniform ? 0.8 : 2), "%s: variance %g", l->name,
               square);
    CHECK_THAT(fabs(fourth - (l->uniform ? 1.8 : 3)) <= four * sqrt(l->uniform ? 2.56 : 96),
               "%s: fourth moment %g", l->name, fourth);
    /* the chance that no normal number of 30000 is beyond 3.5 is 1e-6 */
    CHECK_THAT(l->uniform ? largest <= sqrt(3) * (1 + 0x1p-22) && largest > sqrt(3) * 0.999
                          : largest > 3.5,
               "%s: largest %g", l->name, largest);
}

static void check_laws(const gs_engine *engine) {
    for (size_t i = 0; i < sizeof laws / sizeof *laws; i++) {
        double *w = weights(engine, laws[i].name, 0.7, 1, 3, FAN_OUT, FAN_IN);
        check_law(&laws[i], w, 0.7);
        free(w);
    }
}

static void test_every_scheme_has_the_moments_of_its_law(void) {
    test_on_every_table(check_laws);
}

static void check_same_weights(const gs_engine *engine) {
    gs_engine portable = {.kernels = test_portable(engine->kernels)};
    static const char *const names[] = {"he", "torch", "orthogonal:2", "identity", "constant:0.1"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        double *a = weights(engine, names[i], 1.1, 5, 2, 23, 37);
        double *b = weights(&portable, names[i], 1.1, 5, 2, 23, 37);
        CHECK_THAT(memcmp(a, b, 23 * 37 * sizeof *a) == 0, "%s on %s", names[i],
                   engine->kernels->isa);
        free(a), free(b);
    }
}

static void test_weights_are_the_same_bytes_on_every_table(void) {
    test_on_every_table(check_same_weights);
}

/* ---- A weight is a function of (seed, layer, row, column) ---- */

static void check_prefix(const gs_engine *engine) {
    double *large = weights(engine, "normal:1", 1, 7, 2, 30, 40);
    for (size_t rows = 1; rows <= 30; rows += 7)
        for (size_t cols = 1; cols <= 40; cols += 6) {
            double *small = weights(engine, "normal:1", 1, 7, 2, rows, cols);
            for (size_t i = 0; i < rows; i++)
                CHECK(memcmp(small + i * cols, large + i * 40, cols * sizeof *small) == 0);
            free(small);
        }
    free(large);
}

static void test_a_smaller_matrix_is_the_corner_of_a_larger_one(void) {
    test_on_every_table(check_prefix);
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* 64 bits stand behind a number: two of 2400 are the same with a chance of 1e-12. */
static void test_no_two_weights_seeds_and_layers_share_a_number(void) {
    gs_engine engine = {.kernels = gs_kernels_at(0)};
    CHECK(engine.kernels->dtype == GS_F64);
    double *all = test_numbers(3 * 800);
    for (size_t i = 0; i < 3; i++) {
        double *w = weights(&engine, "uniform:1", 1, i == 1 ? 8 : 7, i == 2 ? 3 : 2, 20, 40);
        memcpy(all + i * 800, w, 800 * sizeof *w);
        free(w);
    }
    qsort(all, 3 * 800, sizeof *all, by_value);
    for (size_t i = 1; i < 3 * 800; i++)
        CHECK(all[i] != all[i - 1]);
    free(all);
}

static void check_padding(const gs_engine *engine) {
    static const char *const names[] = {"he", "uniform:1", "orthogonal", "identity:2",
                                        "constant:3"};
    for (size_t n = 0; n < sizeof names / sizeof *names; n++)
        for (size_t i = 0; i < TEST_SIZES; i++) {
            gs_matrix w = draw(engine, names[n], 1, 1, 1, test_units[i], 13);
            for (size_t r = 0; r < w.row_tiles * GS_TILE; r++)
                for (size_t c = 0; c < w.col_tiles * GS_TILE; c++)
                    CHECK_THAT((r < w.rows && c < w.cols) || engine->kernels->get(gs_matrix_element(
                                                                 engine->kernels, &w, r, c)) == 0,
                               "%s: (%zu, %zu) of %zu x %zu", names[n], r, c, w.rows, w.cols);
            gs_matrix_free(&w);
        }
}

static void test_what_lies_outside_the_matrix_is_zero(void) {
    test_on_every_table(check_padding);
}

/* ---- Orthogonal ---- */

/* W W^T = g^2 I, or W^T W if W is tall. Gram-Schmidt twice leaves rows of norm 1 that are
   orthogonal to a few roundings of their longest sum; each stored entry has one more. */
static void check_orthogonal(const gs_engine *engine, size_t rows, size_t cols, const char *name,
                             double gain, double g) {
    double *w = weights(engine, name, gain, 3, 1, rows, cols);
    bool tall = rows > cols;
    size_t count = tall ? cols : rows, length = tall ? rows : cols;
    double tolerance = 8 * sqrt((double)length) * test_rounding(engine->kernels);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++) {
            double dot = 0;
            for (size_t k = 0; k < length; k++)
                dot += tall ? w[k * cols + i] * w[k * cols + j] : w[i * cols + k] * w[j * cols + k];
            CHECK_THAT(fabs(dot / (g * g) - (i == j)) <= tolerance, "%zu x %zu: (%zu, %zu) is %g",
                       rows, cols, i, j, dot / (g * g));
        }
    free(w);
}

static void check_orthogonals(const gs_engine *engine) {
    check_orthogonal(engine, 1, 1, "orthogonal", 1, 1);
    check_orthogonal(engine, 40, 40, "orthogonal", 1, 1);
    check_orthogonal(engine, 130, 130, "orthogonal:1.5", 1, 1.5);
    check_orthogonal(engine, 9, 130, "orthogonal:-2", 1, 2);
    check_orthogonal(engine, 130, 7, "orthogonal:0.5", 3, 1.5);
    check_orthogonal(engine, 16, 17, "orthogonal", 1e-3, 1e-3);
    check_orthogonal(engine, 8, 1, "orthogonal", 1, 1);
}

static void test_orthogonal_weights_are_orthogonal_wide_tall_and_square(void) {
    test_on_every_table(check_orthogonals);
}

/* Row i of a naive Gram-Schmidt in place, where rows before it are orthonormal. */
static void orthonormalise(double *rows, size_t i, size_t cols) {
    double *v = rows + i * cols, squares = 0;
    for (size_t pass = 0; pass < 2; pass++)
        for (size_t j = 0; j < i; j++) {
            double dot = 0;
            for (size_t k = 0; k < cols; k++)
                dot += rows[j * cols + k] * v[k];
            for (size_t k = 0; k < cols; k++)
                v[k] -= dot * rows[j * cols + k];
        }
    for (size_t k = 0; k < cols; k++)
        squares += v[k] * v[k];
    for (size_t k = 0; k < cols; k++)
        v[k] /= sqrt(squares);
}

/* The law is uniform because R has a positive diagonal (Mezzadri 2007): W is the Gram-Schmidt of
   the normal matrix of the same seed. A rounding is magnified by the condition of that matrix: near
   100. */
static void test_orthogonal_weights_are_the_gram_schmidt_of_a_normal_matrix(void) {
    gs_engine engine = {.kernels = gs_kernels_at(0)};
    enum { ROWS = 20, COLS = 30 };
    double *expected = weights(&engine, "normal:1", 1, 3, 1, ROWS, COLS);
    double *actual = weights(&engine, "orthogonal", 1, 3, 1, ROWS, COLS);
    for (size_t i = 0; i < ROWS; i++)
        orthonormalise(expected, i, COLS);
    for (size_t i = 0; i < ROWS * COLS; i++)
        CHECK(fabs(actual[i] - expected[i]) <= 100 * ROWS * 0x1p-53);
    free(expected), free(actual);
}

/* ---- Identity, constant, and biases ---- */

static void check_fixed(const gs_engine *engine) {
    double *identity = weights(engine, "identity:3", 0.5, 1, 1, 9, 11);
    double *constant = weights(engine, "constant:-3", 0.5, 1, 1, 9, 11);
    for (size_t i = 0; i < 99; i++)
        CHECK(identity[i] == (i / 11 == i % 11 ? 1.5 : 0) && constant[i] == -1.5);
    free(identity), free(constant);
}

static void test_identity_and_constant_are_what_they_say(void) {
    test_on_every_table(check_fixed);
}

static gs_dense dense_with_bias(const gs_engine *engine, const char *bias, size_t out,
                                uint32_t layer) {
    gs_config *config = config_with("bias", bias);
    gs_dense dense;
    CHECK(gs_dense_new(engine, out, 1, true, &dense, &error) == GS_OK);
    CHECK(gs_dense_draw(engine, &dense, config->init, 1, config->bias, 4, layer, &error) == GS_OK);
    gs_config_free(config);
    return dense;
}

static void check_biases(const gs_engine *engine) {
    bool narrow = engine->kernels->dtype == GS_F32;
    gs_dense constant = dense_with_bias(engine, "0.1", 9, 1);
    for (size_t u = 0; u < 9; u++)
        CHECK(constant.bias.values[u] == (narrow ? (double)0.1f : 0.1));
    gs_dense_free(&constant);

    gs_dense normal = dense_with_bias(engine, "normal:0.5", 2000, 1);
    gs_dense shorter = dense_with_bias(engine, "normal:0.5", 13, 1);
    gs_dense other = dense_with_bias(engine, "normal:0.5", 13, 2);
    double mean = 0, square = 0;
    for (size_t u = 0; u < 2000; u++) {
        double x = normal.bias.values[u] / 0.5;
        mean += x / 2000, square += x * x / 2000;
        CHECK(!narrow || (double)(float)normal.bias.values[u] == normal.bias.values[u]);
        CHECK(u >= 13 || shorter.bias.values[u] == normal.bias.values[u]);
        CHECK(u >= 13 || other.bias.values[u] != normal.bias.values[u]);
    }
    CHECK_THAT(fabs(mean) <= 4 / sqrt(2000) && fabs(square - 1) <= 4 * sqrt(2.0 / 2000),
               "mean %g, variance %g", mean, square); /* four standard errors */
    gs_dense_free(&normal), gs_dense_free(&shorter), gs_dense_free(&other);
}

static void test_biases_are_constant_or_normal_and_each_depends_on_its_unit_alone(void) {
    test_on_every_table(check_biases);
}

TEST_MAIN(TEST(test_every_scheme_has_the_moments_of_its_law),
          TEST(test_weights_are_the_same_bytes_on_every_table),
          TEST(test_a_smaller_matrix_is_the_corner_of_a_larger_one),
          TEST(test_no_two_weights_seeds_and_layers_share_a_number),
          TEST(test_what_lies_outside_the_matrix_is_zero),
          TEST(test_orthogonal_weights_are_orthogonal_wide_tall_and_square),
          TEST(test_orthogonal_weights_are_the_gram_schmidt_of_a_normal_matrix),
          TEST(test_identity_and_constant_are_what_they_say),
          TEST(test_biases_are_constant_or_normal_and_each_depends_on_its_unit_alone))
