/*
 * What both ways to draw a figure ask of it: ranges, names, and maps in fewer cells.
 */
#include "report/figure.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

/* ---- Ranges ---- */

static const gs_range no_range = {.low = NAN, .high = NAN};

static void range_add(gs_range *range, const double *values, size_t count) {
    for (size_t i = 0; values && i < count; i++) {
        range->zero = range->zero || values[i] == -INFINITY;
        range->infinite = range->infinite || values[i] == INFINITY;
        range->missing = range->missing || isnan(values[i]);
        if (isfinite(values[i])) {
            range->low = range->low <= values[i] ? range->low : values[i];
            range->high = range->high >= values[i] ? range->high : values[i];
        }
    }
}

gs_range gs_figure_x_range(const gs_figure *figure) {
    gs_range range = no_range;
    for (size_t p = 0; p < figure->panel_count; p++)
        for (size_t s = 0; s < figure->panels[p].series_count; s++)
            range_add(&range, figure->panels[p].series[s].x, figure->panels[p].series[s].count);
    return range;
}

gs_range gs_figure_y_range(const gs_figure *figure) {
    gs_range range = no_range;
    for (size_t p = 0; p < figure->panel_count; p++)
        for (size_t s = 0; s < figure->panels[p].series_count; s++) {
            const gs_series *series = &figure->panels[p].series[s];
            range_add(&range, series->y, series->count);
            range_add(&range, series->edges, series->count);
            gs_range band = range;
            range_add(&band, series->theory, series->count);
            range_add(&band, series->low, series->count);
            range_add(&band, series->high, series->count);
            range.low = band.low;
            range.high = band.high;
        }
    return range;
}

gs_range gs_figure_value_range(const gs_figure *figure) {
    gs_range range = no_range;
    for (size_t p = 0; p < figure->panel_count; p++)
        range_add(&range, figure->panels[p].values, figure->columns.count * figure->rows.count);
    if (figure->diverging) {
        range.low = fmin(range.low, 0);
        range.high = fmax(range.high, 0);
    }
    return range;
}

void gs_figure_edge_text(const gs_figure *figure, bool upward, char out[64]) {
    bool says_more = figure->edges && *figure->edges;
    gs_format(out, 64, "%s%s%s",
              upward              ? "infinite"
              : figure->y.decades ? "exactly 0"
                                  : "-infinite",
              says_more ? " " : "", says_more ? figure->edges : "");
}

bool gs_figure_has_titles(const gs_figure *figure) {
    for (size_t p = 0; p < figure->panel_count; p++)
        if (figure->panels[p].title && *figure->panels[p].title)
            return true;
    return false;
}

bool gs_figure_has_outlines(const gs_figure *figure) {
    for (size_t p = 0; p < figure->panel_count; p++)
        for (size_t i = 0; i < figure->columns.count * figure->rows.count; i++)
            if (figure->panels[p].outlined && figure->panels[p].outlined[i])
                return true;
    return false;
}

/* ---- Legends ---- */

static size_t series_total(const gs_figure *figure) {
    size_t total = 0;
    for (size_t p = 0; p < figure->panel_count; p++)
        total += figure->panels[p].series_count;
    return total;
}

static bool is_name(const gs_legend *legend, size_t hue, const char *name) {
    return hue < legend->count && strcmp(legend->names[hue], name) == 0;
}

/* The hue of a name from an earlier panel, where `names` were known: mostly the one at its own
   place. */
static size_t find_hue(const gs_legend *legend, size_t names, size_t place, const char *name) {
    if (place < names && is_name(legend, place, name))
        return place;
    for (size_t hue = 0; hue < names; hue++)
        if (is_name(legend, hue, name))
            return hue;
    return legend->count;
}

gs_legend *gs_legend_new(const gs_figure *figure, gs_error *error) {
    size_t total = series_total(figure), k = 0;
    gs_legend *legend = gs_alloc(1, sizeof *legend, error);
    if (!legend)
        return NULL;
    legend->names = gs_alloc(total, sizeof *legend->names, error);
    legend->hues = legend->names ? gs_alloc(total, sizeof *legend->hues, error) : NULL;
    if (!legend->hues) {
        gs_legend_free(legend);
        return NULL;
    }
    for (size_t p = 0; p < figure->panel_count; p++) {
        size_t names = legend->count;
        for (size_t s = 0; s < figure->panels[p].series_count; s++, k++) {
            const gs_series *series = &figure->panels[p].series[s];
            const char *name = series->name ? series->name : "";
            legend->hues[k] = find_hue(legend, names, s, name);
            if (legend->hues[k] == legend->count)
                legend->names[legend->count++] = name;
            legend->bands = legend->bands || (series->low && series->high);
            legend->theory = legend->theory || series->theory;
        }
    }
    return legend;
}

void gs_legend_free(gs_legend *legend) {
    if (!legend)
        return;
    gs_free(legend->names);
    gs_free(legend->hues);
    gs_free(legend);
}

bool gs_legend_is_empty(const gs_legend *legend) {
    for (size_t hue = 0; hue < legend->count; hue++)
        if (*legend->names[hue])
            return false;
    return true;
}

/* ---- Maps ---- */

double gs_map_cell(const gs_figure *figure, const gs_panel *panel, size_t columns, size_t rows,
                   size_t column, size_t row) {
    size_t all_columns = figure->columns.count, all_rows = figure->rows.count, count = 0;
    size_t first_column = column * all_columns / columns;
    size_t end_column = (column + 1) * all_columns / columns;
    double sum = 0;
    gs_range range = no_range;
    for (size_t r = row * all_rows / rows; r < (row + 1) * all_rows / rows; r++) {
        const double *values = panel->values + r * all_columns;
        range_add(&range, values + first_column, end_column - first_column);
        for (size_t c = first_column; c < end_column; c++, count++)
            sum += values[c];
    }
    if (range.infinite || range.missing || range.zero)
        return range.infinite ? INFINITY : range.missing ? (double)NAN : -INFINITY;
    return sum / (double)count;
}

/* The least of 1, 2, 5, 10, 20, ... that is `least` or more. */
static size_t round_step(size_t least) {
    size_t step = 1;
    while (step < least) {
        size_t power = step;
        while (power % 10 == 0)
            power /= 10;
        step = power == 2 ? step / 2 * 5 : step * 2;
    }
    return step;
}

void gs_side_ticks(const gs_side *side, size_t most, size_t *first, size_t *step) {
    most = most > 0 ? most : 1;
    *first = 0;
    *step = round_step((side->count + most - 1) / most);
    if (side->count < 2 || !side->numbers || *step == 1)
        return;
    double between = (double)*step * (side->numbers[1] - side->numbers[0]);
    for (size_t i = 0; i < *step && i < side->count; i++)
        if (side->numbers[i] / between == floor(side->numbers[i] / between)) {
            *first = i;
            return;
        }
}

void gs_side_text(const gs_side *side, size_t index, char *out, size_t size) {
    const char *text = side->levels > 0 ? side->heads[side->levels - 1].texts[index] : NULL;
    if (side->levels == 0 && side->numbers)
        gs_format(out, size, "%.15g", side->numbers[index]);
    else
        gs_format(out, size, "%s", text ? text : "");
}

static const char *head_text(const gs_head *head, size_t index) {
    return head->texts[index] ? head->texts[index] : "";
}

bool gs_side_begins_group(const gs_side *side, size_t level, size_t index) {
    if (index == 0)
        return true;
    for (size_t k = 0; k <= level && k < side->levels; k++)
        if (strcmp(head_text(&side->heads[k], index), head_text(&side->heads[k], index - 1)) != 0)
            return true;
    return false;
}
