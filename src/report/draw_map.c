/*
 * Maps in a terminal. Columns with heads hold numbers, in blocks below each other where they are too
 * many for a line. Others are a character or more a cell, in colours or in the eighths of blocks.
 */
#include <math.h>
#include <string.h>

#include "report/draw_text.h"
#include "report/scale.h"

enum { ROWS_MOST = 24, CELL_MOST = 4, STEPS = 8, LEVELS_MOST = 8, NAME_MOST = 12, TEXT = 128 };

typedef struct {
    gs_screen *screen;
    const gs_figure *figure;
    gs_range range;
    gs_scale scale;
    bool numbers, outlines;
    size_t left;          /* where cells begin */
    size_t columns, rows; /* of cells */
    size_t cell;          /* characters, with the space or sign after a number */
    size_t block;         /* columns of numbers in a line, at most */
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

/* Of a level, or of the numbers. */
static const char *row_label(const grid *map, size_t level) {
    const gs_side *side = &map->figure->rows;
    const char *label = side->levels > 0 ? head_of(map, side, level)->label : side->label;
    return label ? label : "";
}

static size_t label_width(const grid *map, const char *label) {
    return label ? gs_screen_width(map->screen, label) : 0;
}

/* The widths of row heads, or of row numbers; the labels of column heads stand above them. */
static void plan_rows(grid *map) {
    const gs_side *side = &map->figure->rows;
    char text[TEXT];
    map->levels = side->levels < LEVELS_MOST ? side->levels : LEVELS_MOST;
    size_t most = map->screen->style.width / 2 / (map->levels > 0 ? map->levels : 1) - 1;
    for (size_t k = 0; k == 0 || k < map->levels; k++) {
        size_t room = label_width(map, row_label(map, k));
        for (size_t i = 0; i < side->count; i++) {
            gs_side_text(side, i, text, sizeof text);
            size_t width =
                gs_screen_width(map->screen, side->levels > 0 ? level_text(map, side, k, i) : text);
            room = width > room ? width : room;
        }
        map->rooms[k] = room < most ? room : most;
        map->left += map->rooms[k] + 1;
    }
    for (size_t k = 0; k < map->figure->columns.levels; k++) {
        size_t width = label_width(map, map->figure->columns.heads[k].label);
        size_t missing = width + 1 > map->left ? width + 1 - map->left : 0;
        size_t free = most > map->rooms[0] ? most - map->rooms[0] : 0;
        map->rooms[0] += missing < free ? missing : free;
        map->left += missing < free ? missing : free;
    }
}

static size_t group_end(const gs_side *side, size_t level, size_t begin, size_t end) {
    for (size_t i = begin + 1; i < end; i++)
        if (gs_side_begins_group(side, level, i))
            return i;
    return end;
}

/* What a column needs for the widest number, with a space before it even where the one to its left
   has a sign after it. */
static size_t number_room(const grid *map) {
    const gs_figure *figure = map->figure;
    size_t columns = figure->columns.count, widest = 1;
    char text[TEXT];
    for (size_t p = 0; p < figure->panel_count; p++)
        for (size_t i = 0; i < columns * figure->rows.count; i++) {
            const bool *outlined = figure->panels[p].outlined;
            number_text(map, figure->panels[p].values[i], text);
            size_t width = strlen(text) + (outlined && i % columns > 0 && outlined[i - 1]);
            widest = width > widest ? width : widest;
        }
    return widest + 1;
}

/* What a column needs for the names of all levels, with a space after them. */
static size_t name_room(const grid *map) {
    const gs_side *side = &map->figure->columns;
    size_t widest = 0;
    for (size_t k = 0; k < side->levels; k++)
        for (size_t i = 0, end; i < side->count; i = end) {
            end = k + 1 < side->levels ? group_end(side, k, i, side->count) : i + 1;
            size_t width = label_width(map, side->heads[k].texts[i]) + 1;
            width = (width + end - i - 1) / (end - i);
            widest = width > widest ? width : widest;
        }
    return widest;
}

/* Where the block ends that begins at a column: before the outermost group that does not fit. */
static size_t block_end(const grid *map, size_t begin) {
    const gs_side *side = &map->figure->columns;
    size_t most = begin + map->block;
    if (most >= side->count)
        return side->count;
    for (size_t k = 0; k < side->levels; k++)
        for (size_t i = most; i > begin; i--)
            if (gs_side_begins_group(side, k, i))
                return i;
    return most;
}

/* Columns are as narrow as names and numbers allow, and then as wide as the blocks leave room. */
static void plan_numbers(grid *map) {
    size_t names = name_room(map), least = number_room(map), longest = 1;
    size_t room = map->screen->style.width - map->left;
    map->cell = names < NAME_MOST ? names : NAME_MOST;
    map->cell = map->cell > least ? map->cell : least;
    map->block = room > map->cell ? room / map->cell : 1;
    for (size_t begin = 0, end; begin < map->columns; begin = end) {
        end = block_end(map, begin);
        longest = end - begin > longest ? end - begin : longest;
    }
    size_t wide = room / longest < names + 1 ? room / longest : names + 1;
    map->cell = map->cell > wide ? map->cell : wide;
}

static void plan(grid *map) {
    const gs_figure *figure = map->figure;
    map->outlines = gs_figure_has_outlines(figure);
    gs_scale_fit(&map->scale, &figure->value, map->range, 5);
    plan_rows(map);
    map->columns = figure->columns.count;
    map->rows = figure->rows.count;
    map->numbers = figure->columns.levels > 0;
    if (map->numbers) {
        plan_numbers(map);
        return;
    }
    size_t most = map->screen->style.width - map->left;
    map->columns = map->columns < most ? map->columns : most;
    map->rows = map->rows < ROWS_MOST || figure->rows.levels > 0 ? map->rows : ROWS_MOST;
    map->cell = map->columns > 0 ? most / map->columns : 1;
    map->cell = map->cell < CELL_MOST ? map->cell : CELL_MOST;
}

/* ---- Heads ---- */

/* A line, if there is any label. */
static void put_row_labels(const grid *map) {
    size_t width = 0;
    for (size_t k = 0; k == 0 || k < map->levels; k++)
        width += label_width(map, row_label(map, k));
    if (width == 0)
        return;
    for (size_t k = 0; k == 0 || k < map->levels; k++) {
        gs_screen_put_right(map->screen, row_label(map, k), map->rooms[k]);
        gs_screen_space(map->screen, 1);
    }
    gs_screen_end_line(map->screen);
}

/* The names of the columns of a block above their numbers, a line a level; those of the rows stand
   below the names of levels. */
static void put_column_heads(const grid *map, size_t begin, size_t block) {
    const gs_side *side = &map->figure->columns;
    gs_screen *screen = map->screen;
    for (size_t k = 0; k < side->levels; k++) {
        bool inner = k + 1 == side->levels;
        const gs_head *head = &side->heads[k];
        gs_screen_put_right(screen, head->label ? head->label : "", map->left - 1);
        for (size_t i = begin, end; i < block; i = end) {
            end = inner ? i + 1 : group_end(side, k, i, block);
            gs_screen_move(screen, map->left + (i - begin) * map->cell);
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
    size_t width = label_width(map, side->label);
    if (width > 0) {
        gs_screen_move(screen, map->left + (width < length ? (length - width) / 2 : 0));
        gs_screen_put(screen, side->label, screen->style.width - screen->column);
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

static void put_row(const grid *map, const gs_panel *panel, size_t row, size_t begin, size_t end) {
    for (size_t column = begin; column < end; column++) {
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

static void draw_block(const grid *map, const gs_panel *panel, size_t begin, size_t end) {
    const gs_figure *figure = map->figure;
    size_t tick, step;
    gs_side_ticks(&figure->rows, map->rows / 3, &tick, &step);
    if (map->numbers)
        put_column_heads(map, begin, end);
    put_row_labels(map);
    for (size_t place = 0; place < map->rows; place++) {
        size_t row = figure->upward ? map->rows - 1 - place : place;
        put_row_heads(map, row, place == 0, tick, step);
        put_row(map, panel, row, begin, end);
    }
    if (!map->numbers)
        put_column_foot(map);
    gs_screen_end_line(map->screen);
}

static void draw_panel(const grid *map, const gs_panel *panel) {
    if (panel->title && *panel->title)
        gs_screen_paragraph(map->screen, panel->title);
    size_t begin = 0;
    do {
        size_t end = map->numbers ? block_end(map, begin) : map->columns;
        draw_block(map, panel, begin, end);
        begin = end;
    } while (begin < map->columns);
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
    if (map->numbers && figure->value.decades)
        put_key(map, "numbers:", "log10");
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

void gs_draw_map(gs_screen *screen, const gs_figure *figure) {
    grid map = {.screen = screen, .figure = figure, .range = gs_figure_value_range(figure)};
    plan(&map);
    gs_screen_paragraph(screen, figure->value.label);
    for (size_t p = 0; p < figure->panel_count; p++)
        draw_panel(&map, &figure->panels[p]);
    put_keys(&map);
}
