/*
 * gradsim merge: the logs or summaries of shards -> that of the whole sweep.
 */
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>

#include "base/error.h"
#include "base/replace.h"
#include "cli/cli.h"
#include "cli/interrupts.h"
#include "report/merge.h"
#include "report/sheet.h"

typedef struct {
    char *output; /* NULL or "-": standard output */
} merge_options;

/* clang-format off */
static const gs_option option_rows[] = {
    {"output", GS_OPTION_TEXT, offsetof(merge_options, output), "FILE", NULL,
     "write there, when all is read and nothing is damaged; -, the default, is standard output",
     .group = "Output", .letter = 'o'},
};
/* clang-format on */

const gs_option_table cli_merge_options = {option_rows, sizeof option_rows / sizeof option_rows[0]};

/* ---- Files ---- */

/* All shards are open at once, and there may be more than a process usually opens. */
static void allow_many_files(void) {
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

/* ---- Points ---- */

static gs_status write_points(gs_merge *merge, FILE *file, const char *output, gs_error *error) {
    gs_status status = GS_OK;
    for (bool is_done = false; status == GS_OK && !is_done && !cli_interrupted();) {
        status = gs_merge_next(merge, file, &is_done, error);
        if (status == GS_OK && ferror(file))
            status = cli_fail_to_write(output, strerror(errno), error);
    }
    return status;
}

/* What takes the place of a file is removed if an interrupt comes. */
static gs_status write_output(gs_merge *merge, const char *output, gs_error *error) {
    gs_replacement replacement;
    gs_error why;
    gs_status status = gs_replace_open(&replacement, output, &why);
    if (status != GS_OK)
        return cli_fail_to_write(output, why.message, error);
    if (replacement.temporary)
        cli_catch_interrupts();
    status = write_points(merge, replacement.file, output, error);
    bool is_whole = status == GS_OK && !cli_interrupted();
    gs_status closed = gs_replace_close(&replacement, is_whole ? GS_OK : GS_ERR_IO, &why);
    return is_whole && closed != GS_OK ? cli_fail_to_write(output, why.message, error) : status;
}

static gs_status write_standard_output(gs_merge *merge, gs_error *error) {
    gs_status status = write_points(merge, stdout, NULL, error);
    if (status == GS_OK && gs_file_finish(stdout, error) != GS_OK)
        status = cli_fail_to_write(NULL, strerror(errno), error);
    return status;
}

static int report_missing(const gs_merge_gaps *gaps) {
    if (gaps->missing == 0)
        return CLI_DONE;
    fprintf(stderr, "gradsim: %" PRIu64 " of %" PRIu64 " points %s missing: %s\n", gaps->missing,
            gaps->points, gaps->missing == 1 ? "is" : "are", gaps->ranges.text);
    return CLI_FAILED;
}

/* ---- The command ---- */

static int merge_files(char *const *paths, const char *output) {
    gs_merge *merge = NULL;
    gs_error error;
    allow_many_files();
    gs_status status = cli_check_operands("merge", "the files of shards", paths, output, &error);
    size_t count = 0;
    while (paths[count])
        count++;
    if (status == GS_OK)
        status = gs_merge_open(paths, count, &merge, &error);
    if (status == GS_OK)
        status =
            output ? write_output(merge, output, &error) : write_standard_output(merge, &error);
    int exit_status = status != GS_OK     ? cli_fail(&error)
                      : cli_interrupted() ? CLI_FAILED
                                          : report_missing(gs_merge_missing(merge));
    gs_merge_close(merge);
    return exit_status;
}

int cmd_merge(char **arguments) {
    merge_options options = {0};
    int status;
    const cli_target targets[] = {{&cli_merge_options, &options}};
    if (cli_begin("merge", arguments, targets, 1, SIZE_MAX, &status))
        status = merge_files(arguments, cli_output_path(options.output));
    gs_options_release(&cli_merge_options, &options);
    return cli_interrupted() ? cli_die_of(cli_interrupted()) : status;
}
