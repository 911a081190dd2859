/*
 * A report: a file, a form, and the records that are written to it one after another.
 */
#include "report/report.h"

#include "base/memory.h"
#include "net/config.h"
#include "report/row.h"
#include "report/spread.h"
#include "report/table.h"

struct gs_report {
    FILE *file;
    gs_report_style style;
    bool unicode;
    size_t run;        /* of the last record, 0 before the first */
    gs_sheet *log;     /* NULL: a table */
    gs_spread *spread; /* of a table over several seeds, from the first on */
};

uint64_t gs_report_columns(gs_report_format format, bool quiet) {
    if (format != GS_FORMAT_TABLE)
        return GS_ALL_COLUMNS;
    uint64_t diagnosed = (uint64_t)1 << GS_MOVED | (uint64_t)1 << GS_DEAD;
    return diagnosed | (quiet ? 0 : gs_table_columns());
}

gs_report *gs_report_new(FILE *file, gs_report_style style, gs_error *error) {
    gs_report *report = gs_alloc(1, sizeof *report, error);
    if (!report)
        return NULL;
    report->file = file;
    report->style = style;
    report->unicode = gs_locale_is_utf8();
    if (style.format == GS_FORMAT_TABLE)
        return report;
    report->log = gs_log_new(file, style, error);
    if (report->log)
        return report;
    gs_report_free(report);
    return NULL;
}

void gs_report_free(gs_report *report) {
    if (report) {
        gs_sheet_free(report->log);
        gs_spread_free(report->spread);
    }
    gs_free(report);
}

/* After the last of several seeds, what they come to together. */
static gs_status write_spread(gs_report *report, const gs_record *record, gs_error *error) {
    if (record->config->seeds < 2)
        return GS_OK;
    if (!report->spread)
        report->spread = gs_spread_new(record->rows, error);
    if (!report->spread)
        return GS_ERR_MEMORY;
    gs_spread_add(report->spread, record);
    if (record->run < record->config->seeds)
        return GS_OK;
    putc('\n', report->file);
    return gs_spread_write(report->file, &report->style, report->unicode, report->spread, error);
}

/* An empty line stands between records, but not between the steps of a run of training, of which
   the last counts. */
static gs_status write_for_people(gs_report *report, const gs_record *record, gs_error *error) {
    bool is_training = record->config->steps > 0 && record->training;
    bool is_first = !is_training || record->run != report->run;
    bool is_last = !is_training || record->findings;
    gs_status status;
    if (report->run > 0 && is_first)
        putc('\n', report->file);
    if (is_training)
        status = gs_training_write(report->file, &report->style, report->unicode, record, is_first,
                                   error);
    else
        status = gs_table_write(report->file, &report->style, report->unicode, record, error);
    report->run = record->run;
    return status == GS_OK && is_last ? write_spread(report, record, error) : status;
}

gs_status gs_report_write(gs_report *report, const gs_record *record, gs_error *error) {
    gs_status status = report->log ? gs_log_write(report->log, record, error)
                                   : write_for_people(report, record, error);
    return status == GS_OK ? gs_report_finish(report, error) : status;
}

gs_status gs_report_write_error(gs_report *report, const gs_record *record, const char *message,
                                gs_error *error) {
    gs_status status = gs_log_write_error(report->log, record, message, error);
    return status == GS_OK ? gs_report_finish(report, error) : status;
}

gs_status gs_report_finish(gs_report *report, gs_error *error) {
    return gs_file_finish(report->file, error);
}
