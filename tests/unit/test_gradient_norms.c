/*
 * Norm, signal-to-noise and correlation of dL/dW: from Gram matrices, from the matrix, and from the
 * gradient of every example written out.
 */
#include "test_net.h"

#include "flow/measure.h"
#include "net/product.h"

static gs_error error;

/* One batch at a dense layer: delta [batch, out] and u [batch, in]. */
typedef struct {
    size_t out, in, batch;
    double *delta, *u;
} sample;

static sample random_sample(size_t out, size_t in, size_t batch) {
    return (sample){out, in, batch, test_random(1, out * batch), test_random(2, in * batch)};
}

static void free_sample(sample *s) {
    free(s->delta), free(s->u);
}

typedef struct {
    double norm, snr, corr;
    double terms; /* norms of the examples' gradients together: what rounding is a share of */
} naive_result;

/* Entry i of the gradient of example b, delta_b u_b^T. */
static double entry(const sample *s, size_t b, size_t i) {
    return s->delta[b * s->out + i / s->in] * s->u[b * s->in + i % s->in];
}

static double inner(const sample *s, size_t b, size_t c) {
    double dot = 0;
    for (size_t i = 0; i < s->out * s->in; i++)
        dot += entry(s, b, i) * entry(s, c, i);
    return dot;
}

/* The mean over pairs of the cosine; an example without a gradient has no direction. */
static double naive_correlation(const sample *s) {
    double total = 0, pairs = 0;
    for (size_t b = 0; b < s->batch; b++)
        for (size_t c = 0; c < b; c++) {
            double scale = sqrt(inner(s, b, b)) * sqrt(inner(s, c, c));
            if (scale > 0)
                total += inner(s, b, c) / scale, pairs++;
        }
    return pairs > 0 ? total / pairs : NAN;
}

/* With the loss a mean over B examples, example b alone has the gradient B delta_b u_b^T. The mean
   of those is dL/dW, and its standard error is their deviation over sqrt(B). */
static naive_result naive(const sample *s) {
    double batch = (double)s->batch, squares = 0, deviation = 0;
    naive_result r = {0, NAN, naive_correlation(s), 0};
    for (size_t i = 0; i < s->out * s->in; i++) {
        double sum = 0;
        for (size_t b = 0; b < s->batch; b++)
            sum += entry(s, b, i);
        squares += sum * sum;
        for (size_t b = 0; b < s->batch; b++)
            deviation += pow(batch * entry(s, b, i) - sum, 2) / (batch - 1);
    }
    r.norm = sqrt(squares);
    r.snr = r.norm / sqrt(deviation / batch);
    for (size_t b = 0; b < s->batch; b++)
        r.terms += sqrt(inner(s, b, b));
    return r;
}

/* As measured, with the matrix given or not. */
static gs_weight_gradient measure(const gs_engine *engine, const sample *s, bool known,
                                  gs_gradient_work *work) {
    gs_signal delta = test_signal_of(engine, s->out, s->batch, s->delta);
    gs_signal u = test_signal_of(engine, s->in, s->batch, s->u);
    gs_weight_gradient result = {{0, 0}, 0, 0};
    gs_matrix grad = {0};
    if (known) {
        CHECK(gs_matrix_new(engine, s->out, s->in, &grad, &error) == GS_OK);
        gs_outer_job outer;
        gs_pool_job job = gs_product_outer_job(engine, &delta, &u, &grad, &outer);
        gs_pool_run_jobs(engine->pool, &job, 1);
    }
    CHECK(gs_measure_weight_gradient(engine, &delta, &u, known ? &grad : NULL, work, &result,
                                     &error) == GS_OK);
    gs_signal_free(&delta), gs_signal_free(&u);
    gs_matrix_free(&grad);
    return result;
}

/* An entry of a Gram matrix errs by sqrt(n) roundings or so, and where the norm is a small part of
   its terms it is taken from a matrix, whose entries err by sqrt(B) roundings of theirs. */
static double tolerance_of(const gs_engine *engine, const sample *s) {
    double longest = (double)(s->batch + s->out + s->in);
    return 8 * sqrt(longest) * test_rounding(engine->kernels);
}

/* Where Gram matrices are used their error is 1e-11 of the norm at most, or 1e-5 in f32: see the
   choice in gradient.c. */
