/* Gathering rows. */
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "net/config.h"
#include "report/gather_parts.h"

/* ---- Configurations ---- */

typedef struct {
    const char *text;
    size_t length;
} text_key;

static bool is_config(const void *owner, size_t entry, const void *wanted) {
    const gs_gathered *config = &((const gs_gather *)owner)->configs[entry];
    const text_key *key = wanted;
    return config->length == key->length && memcmp(config->text, key->text, key->length) == 0;
}

static gs_status make_room(gs_gather *gather, gs_error *error) {
    if (gather->config_count == GS_GATHER_CONFIGS)
        return gs_fail(error, GS_ERR_UNSUPPORTED,
                       "expected at most %d configurations: leave some out with --where",
                       GS_GATHER_CONFIGS);
    gs_gathered *configs = gs_grow(gather->configs, gather->config_count, gather->config_count + 1,
                                   &gather->config_room, sizeof *configs, error);
    if (!configs)
        return GS_ERR_MEMORY;
    gather->configs = configs;
    return GS_OK;
}

/* Pointers first, and the texts behind them, in one block. */
static gs_status copy_texts(const gs_file_reader *r, gs_gathered *config) {
    size_t count = r->gather->option_count, pointers = count * sizeof(char *);
    const char **texts = gs_alloc(pointers + r->length, 1, r->error);
    if (!texts)
        return GS_ERR_MEMORY;
    config->texts = texts;
    config->text = (char *)texts + pointers;
    config->length = r->length;
    memcpy(config->text, r->text, r->length);
    const char *next = config->text;
    for (size_t i = 0; i < count; i++, next += strlen(next) + 1)
        texts[i] = next;
    return GS_OK;
}

static void find_depth(const gs_gather *gather, gs_gathered *config) {
    for (size_t i = 0; i < gather->option_count; i++)
        if (strcmp(gather->options[i]->name, "layers") == 0)
            gs_parse_size(config->texts[i], &config->depth);
        else if (strcmp(gather->options[i]->name, "head") == 0)
            config->has_head = strcmp(config->texts[i], "on") == 0;
}

static gs_status add_config(gs_file_reader *r, uint64_t hash) {
    gs_gather *gather = r->gather;
    gs_gathered config = {.from_step = UINT64_MAX};
    r->is_kept = true;
    gs_status status = copy_texts(r, &config);
    if (status == GS_OK && gather->filter)
        status = gather->filter(gather->context, gather, config.texts, &r->is_kept, r->error);
    if (status == GS_OK && r->is_kept)
        status = make_room(gather, r->error);
    if (status == GS_OK && r->is_kept)
        status = gs_lookup_add(&gather->lookup, hash, gather->config_count, r->error);
    if (status != GS_OK || !r->is_kept) {
        gs_free((void *)config.texts);
        return status;
    }
    find_depth(gather, &config);
    r->config = gather->config_count++;
    gather->configs[r->config] = config;
    return GS_OK;
}

static bool is_same_config(const gs_file_reader *r) {
    const char *before = r->text;
    for (size_t i = 0; i < r->gather->option_count; i++) {
        const char *cell = r->line->cells[r->options[i]];
        while (*cell && *cell == *before) {
            cell++;
            before++;
        }
        if (*cell != *before)
            return false;
        before++;
    }
    return true;
}

static gs_status keep_texts(gs_file_reader *r) {
    size_t length = 0;
    for (size_t i = 0; i < r->gather->option_count; i++)
        length += strlen(r->line->cells[r->options[i]]) + 1;
    if (length > r->room || !r->text) {
        gs_free(r->text);
        r->text = gs_alloc(2 * length, 1, r->error);
        r->room = r->text ? 2 * length : 0;
    }
    if (!r->text)
        return GS_ERR_MEMORY;
    r->length = 0;
    for (size_t i = 0; i < r->gather->option_count; i++) {
        const char *cell = r->line->cells[r->options[i]];
        size_t size = strlen(cell) + 1;
        memcpy(r->text + r->length, cell, size);
        r->length += size;
    }
    return GS_OK;
}

