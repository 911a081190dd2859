/* Gathering rows. */
#include "report/gather.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "flow/measure.h"
#include "net/config.h"
#include "report/row.h"
#include "report/sheet_read.h"

enum { NONE = -1 }; /* a column that is not there */

typedef struct {
    gs_gather *gather;
    gs_sheet_reader *sheet;
    const gs_sheet_line *line;
    struct {
        ptrdiff_t run, step, layer, kind, error, networks, failed, verdict;
    } index;
    ptrdiff_t column[GS_GATHER_COLUMNS];
    size_t *options;            /* [option_count] their columns */
    char *text;                 /* the options of the row before, and room for more */
    size_t length, room;        /* of that */
    bool has_row, is_kept;      /* there was a row before, and its configuration is kept */
    size_t config;              /* of the row before */
    uint64_t run, step, layer;  /* of the row before */
    bool is_network, is_record; /* the row begins one */
    gs_error *error;
} file_reader;

bool gs_is_log10(const char *column) {
    const char *log = strstr(column, "_log10");
    return log && (strcmp(log, "_log10") == 0 || strcmp(log, "_log10_mean") == 0);
}

/* ---- Columns ---- */

static ptrdiff_t find(const file_reader *r, const char *name) {
    size_t column;
    return gs_sheet_find(r->sheet, name, &column) ? (ptrdiff_t)column : NONE;
}

static bool is_of_layer(const char *column) {
    for (gs_column c = 0; c < GS_COLUMN_COUNT; c++)
        if (strcmp(gs_column_name(c), column) == 0)
            return true;
    return !gs_log_has(column);
}

static const char *column_at(const void *sheet, size_t index) {
    return index < gs_sheet_columns(sheet) ? gs_sheet_column_name(sheet, index) : NULL;
}

static gs_status refuse_file(const file_reader *r, const char *name) {
    const char *first = gs_sheet_column_name(r->sheet, 0);
    return gs_fail(r->error, GS_ERR_FORMAT,
                   "%s: line 1: expected the columns of a log (layer, grad_z_log10, ...) or of a "
                   "summary (point, ratio_log10_mean, ...), got '%.60s'%s",
                   name, first, gs_sheet_columns(r->sheet) > 1 ? " and others" : " alone");
}

/* What is drawn if nothing else is asked for. */
static const char *usual_column(const file_reader *r) {
    if (r->gather->is_summary)
        return "ratio_log10_mean";
    return find(r, "grad_z_log10") == NONE ? "theory_grad_log10" : "grad_z_log10";
}

static gs_status choose_columns(file_reader *r, const char *name) {
    gs_gather *gather = r->gather;
    bool is_usual = !gather->column[GS_GATHER_WANTED];
    if (is_usual)
        gather->column[GS_GATHER_WANTED] = usual_column(r);
    for (size_t i = 0; i < gather->column_count; i++) {
        r->column[i] = find(r, gather->column[i]);
        gather->scope[i] = gather->is_summary               ? GS_OF_POINT
                           : is_of_layer(gather->column[i]) ? GS_OF_LAYER
                                                            : GS_OF_STEP;
    }
    if (r->column[GS_GATHER_WANTED] != NONE)
        return GS_OK;
    if (is_usual)
        return refuse_file(r, name);
    gs_unknown_name("column", "", gather->column[GS_GATHER_WANTED], column_at, r->sheet, r->error);
    return gs_fail(r->error, GS_ERR_USAGE, "%s: %s", name, r->error ? r->error->message : "");
}

/* Summaries have the steps beside those that every sheet has. */
static bool is_told(const gs_option *option) {
    return option->column || strcmp(option->name, "steps") == 0;
}

/* The first file says which options there are. */
static gs_status find_options(file_reader *r, const char *name) {
    gs_gather *gather = r->gather;
    size_t count = 0, column;
    char text[GS_COLUMN_NAME_SIZE];
    for (size_t i = 0; i < gs_config_options.count; i++) {
        const gs_option *option = &gs_config_options.rows[i];
        gs_option_column(text, option->name);
        bool is_there = is_told(option) && gs_sheet_find(r->sheet, text, &column);
        bool is_expected = count < gather->option_count && gather->options[count] == option;
        if (gather->first && is_there != is_expected)
            return gs_fail(
                r->error, GS_ERR_FORMAT, "%s: line 1: expected %s column '%s', as '%s' has, got %s",
                name, is_expected ? "a" : "no", text, gather->first, is_expected ? "none" : "one");
        if (!is_there)
            continue;
        gather->options[count] = option;
        r->options[count++] = column;
    }
    gather->option_count = count;
    return GS_OK;
}

