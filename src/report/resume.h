/*
 * Going on with a log that is there already, as when a run of training is continued.
 */
#ifndef GS_REPORT_RESUME_H
#define GS_REPORT_RESUME_H

#include "report/report.h"

/* What a log is the log of. */
typedef struct {
    size_t run;
    uint64_t seed;
    size_t rows; /* of a record */
} gs_log_subject;

typedef struct {
    bool is_empty;   /* of everything: the header, if there is to be one, is yet to be written */
    bool has_record; /* the last is that of `step` */
    uint64_t step;
} gs_log_end;

/* Cut what follows step `last` from a log, and leave the position of `file`, which is open for
   reading and writing, at its end. With a header, CSV and TSV must begin with that which this
   version writes. A record is `rows` lines, of layers 1, 2, ..., and steps ascend. The cut is before
   the first line of a later step, or at the end of the file, and takes with it a record that is not
   whole; what stands before it is checked, as far as indices and the number of cells go, and what
   follows is not. Needs no more memory for longer files.
   Errors: GS_ERR_FORMAT with the number of the line, but not the path, and nothing is cut; GS_ERR_IO
   likewise; GS_ERR_MEMORY. */
gs_status gs_log_continue(FILE *file, gs_report_style style, gs_log_subject subject, uint64_t last,
                          gs_log_end *end, gs_error *error);

#endif
