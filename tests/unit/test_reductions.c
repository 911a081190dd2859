/*
 * Reductions, and the elementwise operations on panels: against plain loops, and the same bytes on
 * every table. A sum of n numbers in any order errs by at most n roundings of the sum of their
 * sizes (Higham 2002, section 4.2), and elementwise operations are exact up to the roundings they
 * name.
 */
#include "test_net.h"

/* Two panels x and y of `rows` rows with `lanes` valid lanes, and what they hold: [lane, row]. */
typedef struct {
    const gs_kernels *kernels, *portable;
    size_t rows, lanes;
    gs_signal x, y;
    double *vx, *vy;
} scene;

typedef void (*scene_check)(const scene *s);

static void run_scene(const gs_engine *engine, size_t rows, size_t lanes, scene_check check) {
    scene s = {engine->kernels, test_portable(engine->kernels), rows, lanes, {0}, {0}, NULL, NULL};
    s.vx = test_random(rows, rows * lanes);
    s.vy = test_random(lanes, rows * lanes);
    for (size_t i = 0; i < rows * lanes; i += 5)
        s.vx[i] = 0;
    s.x = test_signal_of(engine, rows, lanes, s.vx);
    s.y = test_signal_of(engine, rows, lanes, s.vy);
    check(&s);
    gs_signal_free(&s.x), gs_signal_free(&s.y);
    free(s.vx), free(s.vy);
}

/* Every table, rows of one block, and lanes up to a whole panel. */
static void on_every_scene(scene_check check) {
    static const size_t lanes[] = {1, 15, 16, 17, 31, 32};
    for (size_t i = 0; gs_kernels_at(i); i++) {
        gs_engine engine = {.kernels = gs_kernels_at(i)};
        for (size_t u = 0; u < TEST_SIZES; u++)
            for (size_t l = 0; l < 6 && lanes[l] <= engine.kernels->panel; l++)
                run_scene(&engine, test_units[u], lanes[l], check);
    }
}

/* Rounded to the element type. */
static double typed(const scene *s, double value) {
    return s->kernels->dtype == GS_F64 ? value : (double)(float)value;
}

static double x_at(const scene *s, size_t row, size_t lane) {
    return s->vx[lane * s->rows + row];
}

static double y_at(const scene *s, size_t row, size_t lane) {
    return s->vy[lane * s->rows + row];
}

/* |x| <= 1, so n terms are n in size at most. */
static bool is_sum(double actual, double expected, double terms) {
    return fabs(actual - expected) <= 2 * terms * terms * 0x1p-53;
}

static bool same_bits(double a, double b) {
    return memcmp(&a, &b, sizeof a) == 0;
}

/* ---- Reductions to one number ---- */

static void check_moments(const scene *s) {
    double mean, squares, portable[2], n = (double)(s->rows * s->lanes), sum = 0, about = 0;
    s->kernels->moments(s->rows, s->lanes, s->x.data, &mean, &squares);
    s->portable->moments(s->rows, s->lanes, s->x.data, &portable[0], &portable[1]);
    CHECK(same_bits(mean, portable[0]) && same_bits(squares, portable[1]));
    for (size_t i = 0; i < s->rows * s->lanes; i++)
        sum += s->vx[i];
    for (size_t i = 0; i < s->rows * s->lanes; i++)
        about += (s->vx[i] - sum / n) * (s->vx[i] - sum / n);
    CHECK_THAT(is_sum(mean * n, sum, n), "%zu x %zu: mean %.17g", s->rows, s->lanes, mean);
    CHECK_THAT(is_sum(squares, about, 4 * n), "%zu x %zu: %.17g, expected %.17g", s->rows, s->lanes,
               squares, about);
}

static void test_moments_are_the_mean_and_the_squares_about_it(void) {
    on_every_scene(check_moments);
}

