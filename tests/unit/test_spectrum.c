/*
 * The largest singular value against matrices whose singular values are known, and against a
 * one-sided Jacobi decomposition.
 */
#include "test_net.h"

#include "flow/measure.h"
#include "net/config.h"
#include "net/init.h"

static gs_error error;

static const double promised = 1e-6; /* the relative error that measure.h allows */

static double sigma_with_seed(const gs_engine *engine, size_t rows, size_t cols, const double *w,
                              uint64_t seed) {
    gs_matrix matrix = test_matrix_of(engine, rows, cols, w);
    double sigma = NAN;
    CHECK(gs_largest_singular_value(engine, &matrix, seed, &sigma, &error) == GS_OK);
    gs_matrix_free(&matrix);
    return sigma;
}

static double sigma_of(const gs_engine *engine, size_t rows, size_t cols, const double *w) {
    return sigma_with_seed(engine, rows, cols, w, 1);
}

static void check_sigma(const gs_engine *engine, const char *what, size_t rows, size_t cols,
                        const double *w, double expected) {
    double sigma = sigma_of(engine, rows, cols, w);
    CHECK_THAT(fabs(sigma - expected) <= promised * expected,
               "%s, %zu x %zu on %s: %.17g, expected %.17g", what, rows, cols, engine->kernels->isa,
               sigma, expected);
}

static gs_engine wide_engine(void) {
    gs_engine engine = {.kernels = gs_kernels_at(0)};
    CHECK(engine.kernels->dtype == GS_F64);
    return engine;
}

/* ---- Known answers ---- */

/* values[i % count] on the diagonal of a rows x cols matrix. */
static double *diagonal(size_t rows, size_t cols, const double *values, size_t count) {
    double *w = test_numbers(rows * cols);
    for (size_t i = 0; i < rows && i < cols; i++)
        w[i * cols + i] = values[i % count];
    return w;
}

static void check_diagonals(const gs_engine *engine) {
    static const double values[] = {0.5, -3, 2, 1e-3, 0};
    static const size_t shapes[][2] = {{1, 1}, {2, 2}, {5, 5}, {9, 130}, {130, 9}, {40, 40}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        size_t rows = shapes[i][0], cols = shapes[i][1];
        double *identity = diagonal(rows, cols, (double[]){1.5}, 1),
               *mixed = diagonal(rows, cols, values, 5);
        check_sigma(engine, "1.5 I", rows, cols, identity, 1.5);
        check_sigma(engine, "diagonal", rows, cols, mixed, rows < 2 || cols < 2 ? 0.5 : 3);
        free(identity), free(mixed);
    }
}

static void test_diagonal_matrix_has_its_largest_entry(void) {
    test_on_every_table(check_diagonals);
}

static void check_orthogonal(const gs_engine *engine) {
    static const size_t shapes[][2] = {{40, 40}, {9, 40}, {40, 9}, {130, 130}};
    gs_config *config = gs_config_new(&error);
    CHECK(gs_config_set(config, "init", "orthogonal:0.7", &error) == GS_OK);
    for (size_t i = 0; i < 4; i++) {
        double *w = test_numbers(shapes[i][0] * shapes[i][1]);
        gs_matrix matrix = test_matrix_of(engine, shapes[i][0], shapes[i][1], w);
        CHECK(gs_init_weight(engine, config->init, 1, 1, 1, &matrix, &error) == GS_OK);
        gs_matrix_read(engine, &matrix, w);
        check_sigma(engine, "orthogonal", shapes[i][0], shapes[i][1], w, 0.7);
        gs_matrix_free(&matrix);
        free(w);
    }
    gs_config_free(config);
}

static void test_orthogonal_matrix_has_its_gain(void) {
    test_on_every_table(check_orthogonal);
}

/* u v^T has the singular value |u| |v| and no other. */
static void check_rank_one(const gs_engine *engine) {
    enum { ROWS = 17, COLS = 130 };
    double *u = test_random(1, ROWS), *v = test_random(2, COLS), *w = test_numbers(ROWS * COLS);
    double u_squares = 0, v_squares = 0;
    for (size_t i = 0; i < ROWS; i++)
        u[i] = ldexp(rint(ldexp(u[i], 11)), -11), u_squares += u[i] * u[i];
    for (size_t j = 0; j < COLS; j++)
        v[j] = ldexp(rint(ldexp(v[j], 11)), -11), v_squares += v[j] * v[j];
    for (size_t i = 0; i < ROWS * COLS; i++)
        w[i] = u[i / COLS] * v[i % COLS]; /* 22 bits: exact in either type */
    check_sigma(engine, "rank one", ROWS, COLS, w, sqrt(u_squares * v_squares));
    for (size_t i = 0; i < ROWS * COLS; i++)
        w[i] = 0.25;
    check_sigma(engine, "constant", ROWS, COLS, w, 0.25 * sqrt(ROWS * COLS));
    free(u), free(v), free(w);
}

