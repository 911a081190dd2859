/*
 * The table for people: what network it is, a line a layer with a bar on a log scale, and what it
 * comes to. At most 80 columns wide.
 */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "net/config.h"
#include "report/row.h"

enum { BAR_WIDTH = 18, LEAST_DECADES = 3 };

typedef struct {
    FILE *out;
    bool color, unicode;
    const gs_record *record;
    double low, high; /* log10 at the ends of the bars, whole decades */
    double reference; /* log10 of the gradient that the way back begins with */
} table;

static void begin_alarm(const table *t, bool alarm) {
    if (t->color && alarm)
        fputs("\033[31m", t->out);
}

static void end_alarm(const table *t, bool alarm) {
    if (t->color && alarm)
        fputs("\033[0m", t->out);
}

/* ---- Lines: one a layer ---- */

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

/* What would print as -0.00 is 0.00. */
static void format_log(char out[32], const gs_layer_stats *stats, double value) {
    (void)stats;
    gs_format(out, 32, "%.2f", fabs(value) < 0.005 ? 0 : value);
}

static const struct {
    const char *title;
    int width; /* of a usual value; one that is wider pushes the others on */
    gs_column column;
    void (*format)(char out[32], const gs_layer_stats *stats, double value);
} columns[] = {
    {"z std", 8, GS_Z_STD, format_plain},   {"a std", 8, GS_A_STD, format_plain},
    {"sat", 5, GS_SATURATED, format_share}, {"|dL/dW|", 10, GS_GRAD_W, format_norm},
    {"gain", 8, GS_GAIN, format_plain},     {"log|dL/dz|", 10, GS_GRAD_Z_LOG10, format_log},
};

enum { COLUMNS = sizeof columns / sizeof *columns };

/* A norm that does not fit is shown by its logarithm. */
uint64_t gs_table_columns(void) {
    uint64_t shown = (uint64_t)1 << GS_GRAD_W_LOG10;
    for (size_t i = 0; i < COLUMNS; i++)
        shown |= (uint64_t)1 << columns[i].column;
    return shown;
}

static void write_head(const table *t) {
    char low[32], high[32];
    fputs("layer", t->out);
    for (size_t i = 0; i < COLUMNS; i++)
        fprintf(t->out, " %*s", columns[i].width, columns[i].title);
    gs_format(low, sizeof low, "10^%d", (int)t->low);
    gs_format(high, sizeof high, "10^%d", (int)t->high);
    fprintf(t->out, "  %-*s %s\n", BAR_WIDTH - 1 - (int)strlen(high), low, high);
}

/* At least one step, so that the smallest is seen. A block of Unicode has eight. */
static void write_bar(const table *t, double log) {
    int steps = t->unicode ? 8 : 1;
    double share = (log - t->low) / (t->high - t->low);
    int length = 1 + (int)floor(share * (BAR_WIDTH * steps - 1));
    for (; length >= steps; length -= steps)
        fputs(t->unicode ? "\xe2\x96\x88" : "#", t->out);
    if (length > 0) /* U+258F is one eighth of a block, U+2589 seven */
        fprintf(t->out, "\xe2\x96%c", 0x90 - length);
}

static void write_line(const table *t, const gs_layer_stats *stats) {
    char text[32];
    double value, log = NAN;
    gs_format(text, sizeof text, "%zu", stats->layer);
    fprintf(t->out, "%5s", stats->kind == GS_KIND_HEAD ? "head" : text);
    for (size_t i = 0; i < COLUMNS; i++) {
        strcpy(text, "-");
        if (gs_layer_stats_get(stats, columns[i].column, &value))
            columns[i].format(text, stats, value);
        fprintf(t->out, " %*s", columns[i].width, text);
    }
    gs_layer_stats_get(stats, GS_GRAD_Z_LOG10, &log);
    bool alarm = !(fabs(log - t->reference) <= t->record->summary->threshold_log10);
    fputs("  ", t->out);
    begin_alarm(t, alarm);
    if (isfinite(log))
        write_bar(t, log);
    else
        fputs(log < 0 ? "zero" : "not finite", t->out);
    end_alarm(t, alarm);
    putc('\n', t->out);
}

/* Whole decades around every finite gradient, but no fewer than LEAST_DECADES: bars that differ
   show that gradients do. */
static void choose_scale(table *t) {
    double low = INFINITY, high = -INFINITY, log;
    t->reference = NAN;
    for (size_t i = 0; i < t->record->rows; i++)
        if (gs_layer_stats_get(&t->record->stats[i], GS_GRAD_Z_LOG10, &log) && isfinite(log)) {
            low = fmin(low, floor(log));
            high = fmax(high, ceil(log));
            t->reference = log;
        }
    t->high = high >= low ? high : 0;
    t->low = fmin(low, t->high - LEAST_DECADES);
}