static void check_magnitude_and_dot(const scene *s) {
    double squares, largest, portable[2], n = (double)(s->rows * s->lanes);
    double expected = 0, most = 0, products = 0;
    s->kernels->magnitude(s->rows, s->lanes, s->x.data, &squares, &largest);
    s->portable->magnitude(s->rows, s->lanes, s->x.data, &portable[0], &portable[1]);
    CHECK(same_bits(squares, portable[0]) && same_bits(largest, portable[1]));
    double dot = s->kernels->dot(s->rows, s->lanes, s->x.data, s->y.data);
    CHECK(same_bits(dot, s->portable->dot(s->rows, s->lanes, s->x.data, s->y.data)));
    for (size_t i = 0; i < s->rows * s->lanes; i++) {
        expected += s->vx[i] * s->vx[i];
        most = fmax(most, fabs(s->vx[i]));
        products += s->vx[i] * s->vy[i];
    }
    CHECK(is_sum(squares, expected, n) && largest == most && is_sum(dot, products, n));
}

static void test_magnitude_is_the_sum_of_squares_and_the_largest(void) {
    on_every_scene(check_magnitude_and_dot);
}

static void check_not_finite(const gs_engine *engine) {
    double values[] = {1, NAN, -2}, squares, largest;
    gs_signal x = test_signal_of(engine, 3, 1, values);
    engine->kernels->magnitude(3, 1, x.data, &squares, &largest);
    CHECK(isnan(squares) && largest == 2);
    values[1] = -INFINITY;
    gs_signal_write(engine, values, &x);
    engine->kernels->magnitude(3, 1, x.data, &squares, &largest);
    CHECK(isinf(squares) && isinf(largest));
    gs_signal_free(&x);
}

static void test_magnitude_shows_what_is_not_finite(void) {
    test_on_every_table(check_not_finite);
}

/* A threshold that is one of the values: below is strict, at most is not. */
static void check_counts(const scene *s) {
    double threshold = fabs(s->vx[s->rows * s->lanes - 1]);
    size_t below = 0, at_most = 0, *zeros = calloc(s->rows, sizeof *zeros);
    for (size_t i = 0; zeros && i < s->rows * s->lanes; i++) {
        below += fabs(s->vx[i]) < threshold;
        at_most += fabs(s->vx[i]) <= threshold;
    }
    CHECK(s->kernels->count_below(s->rows, s->lanes, threshold, s->x.data) == below);
    CHECK(s->kernels->count_at_most(s->rows, s->lanes, threshold, s->x.data) == at_most);
    CHECK(s->kernels->count_at_most(s->rows, s->lanes, 1, s->x.data) == s->rows * s->lanes);
    CHECK(s->kernels->count_below(s->rows, s->lanes, 0, s->x.data) == 0);
    s->kernels->row_zeros(s->rows, s->lanes, s->x.data, zeros);
    s->kernels->row_zeros(s->rows, s->lanes, s->x.data, zeros);
    for (size_t u = 0; u < s->rows; u++) {
        size_t expected = 0;
        for (size_t b = 0; b < s->lanes; b++)
            expected += x_at(s, u, b) == 0;
        CHECK_THAT(zeros[u] == 2 * expected, "%zu zeros, expected twice %zu", zeros[u], expected);
    }
    free(zeros);
}

static void test_counts_take_valid_lanes_alone(void) {
    on_every_scene(check_counts);
}

/* sum of r[u] x y l[lane]; factors are 1 at most, so a term errs by two roundings more. */
static void check_bilinear(const scene *s) {
    size_t room = s->rows + s->kernels->panel;
    double *r = test_random(5, room), *l = test_random(6, room), expected = 0;
    double actual = s->kernels->bilinear(s->rows, r, l, s->x.data, s->y.data);
    double portable = s->portable->bilinear(s->rows, r, l, s->x.data, s->y.data);
    CHECK(same_bits(actual, portable));
    for (size_t u = 0; u < s->rows; u++)
        for (size_t b = 0; b < s->lanes; b++)
            expected += r[u] * x_at(s, u, b) * y_at(s, u, b) * l[b];
    CHECK_THAT(is_sum(actual, expected, (double)(s->rows * s->lanes) + 2),
               "%zu x %zu: %.17g, expected %.17g", s->rows, s->lanes, actual, expected);
    free(r), free(l);
}

static void test_bilinear_form_weights_rows_and_lanes(void) {
    on_every_scene(check_bilinear);
}

/* ---- Reductions along an axis ---- */

/* What is summed over an axis at (row, lane). */
typedef enum { SUM, DOT, CENTRED } summand;

