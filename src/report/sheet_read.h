/*
 * Sheets, read as a stream: CSV, TSV and JSON lines as sheet.h says, and what others make of CSV:
 * other columns in another order, \r\n at the end of a line, a byte order mark. Several files one
 * after another are one sheet: a line that is the header again is passed over.
 *
 * Strict: a row has a cell for every column, a quoted cell ends at a separator, the members of JSON
 * lines are those of the first line in its order, a file ends with a line end, and no byte is zero.
 * Every message names the file and the line.
 */
#ifndef GS_REPORT_SHEET_READ_H
#define GS_REPORT_SHEET_READ_H

#include "report/sheet.h"

enum { GS_SHEET_MOST_BYTES = 1 << 20 /* of a row */, GS_SHEET_MOST_COLUMNS = 4096 };

typedef struct gs_sheet_reader gs_sheet_reader;

/* A row, good until the next one. */
typedef struct {
    const char *bytes; /* [length]: as it stands in the file, with its line end */
    size_t length;
    uint64_t line;            /* of its first byte, from 1 */
    uint64_t offset;          /* of its first byte in what was read */
    const char *const *cells; /* [columns] texts; "" is an absent value */
} gs_sheet_line;

/* Read the names of the columns. `file` stays the caller's to close, and `path` is for messages;
   both must last. Memory is that of the longest row. Errors: GS_ERR_FORMAT, GS_ERR_IO,
   GS_ERR_MEMORY. */
gs_status gs_sheet_open(FILE *file, const char *path, gs_sheet_reader **reader, gs_error *error);
void gs_sheet_close(gs_sheet_reader *reader); /* NULL does nothing */

gs_report_format gs_sheet_format(const gs_sheet_reader *reader);

/* The line of column names as it stands in the file; no bytes in JSON lines, which have none. */
const char *gs_sheet_header(const gs_sheet_reader *reader, size_t *length);

/* The columns, from 0. */
size_t gs_sheet_columns(const gs_sheet_reader *reader);
const char *gs_sheet_column_name(const gs_sheet_reader *reader, size_t column);
bool gs_sheet_find(const gs_sheet_reader *reader, const char *name, size_t *column);

/* Find a column that must be there. Errors: GS_ERR_FORMAT. */
gs_status gs_sheet_require(const gs_sheet_reader *reader, const char *name, size_t *column,
                           gs_error *error);

/* The next row; NULL past the last. Errors: as gs_sheet_open; there is no going on after one. */
gs_status gs_sheet_next(gs_sheet_reader *reader, const gs_sheet_line **line, gs_error *error);

/* After an error: whether it is that the file ends within a row, as when its writer was killed. */
bool gs_sheet_is_torn(const gs_sheet_reader *reader);

/* A cell of the row that came last as a number. A real may be nan, inf or -inf, and an absent one
   leaves *is_there false. Errors: GS_ERR_FORMAT. */
gs_status gs_sheet_whole(const gs_sheet_reader *reader, size_t column, uint64_t *value,
                         gs_error *error);
gs_status gs_sheet_real(const gs_sheet_reader *reader, size_t column, double *value, bool *is_there,
                        gs_error *error);

/* Say what is wrong with the row that came last. Returns GS_ERR_FORMAT. */
gs_status gs_sheet_refuse(const gs_sheet_reader *reader, gs_error *error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