static void test_rank_one_matrix_has_the_product_of_its_factors(void) {
    test_on_every_table(check_rank_one);
}

static void check_zero(const gs_engine *engine) {
    double *w = test_numbers(130 * 9);
    CHECK(sigma_of(engine, 130, 9, w) == 0 && sigma_of(engine, 1, 1, w) == 0);
    w[700] = -2; /* one entry is a rank-one matrix, too */
    check_sigma(engine, "one entry", 130, 9, w, 2);
    free(w);
}

static void test_zero_matrix_has_the_singular_value_zero(void) {
    test_on_every_table(check_zero);
}

/* W = [[0, 2], [0, 0]] is nilpotent: its eigenvalues are 0, its singular value is 2. */
static void test_nilpotent_matrix_has_a_singular_value(void) {
    gs_engine engine = wide_engine();
    check_sigma(&engine, "nilpotent", 2, 2, (double[]){0, 2, 0, 0}, 2);
}

static void test_singular_value_scales_with_the_matrix(void) {
    gs_engine engine = wide_engine();
    double *w = test_random(3, 20 * 30);
    double one = sigma_of(&engine, 20, 30, w);
    for (int e = -400; e <= 400; e += 200) {
        double *scaled = test_numbers(20 * 30);
        for (size_t i = 0; i < 20 * 30; i++)
            scaled[i] = ldexp(w[i], e);
        CHECK_CLOSE(sigma_of(&engine, 20, 30, scaled), ldexp(one, e), 1e-9);
        free(scaled);
    }
    free(w);
}

/* ---- Any matrix ---- */

/* Rotates columns p and q of a [rows, cols] until they are orthogonal; returns the cosine between
   them before (Hestenes 1958). */
static double rotate(double *a, size_t rows, size_t cols, size_t p, size_t q) {
    double pp = 0, qq = 0, pq = 0;
    for (size_t i = 0; i < rows; i++) {
        double x = a[i * cols + p], y = a[i * cols + q];
        pp += x * x, qq += y * y, pq += x * y;
    }
    if (pq == 0)
        return 0;
    double zeta = (qq - pp) / (2 * pq);
    double t = copysign(1, zeta) / (fabs(zeta) + sqrt(1 + zeta * zeta));
    double c = 1 / sqrt(1 + t * t), s = c * t;
    for (size_t i = 0; i < rows; i++) {
        double x = a[i * cols + p], y = a[i * cols + q];
        a[i * cols + p] = c * x - s * y, a[i * cols + q] = s * x + c * y;
    }
    return fabs(pq) / sqrt(pp * qq);
}

/* The largest column norm once all columns are orthogonal, right to the rounding of double. Of a
   wide matrix the transpose is taken: more columns than rows cannot all be orthogonal. */
static double largest_by_jacobi(size_t out, size_t in, const double *w) {
    size_t rows = out < in ? in : out, cols = out < in ? out : in;
    double *a = test_numbers(rows * cols), largest = 0, angle = 1;
    for (size_t i = 0; i < out * in; i++)
        a[out < in ? i % in * out + i / in : i] = w[i];
    for (size_t sweep = 0; sweep < 60 && angle > 1e-14; sweep++) {
        angle = 0;
        for (size_t p = 0; p < cols; p++)
            for (size_t q = p + 1; q < cols; q++)
                angle = fmax(angle, rotate(a, rows, cols, p, q));
    }
    CHECK_THAT(angle <= 1e-14, "Jacobi did not converge: %g", angle);
    for (size_t j = 0; j < cols; j++) {
        double squares = 0;
        for (size_t i = 0; i < rows; i++)
            squares += a[i * cols + j] * a[i * cols + j];
        largest = fmax(largest, sqrt(squares));
    }
    free(a);
    return largest;
}

