/*
 * gradsim report: logs or summaries -> configurations -> one page of HTML.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/replace.h"
#include "cli/cli.h"
#include "cli/interrupts.h"
#include "cli/reading.h"
#include "report/page.h"
#include "report/sheet.h"

typedef struct {
    char *output, *column, *where, *title;
} report_options;

/* clang-format off */
static const gs_option option_rows[] = {
    {"output", GS_OPTION_TEXT, offsetof(report_options, output), "FILE", NULL,
     "the .html to write, when the logs are read; - is standard output",
     .group = "Page", .letter = 'o'},
    {"column", GS_OPTION_TEXT, offsetof(report_options, column), "NAME", NULL,
     "what to show: any column of numbers; by default grad_z_log10 of a log, ratio_log10_mean of a summary",
     .letter = 0},
    {"where", GS_OPTION_TEXT, offsetof(report_options, where), "EXPR", NULL,
     "leave out all other configurations: 'layers>=64 || act==relu'", .letter = 0},
    {"title", GS_OPTION_TEXT, offsetof(report_options, title), "TEXT", NULL,
     "what stands above it", .letter = 0},
};
/* clang-format on */

const gs_option_table cli_report_options = {option_rows,
                                            sizeof option_rows / sizeof option_rows[0]};

static bool is_standard(const char *path) {
    return strcmp(path, "-") == 0;
}

static gs_status check_output(const char *output, gs_error *error) {
    const char *dot = output ? strrchr(output, '.') : NULL;
    if (!output)
        return gs_fail(error, GS_ERR_USAGE,
                       "report: expected --output FILE.html, or - for standard output");
    if (is_standard(output) ||
        (dot && (strcasecmp(dot, ".html") == 0 || strcasecmp(dot, ".htm") == 0)))
        return GS_OK;
    return gs_fail(error, GS_ERR_USAGE, "--output: expected a name that ends with .html, got '%s'",
                   output);
}

/* ---- Writing ---- */

static gs_status fail_to_write(const char *path, const char *reason, gs_error *error) {
    return gs_fail(error, GS_ERR_IO, "cannot write '%s': %s", path, reason);
}

static gs_status write_file(const char *path, const gs_variation *variation, const char *title,
                            gs_error *error) {
    gs_replacement replacement;
    gs_error why;
    gs_status status = gs_replace_open(&replacement, path, &why);
    if (status != GS_OK)
        return fail_to_write(path, why.message, error);
    cli_hold_interrupts(replacement.temporary);
    status = gs_page_write(replacement.file, variation, title, error);
    gs_status closed = gs_replace_close(&replacement, status, &why);
    cli_hold_interrupts(false);
    return status == GS_OK && closed != GS_OK ? fail_to_write(path, why.message, error) : status;
}

static gs_status write_standard_output(const gs_variation *variation, const char *title,
                                       gs_error *error) {
    gs_status status = gs_page_write(stdout, variation, title, error);
    if (status == GS_OK && gs_file_finish(stdout, error) != GS_OK)
        return gs_fail(error, GS_ERR_IO, "cannot write standard output: %s", strerror(errno));
    return status;
}

/* ---- The command ---- */

static gs_status write_page(const report_options *options, const gs_gather *gather,
                            gs_error *error) {
    gs_variation *variation = gs_variation_new(gather, error);
    if (!variation)
        return GS_ERR_MEMORY;
    gs_status status = is_standard(options->output)
                           ? write_standard_output(variation, options->title, error)
                           : write_file(options->output, variation, options->title, error);
    gs_variation_free(variation);
    return status;
}

static int report_files(char *const *paths, const report_options *options) {
    cli_reading reading = {0};
    gs_error error;
    gs_status status = check_output(options->output, &error);
    if (status == GS_OK)
        status = cli_reading_check("report", paths, options->output, &error);
    if (status == GS_OK)
        status = cli_reading_begin(&reading, paths, options->column, options->where, gs_page_ask,
                                   &error);
    if (status == GS_OK && reading.gather->config_count == 0)
        status =
            gs_fail(&error, GS_ERR_FORMAT, "%s: expected rows, got none", reading.gather->first);
    if (status == GS_OK)
        status = write_page(options, reading.gather, &error);
    cli_reading_end(&reading);
    return status == GS_OK ? CLI_DONE : cli_fail(&error);
}

int cmd_report(char **arguments) {
    report_options options = {0};
    int status;
    const cli_target targets[] = {{&cli_report_options, &options}};
    if (cli_begin("report", arguments, targets, 1, SIZE_MAX, &status))
        status = report_files(arguments, &options);
    gs_options_release(&cli_report_options, &options);
    return status;
}
