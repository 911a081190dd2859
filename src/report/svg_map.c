/*
 * Maps in SVG: panels of coloured cells below the bar that explains the colours.
 */
#include "report/svg_map.h"

#include <math.h>

#include "base/memory.h"
#include "base/text.h"

enum { MARGIN = 14, PANEL_GAP = 22, PANEL_TITLE = 20, HEADER = 20, BAR_GAP = 8, BOTTOM = 10 };
enum { PANEL_LEAST = 150, WIDTH_LEAST = 340 };
enum { HEAD_WIDTH = 76, HEAD_HEIGHT = 26, NUMBER_WIDTH = 40, NUMBER_HEIGHT = 22 };

struct gs_svg_map {
    const gs_figure *figure;
    gs_map_colors colors;
    gs_map_side columns, rows;
    size_t panel_columns;
    gs_box box; /* of the first panel; the others lie a step to the right or below */
    double step_x, step_y, width;
    double *cells; /* [rows][columns], of the panel that is written */
};

/* ---- Planning ---- */

/* How high a map should be: many rows of heads need room for their texts. */
static double rows_room(const gs_figure *figure) {
    double count = (double)figure->rows.count;
    double room = figure->rows.levels > 0 ? fmin(fmax(count * 14, 300), 1000) : 280;
    return figure->panel_count > 4 ? room * 0.6 : room;
}

static gs_status plan_sides(gs_svg_map *map, double width, gs_error *error) {
    const gs_figure *figure = map->figure;
    bool wide = figure->columns.levels > 0, high = figure->rows.levels > 0;
    gs_status status = gs_map_side_fit(&map->rows, &figure->rows, figure->upward, rows_room(figure),
                                       high ? HEAD_HEIGHT : NUMBER_HEIGHT, error);
    if (status != GS_OK)
        return status;
    gs_map_rows_label(&map->rows);
    map->box.left = MARGIN + gs_map_rows_width(&map->rows);
    double room = fmax(width - map->box.left - MARGIN, 80);
    map->panel_columns = gs_panel_columns(figure, (size_t)fmax(1, floor(room / PANEL_LEAST)));
    room = (room + PANEL_GAP) / (double)map->panel_columns - PANEL_GAP;
    status = gs_map_side_fit(&map->columns, &figure->columns, false, room,
                             wide ? HEAD_WIDTH : NUMBER_WIDTH, error);
    if (status == GS_OK)
        gs_map_columns_label(&map->columns, map->box.left);
    return status;
}

static double title_width(const gs_figure *figure) {
    return figure->title ? 2 * MARGIN + gs_pen_width(GS_PEN_TITLE, figure->title) : 0;
}

static void plan_boxes(gs_svg_map *map, double *width, double *height) {
    const gs_figure *figure = map->figure;
    size_t rows = (figure->panel_count + map->panel_columns - 1) / map->panel_columns;
    double title = gs_figure_has_titles(figure) ? PANEL_TITLE : 0;
    map->box.width = map->columns.length;
    map->box.height = map->rows.length;
    map->step_x = map->box.width + PANEL_GAP;
    map->step_y = map->box.height + PANEL_GAP + title;
    double needed = map->box.left + map->step_x * (double)map->panel_columns - PANEL_GAP + MARGIN;
    needed = fmax(fmax(needed, title_width(figure)), gs_map_bar_width(&map->colors));
    map->width = *width = ceil(fmin(*width, fmax(needed, WIDTH_LEAST)));
    map->box.top = gs_map_bar_height(&map->colors, *width) + BAR_GAP + HEADER + title;
    *height = map->box.top + map->step_y * (double)rows - PANEL_GAP - title +
              gs_map_columns_height(&map->columns) + BOTTOM;
}

/* ---- Values ---- */

static void fill_cells(const gs_svg_map *map, const gs_panel *panel) {
    size_t columns = map->columns.cells, rows = map->rows.cells;
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++)
            map->cells[r * columns + c] = gs_map_cell(map->figure, panel, columns, rows, c, r);
}

static double largest_value(const gs_map_colors *colors) {
    return fmax(fabs(colors->scale.low), fabs(colors->scale.high));
}

static void cell_text(const gs_svg_map *map, double value, char text[32]) {
    if (isfinite(value))
        gs_format_cell(text, value, largest_value(&map->colors));
    else
        gs_format(text, 32, "%s",
                  isnan(value)                 ? ""
                  : value > 0                  ? "inf"
                  : map->figure->value.decades ? "0"
                                               : "-inf");
}

