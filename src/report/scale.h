/*
 * Scales: the range of an axis, and where its ticks are: at multiples of 1, 2 or 5 times a power of
 * ten. Only + - * / and floor make them, so that they are the same on every machine.
 */
#ifndef GS_REPORT_SCALE_H
#define GS_REPORT_SCALE_H

#include "report/figure.h"

enum { GS_TICKS_MOST = 40 };

typedef enum {
    GS_LABELS_DECIMAL,  /* "0.50"                                  */
    GS_LABELS_EXPONENT, /* "5e-7"                                  */
    GS_LABELS_POWER,    /* of n "10^n"                             */
    GS_LABELS_PARTS     /* of the log10 of 1, 2 or 5 times a power */
} gs_labels;

typedef struct {
    double low, high; /* finite, low < high */
    size_t count;
    double ticks[GS_TICKS_MOST];         /* ascending, from low to high */
    unsigned char digits[GS_TICKS_MOST]; /* of parts: 1, 2 or 5 */
    gs_labels labels;
    int last_digit; /* that numbers need: of 10^last_digit */
} gs_scale;

/* A scale for `range`, with about `most` ticks, 2 .. 20, or fewer. If nothing is in the range it
   is 0 to 1. A range of no width is widened; decades to one at least, so that what is level looks
   level. Numbers beyond 1e300 count as that, and those below 1e-300 as 0. */
void gs_scale_fit(gs_scale *scale, const gs_quantity *quantity, gs_range range, size_t most);

/* The first and last whole number of a scale get a tick of their own where there is room. */
void gs_scale_add_ends(gs_scale *scale);

/* Makes it wider on both sides by a share of what it is; ticks stay. */
void gs_scale_pad(gs_scale *scale, double share);

/* 0 at low, 1 at high. */
double gs_scale_share(const gs_scale *scale, double value);

/* The text of a tick: "0.25", with an exponent "5" and "-7" for 5 x 10^-7, or "" and "3" for
   10^3. */
typedef struct {
    char plain[24];
    char exponent[24]; /* "" if there is none */
} gs_tick_text;

gs_tick_text gs_scale_text(const gs_scale *scale, size_t tick);

/* That in one line: "0.25", "5e-7", "10^3". */
void gs_scale_line(const gs_scale *scale, size_t tick, char out[40]);

/* "-0.00" becomes "0.00". */
void gs_drop_sign_of_zero(char *text);

/* Two to four digits of a value that fit a cell of a map whose values are as large as `largest`. */
void gs_format_cell(char out[32], double value, double largest);

#endif
