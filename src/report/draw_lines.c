/*
 * Lines in a terminal: in dots of braille, eight to a character, where colours or there being one
 * alone tells them apart, and else in signs of their own.
 */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "report/draw_text.h"
#include "report/scale.h"

enum { ROWS = 20, PANEL_ROWS = 12, LEGEND_NAMES = 40, LEGEND_GAP = 3 };

/* What a character of a plot shows; what comes later in this list is seen where two meet. */
typedef enum { MARK_NONE, MARK_THEORY, MARK_LINE, MARK_ZERO, MARK_INFINITE } mark;

typedef struct {
    unsigned char mark, dots; /* of braille */
    size_t hue;
} spot;

typedef struct {
    gs_screen *screen;
    const gs_figure *figure;
    const gs_legend *names;
    gs_scale x, y;
    gs_range range;
    bool braille;
    size_t left, columns, rows; /* of the plot, in characters */
    spot *spots;                /* [rows][columns] */
} canvas;

/* ---- Drawing on the canvas ---- */

/* Of lines that run together in signs, each is seen in every other column. */
static void set_spot(canvas *plot, size_t column, size_t row, mark what, size_t hue,
                     unsigned char dots) {
    spot *at = &plot->spots[row * plot->columns + column];
    if (what < at->mark || (what == at->mark && !plot->braille && column % 2 == 1))
        return;
    *at = (spot){(unsigned char)what, (unsigned char)(at->dots | dots), hue};
}

