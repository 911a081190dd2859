/*
 * Merging: the sheets of shards, each of which has some points of one sweep, become the sheet of the
 * sweep, in the order of points and byte for byte; \r\n at the end of a line becomes \n.
 */
#ifndef GS_REPORT_MERGE_H
#define GS_REPORT_MERGE_H

#include <stdio.h>

#include "base/text.h"
#include "gradsim.h"

typedef struct gs_merge gs_merge;

/* Open the files, which must have the same form, columns and number of points; the paths must last.
   Memory is that of the longest row of each. Errors, with file and line: GS_ERR_FORMAT, GS_ERR_IO,
   GS_ERR_MEMORY. */
gs_status gs_merge_open(char *const *paths, size_t count, gs_merge **merge, gs_error *error);
void gs_merge_close(gs_merge *merge); /* NULL does nothing */

/* Write the next point to `out`, before the first the header; *is_done if there is none. What cannot
   be written shows in ferror(). Errors: as above, also for a point that is in two files. */
gs_status gs_merge_next(gs_merge *merge, FILE *out, bool *is_done, gs_error *error);

typedef struct {
    uint64_t points, missing; /* that the sweep has, and that are in no file */
    gs_line ranges;           /* which: "7, 12-13", with "..." for what is too many */
} gs_merge_gaps;

/* When it is done. */
const gs_merge_gaps *gs_merge_missing(const gs_merge *merge);

#endif