/* Mostly that of the row before. */
static gs_status find_config(gs_file_reader *r) {
    if (r->has_row && is_same_config(r))
        return GS_OK;
    r->has_row = false;
    if (keep_texts(r) != GS_OK)
        return GS_ERR_MEMORY;
    const text_key key = {r->text, r->length};
    uint64_t hash = gs_hash(0, key.text, key.length);
    r->config = gs_lookup_find(&r->gather->lookup, hash, is_config, r->gather, &key);
    r->is_kept = true;
    return r->config == GS_LOOKUP_NONE ? add_config(r, hash) : GS_OK;
}

/* ---- Where rows stand ---- */

static gs_status read_whole(const gs_file_reader *r, ptrdiff_t column, uint64_t *value) {
    *value = 0;
    bool is_there = column != GS_NO_COLUMN && *r->line->cells[column];
    return !is_there ? GS_OK : gs_sheet_whole(r->sheet, (size_t)column, value, r->error);
}

/* What is far out of range is a damaged cell, and would take memory without bounds. */
static gs_status check_place(const gs_file_reader *r, const gs_row_place *row) {
    const uint64_t depth = r->gather->configs[row->config].depth, most_steps = 1000000000000000;
    uint64_t most = depth > 0 ? depth + 1 : GS_CELLS_VALUES;
    if (row->layer == 0)
        return gs_sheet_refuse(r->sheet, r->error, "column 'layer': expected 1 or more, got 0");
    if (row->layer > most)
        return gs_sheet_refuse(r->sheet, r->error,
                               "column 'layer': expected at most %" PRIu64 ", got %" PRIu64, most,
                               row->layer);
    if (row->step > most_steps)
        return gs_sheet_refuse(r->sheet, r->error,
                               "column 'step': expected at most %" PRIu64 ", got %" PRIu64,
                               most_steps, row->step);
    return GS_OK;
}

static gs_status read_place(const gs_file_reader *r, gs_row_place *row) {
    *row = (gs_row_place){.config = r->config, .line = r->line->line};
    const struct {
        ptrdiff_t column;
        uint64_t *value;
    } cells[] = {{r->index.run, &row->run},
                 {r->index.seed, &row->seed},
                 {r->index.point, &row->point},
                 {r->index.step, &row->step},
                 {r->index.layer, &row->layer}};
    gs_status status = GS_OK;
    for (size_t i = 0; i < sizeof cells / sizeof *cells && status == GS_OK; i++)
        status = read_whole(r, cells[i].column, cells[i].value);
    row->is_head =
        r->index.kind != GS_NO_COLUMN && strcmp(r->line->cells[r->index.kind], "head") == 0;
    return status == GS_OK ? check_place(r, row) : status;
}

/* ---- Rows ---- */

/* Where step 0 is the last of a configuration, there is no other that it could be joined with. */
static gs_status add_value(gs_file_reader *r, size_t column, gs_cell_place place, double value,
                           double weight) {
    const gs_gather *gather = r->gather;
    bool is_of_layer = gather->scope[column] == GS_OF_LAYER;
    gs_cells *all = is_of_layer ? gather->all.layers : gather->all.wholes;
    gs_cells *newest = is_of_layer ? gather->newest.layers : gather->newest.wholes;
    size_t slot = gather->slot[column];
    gs_status status = gs_cells_add(all, place, slot, value, weight, r->error);
    if (status == GS_OK && place.step > 0)
        status = gs_cells_add(newest, place, slot, value, weight, r->error);
    return status;
}

static gs_status add_values(gs_file_reader *r, gs_scope scope, gs_cell_place place, double weight) {
    gs_status status = GS_OK;
    for (size_t i = 0; i < r->gather->column_count && status == GS_OK; i++) {
        double value;
        bool is_there;
        if (r->column[i] == GS_NO_COLUMN || r->gather->scope[i] != scope)
            continue;
        status = gs_sheet_real(r->sheet, (size_t)r->column[i], &value, &is_there, r->error);
        if (status == GS_OK && is_there)
            status = add_value(r, i, place, value, weight);
    }
    return status;
}