/* Dots lie two beside and four below each other in a character; in signs, one is all of it. */
static void set_dot(canvas *plot, size_t x, size_t y, mark what, size_t hue) {
    static const unsigned char bits[4][2] = {
        {0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    if (what == MARK_THEORY && (plot->braille ? x % 4 >= 2 : x % 2 == 1))
        return;
    if (plot->braille)
        set_spot(plot, x / 2, y / 4, what, hue, bits[y % 4][x % 2]);
    else
        set_spot(plot, x, y, what, hue, 0);
}

static size_t place(double share, size_t count) {
    return (size_t)fmin(floor(fmin(fmax(share, 0), 1) * (double)count), (double)(count - 1));
}

static size_t dots_across(const canvas *plot) {
    return plot->columns * (plot->braille ? 2 : 1);
}

static size_t dots_down(const canvas *plot) {
    return plot->rows * (plot->braille ? 4 : 1);
}

static size_t dot_x(const canvas *plot, double value) {
    return place(gs_scale_share(&plot->x, value), dots_across(plot));
}

static size_t dot_y(const canvas *plot, double value) {
    return place(1 - gs_scale_share(&plot->y, value), dots_down(plot));
}

static size_t distance(size_t a, size_t b) {
    return a > b ? a - b : b - a;
}

/* Between two dots, as far along as k of n. */
static size_t along(size_t from, size_t to, size_t k, size_t n) {
    size_t part = (distance(from, to) * k + n / 2) / n;
    return to > from ? from + part : from - part;
}

static void draw_curve(canvas *plot, const gs_series *series, const double *y, mark what,
                       size_t hue) {
    size_t last_x = 0, last_y = 0;
    bool down = false;
    for (size_t i = 0; y && i < series->count; i++) {
        if (!isfinite(series->x[i]) || !isfinite(y[i])) {
            down = false;
            continue;
        }
        size_t at_x = dot_x(plot, series->x[i]), at_y = dot_y(plot, y[i]);
        size_t across = distance(last_x, at_x), steps = distance(last_y, at_y);
        steps = !down ? 0 : across > steps ? across : steps;
        for (size_t k = 1; k < steps; k++)
            set_dot(plot, along(last_x, at_x, k, steps), along(last_y, at_y, k, steps), what, hue);
        set_dot(plot, at_x, at_y, what, hue);
        last_x = at_x, last_y = at_y, down = true;
    }
}

static void draw_edges(canvas *plot, const gs_series *series, size_t hue) {
    const double *y = series->edges ? series->edges : series->y;
    for (size_t i = 0; y && i < series->count; i++)
        if (isfinite(series->x[i]) && isinf(y[i]))
            set_spot(plot, place(gs_scale_share(&plot->x, series->x[i]), plot->columns),
                     y[i] > 0 ? 0 : plot->rows - 1, y[i] > 0 ? MARK_INFINITE : MARK_ZERO, hue, 0);
}

/* ---- Showing it ---- */

static const char *const signs[] = {"o", "x", "+", "*", "#", "@", "%", "&", "s", "n", "w", "m"};
enum { SIGNS = sizeof signs / sizeof *signs };

static void put_mark(const canvas *plot, mark what, size_t hue) {
    gs_screen *screen = plot->screen;
    if (what == MARK_ZERO)
        gs_screen_sign(screen, "\xe2\x96\xbe", "v");
    else if (what == MARK_INFINITE)
        gs_screen_sign(screen, "\xe2\x96\xb4", "^");
    else if (what == MARK_THEORY)
        gs_screen_sign(screen, "\xc2\xb7", ".");
    else
        gs_screen_sign(screen, signs[hue % SIGNS], signs[hue % SIGNS]);
}

static void begin_hue(const canvas *plot, size_t hue) {
    gs_screen_ink(plot->screen, plot->figure->ordered ? gs_terminal_ordered(hue, plot->names->count)
                                                      : gs_terminal_series(hue % GS_SERIES_COLORS));
}

static void put_spot(const canvas *plot, const spot *at) {
    if (at->mark == MARK_NONE) {
        gs_screen_space(plot->screen, 1);
        return;
    }
    begin_hue(plot, at->hue);
    if (plot->braille && at->mark <= MARK_LINE) { /* U+2800 and the dots */
        const char sign[] = {(char)0xe2, (char)(0xa0 + (at->dots >> 6)),
                             (char)(0x80 + (at->dots & 0x3f)), '\0'};
        gs_screen_sign(plot->screen, sign, sign);
    } else
        put_mark(plot, (mark)at->mark, at->hue);
    gs_screen_plain(plot->screen);
}

/* The tick whose line this row is, or count if none. */
static size_t tick_of_row(const canvas *plot, size_t row) {
    for (size_t i = 0; i < plot->y.count; i++)
        if (place(1 - gs_scale_share(&plot->y, plot->y.ticks[i]), plot->rows) == row)
            return i;
    return plot->y.count;
}

static void put_row(const canvas *plot, size_t row) {
    gs_screen *screen = plot->screen;
    char text[40] = "";
    size_t tick = tick_of_row(plot, row);
    const spot *spots = plot->spots + row * plot->columns;
    if (tick < plot->y.count)
        gs_scale_line(&plot->y, tick, text);
    gs_screen_put_right(screen, text, plot->left - 2);
    gs_screen_space(screen, 1);
    gs_screen_sign(screen, *text ? "\xe2\x94\xa4" : "\xe2\x94\x82", *text ? "+" : "|");
    for (size_t column = 0; column < plot->columns; column++)
        put_spot(plot, &spots[column]);
    gs_screen_end_line(screen);
}

static void put_x_axis(const canvas *plot) {
    gs_screen *screen = plot->screen;
    char text[40];
    size_t free = 0;
    gs_screen_move(screen, plot->left - 1);
    gs_screen_sign(screen, "\xe2\x94\x94", "+");
    for (size_t column = 0, tick = 0; column < plot->columns; column++) {
        bool is_tick = false;
        for (; tick < plot->x.count &&
               place(gs_scale_share(&plot->x, plot->x.ticks[tick]), plot->columns) <= column;
             tick++)
            is_tick = true;
        gs_screen_sign(screen, is_tick ? "\xe2\x94\xac" : "\xe2\x94\x80", is_tick ? "+" : "-");
    }
    gs_screen_end_line(screen);
    for (size_t tick = 0; tick < plot->x.count; tick++) {
        gs_scale_line(&plot->x, tick, text);
        size_t width = strlen(text);
        size_t middle =
            plot->left + place(gs_scale_share(&plot->x, plot->x.ticks[tick]), plot->columns);
        size_t start = middle > width / 2 ? middle - width / 2 : 0;
        if (start < free || start + width > screen->style.width)
            continue;
        gs_screen_move(screen, start);
        gs_screen_put(screen, text, width);
        free = start + width + 1;
    }
    gs_screen_end_line(screen);
    if (plot->figure->x.label && *plot->figure->x.label) {
        size_t width = gs_screen_width(screen, plot->figure->x.label);
        width = width < plot->columns ? width : plot->columns;
        gs_screen_move(screen, plot->left + (plot->columns - width) / 2);
        gs_screen_put(screen, plot->figure->x.label, plot->columns);
        gs_screen_end_line(screen);
    }
}

/* ---- The legend ---- */

static void put_entry(const canvas *plot, mark what, size_t hue, const char *name) {
    gs_screen *screen = plot->screen;
    size_t width = LEGEND_GAP + 2 + gs_screen_width(screen, name);
    if (screen->column > 0 && screen->column + width > screen->style.width)
        gs_screen_end_line(screen);
    gs_screen_move(screen, screen->column > 0 ? screen->column + LEGEND_GAP : plot->left);
    if (what == MARK_LINE)
        begin_hue(plot, hue);
    if (plot->braille && what == MARK_LINE)
        gs_screen_sign(screen, "\xe2\x94\x81", "-");
    else if (what != MARK_NONE)
        put_mark(plot, what, hue);
    if (what == MARK_LINE)
        gs_screen_plain(screen);
    if (what != MARK_NONE)
        gs_screen_space(screen, 1);
    gs_screen_put(screen, name, screen->style.width - screen->column);
}

static void put_edge(const canvas *plot, mark what) {
    char text[64];
    gs_figure_edge_text(plot->figure, what == MARK_INFINITE, text);
    put_entry(plot, what, 0, text);
}

static void put_legend(const canvas *plot) {
    const gs_legend *names = plot->names;
    size_t shown = gs_legend_is_empty(names) ? 0 : names->count;
    char more[40];
    for (size_t hue = 0; hue < shown && hue < LEGEND_NAMES; hue++)
        put_entry(plot, MARK_LINE, hue, names->names[hue]);
    if (shown > LEGEND_NAMES) {
        snprintf(more, sizeof more, "and %zu more", shown - LEGEND_NAMES);
        put_entry(plot, MARK_NONE, 0, more);
    }
    if (names->theory && plot->figure->dashed)
        put_entry(plot, MARK_THEORY, 0, plot->figure->dashed);
    if (plot->range.zero)
        put_edge(plot, MARK_ZERO);
    if (plot->range.infinite)
        put_edge(plot, MARK_INFINITE);
    if (plot->screen->column > 0)
        gs_screen_end_line(plot->screen);
}

/* ---- All of it ---- */

static void plan(canvas *plot) {
    const gs_figure *figure = plot->figure;
    size_t width = plot->screen->style.width;
    char text[40];
    plot->rows = figure->panel_count > 1 ? PANEL_ROWS : ROWS;
    gs_scale_fit(&plot->y, &figure->y, plot->range, plot->rows / 3);
    for (size_t i = 0; i < plot->y.count; i++) {
        gs_scale_line(&plot->y, i, text);
        plot->left = strlen(text) > plot->left ? strlen(text) : plot->left;
    }
    plot->left += 2;
    plot->columns = width - plot->left - 1;
    gs_scale_fit(&plot->x, &figure->x, gs_figure_x_range(figure), plot->columns / 10);
    if (figure->x.whole)
        gs_scale_add_ends(&plot->x);
    plot->braille =
        plot->screen->style.unicode && (plot->screen->style.color || plot->names->count <= 1);
}

static void draw_panel(canvas *plot, const gs_panel *panel, const size_t *hues) {
    memset(plot->spots, 0, plot->rows * plot->columns * sizeof *plot->spots);
    for (size_t s = 0; s < panel->series_count; s++)
        draw_curve(plot, &panel->series[s], panel->series[s].theory, MARK_THEORY, hues[s]);
    for (size_t s = 0; s < panel->series_count; s++) {
        draw_curve(plot, &panel->series[s], panel->series[s].y, MARK_LINE, hues[s]);
        draw_edges(plot, &panel->series[s], hues[s]);
    }
    if (panel->title && *panel->title)
        gs_screen_paragraph(plot->screen, panel->title);
    for (size_t row = 0; row < plot->rows; row++)
        put_row(plot, row);
    put_x_axis(plot);
    gs_screen_end_line(plot->screen);
}

gs_status gs_draw_lines(gs_screen *screen, const gs_figure *figure, gs_error *error) {
    canvas plot = {.screen = screen, .figure = figure, .range = gs_figure_y_range(figure)};
    gs_legend *names = gs_legend_new(figure, error);
    if (!names)
        return GS_ERR_MEMORY;
    plot.names = names;
    plan(&plot);
    plot.spots = gs_alloc(plot.rows * plot.columns, sizeof *plot.spots, error);
    if (!plot.spots) {
        gs_legend_free(names);
        return GS_ERR_MEMORY;
    }
    gs_screen_paragraph(screen, figure->y.label);
    const size_t *hues = names->hues;
    for (size_t p = 0; p < figure->panel_count; p++) {
        draw_panel(&plot, &figure->panels[p], hues);
        hues += figure->panels[p].series_count;
    }
    put_legend(&plot);
    gs_free(plot.spots);
    gs_legend_free(names);
    return GS_OK;
}
