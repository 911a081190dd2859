/* The singular values of dx_L/dx_0 where they lie far apart: how many digits of each are right. */
#include "spectra.h"

/* W = diag(2^(-60 i)) in 20 layers: values down to 2^-18000, and nothing is ever rounded. */
static void test_diagonal_layers_are_exact(void) {
    enum { SIZE = 16, LAYERS = 20 };
    gs_network *network = network_of("layers=20 width=16 act=linear");
    double w[SIZE * SIZE] = {0}, expected[SIZE];
    for (size_t i = 0; i < SIZE; i++) {
        size_t place = 7 * i % SIZE;
        w[place * SIZE + place] = ldexp(1, -60 * (int)i);
        expected[i] = -60 * LAYERS * (double)i * log10(2);
    }
    for (size_t l = 1; l <= LAYERS; l++)
        write_weight(network, l, w, SIZE * SIZE);
    spectrum s = spectrum_of(network, 0);
    check_logs("diagonal", &s, SIZE, expected, 0x1p-50);
    CHECK(s.plain[0] == 1 && s.plain[1] == 0 && s.summary.rank == SIZE);
    gs_network_free(network);
}

/* Hadamard's matrix of +-1, by Sylvester. */
static double hadamard(size_t i, size_t j) {
    return __builtin_parityll(i & j) ? -1 : 1;
}

/* W = H D H / n without any rounding, and H H = n I: the product has the values D^L exactly. The
   condition of one layer is 2^10, that of all 2^1200. */
static void test_product_is_as_right_as_its_layers(void) {
    enum { SIZE = 16, LAYERS = 120 };
    gs_network *network = network_of("layers=120 width=16 act=linear");
    double w[SIZE * SIZE] = {0}, expected[SIZE];
    for (size_t k = 0; k < SIZE; k++) {
        int power = -(int)(k * 10 / (SIZE - 1));
        expected[k] = power * LAYERS * log10(2);
        for (size_t i = 0; i < SIZE * SIZE; i++)
            w[i] += hadamard(i / SIZE, k) * ldexp(1, power) * hadamard(k, i % SIZE) / SIZE;
    }
    for (size_t l = 1; l <= LAYERS; l++)
        write_weight(network, l, w, SIZE * SIZE);
    spectrum s = spectrum_of(network, 0);
    check_logs("H D H", &s, SIZE, expected, LAYERS * 0x1p10 * 0x1p-52);
    CHECK(s.summary.condition_log10 > 361);
    gs_network_free(network);
}

/* Factors with rows, and with columns, of very different size in no order: x_2 = (H D) (D H) x_0,
   where H H = I. */
static void test_graded_rows_and_columns_lose_nothing(void) {
    enum { SIZE = 64 };
    gs_network *network = network_of("layers=2 width=64 act=linear");
    double rows[SIZE * SIZE], columns[SIZE * SIZE], expected[SIZE];
    for (size_t i = 0; i < SIZE * SIZE; i++) {
        double h = hadamard(i / SIZE, i % SIZE) / 8;
        rows[i] = ldexp(h, -12 * (int)(29 * (i / SIZE) % SIZE));
        columns[i] = ldexp(h, -12 * (int)(29 * (i % SIZE) % SIZE));
    }
    for (size_t i = 0; i < SIZE; i++)
        expected[i] = -24 * (double)i * log10(2);
    write_weight(network, 1, rows, SIZE * SIZE);
    write_weight(network, 2, columns, SIZE * SIZE);
    spectrum s = spectrum_of(network, 0);
    check_logs("H D D H", &s, SIZE, expected, 0x1p-44);
    gs_network_free(network);
}

/* The order of units is no matter, however much they differ: W_2 has rows of sizes down to
   2^-945. */
static void test_units_in_any_order_have_the_same_values(void) {
    enum { SIZE = 64 };
    double w[SIZE * SIZE], sorted[SIZE * SIZE], shuffled[SIZE * SIZE];
    gs_network *network = network_of("layers=2 width=64 act=linear init=lecun");
    read_layer(network, 2, "weight", w, SIZE * SIZE);
    for (size_t i = 0; i < SIZE * SIZE; i++) {
        size_t row = i / SIZE, size = 29 * row % SIZE;
        sorted[i] = ldexp(w[i], -15 * (int)row);
        shuffled[row * SIZE + i % SIZE] = ldexp(w[size * SIZE + i % SIZE], -15 * (int)size);
    }
    write_weight(network, 2, sorted, SIZE * SIZE);
    spectrum expected = spectrum_of(network, 0);
    write_weight(network, 2, shuffled, SIZE * SIZE);
    spectrum s = spectrum_of(network, 0);
    CHECK(expected.summary.condition_log10 > 280);
    check_logs("shuffled", &s, SIZE, expected.log10, 1e-11);
    gs_network_free(network);
}

