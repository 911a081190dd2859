/*
 * A row of named cells: what every format for programs is fed with. Its owner knows what the
 * columns are, and only a format knows how a cell is written.
 */
#ifndef GS_REPORT_ROW_H
#define GS_REPORT_ROW_H

#include "report/report.h"

enum { GS_COLUMN_NAME_SIZE = 48 };

typedef struct {
    size_t count;
    char (*name)[GS_COLUMN_NAME_SIZE]; /* [count] */
    gs_cell *cell;                     /* [count] */
} gs_row;

/* ---- sheet.c ---- */

/* The text of every option of gs_config_options, in one block for gs_free; NULL if there is no
   memory. */
char **gs_option_texts(const gs_config *config, gs_error *error);

/* The name of an option's column. An option may be called as a column of the log is: --loss chooses
   one, and the loss is its value. */
void gs_option_column(char name[GS_COLUMN_NAME_SIZE], const char *option);

/* The names of all columns, and the cells as they are. */
const gs_row *gs_sheet_row(const gs_sheet *sheet);

/* ---- log.c ---- */

/* Whether the log has a column of this name that is no option's. */
bool gs_log_has(const char *name);

gs_sheet *gs_log_new(FILE *file, gs_report_style style, gs_error *error);

/* One row, with nothing in it but the record's place, its configuration and the message. */
gs_status gs_log_write_error(gs_sheet *log, const gs_record *record, const char *message,
                             gs_error *error);

/* A row for every layer. Errors: GS_ERR_MEMORY; what fails to be written shows in ferror(). */
gs_status gs_log_write(gs_sheet *log, const gs_record *record, gs_error *error);

/* ---- The formats: each writes a row as one line ---- */

void gs_csv_write(FILE *out, const gs_row *row);
void gs_tsv_write(FILE *out, const gs_row *row);
void gs_jsonl_write(FILE *out, const gs_row *row);

/* Write the text of a cell that is a number; nothing if it is absent. */
void gs_cell_write_number(FILE *out, const gs_cell *cell);

#endif
