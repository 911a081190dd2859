/*
 * Normalisation: batch, layer and RMS norm against plain loops over explicit groups and Jacobians,
 * at any exponent.
 */
#include "test_net.h"

#include "net/config.h"
#include "net/norm.h"

static gs_error error;

/* A group is what one mean is taken over: the examples of a unit, or the units of an example. */
typedef struct {
    size_t kind, units, batch;
    double eps;
    double *x, *grad, *scale, *shift; /* [batch, units] and [units] */
} problem;

static size_t members(const problem *p) {
    return p->kind == GS_NORM_BATCH ? p->batch : p->units;
}

static size_t groups(const problem *p) {
    return p->kind == GS_NORM_BATCH ? p->units : p->batch;
}

static size_t unit_of(const problem *p, size_t group, size_t member) {
    return p->kind == GS_NORM_BATCH ? group : member;
}

static size_t index_of(const problem *p, size_t group, size_t member) {
    return p->kind == GS_NORM_BATCH ? member * p->units + group : group * p->units + member;
}

/* h = (x - mean) inverse_std of one group; returns inverse_std. */
static double normalise_group(const problem *p, size_t group, double *h) {
    double n = (double)members(p), mean = 0, variance = 0;
    for (size_t i = 0; i < members(p) && p->kind != GS_NORM_RMS; i++)
        mean += p->x[index_of(p, group, i)] / n;
    for (size_t i = 0; i < members(p); i++)
        variance += pow(p->x[index_of(p, group, i)] - mean, 2) / n;
    for (size_t i = 0; i < members(p); i++)
        h[i] = (p->x[index_of(p, group, i)] - mean) / sqrt(variance + p->eps);
    return 1 / sqrt(variance + p->eps);
}

static void naive_forward(const problem *p, double *y) {
    double *h = test_numbers(members(p));
    for (size_t group = 0; group < groups(p); group++) {
        normalise_group(p, group, h);
        for (size_t i = 0; i < members(p); i++)
            y[index_of(p, group, i)] =
                p->scale[unit_of(p, group, i)] * h[i] + p->shift[unit_of(p, group, i)];
    }
    free(h);
}

/* dL/dx_j = sum over i of dL/dh_i dh_i/dx_j with dh_i/dx_j = inverse_std ([i = j] - 1/n - h_i h_j /
   n), the 1/n only where a mean is subtracted. Returns the largest dL/dh_i inverse_std, which these
   can cancel. */
static double naive_backward(const problem *p, double *dx, double *dscale, double *dshift) {
    double *h = test_numbers(members(p)), n = (double)members(p), largest = 0;
    for (size_t group = 0; group < groups(p); group++) {
        double inverse_std = normalise_group(p, group, h);
        for (size_t i = 0; i < members(p); i++) {
            double dy = p->grad[index_of(p, group, i)], dh = dy * p->scale[unit_of(p, group, i)];
            dscale[unit_of(p, group, i)] += dy * h[i];
            dshift[unit_of(p, group, i)] += dy;
            largest = fmax(largest, fabs(dh * inverse_std));
            for (size_t j = 0; j < members(p); j++) {
                double jacobian = (i == j) - (p->kind == GS_NORM_RMS ? 0 : 1 / n) - h[i] * h[j] / n;
                dx[index_of(p, group, j)] += dh * jacobian * inverse_std;
            }
        }
    }
    free(h);
    return largest;
}

static problem make_problem(size_t kind, size_t units, size_t batch, double eps) {
    problem p = {kind, units, batch, eps, NULL, NULL, NULL, NULL};
    p.x = test_random(1, units * batch), p.grad = test_random(2, units * batch);
    p.scale = test_random(3, units), p.shift = test_random(4, units);
    return p;
}

static void free_problem(problem *p) {
    free(p->x), free(p->grad), free(p->scale), free(p->shift);
}

static gs_norm norm_of(const gs_engine *engine, const problem *p) {
    gs_norm norm;
    CHECK(gs_norm_new(engine, p->kind, p->eps, p->units, p->batch, NULL, &norm, &error) == GS_OK);
    memcpy(norm.scale.values, p->scale, p->units * sizeof(double));
    memcpy(norm.shift.values, p->shift, p->units * sizeof(double));
    return norm;
}

