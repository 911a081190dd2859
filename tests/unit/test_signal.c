/*
 * Signals: values in and out, exponents, magnitudes that cannot overflow, and the walks over
 * blocks.
 */
#include "test_net.h"

static gs_error error;

static gs_engine default_engine(void) {
    gs_engine engine = {0};
    CHECK(gs_kernels_get(GS_F64, &engine.kernels, &error) == GS_OK);
    return engine;
}

/* ---- Values ---- */

static void check_round_trip(const gs_engine *engine) {
    for (size_t i = 0; i < TEST_SIZES; i++)
        for (size_t b = 0; b < TEST_SIZES; b++) {
            size_t count = test_units[i] * test_batches[b];
            double *values = test_random(i, count);
            gs_signal x = test_signal_of(engine, test_units[i], test_batches[b], values);
            double *read = test_values(engine, &x);
            CHECK(memcmp(values, read, count * sizeof *values) == 0);
            CHECK(test_padding_is_zero(engine, &x));
            CHECK(x.rows % GS_TILE == 0 && x.rows - x.units < GS_TILE);
            gs_signal_free(&x);
            free(values), free(read);
        }
}

static void test_values_that_are_written_are_read_back(void) {
    test_on_every_table(check_round_trip);
}

static void test_reading_gives_true_values(void) {
    gs_engine engine = default_engine();
    double values[] = {1.5, -3, 0};
    gs_signal x = test_signal_of(&engine, 3, 1, values);
    x.exponent = 4;
    double *read = test_values(&engine, &x);
    CHECK(read[0] == 24 && read[1] == -48 && read[2] == 0);
    x.exponent = 5000;
    gs_signal_read(&engine, &x, read);
    CHECK(read[0] == INFINITY && read[1] == -INFINITY && read[2] == 0);
    x.exponent = GS_EXPONENT_OF_ZERO;
    gs_signal_read(&engine, &x, read);
    CHECK(read[0] == 0 && read[1] == 0);
    gs_signal_write(&engine, values, &x);
    CHECK(x.exponent == 0);
    gs_signal_free(&x);
    free(read);
}

/* ---- Making ---- */

typedef struct {
    gs_signal *signal;
    size_t told; /* blocks that the rider has seen as they should be */
} making;

/* 7 in every lane, also past the batch. */
static void make_sevens(void *context, gs_block block) {
    const making *m = context;
    const gs_kernels *k = gs_kernels_at(0);
    for (size_t i = 0; gs_kernels_at(i); i++)
        if (gs_kernels_at(i)->panel == block.cells / block.rows)
            k = gs_kernels_at(i);
    for (size_t i = 0; i < block.cells; i++)
        k->set((char *)m->signal->data + block.offset + i * k->size, 7);
}

static void see_sevens(void *context, const gs_signal *signal, gs_block block) {
    making *m = context;
    const gs_size *size = &signal->sizes[block.index];
    m->told += size->max_abs == 7 && size->squares == 49 * (double)(block.rows * block.lanes);
}

static void check_making(const gs_engine *engine) {
    gs_signal x = test_signal(engine, 130, 33);
    making m = {&x, 0};
    gs_rider rider = {.task = see_sevens, .context = &m};
    x.riders = &rider;
    gs_signal_make(engine, &x, make_sevens, &m);
    CHECK(test_padding_is_zero(engine, &x));
    CHECK(m.told == gs_signal_blocks(&x) && m.told == 3 * x.panels);
    CHECK(gs_signal_magnitude(&x, NULL).sum_squares == 49 * 130 * 33);
    gs_signal_free(&x);
}

static void test_a_block_that_is_made_is_padded_with_zeros_measured_and_shown_to_riders(void) {
    test_on_every_table(check_making);
}

static void test_sizes_that_overflow_are_refused(void) {
    gs_engine engine = default_engine();
    gs_signal x;
    gs_matrix m;
    size_t bytes;
    CHECK(!gs_signal_bytes(engine.kernels, SIZE_MAX, 1, &bytes));
    CHECK(!gs_signal_bytes(engine.kernels, 1, SIZE_MAX, &bytes));
    CHECK(!gs_signal_bytes(engine.kernels, SIZE_MAX / 64, 64, &bytes));
    CHECK(!gs_matrix_bytes(engine.kernels, SIZE_MAX, SIZE_MAX, &bytes));
    CHECK(gs_signal_bytes(engine.kernels, 9, 17, &bytes) &&
          bytes == 16 * 32 * 8 + 2 * sizeof(gs_size));
    CHECK(gs_matrix_bytes(engine.kernels, 9, 7, &bytes) && bytes == 2 * 64 * 8);
    CHECK(gs_signal_new(&engine, SIZE_MAX, 2, &x, &error) == GS_ERR_MEMORY);
    CHECK(gs_matrix_new(&engine, SIZE_MAX, SIZE_MAX, &m, &error) == GS_ERR_MEMORY);
    gs_signal_free(&x);
    gs_matrix_free(&m);
}

