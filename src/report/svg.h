/*
 * A figure as SVG: one element that needs nothing from outside, in print and on a light or dark
 * screen. A page that holds several can write the style once, and use what is marked for it:
 *
 *   svg.gs-figure       data-kind "lines" or "map"; data-x-label, data-y-label, data-value-label;
 *                       data-x-decades if x is log10 of what the label names
 *     g.gs-panel        data-box "left top width height", in the coordinates of the svg
 *                       lines: data-x and data-y "low high" of the box, so that a place is a value
 *                       map: data-columns, data-rows: the left of every column and the top of every
 *                       row; data-values: row by row; data-cell "width height"; the names of
 *                       columns and rows in data-column-names and data-row-names, by line feeds
 *       g.gs-series     data-series "3", the same in every panel, and data-name; in it
 *                       path.gs-line, path.gs-theory, path.gs-band, path.gs-points: numbers alone
 *                       after M (a gap is another M)
 *     g.gs-legend       data-series: its entry in the legend, unless the page has one
 */
#ifndef GS_REPORT_SVG_H
#define GS_REPORT_SVG_H

#include <stdio.h>

#include "report/figure.h"

typedef struct {
    double width; /* pixels at most, 320 or more; 0: 760 */
    bool inside;  /* in a page that has the style, and shows title, subtitle and legend itself */
} gs_svg_style;

/* Write a figure. What fails to be written shows in ferror() of the file. Errors: GS_ERR_MEMORY. */
gs_status gs_svg_write(FILE *out, const gs_figure *figure, gs_svg_style style, gs_error *error);

/* Write the rules of style, to be inside of a <style>. */
void gs_svg_write_rules(FILE *out);

#endif
