/*
 * What a record comes to, for people: a line or two for each thing that is worth saying.
 */
#include <math.h>

#include "base/text.h"
#include "report/table.h"

/* ---- How much is left ---- */

static void write_ratio(FILE *out, const gs_summary *summary) {
    char ratio[32], decades[32];
    gs_format_log(ratio, summary->ratio_log10);
    gs_format(decades, sizeof decades, "%.4g", summary->decades_per_layer);
    gs_put_label(out, "gradient");
    if (isfinite(summary->ratio_log10))
        fprintf(out, "10^%s from output to input, %s decades a layer\n", ratio, decades);
    else if (summary->ratio_log10 < 0)
        fputs("zero at the input\n", out);
    else if (summary->verdict == GS_NONFINITE)
        fputs("not finite at the input\n", out);
    else
        fputs("zero at the output: the loss does not change with it\n", out);
}

static void format_share(char out[32], double log) {
    char text[32];
    gs_format_log(text, log);
    gs_format(out, 32, log == -INFINITY ? "0" : "10^%s", text);
}

/* How the examples differ. */
static void write_examples(FILE *out, const gs_summary *summary) {
    size_t count = summary->examples, tenth = count / 10;
    char low[32], high[32];
    if (count < 2 || isnan(summary->ratio_log10) || summary->high_log10 == -INFINITY)
        return;
    format_share(low, summary->low_log10);
    format_share(high, summary->high_log10);
    gs_put_label(out, "examples");
    fprintf(out, "%zu of %zu get %s to %s", count - 2 * tenth, count, low, high);
    if (summary->silent_examples > 0)
        fprintf(out, "; %zu of %zu get no gradient", summary->silent_examples, count);
    putc('\n', out);
}

/* ---- The verdict ---- */

static void write_verdict(FILE *out, const gs_record *record, bool color) {
    const gs_summary *summary = record->summary;
    char limit[32], layer[32];
    gs_format(limit, sizeof limit, "%g", summary->threshold_log10);
    gs_name_layer(record, summary->nonfinite_layer, layer);
    gs_put_label(out, "verdict");
    gs_alarm_begin(out, color, summary->verdict != GS_HEALTHY);
    fputs(gs_verdict_name(summary->verdict), out);
    gs_alarm_end(out, color, summary->verdict != GS_HEALTHY);
    fputs(": ", out);
    switch (summary->verdict) {
    case GS_HEALTHY:
        fprintf(out, "the input gets 10^-%s to 10^%s times the output's gradient\n", limit, limit);
        break;
    case GS_VANISHING:
        fprintf(out, "the input gets less than 10^-%s of the output's gradient\n", limit);
        break;
    case GS_EXPLODING:
        fprintf(out, "the input gets more than 10^%s times the output's gradient\n", limit);
        break;
    case GS_NONFINITE:
        if (summary->nonfinite_layer > 0)
            fprintf(out, "the signal is not finite from %s on\n", layer);
        else
            fputs("the gradient is not finite\n", out);
    }
}

/* ---- Why ---- */

/* "activation slope 0.23, weights 1.1": first what is most to blame. */
static void add_factors(gs_line *line, const gs_layer_gain *gain) {
    gs_line_add(line, "%s %.2g", gs_gain_part_name(gain->cause), gain->factor[gain->cause]);
    for (gs_gain_part f = 0; f < GS_PART_COUNT; f++)
        if (f != gain->cause && !isnan(gain->factor[f]))
            gs_line_add(line, ", %s %.2g", gs_gain_part_name(f), gain->factor[f]);
}

/* "NAME passes on 0.24: factors", the factors on a line of their own where they do not fit. */
static void write_gain(FILE *out, const char *name, const gs_layer_gain *gain) {
    gs_line head = {0}, factors = {0};
    gs_line_add(&head, "%s passes on %.2g:", name, gain->gain);
    add_factors(&factors, gain);
    fputs(head.text, out);
    if (GS_LABEL_WIDTH + head.length + 1 + factors.length > GS_LINE_WIDTH)
        fprintf(out, "\n%*s%s\n", GS_LABEL_WIDTH, "", factors.text);
    else
        fprintf(out, " %s\n", factors.text);
}