static void check_norm(const gs_engine *engine, const sample *s, const naive_result *expected,
                       bool known, double actual) {
    double by_gram = engine->kernels->dtype == GS_F64 ? 1e-11 : 1e-5;
    double allowed = by_gram * expected->norm + tolerance_of(engine, s) * expected->terms;
    CHECK_THAT(fabs(actual - expected->norm) <= allowed,
               "%zu x %zu x %zu%s: norm %.17g, expected %.17g", s->out, s->in, s->batch,
               known ? " known" : "", actual, expected->norm);
}

static void check_sample(const gs_engine *engine, const sample *s, gs_gradient_work *work) {
    naive_result expected = naive(s);
    double tolerance = 10 * tolerance_of(engine, s);
    for (int known = 0; known < 2; known++) {
        gs_weight_gradient actual = measure(engine, s, known, work);
        check_norm(engine, s, &expected, known, gs_magnitude_value(actual.norm));
        CHECK_THAT(fabs(actual.snr - expected.snr) <= tolerance * (1 + expected.snr) ||
                       (isnan(actual.snr) && isnan(expected.snr)),
                   "%zu x %zu x %zu: snr %.17g, expected %.17g", s->out, s->in, s->batch,
                   actual.snr, expected.snr);
        CHECK_THAT(fabs(actual.corr - expected.corr) <= tolerance ||
                       (isnan(actual.corr) && isnan(expected.corr)),
                   "%zu x %zu x %zu: corr %.17g, expected %.17g", s->out, s->in, s->batch,
                   actual.corr, expected.corr);
    }
}

/* ---- Any shape ---- */

/* Where 2 out in >= batch (out + in) the sums come from Gram matrices, elsewhere from the matrix.
 */
static const size_t shapes[][3] = {{1, 1, 1},   {1, 1, 2},    {8, 8, 7},    {7, 9, 15},
                                   {9, 7, 33},  {20, 20, 17}, {130, 8, 15}, {8, 130, 16},
                                   {40, 30, 1}, {130, 9, 33}, {9, 9, 2},    {30, 30, 31}};

static void check_shapes(const gs_engine *engine) {
    gs_gradient_work work = {0};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        sample s = random_sample(shapes[i][0], shapes[i][1], shapes[i][2]);
        check_sample(engine, &s, &work);
        free_sample(&s);
    }
    gs_gradient_work_free(&work);
}

static void test_gram_norm_equals_matrix_norm_and_naive_norm(void) {
    test_on_every_table(check_shapes);
}

static bool same_result(gs_weight_gradient a, gs_weight_gradient b) {
    return a.norm.exponent == b.norm.exponent &&
           memcmp(&a.norm.sum_squares, &b.norm.sum_squares, sizeof(double)) == 0 &&
           memcmp(&a.snr, &b.snr, sizeof a.snr) == 0 &&
           memcmp(&a.corr, &b.corr, sizeof a.corr) == 0;
}

static void check_bytes(const gs_engine *engine) {
    gs_engine portable = {.kernels = test_portable(engine->kernels)};
    gs_gradient_work reused = {0};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        gs_gradient_work fresh = {0};
        sample s = random_sample(shapes[i][0], shapes[i][1], shapes[i][2]);
        gs_weight_gradient a = measure(engine, &s, false, &reused),
                           b = measure(&portable, &s, false, &fresh);
        CHECK_THAT(same_result(a, b), "%s, shape %zu", engine->kernels->isa, i);
        gs_gradient_work_free(&fresh);
        free_sample(&s);
    }
    gs_gradient_work_free(&reused);
}

static void test_gradient_norms_are_the_same_bytes_on_every_table_and_in_used_memory(void) {
    test_on_every_table(check_bytes);
}

/* 130 x 130 x 120 and 130 x 130 x 140: large enough for threads, on either way to the sums. */
static void test_threads_change_no_bit_of_a_gradient_norm(void) {
    for (size_t batch = 120; batch <= 140; batch += 20) {
        sample s = random_sample(130, 130, batch);
        gs_engine engine = {.kernels = gs_kernels_at(0)};
        gs_gradient_work work = {0};
        gs_weight_gradient one = measure(&engine, &s, false, &work);
        for (size_t threads = 2; threads <= 3; threads++) {
            CHECK(gs_pool_new(threads, &engine.pool, &error) == GS_OK);
            CHECK(same_result(measure(&engine, &s, false, &work), one));
            gs_pool_free(engine.pool);
        }
        gs_gradient_work_free(&work);
        free_sample(&s);
    }
}

