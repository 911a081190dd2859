/*
 * The texts of help topics: rows of a term and what is to be said of it, NULL past the last.
 */
#ifndef GS_CLI_TOPICS_H
#define GS_CLI_TOPICS_H

#include "gradsim.h"

typedef struct {
    const char *term, *text;
} help_row;

extern const help_row help_notes[]; /* on an option, by its name: what one line does not hold */
extern const help_row help_exit_statuses[], help_environment[];
extern const help_row help_verdict[], help_sweep[], help_plot[], help_report[], help_compare[],
    help_training[], help_theory[], help_isometry[];

/* ---- Columns of the log ---- */

extern const help_row help_indices[], help_steps[], help_act_dense_gains[], help_cells[];
extern const char *const help_columns[GS_COLUMN_COUNT];

#endif