static void write_typical(FILE *out, const gs_summary *summary) {
    bool blocks = !isnan(summary->typical.factor[GS_PART_BLOCK]);
    gs_put_label(out, "why");
    if (summary->layers_alike)
        write_gain(out, blocks ? "every block" : "every layer", &summary->typical);
    else
        write_gain(out, blocks ? "the typical block" : "the typical layer", &summary->typical);
}

static void write_worst(FILE *out, const gs_layer_gain *gain, const char *label) {
    char name[64];
    gs_format(name, sizeof name, "layer %zu", gain->last);
    if (gain->first < gain->last)
        gs_format(name, sizeof name, "the block of layers %zu to %zu", gain->first, gain->last);
    gs_put_label(out, label);
    write_gain(out, name, gain);
}

/* Over how many layers the signal changes by e, where it does so evenly: where the typical change
   makes up half of the whole at least. */
static void write_rate(FILE *out, const gs_summary *summary) {
    double decades = 0.43429448190325182765 / summary->layers_per_e;
    double share = decades / summary->decades_per_layer;
    if (share >= 0.5) {
        gs_put_label(out, "rate");
        fprintf(out, "it %s by e every %.3g layers\n", decades < 0 ? "falls" : "grows",
                fabs(summary->layers_per_e));
    }
}

static void write_reasons(FILE *out, const gs_summary *summary) {
    write_rate(out, summary);
    if (summary->typical_layers > 0)
        write_typical(out, summary);
    for (size_t i = 0; i < summary->worst_count; i++)
        write_worst(out, &summary->worst[i], i > 0 ? "" : "worst");
}

static void write_shattered(FILE *out, const gs_summary *summary) {
    gs_put_label(out, "shattered");
    fprintf(out, "two examples' gradients correlate %.2g at the output, %.2g at the\n",
            summary->corr_output, summary->corr_input);
    fprintf(out, "%*sinput: that falls by e every %.3g layers\n", GS_LABEL_WIDTH, "",
            summary->corr_layers_per_e);
}

/* ---- Smaller formats ---- */

/* On the way back the layer with the larger number comes first. */
static void write_range(FILE *out, const gs_record *record, const char *type,
                        gs_format_range range) {
    char name[32];
    gs_name_layer(record, range.underflow > range.overflow ? range.underflow : range.overflow,
                  name);
    gs_put_label(out, type);
    if (range.underflow > range.overflow)
        fprintf(out, "loses the gradient at %s, where half of dL/da becomes 0\n", name);
    else if (range.overflow > 0)
        fprintf(out, "loses the gradient at %s, where dL/da overflows\n", name);
    else
        fputs("keeps the gradient\n", out);
}

/* ---- The whole ---- */

void gs_summary_write(FILE *out, const gs_record *record, bool color) {
    const gs_summary *summary = record->summary;
    char loss[32];
    gs_format(loss, sizeof loss, "%.6g", isnan(summary->loss) ? (double)NAN : summary->loss);
    gs_put_label(out, "loss");
    fprintf(out, "%s\n", loss);
    write_ratio(out, summary);
    write_examples(out, summary);
    write_verdict(out, record, color);
    if (summary->verdict == GS_VANISHING || summary->verdict == GS_EXPLODING)
        write_reasons(out, summary);
    if (summary->shattered)
        write_shattered(out, summary);
    if (summary->verdict != GS_NONFINITE && isfinite(summary->ratio_log10)) {
        write_range(out, record, "float32", summary->f32);
        write_range(out, record, "bfloat16", summary->bf16);
        write_range(out, record, "float16", summary->f16);
    }
}
