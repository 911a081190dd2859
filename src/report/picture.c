/* Pictures: which kind suits, and what they say. */
#include "report/picture.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "report/picture_parts.h"

/* ---- Memory ---- */

void *gs_painter_take(gs_painter *painter, size_t count, size_t size) {
    return gs_arena_alloc(painter->arena, count * size);
}

const char *gs_painter_keep(gs_painter *painter, const gs_line *line) {
    char *copy = gs_painter_take(painter, line->length + 1, 1);
    return copy ? memcpy(copy, line->text, line->length + 1) : NULL;
}

/* ---- What there is ---- */

bool gs_is_measured(const gs_gather *gather, size_t config, size_t column) {
    const gs_gathered *gathered = &gather->configs[config];
    uint64_t first = 0, last = 0;
    if (gather->scope[column] == GS_OF_LAYER) {
        first = 1;
        last = gathered->last;
    }
    for (uint64_t layer = first; layer <= last; layer++) {
        const gs_cell_place place = {config, gathered->step, layer};
        const gs_values *values = gs_gather_at(gather, place, column);
        if (values && values->count + gs_values_others(values) > 0)
            return true;
    }
    return false;
}

static size_t count_measured(const gs_gather *gather, size_t column) {
    size_t count = 0;
    for (size_t i = 0; i < gather->config_count; i++)
        count += gs_is_measured(gather, i, column);
    return count;
}

static size_t count_steps(const gs_gather *gather, size_t column) {
    size_t count = 0;
    if (gather->first)
        gs_gather_steps(gather, column, &count);
    return count;
}

static bool is_finite_at(const gs_gather *gather, size_t config, uint64_t step, size_t column) {
    uint64_t last = gather->scope[column] == GS_OF_LAYER ? gather->configs[config].last : 0;
    for (uint64_t layer = last > 0; layer <= last; layer++) {
        const gs_cell_place place = {config, step, layer};
        if (isfinite(gs_values_mean(gs_gather_at(gather, place, column))))
            return true;
    }
    return false;
}

/* Whether there is a number for the axes to start from, at the last step or at any. */
static bool is_finite(const gs_gather *gather, size_t column, bool at_any) {
    size_t count;
    const uint64_t *steps = gs_gather_steps(gather, column, &count);
    for (size_t i = 0; i < gather->config_count; i++) {
        if (is_finite_at(gather, i, gather->configs[i].step, column))
            return true;
        for (size_t k = 0; k < count && at_any; k++)
            if (is_finite_at(gather, i, steps[k], column))
                return true;
    }
    return false;
}

const gs_factor *gs_number_factor(const gs_variation *variation) {
    return variation->count == 1 && variation->factors->numbers ? variation->factors : NULL;
}

bool gs_are_whole(const double *numbers, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (numbers[i] != floor(numbers[i]))
            return false;
    return true;
}

bool gs_has_head(const gs_gather *gather) {
    for (size_t i = 0; i < gather->config_count; i++)
        if (gather->configs[i].last > gather->configs[i].layers)
            return true;
    return false;
}

/* ---- Names ---- */

static const struct {
    const char *column, *name;
} quantities[] = {
    {"grad_z_log10", "|dL/dz|"},
    {"grad_w_log10", "|dL/dW|"},
    {"grad_b_log10", "|dL/db|"},
    {"grad_clipped_log10", "|dL/dW| after clipping"},
    {"theory_grad_log10", "|dL/dz| in theory"},
    {"grad_norm_log10", "norm of all gradients"},
    {"grad_norm_clipped_log10", "norm of all gradients after clipping"},
    {"ratio_log10_mean", "|dL/dx_0| / |dL/dx_L|"},
    {"update_ratio", "|update| / |W|"},
    {"grad_ratio", "|dL/dW| / |W|"},
    {"moved", "|W - W_0| / |W_0|"},
};

void gs_name_quantity(const gs_gather *gather, size_t column, gs_line *line) {
    const char *name = gather->column[column];
    *line = (gs_line){0};
    for (size_t i = 0; i < sizeof quantities / sizeof *quantities; i++)
        if (strcmp(quantities[i].column, name) == 0) {
            gs_line_add(line, "%s", quantities[i].name);
            return;
        }
    for (; *name; name++)
        gs_line_add(line, "%c", *name == '_' ? ' ' : *name);
    for (const char *log;
         gs_is_log10(gather->column[column]) && (log = strstr(line->text, " log10"));)
        line->text[line->length = (size_t)(log - line->text)] = '\0';
}

