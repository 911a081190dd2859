/*
 * Colours: for series, for magnitudes and for what has a sign; told apart by people who are colour
 * blind, and in grey by lightness where there is an order.
 */
#ifndef GS_REPORT_PALETTE_H
#define GS_REPORT_PALETTE_H

#include "gradsim.h"

typedef struct {
    unsigned char red, green, blue;
} gs_color;

enum { GS_SERIES_COLORS = 8 };

/* The colour of series 0 .. GS_SERIES_COLORS - 1, on white paper and on a dark screen. */
gs_color gs_palette_series(size_t index, bool dark);

/* A step of `count` on a ramp that is seen on white. */
gs_color gs_palette_ordered(size_t index, size_t count);

/* The colour of a magnitude, 0 to 1, from dark to light; and of a number from -1, blue, over 0,
   nearly white, to 1, orange. */
gs_color gs_palette_magnitude(double share);
gs_color gs_palette_signed(double share);

/* The colours of what is no finite number: -inf, inf and nan. */
gs_color gs_palette_special(double value);

/* Whether white stands out on it better than black. */
bool gs_color_is_dark(gs_color color);

/* ---- The same for terminals: numbers of the 256 colours that xterm has ---- */

unsigned gs_terminal_series(size_t index);
unsigned gs_terminal_ordered(size_t index, size_t count);
unsigned gs_terminal_magnitude(double share);
unsigned gs_terminal_signed(double share);
unsigned gs_terminal_special(double value);
bool gs_terminal_is_dark(unsigned color);

#endif
