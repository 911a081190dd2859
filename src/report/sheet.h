/*
 * A sheet: rows for programs, as CSV, TSV or JSON lines. Its first columns are its owner's; after
 * them every row holds the whole configuration: every option that is a column, in its canonical
 * text, under the same name in every sheet.
 *
 * An absent value is an empty cell, null in JSON. Numbers are printed by gs_format_real; JSON has
 * none for what is not finite, so there it is a string: "nan", "inf" or "-inf". CSV is that of RFC
 * 4180, with \n. In TSV a tab, line feed, carriage return or backslash is \t, \n, \r or \\.
 */
#ifndef GS_REPORT_SHEET_H
#define GS_REPORT_SHEET_H

#include <stdio.h>

#include "gradsim.h"

typedef enum { GS_FORMAT_TABLE, GS_FORMAT_CSV, GS_FORMAT_TSV, GS_FORMAT_JSONL } gs_report_format;

typedef struct {
    gs_report_format format;
    bool header; /* csv, tsv: a line of column names first */
    bool color;  /* table: ANSI colours */
    bool quiet;  /* table: the summary alone, and the seed if there are several */
} gs_report_style;

typedef enum {
    GS_CELL_ABSENT,
    GS_CELL_WHOLE,   /* whole */
    GS_CELL_REAL,    /* real */
    GS_CELL_NUMERAL, /* text, which is a number */
    GS_CELL_TEXT     /* text */
} gs_cell_kind;

typedef struct {
    gs_cell_kind kind;
    uint64_t whole;
    double real;
    const char *text;
} gs_cell;

gs_cell gs_cell_absent(void);
gs_cell gs_cell_whole(uint64_t value);
gs_cell gs_cell_real(double value);
gs_cell gs_cell_text(const char *text); /* must last until the row is written */

typedef struct gs_sheet gs_sheet;

/* Start a sheet on `file`, which stays the caller's to close, in a format other than
   GS_FORMAT_TABLE. `names` are those of the owner's `count` columns. Errors: GS_ERR_MEMORY. */
gs_sheet *gs_sheet_new(FILE *file, gs_report_style style, const char *const *names, size_t count,
                       gs_error *error);
void gs_sheet_free(gs_sheet *sheet);

/* The configuration of the rows that follow; resolved. Errors: GS_ERR_MEMORY. */
gs_status gs_sheet_set_config(gs_sheet *sheet, const gs_config *config, gs_error *error);

/* The owner's cells of the next row, [count], absent at first; they keep their values from row to
   row. */
gs_cell *gs_sheet_cells(gs_sheet *sheet);

/* Write the header, if there is to be one and it is not written yet. */
void gs_sheet_write_header(gs_sheet *sheet);

/* Write them as a row; before the first, the header. What fails shows in ferror() of the file. */
void gs_sheet_write(gs_sheet *sheet);

/* Write the title of a table for people: the network, and an empty line after it. `config` is
   resolved. Errors: GS_ERR_MEMORY. */
gs_status gs_title_write(FILE *out, const gs_config *config, uint64_t seed, size_t step,
                         gs_error *error);
gs_status gs_network_title_write(FILE *out, const gs_config *config, gs_error *error); /* no seed */

/* Flush `file` and check it. Errors: GS_ERR_IO, where errno is that of the failed write. */
gs_status gs_file_finish(FILE *file, gs_error *error);

/* Whether LC_ALL, LC_CTYPE or LANG says UTF-8, so that bars may be drawn in Unicode. */
bool gs_locale_is_utf8(void);

#endif