void gs_name_value(const gs_gather *gather, size_t column, gs_line *line) {
    gs_name_quantity(gather, column, line);
    if (gather->scope[column] != GS_OF_LAYER)
        return;
    const gs_line name = *line;
    *line = (gs_line){0};
    gs_line_add(line,
                gs_is_log10(gather->column[column]) ? "%s: layer 1 / last layer"
                                                    : "%s, mean over the layers",
                name.text);
}

bool gs_is_ratio(const gs_gather *gather, size_t column) {
    return gs_is_log10(gather->column[column]) &&
           (gather->scope[column] == GS_OF_LAYER || strstr(gather->column[column], "ratio"));
}

/* "up to 4 seeds", or "" if each configuration has one. Returns how many that are. */
static size_t name_seeds(const gs_gather *gather, gs_line *line) {
    size_t most = 0;
    bool same = true;
    for (size_t i = 0; i < gather->config_count; i++) {
        size_t networks = gather->configs[i].networks;
        same = same && (networks == most || most == 0 || networks == 0);
        most = networks > most ? networks : most;
    }
    *line = (gs_line){0};
    if (most > 1)
        gs_line_add(line, "%s%zu seeds", same ? "" : "up to ", most);
    return most;
}

void gs_name_seeds(const gs_gather *gather, size_t column, bool at_any_step, gs_line *line) {
    size_t most = name_seeds(gather, line);
    size_t others = most > 1 ? gs_gather_others(gather, column, at_any_step) : 0;
    others = others < most ? others : most; /* where steps were joined, each counts */
    if (others > 0)
        gs_line_add(line, ", without up to %zu that are %snot finite", others,
                    gs_is_log10(gather->column[column]) ? "0 or " : "");
}

void gs_add_last_step(const gs_gather *gather, size_t column, gs_line *line) {
    if (count_steps(gather, column) > 1)
        gs_line_add(line, "%sat the last step", line->length > 0 ? "; " : "");
}

static bool paint_texts(gs_painter *painter, gs_picture_kind kind, const char *title) {
    static const char *const against[GS_PICTURES] = {[GS_PICTURE_LAYERS] = "layer",
                                                     [GS_PICTURE_TRAINING] = "layer and step",
                                                     [GS_PICTURE_STEPS] = "step"};
    const gs_gather *gather = painter->gather;
    gs_figure *figure = painter->figure;
    bool over_steps = kind == GS_PICTURE_TRAINING || kind == GS_PICTURE_STEPS;
    gs_line line, labels, seeds;
    gs_variation_labels(painter->variation, &labels);
    gs_name_seeds(gather, painter->column, over_steps, &seeds);
    if (against[kind])
        gs_name_quantity(gather, painter->column, &line);
    else
        gs_name_value(gather, painter->column, &line);
    gs_line_add(&line, " by %s", against[kind] ? against[kind] : labels.text);
    figure->title = title ? title : gs_painter_keep(painter, &line);
    gs_variation_common(painter->variation, &line);
    if (!over_steps)
        gs_add_last_step(gather, painter->column, &line);
    if (seeds.length > 0)
        gs_line_add(&line, "%smean of %s", line.length > 0 ? "; " : "", seeds.text);
    figure->subtitle = gs_painter_keep(painter, &line);
    name_seeds(gather, &seeds);
    line = (gs_line){0};
    gs_line_add(&line, "least to largest of %s", seeds.text);
    figure->band = gs_painter_keep(painter, &line);
    figure->dashed = "theory";
    figure->edges = seeds.length > 0 ? "for a seed or more" : NULL;
    return figure->title && figure->subtitle && figure->band;
}

/* ---- Which kind ---- */

static bool has_values(const gs_gather *gather, size_t column) {
    for (size_t i = 0; i < gather->config_count; i++)
        if (isfinite(gs_gather_value(gather, i, column)))
            return true;
    return false;
}

