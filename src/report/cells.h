/*
 * What the rows of a log are added up in: for each configuration, step and layer the numbers of some
 * columns over all networks. There are never more than so many: if steps are too many, neighbours
 * become one.
 */
#ifndef GS_REPORT_CELLS_H
#define GS_REPORT_CELLS_H

#include <stddef.h>
#include <stdint.h>

#include "gradsim.h"

enum { GS_CELLS_STEPS = 1024, GS_CELLS_VALUES = 1 << 21 };

/* What is not finite: -inf, inf and nan, of which the last is the worst. */
enum { GS_OTHERS_LOW, GS_OTHERS_HIGH, GS_OTHERS_NAN, GS_OTHERS };

/* A column over networks. */
typedef struct {
    double count, mean; /* of what is finite, by weight */
    double low, high;   /* of that */
    double others[GS_OTHERS];
} gs_values;

void gs_values_add(gs_values *values, double value);

/* How many are not finite; NULL is nothing. */
double gs_values_others(const gs_values *values);

/* The mean of what is finite; without any, what most of the others are, of equals the worse; nan if
   nothing is there. NULL is nothing. */
double gs_values_mean(const gs_values *values);

/* The same where more are finite than not; else what most of the others are. */
double gs_values_most(const gs_values *values);

typedef struct gs_cells gs_cells;

/* Of all steps, or of the newest that each configuration and layer has. Errors: GS_ERR_MEMORY. */
gs_cells *gs_cells_new(size_t columns, bool is_newest, gs_error *error);
void gs_cells_free(gs_cells *cells); /* NULL does nothing */

typedef struct {
    uint64_t config, step, layer;
} gs_cell_place;

/* Add a value of a column, which may be anything, of so many networks. Errors: GS_ERR_MEMORY;
   GS_ERR_UNSUPPORTED: there are GS_CELLS_VALUES. */
gs_status gs_cells_add(gs_cells *cells, gs_cell_place place, size_t column, double value,
                       double weight, gs_error *error);

/* How many steps in a row became one. */
uint64_t gs_cells_width(const gs_cells *cells);

/* The steps that there are, ascending; where several became one, the first of them. */
const uint64_t *gs_cells_steps(const gs_cells *cells, size_t *count);

/* NULL if there is nothing. The step may be one of several that became one, and of the newest alone
   it must be that. */
const gs_values *gs_cells_at(const gs_cells *cells, gs_cell_place place, size_t column);

#endif
