/*
 * The points that a sweep leaves out: --where 'layers>=64 || act==relu && !(norm==none)'.
 *
 * A condition is about one option, so what it says of each value of that option is found once. The
 * expression itself is a chain: each condition names the one that is asked next if it holds, and
 * if it does not, until a point is kept or left out.
 */
#ifndef GS_CLI_WHERE_H
#define GS_CLI_WHERE_H

#include "net/config.h"

#define CLI_WHERE_KEEP SIZE_MAX
#define CLI_WHERE_LEAVE (SIZE_MAX - 1)

/* A value that has an order: among numbers of the same name, as norm:1 and norm:5. */
typedef struct {
    bool exists;
    size_t row; /* of the family, 0 if there is none */
    double real;
    uint64_t whole; /* all digits of a seed */
} cli_number;

typedef struct {
    const gs_option *option; /* of gs_config_options */
    size_t operation;
    char *text; /* canonical; NULL: `row` with any parameter */
    size_t row; /* of the option's family */
    cli_number number;
    size_t next[2]; /* the condition to ask if this one does not hold, and if it does */
} cli_condition;

typedef struct {
    cli_condition *conditions; /* [count], owned; the first is asked first */
    size_t count;
} cli_where;

/* Read the expression `text`. `scratch` changes. Errors: GS_ERR_USAGE with the place of what is
   wrong, an option that there is not, or a value that it refuses. */
gs_status cli_where_read(cli_where *where, gs_config *scratch, const char *text, gs_error *error);
void cli_where_free(cli_where *where);

/* Whether a condition holds for the value of its option in `config`, whose canonical text is
   `text`. */
bool cli_condition_holds(const cli_condition *condition, const gs_config *config, const char *text);

#endif
