/* Pictures of lines: against layers, steps, or an option. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "kernels/kernels.h"
#include "report/picture_parts.h"

enum { ARRAYS = 6 }; /* of a series: x, y, low, high, theory, edges */

/* A number against an option, or some configurations against layers or steps. */
size_t gs_lines_bytes(const gs_variation *variation) {
    const gs_gather *gather = variation->gather;
    size_t steps, of_layers, name = sizeof(gs_line) + 2 * GS_ALIGNMENT;
    gs_cells_steps(gather->all.wholes, &steps);
    gs_cells_steps(gather->all.layers, &of_layers);
    steps = of_layers > steps ? of_layers : steps;
    size_t bytes = ARRAYS * (gather->config_count * sizeof(double) + 2 * GS_ALIGNMENT) + 8 * name;
    for (size_t i = 0; i < gather->config_count && i < GS_GATHER_CONFIGS; i++) {
        size_t points = gather->configs[i].last > steps ? gather->configs[i].last : steps;
        bytes += ARRAYS * (points * sizeof(double) + 2 * GS_ALIGNMENT) + name + sizeof(gs_series);
    }
    return bytes;
}

/* ---- One series ---- */

static double *take_numbers(gs_painter *painter, size_t count) {
    return gs_painter_take(painter, count, sizeof(double));
}

static bool has_numbers(const double *numbers, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!isnan(numbers[i]))
            return true;
    return false;
}

/* The places are (config, step or NULL, layer): `layers` from 1 on, or the steps. */
static gs_cell_place place_at(const gs_gather *gather, size_t config, const uint64_t *steps,
                              size_t index) {
    if (steps)
        return (gs_cell_place){config, steps[index], 0};
    return (gs_cell_place){config, gather->configs[config].step, index + 1};
}

/* What is marked at the edge: y, or what some networks are where y is the mean of the others. */
static double edge_of(const gs_values *values, double y) {
    if (isinf(y) || !values)
        return y;
    return values->others[GS_OTHERS_LOW] > 0    ? -INFINITY
           : values->others[GS_OTHERS_HIGH] > 0 ? INFINITY
                                                : NAN;
}

/* What the networks of a configuration have beside their mean. */
static bool fill_spread(gs_painter *painter, gs_series *series, size_t config,
                        const uint64_t *steps) {
    double *low = take_numbers(painter, series->count);
    double *high = take_numbers(painter, series->count);
    double *edges = take_numbers(painter, series->count);
    if (!low || !high || !edges)
        return false;
    for (size_t i = 0; i < series->count; i++) {
        const gs_values *values = gs_gather_at(
            painter->gather, place_at(painter->gather, config, steps, i), painter->column);
        bool is_there = isfinite(gs_values_mean(values));
        low[i] = is_there ? values->low : (double)NAN;
        high[i] = is_there ? values->high : (double)NAN;
        edges[i] = edge_of(values, series->y[i]);
    }
    series->low = low;
    series->high = high;
    series->edges = edges;
    return true;
}

/* Of a column, at layers or steps. */
static double *fill_means(gs_painter *painter, const gs_series *series, size_t config,
                          const uint64_t *steps, size_t column) {
    double *means = take_numbers(painter, series->count);
    for (size_t i = 0; i < series->count && means; i++) {
        const gs_cell_place place = place_at(painter->gather, config, steps, i);
        means[i] = steps ? gs_gather_most(painter->gather, place, column)
                         : gs_values_mean(gs_gather_at(painter->gather, place, column));
    }
    return means;
}

/* The theory is that of |dL/dz|. */
static bool predicts(const gs_painter *painter) {
    return strcmp(painter->gather->column[painter->column], "grad_z_log10") == 0;
}

static bool fill_series(gs_painter *painter, gs_series *series, size_t config,
                        const uint64_t *steps, size_t count) {
    gs_line name;
    double *x = take_numbers(painter, count);
    series->count = count;
    series->x = x;
    for (size_t i = 0; i < count && x; i++) {
        x[i] = steps ? (double)steps[i] : (double)(i + 1);
        x[i] = painter->figure->x.decades ? gs_log10(x[i]) : x[i];
    }
    series->y = fill_means(painter, series, config, steps, painter->column);
    gs_variation_name(painter->variation, config, &name);
    series->name = gs_painter_keep(painter, &name);
    if (!x || !series->y || !series->name)
        return false;
    if (painter->gather->configs[config].networks > 1 &&
        !fill_spread(painter, series, config, steps))
        return false;
    if (steps || !predicts(painter))
        return true;
    const double *theory = fill_means(painter, series, config, NULL, GS_GATHER_THEORY);
    if (theory && has_numbers(theory, count))
        series->theory = theory;
    return theory;
}

