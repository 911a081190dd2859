/*
 * What the kinds of pictures share.
 */
#ifndef GS_REPORT_PICTURE_PARTS_H
#define GS_REPORT_PICTURE_PARTS_H

#include "report/picture.h"

typedef struct {
    const gs_variation *variation;
    const gs_gather *gather;
    size_t column;
    gs_arena *arena;
    gs_figure *figure;
} gs_painter;

/* Memory of the picture; NULL if there is none left. */
void *gs_painter_take(gs_painter *painter, size_t count, size_t size);
const char *gs_painter_keep(gs_painter *painter, const gs_line *line);

/* Whether a configuration has anything of the column, at its last step. */
bool gs_is_measured(const gs_gather *gather, size_t config, size_t column);

/* The column's name without the logarithm, or what people call it; and the same of the number that
   a configuration comes to. */
void gs_name_quantity(const gs_gather *gather, size_t column, gs_line *line);
void gs_name_value(const gs_gather *gather, size_t column, gs_line *line);

/* Whether the number that a configuration comes to is a ratio: 0 is as it should be. */
bool gs_is_ratio(const gs_gather *gather, size_t column);

bool gs_has_head(const gs_gather *gather); /* some configuration */

/* The one factor, if it is of numbers; else NULL. */
const gs_factor *gs_number_factor(const gs_variation *variation);

bool gs_are_whole(const double *numbers, size_t count);

/* ---- One for each kind: fill in the figure, false if memory is short ---- */

bool gs_paint_layers(gs_painter *painter);
bool gs_paint_steps(gs_painter *painter);
bool gs_paint_number(gs_painter *painter);
bool gs_paint_training(gs_painter *painter);
bool gs_paint_options(gs_painter *painter);

/* Memory that they take. */
size_t gs_lines_bytes(const gs_variation *variation);
size_t gs_maps_bytes(const gs_variation *variation);

/* How many cells a map of all options has, 0 if there is nothing to compare. */
size_t gs_option_cells(const gs_variation *variation);

#endif
