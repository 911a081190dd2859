/*
 * The sides of a map: where its cells are, and the texts of columns and rows.
 */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "report/svg_map.h"

enum { CELL_LEAST = 3, CELLS_MOST = 400, GROUP_GAP = 6, TEXT_SIZE = 128, LINE = 18 };
enum {
    ROW_ROOM = 190,
    SLANTED_ROOM = 130,
    ROW_LEAST = 13,
    NUMBER_LEAST = 24,
    OUTER_GAP = 12,
    TICK_LENGTH = 4,
    FLAT_GAP = 3
};
static const double slant = 0.70710678; /* sin and cos of 45 degrees */

/* ---- Cells ---- */

static bool begins_group(const gs_side *side, size_t index) {
    return side->levels > 1 && index > 0 && gs_side_begins_group(side, side->levels - 2, index);
}

static size_t first_of_cell(const gs_map_side *side, size_t cell) {
    return cell * side->side->count / side->cells;
}

/* The cell that is drawn at a place, counted from the left or from above. */
static size_t cell_at(const gs_map_side *side, size_t place) {
    return side->upward ? side->cells - 1 - place : place;
}

gs_status gs_map_side_fit(gs_map_side *side, const gs_side *of, bool upward, double room,
                          double largest, gs_error *error) {
    size_t most = (size_t)fmin(fmax(floor(room / CELL_LEAST), 1), CELLS_MOST);
    double gaps = 0;
    *side = (gs_map_side){.side = of, .upward = upward, .step = 1};
    side->cells = of->count < most ? of->count : most;
    side->levels = of->levels < GS_MAP_LEVELS ? of->levels : GS_MAP_LEVELS;
    for (size_t i = 0; i < of->count && side->cells == of->count; i++)
        gaps += begins_group(of, i) ? GROUP_GAP : 0;
    gaps = gaps < room / 4 ? gaps : 0;
    if (side->cells > 0)
        side->cell = floor((room - gaps) / (double)side->cells);
    side->cell = fmin(fmax(side->cell, CELL_LEAST), largest);
    side->starts = gs_alloc(side->cells, sizeof *side->starts, error);
    if (!side->starts)
        return GS_ERR_MEMORY;
    for (size_t place = 0; place < side->cells; place++) {
        size_t cell = cell_at(side, place);
        size_t later = upward ? cell + 1 : cell;
        if (gaps > 0 && place > 0 && begins_group(of, later))
            side->length += GROUP_GAP;
        side->starts[cell] = side->length;
        side->length += side->cell;
    }
    return GS_OK;
}

void gs_map_side_free(gs_map_side *side) {
    gs_free(side->starts);
}

/* "act relu", or ", act relu". */
static void write_head_name(FILE *out, const gs_head *head, size_t index, bool follows) {
    fputs(follows ? ", " : "", out);
    gs_pen_escape(out, head->label ? head->label : "", NULL);
    putc(' ', out);
    gs_pen_escape(out, head->texts[index] ? head->texts[index] : "", NULL);
}

void gs_map_side_attributes(FILE *out, const gs_map_side *side, const char *starts,
                            const char *names, double origin) {
    char text[TEXT_SIZE];
    fprintf(out, " %s=\"", starts);
    for (size_t i = 0; i < side->cells; i++) {
        fputs(i > 0 ? " " : "", out);
        gs_pen_number(out, origin + side->starts[i]);
    }
    fprintf(out, "\" %s=\"", names);
    for (size_t i = 0; i < side->cells; i++) {
        fputs(i > 0 ? "&#10;" : "", out);
        for (size_t k = 0; k < side->side->levels; k++)
            write_head_name(out, &side->side->heads[k], first_of_cell(side, i), k > 0);
        if (side->side->levels > 0)
            continue;
        gs_side_text(side->side, first_of_cell(side, i), text, sizeof text);
        gs_pen_escape(out, text, NULL);
    }
    putc('"', out);
}

/* ---- Which texts there are, and how large ---- */

/* The head of a level, when the innermost GS_MAP_LEVELS are drawn. */
static const gs_head *head_of(const gs_map_side *side, size_t level) {
    return &side->side->heads[side->side->levels - side->levels + level];
}

static const char *outer_text(const gs_map_side *side, size_t level, size_t index) {
    const char *text = head_of(side, level)->texts[index];
    return text ? text : "";
}

