/*
 * What a run of training came to, for people.
 */
#include <math.h>

#include "base/text.h"
#include "net/config.h"
#include "report/table.h"

enum { TEXT_SIZE = 256 };

/* Appends to a text of TEXT_SIZE bytes; what does not fit is cut. */
static void add(char *text, size_t *length, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void add(char *text, size_t *length, const char *format, ...) {
    va_list arguments;
    if (*length >= TEXT_SIZE)
        return;
    va_start(arguments, format);
    *length += (size_t)gs_format_list(text + *length, TEXT_SIZE - *length, format, arguments);
    va_end(arguments);
}

/* "1000 steps", "57 of 1000 steps", "steps 500 to 1000". */
static void add_span(char *text, size_t *length, const gs_findings *found, size_t steps) {
    unsigned long long first = found->first_step, last = found->last_step;
    if (first > 0)
        add(text, length, "steps %llu to %llu", first, last);
    else
        add(text, length, "%llu", last);
    if (last < steps)
        add(text, length, " of %zu", steps);
    if (first == 0)
        add(text, length, " step%s", (last < steps ? steps : last) == 1 ? "" : "s");
}

static void write_trained(FILE *out, const gs_record *record) {
    const gs_findings *found = record->findings;
    char text[TEXT_SIZE];
    size_t length = 0;
    add_span(text, &length, found, record->config->steps);
    add(text, &length, ": loss %.3g to %.3g", found->first_loss,
        isnan(found->last_loss) ? (double)NAN : found->last_loss);
    if (!isnan(found->first.accuracy) && !isnan(found->last.accuracy))
        add(text, &length, ", accuracy %.3g%% to %.3g%%", 100 * found->first.accuracy,
            100 * found->last.accuracy);
    gs_put_paragraph(out, "trained", text);
}

static void write_held_out(FILE *out, const gs_training_stats *last) {
    char text[TEXT_SIZE];
    size_t length = 0;
    add(text, &length, "loss %.3g", last->test_loss);
    if (!isnan(last->test_accuracy))
        add(text, &length, ", accuracy %.3g%%", 100 * last->test_accuracy);
    gs_put_paragraph(out, "held out", text);
}

static void write_plateau(FILE *out, const gs_findings *found) {
    char text[TEXT_SIZE];
    gs_format(text, sizeof text,
              "steps %llu to %llu at a loss of %.3g, while the gradient vanishes",
              (unsigned long long)found->plateau_first, (unsigned long long)found->plateau_last,
              found->plateau_loss);
    gs_put_paragraph(out, "plateau", text);
}

static void write_depth(FILE *out, const gs_record *record) {
    const gs_findings *found = record->findings;
    char text[TEXT_SIZE] = "no layer moved", least[32], most[32];
    gs_name_layer(record, found->least_layer, least);
    gs_name_layer(record, found->most_layer, most);
    if (found->moving_layers > 0)
        gs_format(text, sizeof text,
                  "%zu of %zu layers%s moved by more than a tenth of what %s did (%.2g); %s moved "
                  "%.2g",
                  found->moving_layers, found->layers,
                  record->config->head ? ", the head among them," : "", most, found->most_moved,
                  least, found->least_moved);
    gs_put_paragraph(out, "depth", text);
}

static void write_dead(FILE *out, const gs_findings *found) {
    char text[TEXT_SIZE];
    size_t length = 0;
    add(text, &length, "%.3g%% of the units, %.3g%% at the start", 100 * found->last_dead,
        100 * found->first_dead);
    if (found->dead_layer > 0)
        add(text, &length, "; layer %zu: %.3g%%", found->dead_layer, 100 * found->dead_share);
    gs_put_paragraph(out, "dead", text);
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
