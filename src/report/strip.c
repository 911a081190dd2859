/*
 * Magnitudes as one character a column.
 */
#include <math.h>
#include <string.h>

#include "report/strip.h"

/* -inf if one is exactly zero, nan if one is not finite. */
static double column_mean(const double *log10s, size_t first, size_t end) {
    double sum = 0;
    bool is_finite = true;
    for (size_t i = first; i < end; i++) {
        is_finite = is_finite && log10s[i] < INFINITY;
        sum += log10s[i];
    }
    return is_finite ? sum / (double)(end - first) : (double)NAN;
}

static void unicode_mark(char mark[GS_STRIP_BYTES + 1], double decades) {
    if (decades >= 8)
        strcpy(mark, "\xc2\xb7");
    else {
        strcpy(mark, "\xe2\x96\x88"); /* U+2588; U+2587 is seven eighths of it */
        mark[2] = (char)(mark[2] - (int)decades);
    }
}

static void put_mark(char mark[GS_STRIP_BYTES + 1], double log10, double largest, bool unicode) {
    double decades = largest - log10;
    if (isnan(log10))
        strcpy(mark, "!");
    else if (log10 == -INFINITY)
        strcpy(mark, unicode ? "0" : "z");
    else if (unicode)
        unicode_mark(mark, decades);
    else {
        mark[0] = (char)(decades >= 10 ? '.' : '0' + (int)decades);
        mark[1] = '\0';
    }
}

size_t gs_strip_write(char *out, size_t size, const double *log10s, size_t count, size_t columns,
                      bool unicode) {
    double largest = -INFINITY;
    columns = columns < count ? columns : count;
    for (size_t c = 0; c < columns; c++)
        largest =
            fmax(largest, column_mean(log10s, c * count / columns, (c + 1) * count / columns));
    size_t whole = 0, length = 0;
    for (size_t c = 0; c < columns; c++) {
        char mark[GS_STRIP_BYTES + 1];
        put_mark(mark, column_mean(log10s, c * count / columns, (c + 1) * count / columns), largest,
                 unicode);
        size_t bytes = strlen(mark);
        if (whole == length && length + bytes < size) {
            memcpy(out + length, mark, bytes);
            length += bytes;
        }
        whole += bytes;
    }
    if (size > 0)
        out[length] = '\0';
    return whole;
}