static void measure(gs_map_side *side) {
    char text[TEXT_SIZE];
    size_t inner = side->levels > 0 ? side->levels - 1 : 0;
    for (size_t i = 0; i < side->side->count; i++) {
        gs_side_text(side->side, i, text, sizeof text);
        side->room[inner] = fmax(side->room[inner], gs_pen_width(GS_PEN_TICK, text));
        for (size_t k = 0; k < inner; k++)
            side->room[k] = fmax(side->room[k], gs_pen_width(GS_PEN_TICK, outer_text(side, k, i)));
    }
    for (size_t k = 0; k <= inner; k++)
        side->room[k] = ceil(side->room[k]) + 1;
}

static double *inner_room(gs_map_side *side) {
    return &side->room[side->levels > 0 ? side->levels - 1 : 0];
}

/* The middle of the cell that an index is in. */
static double middle(const gs_map_side *side, size_t index) {
    size_t cell = index * side->cells / side->side->count;
    return side->starts[cell] + side->cell / 2;
}

/* Whether the texts of columns have room side by side, and hardly jut out. */
static bool lie_flat(const gs_map_side *columns) {
    char text[TEXT_SIZE];
    double end = -2 * FLAT_GAP;
    for (size_t i = 0; i < columns->side->count; i++) {
        gs_side_text(columns->side, i, text, sizeof text);
        double half = gs_pen_width(GS_PEN_TICK, text) / 2;
        if (end + FLAT_GAP > middle(columns, i) - half)
            return false;
        end = middle(columns, i) + half;
    }
    return end <= columns->length + FLAT_GAP;
}

void gs_map_columns_label(gs_map_side *columns, double left) {
    measure(columns);
    double *room = inner_room(columns), apart = *room + 16;
    if (columns->levels > 0) {
        columns->slanted = !lie_flat(columns);
        apart = columns->slanted ? ROW_LEAST : columns->cell;
    }
    if (columns->slanted)
        *room = fmin(*room, fmin(SLANTED_ROOM, (left + columns->cell / 2 - 8) / slant));
    gs_side_ticks(columns->side, (size_t)fmax(1, floor(columns->length / apart)), &columns->first,
                  &columns->step);
}

/* The header of a level, or of the numbers. */
static const char *level_label(const gs_map_side *side, size_t level) {
    return side->levels > 0 ? head_of(side, level)->label : side->side->label;
}

void gs_map_rows_label(gs_map_side *rows) {
    measure(rows);
    for (size_t k = 0; k == 0 || k < rows->levels; k++) {
        const char *label = level_label(rows, k);
        double width = label ? gs_pen_width(GS_PEN_LABEL, label) : 0;
        rows->room[k] = fmin(fmax(rows->room[k], width), ROW_ROOM);
    }
    double apart = rows->levels > 0 ? ROW_LEAST : NUMBER_LEAST;
    gs_side_ticks(rows->side, (size_t)fmax(1, floor(rows->length / apart)), &rows->first,
                  &rows->step);
}

double gs_map_rows_width(const gs_map_side *rows) {
    double width = rows->room[0] + 8;
    for (size_t k = 1; k < rows->levels; k++)
        width += rows->room[k] + OUTER_GAP;
    return width;
}

double gs_map_columns_height(const gs_map_side *columns) {
    double inner = columns->room[columns->levels > 0 ? columns->levels - 1 : 0];
    double height = columns->slanted ? ceil(inner * slant) + 16 : 20;
    if (columns->levels > 1)
        return height + (double)(columns->levels - 1) * (LINE + 2);
    const char *label = level_label(columns, 0);
    return height + (label && *label ? LINE : 0);
}

/* ---- Writing ---- */

/* Where a group of a level ends that begins at `index`. */
static size_t group_end(const gs_map_side *side, size_t level, size_t index) {
    size_t whole = side->side->levels - side->levels + level;
    size_t end = index + 1;
    while (end < side->side->count && !gs_side_begins_group(side->side, whole, end))
        end++;
    return end;
}

/* From the beginning of the first to the end of the last of its cells. */
static void group_span(const gs_map_side *side, size_t index, size_t end, double *from,
                       double *to) {
    double a = middle(side, index), b = middle(side, end - 1);
    *from = fmin(a, b) - side->cell / 2;
    *to = fmax(a, b) + side->cell / 2;
}

