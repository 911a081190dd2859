/*
 * What is written for people, at most 80 columns wide: lines with bars, and what they come to.
 */
#ifndef GS_REPORT_TABLE_H
#define GS_REPORT_TABLE_H

#include "report/report.h"

enum { GS_LINE_WIDTH = 80, GS_LABEL_WIDTH = 11 };

/* ---- table.c: one step, a line a layer ---- */

/* The columns that it shows, or needs to show others. */
uint64_t gs_table_columns(void);

/* Write a record. Errors: GS_ERR_MEMORY. */
gs_status gs_table_write(FILE *out, const gs_report_style *style, bool unicode,
                         const gs_record *record, gs_error *error);

/* Its lines alone, and an empty one. Errors: GS_ERR_MEMORY. */
gs_status gs_layers_write(FILE *out, const gs_report_style *style, bool unicode,
                          const gs_record *record, gs_error *error);

/* "seed 7", above what is quiet, if there are several. */
void gs_seed_write(FILE *out, const gs_record *record);

/* ---- training.c: a run of training, a line a step ---- */

/* Write a record: a line, with a head before the first, and after the last what it comes to.
   Errors: GS_ERR_MEMORY. */
gs_status gs_training_write(FILE *out, const gs_report_style *style, bool unicode,
                            const gs_record *record, bool is_first, gs_error *error);

/* ---- summary.c and findings.c: a label and a line or two for each thing worth saying ---- */

void gs_summary_write(FILE *out, const gs_record *record, bool color);
void gs_findings_write(FILE *out, const gs_record *record, bool color);

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

/* ---- lines.c ---- */

/* What begins is red if it is an alarm, until it ends. */
void gs_alarm_begin(FILE *out, bool color, bool alarm);
void gs_alarm_end(FILE *out, bool color, bool alarm);

/* A label, and words after it in lines as wide as they may be. */
void gs_put_label(FILE *out, const char *label);
void gs_put_paragraph(FILE *out, const char *label, const char *text);

/* "layer 7", "the head". */
void gs_name_layer(const gs_record *record, size_t layer, char out[32]);

/* Two decimals; what would print as -0.00 is 0.00. */
void gs_format_log(char out[32], double value);

/* That in a column after a space; nan is "-". */
void gs_put_log(FILE *out, int width, double value);

#endif
