/*
 * Texts of figures in a terminal. Only draw*.c use it.
 */
#ifndef GS_REPORT_DRAW_TEXT_H
#define GS_REPORT_DRAW_TEXT_H

#include "report/draw.h"
#include "report/palette.h"

/* Where lines are written. */
typedef struct {
    FILE *out;
    gs_draw_style style;
    size_t column; /* that the line has come to */
    size_t spaces; /* of these, that are still to be written: none are at the end of a line */
} gs_screen;

/* The columns that a text takes. */
size_t gs_screen_width(const gs_screen *screen, const char *text);

/* A text of `room` columns at most, its end cut if need be; and at the end of so many. */
void gs_screen_put(gs_screen *screen, const char *text, size_t room);
void gs_screen_put_right(gs_screen *screen, const char *text, size_t room);

void gs_screen_space(gs_screen *screen, size_t count);
void gs_screen_move(gs_screen *screen, size_t column); /* spaces up to it */
void gs_screen_end_line(gs_screen *screen);

/* One sign, which is not of a text from elsewhere. */
void gs_screen_sign(gs_screen *screen, const char *unicode, const char *ascii);

/* Words in lines as wide as the screen, three at most. */
void gs_screen_paragraph(gs_screen *screen, const char *text);

/* Colours of what follows, as palette.h numbers them, if there are any. */
void gs_screen_ink(gs_screen *screen, unsigned color);
void gs_screen_paper(gs_screen *screen, unsigned color);
void gs_screen_plain(gs_screen *screen);

/* draw_lines.c, draw_map.c. Errors: GS_ERR_MEMORY. */
gs_status gs_draw_lines(gs_screen *screen, const gs_figure *figure, gs_error *error);
void gs_draw_map(gs_screen *screen, const gs_figure *figure);

#endif
