/*
 * What a run of training came to, for people.
 */
#include <math.h>

#include "base/text.h"
#include "net/config.h"
#include "report/table.h"

/* "1000 steps", "57 of 1000 steps", "steps 500 to 1000". */
static void add_span(gs_line *line, const gs_findings *found, size_t steps) {
    unsigned long long first = found->first_step, last = found->last_step;
    if (first > 0)
        gs_line_add(line, "steps %llu to %llu", first, last);
    else
        gs_line_add(line, "%llu", last);
    if (last < steps)
        gs_line_add(line, " of %zu", steps);
    if (first == 0)
        gs_line_add(line, " step%s", (last < steps ? steps : last) == 1 ? "" : "s");
}

static void write_trained(FILE *out, const gs_record *record) {
    const gs_findings *found = record->findings;
    gs_line line = {0};
    add_span(&line, found, record->config->steps);
    gs_line_add(&line, ": loss %.3g to %.3g", found->first_loss,
                isnan(found->last_loss) ? (double)NAN : found->last_loss);
    if (!isnan(found->first.accuracy) && !isnan(found->last.accuracy))
        gs_line_add(&line, ", accuracy %.3g%% to %.3g%%", 100 * found->first.accuracy,
                    100 * found->last.accuracy);
    gs_put_paragraph(out, "trained", line.text);
}

static void write_held_out(FILE *out, const gs_training_stats *last) {
    gs_line line = {0};
    gs_line_add(&line, "loss %.3g", last->test_loss);
    if (!isnan(last->test_accuracy))
        gs_line_add(&line, ", accuracy %.3g%%", 100 * last->test_accuracy);
    gs_put_paragraph(out, "held out", line.text);
}

static void write_plateau(FILE *out, const gs_findings *found) {
    gs_line line = {0};
    gs_line_add(&line, "steps %llu to %llu at a loss of %.3g, while the gradient vanishes",
                (unsigned long long)found->plateau_first, (unsigned long long)found->plateau_last,
                found->plateau_loss);
    gs_put_paragraph(out, "plateau", line.text);
}

static void write_depth(FILE *out, const gs_record *record) {
    const gs_findings *found = record->findings;
    gs_line line = {0};
    char least[32], most[32];
    gs_name_layer(record, found->least_layer, least);
    gs_name_layer(record, found->most_layer, most);
    if (found->moving_layers > 0) {
        gs_line_add(&line, "%zu of %zu layers%s moved by more than a tenth of what %s did (%.2g)",
                    found->moving_layers, found->layers,
                    record->config->head ? ", the head among them," : "", most, found->most_moved);
        gs_line_add(&line, "; %s moved %.2g", least, found->least_moved);
    } else {
        gs_line_add(&line, "no layer moved");
    }
    gs_put_paragraph(out, "depth", line.text);
}

static void write_dead(FILE *out, const gs_findings *found) {
    gs_line line = {0};
    gs_line_add(&line, "%.3g%% of the units, %.3g%% at the start", 100 * found->last_dead,
                100 * found->first_dead);
    if (found->dead_layer > 0)
        gs_line_add(&line, "; layer %zu: %.3g%%", found->dead_layer, 100 * found->dead_share);
    gs_put_paragraph(out, "dead", line.text);
}

static void write_stopped(FILE *out, const gs_record *record, bool color) {
    const gs_findings *found = record->findings;
    char layer[32];
    gs_name_layer(record, found->nonfinite_layer, layer);
    gs_put_label(out, "stopped");
    gs_alarm_begin(out, color, true);
    fprintf(out, "step %llu", (unsigned long long)found->nonfinite_step);
    gs_alarm_end(out, color, true);
    if (found->nonfinite_layer > 0)
        fprintf(out, ": the signal is not finite from %s on\n", layer);
    else
        fputs(": the gradient is not finite\n", out);
}

void gs_findings_write(FILE *out, const gs_record *record, bool color) {
    const gs_findings *found = record->findings;
    write_trained(out, record);
    if (!isnan(found->last.test_loss))
        write_held_out(out, &found->last);
    if (found->has_plateau)
        write_plateau(out, found);
    if (found->layers > 0)
        write_depth(out, record);
    if (!isnan(found->last_dead))
        write_dead(out, found);
    if (record->config->clip.index != GS_CLIP_NONE && !isnan(found->last.clipped)) {
        gs_put_label(out, "clipped");
        fprintf(out, "%.3g%% of the updates\n", 100 * found->last.clipped);
    }
    if (!found->is_finite)
        write_stopped(out, record, color);
}
