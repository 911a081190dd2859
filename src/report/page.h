/*
 * A page: what was gathered -> one HTML file that needs nothing else, with pictures, a table of the
 * configurations, and a script (page.js) that shows values, hides lines and sorts.
 */
#ifndef GS_REPORT_PAGE_H
#define GS_REPORT_PAGE_H

#include <stdio.h>

#include "report/figure.h"
#include "report/variation.h"

/* Ask for the columns that a page shows; before the first file. */
void gs_page_ask(gs_gather *gather);

/* Write it, with a title of its own if `title` is NULL. What fails to be written shows in ferror() of
   the file. Errors: GS_ERR_FORMAT: there is no configuration; GS_ERR_MEMORY. */
gs_status gs_page_write(FILE *out, const gs_variation *variation, const char *title,
                        gs_error *error);

/* ---- Its parts ---- */

typedef struct {
    const char *column; /* of a log or a summary */
    const char *name;   /* in the table */
    bool is_share;      /* said in percent */
} gs_page_measure;

extern const gs_page_measure gs_page_measures[]; /* ends with a NULL column */

/* The lines of page.css and page.js, NULL past the last. */
extern const char *const gs_page_css[];
extern const char *const gs_page_js[];

/* A figure for wide screens, on half of which it may stand, and one for narrow ones, with the legend
   beside them. Errors: GS_ERR_MEMORY. */
gs_status gs_page_write_figure(FILE *out, const gs_figure *figure, bool is_half, gs_error *error);

void gs_page_write_table(FILE *out, const gs_variation *variation);

#endif
