/*
 * The table for people: what network it is, a line a layer with a bar on a log scale, and what it
 * comes to.
 */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "net/network.h"
#include "report/table.h"

/* Three decimals where they say something, else an exponent: 8 characters at most. */
static void format_plain(char out[32], const gs_layer_stats *stats, double value) {
    (void)stats;
    double size = fabs(value);
    if (!isfinite(value) || value == 0)
        gs_format_real(out, value);
    else if (gs_format(out, 32, size >= 0.001 && size < 1000 ? "%.3f" : "%.2e", value) > 8)
        gs_format(out, 32, "%.1e", value);
}

static void format_share(char out[32], const gs_layer_stats *stats, double value) {
    (void)stats;
    gs_format(out, 32, "%.0f%%", 100 * value);
}

/* A norm, by its log10 alone where it fits no double. */
static void format_norm(char out[32], const gs_layer_stats *stats, double value) {
    double log = value;
    gs_layer_stats_get(stats, GS_GRAD_W_LOG10, &log);
    if (isfinite(log) && (value == 0 || isinf(value)))
        gs_format(out, 32, "10^%.1f", log);
    else
        gs_format(out, 32, value == 0 ? "%g" : "%.2e", value);
}

static void format_log(char out[32], const gs_layer_stats *stats, double value) {
    (void)stats;
    gs_format_log(out, value);
}

static void format_short(char out[32], const gs_layer_stats *stats, double value) {
    (void)stats;
    gs_format(out, 32, "%.3g", value);
}

static const struct {
    const char *title;
    int width; /* of a usual value; one that is wider pushes the others on */
    gs_column column;
    void (*format)(char out[32], const gs_layer_stats *stats, double value);
} columns[] = {
    {"z std", 8, GS_Z_STD, format_plain},
    {"sat", 5, GS_SATURATED, format_share},
    {"|dL/dW|", 10, GS_GRAD_W, format_norm},
    {"gain", 8, GS_GAIN, format_plain},
    {"log|dL/dz|", 10, GS_GRAD_Z_LOG10, format_log},
    {"theory", 8, GS_THEORY_GRAD_LOG10, format_log},
    {"moved", 8, GS_MOVED, format_short},
};

enum { COLUMNS = sizeof columns / sizeof *columns };

/* Theory is of networks that are not trained, and those have not moved. */
static bool is_shown(const gs_record *record, gs_column column) {
    return column != (record->findings ? GS_THEORY_GRAD_LOG10 : GS_MOVED);
}

/* A norm that does not fit is shown by its logarithm. */
uint64_t gs_table_columns(void) {
    uint64_t shown = (uint64_t)1 << GS_GRAD_W_LOG10;
    for (size_t i = 0; i < COLUMNS; i++)
        shown |= (uint64_t)1 << columns[i].column;
    return shown;
}

static void write_head(const gs_bars *bars, const gs_record *record) {
    fputs("layer", bars->out);
    for (size_t i = 0; i < COLUMNS; i++)
        if (is_shown(record, columns[i].column))
            fprintf(bars->out, " %*s", columns[i].width, columns[i].title);
    gs_bars_write_scale(bars);
}

static void write_cells(FILE *out, const gs_record *record, const gs_layer_stats *stats) {
    char text[32];
    double value;
    gs_format(text, sizeof text, "%zu", stats->layer);
    fprintf(out, "%5s", stats->kind == GS_KIND_HEAD ? "head" : text);
    for (size_t i = 0; i < COLUMNS; i++) {
        if (!is_shown(record, columns[i].column))
            continue;
        strcpy(text, "-");
        if (gs_layer_stats_get(stats, columns[i].column, &value))
            columns[i].format(text, stats, value);
        fprintf(out, " %*s", columns[i].width, text);
    }
}

/* Whether zeros are there by design: a branch that counts for nothing gets none of the gradient
   that the skip passes on whole. */
static bool branches_are_off(const gs_config *config) {
    return config->residual.index != GS_RESIDUAL_NONE && gs_branch_scale(config) == 0;
}

static void write_line(const gs_bars *bars, const gs_record *record, double log, double reference,
                       size_t row) {
    bool by_design = log == -INFINITY && branches_are_off(record->config);
    bool is_far = !(fabs(log - reference) <= record->summary->threshold_log10);
    write_cells(bars->out, record, &record->stats[row]);
    gs_bars_write(bars, log, by_design ? "zero: alpha is 0" : "zero",
                  record->summary->verdict != GS_HEALTHY && is_far && !by_design);
}

/* Layers whose gradient is past the threshold from that of the last stand out, unless all ends
   well. */
gs_status gs_layers_write(FILE *out, const gs_report_style *style, bool unicode,
                          const gs_record *record, gs_error *error) {
    gs_bars bars = {.out = out, .color = style->color, .unicode = unicode};
    double reference = NAN, *logs = gs_alloc(record->rows, sizeof *logs, error);
    if (!logs)
        return GS_ERR_MEMORY;
    for (size_t i = 0; i < record->rows; i++) {
        logs[i] = NAN;
        gs_layer_stats_get(&record->stats[i], GS_GRAD_Z_LOG10, &logs[i]);
        reference = isfinite(logs[i]) ? logs[i] : reference;
    }
    gs_bars_fit(&bars, logs, record->rows);
    write_head(&bars, record);
    for (size_t i = 0; i < record->rows; i++)
        write_line(&bars, record, logs[i], reference, i);
    putc('\n', out);
    gs_free(logs);
    return GS_OK;
}

void gs_seed_write(FILE *out, const gs_record *record) {
    if (record->config->seeds > 1)
        fprintf(out, "seed       %llu\n", (unsigned long long)record->seed);
}

gs_status gs_table_write(FILE *out, const gs_report_style *style, bool unicode,
                         const gs_record *record, gs_error *error) {
    gs_status status = GS_OK;
    if (style->quiet)
        gs_seed_write(out, record);
    else
        status = gs_title_write(out, record->config, record->seed, record->step, error);
    if (!style->quiet && status == GS_OK)
        status = gs_layers_write(out, style, unicode, record, error);
    if (status == GS_OK)
        gs_summary_write(out, record, style->color);
    return status;
}
