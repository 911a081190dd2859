/*
 * Figures in a terminal: the head, and how texts are put.
 */
#include "report/draw.h"

#include <string.h>

#include "report/draw_text.h"
#include "report/glyphs.h"

enum { USUAL_WIDTH = 80, LEAST_WIDTH = 40, MOST_WIDTH = 1000, PARAGRAPH_LINES = 3 };

/* ---- Texts ---- */

/* The next character as it is put, and how many columns it takes; 0 at the end. */
static size_t next_sign(const gs_screen *screen, const char **text, char sign[5]) {
    uint32_t glyph = gs_glyph_next(text);
    *sign = '\0';
    if (glyph == 0)
        return 0;
    if (!screen->style.unicode) {
        gs_glyph_ascii(glyph, sign);
        return strlen(sign);
    }
    gs_glyph_encode(glyph, sign);
    return glyph >= 0x1100 && gs_glyph_width(glyph) == 1000 ? 2 : 1;
}

/* No text is wider than a line can be: of one that is, the rest does not matter. */
size_t gs_screen_width(const gs_screen *screen, const char *text) {
    char sign[5];
    size_t width = 0, columns;
    while (text && width <= MOST_WIDTH && (columns = next_sign(screen, &text, sign)) > 0)
        width += columns;
    return width;
}

static void put(gs_screen *screen, const char *bytes, size_t columns) {
    for (; screen->spaces > 0; screen->spaces--)
        putc(' ', screen->out);
    fputs(bytes, screen->out);
    screen->column += columns;
}

void gs_screen_put(gs_screen *screen, const char *text, size_t room) {
    char sign[5];
    size_t columns;
    bool cut = gs_screen_width(screen, text) > room;
    size_t dots = !cut ? 0 : screen->style.unicode ? 1 : 2, left = room > dots ? room - dots : 0;
    while (text && (columns = next_sign(screen, &text, sign)) > 0 && columns <= left) {
        put(screen, sign, columns);
        left -= columns;
    }
    if (cut && room >= dots)
        put(screen, screen->style.unicode ? "\xe2\x80\xa6" : "..", dots);
}

void gs_screen_space(gs_screen *screen, size_t count) {
    screen->spaces += count;
    screen->column += count;
}

void gs_screen_move(gs_screen *screen, size_t column) {
    if (column > screen->column)
        gs_screen_space(screen, column - screen->column);
}

void gs_screen_put_right(gs_screen *screen, const char *text, size_t room) {
    size_t width = gs_screen_width(screen, text);
    size_t end = screen->column + room;
    gs_screen_move(screen, end - (width < room ? width : room));
    gs_screen_put(screen, text, room);
    gs_screen_move(screen, end);
}

void gs_screen_end_line(gs_screen *screen) {
    putc('\n', screen->out);
    screen->column = screen->spaces = 0;
}

void gs_screen_sign(gs_screen *screen, const char *unicode, const char *ascii) {
    put(screen, screen->style.unicode ? unicode : ascii, 1);
}

void gs_screen_paragraph(gs_screen *screen, const char *text) {
    for (size_t line = 1; text && *text; line++) {
        const char *end = text, *space = NULL, *next = text;
        size_t width = 0, columns;
        char sign[5];
        while ((columns = next_sign(screen, &next, sign)) > 0 &&
               (width += columns) <= screen->style.width) {
            end = next;
            space = *end == ' ' || !*end ? end : space;
        }
        if (line == PARAGRAPH_LINES || !*end) {
            gs_screen_put(screen, text, screen->style.width);
            gs_screen_end_line(screen);
            return;
        }
        end = space ? space : end;
        while (text < end && next_sign(screen, &text, sign) > 0)
            fputs(sign, screen->out);
        gs_screen_end_line(screen);
        text += *text == ' ';
    }
}

/* ---- Colours ---- */

static void put_code(gs_screen *screen, int layer, unsigned color) {
    char code[32];
    snprintf(code, sizeof code, "\033[%d;5;%um", layer, color);
    if (screen->style.color)
        put(screen, code, 0);
}

void gs_screen_ink(gs_screen *screen, unsigned color) {
    put_code(screen, 38, color);
}

void gs_screen_paper(gs_screen *screen, unsigned color) {
    put_code(screen, 48, color);
}

void gs_screen_plain(gs_screen *screen) {
    if (screen->style.color)
        put(screen, "\033[0m", 0);
}

/* ---- The figure ---- */

gs_status gs_draw_write(FILE *out, const gs_figure *figure, gs_draw_style style, gs_error *error) {
    gs_screen screen = {.out = out, .style = style};
    size_t width = style.width > 0 ? style.width : USUAL_WIDTH;
    width = width < LEAST_WIDTH ? LEAST_WIDTH : width > MOST_WIDTH ? MOST_WIDTH : width;
    screen.style.width = width;
    gs_screen_paragraph(&screen, figure->title);
    gs_screen_paragraph(&screen, figure->subtitle);
    if ((figure->title && *figure->title) || (figure->subtitle && *figure->subtitle))
        gs_screen_end_line(&screen);
    if (figure->kind == GS_FIGURE_LINES)
        return gs_draw_lines(&screen, figure, error);
    gs_draw_map(&screen, figure);
    return GS_OK;
}