static void check_matrix_round_trip(const gs_engine *engine) {
    double *values = test_random(2, 9 * 13), squares = 0, *read = test_numbers(9 * 13);
    gs_matrix m = test_matrix_of(engine, 9, 13, values);
    gs_matrix_read(engine, &m, read);
    CHECK(memcmp(values, read, 9 * 13 * sizeof *values) == 0);
    for (size_t i = 0; i < 9 * 13; i++)
        squares += values[i] * values[i];
    m.exponent = -5000;
    gs_magnitude norm = gs_matrix_magnitude(engine, &m);
    CHECK_CLOSE(norm.sum_squares, squares, 117 * 0x1p-52);
    CHECK(norm.exponent == -5000);
    gs_matrix_free(&m);
    free(values), free(read);
}

static void test_matrix_is_read_back_and_its_norm_is_frobenius(void) {
    test_on_every_table(check_matrix_round_trip);
}

/* ---- Powers of two and magnitudes ---- */

static void test_ldexp_takes_any_exponent(void) {
    CHECK(gs_ldexp(3, 4) == 48);
    CHECK(gs_ldexp(1, INT64_MAX) == INFINITY && gs_ldexp(-1, INT64_MAX) == -INFINITY);
    CHECK(gs_ldexp(1, INT64_MIN) == 0 && gs_ldexp(0, INT64_MAX) == 0);
    CHECK(gs_ldexp(0x1p-1074, 2097) == 0x1p1023 && gs_ldexp(0x1p1023, -2097) == 0x1p-1074);
    CHECK(isnan(gs_ldexp(NAN, 1)));
}

/* log10 errs by a unit in the last place, and so does each of the two terms. */
static void test_log10_of_a_magnitude_is_exact_where_its_value_does_not_fit(void) {
    CHECK_CLOSE(gs_magnitude_log10((gs_magnitude){1e10, 0}), 5, 4 * 0x1p-52);
    CHECK(gs_magnitude_log10((gs_magnitude){1, 0}) == 0);
    CHECK_CLOSE(gs_magnitude_log10((gs_magnitude){1, -100000}), -100000 * log10(2), 4 * 0x1p-52);
    CHECK_CLOSE(gs_magnitude_log10((gs_magnitude){0x1p-1074, 10}), -527 * log10(2), 4 * 0x1p-52);
    CHECK_CLOSE(gs_magnitude_log10((gs_magnitude){1e300, 100000}), 150 + 100000 * log10(2),
                4 * 0x1p-52);
    CHECK(gs_magnitude_log10((gs_magnitude){0, 5}) == -INFINITY);
    CHECK(isnan(gs_magnitude_log10((gs_magnitude){INFINITY, 0})));
    CHECK(isnan(gs_magnitude_log10((gs_magnitude){NAN, 0})));
}

static void test_value_of_a_magnitude_is_zero_or_infinite_where_it_does_not_fit(void) {
    CHECK(gs_magnitude_value((gs_magnitude){9, 2}) == 12);
    CHECK(gs_magnitude_value((gs_magnitude){9, 2000}) == INFINITY);
    CHECK(gs_magnitude_value((gs_magnitude){9, -2000}) == 0);
    CHECK(isnan(gs_magnitude_value((gs_magnitude){INFINITY, -2000})));
}

static void check_sum(gs_magnitude x, gs_magnitude y, double sum_squares, int64_t exponent) {
    gs_magnitude both[] = {gs_magnitude_add(x, y), gs_magnitude_add(y, x)};
    for (size_t i = 0; i < 2; i++)
        CHECK_THAT(gs_ldexp(both[i].sum_squares, 2 * (both[i].exponent - exponent)) == sum_squares,
                   "%g 2^%lld, expected %g 2^%lld", both[i].sum_squares,
                   (long long)both[i].exponent, sum_squares, (long long)exponent);
}

