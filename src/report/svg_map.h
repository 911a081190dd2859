/*
 * The parts of a map in SVG: its two sides with their heads, and the bar of its colours. Only
 * svg_map*.c use it.
 */
#ifndef GS_REPORT_SVG_MAP_H
#define GS_REPORT_SVG_MAP_H

#include "report/svg_pen.h"

/* ---- svg_map_side.c ---- */

enum { GS_MAP_LEVELS = 8 }; /* of heads that are drawn; those further out are left out */

/* A side in cells, each of which stands for one or more of its columns or rows. */
typedef struct {
    const gs_side *side;
    size_t cells;
    double cell;                /* width or height */
    double length;              /* of all cells and the gaps between groups */
    double *starts;             /* [cells], from the beginning of the side */
    bool upward;                /* the first is at the end */
    size_t levels, first, step; /* heads drawn, and which of the innermost */
    double room[GS_MAP_LEVELS]; /* widths of the texts of each level, outermost first */
    bool slanted;               /* texts of columns */
} gs_map_side;

/* Cells for `room` pixels, none larger than `largest`. Errors: GS_ERR_MEMORY. */
gs_status gs_map_side_fit(gs_map_side *side, const gs_side *of, bool upward, double room,
                          double largest, gs_error *error);
void gs_map_side_free(gs_map_side *side);

/* Which columns and rows get a text, and whether those of columns must be slanted; there are `left`
   pixels to the left of the first column. */
void gs_map_columns_label(gs_map_side *columns, double left);
void gs_map_rows_label(gs_map_side *rows);

/* Pixels for texts, to the left of rows and below columns. */
double gs_map_rows_width(const gs_map_side *rows);
double gs_map_columns_height(const gs_map_side *columns);

void gs_map_rows_write(FILE *out, const gs_map_side *rows, gs_box box);
/* The labels of levels stand to the left of the first panel. */
void gs_map_columns_write(FILE *out, const gs_map_side *columns, gs_box box, bool first);

/* Attributes for a page: where cells begin, and what they are called. */
void gs_map_side_attributes(FILE *out, const gs_map_side *side, const char *starts,
                            const char *names, double origin);

/* ---- svg_map_colors.c ---- */

enum { GS_MAP_COLORS = 97 }; /* steps of the ramp, and after them those of nan, -inf and inf */

typedef struct {
    const gs_figure *figure;
    gs_range range;
    gs_scale scale;
    bool outlines; /* some cell is outlined */
    bool numbers;  /* there are numbers in cells */
} gs_map_colors;

void gs_map_colors_fit(gs_map_colors *colors, const gs_figure *figure);
size_t gs_map_color_index(const gs_map_colors *colors, double value);
gs_color gs_map_color(const gs_map_colors *colors, size_t index);

/* The bar, what it measures, and what special cells are. */
double gs_map_bar_width(const gs_map_colors *colors);
double gs_map_bar_height(const gs_map_colors *colors, double width);
void gs_map_bar_write(FILE *out, const gs_map_colors *colors, double width, double top);

#endif
