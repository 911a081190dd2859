/*
 * Files on the command line: do two names lead to the same one? And files that are written at once.
 */
#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/replace.h"
#include "cli/cli.h"
#include "cli/interrupts.h"
#include "report/sheet.h"

/* ---- The same file ---- */

static bool same_inode(const struct stat *a, const struct stat *b) {
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static const char *name_in_folder(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool stat_folder(const char *path, struct stat *info) {
    char *copy = strdup(path);
    bool there = copy && stat(dirname(copy), info) == 0;
    free(copy);
    return there;
}

bool cli_same_file(const char *a, const char *b) {
    struct stat info_a, info_b;
    if (!a || !b)
        return false;
    bool there_a = stat(a, &info_a) == 0, there_b = stat(b, &info_b) == 0;
    if (there_a || there_b)
        return there_a && there_b && S_ISREG(info_a.st_mode) && same_inode(&info_a, &info_b);
    return strcmp(name_in_folder(a), name_in_folder(b)) == 0 && stat_folder(a, &info_a) &&
           stat_folder(b, &info_b) && same_inode(&info_a, &info_b);
}

gs_status cli_refuse_same_file(const char *option, const char *path, const char *other,
                               gs_error *error) {
    return gs_fail(error, GS_ERR_USAGE, "--%s: expected another file than that of --%s, got '%s'",
                   option, other, path);
}

gs_status cli_check_operands(const char *command, const char *wanted, char *const *paths,
                             const char *output, gs_error *error) {
    if (!paths[0])
        return gs_fail(error, GS_ERR_USAGE, "%s: expected %s after it", command, wanted);
    for (; *paths; paths++)
        if (cli_same_file(output ? output : "/dev/stdout", *paths))
            return gs_fail(error, GS_ERR_USAGE,
                           "--output: expected another file than those to %s, got '%s'", command,
                           *paths);
    return GS_OK;
}

/* ---- Writing ---- */

const char *cli_output_path(const char *output) {
    return output && strcmp(output, "-") != 0 ? output : NULL;
}

gs_status cli_fail_to_write(const char *path, const char *reason, gs_error *error) {
    if (path)
        return gs_fail(error, GS_ERR_IO, "cannot write '%s': %s", path, reason);
    return gs_fail(error, GS_ERR_IO, "cannot write standard output: %s", reason);
}

static gs_status write_standard_output(cli_writer *write, const void *context, gs_error *error) {
    gs_status status = write(context, stdout, error);
    if (status == GS_OK && gs_file_finish(stdout, error) != GS_OK)
        status = cli_fail_to_write(NULL, strerror(errno), error);
    return status;
}

gs_status cli_write_file(const char *path, cli_writer *write, const void *context,
                         gs_error *error) {
    gs_replacement replacement;
    gs_error why;
    if (!path)
        return write_standard_output(write, context, error);
    gs_status status = gs_replace_open(&replacement, path, &why);
    if (status != GS_OK)
        return cli_fail_to_write(path, why.message, error);
    cli_hold_interrupts(replacement.temporary);
    status = write(context, replacement.file, error);
    gs_status closed = gs_replace_close(&replacement, status, &why);
    cli_hold_interrupts(false);
    return status == GS_OK && closed != GS_OK ? cli_fail_to_write(path, why.message, error)
                                              : status;
}
