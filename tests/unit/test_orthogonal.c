/*
 * Orthogonal weights by blocks: Q is that of a naive Gram-Schmidt, row by row and twice, and
 * orthonormal to a few roundings; whatever the shape, the threads and the instruction set.
 */
#include "test_net.h"

#include "net/orthogonal.h"

/* ---- The reference ---- */

/* Rows [count, length] in place. Returns the largest ratio of what a row was to what projections
   have left of it: errors are magnified by it. */
static double orthonormalise_naively(double *rows, size_t count, size_t length) {
    double largest = 1;
    for (size_t i = 0; i < count; i++) {
        double *v = rows + i * length, before = 0, after = 0;
        for (size_t k = 0; k < length; k++)
            before += v[k] * v[k];
        for (size_t j = 0; j < 2 * i; j++) {
            const double *q = rows + j % i * length;
            double dot = 0;
            for (size_t k = 0; k < length; k++)
                dot += q[k] * v[k];
            for (size_t k = 0; k < length; k++)
                v[k] -= dot * q[k];
        }
        for (size_t k = 0; k < length; k++)
            after += v[k] * v[k];
        for (size_t k = 0; k < length; k++)
            v[k] /= sqrt(after);
        largest = fmax(largest, sqrt(before / after));
    }
    return largest;
}

/* The largest entry of Q Q^T - I. */
static double distance_from_orthonormal(const double *rows, size_t count, size_t length) {
    double largest = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j <= i; j++) {
            double dot = -(i == j);
            for (size_t k = 0; k < length; k++)
                dot += rows[i * length + k] * rows[j * length + k];
            largest = fmax(largest, fabs(dot));
        }
    return largest;
}

static double largest_difference(const double *a, const double *b, size_t count) {
    double largest = 0;
    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, fabs(a[i] - b[i]));
    return largest;
}

static double *transposed(const double *values, size_t rows, size_t cols) {
    double *turned = test_numbers(rows * cols);
    for (size_t i = 0; i < rows * cols; i++)
        turned[i % cols * rows + i / cols] = values[i];
    return turned;
}

/* What gs_make_orthogonal makes of values [rows, cols]. */
static double *orthogonal(const gs_engine *engine, const double *values, double scale, size_t rows,
                          size_t cols) {
    gs_matrix w = test_matrix_of(engine, rows, cols, values);
    double *made = test_numbers(rows * cols);
    CHECK(gs_make_orthogonal(engine, scale, &w, NULL) == GS_OK);
    gs_matrix_read(engine, &w, made);
    gs_matrix_free(&w);
    return made;
}

/* ---- Kernels ---- */

/* Each element is one chain of fused multiply-adds over the lanes of one panel and then of the
   next. */
static void check_combination(const gs_engine *engine, size_t panels, bool accumulate) {
    const gs_kernels *k = engine->kernels;
    size_t width = k->panel;
    gs_signal left = test_random_signal(engine, 3 * GS_TILE, panels * width, 1);
    gs_signal right = test_random_signal(engine, panels * width, width, 2);
    gs_signal out = test_random_signal(engine, GS_TILE, width, 3);
    double *d = test_values(engine, &left), *c = test_values(engine, &right);
    double *before = test_values(engine, &out);
    k->product[GS_PRODUCT_COMBINE](panels, left.rows * width,
                                   gs_signal_element(k, &left, GS_TILE, 0), left.data, right.data,
                                   accumulate, out.data);
    for (size_t lane = 0; lane < width; lane++)
        for (size_t row = 0; row < GS_TILE; row++) {
            double sum = accumulate ? before[lane * GS_TILE + row] : 0;
            for (size_t i = 0; i < panels * width; i++)
                sum = test_fma(k, d[i * left.units + GS_TILE + row], c[lane * panels * width + i],
                               sum);
            CHECK(k->get(gs_signal_element(k, &out, row, lane)) == sum);
        }
    gs_signal_free(&left), gs_signal_free(&right), gs_signal_free(&out);
    free(d), free(c), free(before);
}

static void check_combinations(const gs_engine *engine) {
    for (size_t panels = 1; panels <= 3; panels++) {
        check_combination(engine, panels, false);
        check_combination(engine, panels, true);
    }
}

static void test_combined_lanes_are_the_naive_loop_to_the_bit(void) {
    test_on_every_table(check_combinations);
}

