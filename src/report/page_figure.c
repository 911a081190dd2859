/*
 * Figures on a page: the pictures, their legend, and the numbers of their lines for page.js.
 */
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "report/page.h"
#include "report/svg.h"
#include "report/svg_pen.h"

enum { WIDE = 880, HALF = 540, NARROW = 380, SWATCH_WIDTH = 24, SWATCH_HEIGHT = 14 };

/* ---- The legend ---- */

static void begin_swatch(FILE *out, const char *class) {
    fprintf(out, "<svg class=\"swatch%s\" width=\"%d\" height=\"%d\" aria-hidden=\"true\"", class,
            SWATCH_WIDTH, SWATCH_HEIGHT);
}

static void write_swatch_line(FILE *out, const char *class) {
    gs_pen_line(out, class, 1, SWATCH_HEIGHT / 2, SWATCH_WIDTH - 1, SWATCH_HEIGHT / 2);
}

static void write_name(FILE *out, const gs_figure *figure, const gs_legend *legend, size_t hue) {
    char class[32];
    gs_format(class, sizeof class, " gs-c%zu", hue % GS_SERIES_COLORS);
    fprintf(out, "<li><button type=\"button\" aria-pressed=\"true\" data-series=\"%zu\">", hue);
    begin_swatch(out, figure->ordered ? " gs-ordered" : class);
    if (figure->ordered) {
        gs_color color = gs_palette_ordered(hue, legend->count);
        fprintf(out, " style=\"color:#%02x%02x%02x\"", color.red, color.green, color.blue);
    }
    putc('>', out);
    write_swatch_line(out, "gs-line");
    if (!figure->ordered && hue >= GS_SERIES_COLORS) {
        fputs("<path class=\"gs-points\" d=\"", out);
        gs_pen_mark(out, gs_svg_series_shape(hue), SWATCH_WIDTH / 2, SWATCH_HEIGHT / 2);
        fputs("\"/>", out);
    }
    fputs("</svg>", out);
    gs_pen_escape(out, legend->names[hue], NULL);
    fputs("</button></li>\n", out);
}

static void begin_note(FILE *out) {
    fputs("<li class=\"note\">", out);
    begin_swatch(out, " gs-key");
    putc('>', out);
}

static void end_note(FILE *out, const char *text) {
    fputs("</svg>", out);
    gs_pen_escape(out, text, NULL);
    fputs("</li>\n", out);
}

static void write_edge_note(FILE *out, const gs_figure *figure, bool upward) {
    char text[64];
    gs_figure_edge_text(figure, upward, text);
    begin_note(out);
    fputs("<path class=\"gs-edge\" d=\"", out);
    gs_pen_edge(out, SWATCH_WIDTH / 2, SWATCH_HEIGHT / 2 + (upward ? 3.5 : -3), upward);
    fputs("\"/>", out);
    end_note(out, text);
}

/* What lines, bands and marks mean that are no series of their own. */
static void write_notes(FILE *out, const gs_figure *figure, const gs_legend *legend) {
    gs_range range = gs_figure_y_range(figure);
    if (legend->theory && figure->dashed) {
        begin_note(out);
        write_swatch_line(out, "gs-theory");
        end_note(out, figure->dashed);
    }
    if (legend->bands && figure->band) {
        begin_note(out);
        fprintf(out, "<path class=\"gs-band\" d=\"M1,2h%dv%dH1z\"/>", SWATCH_WIDTH - 2,
                SWATCH_HEIGHT - 4);
        end_note(out, figure->band);
    }
    if (range.infinite)
        write_edge_note(out, figure, true);
    if (range.zero)
        write_edge_note(out, figure, false);
}

static void write_legend(FILE *out, const gs_figure *figure, const gs_legend *legend) {
    fputs("<ul class=\"legend\">\n", out);
    for (size_t hue = 0; hue < legend->count && !gs_legend_is_empty(legend); hue++)
        write_name(out, figure, legend, hue);
    write_notes(out, figure, legend);
    fputs("</ul>\n", out);
}

/* ---- Numbers: [[{"series":0,"x":[1,2],"y":[-3.5,null]}]], by panel ---- */

