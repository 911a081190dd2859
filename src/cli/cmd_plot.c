/*
 * gradsim plot: logs or summaries -> configurations -> a figure -> SVG, or text in the terminal.
 */
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/cli.h"
#include "cli/reading.h"
#include "report/draw.h"
#include "report/picture.h"
#include "report/svg.h"

typedef struct {
    char *output; /* NULL: the terminal */
    bool ascii;
    gs_choice color;
} plot_options;

/* clang-format off */
static const gs_option option_rows[] = {
    {"output", GS_OPTION_TEXT, offsetof(plot_options, output), "FILE", NULL,
     "an .svg to draw; by default it is drawn in the terminal", .group = "Picture", .letter = 'o'},
    {"ascii", GS_OPTION_FLAG, offsetof(plot_options, ascii), NULL, NULL,
     "in the terminal: no other characters", .letter = 0},
    {"color", GS_OPTION_CHOICE, offsetof(plot_options, color), "WHEN", "auto",
     "colors in the terminal", .family = &cli_colors},
};
/* clang-format on */

const gs_option_table cli_plot_options = {option_rows, sizeof option_rows / sizeof option_rows[0]};

typedef struct {
    plot_options options;
    cli_view view;
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
    p->picture = gs_picture_new(p->variation, GS_GATHER_WANTED, kind, p->view.title, error);
    return p->picture ? GS_OK : GS_ERR_MEMORY;
}

/* ---- Drawing ---- */

static gs_status write_svg(const void *context, FILE *file, gs_error *error) {
    const plot *p = context;
    return gs_svg_write(file, &p->picture->figure, (gs_svg_style){0}, error);
}

/* COLUMNS goes before what the terminal says, so that a script can choose. */
static size_t screen_columns(void) {
    uint64_t columns;
    const char *text = getenv("COLUMNS");
    if (text && gs_parse_size(text, &columns) == GS_TEXT_OK && columns > 0)
        return columns < SIZE_MAX ? (size_t)columns : SIZE_MAX;
    return cli_terminal_columns(STDOUT_FILENO, 0);
}

static gs_status draw(const void *context, FILE *file, gs_error *error) {
    const plot *p = context;
    const gs_draw_style style = {
        .width = screen_columns(),
        .color = cli_use_color(p->options.color, file),
        .unicode = !p->options.ascii && gs_locale_is_utf8(),
    };
    return gs_draw_write(file, &p->picture->figure, style, error);
}

static void note_failures(const plot *p) {
    if (p->reading.gather->failed > 0)
        fprintf(stderr, "gradsim: %" PRIu64 " network%s that could not be measured %s left out\n",
                p->reading.gather->failed, p->reading.gather->failed == 1 ? "" : "s",
                p->reading.gather->failed == 1 ? "is" : "are");
}

/* ---- The command ---- */

static gs_status plot_files(plot *p, char *const *paths, gs_error *error) {
    const char *output = p->options.output;
    gs_status status = cli_check_operands("plot", "the file of a log", paths, output, error);
    if (status == GS_OK)
        status = check_output(output, error);
    if (status == GS_OK)
        status = cli_reading_begin(&p->reading, paths, &p->view, NULL, error);
    if (status == GS_OK)
        status = make_picture(p, error);
    if (status == GS_OK)
        status = cli_write_file(output, output ? write_svg : draw, p, error);
    if (status == GS_OK)
        note_failures(p);
    return status;
}

int cmd_plot(char **arguments) {
    plot p = {0};
    gs_error error;
    int exit_status;
    const cli_target targets[] = {{&cli_plot_options, &p.options}, {&cli_view_options, &p.view}};
    if (gs_options_reset(&cli_plot_options, &p.options, &error) != GS_OK)
        return cli_fail(&error);
    if (cli_begin("plot", arguments, targets, 2, SIZE_MAX, &exit_status))
        exit_status = plot_files(&p, arguments, &error) == GS_OK ? CLI_DONE : cli_fail(&error);
    gs_picture_free(p.picture);
    gs_variation_free(p.variation);
    cli_reading_end(&p.reading);
    gs_options_release(&cli_plot_options, &p.options);
    gs_options_release(&cli_view_options, &p.view);
    return exit_status;
}