static void write_lines(table *t) {
    choose_scale(t);
    write_head(t);
    for (size_t i = 0; i < t->record->rows; i++)
        write_line(t, &t->record->stats[i]);
    putc('\n', t->out);
}

/* ---- Summary: what it comes to ---- */

static void name_layer(const table *t, size_t layer, char out[32]) {
    gs_format(out, 32, "layer %zu", layer);
    for (size_t i = 0; i < t->record->rows; i++)
        if (t->record->stats[i].layer == layer && t->record->stats[i].kind == GS_KIND_HEAD)
            strcpy(out, "the head");
}

static void write_ratio(const table *t) {
    const gs_summary *summary = t->record->summary;
    char ratio[32], decades[32];
    format_log(ratio, NULL, summary->ratio_log10);
    gs_format(decades, sizeof decades, "%.4g", summary->decades_per_layer);
    if (isfinite(summary->ratio_log10))
        fprintf(t->out, "gradient   10^%s from output to input, %s decades a layer\n", ratio,
                decades);
    else if (summary->ratio_log10 < 0)
        fputs("gradient   zero at the input\n", t->out);
    else if (summary->verdict == GS_NONFINITE)
        fputs("gradient   not finite at the input\n", t->out);
    else
        fputs("gradient   zero at the output: the loss does not change with it\n", t->out);
}

static void write_verdict(const table *t) {
    const gs_summary *summary = t->record->summary;
    char limit[32], layer[32];
    gs_format(limit, sizeof limit, "%g", summary->threshold_log10);
    name_layer(t, summary->nonfinite_layer, layer);
    fputs("verdict    ", t->out);
    begin_alarm(t, summary->verdict != GS_HEALTHY);
    fputs(gs_verdict_name(summary->verdict), t->out);
    end_alarm(t, summary->verdict != GS_HEALTHY);
    fputs(": ", t->out);
    switch (summary->verdict) {
    case GS_HEALTHY:
        fprintf(t->out, "the input gets 10^-%s to 10^%s times the output's gradient\n", limit,
                limit);
        break;
    case GS_VANISHING:
        fprintf(t->out, "the input gets less than 10^-%s of the output's gradient\n", limit);
        break;
    case GS_EXPLODING:
        fprintf(t->out, "the input gets more than 10^%s times the output's gradient\n", limit);
        break;
    case GS_NONFINITE:
        if (summary->nonfinite_layer > 0)
            fprintf(t->out, "the signal is not finite from %s on\n", layer);
        else
            fputs("the gradient is not finite\n", t->out);
    }
}

/* On the way back the layer with the larger number comes first. */
static void write_range(const table *t, const char *type, gs_format_range range) {
    char name[32];
    name_layer(t, range.underflow > range.overflow ? range.underflow : range.overflow, name);
    fprintf(t->out, "%-11s", type);
    if (range.underflow > range.overflow)
        fprintf(t->out, "loses the gradient at %s, where half of dL/da becomes 0\n", name);
    else if (range.overflow > 0)
        fprintf(t->out, "loses the gradient at %s, where dL/da overflows\n", name);
    else
        fputs("keeps the gradient\n", t->out);
}

static void write_summary(const table *t) {
    const gs_summary *summary = t->record->summary;
    char loss[32];
    gs_format(loss, sizeof loss, "%.6g", isnan(summary->loss) ? (double)NAN : summary->loss);
    fprintf(t->out, "loss       %s\n", loss);
    write_ratio(t);
    write_verdict(t);
    if (summary->verdict != GS_NONFINITE && isfinite(summary->ratio_log10)) {
        write_range(t, "float32", summary->f32);
        write_range(t, "bfloat16", summary->bf16);
        write_range(t, "float16", summary->f16);
    }
}

gs_status gs_table_write(FILE *out, const gs_report_style *style, bool unicode,
                         const gs_record *record, gs_error *error) {
    table t = {.out = out, .color = style->color, .unicode = unicode, .record = record};
    if (!style->quiet) {
        gs_status status = gs_title_write(out, record->config, record->seed, record->step, error);
        if (status != GS_OK)
            return status;
        write_lines(&t);
    } else if (record->config->seeds > 1) {
        fprintf(out, "seed       %llu\n", (unsigned long long)record->seed);
    }
    write_summary(&t);
    return GS_OK;
}