static bool has_texts(const gs_svg_map *map) {
    char text[32];
    double widest = 0;
    for (size_t i = 0; i < map->columns.cells * map->rows.cells; i++) {
        cell_text(map, map->cells[i], text);
        widest = fmax(widest, gs_pen_width(GS_PEN_TICK, text));
    }
    return widest + 6 <= map->columns.cell && map->rows.cell >= 15;
}

static void plan_texts(gs_svg_map *map) {
    for (size_t p = 0; p < map->figure->panel_count; p++) {
        fill_cells(map, &map->figure->panels[p]);
        map->colors.numbers = map->colors.numbers || has_texts(map);
    }
}

gs_svg_map *gs_svg_map_new(const gs_figure *figure, double *width, double *height,
                           gs_error *error) {
    gs_svg_map *map = gs_alloc(1, sizeof *map, error);
    if (!map)
        return NULL;
    map->figure = figure;
    gs_map_colors_fit(&map->colors, figure);
    gs_status status = plan_sides(map, *width, error);
    if (status == GS_OK)
        map->cells = gs_alloc(map->columns.cells * map->rows.cells, sizeof *map->cells, error);
    if (!map->cells) {
        gs_svg_map_free(map);
        return NULL;
    }
    plan_texts(map);
    plan_boxes(map, width, height);
    return map;
}

void gs_svg_map_free(gs_svg_map *map) {
    if (!map)
        return;
    gs_map_side_free(&map->columns);
    gs_map_side_free(&map->rows);
    gs_free(map->cells);
    gs_free(map);
}

/* ---- Cells ---- */

static double cell_left(const gs_svg_map *map, gs_box box, size_t column) {
    return box.left + map->columns.starts[column];
}

static double cell_top(const gs_svg_map *map, gs_box box, size_t row) {
    return box.top + map->rows.starts[row];
}

/* The cells of one colour in row r, side by side in one piece where they are. Returns whether there
   are any; *open says whether the path has begun. */
static void write_runs(FILE *out, const gs_svg_map *map, gs_box box, size_t color, size_t r,
                       bool *open) {
    size_t columns = map->columns.cells;
    for (size_t c = 0, end; c < columns; c = end) {
        const double *cells = map->cells + r * columns;
        double left = cell_left(map, box, c);
        for (end = c; end < columns && gs_map_color_index(&map->colors, cells[end]) == color; end++)
            if (end > c &&
                map->columns.starts[end] - map->columns.starts[end - 1] != map->columns.cell)
                break;
        if (end == c) {
            end++;
            continue;
        }
        if (!*open) {
            fputs("<path", out);
            gs_pen_color(out, "fill", gs_map_color(&map->colors, color));
            fputs(" d=\"", out);
            *open = true;
        }
        fputs("M", out);
        gs_pen_pair(out, left, cell_top(map, box, r));
        int width = (int)((double)(end - c) * map->columns.cell);
        fprintf(out, "h%dv%dh-%dz", width, (int)map->rows.cell, width);
    }
}

static void write_colors(FILE *out, const gs_svg_map *map, gs_box box) {
    fputs("<g class=\"gs-cells\">\n", out);
    for (size_t color = 0; color < GS_MAP_COLORS + 3; color++) {
        bool open = false;
        for (size_t r = 0; r < map->rows.cells; r++)
            write_runs(out, map, box, color, r, &open);
        fputs(open ? "\"/>\n" : "", out);
    }
    fputs("</g>\n", out);
}

/* ---- What is in cells that are large enough ---- */

static void write_texts(FILE *out, const gs_svg_map *map, gs_box box) {
    char text[32];
    for (size_t r = 0; r < map->rows.cells; r++)
        for (size_t c = 0; c < map->columns.cells; c++) {
            double value = map->cells[r * map->columns.cells + c];
            gs_color color = gs_map_color(&map->colors, gs_map_color_index(&map->colors, value));
            cell_text(map, value, text);
            if (*text)
                gs_pen_numeral(out, gs_color_is_dark(color) ? "gs-on-dark" : "gs-on-light",
                               cell_left(map, box, c) + map->columns.cell / 2,
                               cell_top(map, box, r) + map->rows.cell / 2 + 4, text);
        }
}

/* Slanted lines through cells without a value, which colour alone would not tell in print. */
static void write_hatches(FILE *out, const gs_svg_map *map, gs_box box) {
    if (!map->colors.range.missing || map->columns.cell < 8 || map->rows.cell < 8)
        return;
    fputs("<path class=\"gs-hatch\" d=\"", out);
    for (size_t i = 0; i < map->columns.cells * map->rows.cells; i++)
        if (isnan(map->cells[i])) {
            double left = cell_left(map, box, i % map->columns.cells);
            double top = cell_top(map, box, i / map->columns.cells);
            fputs("M", out);
            gs_pen_pair(out, left, top + map->rows.cell);
            fputs("L", out);
            gs_pen_pair(out, left + map->columns.cell, top);
        }
    fputs("\"/>\n", out);
}