static double term(const scene *s, summand what, gs_axis axis, const double *mean, size_t u,
                   size_t b) {
    double x = x_at(s, u, b), centred = x - mean[axis == GS_AXIS_UNIT ? u : b];
    return what == SUM ? x : what == DOT ? x * y_at(s, u, b) : centred * centred;
}

static void reduce(const scene *s, const gs_kernels *k, summand what, gs_axis axis,
                   const double *mean, double *sums) {
    switch (what) {
    case SUM:
        k->sums[axis](s->rows, s->lanes, s->x.data, sums);
        break;
    case DOT:
        k->dots[axis](s->rows, s->lanes, s->x.data, s->y.data, sums);
        break;
    case CENTRED:
        k->centred_squares[axis](s->rows, s->lanes, s->x.data, mean, sums);
        break;
    }
}

/* Sums are added to what is there: 0.5. */
static void check_axis(const scene *s, summand what, gs_axis axis) {
    size_t count = axis == GS_AXIS_UNIT ? s->rows : s->lanes, room = s->rows + s->kernels->panel;
    size_t terms = axis == GS_AXIS_UNIT ? s->lanes : s->rows;
    double *mean = test_random(3, room), *actual = test_numbers(room),
           *portable = test_numbers(room);
    for (size_t i = 0; i < count; i++)
        actual[i] = portable[i] = 0.5;
    reduce(s, s->kernels, what, axis, mean, actual);
    reduce(s, s->portable, what, axis, mean, portable);
    CHECK(memcmp(actual, portable, room * sizeof *actual) == 0);
    for (size_t i = 0; i < count; i++) {
        double expected = 0.5;
        for (size_t j = 0; j < terms; j++)
            expected += axis == GS_AXIS_UNIT ? term(s, what, axis, mean, i, j)
                                             : term(s, what, axis, mean, j, i);
        CHECK_THAT(is_sum(actual[i], expected, 4 * (double)terms + 1), "%s %zu x %zu: %zu is %.17g",
                   s->kernels->isa, s->rows, s->lanes, i, actual[i]);
    }
    for (size_t i = count; i < room; i++)
        CHECK_THAT(actual[i] == 0, "padding of %zu x %zu: %g", s->rows, s->lanes, actual[i]);
    free(mean), free(actual), free(portable);
}

static void check_axes(const scene *s) {
    for (summand what = SUM; what <= CENTRED; what++)
        for (gs_axis axis = 0; axis < GS_AXIS_COUNT; axis++)
            check_axis(s, what, axis);
}

static void test_sums_along_an_axis_are_the_naive_ones_and_leave_padding_alone(void) {
    on_every_scene(check_axes);
}

/* ---- Elementwise ---- */

/* The values of a signal that a kernel wrote, compared with those that a plain function gives. */
static void check_elements(const scene *s, const char *what, const gs_signal *out,
                           double (*expected)(const scene *s, size_t row, size_t lane)) {
    for (size_t b = 0; b < s->lanes; b++)
        for (size_t u = 0; u < s->rows; u++) {
            double actual = s->kernels->get(gs_signal_element(s->kernels, out, u, b));
            CHECK_THAT(actual == expected(s, u, b), "%s on %s: %.17g, expected %.17g", what,
                       s->kernels->isa, actual, expected(s, u, b));
        }
}

static double factor_of(size_t i) {
    return test_noise(20, i);
}

static double shift_of(size_t i) {
    return test_noise(21, i);
}

static double expected_scale(const scene *s, size_t u, size_t b) {
    return typed(s, typed(s, 0.3) * x_at(s, u, b));
}

static double expected_combine(const scene *s, size_t u, size_t b) {
    return test_fma(s->kernels, -0.7, y_at(s, u, b), typed(s, typed(s, 0.3) * x_at(s, u, b)));
}

static double expected_multiply(const scene *s, size_t u, size_t b) {
    return typed(s, x_at(s, u, b) * y_at(s, u, b));
}

static double expected_add_rows(const scene *s, size_t u, size_t b) {
    return typed(s, x_at(s, u, b) + typed(s, 3 * factor_of(u)));
}

static double expected_affine(const scene *s, size_t u, size_t b) {
    return test_fma(s->kernels, factor_of(u), x_at(s, u, b), shift_of(u));
}

