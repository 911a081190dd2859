/*
 * Reading logs: what a command gathers from the files that it is given, and what --where leaves of
 * it.
 */
#ifndef GS_CLI_READING_H
#define GS_CLI_READING_H

#include "cli/where.h"
#include "report/gather.h"

typedef struct {
    gs_gather *gather;
    gs_config *config; /* for --where */
    cli_where where;
} cli_reading; /* {0} is empty */

/* Refuse to do without a file, or to write to one that is read. `command` is for messages. */
gs_status cli_reading_check(const char *command, char *const *paths, const char *output,
                            gs_error *error);

/* Read the files; "-" is standard input. `column` as in gs_gather_new; `where` and `ask`, which is
   called before the first file, may be NULL. */
gs_status cli_reading_begin(cli_reading *reading, char *const *paths, const char *column,
                            const char *where, void (*ask)(gs_gather *), gs_error *error);
void cli_reading_end(cli_reading *reading);

#endif