static gs_status find_columns(file_reader *r, const char *name) {
    const struct {
        const char *name;
        ptrdiff_t *index;
    } known[] = {{"run", &r->index.run},       {"step", &r->index.step},
                 {"layer", &r->index.layer},   {"kind", &r->index.kind},
                 {"error", &r->index.error},   {"networks", &r->index.networks},
                 {"failed", &r->index.failed}, {"verdict", &r->index.verdict}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        *known[i].index = find(r, known[i].name);
    bool is_summary = r->index.layer == NONE;
    if (is_summary && find(r, "point") == NONE)
        return refuse_file(r, name);
    if (r->gather->first && is_summary != r->gather->is_summary)
        return gs_fail(r->error, GS_ERR_FORMAT, "%s: line 1: expected a %s, as '%s' is, got a %s",
                       name, r->gather->is_summary ? "summary" : "log", r->gather->first,
                       is_summary ? "summary" : "log");
    r->gather->is_summary = is_summary;
    gs_status status = choose_columns(r, name);
    return status == GS_OK ? find_options(r, name) : status;
}

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
    if (gather->config_count < gather->config_room)
        return GS_OK;
    size_t room = gather->config_room > 0 ? 2 * gather->config_room : 16;
    gs_gathered *configs = gs_alloc(room, sizeof *configs, error);
    if (!configs)
        return GS_ERR_MEMORY;
    if (gather->configs)
        memcpy(configs, gather->configs, gather->config_count * sizeof *configs);
    gs_free(gather->configs);
    gather->configs = configs;
    gather->config_room = room;
    return GS_OK;
}

