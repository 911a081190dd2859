/* Cells: numbers of a log by configuration, step and layer. */
#include "report/cells.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/lookup.h"
#include "base/memory.h"

enum { FIRST_ROOM = 256, LEAST_STEPS = 64 };

struct gs_cells {
    size_t columns, count, room, most;
    bool is_newest;
    gs_cell_place *places; /* [room] */
    gs_values *values;     /* [room][columns] */
    gs_lookup lookup;
    uint64_t width; /* steps that become one: those with the same step / width */
    size_t steps;
    uint64_t step[GS_CELLS_STEPS + 1]; /* [steps] */
    size_t last;                       /* cell that was added to */
};

/* ---- Values ---- */

static void values_add(gs_values *values, double value, double weight) {
    if (!isfinite(value)) {
        size_t kind = isnan(value) ? GS_OTHERS_NAN : value > 0 ? GS_OTHERS_HIGH : GS_OTHERS_LOW;
        values->others[kind] += weight;
        return;
    }
    bool is_first = values->count == 0;
    values->count += weight;
    values->mean += (value - values->mean) * weight / values->count;
    values->low = is_first || value < values->low ? value : values->low;
    values->high = is_first || value > values->high ? value : values->high;
}

static void values_join(gs_values *a, const gs_values *b) {
    for (size_t k = 0; k < GS_OTHERS; k++)
        a->others[k] += b->others[k];
    if (b->count == 0)
        return;
    bool is_first = a->count == 0;
    a->count += b->count;
    a->mean += (b->mean - a->mean) * (b->count / a->count);
    a->low = is_first || b->low < a->low ? b->low : a->low;
    a->high = is_first || b->high > a->high ? b->high : a->high;
}

void gs_values_add(gs_values *values, double value) {
    values_add(values, value, 1);
}

double gs_values_others(const gs_values *values) {
    double count = 0;
    for (size_t k = 0; values && k < GS_OTHERS; k++)
        count += values->others[k];
    return count;
}

static double worst_of(const gs_values *values) {
    static const double kinds[GS_OTHERS] = {
        [GS_OTHERS_LOW] = -INFINITY, [GS_OTHERS_HIGH] = INFINITY, [GS_OTHERS_NAN] = NAN};
    size_t most = 0;
    for (size_t k = 0; k < GS_OTHERS; k++)
        most = values->others[k] >= values->others[most] ? k : most;
    return kinds[most];
}

double gs_values_mean(const gs_values *values) {
    if (!values || values->count + gs_values_others(values) == 0)
        return NAN;
    return values->count > 0 ? values->mean : worst_of(values);
}

double gs_values_most(const gs_values *values) {
    bool is_lost =
        values && gs_values_others(values) > 0 && gs_values_others(values) >= values->count;
    return is_lost ? worst_of(values) : gs_values_mean(values);
}

/* ---- Finding cells ---- */

static bool is_place(const void *owner, size_t entry, const void *wanted) {
    const gs_cells *cells = owner;
    const gs_cell_place *a = &cells->places[entry], *b = wanted;
    bool is_step = cells->is_newest || a->step == b->step;
    return a->config == b->config && is_step && a->layer == b->layer;
}

static size_t find(const gs_cells *cells, gs_cell_place place) {
    return gs_lookup_find(&cells->lookup, gs_hash(0, &place, sizeof place), is_place, cells,
                          &place);
}

static gs_cell_place coarse(const gs_cells *cells, gs_cell_place place) {
    place.step -= cells->is_newest ? place.step : place.step % cells->width;
    return place;
}

const gs_values *gs_cells_at(const gs_cells *cells, gs_cell_place place, size_t column) {
    size_t cell = find(cells, coarse(cells, place));
    if (cell == GS_LOOKUP_NONE || (cells->is_newest && cells->places[cell].step != place.step))
        return NULL;
    return &cells->values[cell * cells->columns + column];
}

uint64_t gs_cells_width(const gs_cells *cells) {
    return cells->width;
}

const uint64_t *gs_cells_steps(const gs_cells *cells, size_t *count) {
    *count = cells->steps;
    return cells->step;
}

/* ---- Steps ---- */