static double expected_factors(const scene *s, size_t u, size_t b) {
    return typed(s, factor_of(u) * x_at(s, u, b));
}

static void check_elementwise(const scene *s) {
    const gs_kernels *k = s->kernels;
    gs_engine engine = {.kernels = k};
    size_t cells = s->rows * k->panel;
    gs_signal out = test_signal(&engine, s->rows, s->lanes);
    double *factor = test_numbers(s->rows), *shift = test_numbers(s->rows);
    for (size_t u = 0; u < s->rows; u++)
        factor[u] = factor_of(u), shift[u] = shift_of(u);
    k->scale(cells, 0.3, s->x.data, out.data);
    check_elements(s, "scale", &out, expected_scale);
    k->combine(cells, 0.3, s->x.data, -0.7, s->y.data, out.data);
    check_elements(s, "combine", &out, expected_combine);
    k->multiply(cells, s->x.data, s->y.data, out.data);
    check_elements(s, "multiply", &out, expected_multiply);
    k->affine_rows(s->rows, factor, shift, s->x.data, out.data);
    check_elements(s, "affine_rows", &out, expected_affine);
    k->affine_rows(s->rows, factor, NULL, s->x.data, out.data);
    check_elements(s, "affine_rows without shift", &out, expected_factors);
    gs_signal_copy(&engine, &s->x, &out);
    k->add_rows(s->rows, 3, factor, out.data);
    check_elements(s, "add_rows", &out, expected_add_rows);
    gs_signal_free(&out);
    free(factor), free(shift);
}

static void test_elementwise_operations_round_as_the_plain_ones_do(void) {
    on_every_scene(check_elementwise);
}

static void check_tiny_products(const gs_engine *engine) {
    const gs_kernels *k = engine->kernels;
    double tiny = k->dtype == GS_F64 ? 0x1p-500 : 0x1p-70, values[] = {tiny, -tiny, 1};
    gs_signal x = test_signal_of(engine, 3, 1, values);
    k->multiply(3 * k->panel, x.data, x.data, x.data);
    double *squares = test_values(engine, &x);
    CHECK(squares[0] == 0 && squares[1] == 0 && squares[2] == 1);
    gs_signal_free(&x);
    free(squares);
}

static void test_products_near_the_smallest_number_become_zero(void) {
    test_on_every_table(check_tiny_products);
}

/* ---- Normalisation ---- */

static double expected_normalised(const scene *s, size_t u, size_t i) {
    return typed(s, typed(s, x_at(s, u, i) - factor_of(u)) * shift_of(u));
}

static double expected_normalised_by_example(const scene *s, size_t u, size_t b) {
    return typed(s, typed(s, x_at(s, u, b) - factor_of(b)) * shift_of(b));
}

static double backward(const scene *s, size_t u, size_t b, size_t at) {
    double centred = typed(s, y_at(s, u, b) - shift_of(at));
    double rest = test_fma(s->kernels, x_at(s, u, b), -test_noise(22, at), centred);
    return typed(s, rest * factor_of(at));
}

static double expected_backward(const scene *s, size_t u, size_t b) {
    return backward(s, u, b, u);
}

static double expected_backward_by_example(const scene *s, size_t u, size_t b) {
    return backward(s, u, b, b);
}

static void check_normalise(const scene *s) {
    const gs_kernels *k = s->kernels;
    gs_engine engine = {.kernels = k};
    size_t room = s->rows + k->panel;
    gs_signal out = test_signal(&engine, s->rows, s->lanes);
    double *factor = test_random(20, room), *shift = test_random(21, room),
           *dot = test_random(22, room);
    k->normalise[GS_AXIS_UNIT](s->rows, factor, shift, s->x.data, out.data);
    check_elements(s, "normalise by unit", &out, expected_normalised);
    k->normalise[GS_AXIS_EXAMPLE](s->rows, factor, shift, s->x.data, out.data);
    check_elements(s, "normalise by example", &out, expected_normalised_by_example);
    k->normalise_backward[GS_AXIS_UNIT](s->rows, factor, shift, dot, s->x.data, s->y.data,
                                        out.data);
    check_elements(s, "backward by unit", &out, expected_backward);
    k->normalise_backward[GS_AXIS_EXAMPLE](s->rows, factor, shift, dot, s->x.data, s->y.data,
                                           out.data);
    check_elements(s, "backward by example", &out, expected_backward_by_example);
    gs_signal_free(&out);
    free(factor), free(shift), free(dot);
}

