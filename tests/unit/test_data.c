#include "train/data.h"

#include "test.h"

/* ---- Scaling ---- */

static gs_data data_of(double *values, size_t examples, size_t features) {
    return (gs_data){.examples = examples, .features = features, .values = values};
}

static void test_unit_scale_divides_by_the_largest_magnitude_of_all(void) {
    double values[] = {1, -8, 2, 4};
    gs_data data = data_of(values, 2, 2);
    gs_data_scale(&data, NULL, GS_SCALE_UNIT);
    CHECK(values[0] == 0.125 && values[1] == -1 && values[2] == 0.25 && values[3] == 0.5);
    double zeros[] = {0, 0};
    data = data_of(zeros, 2, 1);
    gs_data_scale(&data, NULL, GS_SCALE_UNIT);
    CHECK(zeros[0] == 0 && zeros[1] == 0);
}

static void test_no_scale_changes_nothing(void) {
    double values[] = {1, -8};
    gs_data data = data_of(values, 2, 1);
    gs_data_scale(&data, NULL, GS_SCALE_NONE);
    CHECK(values[0] == 1 && values[1] == -8);
}

/* Of 1, 2, 3, 4 the mean is 5/2 and the variance 5/4: (1 - 5/2) / sqrt(5/4) = -3 / sqrt 5. A few
   roundings of 2^-53 each. */
static void test_standard_scale_is_by_mean_and_population_deviation(void) {
    double values[] = {1, 2, 3, 4};
    gs_data data = data_of(values, 4, 1);
    gs_data_scale(&data, NULL, GS_SCALE_STANDARD);
    CHECK_CLOSE(values[0], -1.3416407864998738, 1e-15);
    CHECK_CLOSE(values[1], -0.4472135954999579, 1e-15);
    CHECK_CLOSE(values[3], 1.3416407864998738, 1e-15);
}

/* Ten times 0.1, summed and divided by ten, is not 0.1. */
static void test_standard_scale_sends_a_constant_feature_to_zero(void) {
    double values[20];
    for (size_t i = 0; i < 20; i++)
        values[i] = i % 2 == 0 ? 0.1 : (double)i;
    gs_data data = data_of(values, 10, 2);
    gs_data_scale(&data, NULL, GS_SCALE_STANDARD);
    for (size_t i = 0; i < 20; i += 2)
        CHECK(values[i] == 0);
    CHECK(values[19] > 1);
}

static void test_standard_scale_does_not_depend_on_the_unit(void) {
    const double raw[] = {3, -1, 4, 1, -5};
    const int exponents[] = {0, 1000, -1000, 1020, -1060};
    double expected[5];
    for (size_t i = 0; i < sizeof exponents / sizeof *exponents; i++) {
        double values[5];
        for (size_t j = 0; j < 5; j++)
            values[j] = ldexp(raw[j], exponents[i]);
        gs_data data = data_of(values, 5, 1);
        gs_data_scale(&data, NULL, GS_SCALE_STANDARD);
        if (i == 0)
            memcpy(expected, values, sizeof expected);
        CHECK_THAT(memcmp(values, expected, sizeof expected) == 0, "2^%d", exponents[i]);
    }
}

/* Of 1, 3 the mean is 2 and the deviation 1; the second feature is always 5. */
static void test_what_is_held_out_is_scaled_by_what_is_not(void) {
    double values[] = {1, 5, 3, 5}, held[] = {5, 7, 2, 5, 0, -1};
    gs_data data = data_of(values, 2, 2), held_out = data_of(held, 3, 2);
    gs_data_scale(&data, &held_out, GS_SCALE_STANDARD);
    CHECK(values[0] == -1 && values[1] == 0 && values[2] == 1 && values[3] == 0);
    CHECK(held[0] == 3 && held[2] == 0 && held[4] == -2);
    CHECK(held[1] == 0 && held[3] == 0 && held[5] == 0);
    double units[] = {1, -4}, others[] = {8, 0, -2};
    data = data_of(units, 2, 1), held_out = data_of(others, 3, 1);
    gs_data_scale(&data, &held_out, GS_SCALE_UNIT);
    CHECK(units[0] == 0.25 && units[1] == -1);
    CHECK(others[0] == 2 && others[1] == 0 && others[2] == -0.5);
    gs_data_scale(&data, &held_out, GS_SCALE_NONE);
    CHECK(units[0] == 0.25 && others[0] == 2);
}