/* Within `tolerance` times `size`, or the largest that is expected if that is more. */
static void check_close(const problem *p, const char *what, size_t count, const double *actual,
                        const double *expected, double size, double tolerance) {
    double largest = size;
    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, fabs(expected[i]));
    for (size_t i = 0; i < count; i++)
        CHECK_THAT(fabs(actual[i] - expected[i]) <= tolerance * largest,
                   "%s, norm %zu of %zu x %zu: %zu is %.17g, expected %.17g", what, p->kind,
                   p->units, p->batch, i, actual[i], expected[i]);
}

static void check_signal(const gs_engine *engine, const problem *p, const char *what,
                         const gs_signal *signal, const double *expected, double size,
                         double tolerance) {
    double *actual = test_values(engine, signal);
    check_close(p, what, p->units * p->batch, actual, expected, size, tolerance);
    CHECK(test_padding_is_zero(engine, signal));
    free(actual);
}

static void check_vector(const problem *p, const char *what, const gs_vector *vector,
                         const double *expected, double tolerance) {
    double *actual = test_numbers(p->units);
    for (size_t u = 0; u < p->units; u++)
        actual[u] = gs_ldexp(vector->grad[u], vector->exponent);
    check_close(p, what, p->units, actual, expected, 0, tolerance);
    free(actual);
}

/* A mean of n numbers errs by n roundings, and x - mean by as many of its largest. The spread of 7
   uniform numbers or more is over a fifth of the largest; inverse_std enters dL/dx a second time.
 */
static double tolerance_of(const gs_engine *engine, const problem *p) {
    return 5 * (8 + (double)members(p)) * test_rounding(engine->kernels);
}

static void check_norm(const gs_engine *engine, size_t kind, size_t units, size_t batch,
                       int exponent) {
    problem p = make_problem(kind, units, batch, 1e-3);
    size_t count = units * batch;
    double *y = test_numbers(count), *dx = test_numbers(count),
           tolerance = tolerance_of(engine, &p);
    double *dscale = test_numbers(units), *dshift = test_numbers(units);
    gs_norm norm = norm_of(engine, &p);
    gs_signal x = test_signal_of(engine, units, batch, p.x),
              out = test_signal(engine, units, batch);
    gs_signal grad = test_signal_of(engine, units, batch, p.grad);
    x.exponent = exponent, grad.exponent = -exponent;
    for (size_t i = 0; i < count; i++)
        p.x[i] = ldexp(p.x[i], exponent), p.grad[i] = ldexp(p.grad[i], -exponent);
    naive_forward(&p, y);
    double size = naive_backward(&p, dx, dscale, dshift);
    gs_norm_forward(engine, &norm, &x, &out);
    check_signal(engine, &p, "y", &out, y, 0, tolerance);
    gs_norm_forward(engine, &norm, &x, &x);
    check_signal(engine, &p, "y in place", &x, y, 0, tolerance);
    gs_norm_backward(engine, &norm, &grad);
    check_signal(engine, &p, "dL/dx", &grad, dx, size, tolerance);
    check_vector(&p, "dL/dscale", &norm.scale, dscale, (double)batch * tolerance);
    check_vector(&p, "dL/dshift", &norm.shift, dshift, (double)batch * tolerance);
    gs_norm_free(&norm);
    gs_signal_free(&x), gs_signal_free(&out), gs_signal_free(&grad);
    free_problem(&p);
    free(y), free(dx), free(dscale), free(dshift);
}

static void check_norms(const gs_engine *engine) {
    static const int exponents[] = {0, -4, 7};
    for (size_t kind = GS_NORM_BATCH; kind <= GS_NORM_RMS; kind++)
        for (size_t i = 0; i < TEST_SIZES; i++)
            for (size_t b = 0; b < TEST_SIZES; b++)
                check_norm(engine, kind, test_units[i], test_batches[b], exponents[(i + b) % 3]);
}

static void test_norms_forward_and_backward_are_the_naive_ones(void) {
    test_on_every_table(check_norms);
}

/* dL/dx is orthogonal to 1 and to the normalised x of its group; of RMS norm, to the latter alone
   (at eps 0). The sums are n roundings of their terms, which are 20 at most. */