static void test_normalise_and_its_backward_round_as_the_formula_does(void) {
    on_every_scene(check_normalise);
}

/* ---- Softmax ---- */

/* exp and log err by a unit in the last place each, the sum of n exponentials and the division by n
   / 2 roundings more; factor (z - largest) by one, which e^x multiplies by |x| <= 40. */
static void check_softmax_lane(const scene *s, const gs_signal *p, double largest, double log_total,
                               size_t b) {
    double most = -INFINITY, total = 0, roundings = 50 + (double)s->rows;
    for (size_t u = 0; u < s->rows; u++)
        most = fmax(most, x_at(s, u, b));
    for (size_t u = 0; u < s->rows; u++)
        total += exp(20 * (x_at(s, u, b) - most));
    CHECK(largest == most);
    CHECK_THAT(fabs(log_total - log(total)) <=
                   roundings * test_rounding(s->kernels) * (1 + log(total)),
               "log of total %.17g", log_total);
    for (size_t u = 0; u < s->rows; u++) {
        double expected = exp(20 * (x_at(s, u, b) - most)) / total;
        double actual = s->kernels->get(gs_signal_element(s->kernels, p, u, b));
        CHECK_CLOSE(actual, expected, roundings * test_rounding(s->kernels));
    }
}

static void check_softmax(const scene *s) {
    const gs_kernels *k = s->kernels;
    gs_engine engine = {.kernels = k};
    gs_signal p = test_signal(&engine, s->rows, s->lanes),
              q = test_signal(&engine, s->rows, s->lanes);
    double *largest = test_numbers(2 * k->panel), *log_total = test_numbers(2 * k->panel);
    k->softmax(s->rows, 20, s->x.data, p.data, largest, log_total);
    s->portable->softmax(s->rows, 20, s->x.data, q.data, largest + k->panel, log_total + k->panel);
    CHECK(memcmp(p.data, q.data, s->rows * GS_PANEL_BYTES) == 0);
    CHECK(memcmp(largest, largest + k->panel, k->panel * sizeof *largest) == 0);
    CHECK(memcmp(log_total, log_total + k->panel, k->panel * sizeof *log_total) == 0);
    for (size_t b = 0; b < s->lanes; b++)
        check_softmax_lane(s, &p, largest[b], log_total[b], b);
    gs_signal_free(&p), gs_signal_free(&q);
    free(largest), free(log_total);
}

static void test_softmax_is_the_naive_one(void) {
    on_every_scene(check_softmax);
}

/* ---- Transpose ---- */

static void check_transpose(const scene *s) {
    gs_engine engine = {.kernels = s->kernels};
    gs_signal out = test_signal(&engine, s->kernels->panel, s->rows);
    gs_signal_transpose(&engine, &s->x, &out);
    for (size_t u = 0; u < s->rows; u++)
        for (size_t b = 0; b < s->kernels->panel; b++) {
            double expected = b < s->lanes ? x_at(s, u, b) : 0;
            CHECK(s->kernels->get(gs_signal_element(s->kernels, &out, b, u)) == expected);
        }
    CHECK(test_padding_is_zero(&engine, &out));
    gs_signal_free(&out);
}

static void test_transpose_exchanges_units_and_examples(void) {
    on_every_scene(check_transpose);
}

TEST_MAIN(TEST(test_moments_are_the_mean_and_the_squares_about_it),
          TEST(test_magnitude_is_the_sum_of_squares_and_the_largest),
          TEST(test_magnitude_shows_what_is_not_finite), TEST(test_counts_take_valid_lanes_alone),
          TEST(test_bilinear_form_weights_rows_and_lanes),
          TEST(test_sums_along_an_axis_are_the_naive_ones_and_leave_padding_alone),
          TEST(test_elementwise_operations_round_as_the_plain_ones_do),
          TEST(test_products_near_the_smallest_number_become_zero),
          TEST(test_normalise_and_its_backward_round_as_the_formula_does),
          TEST(test_softmax_is_the_naive_one), TEST(test_transpose_exchanges_units_and_examples))
