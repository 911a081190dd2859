/* What was gathered comes to: the number and the verdict of a configuration. */
#include <math.h>
#include <string.h>

#include "flow/measure.h"
#include "report/gather.h"

bool gs_is_log10(const char *column) {
    const char *log = strstr(column, "_log10");
    return log && (strcmp(log, "_log10") == 0 || strcmp(log, "_log10_mean") == 0);
}

bool gs_is_gradient(const gs_gather *gather, size_t column) {
    const char *name = gather->column[column];
    if (gather->is_summary)
        return strcmp(name, "ratio_log10_mean") == 0;
    return gather->scope[column] == GS_OF_LAYER && gs_is_log10(name) && strstr(name, "grad_");
}

/* ---- Numbers ---- */

static const gs_cells *cells_of(const gs_gather *gather, size_t column) {
    return gather->scope[column] == GS_OF_LAYER ? gather->all.layers : gather->all.wholes;
}

static const gs_cells *newest_of(const gs_gather *gather, size_t column) {
    return gather->scope[column] == GS_OF_LAYER ? gather->newest.layers : gather->newest.wholes;
}

const gs_values *gs_gather_at(const gs_gather *gather, gs_cell_place place, size_t column) {
    bool is_newest = place.step > 0 && place.step == gather->configs[place.config].step;
    return gs_cells_at(is_newest ? newest_of(gather, column) : cells_of(gather, column), place,
                       gather->slot[column]);
}

const uint64_t *gs_gather_steps(const gs_gather *gather, size_t column, size_t *count) {
    return gs_cells_steps(cells_of(gather, column), count);
}

/* A training stops where it is no longer finite: of what is lost no row is there from then on. */
double gs_gather_most(const gs_gather *gather, gs_cell_place place, size_t column) {
    const gs_gathered *config = &gather->configs[place.config];
    const gs_values *at = gs_gather_at(gather, place, column);
    bool is_joined = gs_cells_width(cells_of(gather, column)) > 1 && place.step != config->step;
    if (!at || gather->is_summary || is_joined)
        return gs_values_most(at);
    gs_values values = *at;
    double absent = (double)config->networks - values.count - gs_values_others(at);
    values.others[GS_OTHERS - 1] += fmax(0, fmin(absent, gs_values_others(&config->ends)));
    return gs_values_most(&values);
}

static double mean_at(const gs_gather *gather, size_t config, uint64_t layer, size_t column) {
    const gs_cell_place place = {config, gather->configs[config].step, layer};
    return gs_gather_most(gather, place, column);
}

double gs_gather_change(double first, double last) {
    return first == -INFINITY ? first : first - last;
}

static double mean_of_layers(const gs_gather *gather, size_t config, size_t column) {
    double sum = 0;
    uint64_t count = 0;
    for (uint64_t layer = 1; layer <= gather->configs[config].layers; layer++) {
        double value = mean_at(gather, config, layer, column);
        sum += isnan(value) ? 0 : value;
        count += !isnan(value);
    }
    return count > 0 ? sum / (double)count : (double)NAN;
}

double gs_gather_value(const gs_gather *gather, size_t config, size_t column) {
    const gs_gathered *gathered = &gather->configs[config];
    if (gather->scope[column] != GS_OF_LAYER)
        return mean_at(gather, config, 0, column);
    if (!gs_is_log10(gather->column[column]))
        return mean_of_layers(gather, config, column);
    if (column == GS_GATHER_WANTED && !gather->is_mixed)
        return gs_values_most(&gathered->ends);
    return gs_gather_change(mean_at(gather, config, 1, column),
                            mean_at(gather, config, gathered->layers, column));
}

static double most_others(const gs_gather *gather, gs_cell_place place, size_t column) {
    uint64_t last = gather->scope[column] == GS_OF_LAYER ? gather->configs[place.config].last : 0;
    double most = 0;
    for (place.layer = last > 0; place.layer <= last; place.layer++)
        most = fmax(most, gs_values_others(gs_gather_at(gather, place, column)));
    return most;
}

size_t gs_gather_others(const gs_gather *gather, size_t column, bool at_any) {
    double most = 0;
    size_t steps;
    const uint64_t *step = gs_gather_steps(gather, column, &steps);
    for (size_t i = 0; i < gather->config_count; i++) {
        const gs_cell_place last = {i, gather->configs[i].step, 0};
        most = fmax(most, most_others(gather, last, column));
        if (column == GS_GATHER_WANTED)
            most = fmax(most, gs_values_others(&gather->configs[i].ends));
        for (size_t k = 0; k < steps && at_any; k++)
            most = fmax(most, most_others(gather, (gs_cell_place){i, step[k], 0}, column));
    }
    return (size_t)most;
}

/* ---- Verdicts ---- */

gs_verdict gs_gather_judge(double change) {
    return isnan(change) || change == INFINITY ? GS_NONFINITE : gs_verdict_of(change);
}

size_t gs_gather_verdict(const gs_gather *gather, size_t config) {
    const size_t *verdicts = gather->configs[config].verdicts;
    if (gather->is_mixed) {
        double value = gs_gather_value(gather, config, GS_GATHER_WANTED);
        return isnan(value) ? GS_VERDICTS : (size_t)gs_gather_judge(value);
    }
    size_t most = GS_VERDICTS;
    for (size_t v = 0; v < GS_VERDICTS; v++)
        if (verdicts[v] > 0 && (most == GS_VERDICTS || verdicts[v] >= verdicts[most]))
            most = v;
    return most;
}