static void check_orthogonality(const gs_engine *engine) {
    for (size_t kind = GS_NORM_BATCH; kind <= GS_NORM_RMS; kind++) {
        problem p = make_problem(kind, 20, 17, 0);
        gs_norm norm = norm_of(engine, &p);
        gs_signal x = test_signal_of(engine, 20, 17, p.x),
                  grad = test_signal_of(engine, 20, 17, p.grad);
        gs_norm_forward(engine, &norm, &x, &x);
        gs_norm_backward(engine, &norm, &grad);
        double *dx = test_values(engine, &grad), *h = test_values(engine, &norm.normalised);
        double bound = 20 * 20 * 20 * test_rounding(engine->kernels);
        for (size_t group = 0; group < groups(&p); group++) {
            double with_one = 0, with_h = 0;
            for (size_t i = 0; i < members(&p); i++) {
                with_one += dx[index_of(&p, group, i)];
                with_h += dx[index_of(&p, group, i)] * h[index_of(&p, group, i)];
            }
            CHECK_THAT(fabs(with_h) <= bound, "norm %zu: <dx, h> is %g", kind, with_h);
            CHECK_THAT((fabs(with_one) <= bound) == (kind != GS_NORM_RMS),
                       "norm %zu: <dx, 1> is %g", kind, with_one);
        }
        gs_norm_free(&norm);
        gs_signal_free(&x), gs_signal_free(&grad);
        free_problem(&p);
        free(dx), free(h);
    }
}

static void test_norm_gradient_is_orthogonal_to_ones_and_to_the_normalised_input(void) {
    test_on_every_table(check_orthogonality);
}

/* x 2^k with eps 4^k is normalised to the same bits as x with eps. */
static void check_scaled_eps(const gs_engine *engine) {
    for (size_t kind = GS_NORM_BATCH; kind <= GS_NORM_RMS; kind++)
        for (int k = -30; k <= 30; k += 20) {
            problem p = make_problem(kind, 9, 17, 1e-3),
                    q = make_problem(kind, 9, 17, ldexp(1e-3, 2 * k));
            gs_norm a = norm_of(engine, &p), b = norm_of(engine, &q);
            gs_signal x = test_signal_of(engine, 9, 17, p.x),
                      y = test_signal_of(engine, 9, 17, p.x);
            y.exponent = k;
            gs_norm_forward(engine, &a, &x, &x);
            gs_norm_forward(engine, &b, &y, &y);
            CHECK(memcmp(x.data, y.data, test_signal_bytes(engine, &x)) == 0);
            CHECK(b.exponent == a.exponent - k);
            gs_norm_free(&a), gs_norm_free(&b);
            gs_signal_free(&x), gs_signal_free(&y);
            free_problem(&p), free_problem(&q);
        }
}

static void test_eps_follows_the_exponent_of_the_input(void) {
    test_on_every_table(check_scaled_eps);
}

/* Far below eps: y = shift, and dL/dx = scale (grad - mean) / sqrt(eps). Far above it eps is
 * nothing. */
static void check_extreme_exponents(const gs_engine *engine) {
    for (size_t kind = GS_NORM_BATCH; kind <= GS_NORM_RMS; kind++) {
        problem p = make_problem(kind, 9, 17, 1e-4), at_zero = p, no_eps = p;
        double expected[9 * 17], dx[9 * 17] = {0}, dscale[9] = {0}, dshift[9] = {0};
        double tolerance = tolerance_of(engine, &p);
        at_zero.x = test_numbers(9 * 17), no_eps.eps = 0;
        gs_norm norm = norm_of(engine, &p);
        gs_signal x = test_signal_of(engine, 9, 17, p.x), y = test_signal(engine, 9, 17);
        gs_signal grad = test_signal_of(engine, 9, 17, p.grad);
        x.exponent = -5000;
        naive_forward(&at_zero, expected);
        naive_backward(&at_zero, dx, dscale, dshift);
        gs_norm_forward(engine, &norm, &x, &y);
        check_signal(engine, &p, "y of a tiny x", &y, expected, 0, tolerance);
        gs_norm_backward(engine, &norm, &grad);
        check_signal(engine, &p, "dL/dx of a tiny x", &grad, dx, 0, tolerance);
        x.exponent = 5000;
        naive_forward(&no_eps, expected);
        gs_norm_forward(engine, &norm, &x, &y);
        check_signal(engine, &p, "y of a huge x", &y, expected, 0, tolerance);
        gs_norm_free(&norm);
        gs_signal_free(&x), gs_signal_free(&y), gs_signal_free(&grad);
        free(at_zero.x);
        free_problem(&p);
    }
}

static void test_norms_of_signals_far_below_and_above_eps(void) {
    test_on_every_table(check_extreme_exponents);
}

/* Far below eps a norm without shift is linear: what holds for x 2^-300 holds for x 2^-5000, where
   no number would, whatever part of that the mantissas carry. */