static void check_exponents(const gs_engine *engine) {
    double three = 3, five = 5;
    gs_gradient_work work = {0};
    gs_weight_gradient result;
    gs_signal delta = test_signal_of(engine, 1, 1, &three), u = test_signal_of(engine, 1, 1, &five);
    delta.exponent = -3000, u.exponent = 500;
    CHECK(gs_measure_weight_gradient(engine, &delta, &u, NULL, &work, &result, &error) == GS_OK);
    CHECK(result.norm.sum_squares == 225 && result.norm.exponent == -2500);
    gs_signal_free(&delta), gs_signal_free(&u);
    gs_gradient_work_free(&work);
}

static void test_norm_carries_the_exponents_of_both_signals(void) {
    test_on_every_table(check_exponents);
}

/* ---- Cancellation ---- */

enum { WIDE, SQUARE, MANY, SHAPES }; /* Gram, Gram, matrix */
static const size_t cancelling[SHAPES][3] = {{30, 40, 8}, {16, 16, 16}, {8, 8, 34}};

/* Runs `change` on a random sample of each shape, and checks it on every table. */
static void check_changed(void (*change)(sample *s)) {
    for (size_t i = 0; i < SHAPES; i++) {
        sample s = random_sample(cancelling[i][0], cancelling[i][1], cancelling[i][2]);
        change(&s);
        for (size_t table = 0; gs_kernels_at(table); table++) {
            gs_engine engine = {.kernels = gs_kernels_at(table)};
            gs_gradient_work work = {0};
            check_sample(&engine, &s, &work);
            gs_gradient_work_free(&work);
        }
        free_sample(&s);
    }
}

/* Every example is followed by its opposite: with the same u, the sum is 0 to the last bit. */
static void make_opposite(sample *s) {
    for (size_t b = 1; b < s->batch; b += 2) {
        for (size_t i = 0; i < s->out; i++)
            s->delta[b * s->out + i] = -s->delta[(b - 1) * s->out + i];
        memcpy(s->u + b * s->in, s->u + (b - 1) * s->in, s->in * sizeof *s->u);
    }
}

static void test_gradients_that_cancel_have_the_norm_that_is_left(void) {
    check_changed(make_opposite);
}

/* The same but for one part in 4096. */
static void make_nearly_opposite(sample *s) {
    make_opposite(s);
    for (size_t i = 0; i < s->out * s->batch; i++)
        s->delta[i] = (double)(float)(s->delta[i] + 0x1p-12 * test_noise(5, i));
}

static void test_gradients_that_nearly_cancel_keep_their_digits(void) {
    check_changed(make_nearly_opposite);
}

/* What batch norm does to a bias, here for all weights: u constant over the batch, delta of sum 0.
 */
static void make_centred(sample *s) {
    for (size_t b = 0; b < s->batch; b++)
        memcpy(s->u + b * s->in, s->u, s->in * sizeof *s->u);
    for (size_t i = 0; i < s->out; i++) {
        double sum = 0;
        for (size_t b = 0; b < s->batch; b++)
            sum += s->delta[b * s->out + i];
        for (size_t b = 0; b < s->batch; b++)
            s->delta[b * s->out + i] =
                (double)(float)(s->delta[b * s->out + i] - sum / (double)s->batch);
    }
}

static void test_gradients_that_sum_to_zero_under_batch_norm_vanish(void) {
    check_changed(make_centred);
}

/* Every example is the first but for a hundredth: the noise must not come from a difference. */
static void make_nearly_alike(sample *s) {
    for (size_t b = 1; b < s->batch; b++) {
        for (size_t i = 0; i < s->out; i++)
            s->delta[b * s->out + i] =
                (double)(float)(s->delta[i] + 0.01 * s->delta[b * s->out + i]);
        for (size_t i = 0; i < s->in; i++)
            s->u[b * s->in + i] = (double)(float)(s->u[i] + 0.01 * s->u[b * s->in + i]);
    }
}

static void test_noise_of_examples_that_are_nearly_alike_keeps_its_digits(void) {
    check_changed(make_nearly_alike);
}

/* ---- Special batches ---- */