bool gs_picture_suits(const gs_variation *variation, size_t column, gs_picture_kind kind) {
    const gs_gather *gather = variation->gather;
    size_t configs = count_measured(gather, column), steps = count_steps(gather, column), cells;
    size_t lines = gs_number_factor(variation) ? GS_PICTURE_STEPS_OF_ONE : GS_PICTURE_LINES;
    gs_scope scope = gather->scope[column];
    switch (kind) {
    case GS_PICTURE_LAYERS:
        return scope == GS_OF_LAYER && configs >= 1 && configs <= lines &&
               is_finite(gather, column, false);
    case GS_PICTURE_TRAINING:
        return scope == GS_OF_LAYER && steps > 1 && configs >= 1 && configs <= GS_PICTURE_PANELS &&
               is_finite(gather, column, true);
    case GS_PICTURE_STEPS:
        return scope == GS_OF_STEP && steps > 1 && configs >= 1 && configs <= lines &&
               is_finite(gather, column, true);
    case GS_PICTURE_NUMBER:
        return configs > 1 && gs_number_factor(variation) && has_values(gather, column);
    default:
        cells = gs_option_cells(variation);
        return configs >= 1 && cells >= 1 && cells <= GS_PICTURE_CELLS;
    }
}

static gs_status refuse(const gs_variation *variation, size_t column, gs_error *error) {
    const gs_gather *gather = variation->gather;
    const char *name = gather->column[column];
    if (gather->config_count == 0)
        return gs_fail(error, GS_ERR_FORMAT, "expected rows, got none");
    if (count_measured(gather, column) == 0) {
        for (size_t i = 0; i < gather->config_count; i++)
            if (gather->configs[i].error)
                return gs_fail(error, GS_ERR_FORMAT, "nothing was measured: %s",
                               gather->configs[i].error);
        return gs_fail(error, GS_ERR_FORMAT, "column '%s': expected numbers, got empty cells",
                       name);
    }
    if (variation->count == 0 && !is_finite(gather, column, true))
        return gs_fail(error, GS_ERR_FORMAT, "column '%s': expected finite numbers, got none",
                       name);
    if (variation->count == 0)
        return gs_fail(error, GS_ERR_UNSUPPORTED,
                       "column '%s': expected several steps or configurations, got one number",
                       name);
    gs_line labels;
    gs_variation_labels(variation, &labels);
    return gs_fail(error, GS_ERR_UNSUPPORTED,
                   "expected at most %d cells in one picture, got %zu, as %s differ: leave some "
                   "out with --where",
                   GS_PICTURE_CELLS, gs_option_cells(variation), labels.text);
}

gs_status gs_picture_choose(const gs_variation *variation, size_t column, gs_picture_kind *kind,
                            gs_error *error) {
    bool is_training =
        variation->gather->config_count > 0 && count_steps(variation->gather, column) > 1;
    if (variation->gather->config_count > 0)
        for (*kind = is_training ? GS_PICTURE_TRAINING : 0; *kind < GS_PICTURES; ++*kind)
            if (gs_picture_suits(variation, column, *kind))
                return GS_OK;
    return refuse(variation, column, error);
}

/* ---- The whole ---- */

gs_picture *gs_picture_new(const gs_variation *variation, size_t column, gs_picture_kind kind,
                           const char *title, gs_error *error) {
    static bool (*const paint[GS_PICTURES])(gs_painter *) = {
        [GS_PICTURE_LAYERS] = gs_paint_layers,   [GS_PICTURE_TRAINING] = gs_paint_training,
        [GS_PICTURE_STEPS] = gs_paint_steps,     [GS_PICTURE_NUMBER] = gs_paint_number,
        [GS_PICTURE_OPTIONS] = gs_paint_options,
    };
    bool is_map = kind == GS_PICTURE_TRAINING || kind == GS_PICTURE_OPTIONS;
    size_t texts = 8 * (sizeof(gs_line) + 2 * GS_ALIGNMENT);
    size_t bytes = is_map ? gs_maps_bytes(variation) : gs_lines_bytes(variation);
    gs_picture *picture = gs_alloc(1, sizeof *picture, error);
    if (!picture)
        return NULL;
    gs_painter painter = {variation, variation->gather, column, gs_arena_new(bytes + texts, error),
                          &picture->figure};
    picture->arena = painter.arena;
    if (painter.arena && paint_texts(&painter, kind, title) && paint[kind](&painter))
        return picture;
    if (painter.arena)
        gs_fail(error, GS_ERR_MEMORY, "out of memory for a picture");
    gs_picture_free(picture);
    return NULL;
}

void gs_picture_free(gs_picture *picture) {
    if (picture)
        gs_arena_free(picture->arena);
    gs_free(picture);
}
