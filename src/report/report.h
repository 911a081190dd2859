/*
 * Rows out: the measurements of a run as a table for people, or as a sheet for programs (sheet.h),
 * which has the same columns in every run:
 *
 *   run, seed, step, layer, kind, loss   indices, and the loss of the whole network
 *   z_mean ... moved                     every gs_column
 *   accuracy ... clipped                 gs_training_stats, of the whole network
 *   point, points, sweep, error          its place in a sweep, and why there is nothing to measure
 *   layers, width, act ...               every option that is a column
 */
#ifndef GS_REPORT_REPORT_H
#define GS_REPORT_REPORT_H

#include "report/sheet.h"
#include "train/diagnosis.h"

/* One network at one step. */
typedef struct {
    uint64_t point, points; /* its configuration is this one of so many; 1 of 1 outside sweeps */
    const char *sweep;      /* the name of its grid; NULL outside sweeps */
    uint64_t run;           /* 1, 2, ... over the seeds, and over the points of a sweep */
    uint64_t seed;
    size_t step;
    const gs_config *config; /* resolved */
    size_t rows;
    const gs_layer_stats *stats;
    const gs_summary *summary;
    const gs_training_stats *training; /* NULL: nothing of the sort is known */
    const gs_findings *findings;       /* with the last record of a run of training, else NULL */
} gs_record;

/* The columns of gs_layer_stats that a format shows, bit c for column c: what is not shown need not
   be measured. */
uint64_t gs_report_columns(gs_report_format format, bool quiet);

typedef struct gs_report gs_report;

/* Start a report on `file`, which stays the caller's to close. The table draws its bars in Unicode
   where LC_ALL, LC_CTYPE or LANG says UTF-8, else in ASCII. Errors: GS_ERR_MEMORY. */
gs_report *gs_report_new(FILE *file, gs_report_style style, gs_error *error);
void gs_report_free(gs_report *report);

/* Write one record and flush it; in a table the last of several seeds is followed by their spread
   (spread.h). Errors: GS_ERR_IO, where errno is that of the failed write; GS_ERR_MEMORY. */
gs_status gs_report_write(gs_report *report, const gs_record *record, gs_error *error);

/* In a log, write a row for a network that could not be measured: the record needs its place, seed
   and configuration, which need not be resolved. Errors: as above. */
gs_status gs_report_write_error(gs_report *report, const gs_record *record, const char *message,
                                gs_error *error);

/* Flush and check. Errors: GS_ERR_IO, as above. */
gs_status gs_report_finish(gs_report *report, gs_error *error);

#endif