static void write_inner_rows(FILE *out, const gs_map_side *rows, gs_box box) {
    char text[TEXT_SIZE];
    double room = rows->room[rows->levels > 0 ? rows->levels - 1 : 0];
    for (size_t i = rows->first; i < rows->side->count; i += rows->step) {
        double y = box.top + middle(rows, i);
        gs_side_text(rows->side, i, text, sizeof text);
        if (rows->levels == 0)
            gs_pen_line(out, "gs-axis", box.left - TICK_LENGTH, y, box.left - 1, y);
        gs_pen_text(out, GS_PEN_TICK, GS_PEN_END, box.left - 8, y + 4, text, room);
    }
}

void gs_map_rows_write(FILE *out, const gs_map_side *rows, gs_box box) {
    double right = box.left - 8;
    write_inner_rows(out, rows, box);
    if (rows->levels == 0)
        gs_pen_text(out, GS_PEN_LABEL, GS_PEN_END, right, box.top - 8, rows->side->label,
                    rows->room[0]);
    for (size_t k = rows->levels; k-- > 0;) {
        gs_pen_text(out, GS_PEN_LABEL, GS_PEN_END, right, box.top - 8, head_of(rows, k)->label,
                    rows->room[k]);
        for (size_t i = 0, end; i < rows->side->count && k + 1 < rows->levels; i = end) {
            double from, to;
            end = group_end(rows, k, i);
            group_span(rows, i, end, &from, &to);
            gs_pen_line(out, "gs-axis", right + 5, box.top + from, right + 5, box.top + to);
            gs_pen_text(out, GS_PEN_TICK, GS_PEN_END, right, box.top + (from + to) / 2 + 4,
                        outer_text(rows, k, i), rows->room[k]);
        }
        right -= rows->room[k] + OUTER_GAP;
    }
}

static void write_inner_columns(FILE *out, const gs_map_side *columns, gs_box box) {
    char text[TEXT_SIZE];
    double room = columns->room[columns->levels > 0 ? columns->levels - 1 : 0];
    double bottom = box.top + box.height;
    for (size_t i = columns->first; i < columns->side->count; i += columns->step) {
        double x = box.left + middle(columns, i);
        gs_side_text(columns->side, i, text, sizeof text);
        if (columns->levels == 0)
            gs_pen_line(out, "gs-axis", x, bottom + 1, x, bottom + TICK_LENGTH);
        if (columns->slanted) {
            fputs("<g transform=\"translate(", out);
            gs_pen_pair(out, x + 4, bottom + 12);
            fputs(") rotate(-45)\">", out);
            gs_pen_text(out, GS_PEN_TICK, GS_PEN_END, 0, 0, text, room);
            fputs("</g>\n", out);
        } else
            gs_pen_text(out, GS_PEN_TICK, GS_PEN_MIDDLE, x, bottom + 16, text, room);
    }
}

/* Groups of the level whose texts stand at `y`, each below a line as long as it is. */
static void write_column_groups(FILE *out, const gs_map_side *columns, size_t level, gs_box box,
                                double y) {
    for (size_t i = 0, end; i < columns->side->count; i = end) {
        double from, to;
        end = group_end(columns, level, i);
        group_span(columns, i, end, &from, &to);
        gs_pen_line(out, "gs-axis", box.left + from, y - 13, box.left + to, y - 13);
        gs_pen_text(out, GS_PEN_TICK, GS_PEN_MIDDLE, box.left + (from + to) / 2, y,
                    outer_text(columns, level, i), to - from);
    }
}

void gs_map_columns_write(FILE *out, const gs_map_side *columns, gs_box box, bool first) {
    double bottom = box.top + box.height, inner = columns->room[0];
    if (columns->levels > 0)
        inner = columns->room[columns->levels - 1];
    double y = bottom + (columns->slanted ? ceil(inner * slant) + 16 : 20);
    write_inner_columns(out, columns, box);
    if (columns->levels < 2) {
        gs_pen_text(out, GS_PEN_LABEL, GS_PEN_MIDDLE, box.left + box.width / 2, y + 12,
                    level_label(columns, 0), box.width + 60);
        return;
    }
    if (first) /* clear of a slanted text, which reaches to the left of its column */
        gs_pen_text(out, GS_PEN_LABEL, GS_PEN_END, box.left - (columns->slanted ? 14 : 8),
                    bottom + 16, head_of(columns, columns->levels - 1)->label, box.left - 18);
    for (size_t k = columns->levels - 1; k-- > 0; y += LINE + 2) {
        write_column_groups(out, columns, k, box, y + 15);
        if (first)
            gs_pen_text(out, GS_PEN_LABEL, GS_PEN_END, box.left - 8, y + 15,
                        head_of(columns, k)->label, box.left - 12);
    }
}
