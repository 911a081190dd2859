/*
 * The values of an option of a sweep: "16,32,64", "10..100:10", "1e-4..1e-1*10", "norm:1..9", or
 * several of these joined by commas.
 */
#ifndef GS_CLI_LIST_H
#define GS_CLI_LIST_H

#include "net/option.h"

enum { CLI_LIST_MOST = 1000000 };

typedef struct {
    size_t count;
    size_t *start; /* [count] of each canonical text in `bytes` */
    char *bytes;
} cli_list;

/* Read the list `text`. Where the option is neither a text nor a flag, an item with ".." is a range
   [NAME:]FROM..TO[:STEP] or [NAME:]FROM..TO*FACTOR, whose numbers have 15 digits. "\," is a comma
   within an item. `scratch` is a struct that the option describes; its field changes. Errors:
   GS_ERR_USAGE for what is no list, a value that the option refuses, that comes twice unless it
   `may_repeat`, or is one of too many. */
gs_status cli_list_read(cli_list *list, const gs_option *option, void *scratch, const char *text,
                        bool may_repeat, gs_error *error);

/* Errors: GS_ERR_USAGE if a value comes twice; GS_ERR_MEMORY. */
gs_status cli_list_refuse_repeats(const cli_list *list, const gs_option *option, gs_error *error);

/* The list whose one value is what `base` has; "" is a text that is not there. */
gs_status cli_list_of_one(cli_list *list, const gs_option *option, const void *base,
                          gs_error *error);

void cli_list_free(cli_list *list);

const char *cli_list_at(const cli_list *list, size_t index);

#endif
