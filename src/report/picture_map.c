/* Pictures that are maps: layers by steps, and options by options. */
#include <math.h>

#include "base/memory.h"
#include "report/picture_parts.h"

static uint64_t deepest(const gs_gather *gather) {
    uint64_t most = 0;
    for (size_t i = 0; i < gather->config_count; i++)
        most = gather->configs[i].last > most ? gather->configs[i].last : most;
    return most;
}

/* The values of panels or cells, the texts of both sides, and what it takes to split them. */
size_t gs_maps_bytes(const gs_variation *variation) {
    const gs_gather *gather = variation->gather;
    size_t steps, line = sizeof(gs_line) + 2 * GS_ALIGNMENT, panels = GS_PICTURE_PANELS;
    gs_gather_steps(gather, GS_GATHER_WANTED, &steps);
    panels = gather->config_count < panels ? gather->config_count : panels;
    size_t values =
        panels * steps * deepest(gather) + steps + deepest(gather) + 2 * GS_PICTURE_CELLS;
    size_t of_configs = (variation->count + 8) * (gather->config_count * sizeof(size_t) + line);
    return values * sizeof(double) + of_configs + (panels + 8) * (line + sizeof(gs_panel));
}

/* ---- Layers by steps ---- */

static bool fill_training(gs_painter *painter, gs_panel *panel, size_t config) {
    const gs_gather *gather = painter->gather;
    size_t columns, rows = painter->figure->rows.count;
    const uint64_t *steps = gs_gather_steps(gather, painter->column, &columns);
    double *values = gs_painter_take(painter, columns * rows, sizeof *values);
    gs_line name;
    gs_variation_name(painter->variation, config, &name);
    panel->title = gs_painter_keep(painter, &name);
    if (!values || !panel->title)
        return false;
    for (size_t row = 0; row < rows; row++)
        for (size_t column = 0; column < columns; column++) {
            const gs_cell_place place = {config, steps[column], row + 1};
            values[row * columns + column] = gs_gather_most(gather, place, painter->column);
        }
    panel->values = values;
    return true;
}

bool gs_paint_training(gs_painter *painter) {
    const gs_gather *gather = painter->gather;
    gs_figure *figure = painter->figure;
    gs_panel *panels = gs_painter_take(painter, GS_PICTURE_PANELS, sizeof *panels);
    size_t step_count, layers = deepest(gather);
    const uint64_t *steps = gs_gather_steps(gather, painter->column, &step_count);
    double *columns = gs_painter_take(painter, step_count, sizeof *columns);
    double *rows = gs_painter_take(painter, layers, sizeof *rows);
    gs_line label;
    gs_name_quantity(gather, painter->column, &label);
    const char *name = gs_painter_keep(painter, &label);
    if (!panels || !columns || !rows || !name)
        return false;
    for (size_t i = 0; i < step_count; i++)
        columns[i] = (double)steps[i];
    for (size_t i = 0; i < layers; i++)
        rows[i] = (double)(i + 1);
    figure->kind = GS_FIGURE_MAP;
    figure->columns = (gs_side){.count = step_count, .label = "step", .numbers = columns};
    figure->rows = (gs_side){.count = layers,
                             .label = gs_has_head(gather) ? "layer (last: head)" : "layer",
                             .numbers = rows};
    figure->upward = true;
    figure->value =
        (gs_quantity){.label = name, .decades = gs_is_log10(gather->column[painter->column])};
    figure->missing = "not there, or not finite";
    figure->panels = panels;
    for (size_t i = 0; i < gather->config_count; i++)
        if (gs_is_measured(gather, i, painter->column) &&
            !fill_training(painter, &panels[figure->panel_count++], i))
            return false;
    return true;
}

/* ---- Options by options: the first factors go down, the others across ---- */

/* The combinations of factors `from` .. `to` - 1 that there are, in order. */
typedef struct {
    size_t from, to, count;
    size_t *first; /* [count] a configuration with each */
    size_t *place; /* [config_count] which one a configuration has */
} combination;

/* Configurations ordered by the last factor, then stably by the one before it, ... */
static void sort_configs(const gs_variation *variation, const combination *c, size_t *order,
                         size_t *scratch, size_t *starts) {
    size_t count = variation->gather->config_count;
    for (size_t i = 0; i < count; i++)
        order[i] = i;
    for (size_t f = c->to; f-- > c->from;) {
        const gs_factor *factor = &variation->factors[f];
        for (size_t v = 0; v <= factor->count; v++)
            starts[v] = 0;
        for (size_t i = 0; i < count; i++)
            starts[factor->place[i] + 1]++;
        for (size_t v = 0; v < factor->count; v++)
            starts[v + 1] += starts[v];
        for (size_t i = 0; i < count; i++)
            scratch[starts[factor->place[order[i]]]++] = order[i];
        for (size_t i = 0; i < count; i++)
            order[i] = scratch[i];
    }
}

static bool are_alike(const gs_variation *variation, const combination *c, size_t a, size_t b) {
    for (size_t f = c->from; f < c->to; f++)
        if (variation->factors[f].place[a] != variation->factors[f].place[b])
            return false;
    return true;
}

/* `room` is for three arrays of config_count + 1. */
static void combine(const gs_variation *variation, combination *c, size_t *room) {
    size_t count = variation->gather->config_count;
    size_t *order = room, *scratch = order + count + 1, *starts = scratch + count + 1;
    sort_configs(variation, c, order, scratch, starts);
    c->count = 0;
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || !are_alike(variation, c, order[i], order[i - 1])) {
            if (c->first)
                c->first[c->count] = order[i];
            c->count++;
        }
        if (c->place)
            c->place[order[i]] = c->count - 1;
    }
}

