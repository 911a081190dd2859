/*
 * Files that options name: do two of them name the same one?
 */
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "cli/cli.h"

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
