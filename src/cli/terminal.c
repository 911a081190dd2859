/*
 * What a terminal can show: its width, and colours.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/cli.h"

static const gs_name color_rows[] = {
    {.name = "auto", .help = "colors on a terminal, unless NO_COLOR is set"},
    {.name = "always", .help = "colors"},
    {.name = "never", .help = "no colors"},
};

const gs_family cli_colors = GS_FAMILY(color_rows);

/* NO_COLOR (no-color.org) counts if it is not empty. */
bool cli_use_color(gs_choice color, FILE *file) {
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    if (color.index != CLI_COLOR_AUTO)
        return color.index == CLI_COLOR_ALWAYS;
    return !(no_color && no_color[0]) && term && strcmp(term, "dumb") != 0 && isatty(fileno(file));
}

/* TIOCGWINSZ is not of POSIX; libcs that hide what is not do without the width. */
size_t cli_terminal_columns(int descriptor, size_t usual) {
#ifdef TIOCGWINSZ
    struct winsize size;
    if (ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
#else
    (void)descriptor;
#endif
    return usual;
}
