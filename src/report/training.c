/*
 * A run of training, for people: a line a step that is logged, with a strip of the gradients of all
 * layers, and what the last step and the whole run come to.
 */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "net/activation.h"
#include "net/config.h"
#include "report/strip.h"
#include "report/table.h"

/* ---- Cells ---- */

/* Four decimals where they say something, else an exponent, with the digits that there is room for;
   the width is 8. */
static void format_loss(char out[32], int width, double value) {
    double size = fabs(value);
    bool is_plain = value == 0 || (size >= 0.01 && size < 1000);
    if (isnan(value))
        strcpy(out, "nan");
    else if (!is_plain || gs_format(out, 32, "%.4f", value) > width)
        for (int digits = 2; gs_format(out, 32, "%.*e", digits, value) > width && digits > 0;)
            digits--;
}

static void format_rate(char out[32], int width, double value) {
    for (int digits = 3; gs_format(out, 32, "%.*g", digits, value) > width && digits > 1;)
        digits--;
}

static void format_log(char out[32], int width, double value) {
    gs_format_log(out, value);
    for (int digits = 1; strlen(out) > (size_t)width && digits >= 0; digits--)
        gs_format(out, 32, "%.*f", digits, value);
    if (strlen(out) > (size_t)width)
        gs_format(out, 32, "%.0e", value);
}

static void format_accuracy(char out[32], int width, double value) {
    (void)width;
    gs_format(out, 32, "%.1f%%", 100 * value);
}

static void format_share(char out[32], int width, double value) {
    (void)width;
    gs_format(out, 32, "%.0f%%", 100 * value);
}

/* ---- Columns ---- */

enum { LOSS, ACCURACY, TEST_LOSS, TEST_ACCURACY, RATE, NORM, CLIPPED_NORM, CLIPPED, DEAD, COLUMNS };

static const struct {
    const char *title;
    int width;
    void (*format)(char out[32], int width, double value);
} columns[COLUMNS] = {
    [LOSS] = {"loss", 8, format_loss},
    [ACCURACY] = {"acc", 6, format_accuracy},
    [TEST_LOSS] = {"held out", 8, format_loss},
    [TEST_ACCURACY] = {"acc", 6, format_accuracy},
    [RATE] = {"lr", 8, format_rate},
    [NORM] = {"log|g|", 7, format_log},
    [CLIPPED_NORM] = {"clip to", 7, format_log},
    [CLIPPED] = {"clips", 5, format_share},
    [DEAD] = {"dead", 4, format_share},
};

/* What a line holds is the same throughout a run. */
typedef struct {
    int step_width;
    bool shown[COLUMNS];
    int strip_width;
} layout;

enum { LEAST_STEP_WIDTH = 4, LEAST_STRIP = 8, MOST_STRIP = 32 };

/* Units whose slope is 0 for whole regions of z. */
static bool can_die(gs_choice act) {
    const gs_activation *row =
        (const gs_activation *)gs_family_row(&gs_activation_family, act.index);
    bool has_parameter = row->kernel == GS_ACT_LEAKY_RELU || row->kernel == GS_ACT_ELU;
    return row->kernel == GS_ACT_RELU || (has_parameter && act.parameter == 0);
}

static int room_for_strip(const layout *line) {
    int room = GS_LINE_WIDTH - line->step_width - 2;
    for (size_t c = 0; c < COLUMNS; c++)
        room -= line->shown[c] ? 1 + columns[c].width : 0;
    return room;
}

/* Where there is no room for all, the strip comes before what can be had from other columns. */
static layout lay_out(const gs_config *config) {
    static const size_t spared[] = {RATE, CLIPPED_NORM, DEAD};
    char steps[32];
    int length = gs_format(steps, sizeof steps, "%zu", config->steps);
    layout line = {.step_width = length > LEAST_STEP_WIDTH ? length : LEAST_STEP_WIDTH};
    bool has_labels = config->data || config->loss.index == GS_LOSS_CE;
    bool is_tested = config->test_data || config->test_share > 0;
    line.shown[LOSS] = line.shown[NORM] = true;
    line.shown[ACCURACY] = has_labels;
    line.shown[TEST_LOSS] = is_tested;
    line.shown[TEST_ACCURACY] = is_tested && has_labels;
    line.shown[RATE] = config->warmup > 0 || config->schedule.index != 0;
    line.shown[CLIPPED_NORM] = line.shown[CLIPPED] = config->clip.index != GS_CLIP_NONE;
    line.shown[DEAD] = can_die(config->act);
    for (size_t i = 0; room_for_strip(&line) < LEAST_STRIP; i++)
        line.shown[spared[i]] = false;
    line.strip_width = room_for_strip(&line);
    return line;
}

