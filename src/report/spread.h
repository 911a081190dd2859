/*
 * The spread over seeds: mean and standard deviation of logarithms, layer by layer and end to end.
 * Values that are not finite, as that of a gradient which is exactly 0, are left out and counted.
 */
#ifndef GS_REPORT_SPREAD_H
#define GS_REPORT_SPREAD_H

#include "report/report.h"

enum { GS_VERDICTS = GS_NONFINITE + 1 };

/* ---- Accumulation ---- */

typedef struct {
    size_t count;   /* of finite values */
    double mean;    /* 0 if there are none */
    double squares; /* sum of squares about it */
} gs_sample;

/* Welford's way, in which nothing cancels: Technometrics 4 (1962), 419. */
void gs_sample_add(gs_sample *sample, double value);
double gs_sample_mean(const gs_sample *sample); /* nan: no value */
double gs_sample_std(const gs_sample *sample);  /* of a sample (n - 1); nan: fewer than two */

typedef struct gs_spread gs_spread;

/* Errors: GS_ERR_MEMORY. */
gs_spread *gs_spread_new(size_t rows, gs_error *error);
void gs_spread_free(gs_spread *spread);

/* Add a record of `rows` layers. */
void gs_spread_add(gs_spread *spread, const gs_record *record);

/* Write what was added, for people: with style->quiet the totals alone. Errors: GS_ERR_MEMORY. */
gs_status gs_spread_write(FILE *out, const gs_report_style *style, bool unicode,
                          const gs_spread *spread, gs_error *error);

#endif