/* Pointers first, and the texts behind them, in one block. */
static gs_status copy_texts(const file_reader *r, gs_gathered *config) {
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

static gs_status add_config(file_reader *r, uint64_t hash) {
    gs_gather *gather = r->gather;
    gs_gathered config = {.verdict = GS_VERDICTS};
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
    r->config = gather->config_count++;
    gather->configs[r->config] = config;
    return GS_OK;
}

static bool is_same_config(const file_reader *r) {
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

static gs_status keep_texts(file_reader *r) {
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
static gs_status find_config(file_reader *r) {
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

/* ---- Rows ---- */

static gs_status read_whole(const file_reader *r, ptrdiff_t column, uint64_t *value) {
    *value = 0;
    return column == NONE ? GS_OK : gs_sheet_whole(r->sheet, (size_t)column, value, r->error);
}

/* Where the row stands, and whether a network or a step of one begins with it. */
static gs_status read_place(file_reader *r) {
    uint64_t run = 0, step = 0, layer = 0;
    gs_status status = read_whole(r, r->index.run, &run);
    if (status == GS_OK)
        status = read_whole(r, r->index.step, &step);
    if (status == GS_OK)
        status = read_whole(r, r->index.layer, &layer);
    if (status == GS_OK && layer == 0)
        return gs_sheet_refuse(r->sheet, r->error, "column 'layer': expected 1 or more, got 0");
    bool goes_back = step < r->step || (step == r->step && layer <= r->layer);
    r->is_network = !r->has_row || run != r->run || (r->index.run == NONE && goes_back);
    r->is_record = r->is_network || step != r->step || layer <= r->layer;
    r->run = run;
    r->step = step;
    r->layer = layer;
    return status;
}

static gs_status add_values(file_reader *r, gs_scope scope, gs_cell_place place) {
    gs_status status = GS_OK;
    for (size_t i = 0; i < r->gather->column_count && status == GS_OK; i++) {
        double value;
        bool is_there;
        if (r->column[i] == NONE || r->gather->scope[i] != scope)
            continue;
        status = gs_sheet_real(r->sheet, (size_t)r->column[i], &value, &is_there, r->error);
        if (status == GS_OK && is_there)
            status = gs_cells_add(r->gather->cells, place, i, value, r->error);
    }
    return status;
}

static gs_status add_failure(file_reader *r) {
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

static gs_status add_layer(file_reader *r) {
    gs_gathered *config = &r->gather->configs[r->config];
    gs_status status = read_place(r);
    if (status != GS_OK)
        return status;
    bool is_head = r->index.kind != NONE && strcmp(r->line->cells[r->index.kind], "head") == 0;
    config->networks += r->is_network;
    config->last = r->layer > config->last ? r->layer : config->last;
    config->layers = !is_head && r->layer > config->layers ? r->layer : config->layers;
    config->step = r->step > config->step ? r->step : config->step;
    status = add_values(r, GS_OF_LAYER, (gs_cell_place){r->config, r->step, r->layer});
    if (status == GS_OK && r->is_record)
        status = add_values(r, GS_OF_STEP, (gs_cell_place){r->config, r->step, 0});
    return status;
}

static gs_status add_point(file_reader *r) {
    gs_gathered *config = &r->gather->configs[r->config];
    uint64_t networks = 0, failed = 0;
    gs_status status = read_whole(r, r->index.networks, &networks);
    if (status == GS_OK)
        status = read_whole(r, r->index.failed, &failed);
    config->networks += networks;
    config->failed += failed;
    r->gather->failed += failed;
    for (size_t v = 0; v < GS_VERDICTS && r->index.verdict != NONE; v++)
        if (strcmp(r->line->cells[r->index.verdict], gs_verdict_name((gs_verdict)v)) == 0)
            config->verdict = v;
    return status == GS_OK ? add_values(r, GS_OF_POINT, (gs_cell_place){r->config, 0, 0}) : status;
}

static gs_status add_row(file_reader *r) {
    gs_status status = find_config(r);
    if (status != GS_OK || !r->is_kept) {
        r->has_row = status == GS_OK;
        return status;
    }
    bool has_failed = r->index.error != NONE && *r->line->cells[r->index.error];
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

gs_status gs_gather_file(gs_gather *gather, FILE *file, const char *name, gs_error *error) {
    file_reader r = {.gather = gather, .error = error};
    gs_status status = gs_sheet_open(file, name, &r.sheet, error);
    if (status != GS_OK)
        return status;
    r.options = gs_alloc(gs_config_options.count, sizeof *r.options, error);
    if (r.options && !gather->cells)
        gather->cells = gs_cells_new(gather->column_count, error);
    status = gather->cells && r.options ? find_columns(&r, name) : GS_ERR_MEMORY;
    if (status == GS_OK && !gather->first)
        gather->first = name;
    while (status == GS_OK) {
        status = gs_sheet_next(r.sheet, &r.line, error);
        if (status != GS_OK || !r.line)
            break;
        status = add_row(&r);
    }
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
        gs_cells_free(gather->cells);
        gs_lookup_free(&gather->lookup);
    }
    gs_free(gather);
}

size_t gs_gather_ask(gs_gather *gather, const char *column) {
    gather->column[gather->column_count] = column;
    return gather->column_count++;
}

/* ---- What it comes to ---- */

static double mean_at(const gs_gather *gather, size_t config, uint64_t layer, size_t column) {
    const gs_cell_place place = {config, gather->configs[config].step, layer};
    return gs_values_mean(gs_cells_at(gather->cells, place, column));
}

double gs_gather_value(const gs_gather *gather, size_t config, size_t column) {
    uint64_t layers = gather->configs[config].layers, count = 0;
    if (gather->scope[column] != GS_OF_LAYER)
        return mean_at(gather, config, 0, column);
    if (gs_is_log10(gather->column[column])) {
        double first = mean_at(gather, config, 1, column);
        return first == -INFINITY ? first : first - mean_at(gather, config, layers, column);
    }
    double sum = 0;
    for (uint64_t layer = 1; layer <= layers; layer++) {
        double value = mean_at(gather, config, layer, column);
        sum += isnan(value) ? 0 : value;
        count += !isnan(value);
    }
    return count > 0 ? sum / (double)count : (double)NAN;
}

size_t gs_gather_verdict(const gs_gather *gather, size_t config, size_t column) {
    const gs_gathered *gathered = &gather->configs[config];
    if (gathered->verdict != GS_VERDICTS || gathered->networks == 0 || gather->is_summary)
        return gathered->verdict;
    double value = gs_gather_value(gather, config, column);
    return isnan(value) ? GS_NONFINITE : gs_verdict_of(value);
}
