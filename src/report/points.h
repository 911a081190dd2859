/*
 * The sheet of a sweep, point by point: a log (row.h), where a point is as many rows as its networks
 * have layers and steps, or a summary, where it is one row. Points ascend, and each must be whole:
 * layer after layer, step after step and run after run, up to the last layer of its last network.
 */
#ifndef GS_REPORT_POINTS_H
#define GS_REPORT_POINTS_H

#include "report/sheet_read.h"

typedef struct {
    FILE *file; /* NULL once it is closed */
    const char *path;
    gs_sheet_reader *sheet;    /* NULL of an empty file */
    const gs_sheet_line *line; /* the first row of the next point, NULL past the last */
    uint64_t point, points;    /* the next one, and of how many */
    uint64_t run;              /* of its first row; 0 in a summary */
    bool is_summary;
    struct {
        size_t point, points, run, step, layer, error, layers, head;
        size_t sweep; /* SIZE_MAX: there is none */
    } column;
    char sweep[32]; /* the name of its grid */
} gs_point_reader;

/* Open a file, which `path` names as long as it is open, and find its first point. A shard that has
   none may be an empty file. Errors, with file and line: GS_ERR_FORMAT, GS_ERR_IO,
   GS_ERR_MEMORY. */
gs_status gs_points_open(gs_point_reader *reader, const char *path, gs_error *error);
void gs_points_close(gs_point_reader *reader); /* {0} does nothing */

/* Write a line of a sheet as it is, but for \r\n: the rows of one shard may have been through the
   hands of others. */
void gs_points_write_line(FILE *out, const char *bytes, size_t length);

/* Copy the rows of the next point like that to `out`, if it is not NULL, and find the one after it.
   `*networks` is how many networks a point has: 0 if that is not known yet, and then it is found.
   What cannot be written shows in ferror(). Errors: as above. */
gs_status gs_points_copy(gs_point_reader *reader, FILE *out, uint64_t *networks, gs_error *error);

#endif
