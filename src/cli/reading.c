/*
 * Reading logs for plot and report.
 */
#include "cli/reading.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "cli/cli.h"

static bool is_standard(const char *path) {
    return strcmp(path, "-") == 0;
}

gs_status cli_reading_check(const char *command, char *const *paths, const char *output,
                            gs_error *error) {
    if (!paths[0])
        return gs_fail(error, GS_ERR_USAGE, "%s: expected the file of a log after it", command);
    if (output && is_standard(output))
        output = "/dev/stdout";
    for (char *const *path = paths; *path && output; path++)
        if (!is_standard(*path) && cli_same_file(output, *path))
            return gs_fail(error, GS_ERR_USAGE,
                           "--output: expected another file than those to %s, got '%s'", command,
                           *path);
    return GS_OK;
}

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
    FILE *file = is_standard(path) ? stdin : fopen(path, "rb");
    if (!file)
        return gs_fail(error, GS_ERR_IO, "cannot read '%s': %s", path, strerror(errno));
    gs_status status =
        gs_gather_file(gather, file, is_standard(path) ? "standard input" : path, error);
    if (file != stdin)
        fclose(file);
    return status;
}

gs_status cli_reading_begin(cli_reading *reading, char *const *paths, const char *column,
                            const char *where, void (*ask)(gs_gather *), gs_error *error) {
    gs_status status = GS_OK;
    if (where && !(reading->config = gs_config_new(error)))
        return GS_ERR_MEMORY;
    if (where)
        status = cli_where_read(&reading->where, reading->config, where, error);
    if (status != GS_OK)
        return status;
    reading->gather = gs_gather_new(column, where ? keeps_config : NULL, reading, error);
    if (!reading->gather)
        return GS_ERR_MEMORY;
    if (ask)
        ask(reading->gather);
    for (char *const *path = paths; *path && status == GS_OK; path++)
        status = read_file(reading->gather, *path, error);
    if (status == GS_OK && where && reading->gather->config_count == 0)
        return gs_fail(error, GS_ERR_USAGE, "--where: expected to leave rows, got none");
    return status;
}

void cli_reading_end(cli_reading *reading) {
    gs_gather_free(reading->gather);
    cli_where_free(&reading->where);
    gs_config_free(reading->config);
}