static void check_transposition(const gs_engine *engine) {
    const gs_kernels *k = engine->kernels;
    static const size_t steps[] = {8, 11, 16};
    for (size_t i = 0; i < 9; i++) {
        size_t from_step = steps[i / 3], to_step = steps[i % 3];
        double values[GS_TILE * 16] = {0}, from[GS_TILE * 16], to[GS_TILE * 16];
        for (size_t e = 0; e < GS_TILE * 16; e++)
            k->set((char *)from + e * k->size, test_noise(4, e)),
                k->set((char *)to + e * k->size, 7);
        k->transpose_tile(from_step, from, to_step, to);
        k->get_all(GS_TILE * 16, to, values);
        for (size_t row = 0; row < GS_TILE; row++)
            for (size_t col = 0; col < to_step && row * to_step + col < GS_TILE * 16; col++)
                CHECK(values[row * to_step + col] ==
                      (col < GS_TILE ? test_noise(4, col * from_step + row) : 7));
    }
}

static void test_a_transposed_tile_leaves_alone_what_stands_beside_it(void) {
    test_on_every_table(check_transposition);
}

/* D R^-1 by the plain sums of D^T D and of D R^-1, against a naive Gram-Schmidt: by way of D^T D a
   rounding is magnified by the square of the condition. */
static void check_lanes(const gs_engine *engine, size_t rows, size_t lanes) {
    enum { LANES = 16 };
    double *values = test_random(1, rows * lanes), *made = test_numbers(rows * lanes);
    _Alignas(64) double factor[LANES * LANES] = {0}, same[LANES * LANES];
    for (size_t i = 0; i < lanes * lanes; i++)
        for (size_t k = 0; k < rows; k++)
            factor[i / lanes * LANES + i % lanes] +=
                values[i / lanes * rows + k] * values[i % lanes * rows + k];
    memcpy(same, factor, sizeof same);
    engine->kernels->orthonormalising_factor(lanes, factor);
    test_portable(engine->kernels)->orthonormalising_factor(lanes, same);
    CHECK(memcmp(factor, same, sizeof same) == 0);
    for (size_t i = 0; i < LANES * LANES; i++)
        CHECK((i / LANES <= i % LANES && i % LANES < lanes) || factor[i] == 0);
    for (size_t i = 0; i < rows * lanes; i++)
        for (size_t k = 0; k < lanes; k++)
            made[i] += factor[k * LANES + i / rows] * values[k * rows + i % rows];
    double ratio = orthonormalise_naively(values, lanes, rows);
    double error = largest_difference(made, values, rows * lanes);
    CHECK_THAT(error <= 4 * ratio * ratio * (double)rows * 0x1p-53, "%zu lanes of %zu: off by %g",
               lanes, rows, error);
    free(values), free(made);
}

static void check_all_lanes(const gs_engine *engine) {
    static const size_t lanes[] = {1, 2, 7, 8, 9, 15, 16};
    for (size_t i = 0; i < sizeof lanes / sizeof *lanes; i++) {
        check_lanes(engine, 24, lanes[i]);
        check_lanes(engine, 200, lanes[i]);
    }
    check_lanes(engine, 1, 1);
}

/* Of a lane that is the same as another nothing is left, but no number becomes infinite. */
static void check_dependent_lanes(const gs_engine *engine) {
    enum { LANES = 16 };
    _Alignas(64) double factor[LANES * LANES] = {0};
    for (size_t i = 0; i < 3 * LANES; i++)
        if (i % LANES < 3)
            factor[i] = 5;
    engine->kernels->orthonormalising_factor(3, factor);
    for (size_t i = 0; i < LANES * LANES; i++)
        CHECK(isfinite(factor[i]));
}

static void test_dependent_lanes_have_a_finite_factor(void) {
    test_on_every_table(check_dependent_lanes);
}

static void test_lanes_of_a_panel_become_those_of_a_naive_gram_schmidt(void) {
    test_on_every_table(check_all_lanes);
}

/* ---- Matrices ---- */

typedef struct {
    size_t rows, cols;
} shape;

