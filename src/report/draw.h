/*
 * A figure in a terminal: lines of text, at most as wide as asked for.
 */
#ifndef GS_REPORT_DRAW_H
#define GS_REPORT_DRAW_H

#include <stdio.h>

#include "report/figure.h"

typedef struct {
    size_t width; /* columns, 40 or more; 0: 80 */
    bool color;   /* of 256; without them lines are told apart by signs */
    bool unicode; /* braille and blocks; else ASCII alone */
} gs_draw_style;

/* Write a figure, and an empty line after each panel. Bands are left out. What fails to be written
   shows in ferror() of the file. Errors: GS_ERR_MEMORY. */
gs_status gs_draw_write(FILE *out, const gs_figure *figure, gs_draw_style style, gs_error *error);

#endif
