/*
 * Remedies: what is known to mend a gradient, as changes of a configuration.
 */
#ifndef GS_CLI_REMEDIES_H
#define GS_CLI_REMEDIES_H

#include <stdio.h>

#include "net/config.h"
#include "train/data.h"

typedef struct {
    const char *name, *source; /* paper or program; NULL: none */
    bool mix;                  /* more than one remedy at a time */
    gs_config *config;         /* resolved */
    char **options;            /* the text of each, as it was before that */
    size_t changes;            /* options that differ from those of the given network */
} cli_remedy;

typedef struct {
    cli_remedy *rows; /* the first is the given network, with no changes */
    size_t count;
    char **usual; /* the text of each option by default */
} cli_remedies;

/* Every remedy that changes the network of `given` (as on a command line, not resolved) and does
   not contradict it. Two that lead to the same network, but for the draws, are one. `given`
   itself must not contradict itself or `data`. Errors: GS_ERR_USAGE, GS_ERR_MEMORY; free it all
   the same. */
gs_status cli_remedies_new(const gs_config *given, const gs_data *data, cli_remedies *remedies,
                           gs_error *error);
void cli_remedies_free(cli_remedies *remedies);

/* Write the command that runs it, every word quoted for a shell that needs it. With an indent, for
   people: broken before column 80, where the line before started after `indent` columns, and with ?
   for what a terminal would obey. */
void cli_remedy_write_command(FILE *out, const cli_remedies *remedies, const cli_remedy *remedy,
                              size_t indent);

#endif
