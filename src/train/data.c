/*
 * Examples between the file and the network: loaded by one of two readers (data_idx.c, data_csv.c),
 * divided (split.c), scaled, and cut to a batch.
 */
#include "train/data.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/memory.h"
#include "train/batches.h"

static gs_status load(const char *path, bool to_test, gs_data *data, gs_error *error) {
    *data = (gs_data){0};
    struct stat info;
    if (stat(path, &info) != 0)
        return gs_fail(error, GS_ERR_IO, "%s: %s", path, strerror(errno));
    if (S_ISDIR(info.st_mode))
        return gs_data_load_idx(path, to_test, data, error);
    return gs_data_load_csv(path, data, error);
}

gs_status gs_data_load(const char *path, gs_data *data, gs_error *error) {
    return load(path, false, data, error);
}

static gs_status check_classes(const gs_data *data, const char *path, size_t outputs,
                               gs_error *error) {
    for (size_t i = 0; i < data->examples; i++)
        if (data->labels[i] >= outputs)
            return gs_fail(error, GS_ERR_USAGE,
                           "--test-data: expected classes below %zu, or more --outputs, got %zu in "
                           "example %zu of '%s'",
                           outputs, data->labels[i], i + 1, path);
    return GS_OK;
}

static bool same_examples(const gs_data *a, const gs_data *b) {
    return a->examples == b->examples && a->features == b->features &&
           memcmp(a->labels, b->labels, a->examples * sizeof *a->labels) == 0 &&
           memcmp(a->values, b->values, a->examples * a->features * sizeof *a->values) == 0;
}

gs_status gs_data_load_test(const char *path, const gs_data *trained_on, const char *trained_path,
                            size_t outputs, gs_data *data, gs_error *error) {
    gs_status status = load(path, true, data, error);
    if (status == GS_OK && data->features != trained_on->features)
        status = gs_fail(error, GS_ERR_USAGE,
                         "--test-data: expected %zu features, those of '%s', got %zu in '%s'",
                         trained_on->features, trained_path, data->features, path);
    if (status == GS_OK)
        status = check_classes(data, path, outputs > 0 ? outputs : trained_on->classes, error);
    if (status == GS_OK && same_examples(data, trained_on))
        status = gs_fail(error, GS_ERR_USAGE,
                         "--test-data: expected other examples than those of '%s', got the same "
                         "in '%s'",
                         trained_path, path);
    if (status != GS_OK)
        gs_data_free(data);
    return status;
}

void gs_data_free(gs_data *data) {
    gs_free(data->values);
    gs_free(data->labels);
    *data = (gs_data){0};
}

gs_status gs_data_make_room(size_t count, size_t features, double **values, size_t **labels,
                            gs_error *error) {
    size_t value_count;
    *values = NULL, *labels = NULL;
    if (!gs_size_multiply(count, features, &value_count))
        return gs_fail(error, GS_ERR_MEMORY, "--batch: expected fewer examples, got '%zu'", count);
    *values = gs_alloc(value_count, sizeof **values, error);
    *labels = *values ? gs_alloc(count, sizeof **labels, error) : NULL;
    if (*labels)
        return GS_OK;
    gs_free(*values);
    *values = NULL;
    return GS_ERR_MEMORY;
}

void gs_data_copy_example(const gs_data *from, size_t index, size_t place, double *values,
                          size_t *labels) {
    size_t features = from->features;
    memmove(values + place * features, from->values + index * features, features * sizeof *values);
    labels[place] = from->labels[index];
}

/* ---- Scaling ---- */

static void divide(double divisor, gs_data *data) {
    for (size_t i = 0; i < data->examples * data->features; i++)
        data->values[i] /= divisor;
}

static void scale_to_unit(gs_data *data, gs_data *held_out) {
    double largest = 0;
    for (size_t i = 0; i < data->examples * data->features; i++)
        largest = fmax(largest, fabs(data->values[i]));
    if (largest > 0) {
        divide(largest, data);
        divide(largest, held_out);
    }
}

/* Neighbours share cache lines, so a few features are standardized side by side. */
enum { BLOCK = 16 };

