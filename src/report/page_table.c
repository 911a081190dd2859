/*
 * The table of a page: a row a configuration, with what its gradient does from layer to layer as a
 * small curve.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "report/page.h"
#include "report/scale.h"
#include "report/svg_pen.h"

enum { CURVE_WIDTH = 96, CURVE_HEIGHT = 22, CURVE_POINTS = 48, CURVES_MOST = 2000 };

const gs_page_measure gs_page_measures[] = {
    {"loss", "loss", false},
    {"loss_mean", "loss", false},
    {"accuracy", "accuracy", true},
    {"accuracy_mean", "accuracy", true},
    {"test_loss", "test loss", false},
    {"test_loss_mean", "test loss", false},
    {"test_accuracy", "test accuracy", true},
    {"test_accuracy_mean", "test accuracy", true},
    {NULL, NULL, false},
};

typedef struct {
    FILE *out;
    const gs_variation *variation;
    const gs_gather *gather;
    bool has_gradient; /* the column that was asked for is a logarithm layer by layer */
    bool has_networks, has_errors, has_curves;
    bool has[GS_GATHER_COLUMNS]; /* some configuration has a value */
    gs_range range;              /* of the curves */
} table;

/* ---- What there is ---- */

static double layer_value(const table *t, size_t config, uint64_t layer) {
    const gs_cell_place place = {config, t->gather->configs[config].step, layer};
    return gs_values_mean(gs_gather_at(t->gather, place, GS_GATHER_WANTED));
}

static void find_range(table *t) {
    t->range.low = t->range.high = NAN;
    for (size_t i = 0; t->has_curves && i < t->gather->config_count; i++)
        for (uint64_t layer = 1; layer <= t->gather->configs[i].layers; layer++) {
            double value = layer_value(t, i, layer);
            if (isfinite(value)) {
                t->range.low = fmin(t->range.low, value);
                t->range.high = fmax(t->range.high, value);
            }
        }
}

static void survey(table *t) {
    const gs_gather *gather = t->gather;
    for (size_t i = 0; i < gather->config_count; i++) {
        t->has_networks = t->has_networks || gather->configs[i].networks != 1;
        t->has_errors = t->has_errors || gather->configs[i].error;
        for (size_t k = 0; k < gather->column_count; k++)
            t->has[k] = t->has[k] || !isnan(gs_gather_value(gather, i, k));
    }
    bool is_of_layers = gather->scope[GS_GATHER_WANTED] == GS_OF_LAYER;
    t->has_gradient = gs_is_gradient(gather, GS_GATHER_WANTED);
    t->has_curves = is_of_layers && gather->config_count <= CURVES_MOST;
    find_range(t);
}

/* The index of a measure's column, if some configuration has a value. */
static bool find_measure(const table *t, const gs_page_measure *measure, size_t *column) {
    for (*column = GS_GATHER_THEORY + 1; *column < t->gather->column_count; ++*column)
        if (strcmp(t->gather->column[*column], measure->column) == 0)
            return t->has[*column];
    return false;
}

static const char *option_text(const table *t, size_t config, size_t option) {
    const char *text = t->gather->configs[config].texts[option];
    return *text ? text : "none";
}

static bool is_numeric(const table *t, size_t option) {
    double value;
    for (size_t i = 0; i < t->gather->config_count; i++)
        if (gs_parse_real(option_text(t, i, option), &value) != GS_TEXT_OK)
            return false;
    return true;
}

/* ---- Heads ---- */

static void write_head(const table *t, const char *name, bool is_number) {
    fprintf(t->out, "<th scope=\"col\"%s><button type=\"button\">",
            is_number ? " data-numeric" : "");
    gs_pen_escape(t->out, name, NULL);
    fputs("</button></th>\n", t->out);
}

static void write_heads(const table *t) {
    const gs_variation *variation = t->variation;
    size_t column;
    fputs("<thead><tr>\n", t->out);
    write_head(t, "#", true);
    for (size_t i = 0; i < variation->told_count; i++)
        write_head(t, t->gather->options[variation->told[i]]->name,
                   is_numeric(t, variation->told[i]));
    if (t->has_networks)
        write_head(t, "seeds", true);
    if (t->gather->failed > 0)
        write_head(t, "failed", true);
    if (t->has_curves)
        fputs("<th scope=\"col\">layer 1 to last</th>\n", t->out);
    write_head(t, t->has_gradient ? "end to end, log10" : t->gather->column[GS_GATHER_WANTED],
               true);
    if (t->has_gradient) {
        write_head(t, "decades a layer", true);
        write_head(t, "verdict", false);
    }
    for (const gs_page_measure *m = gs_page_measures; m->column; m++)
        if (find_measure(t, m, &column))
            write_head(t, m->name, true);
    if (t->has_errors)
        write_head(t, "error", false);
    fputs("</tr></thead>\n", t->out);
}

/* ---- Cells ---- */

static void write_text(const table *t, const char *text, bool is_number) {
    fputs(is_number ? "<td class=\"number\">" : "<td>", t->out);
    gs_pen_escape(t->out, text, NULL);
    fputs("</td>", t->out);
}

static void write_whole(const table *t, uint64_t value) {
    fprintf(t->out, "<td class=\"number\">%" PRIu64 "</td>", value);
}

