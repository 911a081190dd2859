/*
 * Progress on standard error.
 */
#include "cli/progress.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

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

static double now(void) {
    struct timespec time = {0};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

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
                               .seen_at = now()};
}

static uint64_t twentieths(const cli_progress *progress, uint64_t done) {
    return progress->all > 0 ? done * TWENTIETHS / progress->all : done;
}

bool cli_progress_is_due(const cli_progress *progress, uint64_t done) {
    switch (progress->mode) {
    case CLI_PROGRESS_AUTO:
        return now() - progress->seen_at >= period;
    case CLI_PROGRESS_PLAIN:
        return !progress->has_shown ||
               twentieths(progress, done) != twentieths(progress, progress->seen);
    default:
        return false;
    }
}

/* ---- What ---- */

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

/* A line that grows by what fits into its columns. */
typedef struct {
    char text[CLI_PROGRESS_BYTES];
    size_t bytes, columns, most;
} line;

static void put(line *l, const char *text) {
    l->bytes += (size_t)gs_format(l->text + l->bytes, sizeof l->text - l->bytes, "%s", text);
}

static void add(line *l, const char *part) {
    const char *gap = l->columns > 0 ? "  " : "";
    size_t columns = strlen(gap) + strlen(part);
    if (l->columns + columns > l->most)
        return;
    put(l, gap);
    put(l, part);
    l->columns += columns;
}

static void add_rate(line *l, double rate) {
    char text[64];
    gs_format(text, sizeof text, rate >= 10 ? "%.0f/s" : "%.2g/s", rate);
    add(l, text);
}

static void add_time_left(line *l, double seconds) {
    enum { MINUTE = 60, HOUR = 60 * MINUTE, DAY = 24 * HOUR };
    char text[64];
    if (seconds >= 2 * DAY) {
        gs_format(text, sizeof text, "%.0f days left", ceil(seconds / DAY));
        add(l, text);
        return;
    }
    int whole = (int)ceil(seconds), hours = whole / HOUR;
    int minutes = whole % HOUR / MINUTE, rest = whole % MINUTE;
    if (hours > 0)
        gs_format(text, sizeof text, "%d:%02d:%02d left", hours, minutes, rest);
    else
        gs_format(text, sizeof text, "%d:%02d left", minutes, rest);
    add(l, text);
}

static void add_strip(line *l, const double *log10s, size_t count, bool unicode) {
    static const char gap[] = "  ";
    if (l->columns + strlen(gap) >= l->most)
        return;
    put(l, gap);
    l->bytes += gs_strip_write(l->text + l->bytes, sizeof l->text - l->bytes, log10s, count,
                               l->most - l->columns - strlen(gap), unicode);
}

static void compose(line *l, const cli_progress *progress, const char *text) {
    char count[128];
    gs_format(count, sizeof count, "%s %llu/%llu", progress->noun,
              (unsigned long long)progress->seen, (unsigned long long)progress->all);
    add(l, count);
    if (text && *text)
        add(l, text);
    double rate = progress->steps / progress->seconds;
    if (!(isfinite(rate) && rate > 0))
        return;
    add_rate(l, rate);
    if (progress->seen < progress->all)
        add_time_left(l, (double)(progress->all - progress->seen) / rate);
}

static const char erase_rest[] = "\033[K";

/* The last column stays free: a terminal would be about to go to the next line. TIOCGWINSZ is not
   of POSIX; libcs that hide what is not do without the width. */
static size_t terminal_columns(void) {
    size_t columns = USUAL_COLUMNS;
#ifdef TIOCGWINSZ
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        columns = size.ws_col;
#endif
    return (columns < CLI_PROGRESS_COLUMNS ? columns : CLI_PROGRESS_COLUMNS) - 1;
}

void cli_progress_show(cli_progress *progress, uint64_t done, const char *text,
                       const double *log10s, size_t count) {
    if (progress->mode == CLI_PROGRESS_NEVER)
        return;
    bool is_plain = progress->mode == CLI_PROGRESS_PLAIN;
    line l = {.most = is_plain ? CLI_PROGRESS_COLUMNS : terminal_columns()};
    update_rate(progress, done, now());
    put(&l, is_plain ? "" : "\r");
    compose(&l, progress, text);
    if (log10s && !is_plain)
        add_strip(&l, log10s, count, progress->unicode);
    put(&l, is_plain ? "\n" : erase_rest);
    memcpy(progress->line, l.text, l.bytes + 1);
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
