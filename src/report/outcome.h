/*
 * What the networks of one configuration, which differ in their seeds, come to together.
 */
#ifndef GS_REPORT_OUTCOME_H
#define GS_REPORT_OUTCOME_H

#include "report/sheet.h"
#include "report/spread.h"

/* {0} holds no network. */
typedef struct {
    size_t networks, failed; /* that were measured, and that could not be */
    size_t verdicts[GS_VERDICTS], shattered;
    gs_verdict verdict; /* the most frequent; of equals the worse */
    gs_sample ratio, corr_output, corr_input;
    gs_sample loss, accuracy, test_loss, test_accuracy;
    double ratio_left_out; /* one that is not finite, if there is any */
} gs_outcome;

/* `training` may be NULL. */
void gs_outcome_add(gs_outcome *outcome, const gs_summary *summary,
                    const gs_training_stats *training);

/* The mean of log10 |dL/dx_0| / |dL/dx_L|; what stands for it if no network has a finite one. */
double gs_outcome_ratio(const gs_outcome *outcome);

/* Healthy in size, but for most seeds not in direction. */
bool gs_outcome_is_shattered(const gs_outcome *outcome);

/* The verdict, or "shattered"; "failed" if no network could be measured. */
const char *gs_outcome_name(const gs_outcome *outcome);

/* ---- The summary of a sweep: a sheet with one row a point ---- */

typedef struct {
    uint64_t point, points, seed; /* the first of its seeds */
    const char *sweep;            /* the name of its grid */
    const gs_config *config;
    const gs_outcome *outcome;
    const char *error; /* the first of those that failed; NULL: none did */
} gs_point;

/* As gs_sheet_new. */
gs_sheet *gs_outcome_sheet_new(FILE *file, gs_report_style style, gs_error *error);

/* Errors: GS_ERR_MEMORY; what cannot be written shows in ferror(). */
gs_status gs_outcome_sheet_write(gs_sheet *sheet, const gs_point *point, gs_error *error);

#endif