static void check_identical(const gs_engine *engine) {
    for (size_t i = 0; i < SHAPES; i++) {
        sample s = random_sample(cancelling[i][0], cancelling[i][1], cancelling[i][2]);
        gs_gradient_work work = {0};
        for (size_t b = 1; b < s.batch; b++) {
            memcpy(s.delta + b * s.out, s.delta, s.out * sizeof *s.delta);
            memcpy(s.u + b * s.in, s.u, s.in * sizeof *s.u);
        }
        gs_weight_gradient actual = measure(engine, &s, false, &work);
        double one = (double)s.batch * sqrt(inner(&s, 0, 0));
        CHECK_CLOSE(gs_magnitude_value(actual.norm), one, tolerance_of(engine, &s));
        CHECK_CLOSE(actual.corr, 1, 2 * tolerance_of(engine, &s));
        CHECK_THAT(actual.snr == INFINITY, "snr of identical examples is %g", actual.snr);
        gs_gradient_work_free(&work);
        free_sample(&s);
    }
}

static void test_identical_examples_have_correlation_one_and_no_noise(void) {
    test_on_every_table(check_identical);
}

static void make_some_dead(sample *s) {
    for (size_t b = 0; b < s->batch; b += 3)
        memset(s->delta + b * s->out, 0, s->out * sizeof *s->delta);
    memset(s->u + s->in, 0, s->in * sizeof *s->u);
}

static void test_examples_without_a_gradient_have_no_part_in_the_correlation(void) {
    check_changed(make_some_dead);
}

static void check_zero(const gs_engine *engine) {
    sample s = random_sample(9, 7, 17);
    gs_gradient_work work = {0};
    memset(s.delta, 0, 9 * 17 * sizeof *s.delta);
    gs_weight_gradient actual = measure(engine, &s, false, &work);
    CHECK(actual.norm.sum_squares == 0 && isnan(actual.snr) && isnan(actual.corr));
    gs_gradient_work_free(&work);
    free_sample(&s);
}

static void test_zero_gradient_has_neither_noise_nor_correlation(void) {
    test_on_every_table(check_zero);
}

/* Scaling an example by a power of two turns no gradient, however small it becomes beside the
   others: its square may leave the range of f32, or of f64. */
static void check_small_example(const gs_engine *engine) {
    static const int scales[] = {-10, -40, -70, -100, -450};
    size_t count = engine->kernels->dtype == GS_F64 ? 5 : 4;
    for (size_t i = 0; i < SHAPES * count; i++) {
        const size_t *shape = cancelling[i % SHAPES];
        sample s = random_sample(shape[0], shape[1], shape[2]);
        gs_gradient_work work = {0};
        double expected = naive_correlation(&s);
        for (size_t j = 0; j < s.out; j++)
            s.delta[j] = ldexp(s.delta[j], scales[i / SHAPES]);
        gs_weight_gradient actual = measure(engine, &s, false, &work);
        CHECK_THAT(fabs(actual.corr - expected) <= 10 * tolerance_of(engine, &s),
                   "2^%d: %.17g, expected %.17g", scales[i / SHAPES], actual.corr, expected);
        gs_gradient_work_free(&work);
        free_sample(&s);
    }
}

static void test_size_of_an_example_does_not_change_its_correlation(void) {
    test_on_every_table(check_small_example);
}

TEST_MAIN(TEST(test_noise_of_examples_that_are_nearly_alike_keeps_its_digits),
          TEST(test_gram_norm_equals_matrix_norm_and_naive_norm),
          TEST(test_gradient_norms_are_the_same_bytes_on_every_table_and_in_used_memory),
          TEST(test_threads_change_no_bit_of_a_gradient_norm),
          TEST(test_norm_carries_the_exponents_of_both_signals),
          TEST(test_gradients_that_cancel_have_the_norm_that_is_left),
          TEST(test_gradients_that_nearly_cancel_keep_their_digits),
          TEST(test_gradients_that_sum_to_zero_under_batch_norm_vanish),
          TEST(test_identical_examples_have_correlation_one_and_no_noise),
          TEST(test_examples_without_a_gradient_have_no_part_in_the_correlation),
          TEST(test_zero_gradient_has_neither_noise_nor_correlation),
          TEST(test_size_of_an_example_does_not_change_its_correlation))