/* A power of two that brings the larger of |low| and |high| near 1. The sums below then cannot
   overflow, and where they would not have, no bit of the result changes. */
static double safe_unit(double low, double high) {
    int exponent;
    frexp(fmax(fabs(low), fabs(high)), &exponent);
    return ldexp(1, (int)fmin(fmax(-exponent, -1000), 1000));
}

typedef struct {
    double unit[BLOCK], mean[BLOCK], deviation[BLOCK]; /* the latter two of x * unit */
} block_moments;

/* Of `count` features. Two passes: the one-pass formula loses every digit where the mean is large
   beside the spread. A constant feature is told by its range, as the rounded mean of equal numbers
   need not be that number; its deviation is 0. */
static void measure_block(const double *values, size_t count, size_t examples, size_t features,
                          block_moments *m) {
    double low[BLOCK], high[BLOCK], variance[BLOCK] = {0};
    memcpy(low, values, count * sizeof *low);
    memcpy(high, values, count * sizeof *high);
    for (size_t i = 0; i < examples; i++)
        for (size_t j = 0; j < count; j++) {
            low[j] = fmin(low[j], values[i * features + j]);
            high[j] = fmax(high[j], values[i * features + j]);
        }
    for (size_t j = 0; j < count; j++) {
        m->unit[j] = safe_unit(low[j], high[j]);
        m->mean[j] = 0;
    }
    for (size_t i = 0; i < examples; i++)
        for (size_t j = 0; j < count; j++)
            m->mean[j] += values[i * features + j] * m->unit[j];
    for (size_t j = 0; j < count; j++)
        m->mean[j] /= (double)examples;
    for (size_t i = 0; i < examples; i++)
        for (size_t j = 0; j < count; j++) {
            double distance = values[i * features + j] * m->unit[j] - m->mean[j];
            variance[j] += distance * distance;
        }
    for (size_t j = 0; j < count; j++)
        m->deviation[j] = low[j] < high[j] ? sqrt(variance[j] / (double)examples) : 0;
}

/* x <- (x - mean) / deviation for `count` features from `first` on. */
static void standardize_block(const block_moments *m, size_t first, size_t count, gs_data *data) {
    for (size_t i = 0; i < data->examples; i++)
        for (size_t j = 0; j < count; j++) {
            double *x = &data->values[i * data->features + first + j];
            *x = m->deviation[j] > 0 ? (*x * m->unit[j] - m->mean[j]) / m->deviation[j] : 0;
        }
}

static void standardize(gs_data *data, gs_data *held_out) {
    for (size_t first = 0; first < data->features; first += BLOCK) {
        size_t left = data->features - first, count = left < BLOCK ? left : BLOCK;
        block_moments moments;
        measure_block(data->values + first, count, data->examples, data->features, &moments);
        standardize_block(&moments, first, count, data);
        standardize_block(&moments, first, count, held_out);
    }
}

void gs_data_scale(gs_data *data, gs_data *held_out, size_t scale) {
    gs_data none = {0};
    if (data->examples > 0 && scale == GS_SCALE_UNIT)
        scale_to_unit(data, held_out ? held_out : &none);
    if (data->examples > 0 && scale == GS_SCALE_STANDARD)
        standardize(data, held_out ? held_out : &none);
}

/* ---- Batches ---- */

gs_status gs_data_check_batch(const gs_data *data, size_t batch, gs_error *error) {
    if (batch <= data->examples)
        return GS_OK;
    return gs_fail(error, GS_ERR_USAGE,
                   "--batch: expected %zu or fewer, the examples in the data, got '%zu'",
                   data->examples, batch);
}

gs_status gs_data_batch(const gs_data *data, uint64_t seed, bool shuffle, size_t batch,
                        uint64_t step, double *input, size_t *labels, gs_error *error) {
    gs_batches batches;
    gs_status status = gs_batches_new(data, seed, shuffle, batch, &batches, error);
    if (status == GS_OK)
        gs_batches_take(&batches, step, input, labels);
    gs_batches_free(&batches);
    return status;
}
