/*
 * Examples between the file and the network: loaded by one of two readers (data_idx.c, data_csv.c),
 * scaled, and cut to a batch.
 */
#include "train/data.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/memory.h"
#include "train/batches.h"

gs_status gs_data_load(const char *path, gs_data *data, gs_error *error) {
    *data = (gs_data){0};
    struct stat info;
    if (stat(path, &info) != 0)
        return gs_fail(error, GS_ERR_IO, "%s: %s", path, strerror(errno));
    if (S_ISDIR(info.st_mode))
        return gs_data_load_idx(path, data, error);
    return gs_data_load_csv(path, data, error);
}

void gs_data_free(gs_data *data) {
    gs_free(data->values);
    gs_free(data->labels);
    *data = (gs_data){0};
}

/* ---- Scaling ---- */

static void scale_to_unit(gs_data *data) {
    size_t count = data->examples * data->features;
    double largest = 0;
    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, fabs(data->values[i]));
    for (size_t i = 0; i < count && largest > 0; i++)
        data->values[i] /= largest;
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

/* unit, mean and deviation (both of x * unit) of `count` features. Two passes: the one-pass formula
   loses every digit where the mean is large beside the spread. A constant feature is told by its
   range, as the rounded mean of equal numbers need not be that number; its deviation is 0. */
static void measure_block(const double *values, size_t count, size_t examples, size_t features,
                          double *unit, double *mean, double *deviation) {
    double low[BLOCK], high[BLOCK], variance[BLOCK] = {0};
    memcpy(low, values, count * sizeof *low);
    memcpy(high, values, count * sizeof *high);
    for (size_t i = 0; i < examples; i++)
        for (size_t j = 0; j < count; j++) {
            low[j] = fmin(low[j], values[i * features + j]);
            high[j] = fmax(high[j], values[i * features + j]);
        }
    for (size_t j = 0; j < count; j++) {
        unit[j] = safe_unit(low[j], high[j]);
        mean[j] = 0;
    }
    for (size_t i = 0; i < examples; i++)
        for (size_t j = 0; j < count; j++)
            mean[j] += values[i * features + j] * unit[j];
    for (size_t j = 0; j < count; j++)
        mean[j] /= (double)examples;
    for (size_t i = 0; i < examples; i++)
        for (size_t j = 0; j < count; j++) {
            double distance = values[i * features + j] * unit[j] - mean[j];
            variance[j] += distance * distance;
        }
    for (size_t j = 0; j < count; j++)
        deviation[j] = low[j] < high[j] ? sqrt(variance[j] / (double)examples) : 0;
}

/* x <- (x - mean) / deviation for `count` features from `values` on. */
static void standardize_block(double *values, size_t count, size_t examples, size_t features) {
    double unit[BLOCK], mean[BLOCK], deviation[BLOCK];
    measure_block(values, count, examples, features, unit, mean, deviation);
    for (size_t i = 0; i < examples; i++)
        for (size_t j = 0; j < count; j++) {
            double *x = &values[i * features + j];
            *x = deviation[j] > 0 ? (*x * unit[j] - mean[j]) / deviation[j] : 0;
        }
}

void gs_data_scale(gs_data *data, size_t scale) {
    if (scale == GS_SCALE_UNIT)
        scale_to_unit(data);
    if (scale != GS_SCALE_STANDARD || data->examples == 0)
        return;
    for (size_t first = 0; first < data->features; first += BLOCK) {
        size_t left = data->features - first;
        standardize_block(data->values + first, left < BLOCK ? left : BLOCK, data->examples,
                          data->features);
    }
}

/* ---- Batches ---- */

gs_status gs_data_check_batch(const gs_data *data, size_t batch, gs_error *error) {
    if (batch <= data->examples)
        return GS_OK;
    return gs_fail(error, GS_ERR_USAGE,
                   "--batch: expected %zu or fewer, the examples in the data, got '%zu'",
                   data->examples, batch);
}

gs_status gs_data_batch(const gs_data *data, uint64_t seed, size_t batch, double *input,
                        size_t *labels, gs_error *error) {
    gs_batches batches;
    gs_status status = gs_batches_new(data, seed, true, batch, &batches, error);
    if (status == GS_OK)
        gs_batches_take(&batches, 0, input, labels);
    gs_batches_free(&batches);
    return status;
}