static void check_tiny(const gs_engine *engine) {
    int drift = engine->kernels->dtype == GS_F64 ? 150 : 15;
    for (size_t kind = GS_NORM_BATCH; kind <= GS_NORM_RMS; kind++) {
        problem p = make_problem(kind, 9, 17, 1e-4);
        double y[9 * 17], dx[9 * 17] = {0}, dscale[9] = {0}, dshift[9] = {0};
        double tolerance = 17 * tolerance_of(engine, &p);
        memset(p.shift, 0, 9 * sizeof *p.shift);
        gs_norm norm = norm_of(engine, &p);
        for (size_t i = 0; i < 9 * 17; i++)
            p.x[i] = ldexp(p.x[i], drift);
        gs_signal x = test_signal_of(engine, 9, 17, p.x);
        gs_signal grad = test_signal_of(engine, 9, 17, p.grad);
        x.exponent = -5000 - drift;
        for (size_t i = 0; i < 9 * 17; i++)
            p.x[i] = ldexp(p.x[i], -300 - drift);
        naive_forward(&p, y);
        double size = naive_backward(&p, dx, dscale, dshift);
        gs_norm_forward(engine, &norm, &x, &x);
        x.exponent += 5000 - 300;
        check_signal(engine, &p, "y", &x, y, 0, tolerance);
        gs_norm_backward(engine, &norm, &grad);
        norm.scale.exponent += 5000 - 300;
        check_signal(engine, &p, "dL/dx", &grad, dx, size, tolerance);
        check_vector(&p, "dL/dscale", &norm.scale, dscale, tolerance);
        check_vector(&p, "dL/dshift", &norm.shift, dshift, tolerance);
        gs_norm_free(&norm);
        gs_signal_free(&x), gs_signal_free(&grad);
        free_problem(&p);
    }
}

static void test_norm_of_a_signal_that_no_number_holds_is_linear(void) {
    test_on_every_table(check_tiny);
}

/* Without eps the size of x is nothing to a norm. */
static void check_no_eps(const gs_engine *engine) {
    for (size_t kind = GS_NORM_BATCH; kind <= GS_NORM_RMS; kind++)
        for (int exponent = -5000; exponent <= 5000; exponent += 2500) {
            problem p = make_problem(kind, 9, 17, 0);
            gs_norm norm = norm_of(engine, &p);
            gs_signal x = test_signal_of(engine, 9, 17, p.x), y = test_signal(engine, 9, 17);
            gs_norm_forward(engine, &norm, &x, &y);
            x.exponent = exponent;
            gs_norm_forward(engine, &norm, &x, &x);
            CHECK(memcmp(x.data, y.data, test_signal_bytes(engine, &x)) == 0);
            CHECK(x.exponent == 0 && norm.exponent == -exponent);
            gs_norm_free(&norm);
            gs_signal_free(&x), gs_signal_free(&y);
            free_problem(&p);
        }
}

static void test_without_eps_the_exponent_changes_no_bit(void) {
    test_on_every_table(check_no_eps);
}

/* A constant has nothing left but the shift, even without eps, and its gradient is a number. */
static void check_constant(const gs_engine *engine) {
    for (size_t kind = GS_NORM_BATCH; kind <= GS_NORM_LAYER; kind++) {
        problem p = make_problem(kind, 9, 17, 0);
        double expected[9 * 17];
        for (size_t i = 0; i < 9 * 17; i++)
            p.x[i] = 0.75, expected[i] = p.shift[i % 9];
        gs_norm norm = norm_of(engine, &p);
        gs_signal x = test_signal_of(engine, 9, 17, p.x),
                  grad = test_signal_of(engine, 9, 17, p.grad);
        gs_norm_forward(engine, &norm, &x, &x);
        check_signal(engine, &p, "y of a constant", &x, expected, 0, 0);
        gs_norm_backward(engine, &norm, &grad);
        CHECK(gs_signal_normalise(engine, &grad));
        gs_norm_free(&norm);
        gs_signal_free(&x), gs_signal_free(&grad);
        free_problem(&p);
    }
}

static void test_norm_of_a_constant_is_the_shift(void) {
    test_on_every_table(check_constant);
}

TEST_MAIN(TEST(test_norms_forward_and_backward_are_the_naive_ones),
          TEST(test_norm_gradient_is_orthogonal_to_ones_and_to_the_normalised_input),
          TEST(test_eps_follows_the_exponent_of_the_input),
          TEST(test_norm_of_a_signal_that_no_number_holds_is_linear),
          TEST(test_without_eps_the_exponent_changes_no_bit),
          TEST(test_norms_of_signals_far_below_and_above_eps),
          TEST(test_norm_of_a_constant_is_the_shift))
