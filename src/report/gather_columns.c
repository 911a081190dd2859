/* Gathering: the columns of a file. */
#include <string.h>

#include "base/error.h"
#include "flow/measure.h"
#include "net/config.h"
#include "report/gather_parts.h"
#include "report/row.h"

static ptrdiff_t find(const gs_file_reader *r, const char *name) {
    size_t column;
    return gs_sheet_find(r->sheet, name, &column) ? (ptrdiff_t)column : GS_NO_COLUMN;
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

static gs_status refuse_file(const gs_file_reader *r, const char *name) {
    const char *first = gs_sheet_column_name(r->sheet, 0);
    return gs_fail(r->error, GS_ERR_FORMAT,
                   "%s: line 1: expected the columns of a log (layer, grad_z_log10, ...) or of a "
                   "summary (point, ratio_log10_mean, ...), got '%.60s'%s",
                   name, first, gs_sheet_columns(r->sheet) > 1 ? " and others" : " alone");
}

/* What is drawn if nothing else is asked for. */
static const char *usual_column(const gs_file_reader *r) {
    if (r->gather->is_summary)
        return "ratio_log10_mean";
    return find(r, "grad_z_log10") == GS_NO_COLUMN ? "theory_grad_log10" : "grad_z_log10";
}

static gs_status choose_columns(gs_file_reader *r, const char *name) {
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
    if (r->column[GS_GATHER_WANTED] != GS_NO_COLUMN)
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
static gs_status find_options(gs_file_reader *r, const char *name) {
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

gs_status gs_gather_columns(gs_file_reader *r, const char *name) {
    const struct {
        const char *name;
        ptrdiff_t *index;
    } known[] = {{"run", &r->index.run},       {"step", &r->index.step},
                 {"layer", &r->index.layer},   {"kind", &r->index.kind},
                 {"seed", &r->index.seed},     {"point", &r->index.point},
                 {"error", &r->index.error},   {"networks", &r->index.networks},
                 {"failed", &r->index.failed}, {"verdict", &r->index.verdict}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        *known[i].index = find(r, known[i].name);
    for (size_t v = 0; v < GS_VERDICTS; v++)
        r->index.verdicts[v] = find(r, gs_verdict_name((gs_verdict)v));
    bool is_summary = r->index.layer == GS_NO_COLUMN;
    if (is_summary && find(r, "point") == GS_NO_COLUMN)
        return refuse_file(r, name);
    if (r->gather->first && is_summary != r->gather->is_summary)
        return gs_fail(r->error, GS_ERR_FORMAT, "%s: line 1: expected a %s, as '%s' is, got a %s",
                       name, r->gather->is_summary ? "summary" : "log", r->gather->first,
                       is_summary ? "summary" : "log");
    r->gather->is_summary = is_summary;
    gs_status status = choose_columns(r, name);
    return status == GS_OK ? find_options(r, name) : status;
}