/* Where a step is, or would be. */
static size_t find_step(const gs_cells *cells, uint64_t step) {
    size_t low = 0, high = cells->steps;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (cells->step[middle] < step)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void add_step(gs_cells *cells, uint64_t step) {
    size_t at = find_step(cells, step);
    if (at < cells->steps && cells->step[at] == step)
        return;
    memmove(cells->step + at + 1, cells->step + at, (cells->steps - at) * sizeof *cells->step);
    cells->step[at] = step;
    cells->steps++;
}

/* Join the cells of steps that are one now. */
static gs_status join_cells(gs_cells *cells, gs_error *error) {
    size_t count = cells->count, row = cells->columns * sizeof *cells->values;
    gs_status status = GS_OK;
    gs_lookup_free(&cells->lookup);
    cells->count = 0;
    for (size_t i = 0; i < count && status == GS_OK; i++) {
        gs_cell_place place = coarse(cells, cells->places[i]);
        gs_values *from = cells->values + i * cells->columns;
        size_t cell = find(cells, place);
        if (cell == GS_LOOKUP_NONE) {
            cell = cells->count++;
            cells->places[cell] = place;
            memmove(cells->values + cell * cells->columns, from, row);
            status = gs_lookup_add(&cells->lookup, gs_hash(0, &place, sizeof place), cell, error);
        } else
            for (size_t k = 0; k < cells->columns; k++)
                values_join(&cells->values[cell * cells->columns + k], &from[k]);
    }
    cells->last = 0;
    return status;
}

/* Twice as many steps become one, until there are no more than `most`. */
static gs_status widen(gs_cells *cells, size_t most, gs_error *error) {
    while (cells->steps > most) {
        size_t count = cells->steps;
        cells->width *= 2;
        cells->steps = 0;
        for (size_t i = 0; i < count; i++) {
            uint64_t step = cells->step[i] - cells->step[i] % cells->width;
            if (cells->steps == 0 || cells->step[cells->steps - 1] != step)
                cells->step[cells->steps++] = step;
        }
    }
    return join_cells(cells, error);
}

/* ---- Adding ---- */

static gs_status grow(gs_cells *cells, gs_error *error) {
    size_t room = cells->room > 0 ? 2 * cells->room : FIRST_ROOM, columns = cells->columns;
    room = room < cells->most ? room : cells->most;
    gs_cell_place *places = gs_realloc(cells->places, cells->count, room, sizeof *places, error);
    if (!places)
        return GS_ERR_MEMORY;
    cells->places = places;
    gs_values *values =
        gs_realloc(cells->values, cells->count, room, columns * sizeof *values, error);
    if (!values)
        return GS_ERR_MEMORY;
    cells->values = values;
    cells->room = room;
    return GS_OK;
}

static gs_status make_room(gs_cells *cells, gs_error *error) {
    gs_status status = GS_OK;
    while (status == GS_OK && cells->count == cells->most && cells->steps > LEAST_STEPS)
        status = widen(cells, cells->steps / 2, error);
    if (status != GS_OK || cells->count < cells->room)
        return status;
    if (cells->count == cells->most)
        return gs_fail(error, GS_ERR_UNSUPPORTED,
                       "expected at most %zu configurations times layers: leave some out with "
                       "--where",
                       cells->most);
    return grow(cells, error);
}

static void clear(gs_cells *cells, size_t cell) {
    memset(cells->values + cell * cells->columns, 0, cells->columns * sizeof *cells->values);
}

static gs_status make(gs_cells *cells, gs_cell_place place, size_t *cell, gs_error *error) {
    gs_status status = make_room(cells, error);
    if (status == GS_OK)
        add_step(cells, coarse(cells, place).step);
    if (status == GS_OK && cells->steps > GS_CELLS_STEPS)
        status = widen(cells, GS_CELLS_STEPS, error);
    if (status != GS_OK)
        return status;
    place = coarse(cells, place);
    *cell = find(cells, place);
    if (*cell != GS_LOOKUP_NONE)
        return GS_OK;
    *cell = cells->count++;
    cells->places[*cell] = place;
    clear(cells, *cell);
    return gs_lookup_add(&cells->lookup, gs_hash(0, &place, sizeof place), *cell, error);
}

/* Whether a value of this step counts, before which those of older steps go. */
static bool counts(gs_cells *cells, size_t cell, uint64_t step) {
    uint64_t *newest = &cells->places[cell].step;
    if (cells->is_newest && step > *newest) {
        clear(cells, cell);
        *newest = step;
    }
    return !cells->is_newest || step == *newest;
}

gs_status gs_cells_add(gs_cells *cells, gs_cell_place place, size_t column, double value,
                       double weight, gs_error *error) {
    gs_cell_place at = coarse(cells, place);
    size_t cell = cells->last;
    gs_status status = GS_OK;
    if (cell >= cells->count || !is_place(cells, cell, &at))
        cell = find(cells, at);
    if (cell == GS_LOOKUP_NONE)
        status = make(cells, place, &cell, error);
    if (status != GS_OK)
        return status;
    cells->last = cell;
    if (counts(cells, cell, place.step))
        values_add(&cells->values[cell * cells->columns + column], value, weight);
    return GS_OK;
}

/* ---- The whole ---- */

gs_cells *gs_cells_new(size_t columns, bool is_newest, gs_error *error) {
    gs_cells *cells = gs_alloc(1, sizeof *cells, error);
    if (!cells)
        return NULL;
    cells->columns = columns;
    cells->is_newest = is_newest;
    cells->most = GS_CELLS_VALUES / columns;
    cells->width = 1;
    return cells;
}

void gs_cells_free(gs_cells *cells) {
    if (cells) {
        gs_free(cells->places);
        gs_free(cells->values);
        gs_lookup_free(&cells->lookup);
    }
    gs_free(cells);
}
