/*
 * What is written for people, at most 80 columns wide: lines with bars, and what they come to.
 */
#ifndef GS_REPORT_TABLE_H
#define GS_REPORT_TABLE_H

#include "report/report.h"

/* ---- table.c ---- */

/* The columns that it shows, or needs to show others. */
uint64_t gs_table_columns(void);

/* Write a record. Errors: GS_ERR_MEMORY. */
gs_status gs_table_write(FILE *out, const gs_report_style *style, bool unicode,
                         const gs_record *record, gs_error *error);

/* ---- summary.c ---- */

void gs_summary_write(FILE *out, const gs_record *record, bool color);

/* ---- bars.c: bars on a log scale ---- */

typedef struct {
    FILE *out;
    bool color, unicode;
    double low, high; /* log10 at the ends, whole decades */
} gs_bars;

/* Scales for whole decades around the finite of `count` logarithms, but no fewer than three: bars
   that differ show that gradients do. */
void gs_bars_fit(gs_bars *bars, const double *logs, size_t count);

/* The rest of a line: the scale in a head, and a bar, or what stands for 10^-inf and nan. */
void gs_bars_write_scale(const gs_bars *bars);
void gs_bars_write(const gs_bars *bars, double log, const char *zero, bool alarm);

/* What begins is red if it is an alarm, until it ends. */
void gs_alarm_begin(FILE *out, bool color, bool alarm);
void gs_alarm_end(FILE *out, bool color, bool alarm);

/* Two decimals; what would print as -0.00 is 0.00. */
void gs_format_log(char out[32], double value);

/* That in a column after a space; nan is "-". */
void gs_put_log(FILE *out, int width, double value);

#endif