/* An example that is on both sides comes out the same, and what is held out changes no bit. */
static void test_scaling_does_not_look_at_what_is_held_out(void) {
    enum { COUNT = 50, WIDE = 37 };
    static double alone[COUNT * WIDE], values[COUNT * WIDE], held[COUNT * WIDE];
    for (size_t scale = GS_SCALE_NONE; scale <= GS_SCALE_STANDARD; scale++) {
        for (size_t i = 0; i < COUNT * WIDE; i++)
            alone[i] = values[i] = held[i] = (double)(i * i % 1009) * 0.37 - 1e-3 * (double)i;
        held[(COUNT - 1) * WIDE] = 1e9;
        gs_data of_alone = data_of(alone, COUNT, WIDE), data = data_of(values, COUNT, WIDE);
        gs_data held_out = data_of(held, COUNT, WIDE);
        gs_data_scale(&of_alone, NULL, scale);
        gs_data_scale(&data, &held_out, scale);
        CHECK(memcmp(values, alone, sizeof values) == 0);
        CHECK(memcmp(values, held, (COUNT - 1) * WIDE * sizeof *held) == 0);
    }
}

/* The digits: 64 features, more than one block of them, some constant. The mean of n numbers of
   magnitude 1 carries a rounding error of n 2^-53 at most, here 2e-13. */
static void test_digits_load_and_standardize(void) {
    gs_data data = {0};
    gs_error error = {0};
    gs_status status = gs_data_load("examples/data/digits.csv", &data, &error);
    CHECK_THAT(status == GS_OK, "%s", error.message);
    CHECK(data.examples == 1797 && data.features == 64 && data.classes == 10);
    gs_data_scale(&data, NULL, GS_SCALE_STANDARD);
    for (size_t j = 0; status == GS_OK && j < data.features; j++) {
        double sum = 0, squares = 0, n = (double)data.examples;
        for (size_t i = 0; i < data.examples; i++) {
            double x = data.values[i * data.features + j];
            sum += x;
            squares += x * x;
        }
        bool constant = j == 0 || j == 32 || j == 39; /* pixels that no one wrote on */
        CHECK_THAT(fabs(sum / n) < 1e-12, "feature %zu: mean %g", j, sum / n);
        CHECK_THAT(fabs(squares / n - (constant ? 0 : 1)) < 1e-12, "feature %zu: variance %g", j,
                   squares / n);
    }
    gs_data_free(&data);
}

/* ---- Batches ---- */

enum { EXAMPLES = 10 };

/* Example i is (i, -i) of class i. */
static gs_data numbered(double *values, size_t *classes) {
    for (size_t i = 0; i < EXAMPLES; i++) {
        values[2 * i] = (double)i;
        values[2 * i + 1] = -(double)i;
        classes[i] = i;
    }
    return (gs_data){EXAMPLES, 2, EXAMPLES, values, classes};
}

/* From another implementation of Philox and of the shuffle. */
static void test_shuffle_is_a_pure_function_of_the_seed(void) {
    static const struct {
        uint64_t seed;
        size_t order[EXAMPLES];
    } known[] = {{1, {2, 6, 0, 7, 3, 5, 4, 8, 9, 1}}, {UINT64_MAX, {7, 2, 5, 4, 3, 8, 6, 9, 1, 0}}};
    double values[2 * EXAMPLES], input[2 * EXAMPLES];
    size_t classes[EXAMPLES], batch[EXAMPLES];
    gs_data data = numbered(values, classes);
    for (size_t k = 0; k < 2; k++)
        for (size_t count = 0; count <= EXAMPLES; count++) {
            CHECK(gs_data_batch(&data, known[k].seed, true, count, 0, input, batch, NULL) == GS_OK);
            for (size_t i = 0; i < count; i++) {
                CHECK(batch[i] == known[k].order[i]);
                CHECK(input[2 * i] == (double)batch[i] && input[2 * i + 1] == -(double)batch[i]);
            }
        }
}

