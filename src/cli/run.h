/*
 * gradsim run, shared by its two halves: networks as they are (cmd_run.c), and training
 * (run_training.c).
 */
#ifndef GS_CLI_RUN_H
#define GS_CLI_RUN_H

#include "cli/job.h"
#include "report/report.h"

typedef struct {
    gs_choice fail_on; /* index is gs_verdict; GS_HEALTHY: never */
    char *save, *load;
    size_t save_every; /* steps; 0: as time allows */
    gs_choice progress;
} run_options;

typedef struct {
    cli_job job; /* the seed of its configuration is that of the network at hand */
    run_options options;
    gs_report *report;
    uint64_t columns;        /* that are shown */
    gs_layer_theory *theory; /* NULL until it is predicted */
    bool has_logged;         /* the log that is continued has these steps already */
    uint64_t logged;
    bool condition;  /* that of --fail-on held for some network */
    int interrupted; /* the signal that ended it, 0 if none */
} run;

/* The last step up to this that --log-every asks for. */
uint64_t run_last_due(const run *r, uint64_t step);

/* Open the file of the results, unless it is open. Errors: as cli_job_open(); GS_ERR_FORMAT if a
   log is to be continued and is none, or ends before the checkpoint. */
gs_status run_open(run *r, size_t rows, gs_error *error);

/* Write a record; an interrupt waits until it is whole. */
gs_status run_write(run *r, const gs_record *record, gs_error *error);

/* Fill in theory_grad_log10 if it is shown. */
gs_status run_add_theory(run *r, size_t rows, gs_layer_stats *stats, gs_error *error);

/* Hold interrupts while the file of --save is written, unless it is a pipe or the like. */
void run_hold_for_save(const run *r);

/* The verdict that --fail-on looks at. */
void run_judge(run *r, const gs_summary *summary);

/* Train a network, and report it on the way. */
gs_status run_training(run *r, size_t index, gs_network *network, gs_error *error);

#endif