static gs_status add_failure(gs_file_reader *r) {
    gs_gathered *config = &r->gather->configs[r->config];
    const char *message = r->line->cells[r->index.error];
    if (!config->error) {
        char *copy = gs_alloc(strlen(message) + 1, 1, r->error);
        if (!copy)
            return GS_ERR_MEMORY;
        config->error = strcpy(copy, message);
    }
    if (r->gather->is_summary)
        return GS_OK;
    config->failed++;
    r->gather->failed++;
    return GS_OK;
}

/* Each network has one row at the first layer of the first step, whatever the order of rows. */
static void count_network(gs_gathered *config, const gs_row_place *row) {
    bool is_before = row->step < config->from_step ||
                     (row->step == config->from_step && row->layer < config->from_layer);
    if (is_before) {
        config->from_step = row->step;
        config->from_layer = row->layer;
        config->networks = 0;
    }
    config->networks += row->step == config->from_step && row->layer == config->from_layer;
}

static gs_status add_layer(gs_file_reader *r) {
    gs_gathered *config = &r->gather->configs[r->config];
    gs_row_place row;
    gs_status status = read_place(r, &row);
    if (status == GS_OK)
        status = gs_gather_follow(r, &row);
    if (status != GS_OK)
        return status;
    count_network(config, &row);
    config->last = row.layer > config->last ? row.layer : config->last;
    config->layers = !row.is_head && row.layer > config->layers ? row.layer : config->layers;
    config->step = row.step > config->step ? row.step : config->step;
    status = add_values(r, GS_OF_LAYER, (gs_cell_place){r->config, row.step, row.layer}, 1);
    if (status == GS_OK && row.layer == config->from_layer)
        status = add_values(r, GS_OF_STEP, (gs_cell_place){r->config, row.step, 0}, 1);
    return status;
}

/* How many networks have each verdict; of a file that does not say, all have that of the row. */
static gs_status add_verdicts(gs_file_reader *r, uint64_t networks) {
    gs_gathered *config = &r->gather->configs[r->config];
    gs_status status = GS_OK;
    for (size_t v = 0; v < GS_VERDICTS && status == GS_OK; v++) {
        uint64_t count = 0;
        if (r->index.verdicts[v] != GS_NO_COLUMN)
            status = read_whole(r, r->index.verdicts[v], &count);
        else if (r->index.verdict != GS_NO_COLUMN)
            count = strcmp(r->line->cells[r->index.verdict], gs_verdict_name((gs_verdict)v)) == 0
                        ? networks
                        : 0;
        config->verdicts[v] += count;
    }
    return status;
}

static gs_status add_point(gs_file_reader *r) {
    gs_gathered *config = &r->gather->configs[r->config];
    uint64_t networks = r->index.networks == GS_NO_COLUMN, failed = 0;
    gs_status status = GS_OK;
    if (r->index.networks != GS_NO_COLUMN)
        status = read_whole(r, r->index.networks, &networks);
    if (status == GS_OK)
        status = read_whole(r, r->index.failed, &failed);
    if (status == GS_OK)
        status = add_verdicts(r, networks);
    config->networks += networks;
    config->failed += failed;
    r->gather->failed += failed;
    if (status != GS_OK || networks == 0)
        return status;
    return add_values(r, GS_OF_POINT, (gs_cell_place){r->config, 0, 0}, (double)networks);
}

static gs_status add_row(gs_file_reader *r) {
    gs_status status = find_config(r);
    if (status != GS_OK || !r->is_kept) {
        r->has_row = status == GS_OK;
        return status;
    }
    bool has_failed = r->index.error != GS_NO_COLUMN && *r->line->cells[r->index.error];
    if (has_failed)
        status = add_failure(r);
    if (status == GS_OK && r->gather->is_summary)
        status = add_point(r);
    else if (status == GS_OK && !has_failed)
        status = add_layer(r);
    r->has_row = true;
    return status;
}

