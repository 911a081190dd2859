/*
 * gradsim sweep, shared by its parts: the command (cmd_sweep.c), the networks that it runs (sweep.c)
 * and what they share (sweep_share.c), going on with a file that is there (sweep_resume.c), what
 * people see of it (sweep_table.c), and its points alone (sweep_list.c).
 */
#ifndef GS_CLI_SWEEP_H
#define GS_CLI_SWEEP_H

#include <pthread.h>

#include "cli/grid.h"
#include "cli/progress.h"
#include "cli/run.h"
#include "report/outcome.h"

typedef struct {
    char *zip, *where, *shard;
    size_t jobs; /* 0: as many as there are processors */
    bool summary, dry_run, resume;
    gs_choice fail_on, progress;
} sweep_options;

/* Data that several networks share. */
typedef struct {
    char *key; /* what it was made from; NULL: nothing is here */
    gs_data data, held_out;
    size_t users;
} sweep_data;

/* The prediction for a point, which is that of all its networks. */
typedef struct {
    pthread_mutex_t mutex;
    uint64_t point; /* 0: none */
    gs_layer_theory *rows;
} sweep_theory;

typedef struct sweep_table sweep_table;

typedef struct {
    cli_job job; /* of the results alone */
    sweep_options options;
    cli_lists lists;
    cli_grid *grid;
    gs_report_style style;

    /* The points of this process: first, first + stride, ...; `count` of them, of which `behind`
       are in the file already. */
    uint64_t first, stride, count, behind;
    size_t seeds; /* networks of each */

    /* Shares of the machine. */
    size_t processors, jobs;
    size_t threads;   /* of each network as --threads has it; 0: as there are processors left */
    size_t memory;    /* for all networks that are under way */
    uint64_t planned; /* the point that `needs_all` is about */
    bool needs_all;
    pthread_mutex_t data_mutex;
    sweep_data *data;     /* [jobs + 1] */
    size_t next_data;     /* to be given up for other */
    sweep_theory *theory; /* [jobs + 1] */
    gs_weight_cache *weights;

    /* Results, in order. */
    gs_sheet *sheet;    /* of a summary */
    sweep_table *table; /* for people */
    char *rows;         /* of the point at hand, until it is whole */
    size_t rows_length;
    gs_outcome outcome;
    gs_error why;                    /* the first of its networks failed */
    uint64_t failed, contradictions; /* networks; those of them whose options contradict */
    gs_error failure;                /* the first of all, at point `failed_point` */
    uint64_t failed_point;
    bool condition; /* that of --fail-on held for some network */
    int interrupted;
    cli_progress progress;
    gs_status status; /* of what ended it all */
    gs_error *error;
} sweep;

/* Run every network that is not behind. Errors: those of writing, and GS_ERR_MEMORY if there is
   none for the sweep itself; what befalls a single network is among the results. */
gs_status sweep_run(sweep *s, gs_error *error);

uint64_t sweep_point(const sweep *s, uint64_t place); /* the number of the place-th point, from 0 */

/* ---- sweep_share.c ---- */

/* The job of a point, resolved and with its data, until sweep_end_job; its configuration is there
   after an error too, unless that is one of memory. Needs sweep_share. */
gs_status sweep_begin_job(sweep *s, uint64_t point, cli_job *job, sweep_data **borrowed,
                          gs_error *error);
void sweep_end_job(sweep *s, cli_job *job, sweep_data *borrowed);

/* What its networks share: call it once before them, and free it after. Errors: GS_ERR_MEMORY. */
gs_status sweep_share(sweep *s, gs_error *error);
void sweep_free_shares(sweep *s);

/* ---- sweep_resume.c ---- */

/* Open the file of the results, find how many points are behind, and cut off what is not whole.
   Errors: GS_ERR_FORMAT if it is not of this sweep, which leaves it as it is; GS_ERR_IO. */
gs_status sweep_resume(sweep *s, gs_error *error);

/* ---- sweep_table.c ---- */

/* For people: a matrix where two options vary and it fits, else a line a point, written as points
   come. */
sweep_table *sweep_table_new(const sweep *s, gs_error *error);
void sweep_table_free(sweep_table *table);
void sweep_table_add(sweep_table *table, const gs_point *point);
void sweep_table_finish(sweep_table *table);

/* ---- sweep_list.c ---- */

/* List the points and what they cost, in place of running them. Errors: as sweep_run. */
gs_status sweep_list(sweep *s, gs_error *error);

#endif
