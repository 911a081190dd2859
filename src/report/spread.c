/*
 * The spread over seeds: what is added up, and the table of it.
 */
#include "report/spread.h"

#include <math.h>

#include "base/memory.h"
#include "base/text.h"
#include "report/table.h"

typedef struct {
    size_t layer;
    gs_layer_kind kind;
    gs_sample grad_z, grad_w;
} layer_spread;

struct gs_spread {
    size_t networks, rows;
    uint64_t first_seed, last_seed;
    layer_spread *layers; /* [rows] */
    gs_sample ratio, decades;
    size_t verdicts[GS_VERDICTS], shattered;
};

/* ---- Accumulation ---- */

void gs_sample_add(gs_sample *sample, double value) {
    if (!isfinite(value))
        return;
    double distance = value - sample->mean;
    sample->count++;
    sample->mean += distance / (double)sample->count;
    sample->squares += distance * (value - sample->mean);
}

double gs_sample_mean(const gs_sample *sample) {
    return sample->count > 0 ? sample->mean : (double)NAN;
}

double gs_sample_std(const gs_sample *sample) {
    return sample->count > 1 ? sqrt(sample->squares / (double)(sample->count - 1)) : (double)NAN;
}

gs_spread *gs_spread_new(size_t rows, gs_error *error) {
    gs_spread *spread = gs_alloc(1, sizeof *spread, error);
    if (!spread)
        return NULL;
    spread->rows = rows;
    spread->layers = gs_alloc(rows, sizeof *spread->layers, error);
    if (spread->layers)
        return spread;
    gs_spread_free(spread);
    return NULL;
}

void gs_spread_free(gs_spread *spread) {
    if (spread)
        gs_free(spread->layers);
    gs_free(spread);
}

void gs_spread_add(gs_spread *spread, const gs_record *record) {
    const gs_summary *summary = record->summary;
    spread->last_seed = record->seed;
    if (spread->networks++ == 0)
        spread->first_seed = record->seed;
    for (size_t i = 0; i < spread->rows; i++) {
        const gs_layer_stats *stats = &record->stats[i];
        layer_spread *layer = &spread->layers[i];
        double z = NAN, w = NAN;
        layer->layer = stats->layer;
        layer->kind = stats->kind;
        gs_layer_stats_get(stats, GS_GRAD_Z_LOG10, &z);
        gs_layer_stats_get(stats, GS_GRAD_W_LOG10, &w);
        gs_sample_add(&layer->grad_z, z);
        gs_sample_add(&layer->grad_w, w);
    }
    gs_sample_add(&spread->ratio, summary->ratio_log10);
    gs_sample_add(&spread->decades, summary->decades_per_layer);
    spread->verdicts[summary->verdict]++;
    spread->shattered += summary->shattered;
}

/* ---- Lines: one a layer ---- */

static void write_line(const gs_bars *bars, const gs_spread *spread, const layer_spread *layer) {
    char text[32];
    gs_format(text, sizeof text, "%zu", layer->layer);
    fprintf(bars->out, "%5s", layer->kind == GS_KIND_HEAD ? "head" : text);
    gs_put_log(bars->out, 10, gs_sample_mean(&layer->grad_w));
    gs_put_log(bars->out, 6, gs_sample_std(&layer->grad_w));
    gs_put_log(bars->out, 10, gs_sample_mean(&layer->grad_z));
    gs_put_log(bars->out, 6, gs_sample_std(&layer->grad_z));
    fprintf(bars->out, " %8zu", spread->networks - layer->grad_z.count);
    gs_bars_write(bars, layer->grad_z.count > 0 ? layer->grad_z.mean : -INFINITY, "none", false);
}

static gs_status write_lines(gs_bars *bars, const gs_spread *spread, gs_error *error) {
    double *means = gs_alloc(spread->rows, sizeof *means, error);
    if (!means)
        return GS_ERR_MEMORY;
    for (size_t i = 0; i < spread->rows; i++)
        means[i] = gs_sample_mean(&spread->layers[i].grad_z);
    gs_bars_fit(bars, means, spread->rows);
    fprintf(bars->out, "layer %10s %6s %10s %6s %8s", "log|dL/dW|", "std", "log|dL/dz|", "std",
            "left out");
    gs_bars_write_scale(bars);
    for (size_t i = 0; i < spread->rows; i++)
        write_line(bars, spread, &spread->layers[i]);
    putc('\n', bars->out);
    gs_free(means);
    return GS_OK;
}

/* ---- Totals ---- */

/* " +- 0.31", if there are two values to differ. */
static void format_std(char out[32], const gs_sample *sample) {
    out[0] = '\0';
    if (sample->count > 1)
        gs_format(out, 32, " +- %.2g", gs_sample_std(sample));
}

static void write_totals(FILE *out, const gs_spread *spread) {
    char mean[32], std[32], of_decades[32];
    size_t left_out = spread->networks - spread->ratio.count;
    if (spread->ratio.count > 0) {
        gs_format_log(mean, spread->ratio.mean);
        format_std(std, &spread->ratio);
        format_std(of_decades, &spread->decades);
        fprintf(out, "log10      %s%s from output to input, %.4g%s a layer\n", mean, std,
                spread->decades.mean, of_decades);
    }
    if (left_out > 0)
        fprintf(out, "left out   %zu of %zu, whose gradient is zero or not finite at an end\n",
                left_out, spread->networks);
    fputs("verdict    ", out);
    const char *comma = "";
    for (size_t v = 0; v < GS_VERDICTS; v++)
        if (spread->verdicts[v] > 0) {
            fprintf(out, "%s%s %zu of %zu", comma, gs_verdict_name((gs_verdict)v),
                    spread->verdicts[v], spread->networks);
            comma = ", ";
        }
    putc('\n', out);
    if (spread->shattered > 0)
        fprintf(out, "shattered  %zu of %zu\n", spread->shattered, spread->networks);
}

gs_status gs_spread_write(FILE *out, const gs_report_style *style, bool unicode,
                          const gs_spread *spread, gs_error *error) {
    gs_bars bars = {.out = out, .color = style->color, .unicode = unicode};
    fprintf(out, "seeds      %llu to %llu: mean +- standard deviation (std) of log10\n",
            (unsigned long long)spread->first_seed, (unsigned long long)spread->last_seed);
    if (!style->quiet) {
        putc('\n', out);
        gs_status status = write_lines(&bars, spread, error);
        if (status != GS_OK)
            return status;
    }
    write_totals(out, spread);
    return GS_OK;
}