/* Around tiles, panels of 16 rows and blocks of 128, and with more columns than are taken at once. */
static const shape shapes[] = {{1, 1},   {1, 9},    {7, 8},     {8, 8},     {9, 17},
                               {16, 16}, {17, 300}, {64, 64},   {65, 65},   {72, 80},
                               {80, 81}, {100, 90}, {130, 131}, {150, 140}, {260, 270}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

/* Wide and tall are the same arithmetic on the same numbers, so their bytes are the same. */
static void check_shape(const gs_engine *engine, size_t rows, size_t cols) {
    double rounding = test_rounding(engine->kernels);
    double *drawn = test_random(rows + cols, rows * cols);
    double *turned = transposed(drawn, rows, cols);
    double *made = orthogonal(engine, drawn, 1, rows, cols);
    double *tall = orthogonal(engine, turned, 1, cols, rows);
    double *again = transposed(tall, cols, rows);
    CHECK_THAT(rows == cols || memcmp(made, again, rows * cols * sizeof *made) == 0,
               "%s %zu x %zu: the transpose of W is another matrix", engine->kernels->isa, rows,
               cols);
    double *q = rows <= cols ? made : tall, *expected = rows <= cols ? drawn : turned;
    size_t count = rows <= cols ? rows : cols, length = rows <= cols ? cols : rows;
    double error = distance_from_orthonormal(q, count, length);
    CHECK_THAT(error <= 4 * sqrt((double)length) * rounding, "%s %zu x %zu: Q Q^T is off by %g",
               engine->kernels->isa, rows, cols, error);
    double ratio = orthonormalise_naively(expected, count, length);
    error = largest_difference(q, expected, rows * cols);
    CHECK_THAT(error <= 8 * ratio * rounding, "%s %zu x %zu: Q is off by %g", engine->kernels->isa,
               rows, cols, error);
    free(drawn), free(turned), free(made), free(tall), free(again);
}

static void check_shapes(const gs_engine *engine) {
    for (size_t i = 0; i < SHAPES; i++)
        check_shape(engine, shapes[i].rows, shapes[i].cols);
}

static void test_orthogonal_rows_are_those_of_a_naive_gram_schmidt(void) {
    test_on_every_table(check_shapes);
}

/* Rows that differ from the first in little more than a rounding. */
static void check_near_dependence(const gs_engine *engine) {
    enum { ROWS = 190, COLS = 200 };
    double *values = test_random(1, ROWS * COLS);
    for (size_t i = COLS; i < ROWS * COLS; i++)
        values[i] = values[i % COLS] + 1e5 * test_rounding(engine->kernels) * values[i];
    double *q = orthogonal(engine, values, 1, ROWS, COLS);
    double error = distance_from_orthonormal(q, ROWS, COLS);
    CHECK_THAT(error <= 4 * sqrt(COLS) * test_rounding(engine->kernels), "%s: off by %g",
               engine->kernels->isa, error);
    free(values), free(q);
}

static void test_nearly_dependent_rows_become_orthonormal(void) {
    test_on_every_table(check_near_dependence);
}

static void check_scale(const gs_engine *engine) {
    enum { ROWS = 20, COLS = 30 };
    double *values = test_random(2, ROWS * COLS);
    double *unit = orthogonal(engine, values, 1, ROWS, COLS);
    double *scaled = orthogonal(engine, values, -1.7, ROWS, COLS);
    for (size_t i = 0; i < ROWS * COLS; i++)
        CHECK(scaled[i] == (engine->kernels->dtype == GS_F64 ? -1.7 * unit[i]
                                                             : (double)(float)(-1.7 * unit[i])));
    free(values), free(unit), free(scaled);
}

static void test_a_scale_multiplies_every_entry(void) {
    test_on_every_table(check_scale);
}

static void check_bytes(const gs_engine *engine) {
    enum { THREADS = 3 };
    static const shape wide[] = {{40, 40}, {150, 300}, {270, 260}};
    gs_engine parallel = *engine, portable = {.kernels = test_portable(engine->kernels)};
    CHECK(gs_pool_new(THREADS, &parallel.pool, NULL) == GS_OK);
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++) {
        size_t rows = wide[i].rows, cols = wide[i].cols;
        double *values = test_random(3, rows * cols);
        double *one = orthogonal(engine, values, 1.5, rows, cols);
        double *three = orthogonal(&parallel, values, 1.5, rows, cols);
        double *plain = orthogonal(&portable, values, 1.5, rows, cols);
        CHECK(memcmp(one, three, rows * cols * sizeof *one) == 0);
        CHECK(memcmp(one, plain, rows * cols * sizeof *one) == 0);
        free(values), free(one), free(three), free(plain);
    }
    gs_pool_free(parallel.pool);
}

static void test_bytes_do_not_depend_on_threads_and_instruction_sets(void) {
    test_on_every_table(check_bytes);
}

static void test_a_lack_of_memory_is_reported(void) {
    gs_engine engine = {.kernels = gs_kernels_at(0)};
    gs_error error = {0};
    gs_matrix w = test_matrix_of(&engine, 2, 2, (double[]){1, 2, 3, 4});
    test_fail_allocation(1);
    CHECK(gs_make_orthogonal(&engine, 1, &w, &error) == GS_ERR_MEMORY && error.message[0]);
    test_fail_allocation(0);
    gs_matrix_free(&w);
}

TEST_MAIN(TEST(test_combined_lanes_are_the_naive_loop_to_the_bit),
          TEST(test_a_transposed_tile_leaves_alone_what_stands_beside_it),
          TEST(test_lanes_of_a_panel_become_those_of_a_naive_gram_schmidt),
          TEST(test_dependent_lanes_have_a_finite_factor),
          TEST(test_orthogonal_rows_are_those_of_a_naive_gram_schmidt),
          TEST(test_nearly_dependent_rows_become_orthonormal),
          TEST(test_a_scale_multiplies_every_entry),
          TEST(test_bytes_do_not_depend_on_threads_and_instruction_sets),
          TEST(test_a_lack_of_memory_is_reported))
