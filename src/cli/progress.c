/*
 * Progress on standard error.
 */
#include "cli/progress.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/machine.h"
#include "base/text.h"
#include "cli/cli.h"
#include "report/sheet.h"
#include "report/strip.h"

static const gs_name mode_rows[] = {
    {.name = "auto", .help = "a line on a terminal, with a strip of the layers' gradients"},
    {.name = "plain", .help = "a line for each twentieth that is done"},
    {.name = "never", .help = "no progress"},
};

const gs_family cli_progress_modes = GS_FAMILY(mode_rows);

enum { TWENTIETHS = 20, USUAL_COLUMNS = 80 };

static const double period = 0.1;  /* seconds between two lines on a terminal */
static const double smoothing = 3; /* seconds that the rate looks back, about */

/* ---- When ---- */

static bool can_rewrite(void) {
    const char *terminal = getenv("TERM");
    return isatty(STDERR_FILENO) && terminal && *terminal && strcmp(terminal, "dumb") != 0;
}

void cli_progress_begin(cli_progress *progress, cli_progress_mode mode, uint64_t done, uint64_t all,
                        const char *noun) {
    if (mode == CLI_PROGRESS_AUTO && !can_rewrite())
        mode = CLI_PROGRESS_NEVER;
    *progress = (cli_progress){.mode = mode,
                               .unicode = gs_locale_is_utf8(),
                               .noun = noun,
                               .all = all,
                               .seen = done,
                               .seen_at = gs_monotonic_seconds()};
}

static uint64_t twentieths(const cli_progress *progress, uint64_t done) {
    return progress->all > 0 ? done * TWENTIETHS / progress->all : done;
}

bool cli_progress_is_due(const cli_progress *progress, uint64_t done) {
    switch (progress->mode) {
    case CLI_PROGRESS_AUTO:
        return gs_monotonic_seconds() - progress->seen_at >= period;
    case CLI_PROGRESS_PLAIN:
        return !progress->has_shown ||
               twentieths(progress, done) != twentieths(progress, progress->seen);
    default:
        return false;
    }
}

/* ---- What ---- */

static const char gap[] = "  ";
static const char erase_rest[] = "\033[K";

/* Sums in which what is past counts for less, by e in `smoothing` seconds. What passes before the
   first step is done is no part of it. */
static void update_rate(cli_progress *progress, uint64_t done, double at) {
    double seconds = at - progress->seen_at, keep = smoothing / (smoothing + seconds);
    if (done > progress->seen) {
        progress->steps = keep * progress->steps + (double)(done - progress->seen);
        progress->seconds = keep * progress->seconds + seconds;
    }
    progress->seen = done;
    progress->seen_at = at;
}

static void add_time_left(gs_line *line, double seconds) {
    enum { MINUTE = 60, HOUR = 60 * MINUTE, DAY = 24 * HOUR };
    if (seconds >= 2 * DAY) {
        gs_line_add(line, "%.0f days left", ceil(seconds / DAY));
        return;
    }
    int whole = (int)ceil(seconds), hours = whole / HOUR;
    int minutes = whole % HOUR / MINUTE, rest = whole % MINUTE;
    if (hours > 0)
        gs_line_add(line, "%d:%02d:%02d left", hours, minutes, rest);
    else
        gs_line_add(line, "%d:%02d left", minutes, rest);
}

/* The count, the text, the rate and the time left, as far as they fit into `columns`. All of it is
   ASCII: a byte is a column. */
static gs_line compose(const cli_progress *progress, const char *text, size_t columns) {
    enum { COUNT, TEXT, RATE, TIME, PARTS };
    gs_line line = {0}, parts[PARTS] = {0};
    double rate = progress->steps / progress->seconds;
    gs_line_add(&parts[COUNT], "%s %llu/%llu", progress->noun, (unsigned long long)progress->seen,
                (unsigned long long)progress->all);
    gs_line_add(&parts[TEXT], "%s", text ? text : "");
    if (isfinite(rate) && rate > 0) {
        gs_line_add(&parts[RATE], rate >= 10 ? "%.0f/s" : "%.2g/s", rate);
        if (progress->seen < progress->all)
            add_time_left(&parts[TIME], (double)(progress->all - progress->seen) / rate);
    }
    for (size_t i = 0; i < PARTS; i++) {
        const char *before = line.length > 0 ? gap : "";
        if (parts[i].length > 0 && line.length + strlen(before) + parts[i].length <= columns)
            gs_line_add(&line, "%s%s", before, parts[i].text);
    }
    return line;
}

/* The last column stays free: a terminal would be about to go to the next line. */
static size_t terminal_columns(void) {
    size_t columns = cli_terminal_columns(STDERR_FILENO, USUAL_COLUMNS);
    return (columns < CLI_PROGRESS_COLUMNS ? columns : CLI_PROGRESS_COLUMNS) - 1;
}

/* A whole line, with the strip after what was composed. */
static void write_line(cli_progress *progress, const char *text, const double *log10s, size_t count,
                       size_t columns) {
    bool is_plain = progress->mode == CLI_PROGRESS_PLAIN;
    char *out = progress->line, *end = out + sizeof progress->line;
    gs_line line = compose(progress, text, columns);
    size_t used = line.length + strlen(gap);
    out += gs_format(out, (size_t)(end - out), "%s%s", is_plain ? "" : "\r", line.text);
    if (log10s && !is_plain && used < columns) {
        out += gs_format(out, (size_t)(end - out), "%s", gap);
        out += gs_strip_write(out, (size_t)(end - out), log10s, count, columns - used,
                              progress->unicode);
    }
    gs_format(out, (size_t)(end - out), "%s", is_plain ? "\n" : erase_rest);
}

void cli_progress_show(cli_progress *progress, uint64_t done, const char *text,
                       const double *log10s, size_t count) {
    bool is_plain = progress->mode == CLI_PROGRESS_PLAIN;
    if (progress->mode == CLI_PROGRESS_NEVER)
        return;
    update_rate(progress, done, gs_monotonic_seconds());
    write_line(progress, text, log10s, count, is_plain ? CLI_PROGRESS_COLUMNS : terminal_columns());
    fputs(progress->line, stderr);
    progress->has_shown = true;
    progress->is_open = !is_plain;
}

/* ---- Beside what else is written ---- */

static void erase(cli_progress *progress) {
    if (progress->is_open)
        fprintf(stderr, "\r%s", erase_rest);
    progress->is_open = false;
}

void cli_progress_hide(cli_progress *progress, FILE *file) {
    progress->is_hidden = progress->is_open && isatty(fileno(file));
    if (progress->is_hidden)
        erase(progress);
}

void cli_progress_restore(cli_progress *progress) {
    if (!progress->is_hidden)
        return;
    fputs(progress->line, stderr);
    progress->is_open = true;
    progress->is_hidden = false;
}

void cli_progress_clear(cli_progress *progress) {
    erase(progress);
    progress->is_hidden = false;
}
