/*
 * A report: a file, a form, and the records that are written to it one after another.
 */
#include "report/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/memory.h"
#include "report/row.h"

struct gs_report {
    FILE *file;
    gs_report_style style;
    bool unicode;
    bool started; /* something was written */
    gs_row row;
};

/* The formats for programs; a table is written as a whole. */
static const struct {
    void (*write)(FILE *out, const gs_row *row);
    bool header;
} row_formats[] = {
    [GS_FORMAT_TABLE] = {NULL, false},
    [GS_FORMAT_CSV] = {gs_csv_write, true},
    [GS_FORMAT_TSV] = {gs_tsv_write, true},
    [GS_FORMAT_JSONL] = {gs_jsonl_write, false},
};

uint64_t gs_report_columns(gs_report_format format) {
    return format == GS_FORMAT_TABLE ? gs_table_columns() : GS_ALL_COLUMNS;
}

/* The first of the three that is set decides (POSIX, 8.2); a name is like de_DE.UTF-8 or C.utf8. */
static bool locale_is_utf8(void) {
    static const char *const variables[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    const char *name = NULL;
    for (size_t i = 0; i < sizeof variables / sizeof *variables && !(name && *name); i++)
        name = getenv(variables[i]);
    const char *charset = name ? strchr(name, '.') : NULL;
    return charset &&
           (strncasecmp(charset, ".utf-8", 6) == 0 || strncasecmp(charset, ".utf8", 5) == 0);
}

gs_report *gs_report_new(FILE *file, gs_report_style style, gs_error *error) {
    gs_report *report = gs_alloc(1, sizeof *report, error);
    if (!report)
        return NULL;
    report->file = file;
    report->style = style;
    report->unicode = locale_is_utf8();
    if (gs_row_new(&report->row, error) == GS_OK)
        return report;
    gs_report_free(report);
    return NULL;
}

void gs_report_free(gs_report *report) {
    if (report)
        gs_row_free(&report->row);
    gs_free(report);
}

/* The message goes first: making it may change errno, which belongs to the caller. */
static gs_status check_file(FILE *file, gs_error *error) {
    if (!ferror(file))
        return GS_OK;
    int failed = errno;
    gs_fail(error, GS_ERR_IO, "cannot write: %s", strerror(failed));
    errno = failed;
    return GS_ERR_IO;
}

static gs_status write_rows(gs_report *report, const gs_record *record, gs_error *error) {
    void (*write)(FILE *, const gs_row *) = row_formats[report->style.format].write;
    char **options = gs_option_texts(record->config, error);
    if (!options)
        return GS_ERR_MEMORY;
    if (!report->started && report->style.header && row_formats[report->style.format].header) {
        gs_row_fill_names(&report->row);
        write(report->file, &report->row);
    }
    for (size_t i = 0; i < record->rows && !ferror(report->file); i++) {
        gs_row_fill(&report->row, record, i, options);
        write(report->file, &report->row);
    }
    gs_status status = check_file(report->file, error);
    gs_free(options);
    return status;
}

gs_status gs_report_write(gs_report *report, const gs_record *record, gs_error *error) {
    gs_status status;
    if (row_formats[report->style.format].write) {
        status = write_rows(report, record, error);
    } else {
        if (report->started)
            putc('\n', report->file);
        status = gs_table_write(report->file, &report->style, report->unicode, record, error);
    }
    report->started = true;
    return status == GS_OK ? gs_report_finish(report, error) : status;
}

gs_status gs_report_finish(gs_report *report, gs_error *error) {
    fflush(report->file);
    return check_file(report->file, error);
}
