/*
 * Running one network, for the commands that do: as it is (run.c), or trained (run_training.c).
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

extern const gs_family cli_fail_on; /* what --fail-on takes */

typedef struct run run;

/* Where records go. */
typedef struct {
    bool tells; /* people, on standard error, why training ended early */
    gs_status (*open)(run *r, size_t rows, gs_error *error); /* before the first, of so many rows */
    gs_status (*write)(run *r, const gs_record *record, gs_error *error);
} run_sink;

struct run {
    cli_job job; /* the seed of its configuration is that of the network at hand */
    run_options options;
    const run_sink *sink;
    gs_report *report;             /* of the sink */
    uint64_t point, points, index; /* what a record says of its place */
    const char *sweep;             /* likewise; NULL outside sweeps */
    uint64_t columns;              /* that are shown */
    gs_layer_theory *theory;       /* NULL until it is predicted */
    bool has_logged;               /* the log that is continued has these steps already */
    uint64_t logged;
    int interrupted; /* the signal that ended it, 0 if none */

    bool condition; /* that of --fail-on held for some network */
    gs_summary summary;
    gs_training_stats training; /* of the last network, at its last step */
};

/* Build a network, run it, and free it: a record for every step that is due goes to the sink. */
gs_status run_network(run *r, gs_error *error);

/* Make the prediction that its rows show, unless it is there. Errors: as gs_predict. */
gs_status run_predict(run *r, gs_error *error);

/* What a record says of where it stands. */
gs_record run_record(const run *r, uint64_t step, size_t rows, const gs_layer_stats *stats,
                     const gs_summary *summary, const gs_training_stats *training);

/* ---- Shared by its two halves ---- */

gs_status run_training(run *r, gs_network *network, gs_error *error);

/* The last step up to this that --log-every asks for. */
uint64_t run_last_due(const cli_job *job, uint64_t step);

/* Fill in theory_grad_log10 if it is shown. */
gs_status run_add_theory(run *r, size_t rows, gs_layer_stats *stats, gs_error *error);

/* Hold interrupts while the file of --save is written, unless it is a pipe or the like. */
void run_hold_for_save(const run *r);

/* A network has come to its end. */
void run_judge(run *r, const gs_summary *summary, const gs_training_stats *training);

#endif