static void check_random(const gs_engine *engine) {
    static const size_t shapes[][2] = {{1, 7},   {7, 1},   {2, 3},   {9, 9},
                                       {40, 40}, {16, 33}, {130, 17}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        size_t rows = shapes[i][0], cols = shapes[i][1];
        double *w = test_random(4 + i, rows * cols);
        check_sigma(engine, "random", rows, cols, w, largest_by_jacobi(rows, cols, w));
        free(w);
    }
}

static void test_random_matrix_has_the_singular_value_of_jacobi(void) {
    test_on_every_table(check_random);
}

/* A matrix Q D with the singular values `values`, one a column: Q has orthonormal columns. */
static double *with_singular_values(const gs_engine *engine, size_t size, const double *values) {
    gs_config *config = gs_config_new(&error);
    double *w = test_numbers(size * size);
    gs_matrix matrix = test_matrix_of(engine, size, size, w);
    CHECK(gs_config_set(config, "init", "orthogonal", &error) == GS_OK);
    CHECK(gs_init_weight(engine, config->init, 1, 2, 1, &matrix, &error) == GS_OK);
    gs_matrix_read(engine, &matrix, w);
    for (size_t i = 0; i < size * size; i++)
        w[i] *= values[i % size];
    gs_matrix_free(&matrix);
    gs_config_free(config);
    return w;
}

static void check_values(const char *what, size_t size, const double *values) {
    gs_engine engine = wide_engine();
    double *w = with_singular_values(&engine, size, values), largest = 0;
    for (size_t i = 0; i < size; i++)
        largest = fmax(largest, values[i]);
    for (uint64_t seed = 1; seed <= 8; seed++) {
        double sigma = sigma_with_seed(&engine, size, size, w, seed);
        CHECK_THAT(fabs(sigma - largest) <= promised * largest,
                   "%s, seed %d: %.17g, expected %.17g", what, (int)seed, sigma, largest);
    }
    free(w);
}

/* Where singular values crowd near the largest, the iteration is slowest to tell them apart. */
static void test_clusters_near_the_largest_are_told_apart(void) {
    enum { SIZE = 100 };
    double values[SIZE];
    for (int gap = 1; gap <= 8; gap++) {
        for (size_t i = 0; i < SIZE; i++)
            values[i] = 1 - pow(10, -gap) * (double)i / SIZE;
        check_values("evenly spread", SIZE, values);
        for (size_t i = 0; i < SIZE; i++)
            values[i] = i == 0 ? 1 : 1 - pow(10, -gap);
        check_values("one above the others", SIZE, values);
        for (size_t i = 0; i < SIZE; i++)
            values[i] = i == 0 ? 1 : i < 5 ? 1 - pow(10, -gap) : 0.5 * (double)i / SIZE;
        check_values("a cluster above the bulk", SIZE, values);
    }
}

/* Where few singular values are not small, what is left is rounding, and must not be taken for
 * more. */
static void test_small_singular_values_do_not_disturb_the_largest(void) {
    enum { SIZE = 60 };
    double values[SIZE];
    for (int low = -2; low >= -18; low -= 2) {
        for (size_t i = 0; i < SIZE; i++)
            values[i] = i < 3 ? 1 + (double)i : pow(10, low) * (1 + (double)i / SIZE);
        check_values("three and noise", SIZE, values);
        for (size_t i = 0; i < SIZE; i++)
            values[i] = pow(10, low * (double)i / SIZE);
        check_values("geometric", SIZE, values);
    }
}

/* W^T W has the singular value sigma^2, and a product with an orthogonal matrix has the same. */
static void test_transpose_has_the_same_singular_value(void) {
    gs_engine engine = wide_engine();
    enum { ROWS = 33, COLS = 70 };
    double *w = test_random(8, ROWS * COLS), *turned = test_numbers(ROWS * COLS);
    for (size_t i = 0; i < ROWS * COLS; i++)
        turned[i % COLS * ROWS + i / COLS] = w[i];
    CHECK_CLOSE(sigma_of(&engine, ROWS, COLS, w), sigma_of(&engine, COLS, ROWS, turned), promised);
    free(w), free(turned);
}

/* Of so many, some have a largest singular vector nearly at right angles with the start of the
   iteration: that costs steps, and no digits. */
static void test_random_matrices_are_right_to_nine_digits(void) {
    gs_engine engine = wide_engine();
    for (uint64_t i = 0; i < 200; i++) {
        size_t rows = 8 + 3 * (i % 17), cols = 8 + 5 * (i % 11);
        double *w = test_random(100 + i, rows * cols);
        CHECK_CLOSE(sigma_of(&engine, rows, cols, w), largest_by_jacobi(rows, cols, w), 1e-9);
        free(w);
    }
}

