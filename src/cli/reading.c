/*
 * Reading logs for plot and report.
 */
#include "cli/reading.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/error.h"
#include "cli/cli.h"

/* clang-format off */
static const gs_option option_rows[] = {
    {"column", GS_OPTION_TEXT, offsetof(cli_view, column), "NAME", NULL,
     "what to show: any column of numbers; by default grad_z_log10 of a log, ratio_log10_mean of a summary",
     .letter = 0},
    {"where", GS_OPTION_TEXT, offsetof(cli_view, where), "EXPR", NULL,
     "leave out all other configurations: 'layers>=64 || act==relu'", .letter = 0},
    {"title", GS_OPTION_TEXT, offsetof(cli_view, title), "TEXT", NULL,
     "what stands above it", .letter = 0},
};
/* clang-format on */

const gs_option_table cli_view_options = {option_rows, sizeof option_rows / sizeof option_rows[0]};

/* ---- What is left out ---- */

static bool find_option(const gs_gather *gather, const gs_option *option, size_t *index) {
    for (*index = 0; *index < gather->option_count; ++*index)
        if (gather->options[*index] == option)
            return true;
    return false;
}

static gs_status ask_condition(const cli_reading *reading, const cli_condition *condition,
                               const gs_gather *gather, const char *const *texts, bool *holds,
                               gs_error *error) {
    const gs_option *option = condition->option;
    size_t index;
    if (!find_option(gather, option, &index))
        return gs_fail(error, GS_ERR_USAGE,
                       "--where: expected an option that is a column, got '%s'", option->name);
    const char *text = texts[index];
    if (*text && gs_option_parse(option, reading->config, text, error) != GS_OK)
        return gs_fail(error, GS_ERR_FORMAT, "a row's option %s", error->message);
    *holds = cli_condition_holds(condition, reading->config, text);
    return GS_OK;
}

static gs_status keeps_config(void *context, const gs_gather *gather, const char *const *texts,
                              bool *keeps, gs_error *error) {
    const cli_reading *reading = context;
    gs_status status = GS_OK;
    size_t at = 0;
    while (status == GS_OK && at < reading->where.count) {
        const cli_condition *condition = &reading->where.conditions[at];
        bool holds = false;
        status = ask_condition(reading, condition, gather, texts, &holds, error);
        at = condition->next[holds];
    }
    *keeps = at == CLI_WHERE_KEEP;
    return status;
}

/* ---- Files ---- */

static gs_status read_file(gs_gather *gather, const char *path, gs_error *error) {
    bool is_standard = strcmp(path, "-") == 0;
    FILE *file = is_standard ? stdin : fopen(path, "rb");
    if (!file)
        return gs_fail(error, GS_ERR_IO, "cannot read '%s': %s", path, strerror(errno));
    gs_status status = gs_gather_file(gather, file, is_standard ? "standard input" : path, error);
    if (!is_standard)
        fclose(file);
    return status;
}

/* Its seeds would count twice. */
static gs_status refuse_repetition(char *const *paths, gs_error *error) {
    for (size_t i = 0; paths[i]; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(paths[i], paths[j]) == 0)
                return gs_fail(error, GS_ERR_USAGE, "expected every file once, got '%s' twice",
                               paths[i]);
    return GS_OK;
}

static gs_status read_where(cli_reading *reading, const char *where, gs_error *error) {
    reading->config = gs_config_new(error);
    return reading->config ? cli_where_read(&reading->where, reading->config, where, error)
                           : GS_ERR_MEMORY;
}

gs_status cli_reading_begin(cli_reading *reading, char *const *paths, const cli_view *view,
                            void (*ask)(gs_gather *), gs_error *error) {
    gs_status status = refuse_repetition(paths, error);
    if (status == GS_OK && view->where)
        status = read_where(reading, view->where, error);
    if (status != GS_OK)
        return status;
    reading->gather =
        gs_gather_new(view->column, view->where ? keeps_config : NULL, reading, error);
    if (!reading->gather)
        return GS_ERR_MEMORY;
    if (ask)
        ask(reading->gather);
    for (; *paths && status == GS_OK; paths++)
        status = read_file(reading->gather, *paths, error);
    if (status == GS_OK && view->where && reading->gather->config_count == 0)
        return gs_fail(error, GS_ERR_USAGE, "--where: expected to leave rows, got none");
    return status;
}

void cli_reading_end(cli_reading *reading) {
    gs_gather_free(reading->gather);
    cli_where_free(&reading->where);
    gs_config_free(reading->config);
}