static void test_magnitudes_add_as_the_sides_of_a_right_angle(void) {
    check_sum((gs_magnitude){9, 0}, (gs_magnitude){16, 0}, 25, 0);
    check_sum((gs_magnitude){9, 1}, (gs_magnitude){64, 0}, 25, 1);
    check_sum((gs_magnitude){9, 100000}, (gs_magnitude){64, 99999}, 25, 100000);
    check_sum((gs_magnitude){9, 100000}, (gs_magnitude){16, -100000}, 9, 100000);
    check_sum((gs_magnitude){9, -3000}, (gs_magnitude){0, 0}, 9, -3000);
    check_sum((gs_magnitude){9, -3000}, (gs_magnitude){0, GS_EXPONENT_OF_ZERO}, 9, -3000);
    check_sum((gs_magnitude){0, 0}, (gs_magnitude){0, 7}, 0, 0);
}

static void test_ratio_of_magnitudes_does_not_overflow_on_the_way(void) {
    CHECK(gs_magnitude_ratio((gs_magnitude){16, 100000}, (gs_magnitude){4, 99999}) == 4);
    CHECK(gs_magnitude_ratio((gs_magnitude){1, -5000}, (gs_magnitude){1, 0}) == 0);
    CHECK(gs_magnitude_ratio((gs_magnitude){1, 5000}, (gs_magnitude){1, 0}) == INFINITY);
    CHECK(gs_magnitude_ratio((gs_magnitude){0, 3}, (gs_magnitude){1, 0}) == 0);
    CHECK(isnan(gs_magnitude_ratio((gs_magnitude){1, 0}, (gs_magnitude){0, 0})));
}

/* ---- Combine ---- */

static void check_combination(double a, int64_t x_exponent, double b, int64_t y_exponent,
                              double mantissa, int64_t exponent) {
    gs_engine engine = default_engine();
    double three = 3, five = 5;
    gs_signal x = test_signal_of(&engine, 1, 1, &three), y = test_signal_of(&engine, 1, 1, &five);
    gs_signal out = test_signal(&engine, 1, 1);
    x.exponent = x_exponent, y.exponent = y_exponent;
    gs_signal_combine(&engine, a, &x, b, &y, &out);
    CHECK_THAT(*(double *)out.data == mantissa && out.exponent == exponent,
               "%g 2^%lld, expected %g 2^%lld", *(double *)out.data, (long long)out.exponent,
               mantissa, (long long)exponent);
    gs_signal_combine(&engine, a, &x, b, &y, &y);
    CHECK(*(double *)y.data == mantissa && y.exponent == exponent);
    gs_signal_free(&x), gs_signal_free(&y), gs_signal_free(&out);
}

static void test_combining_aligns_exponents_to_the_larger(void) {
    check_combination(2, 0, 1, 0, 11, 0);
    check_combination(2, 1, 1, 0, 8.5, 1);
    check_combination(1, -3, 2, 1, 3 * 0.0625 + 10, 1);
    check_combination(1, 5000, 1, 4999, 5.5, 5000);
    check_combination(1, 5000, 1, -5000, 3, 5000);
    check_combination(1, GS_EXPONENT_OF_ZERO, 1, -300, 5, -300);
}

static void test_a_side_that_is_multiplied_by_zero_has_no_say_in_the_exponent(void) {
    check_combination(0, 4000, 2, -300, 10, -300);
    check_combination(-1, -300, 0, 4000, -3, -300);
}

/* ---- Rescaling ---- */

static void check_normalised(const gs_engine *engine, double size, bool rescaled) {
    double values[] = {0.75 * size, -1.25 * size, 0};
    gs_signal x = test_signal_of(engine, 3, 1, values);
    x.exponent = 11;
    CHECK(gs_signal_normalise(engine, &x));
    gs_signal plain = x;
    plain.exponent = 0;
    double *mantissas = test_values(engine, &plain);
    CHECK_THAT(rescaled ? mantissas[1] == -1.25 : mantissas[1] == -1.25 * size, "size %g: %g", size,
               mantissas[1]);
    CHECK(mantissas[0] / mantissas[1] == -0.6 && mantissas[2] == 0);
    CHECK(x.exponent == 11 + (rescaled ? ilogb(size) : 0));
    gs_signal_free(&x);
    free(mantissas);
}

/* Squares of what is left alone, 2^+-200 or 2^+-20, fit; 1e200 has a square that does not. */
static void check_rescaling(const gs_engine *engine) {
    bool wide = engine->kernels->dtype == GS_F64;
    check_normalised(engine, 1, false);
    check_normalised(engine, 0x1p20, false), check_normalised(engine, 0x1p-20, false);
    check_normalised(engine, 0x1p21, !wide), check_normalised(engine, 0x1p-21, !wide);
    if (wide) {
        check_normalised(engine, 0x1p200, false), check_normalised(engine, 0x1p-200, false);
        check_normalised(engine, 0x1p201, true), check_normalised(engine, 0x1p-201, true);
        check_normalised(engine, 0x1p1000, true), check_normalised(engine, 0x1p-1000, true);
    } else {
        check_normalised(engine, 0x1p120, true), check_normalised(engine, 0x1p-120, true);
    }
}