/* The larger the noise on an orthogonal matrix, the wider all its singular values lie apart. */
static void test_noise_on_an_orthogonal_matrix_is_seen(void) {
    enum { SIZE = 32 };
    gs_engine engine = wide_engine();
    double ones[SIZE];
    for (size_t i = 0; i < SIZE; i++)
        ones[i] = 1;
    for (int digits = 1; digits <= 12; digits++) {
        double *w = with_singular_values(&engine, SIZE, ones),
               *noise = test_random(11, SIZE * SIZE);
        for (size_t i = 0; i < SIZE * SIZE; i++)
            w[i] += pow(10, -digits) * noise[i] / SIZE;
        check_sigma(&engine, "orthogonal and noise", SIZE, SIZE, w,
                    largest_by_jacobi(SIZE, SIZE, w));
        free(w), free(noise);
    }
}

/* More steps than there are columns: singular values crowd so near the largest that rounding takes
   the vectors' orthogonality long before the iteration is done. */
static void test_steps_beyond_the_size_still_converge(void) {
    enum { SIZE = 256 };
    double values[SIZE];
    for (size_t i = 0; i < SIZE; i++)
        values[i] = 1 - pow((double)i / SIZE, 3);
    check_values("cubic edge", SIZE, values);
}

/* [[A, 0], [0, A]] has every singular value of A twice. */
static void test_doubled_matrix_has_the_same_singular_value(void) {
    enum { ROWS = 30, COLS = 41 };
    gs_engine engine = wide_engine();
    double *w = test_random(12, ROWS * COLS), *twice = test_numbers(4 * ROWS * COLS);
    for (size_t i = 0; i < ROWS * COLS; i++) {
        size_t row = i / COLS, col = i % COLS;
        twice[row * 2 * COLS + col] = twice[(ROWS + row) * 2 * COLS + COLS + col] = w[i];
    }
    check_sigma(&engine, "doubled", 2 * ROWS, 2 * COLS, twice, largest_by_jacobi(ROWS, COLS, w));
    free(w), free(twice);
}

static void test_matrix_that_is_not_finite_has_no_finite_singular_value(void) {
    gs_engine engine = wide_engine();
    const double bad[] = {NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < 3; i++) {
        double *w = test_random(13, 20 * 20);
        w[57] = bad[i];
        CHECK(!isfinite(sigma_of(&engine, 20, 20, w)));
        free(w);
    }
}

/* ---- Where the numbers come from ---- */

static void check_streamed(const gs_engine *engine) {
    gs_config *config = gs_config_new(&error);
    gs_matrix stored, streamed = gs_matrix_streamed(33, 70);
    double expected = NAN, sigma = NAN;
    CHECK(gs_matrix_new(engine, 33, 70, &stored, &error) == GS_OK);
    CHECK(gs_init_weight(engine, config->init, 1, 1, 1, &stored, &error) == GS_OK);
    CHECK(gs_init_weight(engine, config->init, 1, 1, 1, &streamed, &error) == GS_OK);
    CHECK(gs_largest_singular_value(engine, &stored, 1, &expected, &error) == GS_OK);
    CHECK(gs_largest_singular_value(engine, &streamed, 1, &sigma, &error) == GS_OK);
    CHECK(expected > 0 && memcmp(&sigma, &expected, sizeof sigma) == 0);
    gs_matrix_free(&stored);
    gs_config_free(config);
}

static void test_streamed_matrix_has_the_same_bytes(void) {
    test_on_every_table(check_streamed);
}

static void test_memory_that_runs_out_is_an_error(void) {
    gs_engine engine = wide_engine();
    double *w = test_random(14, 20 * 20), sigma;
    gs_matrix matrix = test_matrix_of(&engine, 20, 20, w);
    bool failed = true;
    for (size_t nth = 1; failed; nth++) {
        test_fail_allocation(nth);
        gs_status status = gs_largest_singular_value(&engine, &matrix, 1, &sigma, &error);
        failed = test_allocation_failed();
        CHECK(status == (failed ? GS_ERR_MEMORY : GS_OK));
    }
    test_fail_allocation(0);
    gs_matrix_free(&matrix);
    free(w);
}

/* A step over a row of tiles is the product with it, within the roundings of so many sums of numbers
   below 1 in any order, and then with its transpose; its sums, and those of combine_doubles, are
   the same on every table. */
