/*
 * Bars on a log scale.
 */
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "report/table.h"

enum { BAR_WIDTH = 18, LEAST_DECADES = 3 };

void gs_bars_fit(gs_bars *bars, const double *logs, size_t count) {
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < count; i++)
        if (isfinite(logs[i])) {
            low = fmin(low, floor(logs[i]));
            high = fmax(high, ceil(logs[i]));
        }
    bars->high = high >= low ? high : 0;
    bars->low = fmin(low, bars->high - LEAST_DECADES);
}

void gs_bars_write_scale(const gs_bars *bars) {
    char low[32], high[32];
    gs_format(low, sizeof low, "10^%d", (int)bars->low);
    gs_format(high, sizeof high, "10^%d", (int)bars->high);
    fprintf(bars->out, "  %-*s %s\n", BAR_WIDTH - 1 - (int)strlen(high), low, high);
}

/* At least one step, so that the smallest is seen. A block of Unicode has eight. */
static void write_steps(const gs_bars *bars, double log) {
    int steps = bars->unicode ? 8 : 1;
    double share = (log - bars->low) / (bars->high - bars->low);
    int length = 1 + (int)floor(share * (BAR_WIDTH * steps - 1));
    for (; length >= steps; length -= steps)
        fputs(bars->unicode ? "\xe2\x96\x88" : "#", bars->out);
    if (length > 0) /* U+258F is one eighth of a block, U+2589 seven */
        fprintf(bars->out, "\xe2\x96%c", 0x90 - length);
}

void gs_bars_write(const gs_bars *bars, double log, const char *zero, bool alarm) {
    fputs("  ", bars->out);
    gs_alarm_begin(bars->out, bars->color, alarm);
    if (isfinite(log))
        write_steps(bars, log);
    else
        fputs(log < 0 ? zero : "not finite", bars->out);
    gs_alarm_end(bars->out, bars->color, alarm);
    putc('\n', bars->out);
}
