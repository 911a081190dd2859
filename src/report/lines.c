/*
 * What lines for people are made of: labels, paragraphs, logarithms, and red for an alarm.
 */
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "report/table.h"

void gs_alarm_begin(FILE *out, bool color, bool alarm) {
    if (color && alarm)
        fputs("\033[31m", out);
}

void gs_alarm_end(FILE *out, bool color, bool alarm) {
    if (color && alarm)
        fputs("\033[0m", out);
}

void gs_put_label(FILE *out, const char *label) {
    fprintf(out, "%-*s", GS_LABEL_WIDTH, label);
}

void gs_put_paragraph(FILE *out, const char *label, const char *text) {
    size_t column = GS_LABEL_WIDTH;
    gs_put_label(out, label);
    for (size_t length; *text; text += length + (text[length] == ' ')) {
        length = strcspn(text, " ");
        bool is_first = column == GS_LABEL_WIDTH, fits = column + 1 + length <= GS_LINE_WIDTH;
        if (!is_first && !fits)
            fprintf(out, "\n%*s", GS_LABEL_WIDTH, "");
        else if (!is_first)
            putc(' ', out);
        fprintf(out, "%.*s", (int)length, text);
        column = (is_first || fits ? column + !is_first : GS_LABEL_WIDTH) + length;
    }
    putc('\n', out);
}

void gs_name_layer(const gs_record *record, size_t layer, char out[32]) {
    gs_format(out, 32, "layer %zu", layer);
    for (size_t i = 0; i < record->rows; i++)
        if (record->stats[i].layer == layer && record->stats[i].kind == GS_KIND_HEAD)
            strcpy(out, "the head");
}

void gs_format_log(char out[32], double value) {
    gs_format(out, 32, "%.2f", fabs(value) < 0.005 ? 0 : value);
}

void gs_put_log(FILE *out, int width, double value) {
    char text[32] = "-";
    if (!isnan(value))
        gs_format_log(text, value);
    fprintf(out, " %*s", width, text);
}
