/*
 * Maps in a terminal: numbers in columns if they fit, and else a character or more a cell, in
 * colours or in the eighths of blocks.
 */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "report/draw_text.h"
#include "report/scale.h"

enum { ROWS_MOST = 24, CELL_MOST = 4, STEPS = 8, LEVELS_MOST = 8, TEXT = 128 };

typedef struct {
    gs_screen *screen;
    const gs_figure *figure;
    gs_range range;
    gs_scale scale;
    bool numbers, outlines;
    size_t left;          /* where cells begin */
    size_t columns, rows; /* of cells */
    size_t cell;          /* characters, with the space after a number */
    size_t levels, rooms[LEVELS_MOST];
} grid;

/* ---- Values ---- */

static double largest_of(const gs_scale *scale) {
    return fmax(fabs(scale->low), fabs(scale->high));
}

static unsigned color_of(const grid *map, double value) {
    if (!isfinite(value))
        return gs_terminal_special(value);
    return map->figure->diverging ? gs_terminal_signed(value / largest_of(&map->scale))
                                  : gs_terminal_magnitude(gs_scale_share(&map->scale, value));
}

static void number_text(const grid *map, double value, char text[32]) {
    if (isfinite(value))
        gs_format_cell(text, value, largest_of(&map->scale));
    else if (isnan(value))
        strcpy(text, "-");
    else
        strcpy(text, value > 0 ? "inf" : map->figure->value.decades ? "0" : "-inf");
}

/* A step of the ramp, from 0; eighths of a block, or signs that grow darker. */
static void put_step(gs_screen *screen, size_t step) {
    static const char ramp[STEPS + 1] = ".:-=+*#@";
    const char block[] = {'\xe2', '\x96', (char)('\x81' + step), '\0'};
    const char sign[] = {ramp[step], '\0'};
    gs_screen_sign(screen, block, sign);
}

static void put_value(const grid *map, double value) {
    if (isnan(value))
        gs_screen_sign(map->screen, "?", "?");
    else if (isinf(value))
        gs_screen_sign(map->screen, value > 0 ? "!" : "0", value > 0 ? "!" : "0");
    else if (map->screen->style.color)
        gs_screen_sign(map->screen, " ", " ");
    else
        put_step(map->screen,
                 (size_t)fmin(floor(gs_scale_share(&map->scale, value) * STEPS), STEPS - 1));
}

/* ---- Planning ---- */

static const gs_head *head_of(const grid *map, const gs_side *side, size_t level) {
    return &side->heads[side->levels - map->levels + level];
}

static const char *level_text(const grid *map, const gs_side *side, size_t level, size_t index) {
    const char *text = side->levels > 0 ? head_of(map, side, level)->texts[index] : NULL;
    return text ? text : "";
}

/* The widths of row heads, or of row numbers. */
static void plan_rows(grid *map) {
    const gs_side *side = &map->figure->rows;
    char text[TEXT];
    map->levels = side->levels < LEVELS_MOST ? side->levels : LEVELS_MOST;
    size_t most = map->screen->style.width / 2 / (map->levels > 0 ? map->levels : 1) - 1;
    for (size_t k = 0; k == 0 || k < map->levels; k++) {
        const char *label = side->levels > 0 ? head_of(map, side, k)->label : side->label;
        size_t room = label ? gs_screen_width(map->screen, label) : 0;
        for (size_t i = 0; i < side->count; i++) {
            gs_side_text(side, i, text, sizeof text);
            size_t width =
                gs_screen_width(map->screen, side->levels > 0 ? level_text(map, side, k, i) : text);
            room = width > room ? width : room;
        }
        map->rooms[k] = room < most ? room : most;
        map->left += map->rooms[k] + 1;
    }
}

/* Numbers, if there is room for the widest, and for the names of their columns. */
static void plan_numbers(grid *map) {
    const gs_figure *figure = map->figure;
    size_t count = figure->columns.count * figure->rows.count, widest = 1, names = 0;
    size_t room = map->screen->style.width - map->left;
    char text[TEXT];
    if (figure->columns.levels == 0 || figure->columns.count * 3 > room)
        return;
    for (size_t p = 0; p < figure->panel_count; p++)
        for (size_t i = 0; i < count; i++) {
            number_text(map, figure->panels[p].values[i], text);
            widest = strlen(text) > widest ? strlen(text) : widest;
        }
    for (size_t i = 0; i < figure->columns.count; i++) {
        gs_side_text(&figure->columns, i, text, sizeof text);
        size_t width = gs_screen_width(map->screen, text);
        names = width > names ? width : names;
    }
    widest += 1;
    map->numbers = widest * figure->columns.count <= room;
    map->cell = room / (figure->columns.count > 0 ? figure->columns.count : 1);
    map->cell = map->cell < names + 2 ? map->cell : names + 2;
    map->cell = map->cell > widest ? map->cell : widest;
}

