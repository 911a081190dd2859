/*
 * Products: each element is one chain of fused multiply-adds over ascending k, so a plain loop
 * gives the same bits on every table.
 */
#include "net/init.h"
#include "net/product.h"
#include "test_net.h"

/* Whether element (row, b) of a product is that of the loop: sum over k of left(row, k) right(k,
   b). Strides say how a naive operand is walked. */
typedef struct {
    const double *left, *right;
    size_t left_row, left_k, right_k, right_col;
    size_t terms;
} naive_product;

static double naive_element(const gs_kernels *kernels, const naive_product *p, size_t row,
                            size_t col) {
    double sum = 0;
    for (size_t k = 0; k < p->terms; k++)
        sum = test_fma(kernels, p->left[row * p->left_row + k * p->left_k],
                       p->right[k * p->right_k + col * p->right_col], sum);
    return sum;
}

/* `actual` is row-major [cols, rows] of a signal (a column an example). */
static void check_product(const gs_kernels *kernels, const naive_product *p, size_t rows,
                          size_t cols, const double *actual) {
    for (size_t row = 0; row < rows; row++)
        for (size_t col = 0; col < cols; col++)
            CHECK_THAT(actual[col * rows + row] == naive_element(kernels, p, row, col),
                       "%s %zu-bit, %zu x %zu over %zu: (%zu, %zu) is %.17g, expected %.17g",
                       kernels->isa, 8 * kernels->size, rows, cols, p->terms, row, col,
                       actual[col * rows + row], naive_element(kernels, p, row, col));
}

/* ---- Dense layers ---- */

static void check_forward_and_backward(const gs_engine *engine, size_t out, size_t in,
                                       size_t batch) {
    double *w = test_random(1, out * in), *x = test_random(2, in * batch),
           *d = test_random(3, out * batch);
    gs_matrix weight = test_matrix_of(engine, out, in, w);
    gs_signal u = test_signal_of(engine, in, batch, x),
              delta = test_signal_of(engine, out, batch, d);
    gs_signal z = test_signal(engine, out, batch), grad = test_signal(engine, in, batch);

    gs_product_forward(engine, &weight, &u, NULL, &z);
    double *actual = test_values(engine, &z);
    check_product(engine->kernels, &(naive_product){w, x, in, 1, 1, in, in}, out, batch, actual);
    CHECK(test_padding_is_zero(engine, &z));
    free(actual);

    gs_product_backward(engine, &weight, &delta, &grad);
    actual = test_values(engine, &grad);
    check_product(engine->kernels, &(naive_product){w, d, 1, in, 1, out, out}, in, batch, actual);
    CHECK(test_padding_is_zero(engine, &grad));
    free(actual);

    gs_signal_free(&u), gs_signal_free(&z), gs_signal_free(&delta), gs_signal_free(&grad);
    gs_matrix_free(&weight);
    free(w), free(x), free(d);
}

static void check_dense_products(const gs_engine *engine) {
    for (size_t i = 0; i < TEST_SIZES; i++)
        for (size_t j = 0; j < TEST_SIZES; j++)
            for (size_t b = 0; b < TEST_SIZES; b++)
                if (b == 4 || i + j < 8) /* the largest square once is enough */
                    check_forward_and_backward(engine, test_units[i], test_units[j],
                                               test_batches[b]);
}

/* So long that k is taken in several passes. */
static void check_long_products(const gs_engine *engine) {
    check_forward_and_backward(engine, 9, 4100, 3);
    check_forward_and_backward(engine, 300, 70, 17);
}

static void test_forward_and_backward_products_are_the_naive_loop_to_the_bit(void) {
    test_on_every_table(check_dense_products);
    test_on_every_table(check_long_products);
}

/* ---- Biases ---- */

