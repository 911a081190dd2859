/*
 * The grid of a sweep: lists of values -> axes -> the points that --where leaves, numbered from 1.
 *
 * Options are ordered as in gs_config_options: the first varies slowest, the last fastest. Options
 * that walk together (--zip) are one axis, at the place of the first of them.
 */
#ifndef GS_CLI_GRID_H
#define GS_CLI_GRID_H

#include "cli/cli.h"
#include "net/config.h"

enum { CLI_GRID_MOST = 10000000 }; /* points, before --where */

/* ---- Lists as they come on the command line ---- */

/* Every row of gs_config_options as a text, for cli_parse; texts[i] is NULL where option i is not
   given. A flag may stand alone, and is then "on". */
typedef struct {
    gs_option *rows;
    char **texts;
    gs_option_table table;
} cli_lists;

gs_status cli_lists_new(cli_lists *lists, gs_error *error);
void cli_lists_free(cli_lists *lists);

/* The table and what it describes. */
cli_target cli_lists_target(cli_lists *lists);

/* ---- The grid ---- */

typedef struct cli_grid cli_grid;

/* `zips` is "act,init;layers,width" for the options that walk together, in groups; `where` says
   which points stay; NULL for none. Errors: GS_ERR_USAGE for a bad list, too many points or none,
   and what else the arguments ask for in vain; GS_ERR_MEMORY. */
cli_grid *cli_grid_new(const cli_lists *lists, const char *zips, const char *where,
                       gs_error *error);
void cli_grid_free(cli_grid *grid);

/* Points that are left; they are numbered from 1. Whatever is asked of a grid from here on may be
   asked by several threads at once, for points in any order. */
uint64_t cli_grid_points(const cli_grid *grid);

/* 16 digits that another grid has not: of its options, --zip and --where. */
const char *cli_grid_name(const cli_grid *grid);

/* The options with several values, in order. Returns how many there are. Those of one axis walk
   together. */
enum { CLI_GRID_MOST_VARIED = 64 }; /* of fewer options in all */
size_t cli_grid_varied(const cli_grid *grid, const gs_option *options[CLI_GRID_MOST_VARIED]);
bool cli_grid_same_axis(const cli_grid *grid, const gs_option *a, const gs_option *b);

/* The values of an option, as canonical texts (the default, if it is not given; "" for a text that
   is not there), and the place among them of the one that a point has. */
size_t cli_grid_values(const cli_grid *grid, const gs_option *option);
const char *cli_grid_value(const cli_grid *grid, const gs_option *option, size_t place);
size_t cli_grid_place(const cli_grid *grid, const gs_option *option, uint64_t point);

/* The configuration of a point, not resolved; the caller frees it. Errors: GS_ERR_MEMORY. */
gs_config *cli_grid_config(const cli_grid *grid, uint64_t point, gs_error *error);

#endif
