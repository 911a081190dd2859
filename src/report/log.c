/*
 * The log as a sheet: where a record becomes rows of indices and measurements.
 */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "report/row.h"

enum { RUN, SEED, STEP, LAYER, KIND, LOSS, INDICES };

static const char *const index_names[INDICES] = {"run", "seed", "step", "layer", "kind", "loss"};
static const char *const kind_names[] = {[GS_KIND_DENSE] = "dense", [GS_KIND_HEAD] = "head"};

/* Of the whole step, in every row of it. */
static const struct {
    const char *name;
    size_t offset; /* in gs_training_stats */
} step_columns[] = {
    {"accuracy", offsetof(gs_training_stats, accuracy)},
    {"test_loss", offsetof(gs_training_stats, test_loss)},
    {"test_accuracy", offsetof(gs_training_stats, test_accuracy)},
    {"lr", offsetof(gs_training_stats, rate)},
    {"grad_norm_log10", offsetof(gs_training_stats, grad_norm_log10)},
    {"grad_norm_clipped_log10", offsetof(gs_training_stats, grad_norm_clipped_log10)},
    {"clipped", offsetof(gs_training_stats, clipped)},
};

/* Of the network's place in a sweep, and why there is nothing more to say of it. */
static const char *const place_names[] = {"point", "points", "sweep", "error"};

enum {
    STEP_COLUMNS = sizeof step_columns / sizeof *step_columns,
    PLACE = INDICES + GS_COLUMN_COUNT + STEP_COLUMNS,
    POINT = PLACE,
    POINTS,
    SWEEP,
    ERROR,
    COLUMNS
};

static const char *column_name(size_t column) {
    if (column < INDICES)
        return index_names[column];
    if (column >= PLACE)
        return place_names[column - PLACE];
    column -= INDICES;
    return column < GS_COLUMN_COUNT ? gs_column_name((gs_column)column)
                                    : step_columns[column - GS_COLUMN_COUNT].name;
}

bool gs_log_has(const char *name) {
    for (size_t i = 0; i < COLUMNS; i++)
        if (strcmp(name, column_name(i)) == 0)
            return true;
    return false;
}

gs_sheet *gs_log_new(FILE *file, gs_report_style style, gs_error *error) {
    const char *names[COLUMNS];
    for (size_t i = 0; i < COLUMNS; i++)
        names[i] = column_name(i);
    return gs_sheet_new(file, style, names, COLUMNS, error);
}

static gs_cell step_cell(const gs_training_stats *stats, size_t column) {
    double value = NAN;
    if (stats)
        memcpy(&value, (const char *)stats + step_columns[column].offset, sizeof value);
    return isnan(value) ? gs_cell_absent() : gs_cell_real(value);
}

static void fill_place(gs_cell *cell, const gs_record *record) {
    cell[RUN] = gs_cell_whole(record->run);
    cell[SEED] = gs_cell_whole(record->seed);
    cell[STEP] = gs_cell_whole(record->step);
    cell[POINT] = gs_cell_whole(record->point);
    cell[POINTS] = gs_cell_whole(record->points);
    cell[SWEEP] = record->sweep ? gs_cell_text(record->sweep) : gs_cell_absent();
}

static void fill(gs_cell *cell, const gs_record *record, const gs_layer_stats *stats) {
    cell[LAYER] = gs_cell_whole(stats->layer);
    cell[KIND] = gs_cell_text(kind_names[stats->kind]);
    cell[LOSS] = gs_cell_real(record->summary->loss);
    for (size_t i = 0; i < GS_COLUMN_COUNT; i++) {
        double value;
        bool present = gs_layer_stats_get(stats, (gs_column)i, &value);
        cell[INDICES + i] = present ? gs_cell_real(value) : gs_cell_absent();
    }
    for (size_t i = 0; i < STEP_COLUMNS; i++)
        cell[INDICES + GS_COLUMN_COUNT + i] = step_cell(record->training, i);
}

gs_status gs_log_write(gs_sheet *log, const gs_record *record, gs_error *error) {
    gs_status status = gs_sheet_set_config(log, record->config, error);
    fill_place(gs_sheet_cells(log), record);
    for (size_t i = 0; status == GS_OK && i < record->rows; i++) {
        fill(gs_sheet_cells(log), record, &record->stats[i]);
        gs_sheet_write(log);
    }
    return status;
}

gs_status gs_log_write_error(gs_sheet *log, const gs_record *record, const char *message,
                             gs_error *error) {
    gs_status status = gs_sheet_set_config(log, record->config, error);
    if (status == GS_OK) {
        gs_cell *cell = gs_sheet_cells(log);
        for (size_t i = 0; i < PLACE; i++)
            cell[i] = gs_cell_absent();
        fill_place(cell, record);
        cell[ERROR] = gs_cell_text(message);
        gs_sheet_write(log);
        cell[ERROR] = gs_cell_absent();
    }
    return status;
}
