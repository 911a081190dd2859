/*
 * A row of named cells: what every format for programs is fed with. Only columns.c knows what the
 * columns are, and only a format knows how a cell is written.
 */
#ifndef GS_REPORT_ROW_H
#define GS_REPORT_ROW_H

#include "report/report.h"

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

enum { GS_COLUMN_NAME_SIZE = 48 };

typedef struct {
    size_t count;
    char (*name)[GS_COLUMN_NAME_SIZE]; /* [count] */
    gs_cell *cell;                     /* [count] */
} gs_row;

/* ---- columns.c ---- */

/* A row with its names, and its cells absent. Errors: GS_ERR_MEMORY; free it all the same. */
gs_status gs_row_new(gs_row *row, gs_error *error);
void gs_row_free(gs_row *row);

/* Fill the cells with the names: the header. */
void gs_row_fill_names(gs_row *row);

/* Fill the cells with layer `index` of a record. `options` is from gs_option_texts. */
void gs_row_fill(gs_row *row, const gs_record *record, size_t index, char *const *options);

/* The text of every option of gs_config_options, in one block for gs_free; NULL if there is no
   memory. */
char **gs_option_texts(const gs_config *config, gs_error *error);

/* ---- The formats: each writes a row as one line ---- */

void gs_csv_write(FILE *out, const gs_row *row);
void gs_tsv_write(FILE *out, const gs_row *row);
void gs_jsonl_write(FILE *out, const gs_row *row);

/* Write the text of a cell that is a number; nothing if it is absent. */
void gs_cell_write_number(FILE *out, const gs_cell *cell);

/* ---- table.c ---- */

/* The columns that it shows, or needs to show others. */
uint64_t gs_table_columns(void);

/* Write a record for people. Errors: GS_ERR_MEMORY. */
gs_status gs_table_write(FILE *out, const gs_report_style *style, bool unicode,
                         const gs_record *record, gs_error *error);

#endif
