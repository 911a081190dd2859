/*
 * Progress of a long command, on standard error: a line that is rewritten on a terminal, or plain
 * lines for the log of a batch job.
 *
 *     step 120/1000  loss 0.345  accuracy 91%  85/s  0:10 left  ██▇▇▆▅▄▃
 */
#ifndef GS_CLI_PROGRESS_H
#define GS_CLI_PROGRESS_H

#include <stdio.h>

#include "net/option.h"

typedef enum { CLI_PROGRESS_AUTO, CLI_PROGRESS_PLAIN, CLI_PROGRESS_NEVER } cli_progress_mode;

extern const gs_family cli_progress_modes; /* what --progress takes */

enum { CLI_PROGRESS_COLUMNS = 500, CLI_PROGRESS_BYTES = 3 * CLI_PROGRESS_COLUMNS + 16 };

typedef struct {
    cli_progress_mode mode; /* AUTO: there is a terminal */
    bool unicode;
    const char *noun;              /* "step" */
    uint64_t all, seen;            /* of them; done when it was last shown */
    double seen_at;                /* seconds */
    double steps, seconds;         /* weighted sums, whose ratio is the rate */
    bool has_shown;                /* ever */
    bool is_open, is_hidden;       /* the line stands on the terminal; is to be put back there */
    char line[CLI_PROGRESS_BYTES]; /* that was shown last */
} cli_progress;

/* Begin, with `done` of `all` behind. With AUTO there is progress if standard error is a terminal
   that can rewrite a line. `noun` must live as long. */
void cli_progress_begin(cli_progress *progress, cli_progress_mode mode, uint64_t done, uint64_t all,
                        const char *noun);

/* Whether it is time to show `done`: on a terminal ten times a second at most; else for the first
   that is asked about and then whenever another twentieth of all is done. Cheap enough for every
   step. */
bool cli_progress_is_due(const cli_progress *progress, uint64_t done);

/* Show it, with an ASCII text (NULL: none), and on a terminal the strip (report/strip.h) of
   log10s[count] (NULL: none) in what is left of the line. What does not fit is left out. The rate
   is that of the last few seconds, or since the last plain line. */
void cli_progress_show(cli_progress *progress, uint64_t done, const char *text,
                       const double *log10s, size_t count);

/* Take the line off the terminal if `file` is one, before something is written to it, and put it
   back. */
void cli_progress_hide(cli_progress *progress, FILE *file);
void cli_progress_restore(cli_progress *progress);

/* Take it off for good. Also before a message on standard error. */
void cli_progress_clear(cli_progress *progress);

#endif