/* Units in chains of their own, z = c a: slopes 1 / cosh^2 z between 1 and 1e-17 in every layer. */
static void test_saturated_units_keep_their_digits(void) {
    enum { SIZE = 12, LAYERS = 40 };
    gs_network *network = network_of("layers=40 width=12 act=tanh batch=1");
    double w[SIZE * SIZE] = {0}, expected[SIZE];
    write_tensor(network, "input", (double[SIZE]){1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, SIZE);
    for (size_t i = 0; i < SIZE; i++) {
        double c = 1.1 + 1.7 * (double)i, a = 1;
        w[i * (SIZE + 1)] = c;
        expected[i] = 0;
        for (size_t l = 0; l < LAYERS; l++) {
            expected[i] += log10(c) - 2 * log10(cosh(c * a));
            a = tanh(c * a);
        }
    }
    for (size_t l = 1; l <= LAYERS; l++)
        write_weight(network, l, w, SIZE * SIZE);
    spectrum s = spectrum_of(network, 0);
    check_logs("chains", &s, SIZE, expected, 1e-11);
    CHECK(s.log10[SIZE - 1] < -600);
    gs_network_free(network);
}

/* Random weights and slopes of every size down to 1e-52: what factorisations without sorted rows or
   without pivoting lose. Expected: the Jacobian of these weights in numbers of 500 digits. */
static void test_saturated_layers_keep_their_digits(void) {
    static const double expected[] = {
        -1.5195452647928831, -15.434318062223793, -21.619930951848549, -29.097769817075623,
        -49.606169158573455, -73.376897087192216, -91.660327431655186, -111.51613663505348,
        -128.52677603742021, -159.75064625414177, -194.29211085253323, -295.40319833701451};
    spectrum s = spectrum_of_options("layers=6 width=12 act=tanh init=scaled:30 batch=1");
    check_logs("saturated", &s, 12, expected, 1e-11);
}

/* Of one layer alone, rounding decides only what is below some 1e-14. */
static void test_one_layer_keeps_what_is_above_its_rounding(void) {
    enum { SIZE = 16 };
    gs_network *network = network_of("layers=2 width=16 act=linear");
    double w[SIZE * SIZE] = {0}, expected[SIZE];
    for (size_t k = 0; k < SIZE; k++) {
        int power = -(int)(k * 36 / (SIZE - 1));
        expected[k] = 2 * power * log10(2);
        for (size_t i = 0; i < SIZE * SIZE; i++)
            w[i] += hadamard(i / SIZE, k) * ldexp(1, power) * hadamard(k, i % SIZE) / SIZE;
    }
    write_weight(network, 1, w, SIZE * SIZE);
    write_weight(network, 2, w, SIZE * SIZE);
    spectrum s = spectrum_of(network, 0);
    check_logs("ill-conditioned", &s, SIZE, expected, 0x1p36 * 0x1p-50);
    gs_network_free(network);
}

/* Signals, weights and slopes have exponents of their own where they are far from 1. */
static void test_sizes_far_from_one_have_exponents(void) {
    enum { SIZE = 4 };
    spectrum s = spectrum_of_options("layers=20 width=12 act=linear init=orthogonal:1e-90");
    for (size_t i = 0; i < 12; i++)
        CHECK_CLOSE(s.log10[i], -1800, 1e-15);
    gs_network *network = network_of("layers=2 width=4 act=tanh batch=1");
    double w[SIZE * SIZE] = {0}, expected[SIZE];
    for (size_t i = 0; i < SIZE; i++) {
        double c = 150 + 10 * (double)i;
        w[i * (SIZE + 1)] = c;
        expected[i] = 2 * (log10(c) - 2 * log10(cosh(c)));
    }
    write_tensor(network, "input", (double[SIZE]){1, 1, 1, 1}, SIZE);
    write_weight(network, 1, w, SIZE * SIZE);
    write_weight(network, 2, w, SIZE * SIZE);
    s = spectrum_of(network, 0);
    check_logs("slopes", &s, SIZE, expected, 1e-12);
    gs_network_free(network);
}

TEST_MAIN(TEST(test_diagonal_layers_are_exact), TEST(test_product_is_as_right_as_its_layers),
          TEST(test_graded_rows_and_columns_lose_nothing),
          TEST(test_units_in_any_order_have_the_same_values),
          TEST(test_saturated_units_keep_their_digits),
          TEST(test_saturated_layers_keep_their_digits),
          TEST(test_one_layer_keeps_what_is_above_its_rounding),
          TEST(test_sizes_far_from_one_have_exponents))
