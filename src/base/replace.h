/*
 * Files that are whole or not there: a new one is written beside the old, and takes its place when
 * it is done.
 */
#ifndef GS_BASE_REPLACE_H
#define GS_BASE_REPLACE_H

#include <stdio.h>

#include "gradsim.h"

typedef struct {
    FILE *file;      /* to write to */
    char *path;      /* where links lead to */
    char *temporary; /* NULL: what is no regular file, as a pipe, is written to as it is */
} gs_replacement;

/* Begin a file for `path`. Errors, without the path in their message: GS_ERR_IO, GS_ERR_MEMORY. */
gs_status gs_replace_open(gs_replacement *replacement, const char *path, gs_error *error);

/* Close the file. If `status` is GS_OK and all of it is written it takes its place, else it is
   removed and what was there stays. Returns `status`, whose `error` is left alone, or GS_ERR_IO. */
gs_status gs_replace_close(gs_replacement *replacement, gs_status status, gs_error *error);

/* Find out early whether that could be written, as far as can be told: a file beside it is made and
   removed, and what is there is not touched. Errors: as gs_replace_open. */
gs_status gs_replace_try(const char *path, gs_error *error);

#endif
