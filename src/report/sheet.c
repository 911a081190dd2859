/*
 * Sheets: names, cells and the configuration, written by one of the formats for programs.
 */
#include "report/sheet.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/memory.h"
#include "net/config.h"
#include "report/row.h"

struct gs_sheet {
    FILE *file;
    void (*write)(FILE *out, const gs_row *row);
    bool header; /* is yet to be written */
    size_t own;  /* columns of the owner */
    gs_row row;
    gs_cell *titles; /* the names as a row */
    char **options;  /* texts that cells of the row refer to */
};

static const struct {
    void (*write)(FILE *out, const gs_row *row);
    bool header;
} formats[] = {
    [GS_FORMAT_CSV] = {gs_csv_write, true},
    [GS_FORMAT_TSV] = {gs_tsv_write, true},
    [GS_FORMAT_JSONL] = {gs_jsonl_write, false},
};

/* ---- Cells ---- */

gs_cell gs_cell_absent(void) {
    return (gs_cell){.kind = GS_CELL_ABSENT};
}

gs_cell gs_cell_whole(uint64_t value) {
    return (gs_cell){.kind = GS_CELL_WHOLE, .whole = value};
}

gs_cell gs_cell_real(double value) {
    return (gs_cell){.kind = GS_CELL_REAL, .real = value};
}

gs_cell gs_cell_text(const char *text) {
    return (gs_cell){.kind = GS_CELL_TEXT, .text = text};
}

/* A column is either all numbers or all strings: the bias 0.1 is a string, as normal:0.1 is. Only
   "auto", and one width for each layer, may stand among numbers. */
static gs_cell option_cell(const gs_option *option, const char *text) {
    bool number = option->kind == GS_OPTION_SIZE || option->kind == GS_OPTION_SEED ||
                  option->kind == GS_OPTION_REAL;
    if (text[0] == '\0')
        return gs_cell_absent();
    if (option->kind == GS_OPTION_SIZES)
        number = !strchr(text, '-');
    if (number && !(option->automatic && strcmp(text, option->automatic) == 0))
        return (gs_cell){.kind = GS_CELL_NUMERAL, .text = text};
    return gs_cell_text(text);
}

/* ---- Names ---- */

void gs_option_column(char name[GS_COLUMN_NAME_SIZE], const char *option) {
    gs_format(name, GS_COLUMN_NAME_SIZE, "%s%s", gs_log_has(option) ? "config_" : "", option);
    for (char *c = name; (c = strchr(c, '-'));)
        *c = '_';
}

static gs_status make_row(gs_sheet *sheet, const char *const *names, gs_error *error) {
    gs_row *row = &sheet->row;
    size_t index = 0;
    row->count = sheet->own;
    for (size_t i = 0; i < gs_config_options.count; i++)
        row->count += gs_config_options.rows[i].column;
    row->name = gs_alloc(row->count, sizeof *row->name, error);
    row->cell = row->name ? gs_alloc(row->count, sizeof *row->cell, error) : NULL;
    sheet->titles = row->cell ? gs_alloc(row->count, sizeof *row->cell, error) : NULL;
    if (!sheet->titles)
        return GS_ERR_MEMORY;
    for (; index < sheet->own; index++)
        gs_format(row->name[index], GS_COLUMN_NAME_SIZE, "%s", names[index]);
    for (size_t i = 0; i < gs_config_options.count; i++)
        if (gs_config_options.rows[i].column)
            gs_option_column(row->name[index++], gs_config_options.rows[i].name);
    for (size_t i = 0; i < row->count; i++)
        sheet->titles[i] = gs_cell_text(row->name[i]);
    return GS_OK;
}

/* ---- Sheets ---- */

char **gs_option_texts(const gs_config *config, gs_error *error) {
    size_t count = gs_config_options.count, room = count * sizeof(char *);
    for (size_t i = 0; i < count; i++)
        room += gs_option_format(&gs_config_options.rows[i], config, NULL, 0) + 1;
    char **texts = gs_alloc(room, 1, error);
    if (!texts)
        return NULL;
    char *next = (char *)(texts + count), *end = (char *)texts + room;
    for (size_t i = 0; i < count; i++) {
        texts[i] = next;
        next +=
            gs_option_format(&gs_config_options.rows[i], config, next, (size_t)(end - next)) + 1;
    }
    return texts;
}

gs_sheet *gs_sheet_new(FILE *file, gs_report_style style, const char *const *names, size_t count,
                       gs_error *error) {
    gs_sheet *sheet = gs_alloc(1, sizeof *sheet, error);
    if (!sheet)
        return NULL;
    sheet->file = file;
    sheet->write = formats[style.format].write;
    sheet->header = style.header && formats[style.format].header;
    sheet->own = count;
    if (make_row(sheet, names, error) == GS_OK)
        return sheet;
    gs_sheet_free(sheet);
    return NULL;
}

void gs_sheet_free(gs_sheet *sheet) {
    if (sheet) {
        gs_free(sheet->row.name);
        gs_free(sheet->row.cell);
        gs_free(sheet->titles);
        gs_free(sheet->options);
    }
    gs_free(sheet);
}

gs_status gs_sheet_set_config(gs_sheet *sheet, const gs_config *config, gs_error *error) {
    char **options = gs_option_texts(config, error);
    if (!options)
        return GS_ERR_MEMORY;
    gs_free(sheet->options);
    sheet->options = options;
    gs_cell *cell = sheet->row.cell + sheet->own;
    for (size_t i = 0; i < gs_config_options.count; i++)
        if (gs_config_options.rows[i].column)
            *cell++ = option_cell(&gs_config_options.rows[i], options[i]);
    return GS_OK;
}

gs_cell *gs_sheet_cells(gs_sheet *sheet) {
    return sheet->row.cell;
}

const gs_row *gs_sheet_row(const gs_sheet *sheet) {
    return &sheet->row;
}

void gs_sheet_write_header(gs_sheet *sheet) {
    if (sheet->header)
        sheet->write(sheet->file, &(gs_row){sheet->row.count, sheet->row.name, sheet->titles});
    sheet->header = false;
}

void gs_sheet_write(gs_sheet *sheet) {
    gs_sheet_write_header(sheet);
    sheet->write(sheet->file, &sheet->row);
}

/* ---- What every report needs ---- */

/* The message goes first: making it may change errno, which belongs to the caller. */
gs_status gs_file_finish(FILE *file, gs_error *error) {
    fflush(file);
    if (!ferror(file))
        return GS_OK;
    int failed = errno;
    gs_fail(error, GS_ERR_IO, "cannot write: %s", strerror(failed));
    errno = failed;
    return GS_ERR_IO;
}

/* The first of the three that is set decides (POSIX, 8.2); a name is like de_DE.UTF-8 or C.utf8. */
bool gs_locale_is_utf8(void) {
    static const char *const variables[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    const char *name = NULL;
    for (size_t i = 0; i < sizeof variables / sizeof *variables && !(name && *name); i++)
        name = getenv(variables[i]);
    const char *charset = name ? strchr(name, '.') : NULL;
    return charset &&
           (strncasecmp(charset, ".utf-8", 6) == 0 || strncasecmp(charset, ".utf8", 5) == 0);
}