static void plan(grid *map) {
    const gs_figure *figure = map->figure;
    map->outlines = gs_figure_has_outlines(figure);
    gs_scale_fit(&map->scale, &figure->value, map->range, 5);
    plan_rows(map);
    size_t most =
        map->screen->style.width > map->left + 8 ? map->screen->style.width - map->left : 8;
    plan_numbers(map);
    map->columns = figure->columns.count;
    map->rows = figure->rows.count;
    if (map->numbers)
        return;
    map->columns = map->columns < most ? map->columns : most;
    map->rows = map->rows < ROWS_MOST || figure->rows.levels > 0 ? map->rows : ROWS_MOST;
    map->cell = map->columns > 0 ? most / map->columns : 1;
    map->cell = map->cell < CELL_MOST ? map->cell : CELL_MOST;
}

/* ---- Heads ---- */

static void put_row_labels(const grid *map) {
    for (size_t k = 0; k == 0 || k < map->levels; k++) {
        const gs_side *side = &map->figure->rows;
        const char *label = side->levels > 0 ? head_of(map, side, k)->label : side->label;
        gs_screen_put_right(map->screen, label ? label : "", map->rooms[k]);
        gs_screen_space(map->screen, 1);
    }
}

/* The names of columns above numbers, a line a level; those of the rows stand in the last. */
static void put_column_heads(const grid *map) {
    const gs_side *side = &map->figure->columns;
    gs_screen *screen = map->screen;
    for (size_t k = 0; k < side->levels; k++) {
        bool inner = k + 1 == side->levels;
        const gs_head *head = &side->heads[k];
        if (inner)
            put_row_labels(map);
        else
            gs_screen_put_right(screen, head->label ? head->label : "", map->left - 1);
        for (size_t i = 0, end; i < side->count; i = end) {
            for (end = i + 1; end < side->count && !inner && !gs_side_begins_group(side, k, end);)
                end++;
            gs_screen_move(screen, map->left + i * map->cell);
            const char *text = head->texts[i] ? head->texts[i] : "";
            if (inner)
                gs_screen_put_right(screen, text, map->cell - 1);
            else
                gs_screen_put(screen, text, (end - i) * map->cell - 1);
        }
        gs_screen_end_line(screen);
    }
}

/* What is below cells without numbers: as many names as have room, and the label. */
static void put_column_foot(const grid *map) {
    const gs_side *side = &map->figure->columns;
    gs_screen *screen = map->screen;
    char text[TEXT];
    size_t first, step, widest = 1;
    for (size_t i = 0; i < side->count; i++) {
        gs_side_text(side, i, text, sizeof text);
        size_t width = gs_screen_width(screen, text);
        widest = width > widest ? width : widest;
    }
    size_t length = map->columns * map->cell;
    gs_side_ticks(side, length / (widest + 2), &first, &step);
    for (size_t i = first; i < side->count; i += step) {
        gs_side_text(side, i, text, sizeof text);
        size_t at = map->left + i * map->columns / side->count * map->cell;
        size_t width = gs_screen_width(screen, text);
        if (at < screen->column || at + width > screen->style.width)
            continue;
        gs_screen_move(screen, at);
        gs_screen_put(screen, text, width);
        gs_screen_space(screen, 1);
    }
    gs_screen_end_line(screen);
    const char *label = side->levels > 0 ? side->heads[side->levels - 1].label : side->label;
    size_t width = label ? gs_screen_width(screen, label) : 0;
    if (width > 0) {
        gs_screen_move(screen, map->left + (width < length ? (length - width) / 2 : 0));
        gs_screen_put(screen, label, screen->style.width - screen->column);
        gs_screen_end_line(screen);
    }
}

static void put_row_heads(const grid *map, size_t row, bool first, size_t tick, size_t step) {
    const gs_side *side = &map->figure->rows;
    char text[TEXT];
    size_t index = row * side->count / map->rows;
    if (side->levels == 0) {
        size_t next = (row + 1) * side->count / map->rows;
        size_t named = tick >= next ? tick : index + (step - (index + step - tick) % step) % step;
        gs_side_text(side, named < next ? named : index, text, sizeof text);
        gs_screen_put_right(map->screen, named < next ? text : "", map->rooms[0]);
        gs_screen_space(map->screen, 1);
        return;
    }
    for (size_t k = 0; k < map->levels; k++) {
        size_t level = side->levels - map->levels + k;
        bool named = first || k + 1 == map->levels || gs_side_begins_group(side, level, index);
        gs_screen_put_right(map->screen, named ? level_text(map, side, k, index) : "",
                            map->rooms[k]);
        gs_screen_space(map->screen, 1);
    }
}