/* ---- Lines ---- */

static void write_head(FILE *out, const layout *line) {
    static const char strip[] = "|dL/dW|, input to output", narrow[] = "|dL/dW|";
    fprintf(out, "%*s", line->step_width, "step");
    for (size_t c = 0; c < COLUMNS; c++)
        if (line->shown[c])
            fprintf(out, " %*s", columns[c].width, columns[c].title);
    fprintf(out, "  %s\n", line->strip_width < (int)strlen(strip) ? narrow : strip);
}

static void write_cells(FILE *out, const layout *line, const gs_record *record) {
    const gs_training_stats *stats = record->training;
    const double values[COLUMNS] = {
        [LOSS] = record->summary->loss,
        [ACCURACY] = stats->accuracy,
        [TEST_LOSS] = stats->test_loss,
        [TEST_ACCURACY] = stats->test_accuracy,
        [RATE] = stats->rate,
        [NORM] = stats->grad_norm_log10,
        [CLIPPED_NORM] = stats->grad_norm_clipped_log10,
        [CLIPPED] = stats->clipped,
        [DEAD] = gs_dead_share(record->config, record->stats, record->rows),
    };
    fprintf(out, "%*zu", line->step_width, record->step);
    for (size_t c = 0; c < COLUMNS; c++) {
        char text[32] = "-";
        if (!isnan(values[c]) || c == LOSS)
            columns[c].format(text, columns[c].width, values[c]);
        if (line->shown[c])
            fprintf(out, " %*s", columns[c].width, text);
    }
}

static gs_status write_line(FILE *out, const gs_report_style *style, bool unicode,
                            const gs_record *record, gs_error *error) {
    layout line = lay_out(record->config);
    char strip[MOST_STRIP * GS_STRIP_BYTES + 1];
    bool alarm = record->summary->verdict != GS_HEALTHY;
    double *logs = gs_alloc(record->rows, sizeof *logs, error);
    if (!logs)
        return GS_ERR_MEMORY;
    for (size_t i = 0; i < record->rows; i++) {
        logs[i] = NAN;
        gs_layer_stats_get(&record->stats[i], GS_GRAD_W_LOG10, &logs[i]);
    }
    size_t width = line.strip_width < MOST_STRIP ? (size_t)line.strip_width : MOST_STRIP;
    gs_strip_write(strip, sizeof strip, logs, record->rows, width, unicode);
    write_cells(out, &line, record);
    fputs("  ", out);
    gs_alarm_begin(out, style->color, alarm);
    fputs(strip, out);
    gs_alarm_end(out, style->color, alarm);
    putc('\n', out);
    gs_free(logs);
    return GS_OK;
}

/* ---- The whole ---- */

static gs_status write_head_of_run(FILE *out, const gs_record *record, gs_error *error) {
    layout line = lay_out(record->config);
    gs_status status = gs_title_write(out, record->config, record->seed, record->step, error);
    if (status == GS_OK)
        write_head(out, &line);
    return status;
}

static gs_status write_end(FILE *out, const gs_report_style *style, bool unicode,
                           const gs_record *record, gs_error *error) {
    if (style->quiet) {
        gs_seed_write(out, record);
    } else {
        putc('\n', out);
        gs_status status = gs_layers_write(out, style, unicode, record, error);
        if (status != GS_OK)
            return status;
    }
    gs_summary_write(out, record, style->color);
    gs_findings_write(out, record, style->color);
    return GS_OK;
}

gs_status gs_training_write(FILE *out, const gs_report_style *style, bool unicode,
                            const gs_record *record, bool is_first, gs_error *error) {
    gs_status status = GS_OK;
    if (is_first && !style->quiet)
        status = write_head_of_run(out, record, error);
    if (status == GS_OK && !style->quiet)
        status = write_line(out, style, unicode, record, error);
    if (status == GS_OK && record->findings)
        status = write_end(out, style, unicode, record, error);
    return status;
}
