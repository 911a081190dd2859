/*
 * Going on with a log that is there already, as when a run of training is continued.
 */
#ifndef GS_REPORT_RESUME_H
#define GS_REPORT_RESUME_H

#include <sys/types.h>

#include "report/report.h"

/* What a log is the log of. */
typedef struct {
    size_t run;
    uint64_t seed;
    size_t rows; /* of a record */
} gs_log_subject;

typedef struct {
    off_t length;    /* in bytes; 0: the header, if there is to be one, is yet to be written */
    bool has_record; /* the last is that of `step` */
    uint64_t step;
} gs_log_end;

/* Find where a log ends that goes on after step `last`: before the first line of a later step or of
   a record that is not whole, or at the end of the file. With a header, CSV and TSV must begin with
   that which this version writes. A record is `rows` lines, of layers 1, 2, ..., and steps ascend.
   What stands before the end is checked, as far as indices and the number of cells go, and what
   follows is not. Needs no more memory for longer files, and changes nothing.
   Errors: GS_ERR_FORMAT with the number of the line, but not the path; GS_ERR_IO; GS_ERR_MEMORY. */
gs_status gs_log_find_end(FILE *file, gs_report_style style, gs_log_subject subject, uint64_t last,
                          gs_log_end *end, gs_error *error);

/* Cut what follows that end, and leave the position of `file`, which is open for reading and
   writing, there. Errors: GS_ERR_IO. */
gs_status gs_log_cut(FILE *file, gs_log_end end, gs_error *error);

#endif