static void write_side(FILE *out, double x, double y, const char *direction, double length) {
    fputs("M", out);
    gs_pen_pair(out, x, y);
    fprintf(out, "%s%d", direction, (int)length);
}

/* The border of a cell, but for sides where it touches another that is outlined. */
static void outline_cell(FILE *out, const gs_svg_map *map, const bool *outlined, gs_box box,
                         size_t column, size_t row) {
    size_t columns = map->columns.cells, rows = map->rows.cells, i = row * columns + column;
    double width = map->columns.cell, height = map->rows.cell;
    double left = cell_left(map, box, column), top = cell_top(map, box, row);
    size_t above = map->figure->upward ? row + 1 : row - 1;
    size_t below = map->figure->upward ? row - 1 : row + 1;
    if (above >= rows || !outlined[above * columns + column] ||
        cell_top(map, box, above) + height < top)
        write_side(out, left, top + 1, "h", width);
    if (below >= rows || !outlined[below * columns + column] ||
        top + height < cell_top(map, box, below))
        write_side(out, left, top + height - 1, "h", width);
    if (column == 0 || !outlined[i - 1] || cell_left(map, box, column - 1) + width < left)
        write_side(out, left + 1, top, "v", height);
    if (column + 1 == columns || !outlined[i + 1] || left + width < cell_left(map, box, column + 1))
        write_side(out, left + width - 1, top, "v", height);
}

static void write_outlines(FILE *out, const gs_svg_map *map, const gs_panel *panel, gs_box box) {
    size_t columns = map->columns.cells, rows = map->rows.cells;
    bool whole = columns == map->figure->columns.count && rows == map->figure->rows.count;
    if (!panel->outlined || !whole || map->columns.cell < 6 || map->rows.cell < 6)
        return;
    fputs("<path class=\"gs-outline\" d=\"", out);
    for (size_t i = 0; i < columns * rows; i++)
        if (panel->outlined[i])
            outline_cell(out, map, panel->outlined, box, i % columns, i / columns);
    fputs("\"/>\n", out);
}

/* ---- Panels ---- */

static void write_attributes(FILE *out, const gs_svg_map *map, gs_box box) {
    char text[32];
    gs_pen_box(out, box);
    fprintf(out, " data-cell=\"%d %d\"", (int)map->columns.cell, (int)map->rows.cell);
    gs_map_side_attributes(out, &map->columns, "data-columns", "data-column-names", box.left);
    gs_map_side_attributes(out, &map->rows, "data-rows", "data-row-names", box.top);
    fputs(" data-values=\"", out);
    for (size_t i = 0; i < map->columns.cells * map->rows.cells; i++) {
        if (isfinite(map->cells[i]))
            gs_format(text, sizeof text, "%.4g", map->cells[i]);
        else
            gs_format_real(text, map->cells[i]);
        fprintf(out, "%s%s", i > 0 ? " " : "", text);
    }
    fputs("\"", out);
}

static void write_panel(FILE *out, const gs_svg_map *map, size_t index, double top) {
    const gs_panel *panel = &map->figure->panels[index];
    gs_box box = map->box;
    box.left += map->step_x * (double)(index % map->panel_columns);
    box.top += top + map->step_y * (double)(index / map->panel_columns);
    fill_cells(map, panel);
    fputs("<g class=\"gs-panel\"", out);
    write_attributes(out, map, box);
    fputs(">\n", out);
    if (panel->title)
        gs_pen_text(out, GS_PEN_NAME, GS_PEN_START, box.left, box.top - 8, panel->title,
                    box.width + PANEL_GAP / 2);
    write_colors(out, map, box);
    write_hatches(out, map, box);
    if (has_texts(map))
        write_texts(out, map, box);
    write_outlines(out, map, panel, box);
    if (index % map->panel_columns == 0)
        gs_map_rows_write(out, &map->rows, box);
    if (index + map->panel_columns >= map->figure->panel_count)
        gs_map_columns_write(out, &map->columns, box, index % map->panel_columns == 0);
    fputs("</g>\n", out);
}

void gs_svg_map_write(FILE *out, const gs_svg_map *map, double top) {
    gs_map_bar_write(out, &map->colors, map->width, top);
    for (size_t p = 0; p < map->figure->panel_count; p++)
        write_panel(out, map, p, top);
}
