/*
 * What the parts of gathering share: a file while it is read.
 */
#ifndef GS_REPORT_GATHER_PARTS_H
#define GS_REPORT_GATHER_PARTS_H

#include "report/gather.h"
#include "report/sheet_read.h"

enum { GS_NO_COLUMN = -1 }; /* a column that is not there */

/* Where a row stands. */
typedef struct {
    size_t config;
    uint64_t run, seed, point, step, layer, line;
    bool is_head;
} gs_row_place;

/* A network, while its rows come. */
typedef struct {
    bool is_open;
    gs_row_place row;   /* the last */
    double first, last; /* what is wanted, at the first and the last dense layer of its last step */
    bool has_ends;      /* both are there */
} gs_one_network;

typedef struct {
    gs_gather *gather;
    gs_sheet_reader *sheet;
    const gs_sheet_line *line;
    struct {
        ptrdiff_t run, seed, point, step, layer, kind, error, networks, failed, verdict;
        ptrdiff_t verdicts[GS_VERDICTS]; /* how many networks have each */
    } index;
    ptrdiff_t column[GS_GATHER_COLUMNS];
    size_t *options;        /* [option_count] their columns */
    char *text;             /* the options of the row before, and room for more */
    size_t length, room;    /* of that */
    bool has_row, is_kept;  /* there was a row before, and its configuration is kept */
    size_t config;          /* of the row before */
    gs_one_network network; /* of the row before */
    struct {
        uint64_t line, layer, depth, next; /* line 0: none; next 0: the end of the file */
    } cut;                                 /* where the first network ended too soon */
    gs_error *error;
} gs_file_reader;

/* Find what is needed among the columns of a file. Errors: GS_ERR_FORMAT, GS_ERR_USAGE. */
gs_status gs_gather_columns(gs_file_reader *r, const char *name);

/* ---- gather_network.c ---- */

/* The next row of a network, or the first of another. Errors: GS_ERR_FORMAT. */
gs_status gs_gather_follow(gs_file_reader *r, const gs_row_place *row);

/* The rows of a network are over, and another begins at `line` with the layer `next`; 0 at the end
   of the file. */
void gs_gather_end_network(gs_file_reader *r, uint64_t line, uint64_t next);

/* Refuse a network that was cut short, if rows came in order. Errors: GS_ERR_FORMAT. */
gs_status gs_gather_check_whole(gs_file_reader *r, const char *name, bool was_mixed);

#endif
