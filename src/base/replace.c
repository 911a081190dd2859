/* Files that are whole or not there. */
#define _XOPEN_SOURCE 700 /* realpath, in glibc */

#include "base/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"

static gs_status fail(gs_error *error) {
    return gs_fail(error, GS_ERR_IO, "%s", strerror(errno));
}

/* For gs_free; NULL if there is no memory. */
static char *resolve(const char *path, gs_error *error) {
    char *target = realpath(path, NULL); /* NULL if there is none yet */
    const char *found = target ? target : path;
    size_t size = strlen(found) + 1;
    char *copy = gs_alloc(size, 1, error);
    if (copy)
        memcpy(copy, found, size);
    free(target);
    return copy;
}

/* A new file in the folder of `path`; its mode follows the umask, which mkstemp's does not. */
static gs_status open_temporary(gs_replacement *replacement, gs_error *error) {
    const char *path = replacement->path, *slash = strrchr(path, '/');
    int folder = slash ? (int)(slash + 1 - path) : 0, descriptor = -1;
    size_t room = (size_t)folder + sizeof ".gradsim-18446744073709551615-99.tmp";
    char *name = gs_alloc(room, 1, error);
    if (!name)
        return GS_ERR_MEMORY;
    errno = EEXIST;
    for (int attempt = 0; attempt < 100 && descriptor < 0 && errno == EEXIST; attempt++) {
        gs_format(name, room, "%.*s.gradsim-%ld-%d.tmp", folder, path, (long)getpid(), attempt);
        descriptor = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    }
    replacement->file = descriptor < 0 ? NULL : fdopen(descriptor, "wb");
    replacement->temporary = name;
    if (replacement->file)
        return GS_OK;
    fail(error);
    if (descriptor >= 0) {
        close(descriptor);
        unlink(name);
    }
    return GS_ERR_IO;
}

/* A new file is put in its place; what is none such is written to as it is. */
static bool is_replaced(const char *path) {
    struct stat info;
    return lstat(path, &info) != 0 || (S_ISREG(info.st_mode) && access(path, W_OK) == 0);
}

static void release(gs_replacement *replacement) {
    gs_free(replacement->path);
    gs_free(replacement->temporary);
    *replacement = (gs_replacement){0};
}

gs_status gs_replace_open(gs_replacement *replacement, const char *path, gs_error *error) {
    *replacement = (gs_replacement){.path = resolve(path, error)};
    gs_status status = replacement->path ? GS_OK : GS_ERR_MEMORY;
    if (status == GS_OK && is_replaced(replacement->path)) {
        status = open_temporary(replacement, error);
    } else if (status == GS_OK) {
        replacement->file = fopen(replacement->path, "wb");
        status = replacement->file ? GS_OK : fail(error);
    }
    if (status != GS_OK)
        release(replacement);
    return status;
}

gs_status gs_replace_close(gs_replacement *replacement, gs_status status, gs_error *error) {
    const char *temporary = replacement->temporary;
    fflush(replacement->file);
    if (ferror(replacement->file) && status == GS_OK)
        status = fail(error);
    if (fclose(replacement->file) != 0 && status == GS_OK)
        status = fail(error);
    if (temporary && status == GS_OK && rename(temporary, replacement->path) != 0)
        status = fail(error);
    if (temporary && status != GS_OK)
        unlink(temporary);
    release(replacement);
    return status;
}

/* A pipe is not opened, for its reader would see it end; nor is a link to what is yet to be made. */
static gs_status try_as_it_is(const char *path, gs_error *error) {
    struct stat info;
    if (stat(path, &info) != 0 || (!S_ISDIR(info.st_mode) && access(path, W_OK) == 0))
        return GS_OK;
    if (S_ISDIR(info.st_mode))
        errno = EISDIR;
    return fail(error);
}

static gs_status try_beside(gs_replacement *replacement, gs_error *error) {
    gs_status status = open_temporary(replacement, error);
    if (status == GS_OK) {
        fclose(replacement->file);
        unlink(replacement->temporary);
    }
    return status;
}

gs_status gs_replace_try(const char *path, gs_error *error) {
    struct stat info;
    gs_replacement replacement = {.path = resolve(path, error)};
    gs_status status = GS_ERR_MEMORY;
    if (replacement.path && lstat(replacement.path, &info) != 0 && errno != ENOENT)
        status = fail(error);
    else if (replacement.path)
        status = is_replaced(replacement.path) ? try_beside(&replacement, error)
                                               : try_as_it_is(replacement.path, error);
    release(&replacement);
    return status;
}
