/*
 * Reading logs: what a command gathers from the files that it is given, and what --where leaves of
 * it.
 */
#ifndef GS_CLI_READING_H
#define GS_CLI_READING_H

#include "cli/where.h"
#include "report/gather.h"

/* What is shown of them, as cli_view_options has it. */
typedef struct {
    char *column, *where, *title; /* NULL: not given */
} cli_view;

typedef struct {
    gs_gather *gather;
    gs_config *config; /* for --where */
    cli_where where;
} cli_reading; /* {0} is empty */

/* Read the files; "-" is standard input. `ask`, which is called before the first file, may be
   NULL. */
gs_status cli_reading_begin(cli_reading *reading, char *const *paths, const cli_view *view,
                            void (*ask)(gs_gather *), gs_error *error);
void cli_reading_end(cli_reading *reading);

#endif