/* As people read it, and as it is. */
static void write_number(const table *t, const char *format, double value, double factor) {
    char exact[32], text[64];
    gs_format_real(exact, value);
    gs_format(text, sizeof text, format, value * factor);
    gs_drop_sign_of_zero(text);
    if (isnan(value)) {
        fputs("<td class=\"number\" data-value=\"\">\xe2\x80\x93</td>", t->out);
        return;
    }
    fprintf(t->out, "<td class=\"number\" data-value=\"%s\">", exact);
    if (isinf(value))
        gs_format(text, sizeof text, "%s\xe2\x88\x9e", value < 0 ? "-" : "");
    for (const char *c = text; *c; c++) /* a true minus sign, as wide as a digit */
        fprintf(t->out, *c == '-' ? "\xe2\x88\x92" : "%c", *c);
    fputs("</td>", t->out);
}

/* The deltas of up to so many layers, all rows on one scale. */
static void write_curve(const table *t, size_t config, const char *verdict) {
    uint64_t layers = t->gather->configs[config].layers;
    uint64_t points = layers < CURVE_POINTS ? layers : CURVE_POINTS;
    double span = t->range.high > t->range.low ? t->range.high - t->range.low : 1;
    bool draws = false;
    fprintf(t->out,
            "<td><svg class=\"curve %s\" width=\"%d\" height=\"%d\" aria-hidden=\"true\">"
            "<path d=\"",
            verdict, CURVE_WIDTH, CURVE_HEIGHT);
    for (uint64_t i = 0; i < points; i++) {
        double share = points > 1 ? (double)i / (double)(points - 1) : 0;
        uint64_t layer = 1 + (uint64_t)floor(share * (double)(layers - 1));
        double value = layer_value(t, config, layer);
        if (isfinite(value)) {
            putc(draws ? 'L' : 'M', t->out);
            gs_pen_number(t->out, 2 + share * (CURVE_WIDTH - 4));
            putc(' ', t->out);
            gs_pen_number(t->out, 2 + (t->range.high - value) / span * (CURVE_HEIGHT - 4));
        }
        draws = isfinite(value);
    }
    fputs("\"/></svg></td>", t->out);
}

/* ---- Rows ---- */

static const char *verdict_name(const table *t, size_t config) {
    size_t verdict = gs_gather_verdict(t->gather, config);
    return !t->has_gradient                           ? ""
           : verdict < GS_VERDICTS                    ? gs_verdict_name((gs_verdict)verdict)
           : t->gather->configs[config].networks == 0 ? "failed"
                                                      : "unknown";
}

/* Layers that the gradient passes between the first and the last; nan if that is not known. */
static double steps_between(const table *t, size_t config) {
    const gs_gather *gather = t->gather;
    double layers = NAN;
    if (!gather->is_summary)
        return (double)gather->configs[config].layers - 1;
    for (size_t i = 0; i < gather->option_count; i++)
        if (strcmp(gather->options[i]->name, "layers") == 0)
            gs_parse_real(gather->configs[config].texts[i], &layers);
    return layers;
}

static void write_gradient(const table *t, size_t config) {
    double value = gs_gather_value(t->gather, config, GS_GATHER_WANTED);
    double steps = steps_between(t, config);
    const char *verdict = verdict_name(t, config);
    if (t->has_curves)
        write_curve(t, config, verdict);
    write_number(t, t->has_gradient ? "%.2f" : "%.4g", value, 1);
    if (t->has_gradient) {
        write_number(t, "%.3f", steps > 0 ? value / steps : (double)NAN, 1);
        fprintf(t->out, "<td><span class=\"verdict %s\">%s</span></td>", verdict, verdict);
    }
}

static void write_row(const table *t, size_t config) {
    const gs_gathered *gathered = &t->gather->configs[config];
    const gs_variation *variation = t->variation;
    size_t column;
    fputs("<tr>", t->out);
    write_whole(t, config + 1);
    for (size_t i = 0; i < variation->told_count; i++) {
        const char *text = option_text(t, config, variation->told[i]);
        double value;
        write_text(t, text, gs_parse_real(text, &value) == GS_TEXT_OK);
    }
    if (t->has_networks)
        write_whole(t, gathered->networks);
    if (t->gather->failed > 0)
        write_whole(t, gathered->failed);
    write_gradient(t, config);
    for (const gs_page_measure *m = gs_page_measures; m->column; m++)
        if (find_measure(t, m, &column))
            write_number(t, m->is_share ? "%.1f %%" : "%#.4g",
                         gs_gather_value(t->gather, config, column), m->is_share ? 100 : 1);
    if (t->has_errors)
        write_text(t, gathered->error ? gathered->error : "", false);
    fputs("</tr>\n", t->out);
}

void gs_page_write_table(FILE *out, const gs_variation *variation) {
    table t = {.out = out, .variation = variation, .gather = variation->gather};
    survey(&t);
    fputs("<section class=\"card\">\n<h2>Configurations</h2>\n<div class=\"scroll\" tabindex=\"0\" "
          "role=\"region\" aria-label=\"Configurations\"><table>\n",
          out);
    write_heads(&t);
    fputs("<tbody>\n", out);
    for (size_t i = 0; i < t.gather->config_count; i++)
        write_row(&t, i);
    fputs("</tbody></table></div>\n</section>\n", out);
}