/* How many factors go down: those for which rows and columns are fewest, and so nearest to a
   square. One factor goes across. */
static size_t split(const gs_variation *variation, size_t *room, size_t *cells) {
    size_t best = 0, least = SIZE_MAX;
    for (size_t down = variation->count > 1; down == 0 || down < variation->count; down++) {
        combination rows = {.from = 0, .to = down},
                    columns = {.from = down, .to = variation->count};
        combine(variation, &rows, room);
        combine(variation, &columns, room);
        if (rows.count + columns.count < least) {
            least = rows.count + columns.count;
            best = down;
            *cells = rows.count * columns.count;
        }
        if (down == 0)
            break;
    }
    return best;
}

size_t gs_option_cells(const gs_variation *variation) {
    size_t cells = 0, count = variation->gather->config_count;
    size_t *room = gs_alloc(3 * (count + 1), sizeof *room, NULL);
    if (room && variation->count > 0)
        split(variation, room, &cells);
    gs_free(room);
    return cells;
}

static bool make_side(gs_painter *painter, const combination *c, gs_side *side) {
    size_t levels = c->to - c->from;
    gs_head *heads = gs_painter_take(painter, levels, sizeof *heads);
    if (!heads)
        return false;
    for (size_t k = 0; k < levels; k++) {
        const gs_factor *factor = &painter->variation->factors[c->from + k];
        const char **texts = gs_painter_take(painter, c->count, sizeof *texts);
        if (!texts)
            return false;
        for (size_t i = 0; i < c->count; i++)
            texts[i] = factor->texts[factor->place[c->first[i]]];
        heads[k] = (gs_head){factor->label, texts};
    }
    *side = (gs_side){.count = c->count, .levels = levels, .heads = heads};
    return true;
}

/* Why cells have no number: "failed or not finite". */
static const char *name_missing(gs_painter *painter, size_t cells) {
    bool has_failed = false, is_not_finite = false;
    for (size_t i = 0; i < painter->gather->config_count; i++) {
        bool is_measured = gs_is_measured(painter->gather, i, painter->column);
        double value = gs_gather_value(painter->gather, i, painter->column);
        has_failed = has_failed || !is_measured;
        is_not_finite = is_not_finite || (is_measured && isnan(value));
    }
    const struct {
        bool holds;
        const char *text;
    } reasons[] = {{painter->gather->config_count < cells, "left out"},
                   {has_failed, "failed"},
                   {is_not_finite, "not finite"}};
    gs_line line = {0};
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].holds)
            gs_line_add(&line, "%s%s", line.length > 0 ? " or " : "", reasons[i].text);
    return gs_painter_keep(painter, &line);
}

static bool fill_options(gs_painter *painter, const combination *rows, const combination *columns) {
    size_t cells = rows->count * columns->count, healthy = 0;
    gs_panel *panel = gs_painter_take(painter, 1, sizeof *panel);
    double *values = gs_painter_take(painter, cells, sizeof *values);
    bool *outlined = gs_painter_take(painter, cells, sizeof *outlined);
    if (!panel || !values || !outlined)
        return false;
    for (size_t i = 0; i < cells; i++)
        values[i] = NAN;
    for (size_t i = 0; i < painter->gather->config_count; i++) {
        /* Of what failed nobody may know all options, and so its place. */
        if (!gs_is_measured(painter->gather, i, painter->column))
            continue;
        size_t cell = rows->place[i] * columns->count + columns->place[i];
        if (isnan(values[cell]))
            values[cell] = gs_gather_value(painter->gather, i, painter->column);
        outlined[cell] = gs_gather_verdict(painter->gather, i) == GS_HEALTHY;
        healthy += outlined[cell];
    }
    panel->values = values;
    if (gs_is_gradient(painter->gather, painter->column) && healthy > 0 && healthy < cells) {
        panel->outlined = outlined;
        painter->figure->outline = "healthy";
    }
    painter->figure->panels = panel;
    painter->figure->panel_count = 1;
    painter->figure->missing = name_missing(painter, cells);
    return painter->figure->missing;
}

bool gs_paint_options(gs_painter *painter) {
    const gs_variation *variation = painter->variation;
    gs_figure *figure = painter->figure;
    size_t count = variation->gather->config_count, cells;
    size_t *room = gs_painter_take(painter, 7 * (count + 1), sizeof *room);
    gs_line label;
    gs_name_value(painter->gather, painter->column, &label);
    const char *name = gs_painter_keep(painter, &label);
    if (!room || !name)
        return false;
    size_t *next = room + 3 * (count + 1), down = split(variation, room, &cells);
    combination rows = {0, down, 0, next, next + count};
    combination columns = {down, variation->count, 0, next + 2 * count, next + 3 * count};
    combine(variation, &rows, room);
    combine(variation, &columns, room);
    figure->kind = GS_FIGURE_MAP;
    figure->value = (gs_quantity){.label = name,
                                  .decades = gs_is_log10(painter->gather->column[painter->column])};
    figure->diverging = gs_is_ratio(painter->gather, painter->column);
    return make_side(painter, &rows, &figure->rows) &&
           make_side(painter, &columns, &figure->columns) && fill_options(painter, &rows, &columns);
}