/* ---- A panel of them ---- */

/* The configurations that are drawn, in the order of the option's numbers if there is one. */
static size_t list_configs(const gs_painter *painter, size_t *configs) {
    const gs_factor *number = gs_number_factor(painter->variation);
    size_t count = 0;
    for (size_t i = 0; i < painter->gather->config_count; i++) {
        if (!gs_is_measured(painter->gather, i, painter->column))
            continue;
        size_t k = count++;
        for (; number && k > 0 && number->place[configs[k - 1]] > number->place[i]; k--)
            configs[k] = configs[k - 1];
        configs[k] = i;
    }
    return count;
}

static bool make_panel(gs_painter *painter, const gs_series *series, size_t count) {
    gs_panel *panel = gs_painter_take(painter, 1, sizeof *panel);
    if (!panel)
        return false;
    panel->series = series;
    panel->series_count = count;
    painter->figure->kind = GS_FIGURE_LINES;
    painter->figure->panels = panel;
    painter->figure->panel_count = 1;
    return true;
}

static bool paint_lines(gs_painter *painter, const uint64_t *steps, size_t step_count) {
    const gs_gather *gather = painter->gather;
    size_t *configs = gs_painter_take(painter, gather->config_count, sizeof *configs);
    size_t count = configs ? list_configs(painter, configs) : 0;
    gs_series *series = gs_painter_take(painter, count, sizeof *series);
    gs_line label;
    bool fits = series;
    for (size_t i = 0; i < count && fits; i++)
        fits = fill_series(painter, &series[i], configs[i], steps,
                           steps ? step_count : gather->configs[configs[i]].last);
    gs_name_quantity(gather, painter->column, &label);
    const char *name = gs_painter_keep(painter, &label);
    painter->figure->y =
        (gs_quantity){.label = name, .decades = gs_is_log10(gather->column[painter->column])};
    painter->figure->ordered = gs_number_factor(painter->variation);
    return fits && name && make_panel(painter, series, count);
}

/* Numbers that are spread as powers are: 1e-4, 1e-3, 1e-2. */
static bool are_powers(double first, double middle, double last) {
    return first > 0 && last >= 50 * first && middle < last / 5;
}

bool gs_paint_layers(gs_painter *painter) {
    painter->figure->x = (gs_quantity){
        .label = gs_has_head(painter->gather) ? "layer (last: head)" : "layer", .whole = true};
    return paint_lines(painter, NULL, 0);
}

bool gs_paint_steps(gs_painter *painter) {
    size_t count;
    const uint64_t *steps = gs_gather_steps(painter->gather, painter->column, &count);
    size_t first = steps[0] == 0; /* there is none among powers */
    bool is_log = are_powers((double)steps[first], (double)steps[(first + count) / 2],
                             (double)steps[count - 1]);
    painter->figure->x =
        (gs_quantity){.label = is_log && first > 0 ? "step (0 is left out)" : "step",
                      .whole = !is_log,
                      .decades = is_log};
    return is_log ? paint_lines(painter, steps + first, count - first)
                  : paint_lines(painter, steps, count);
}

/* ---- A number against an option ---- */

bool gs_paint_number(gs_painter *painter) {
    const gs_factor *factor = gs_number_factor(painter->variation);
    size_t count = factor->count;
    const double *numbers = factor->numbers;
    bool is_log = are_powers(numbers[0], numbers[count / 2], numbers[count - 1]);
    double *x = take_numbers(painter, count), *y = take_numbers(painter, count);
    gs_series *series = gs_painter_take(painter, 1, sizeof *series);
    gs_line label;
    gs_name_value(painter->gather, painter->column, &label);
    const char *name = gs_painter_keep(painter, &label);
    if (!x || !y || !series || !name)
        return false;
    for (size_t i = 0; i < count; i++) {
        x[i] = is_log ? gs_log10(numbers[i]) : numbers[i];
        y[i] = NAN;
    }
    for (size_t i = 0; i < painter->gather->config_count; i++)
        if (gs_is_measured(painter->gather, i, painter->column))
            y[factor->place[i]] = gs_gather_value(painter->gather, i, painter->column);
    *series = (gs_series){.name = "", .count = count, .x = x, .y = y};
    painter->figure->x = (gs_quantity){.label = factor->label,
                                       .whole = !is_log && gs_are_whole(numbers, count),
                                       .decades = is_log};
    painter->figure->y = (gs_quantity){
        .label = name, .decades = gs_is_log10(painter->gather->column[painter->column])};
    return make_panel(painter, series, 1);
}
