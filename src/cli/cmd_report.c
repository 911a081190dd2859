/*
 * gradsim report: logs or summaries -> configurations -> one page of HTML.
 */
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "cli/cli.h"
#include "cli/reading.h"
#include "report/page.h"

typedef struct {
    char *output;
} report_options;

/* clang-format off */
static const gs_option option_rows[] = {
    {"output", GS_OPTION_TEXT, offsetof(report_options, output), "FILE", NULL,
     "the .html to write, when the logs are read; - is standard output",
     .group = "Page", .letter = 'o'},
};
/* clang-format on */

const gs_option_table cli_report_options = {option_rows,
                                            sizeof option_rows / sizeof option_rows[0]};

typedef struct {
    report_options options;
    cli_view view;
    cli_reading reading;
    gs_variation *variation;
} report;

static gs_status check_output(const char *output, gs_error *error) {
    const char *dot = output ? strrchr(output, '.') : NULL;
    if (!output)
        return gs_fail(error, GS_ERR_USAGE,
                       "report: expected --output FILE.html, or - for standard output");
    if (!cli_output_path(output) ||
        (dot && (strcasecmp(dot, ".html") == 0 || strcasecmp(dot, ".htm") == 0)))
        return GS_OK;
    return gs_fail(error, GS_ERR_USAGE, "--output: expected a name that ends with .html, got '%s'",
                   output);
}

static gs_status vary(report *r, gs_error *error) {
    const gs_gather *gather = r->reading.gather;
    if (gather->config_count == 0)
        return gs_fail(error, GS_ERR_FORMAT, "%s: expected rows, got none", gather->first);
    r->variation = gs_variation_new(gather, error);
    return r->variation ? GS_OK : GS_ERR_MEMORY;
}

static gs_status write_page(const void *context, FILE *file, gs_error *error) {
    const report *r = context;
    return gs_page_write(file, r->variation, r->view.title, error);
}

static gs_status report_files(report *r, char *const *paths, gs_error *error) {
    const char *path = cli_output_path(r->options.output);
    gs_status status = check_output(r->options.output, error);
    if (status == GS_OK)
        status = cli_check_operands("report", "the file of a log", paths, path, error);
    if (status == GS_OK)
        status = cli_reading_begin(&r->reading, paths, &r->view, gs_page_ask, error);
    if (status == GS_OK)
        status = vary(r, error);
    return status == GS_OK ? cli_write_file(path, write_page, r, error) : status;
}

int cmd_report(char **arguments) {
    report r = {0};
    gs_error error;
    int exit_status;
    const cli_target targets[] = {{&cli_report_options, &r.options}, {&cli_view_options, &r.view}};
    if (cli_begin("report", arguments, targets, 2, SIZE_MAX, &exit_status))
        exit_status = report_files(&r, arguments, &error) == GS_OK ? CLI_DONE : cli_fail(&error);
    gs_variation_free(r.variation);
    cli_reading_end(&r.reading);
    gs_options_release(&cli_report_options, &r.options);
    gs_options_release(&cli_view_options, &r.view);
    return exit_status;
}