/* ---- Cells ---- */

static void put_number(const grid *map, const gs_panel *panel, double value, size_t index) {
    char text[40];
    unsigned color = color_of(map, value);
    bool outlined = panel->outlined && panel->outlined[index];
    const unsigned white = 231, black = 16;
    number_text(map, value, text);
    gs_screen_paper(map->screen, color);
    gs_screen_ink(map->screen, gs_terminal_is_dark(color) ? white : black);
    gs_screen_put_right(map->screen, text, map->cell - 1);
    if (outlined)
        gs_screen_sign(map->screen, "*", "*");
    else
        gs_screen_space(map->screen, 1);
    gs_screen_plain(map->screen);
}

static void put_row(const grid *map, const gs_panel *panel, size_t row) {
    for (size_t column = 0; column < map->columns; column++) {
        double value = gs_map_cell(map->figure, panel, map->columns, map->rows, column, row);
        if (map->numbers) {
            put_number(map, panel, value, row * map->columns + column);
            continue;
        }
        gs_screen_paper(map->screen, color_of(map, value));
        for (size_t i = 0; i < map->cell; i++)
            put_value(map, value);
        gs_screen_plain(map->screen);
    }
    gs_screen_end_line(map->screen);
}

static void draw_panel(const grid *map, const gs_panel *panel) {
    const gs_figure *figure = map->figure;
    size_t tick, step;
    gs_side_ticks(&figure->rows, map->rows / 3, &tick, &step);
    if (panel->title && *panel->title)
        gs_screen_paragraph(map->screen, panel->title);
    if (map->numbers)
        put_column_heads(map);
    else {
        put_row_labels(map);
        gs_screen_end_line(map->screen);
    }
    for (size_t place = 0; place < map->rows; place++) {
        size_t row = figure->upward ? map->rows - 1 - place : place;
        put_row_heads(map, row, place == 0, tick, step);
        put_row(map, panel, row);
    }
    if (!map->numbers)
        put_column_foot(map);
    gs_screen_end_line(map->screen);
}

/* ---- The scale ---- */

static void put_key(const grid *map, const char *sign, const char *text) {
    size_t width = 5 + gs_screen_width(map->screen, text);
    if (map->screen->column + width > map->screen->style.width)
        gs_screen_end_line(map->screen);
    gs_screen_move(map->screen, map->screen->column > 0 ? map->screen->column + 3 : 0);
    gs_screen_put(map->screen, sign, 8);
    gs_screen_space(map->screen, 1);
    gs_screen_put(map->screen, text, map->screen->style.width - map->screen->column);
}

static void end_text(const grid *map, double value, char text[40]) {
    char number[32];
    gs_format_cell(number, value, largest_of(&map->scale));
    snprintf(text, 40, "%s%s", map->figure->value.decades ? "10^" : "", number);
}

static void put_scale(const grid *map) {
    gs_screen *screen = map->screen;
    char text[40];
    size_t count = screen->style.color ? 3 * STEPS : STEPS;
    end_text(map, map->scale.low, text);
    gs_screen_put(screen, text, 40);
    gs_screen_space(screen, 1);
    for (size_t i = 0; i < count; i++) {
        double share = ((double)i + 0.5) / (double)count;
        double value = map->scale.low + share * (map->scale.high - map->scale.low);
        gs_screen_paper(screen, color_of(map, value));
        put_value(map, value);
    }
    gs_screen_plain(screen);
    gs_screen_space(screen, 1);
    end_text(map, map->scale.high, text);
    gs_screen_put(screen, text, 40);
}

static void put_keys(const grid *map) {
    const gs_figure *figure = map->figure;
    if (map->screen->style.color || !map->numbers)
        put_scale(map);
    if (map->range.missing)
        put_key(map, map->numbers ? "-" : "?", figure->missing ? figure->missing : "no value");
    if (map->range.zero && !map->numbers)
        put_key(map, "0", figure->value.decades ? "exactly 0" : "-inf");
    if (map->range.infinite && !map->numbers)
        put_key(map, "!", "infinite");
    if (map->outlines && map->numbers && figure->outline)
        put_key(map, "*", figure->outline);
    if (map->screen->column > 0)
        gs_screen_end_line(map->screen);
}

gs_status gs_draw_map(gs_screen *screen, const gs_figure *figure, gs_error *error) {
    grid map = {.screen = screen, .figure = figure, .range = gs_figure_value_range(figure)};
    (void)error;
    plan(&map);
    gs_screen_paragraph(screen, figure->value.label);
    for (size_t p = 0; p < figure->panel_count; p++)
        draw_panel(&map, &figure->panels[p]);
    put_keys(&map);
    return GS_OK;
}