/* What the limits are about gets the name of the file. */
static gs_status name_file(gs_status status, const char *name, gs_error *error) {
    if (status == GS_ERR_UNSUPPORTED)
        gs_fail(error, status, "%s: %s", name, error ? error->message : "");
    return status;
}

static gs_status make_cells(gs_gather *gather, gs_error *error) {
    size_t layers = 0, wholes = 0;
    for (size_t i = 0; i < gather->column_count; i++)
        gather->slot[i] = gather->scope[i] == GS_OF_LAYER ? layers++ : wholes++;
    const struct {
        gs_cells **cells;
        size_t columns;
        bool is_newest;
    } made[] = {{&gather->all.layers, layers, false},
                {&gather->all.wholes, wholes, false},
                {&gather->newest.layers, layers, true},
                {&gather->newest.wholes, wholes, true}};
    for (size_t i = 0; i < sizeof made / sizeof *made; i++) {
        size_t columns = made[i].columns > 0 ? made[i].columns : 1;
        *made[i].cells = gs_cells_new(columns, made[i].is_newest, error);
        if (!*made[i].cells)
            return GS_ERR_MEMORY;
    }
    return GS_OK;
}

gs_status gs_gather_file(gs_gather *gather, FILE *file, const char *name, gs_error *error) {
    gs_file_reader r = {.gather = gather, .error = error};
    gs_status status = gs_sheet_open(file, name, &r.sheet, error);
    if (status != GS_OK)
        return status;
    r.options = gs_alloc(gs_config_options.count, sizeof *r.options, error);
    status = r.options ? gs_gather_columns(&r, name) : GS_ERR_MEMORY;
    if (status == GS_OK && !gather->first)
        status = make_cells(gather, error);
    if (status == GS_OK && !gather->first)
        gather->first = name;
    uint64_t line = 1;
    bool was_mixed = gather->is_mixed;
    while (status == GS_OK) {
        status = gs_sheet_next(r.sheet, &r.line, error);
        if (status != GS_OK || !r.line)
            break;
        line = r.line->line;
        status = add_row(&r);
    }
    gs_gather_end_network(&r, line + 1, 0);
    if (status == GS_OK)
        status = gs_gather_check_whole(&r, name, was_mixed);
    gs_sheet_close(r.sheet);
    gs_free(r.options);
    gs_free(r.text);
    return name_file(status, name, error);
}

/* ---- The whole ---- */

gs_gather *gs_gather_new(const char *column, gs_gather_filter *filter, void *context,
                         gs_error *error) {
    gs_gather *gather = gs_alloc(1, sizeof *gather, error);
    if (!gather)
        return NULL;
    gather->filter = filter;
    gather->context = context;
    gather->column_count = GS_GATHER_THEORY + 1;
    gather->column[GS_GATHER_WANTED] = column;
    gather->column[GS_GATHER_THEORY] = "theory_grad_log10";
    gather->options = gs_alloc(gs_config_options.count, sizeof *gather->options, error);
    if (gather->options)
        return gather;
    gs_gather_free(gather);
    return NULL;
}

void gs_gather_free(gs_gather *gather) {
    for (size_t i = 0; gather && i < gather->config_count; i++) {
        gs_free((void *)gather->configs[i].texts);
        gs_free((void *)gather->configs[i].error);
    }
    if (gather) {
        gs_free(gather->configs);
        gs_free(gather->options);
        gs_cells_free(gather->all.layers);
        gs_cells_free(gather->all.wholes);
        gs_cells_free(gather->newest.layers);
        gs_cells_free(gather->newest.wholes);
        gs_lookup_free(&gather->lookup);
    }
    gs_free(gather);
}

size_t gs_gather_ask(gs_gather *gather, const char *column) {
    gather->column[gather->column_count] = column;
    return gather->column_count++;
}