/* A bias is added to the finished sum, on the exponent of the larger. */
static void check_bias(const gs_engine *engine) {
    double w[] = {3, 2}, x = 5, bias[GS_TILE] = {0.5, -7};
    gs_matrix weight = test_matrix_of(engine, 2, 1, w);
    gs_signal u = test_signal_of(engine, 1, 1, &x), z = test_signal(engine, 2, 1);
    const struct { int64_t exponent, expected; } cases[] = {{0, 0}, {4, 4}, {-3, 0}, {-2000, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        u.exponent = cases[i].exponent;
        gs_product_forward(engine, &weight, &u, bias, &z);
        double values[2], factor = ldexp(1, (int)u.exponent);
        gs_signal_read(engine, &z, values);
        CHECK(z.exponent == cases[i].expected && values[0] == 15 * factor + 0.5 &&
              values[1] == 10 * factor - 7);
        CHECK(z.exponent == gs_product_exponent(&weight, &u, true));
        CHECK(test_padding_is_zero(engine, &z));
    }
    gs_signal_free(&u), gs_signal_free(&z);
    gs_matrix_free(&weight);
}

static void test_bias_is_added_on_the_larger_exponent(void) {
    test_on_every_table(check_bias);
}

/* ---- Streamed weights ---- */

static gs_choice init_called(const char *name, double parameter) {
    gs_choice choice = {0, parameter};
    while (strcmp(gs_family_row(&gs_init_family, choice.index)->name, name) != 0)
        choice.index++;
    return choice;
}

static void check_streamed_case(const gs_engine *engine, gs_choice init, size_t out, size_t in,
                                size_t batch) {
    gs_matrix stored, streamed = gs_matrix_streamed(out, in);
    CHECK(gs_matrix_new(engine, out, in, &stored, NULL) == GS_OK);
    CHECK(gs_init_weight(engine, init, 1e-200, 5, 3, &stored, NULL) == GS_OK);
    CHECK(gs_init_weight(engine, init, 1e-200, 5, 3, &streamed, NULL) == GS_OK);
    CHECK(!streamed.data && streamed.exponent == stored.exponent);
    gs_signal u = test_random_signal(engine, in, batch, 8),
              delta = test_random_signal(engine, out, batch, 9);
    gs_signal z[] = {test_signal(engine, out, batch), test_signal(engine, out, batch)};
    gs_signal grad[] = {test_signal(engine, in, batch), test_signal(engine, in, batch)};
    double *values[] = {test_numbers(out * in), test_numbers(out * in)};
    const gs_matrix *ways[] = {&stored, &streamed};
    for (size_t i = 0; i < 2; i++) {
        gs_product_forward(engine, ways[i], &u, NULL, &z[i]);
        gs_product_backward(engine, ways[i], &delta, &grad[i]);
        gs_matrix_read(engine, ways[i], values[i]);
    }
    CHECK(memcmp(z[0].data, z[1].data, test_signal_bytes(engine, &z[0])) == 0);
    CHECK(memcmp(grad[0].data, grad[1].data, test_signal_bytes(engine, &grad[0])) == 0);
    CHECK(memcmp(values[0], values[1], out * in * sizeof(double)) == 0);
    CHECK(gs_matrix_magnitude(engine, &stored).sum_squares ==
          gs_matrix_magnitude(engine, &streamed).sum_squares);
    for (size_t i = 0; i < 2; i++)
        gs_signal_free(&z[i]), gs_signal_free(&grad[i]), free(values[i]);
    gs_signal_free(&u), gs_signal_free(&delta);
    gs_matrix_free(&stored);
}

static void check_streamed(const gs_engine *engine) {
    const gs_choice inits[] = {init_called("he-normal", 0), init_called("torch", 0),
                               init_called("identity", 0.5), init_called("constant", -0.25)};
    for (size_t i = 0; i < sizeof inits / sizeof *inits; i++) {
        check_streamed_case(engine, inits[i], 1, 1, 1);
        check_streamed_case(engine, inits[i], 139, 77, 5);
        check_streamed_case(engine, inits[i], 66, 300, 40);
    }
}

static void test_weights_made_by_tile_give_the_same_bytes_as_stored_ones(void) {
    test_on_every_table(check_streamed);
}

/* ---- The gradient of a weight matrix ---- */

static void check_outer(const gs_engine *engine, size_t out, size_t in, size_t batch) {
    double *d = test_random(4, out * batch), *x = test_random(5, in * batch);
    double *grad = test_numbers(out * in), *turned = test_numbers(out * in);
    gs_signal delta = test_signal_of(engine, out, batch, d),
              u = test_signal_of(engine, in, batch, x);
    gs_matrix matrix = test_matrix_of(engine, out, in, grad);

    gs_outer_job outer;
    gs_pool_job job = gs_product_outer_job(engine, &delta, &u, &matrix, &outer);
    gs_pool_run_jobs(engine->pool, &job, 1);
    gs_matrix_read(engine, &matrix, grad);
    for (size_t i = 0; i < out * in; i++)
        turned[i % in * out + i / in] = grad[i];
    check_product(engine->kernels, &(naive_product){d, x, 1, out, in, 1, batch}, out, in, turned);
    for (size_t r = 0; r < matrix.row_tiles * GS_TILE; r++)
        for (size_t c = 0; c < matrix.col_tiles * GS_TILE; c++)
            CHECK((r < out && c < in) ||
                  engine->kernels->get(gs_matrix_element(engine->kernels, &matrix, r, c)) == 0);

    gs_signal_free(&delta), gs_signal_free(&u);
    gs_matrix_free(&matrix);
    free(d), free(x), free(grad), free(turned);
}

static void check_outer_products(const gs_engine *engine) {
    for (size_t b = 0; b < TEST_SIZES; b++) {
        for (size_t i = 0; i < TEST_SIZES; i++)
            check_outer(engine, test_units[i], test_units[TEST_SIZES - 1 - i], test_batches[b]);
        check_outer(engine, 9, 7, test_batches[b]);
    }
    check_outer(engine, 130, 130, 33);
    check_outer(engine, 20, 150, 300); /* more examples than one pass takes */
}

static void test_gradient_matrix_is_the_naive_loop_over_the_batch_to_the_bit(void) {
    test_on_every_table(check_outer_products);
}

/* ---- Gram matrices ---- */

/* sum over b and c of w_b (x_b . x_c) (y_b . y_c) w_c, in double. */
static double naive_form(size_t batch, size_t x_units, const double *x, size_t y_units,
                         const double *y, const double *w) {
    double form = 0;
    for (size_t b = 0; b < batch; b++)
        for (size_t c = 0; c < batch; c++) {
            double of_x = 0, of_y = 0;
            for (size_t u = 0; u < x_units; u++)
                of_x += x[b * x_units + u] * x[c * x_units + u];
            for (size_t u = 0; u < y_units; u++)
                of_y += y[b * y_units + u] * y[c * y_units + u];
            form += w[b] * of_x * of_y * w[c];
        }
    return form;
}

/* Entries are at most 1, so that a Gram entry of n terms errs by at most n n eps, a product of two
   by 2 n^3 eps, and the sum of B^2 of them, of double roundings beside it, by B^2 times that. */
static void check_forms(const gs_engine *engine, size_t x_units, size_t y_units, size_t batch) {
    size_t count =
        (batch + engine->kernels->panel - 1) / engine->kernels->panel * engine->kernels->panel;
    double *x = test_random(6, x_units * batch), *y = test_random(7, y_units * batch);
    double *w0 = test_random(8, count), *w1 = test_random(9, count);
    double *partial = test_numbers(2 * count), forms[2];
    const double *const weights[2] = {w0, w1};
    gs_signal of_x = test_signal_of(engine, x_units, batch, x),
              of_y = test_signal_of(engine, y_units, batch, y);
    gs_product_gram_forms(engine, &of_x, &of_y, weights, partial, forms);
    double units = (double)(x_units > y_units ? x_units : y_units), examples = (double)batch;
    double bound = 2 * units * units * units * examples * examples * test_rounding(engine->kernels);
    for (size_t i = 0; i < 2; i++) {
        double expected = naive_form(batch, x_units, x, y_units, y, weights[i]);
        CHECK_THAT(fabs(forms[i] - expected) <= bound, "%s: form %zu is %.17g, expected %.17g",
                   engine->kernels->isa, i, forms[i], expected);
    }
    gs_signal_free(&of_x), gs_signal_free(&of_y);
    free(x), free(y), free(w0), free(w1), free(partial);
}

static void check_all_forms(const gs_engine *engine) {
    for (size_t i = 0; i < TEST_SIZES; i++)
        for (size_t b = 0; b < TEST_SIZES; b++)
            check_forms(engine, test_units[i], test_units[TEST_SIZES - 1 - i], test_batches[b]);
    check_forms(engine, 3, 5, 65);
}

static void test_forms_of_gram_matrices_are_the_naive_sums(void) {
    test_on_every_table(check_all_forms);
}

/* ---- Exponents and threads ---- */

static void check_exponents(const gs_engine *engine) {
    double w = 3, x = 5;
    gs_matrix weight = test_matrix_of(engine, 1, 1, &w);
    gs_signal u = test_signal_of(engine, 1, 1, &x), z = test_signal(engine, 1, 1);
    u.exponent = 100, weight.exponent = -7;
    gs_product_forward(engine, &weight, &u, NULL, &z);
    CHECK(z.exponent == 93 && engine->kernels->get(z.data) == 15);
    gs_product_backward(engine, &weight, &u, &z);
    CHECK(z.exponent == 93 && engine->kernels->get(z.data) == 15);
    gs_signal_free(&u), gs_signal_free(&z);
    gs_matrix_free(&weight);
}

static void test_exponents_of_factors_add(void) {
    test_on_every_table(check_exponents);
}

/* 136 x 130 x 40 multiplications, more than are done without threads. */
static void check_threads(const gs_engine *engine) {
    enum { OUT = 136, IN = 130, BATCH = 40, MOST = 3 };
    double *w = test_random(7, OUT * IN);
    gs_matrix weight = test_matrix_of(engine, OUT, IN, w);
    gs_signal u = test_random_signal(engine, IN, BATCH, 8),
              delta = test_random_signal(engine, OUT, BATCH, 9);
    gs_signal z[MOST], grad[MOST];
    for (size_t t = 0; t < MOST; t++) {
        gs_engine threaded = {.kernels = engine->kernels};
        CHECK(gs_pool_new(t + 1, &threaded.pool, NULL) == GS_OK);
        z[t] = test_signal(engine, OUT, BATCH), grad[t] = test_signal(engine, IN, BATCH);
        gs_product_forward(&threaded, &weight, &u, NULL, &z[t]);
        gs_product_backward(&threaded, &weight, &delta, &grad[t]);
        CHECK(memcmp(z[t].data, z[0].data, test_signal_bytes(engine, &z[0])) == 0);
        CHECK(memcmp(grad[t].data, grad[0].data, test_signal_bytes(engine, &grad[0])) == 0);
        gs_pool_free(threaded.pool);
    }
    for (size_t t = 0; t < MOST; t++)
        gs_signal_free(&z[t]), gs_signal_free(&grad[t]);
    gs_signal_free(&u), gs_signal_free(&delta);
    gs_matrix_free(&weight);
    free(w);
}

static void test_products_do_not_depend_on_the_number_of_threads(void) {
    test_on_every_table(check_threads);
}

TEST_MAIN(TEST(test_forward_and_backward_products_are_the_naive_loop_to_the_bit),
          TEST(test_gradient_matrix_is_the_naive_loop_over_the_batch_to_the_bit),
          TEST(test_forms_of_gram_matrices_are_the_naive_sums),
          TEST(test_bias_is_added_on_the_larger_exponent),
          TEST(test_weights_made_by_tile_give_the_same_bytes_as_stored_ones),
          TEST(test_exponents_of_factors_add),
          TEST(test_products_do_not_depend_on_the_number_of_threads))