static void write_numbers(FILE *out, const char *name, const double *values, size_t count,
                          const char *format) {
    char text[40];
    if (!values)
        return;
    fprintf(out, ",\"%s\":[", name);
    for (size_t i = 0; i < count; i++) {
        if (isfinite(values[i]))
            gs_format(text, sizeof text, format, values[i]);
        else
            gs_format(text, sizeof text, "%s",
                      isnan(values[i]) ? "null"
                      : values[i] > 0  ? "\"inf\""
                                       : "\"-inf\"");
        fprintf(out, "%s%s", i > 0 ? "," : "", text);
    }
    putc(']', out);
}

/* x is left out where it is that of the panel's first series. */
static bool has_x_of(const gs_series *series, const gs_series *first) {
    return series != first && series->count == first->count &&
           memcmp(series->x, first->x, series->count * sizeof *series->x) == 0;
}

static void write_series(FILE *out, const gs_series *series, const gs_series *first, size_t hue) {
    size_t count = series->count;
    fprintf(out, "{\"series\":%zu", hue);
    write_numbers(out, "x", has_x_of(series, first) ? NULL : series->x, count, "%.15g");
    write_numbers(out, "y", series->y, count, "%.6g");
    write_numbers(out, "low", series->high ? series->low : NULL, count, "%.6g");
    write_numbers(out, "high", series->low ? series->high : NULL, count, "%.6g");
    write_numbers(out, "theory", series->theory, count, "%.6g");
    putc('}', out);
}

static void write_data(FILE *out, const gs_figure *figure, const gs_legend *legend) {
    const size_t *hue = legend->hues;
    fputs("<script type=\"application/json\">[", out);
    for (size_t p = 0; p < figure->panel_count; p++) {
        const gs_panel *panel = &figure->panels[p];
        fputs(p > 0 ? ",\n[" : "[", out);
        for (size_t s = 0; s < panel->series_count; s++) {
            fputs(s > 0 ? ",\n" : "", out);
            write_series(out, &panel->series[s], panel->series, *hue++);
        }
        putc(']', out);
    }
    fputs("]</script>\n", out);
}

/* ---- The whole ---- */

static void write_heading(FILE *out, const gs_figure *figure, bool is_half) {
    bool is_map = figure->kind == GS_FIGURE_MAP;
    fprintf(out, "<figure class=\"card%s\"%s", is_half ? " half" : "",
            (is_map ? figure->value : figure->y).decades ? " data-decades" : "");
    gs_pen_attribute(out, "data-dashed", figure->dashed);
    fputs(">\n<figcaption><h2>", out);
    gs_pen_escape(out, figure->title ? figure->title : "", NULL);
    fputs("</h2>", out);
    fputs("</figcaption>\n", out);
}

static gs_status write_picture(FILE *out, const gs_figure *figure, const char *class, double width,
                               gs_error *error) {
    fprintf(out, "<div class=\"%s\">\n", class);
    gs_status status =
        gs_svg_write(out, figure, (gs_svg_style){.width = width, .inside = true}, error);
    fputs("</div>\n", out);
    return status;
}

/* A map of many columns with heads is not read when it is narrow: there the wide one scrolls. */
static bool has_narrow(const gs_figure *figure) {
    enum { COLUMNS_MOST = 8 };
    return figure->kind == GS_FIGURE_LINES || figure->columns.levels == 0 ||
           figure->columns.count <= COLUMNS_MOST;
}

gs_status gs_page_write_figure(FILE *out, const gs_figure *figure, bool is_half, gs_error *error) {
    gs_legend *legend = gs_legend_new(figure, error);
    if (!legend)
        return GS_ERR_MEMORY;
    bool has_lines = figure->kind == GS_FIGURE_LINES;
    write_heading(out, figure, is_half);
    fprintf(out, "<div class=\"%s\">\n",
            has_lines            ? "lines"
            : has_narrow(figure) ? "map"
                                 : "map always-wide");
    gs_status status = write_picture(out, figure, "wide", is_half ? HALF : WIDE, error);
    if (status == GS_OK && has_narrow(figure))
        status = write_picture(out, figure, "narrow", NARROW, error);
    if (has_lines)
        write_legend(out, figure, legend);
    fputs("</div>\n", out);
    if (has_lines)
        write_data(out, figure, legend);
    fputs("</figure>\n", out);
    gs_legend_free(legend);
    return status;
}