static void test_rescaling_moves_drifted_mantissas_to_one_and_nothing_else(void) {
    test_on_every_table(check_rescaling);
}

/* 2^1070 is no number, nor 2^148 in f32, so these are lifted as far as can be in one step. */
static void check_denormals(const gs_engine *engine) {
    double tiny = engine->kernels->dtype == GS_F64 ? 0x1p-1070 : 0x1p-148;
    double values[] = {tiny, -tiny, 0};
    gs_signal x = test_signal_of(engine, 3, 1, values);
    CHECK(gs_signal_normalise(engine, &x) && x.exponent < 0);
    double *read = test_values(engine, &x);
    CHECK(read[0] == tiny && read[1] == -tiny && read[2] == 0);
    gs_signal_free(&x);
    free(read);
}

static void test_rescaling_lifts_denormals_without_changing_them(void) {
    test_on_every_table(check_denormals);
}

static void check_what_cannot_be_rescaled(const gs_engine *engine) {
    double values[] = {NAN, 0x1p60, 1};
    gs_signal x = test_signal_of(engine, 3, 1, values);
    CHECK(!gs_signal_normalise(engine, &x) && x.exponent == 0);
    values[0] = INFINITY;
    gs_signal_write(engine, values, &x);
    CHECK(!gs_signal_normalise(engine, &x) && x.exponent == 0);
    double *read = test_values(engine, &x);
    CHECK(isinf(read[0]) && read[1] == 0x1p60 && read[2] == 1);
    gs_signal_zero(engine, &x);
    CHECK(gs_signal_normalise(engine, &x) && x.exponent == GS_EXPONENT_OF_ZERO);
    gs_signal_free(&x);
    free(read);
}

static void test_rescaling_reports_what_is_not_finite_and_marks_zero(void) {
    test_on_every_table(check_what_cannot_be_rescaled);
}

/* ---- Sums over a signal ---- */

static void check_magnitude_and_dot(const gs_engine *engine) {
    size_t count = 130 * 33;
    double *a = test_random(3, count), *b = test_random(4, count), squares = 0, dot = 0,
           largest = 0;
    gs_signal x = test_signal_of(engine, 130, 33, a), y = test_signal_of(engine, 130, 33, b);
    for (size_t i = 0; i < count; i++) {
        squares += a[i] * a[i], dot += a[i] * b[i];
        largest = fmax(largest, fabs(a[i]));
    }
    double max_abs;
    x.exponent = 7;
    gs_magnitude norm = gs_signal_magnitude(&x, &max_abs);
    /* terms of at most 1, in two orders */
    double bound = 2 * (double)count * (double)count * 0x1p-53;
    CHECK(fabs(norm.sum_squares - squares) <= bound && norm.exponent == 7 && max_abs == largest);
    CHECK(fabs(gs_signal_dot(engine, &x, &y) - dot) <= bound);
    gs_signal_free(&x), gs_signal_free(&y);
    free(a), free(b);
}

static void test_norm_and_dot_of_a_signal_are_the_naive_sums(void) {
    test_on_every_table(check_magnitude_and_dot);
}

/* ---- Blocks ---- */

typedef struct {
    gs_signal signal;
    unsigned char *visits;               /* [panels, rows]: how often a row of a panel came */
    size_t last_panel[16], last_row[16]; /* of a row range, of a panel: what came last, plus 1 */
    bool rows_in_order, panels_in_order;
} walk;

static void visit(void *context, gs_block block) {
    walk *w = context;
    size_t panel = block.offset / GS_PANEL_BYTES / w->signal.rows, range = block.row / 64;
    for (size_t u = block.row; u < block.row + block.rows; u++)
        w->visits[panel * w->signal.rows + u]++;
    w->rows_in_order = w->rows_in_order && w->last_panel[range] == panel;
    w->last_panel[range] = panel + 1;
    w->panels_in_order = w->panels_in_order && w->last_row[panel] == block.row;
    w->last_row[panel] = block.row + block.rows;
    CHECK(block.offset == (panel * w->signal.rows + block.row) * GS_PANEL_BYTES);
    CHECK(block.example == panel * 16 && block.cells == block.rows * 16);
    CHECK(block.lanes == (panel == w->signal.panels - 1 ? 1 : 16));
}