/* Each of the 10 examples comes first with p = 1/10. Chi squared of 9 degrees of freedom is above
   33.7 once in 10,000 times; the seeds are fixed, so this happens always or never. */
static void test_every_example_is_as_likely_to_come_first(void) {
    enum { SEEDS = 10000 };
    double values[2 * EXAMPLES], input[2], count[EXAMPLES] = {0}, chi_squared = 0;
    size_t classes[EXAMPLES], label;
    gs_data data = numbered(values, classes);
    for (uint64_t seed = 0; seed < SEEDS; seed++)
        if (gs_data_batch(&data, seed, true, 1, 0, input, &label, NULL) == GS_OK)
            count[label]++;
    for (size_t i = 0; i < EXAMPLES; i++)
        chi_squared += pow(count[i] - SEEDS / EXAMPLES, 2) / (SEEDS / EXAMPLES);
    CHECK_THAT(chi_squared < 33.7, "chi squared is %g", chi_squared);
}

static void test_batch_larger_than_the_data_is_an_error(void) {
    double values[2 * EXAMPLES];
    size_t classes[EXAMPLES];
    gs_data data = numbered(values, classes);
    gs_error error = {0};
    CHECK(gs_data_batch(&data, 1, true, 11, 0, NULL, NULL, &error) == GS_ERR_USAGE);
    CHECK_STRING(error.message,
                 "--batch: expected 10 or fewer, the examples in the data, got '11'");
}

static void test_batch_without_memory_is_an_error(void) {
    double values[2 * EXAMPLES], input[2];
    size_t classes[EXAMPLES], label;
    gs_data data = numbered(values, classes);
    test_fail_allocation(1);
    CHECK(gs_data_batch(&data, 1, true, 1, 0, input, &label, NULL) == GS_ERR_MEMORY);
}

static void test_batch_beyond_any_memory_is_an_error(void) {
    double one, *values = &one;
    size_t label, *labels = &label;
    gs_error error = {0};
    CHECK(gs_data_make_room(SIZE_MAX / 2, 3, &values, &labels, &error) == GS_ERR_MEMORY);
    CHECK(!values && !labels);
    CHECK_THAT(strncmp(error.message, "--batch: expected fewer examples, got '", 39) == 0, "%s",
               error.message);
    for (size_t nth = 1; nth <= 2; nth++) {
        values = &one, labels = &label;
        test_fail_allocation(nth);
        CHECK(gs_data_make_room(2, 3, &values, &labels, NULL) == GS_ERR_MEMORY);
        CHECK(!values && !labels);
    }
}

TEST_MAIN(TEST(test_unit_scale_divides_by_the_largest_magnitude_of_all),
          TEST(test_no_scale_changes_nothing),
          TEST(test_standard_scale_is_by_mean_and_population_deviation),
          TEST(test_standard_scale_sends_a_constant_feature_to_zero),
          TEST(test_standard_scale_does_not_depend_on_the_unit),
          TEST(test_what_is_held_out_is_scaled_by_what_is_not),
          TEST(test_scaling_does_not_look_at_what_is_held_out),
          TEST(test_digits_load_and_standardize), TEST(test_shuffle_is_a_pure_function_of_the_seed),
          TEST(test_every_example_is_as_likely_to_come_first),
          TEST(test_batch_larger_than_the_data_is_an_error),
          TEST(test_batch_without_memory_is_an_error),
          TEST(test_batch_beyond_any_memory_is_an_error))
