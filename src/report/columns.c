/*
 * The columns of the log: indices, measurements, configuration. This is where a record becomes
 * rows.
 */
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "net/config.h"
#include "report/row.h"

enum { RUN, SEED, STEP, LAYER, KIND, LOSS, INDICES };

static const char *const index_names[INDICES] = {"run", "seed", "step", "layer", "kind", "loss"};
static const char *const kind_names[] = {[GS_KIND_DENSE] = "dense", [GS_KIND_HEAD] = "head"};

/* ---- Names ---- */

static bool is_taken(const gs_row *row, size_t used, const char *name) {
    for (size_t i = 0; i < used; i++)
        if (strcmp(row->name[i], name) == 0)
            return true;
    return false;
}

/* An option may be called as a measurement is: --loss chooses one, and the loss is its value. */
static void name_option(gs_row *row, size_t index, const char *option) {
    char *name = row->name[index];
    gs_format(name, GS_COLUMN_NAME_SIZE, "%s", option);
    for (char *c = name; (c = strchr(c, '-'));)
        *c = '_';
    if (is_taken(row, index, name)) {
        char plain[GS_COLUMN_NAME_SIZE];
        memcpy(plain, name, sizeof plain);
        gs_format(name, GS_COLUMN_NAME_SIZE, "config_%.40s", plain);
    }
}

static size_t count_columns(void) {
    size_t count = INDICES + GS_COLUMN_COUNT;
    for (size_t i = 0; i < gs_config_options.count; i++)
        count += gs_config_options.rows[i].column;
    return count;
}

gs_status gs_row_new(gs_row *row, gs_error *error) {
    row->count = count_columns();
    row->name = gs_alloc(row->count, sizeof *row->name, error);
    row->cell = row->name ? gs_alloc(row->count, sizeof *row->cell, error) : NULL;
    if (!row->cell)
        return GS_ERR_MEMORY;
    size_t index = 0;
    for (size_t i = 0; i < INDICES; i++)
        strcpy(row->name[index++], index_names[i]);
    for (size_t i = 0; i < GS_COLUMN_COUNT; i++)
        gs_format(row->name[index++], GS_COLUMN_NAME_SIZE, "%s", gs_column_name((gs_column)i));
    for (size_t i = 0; i < gs_config_options.count; i++)
        if (gs_config_options.rows[i].column)
            name_option(row, index++, gs_config_options.rows[i].name);
    return GS_OK;
}

void gs_row_free(gs_row *row) {
    gs_free(row->name);
    gs_free(row->cell);
}

/* ---- Cells ---- */

static gs_cell whole_cell(uint64_t value) {
    return (gs_cell){.kind = GS_CELL_WHOLE, .whole = value};
}

static gs_cell real_cell(double value) {
    return (gs_cell){.kind = GS_CELL_REAL, .real = value};
}

static gs_cell text_cell(const char *text) {
    return (gs_cell){.kind = GS_CELL_TEXT, .text = text};
}

/* A column is either all numbers or all strings: the bias 0.1 is a string, as normal:0.1 is. Only
   "auto" may stand among numbers. */
static gs_cell option_cell(const gs_option *option, const char *text) {
    bool number = option->kind == GS_OPTION_SIZE || option->kind == GS_OPTION_SEED ||
                  option->kind == GS_OPTION_REAL;
    if (text[0] == '\0')
        return (gs_cell){.kind = GS_CELL_ABSENT};
    if (number && !(option->automatic && strcmp(text, option->automatic) == 0))
        return (gs_cell){.kind = GS_CELL_NUMERAL, .text = text};
    return text_cell(text);
}

void gs_row_fill_names(gs_row *row) {
    for (size_t i = 0; i < row->count; i++)
        row->cell[i] = text_cell(row->name[i]);
}

void gs_row_fill(gs_row *row, const gs_record *record, size_t index, char *const *options) {
    const gs_layer_stats *stats = &record->stats[index];
    gs_cell *cell = row->cell;
    cell[RUN] = whole_cell(record->run);
    cell[SEED] = whole_cell(record->seed);
    cell[STEP] = whole_cell(record->step);
    cell[LAYER] = whole_cell(stats->layer);
    cell[KIND] = text_cell(kind_names[stats->kind]);
    cell[LOSS] = real_cell(record->summary->loss);
    cell += INDICES;
    for (size_t i = 0; i < GS_COLUMN_COUNT; i++) {
        double value;
        bool present = gs_layer_stats_get(stats, (gs_column)i, &value);
        *cell++ = present ? real_cell(value) : (gs_cell){.kind = GS_CELL_ABSENT};
    }
    for (size_t i = 0; i < gs_config_options.count; i++)
        if (gs_config_options.rows[i].column)
            *cell++ = option_cell(&gs_config_options.rows[i], options[i]);
}

char **gs_option_texts(const gs_config *config, gs_error *error) {
    size_t count = gs_config_options.count, room = count * sizeof(char *);
    for (size_t i = 0; i < count; i++)
        room += gs_option_format(&gs_config_options.rows[i], config, NULL, 0) + 1;
    char **texts = gs_alloc(room, 1, error);
    if (!texts)
        return NULL;
    char *next = (char *)(texts + count), *end = (char *)texts + room;
    for (size_t i = 0; i < count; i++) {
        texts[i] = next;
        next +=
            gs_option_format(&gs_config_options.rows[i], config, next, (size_t)(end - next)) + 1;
    }
    return texts;
}