/* 200 units x 33 examples: 4 ranges of rows, 3 panels. */
static walk walk_blocks(void (*run)(const gs_engine *, const gs_signal *, gs_block_task, void *)) {
    gs_engine engine = default_engine();
    walk w = {
        .signal = test_signal(&engine, 200, 33), .rows_in_order = true, .panels_in_order = true};
    w.visits = calloc(w.signal.rows * w.signal.panels, 1);
    run(&engine, &w.signal, visit, &w);
    for (size_t i = 0; i < w.signal.rows * w.signal.panels; i++)
        CHECK(w.visits[i] == (i % w.signal.rows < 200));
    gs_signal_free(&w.signal);
    free(w.visits);
    return w;
}

static void test_walks_visit_every_row_once_and_in_the_promised_order(void) {
    walk_blocks(gs_signal_for_blocks);
    CHECK(walk_blocks(gs_signal_for_rows).rows_in_order);
    CHECK(walk_blocks(gs_signal_for_panels).panels_in_order);
}

static gs_partial position(const void *context, gs_block block) {
    (void)context;
    return (gs_partial){{(double)block.offset, 1}};
}

static gs_partial ascending(gs_partial total, gs_partial part) {
    bool in_order = total.value[0] <= part.value[0] && total.value[2] == 0;
    return (gs_partial){{part.value[0], total.value[1] + 1, in_order ? 0 : 1}};
}

/* 5 ranges of rows x 65 panels: more blocks than are held at once, and than are done on one thread.
 */
static void test_results_of_blocks_are_merged_in_order_whatever_the_threads(void) {
    for (size_t threads = 1; threads <= 3; threads++) {
        gs_engine engine = default_engine();
        CHECK(gs_pool_new(threads, &engine.pool, NULL) == GS_OK);
        gs_signal x = test_signal(&engine, 300, 65 * 16);
        gs_partial total = gs_signal_reduce(&engine, &x, position, NULL, ascending);
        CHECK(total.value[1] == 5 * 65 && total.value[2] == 0);
        gs_signal_free(&x);
        gs_pool_free(engine.pool);
    }
}

static void test_threads_change_no_bit_of_a_large_signal(void) {
    gs_engine one = default_engine(), three = one;
    CHECK(gs_pool_new(3, &three.pool, NULL) == GS_OK);
    gs_signal x = test_random_signal(&one, 300, 300, 5), y = test_random_signal(&one, 300, 300, 6);
    gs_signal a = test_signal(&one, 300, 300), b = test_signal(&one, 300, 300);
    double dots[] = {gs_signal_dot(&one, &x, &y), gs_signal_dot(&three, &x, &y)};
    CHECK(dots[0] == dots[1]);
    gs_signal_combine(&one, 0.3, &x, 0.7, &y, &a);
    gs_signal_combine(&three, 0.3, &x, 0.7, &y, &b);
    CHECK(memcmp(a.data, b.data, test_signal_bytes(&one, &a)) == 0);
    gs_signal_free(&x), gs_signal_free(&y), gs_signal_free(&a), gs_signal_free(&b);
    gs_pool_free(three.pool);
}

TEST_MAIN(TEST(test_values_that_are_written_are_read_back), TEST(test_reading_gives_true_values),
          TEST(test_a_block_that_is_made_is_padded_with_zeros_measured_and_shown_to_riders),
          TEST(test_sizes_that_overflow_are_refused),
          TEST(test_matrix_is_read_back_and_its_norm_is_frobenius),
          TEST(test_ldexp_takes_any_exponent),
          TEST(test_log10_of_a_magnitude_is_exact_where_its_value_does_not_fit),
          TEST(test_value_of_a_magnitude_is_zero_or_infinite_where_it_does_not_fit),
          TEST(test_magnitudes_add_as_the_sides_of_a_right_angle),
          TEST(test_ratio_of_magnitudes_does_not_overflow_on_the_way),
          TEST(test_combining_aligns_exponents_to_the_larger),
          TEST(test_a_side_that_is_multiplied_by_zero_has_no_say_in_the_exponent),
          TEST(test_rescaling_moves_drifted_mantissas_to_one_and_nothing_else),
          TEST(test_rescaling_lifts_denormals_without_changing_them),
          TEST(test_rescaling_reports_what_is_not_finite_and_marks_zero),
          TEST(test_norm_and_dot_of_a_signal_are_the_naive_sums),
          TEST(test_walks_visit_every_row_once_and_in_the_promised_order),
          TEST(test_results_of_blocks_are_merged_in_order_whatever_the_threads),
          TEST(test_threads_change_no_bit_of_a_large_signal))
