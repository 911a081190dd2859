/*
 * The log as a sheet: where a record becomes rows of indices and measurements.
 */
#include "report/row.h"

enum { RUN, SEED, STEP, LAYER, KIND, LOSS, INDICES };

static const char *const index_names[INDICES] = {"run", "seed", "step", "layer", "kind", "loss"};
static const char *const kind_names[] = {[GS_KIND_DENSE] = "dense", [GS_KIND_HEAD] = "head"};

gs_sheet *gs_log_new(FILE *file, gs_report_style style, gs_error *error) {
    const char *names[INDICES + GS_COLUMN_COUNT];
    for (size_t i = 0; i < INDICES; i++)
        names[i] = index_names[i];
    for (size_t i = 0; i < GS_COLUMN_COUNT; i++)
        names[INDICES + i] = gs_column_name((gs_column)i);
    return gs_sheet_new(file, style, names, INDICES + GS_COLUMN_COUNT, error);
}

static void fill(gs_cell *cell, const gs_record *record, const gs_layer_stats *stats) {
    cell[RUN] = gs_cell_whole(record->run);
    cell[SEED] = gs_cell_whole(record->seed);
    cell[STEP] = gs_cell_whole(record->step);
    cell[LAYER] = gs_cell_whole(stats->layer);
    cell[KIND] = gs_cell_text(kind_names[stats->kind]);
    cell[LOSS] = gs_cell_real(record->summary->loss);
    for (size_t i = 0; i < GS_COLUMN_COUNT; i++) {
        double value;
        bool present = gs_layer_stats_get(stats, (gs_column)i, &value);
        cell[INDICES + i] = present ? gs_cell_real(value) : gs_cell_absent();
    }
}

gs_status gs_log_write(gs_sheet *log, const gs_record *record, gs_error *error) {
    gs_status status = gs_sheet_set_config(log, record->config, error);
    for (size_t i = 0; status == GS_OK && i < record->rows; i++) {
        fill(gs_sheet_cells(log), record, &record->stats[i]);
        gs_sheet_write(log);
    }
    return status;
}
