/*
 * What the tests of kernels, layers and networks share: numbers to compute with, engines on every
 * kernel table of this machine, and a plain view of signals. Values are chosen to be floats, so
 * that both element types hold them exactly.
 */
#ifndef GS_TEST_NET_H
#define GS_TEST_NET_H

#include "test.h"

#include "net/matrix.h"

/* Sizes at and around a tile, a panel of either element type, and a block of 64 rows. */
static const size_t test_units[] = {1, 7, 8, 9, 130}, test_batches[] = {1, 15, 16, 17, 33};
enum { TEST_SIZES = 5 };

/* A float in (-1, 1), a pure function of its arguments (splitmix64: Steele 2014). */
static inline double test_noise(uint64_t seed, size_t index) {
    uint64_t x = (seed << 32) + (index + 1) * UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    x ^= x >> 31;
    return (double)(2 * (x >> 41) + 1) * 0x1p-23 - 1;
}

static inline double *test_numbers(size_t count) {
    double *values = calloc(count + 1, sizeof *values);
    if (!values)
        abort();
    return values;
}

static inline double *test_random(uint64_t seed, size_t count) {
    double *values = test_numbers(count);
    for (size_t i = 0; i < count; i++)
        values[i] = test_noise(seed, i);
    return values;
}

/* Half the distance from 1 to the next number: the relative error of one rounding. */
static inline double test_rounding(const gs_kernels *kernels) {
    return kernels->dtype == GS_F64 ? 0x1p-53 : 0x1p-24;
}

/* Runs `check` with an engine on every table of this machine. */
static inline void test_on_every_table(void (*check)(const gs_engine *engine)) {
    for (size_t i = 0; gs_kernels_at(i); i++)
        check(&(gs_engine){.kernels = gs_kernels_at(i)});
}

/* The portable table of the same element type: what the others must agree with. */
static inline const gs_kernels *test_portable(const gs_kernels *kernels) {
    size_t i = 0;
    while (strcmp(gs_kernels_at(i)->isa, "portable") != 0 ||
           gs_kernels_at(i)->dtype != kernels->dtype)
        i++;
    return gs_kernels_at(i);
}

static inline gs_signal test_signal(const gs_engine *engine, size_t units, size_t batch) {
    gs_signal signal;
    if (gs_signal_new(engine, units, batch, &signal, NULL) != GS_OK)
        abort();
    return signal;
}

/* values [batch, units] */
static inline gs_signal test_signal_of(const gs_engine *engine, size_t units, size_t batch,
                                       const double *values) {
    gs_signal signal = test_signal(engine, units, batch);
    gs_signal_write(engine, values, &signal);
    return signal;
}

static inline gs_signal test_random_signal(const gs_engine *engine, size_t units, size_t batch,
                                           uint64_t seed) {
    double *values = test_random(seed, units * batch);
    gs_signal signal = test_signal_of(engine, units, batch, values);
    free(values);
    return signal;
}

static inline double *test_values(const gs_engine *engine, const gs_signal *signal) {
    double *values = test_numbers(signal->units * signal->batch);
    gs_signal_read(engine, signal, values);
    return values;
}

static inline gs_matrix test_matrix_of(const gs_engine *engine, size_t rows, size_t cols,
                                       const double *values) {
    gs_matrix matrix;
    if (gs_matrix_new(engine, rows, cols, &matrix, NULL) != GS_OK)
        abort();
    gs_matrix_write(engine, values, &matrix);
    return matrix;
}

static inline size_t test_signal_bytes(const gs_engine *engine, const gs_signal *signal) {
    size_t bytes = 0;
    gs_signal_bytes(engine->kernels, signal->units, signal->batch, &bytes);
    return bytes;
}

/* Rows past the units and lanes past the batch are zero. */
static inline bool test_padding_is_zero(const gs_engine *engine, const gs_signal *signal) {
    const gs_kernels *k = engine->kernels;
    for (size_t b = 0; b < signal->panels * k->panel; b++)
        for (size_t u = 0; u < signal->rows; u++)
            if ((u >= signal->units || b >= signal->batch) &&
                k->get(gs_signal_element(k, signal, u, b)) != 0)
                return false;
    return true;
}

/* a b + c as the element type rounds it. */
static inline double test_fma(const gs_kernels *kernels, double a, double b, double c) {
    return kernels->dtype == GS_F64 ? fma(a, b, c) : (double)fmaf((float)a, (float)b, (float)c);
}

#endif
