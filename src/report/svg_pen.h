/*
 * What pictures in SVG are made of: numbers, texts and the parts that lines and maps share. Only
 * svg*.c and page*.c use it.
 */
#ifndef GS_REPORT_SVG_PEN_H
#define GS_REPORT_SVG_PEN_H

#include <stdio.h>

#include "report/palette.h"
#include "report/scale.h"

typedef struct {
    double left, top, width, height;
} gs_box;

/* A text's class in the style, and its size there. */
typedef enum { GS_PEN_TITLE, GS_PEN_SUBTITLE, GS_PEN_LABEL, GS_PEN_NAME, GS_PEN_TICK } gs_pen_font;

typedef enum { GS_PEN_START, GS_PEN_MIDDLE, GS_PEN_END } gs_pen_anchor;

/* Two decimals at most, no more digits than it takes. */
void gs_pen_number(FILE *out, double value);
void gs_pen_pair(FILE *out, double x, double y); /* "x,y" after a space */
void gs_pen_box(FILE *out, gs_box box);          /* the attribute data-box */

/* The characters of a text, as XML, up to `end`, NULL for its own; no more than a thousand. */
void gs_pen_escape(FILE *out, const char *text, const char *end);

/* ' name="text"', nothing if there is no text. */
void gs_pen_attribute(FILE *out, const char *name, const char *text);

double gs_pen_width(gs_pen_font font, const char *text);
double gs_pen_tick_width(const gs_scale *scale, size_t tick);

/* Where a line of `room` pixels must end: at a space, the end, or where no more fits. */
const char *gs_pen_line_end(gs_pen_font font, const char *text, double room);

/* A text element; what does not fit in `room` pixels is cut, and has a title of its own. */
void gs_pen_text(FILE *out, gs_pen_font font, gs_pen_anchor anchor, double x, double y,
                 const char *text, double room);
void gs_pen_tick(FILE *out, gs_pen_anchor anchor, double x, double y, const gs_scale *scale,
                 size_t tick);

/* A number in the middle of a cell. */
void gs_pen_numeral(FILE *out, const char *class, double x, double y, const char *text);

void gs_pen_line(FILE *out, const char *class, double x1, double y1, double x2, double y2);
void gs_pen_color(FILE *out, const char *attribute, gs_color color); /* ' fill="#102030"' */

/* ---- A picture below its head: the size is planned first, then it is drawn at `top` ---- */

typedef struct gs_svg_lines gs_svg_lines;
typedef struct gs_svg_map gs_svg_map;

/* Errors: GS_ERR_MEMORY. */
gs_svg_lines *gs_svg_lines_new(const gs_figure *figure, bool has_legend, double width,
                               double *height, gs_error *error);
void gs_svg_lines_write(FILE *out, const gs_svg_lines *lines, double top);
void gs_svg_lines_free(gs_svg_lines *lines);

/* *width becomes less if the map needs less. Errors: GS_ERR_MEMORY. */
gs_svg_map *gs_svg_map_new(const gs_figure *figure, double *width, double *height, gs_error *error);
void gs_svg_map_write(FILE *out, const gs_svg_map *map, double top);
void gs_svg_map_free(gs_svg_map *map);

/* Where `panels` go: columns and rows of them, at most `most` columns. */
size_t gs_panel_columns(const gs_figure *figure, size_t most);

/* ---- svg_curve.c: the data of paths, inside a box ---- */

typedef struct {
    gs_box box;
    const gs_scale *x, *y;
} gs_plot;

/* The place of a value; what is out of range is at the edge. */
double gs_plot_height(const gs_plot *plot, double y);

/* A curve through the points of a series, `y` being one of its arrays, broken where it is not
   finite; of many points in one column of pixels the first, least, largest and last. */
void gs_plot_curve(FILE *out, const gs_plot *plot, const gs_series *series, const double *y);
void gs_plot_band(FILE *out, const gs_plot *plot, const gs_series *series);

/* Marks of a shape, 0 .. 3, on points no nearer than `apart`, and on those that no line reaches. */
void gs_plot_points(FILE *out, const gs_plot *plot, const gs_series *series, const double *y,
                    size_t shape, double apart);
void gs_pen_mark(FILE *out, size_t shape, double x, double y);

/* Triangles at the edge, the first `shift` pixels on. */
void gs_plot_edges(FILE *out, const gs_plot *plot, const gs_series *series, double shift);
void gs_pen_edge(FILE *out, double x, double y, bool upward);

/* ---- svg_legend.c: names beside the plots ---- */

/* What there is to name: [legend->count], and after them theory, bands and what is at the edges. */
typedef struct {
    const gs_figure *figure;
    const gs_legend *names;
    gs_range range;
} gs_svg_legend;

double gs_svg_legend_width(const gs_svg_legend *legend);
double gs_svg_legend_height(const gs_svg_legend *legend);

/* Beside the plots in `box`. With `ends`, [count], each name stands where its line ends if they all
   can; else they stand in a column. */
void gs_svg_legend_write(FILE *out, const gs_svg_legend *legend, double left, gs_box box,
                         const double *ends);

/* The attributes of the group of a series: its colour, and its number for a page. */
void gs_svg_series_attributes(FILE *out, const gs_svg_legend *legend, const char *class,
                              size_t hue);

/* The shape of its marks. */
size_t gs_svg_series_shape(size_t hue);

#endif