static void check_step(const gs_engine *engine) {
    const gs_kernels *k = engine->kernels, *portable = test_portable(k);
    for (size_t i = 0; i < TEST_SIZES; i++) {
        size_t cols = test_units[i], padded = (cols + GS_TILE - 1) / GS_TILE * GS_TILE;
        double *w = test_random(15, GS_TILE * cols), *x = test_random(16, padded);
        double *y = test_random(17, padded), *same = test_random(17, padded);
        double *expected = test_random(17, padded);
        double u[GS_TILE] = {1, -2, 3}, same_u[GS_TILE] = {1, -2, 3};
        gs_matrix m = test_matrix_of(engine, GS_TILE, cols, w);

        double squares = k->tile_row_gram(m.col_tiles, m.data, x, 0.5, u, y), sum = 0;
        double same_squares = portable->tile_row_gram(m.col_tiles, m.data, x, 0.5, same_u, same);
        for (size_t r = 0; r < GS_TILE; r++) {
            double product = r < 3 ? -0.5 * (double[]){1, -2, 3}[r] : 0;
            for (size_t j = 0; j < cols; j++) {
                product += w[r * cols + j] * x[j];
                expected[j] = fma(u[r], w[r * cols + j], expected[j]);
            }
            CHECK(fabs(u[r] - product) <= (double)(padded * padded) * 0x1p-52);
            sum += u[r] * u[r];
        }
        CHECK(squares == sum && squares == same_squares && memcmp(u, same_u, sizeof u) == 0);
        CHECK(memcmp(y, expected, padded * sizeof *y) == 0);
        CHECK(memcmp(y, same, padded * sizeof *y) == 0);

        squares = k->combine_doubles(padded, 0.5, x, -3, y);
        same_squares = portable->combine_doubles(padded, 0.5, x, -3, same);
        sum = 0;
        for (size_t j = 0; j < padded; j++) {
            CHECK(y[j] == fma(0.5, x[j], -3 * expected[j]));
            sum += y[j] * y[j];
        }
        CHECK_CLOSE(squares, sum, (double)padded * 0x1p-52);
        CHECK(squares == same_squares && memcmp(y, same, padded * sizeof *y) == 0);
        gs_matrix_free(&m);
        free(w), free(x), free(y), free(same), free(expected);
    }
}

static void test_one_step_is_the_product_with_the_matrix_and_its_transpose(void) {
    test_on_every_table(check_step);
}

static void check_bytes(const gs_engine *engine) {
    gs_engine portable = {.kernels = test_portable(engine->kernels)};
    for (size_t i = 0; i < TEST_SIZES; i++) {
        double *w = test_random(9, test_units[i] * 17);
        double a = sigma_of(engine, test_units[i], 17, w),
               b = sigma_of(&portable, test_units[i], 17, w);
        CHECK_THAT(memcmp(&a, &b, sizeof a) == 0, "%zu x 17 on %s", test_units[i],
                   engine->kernels->isa);
        free(w);
    }
}

static void test_singular_value_is_the_same_bytes_on_every_table(void) {
    test_on_every_table(check_bytes);
}

TEST_MAIN(TEST(test_diagonal_matrix_has_its_largest_entry),
          TEST(test_orthogonal_matrix_has_its_gain),
          TEST(test_rank_one_matrix_has_the_product_of_its_factors),
          TEST(test_zero_matrix_has_the_singular_value_zero),
          TEST(test_nilpotent_matrix_has_a_singular_value),
          TEST(test_singular_value_scales_with_the_matrix),
          TEST(test_random_matrix_has_the_singular_value_of_jacobi),
          TEST(test_clusters_near_the_largest_are_told_apart),
          TEST(test_small_singular_values_do_not_disturb_the_largest),
          TEST(test_transpose_has_the_same_singular_value),
          TEST(test_random_matrices_are_right_to_nine_digits),
          TEST(test_noise_on_an_orthogonal_matrix_is_seen),
          TEST(test_steps_beyond_the_size_still_converge),
          TEST(test_doubled_matrix_has_the_same_singular_value),
          TEST(test_matrix_that_is_not_finite_has_no_finite_singular_value),
          TEST(test_streamed_matrix_has_the_same_bytes),
          TEST(test_memory_that_runs_out_is_an_error),
          TEST(test_one_step_is_the_product_with_the_matrix_and_its_transpose),
          TEST(test_singular_value_is_the_same_bytes_on_every_table))
