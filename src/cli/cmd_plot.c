/*
 * gradsim plot: logs or summaries -> configurations -> a figure -> SVG, or text in the terminal.
 */
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/error.h"
#include "base/replace.h"
#include "cli/cli.h"
#include "cli/interrupts.h"
#include "cli/reading.h"
#include "report/draw.h"
#include "report/picture.h"
#include "report/svg.h"

typedef struct {
    char *output; /* NULL: the terminal */
    char *column, *where, *title;
    bool ascii;
    gs_choice color;
} plot_options;

/* clang-format off */
static const gs_option option_rows[] = {
    {"output", GS_OPTION_TEXT, offsetof(plot_options, output), "FILE", NULL,
     "an .svg to draw; by default it is drawn in the terminal", .group = "Picture", .letter = 'o'},
    {"column", GS_OPTION_TEXT, offsetof(plot_options, column), "NAME", NULL,
     "what to draw: any column of numbers; by default grad_z_log10 of a log, ratio_log10_mean of a summary",
     .letter = 0},
    {"where", GS_OPTION_TEXT, offsetof(plot_options, where), "EXPR", NULL,
     "leave out all other configurations: 'layers>=64 || act==relu'", .letter = 0},
    {"title", GS_OPTION_TEXT, offsetof(plot_options, title), "TEXT", NULL,
     "what stands above it", .letter = 0},
    {"ascii", GS_OPTION_FLAG, offsetof(plot_options, ascii), NULL, NULL,
     "in the terminal: no other characters", .letter = 0},
    {"color", GS_OPTION_CHOICE, offsetof(plot_options, color), "WHEN", "auto",
     "colors in the terminal", .family = &cli_colors},
};
/* clang-format on */

const gs_option_table cli_plot_options = {option_rows, sizeof option_rows / sizeof option_rows[0]};

typedef struct {
    plot_options options;
    cli_reading reading;
    gs_variation *variation;
    gs_picture *picture;
} plot;

/* ---- From the files to a figure ---- */

static gs_status check_output(const char *output, gs_error *error) {
    const char *dot = output ? strrchr(output, '.') : NULL;
    if (!output || (dot && strcasecmp(dot, ".svg") == 0))
        return GS_OK;
    return gs_fail(error, GS_ERR_USAGE, "--output: expected a name that ends with .svg, got '%s'",
                   output);
}

static gs_status make_picture(plot *p, gs_error *error) {
    gs_picture_kind kind;
    p->variation = gs_variation_new(p->reading.gather, error);
    if (!p->variation)
        return GS_ERR_MEMORY;
    gs_status status = gs_picture_choose(p->variation, GS_GATHER_WANTED, &kind, error);
    if (status != GS_OK)
        return gs_fail(error, status, "%s: %s", p->reading.gather->first, error->message);
    p->picture = gs_picture_new(p->variation, GS_GATHER_WANTED, kind, p->options.title, error);
    return p->picture ? GS_OK : GS_ERR_MEMORY;
}

/* ---- Drawing ---- */

static gs_status fail_to_write(const char *path, const char *reason, gs_error *error) {
    return gs_fail(error, GS_ERR_IO, "cannot write '%s': %s", path, reason);
}

/* A regular file is whole or not there; a pipe might keep the program waiting. */
static gs_status write_svg(const plot *p, gs_error *error) {
    const char *path = p->options.output;
    gs_replacement replacement;
    gs_error why;
    gs_status status = gs_replace_open(&replacement, path, &why);
    if (status != GS_OK)
        return fail_to_write(path, why.message, error);
    cli_hold_interrupts(replacement.temporary);
    status = gs_svg_write(replacement.file, &p->picture->figure, (gs_svg_style){0}, error);
    gs_status closed = gs_replace_close(&replacement, status, &why);
    cli_hold_interrupts(false);
    return status == GS_OK && closed != GS_OK ? fail_to_write(path, why.message, error) : status;
}

/* COLUMNS goes before what the terminal says, so that a script can choose. */
static size_t screen_columns(void) {
    uint64_t columns;
    const char *text = getenv("COLUMNS");
    if (text && gs_parse_size(text, &columns) == GS_TEXT_OK && columns > 0)
        return columns < SIZE_MAX ? (size_t)columns : SIZE_MAX;
    return cli_terminal_columns(STDOUT_FILENO, 0);
}

static gs_status draw(const plot *p, gs_error *error) {
    const gs_draw_style style = {
        .width = screen_columns(),
        .color = cli_use_color(p->options.color, stdout),
        .unicode = !p->options.ascii && gs_locale_is_utf8(),
    };
    gs_status status = gs_draw_write(stdout, &p->picture->figure, style, error);
    if (status == GS_OK && gs_file_finish(stdout, error) != GS_OK)
        return gs_fail(error, GS_ERR_IO, "cannot write standard output: %s", strerror(errno));
    return status;
}

static void note_failures(const plot *p) {
    if (p->reading.gather->failed > 0)
        fprintf(stderr, "gradsim: %" PRIu64 " network%s that could not be measured %s left out\n",
                p->reading.gather->failed, p->reading.gather->failed == 1 ? "" : "s",
                p->reading.gather->failed == 1 ? "is" : "are");
}

/* ---- The command ---- */

int cmd_plot(char **arguments) {
    plot p = {0};
    gs_error error;
    int exit_status = CLI_DONE;
    const cli_target targets[] = {{&cli_plot_options, &p.options}};
    if (gs_options_reset(&cli_plot_options, &p.options, &error) != GS_OK)
        return cli_fail(&error);
    if (cli_begin("plot", arguments, targets, 1, SIZE_MAX, &exit_status)) {
        const plot_options *options = &p.options;
        gs_status status = cli_reading_check("plot", arguments, options->output, &error);
        if (status == GS_OK)
            status = check_output(options->output, &error);
        if (status == GS_OK)
            status = cli_reading_begin(&p.reading, arguments, options->column, options->where, NULL,
                                       &error);
        if (status == GS_OK)
            status = make_picture(&p, &error);
        if (status == GS_OK)
            status = (options->output ? write_svg : draw)(&p, &error);
        if (status == GS_OK)
            note_failures(&p);
        exit_status = status == GS_OK ? CLI_DONE : cli_fail(&error);
    }
    gs_picture_free(p.picture);
    gs_variation_free(p.variation);
    cli_reading_end(&p.reading);
    gs_options_release(&cli_plot_options, &p.options);
    return exit_status;
}
