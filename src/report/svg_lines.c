/*
 * Lines in SVG: panels with axes, a series each line, and the legend.
 */
#include <math.h>

#include "base/memory.h"
#include "base/text.h"
#include "report/svg_pen.h"

enum { MARGIN = 14, LEGEND_GAP = 16, PANEL_GAP = 20, PANEL_TITLE = 20, AXIS_LABEL = 20 };
enum { TICK_LENGTH = 4, TICKS_HEIGHT = 20, BOTTOM = 12, PLOT_HEIGHT = 300, PANEL_LEAST = 150 };
enum { FEW_POINTS = 16, MARKS_APART = 40 }; /* a series of few points shows each */

struct gs_svg_lines {
    const gs_figure *figure;
    gs_legend *names;
    gs_svg_legend legend;
    gs_scale x, y;
    size_t columns, rows;
    gs_box plot; /* the first; the others lie a step to the right or below */
    double step_x, step_y;
    bool has_legend;
    double legend_left;
    bool few;     /* points in every series: each is marked */
    double *ends; /* [names], where their lines end */
};

/* ---- Planning ---- */

static double ticks_width(const gs_scale *scale) {
    double width = 0;
    for (size_t i = 0; i < scale->count; i++)
        width = fmax(width, gs_pen_tick_width(scale, i));
    return ceil(width);
}

static bool has_label(const gs_quantity *quantity) {
    return quantity->label && *quantity->label;
}

static bool has_few_points(const gs_figure *figure) {
    for (size_t p = 0; p < figure->panel_count; p++)
        for (size_t s = 0; s < figure->panels[p].series_count; s++)
            if (figure->panels[p].series[s].count > FEW_POINTS)
                return false;
    return true;
}

static double plan_plots(gs_svg_lines *lines, double width) {
    const gs_figure *figure = lines->figure;
    size_t count = figure->panel_count;
    double title = gs_figure_has_titles(figure) ? PANEL_TITLE : 0;
    gs_scale_fit(&lines->y, &figure->y, gs_figure_y_range(figure), count > 4 ? 5 : 8);
    gs_scale_pad(&lines->y, 0.03);
    double legend = lines->has_legend ? gs_svg_legend_width(&lines->legend) : 0;
    double left = MARGIN + ticks_width(&lines->y) + 8;
    double right = legend > 0 ? legend + LEGEND_GAP + MARGIN : MARGIN + 8;
    double room = fmax(width - left - right, 80);
    lines->columns = gs_panel_columns(figure, (size_t)fmax(1, floor(room / PANEL_LEAST)));
    lines->rows = (count + lines->columns - 1) / lines->columns;
    lines->step_x = floor((room + PANEL_GAP) / (double)lines->columns);
    lines->plot.left = left;
    lines->plot.top = title + (has_label(&figure->y) ? AXIS_LABEL : 4);
    lines->plot.width = lines->step_x - PANEL_GAP;
    lines->plot.height = lines->columns == 1 && lines->rows == 1
                             ? fmin(fmax(floor(lines->plot.width * 0.7), 200), PLOT_HEIGHT)
                             : fmin(fmax(floor(lines->plot.width * 0.72), 120), 240);
    lines->step_y = lines->plot.height + title + PANEL_GAP;
    lines->legend_left = width - MARGIN - legend;
    gs_scale_fit(&lines->x, &figure->x, gs_figure_x_range(figure),
                 (size_t)fmax(2, floor(lines->plot.width / 65)));
    if (figure->x.whole)
        gs_scale_add_ends(&lines->x);
    gs_scale_pad(&lines->x, 0.01);
    double height = lines->plot.top + lines->step_y * (double)lines->rows - PANEL_GAP - title;
    if (lines->has_legend)
        height =
            fmax(height, lines->plot.top + gs_svg_legend_height(&lines->legend) - TICKS_HEIGHT);
    return height + TICKS_HEIGHT + (has_label(&figure->x) ? AXIS_LABEL : 0) + BOTTOM;
}

/* Names stand at the ends of lines if there is one panel, and each line comes to its right edge. */
static bool find_ends(const gs_svg_lines *lines, gs_plot plot, double *ends) {
    const gs_figure *figure = lines->figure;
    if (figure->panel_count != 1)
        return false;
    for (size_t s = 0; s < figure->panels->series_count; s++) {
        const gs_series *series = &figure->panels->series[s];
        size_t last = series->count;
        while (series->y && last > 0 && !isfinite(series->y[last - 1]))
            last--;
        if (!series->y || last == 0 || gs_scale_share(&lines->x, series->x[last - 1]) < 0.97)
            return false;
        ends[s] = gs_plot_height(&plot, series->y[last - 1]);
    }
    return true;
}

gs_svg_lines *gs_svg_lines_new(const gs_figure *figure, bool has_legend, double width,
                               double *height, gs_error *error) {
    gs_svg_lines *lines = gs_alloc(1, sizeof *lines, error);
    if (!lines)
        return NULL;
    lines->figure = figure;
    lines->has_legend = has_legend;
    lines->names = gs_legend_new(figure, error);
    lines->ends = lines->names ? gs_alloc(lines->names->count, sizeof(double), error) : NULL;
    if (!lines->ends) {
        gs_svg_lines_free(lines);
        return NULL;
    }
    lines->legend = (gs_svg_legend){figure, lines->names, gs_figure_y_range(figure)};
    lines->few = has_few_points(figure);
    *height = plan_plots(lines, width);
    return lines;
}

void gs_svg_lines_free(gs_svg_lines *lines) {
    if (!lines)
        return;
    gs_legend_free(lines->names);
    gs_free(lines->ends);
    gs_free(lines);
}

/* ---- Axes ---- */

static void write_axes(FILE *out, const gs_svg_lines *lines, gs_box box, bool is_first_column,
                       bool is_last_row) {
    gs_plot plot = {box, &lines->x, &lines->y};
    double bottom = box.top + box.height;
    for (size_t i = 0; i < lines->y.count; i++) {
        double y = gs_plot_height(&plot, lines->y.ticks[i]);
        gs_pen_line(out, "gs-grid", box.left, y, box.left + box.width, y);
        if (is_first_column)
            gs_pen_tick(out, GS_PEN_END, box.left - 8, y + 4, &lines->y, i);
    }
    gs_pen_line(out, "gs-axis", box.left, bottom, box.left + box.width, bottom);
    for (size_t i = 0; i < lines->x.count; i++) {
        double x = box.left + box.width * gs_scale_share(&lines->x, lines->x.ticks[i]);
        gs_pen_line(out, "gs-axis", x, bottom, x, bottom + TICK_LENGTH);
        if (is_last_row)
            gs_pen_tick(out, GS_PEN_MIDDLE, x, bottom + 16, &lines->x, i);
    }
}

/* ---- Series ---- */

static void begin_path(FILE *out, const char *class) {
    fprintf(out, "<path class=\"%s\" d=\"", class);
}

static void write_points(FILE *out, const gs_svg_lines *lines, const gs_plot *plot,
                         const gs_series *series, size_t hue) {
    bool ordered = lines->figure->ordered;
    double apart = !ordered && hue >= GS_SERIES_COLORS ? MARKS_APART : INFINITY;
    begin_path(out, "gs-points");
    gs_plot_points(out, plot, series, series->y, ordered ? 0 : gs_svg_series_shape(hue),
                   lines->few ? 0 : apart);
    fputs("\"/>\n", out);
}

static void write_series(FILE *out, const gs_svg_lines *lines, const gs_plot *plot,
                         const gs_series *series, size_t hue) {
    fputs("<g", out);
    gs_svg_series_attributes(out, &lines->legend,
                             series->theory ? "gs-series gs-predicted" : "gs-series", hue);
    gs_pen_attribute(out, "data-name", series->name);
    fputs(">\n", out);
    if (series->low && series->high) {
        begin_path(out, "gs-band");
        gs_plot_band(out, plot, series);
        fputs("\"/>\n", out);
    }
    if (series->y) {
        begin_path(out, "gs-line");
        gs_plot_curve(out, plot, series, series->y);
        fputs("\"/>\n", out);
        write_points(out, lines, plot, series, hue);
        begin_path(out, "gs-edge");
        gs_plot_edges(out, plot, series, (double)(hue % 4) * 3);
        fputs("\"/>\n", out);
    }
    if (series->theory) {
        begin_path(out, "gs-theory");
        gs_plot_curve(out, plot, series, series->theory);
        fputs("\"/>\n", out);
    }
    fputs("</g>\n", out);
}

static void write_range(FILE *out, const char *name, const gs_scale *scale) {
    char low[32], high[32];
    gs_format_real(low, scale->low);
    gs_format_real(high, scale->high);
    fprintf(out, " %s=\"%s %s\"", name, low, high);
}

static void write_panel(FILE *out, const gs_svg_lines *lines, size_t index, double top,
                        const size_t *hues) {
    const gs_panel *panel = &lines->figure->panels[index];
    gs_box box = lines->plot;
    box.left += lines->step_x * (double)(index % lines->columns);
    box.top += top + lines->step_y * (double)(index / lines->columns);
    gs_plot plot = {box, &lines->x, &lines->y};
    fputs("<g class=\"gs-panel\"", out);
    gs_pen_box(out, box);
    write_range(out, "data-x", &lines->x);
    write_range(out, "data-y", &lines->y);
    fputs(">\n", out);
    write_axes(out, lines, box, index % lines->columns == 0,
               index + lines->columns >= lines->figure->panel_count);
    if (panel->title)
        gs_pen_text(out, GS_PEN_NAME, GS_PEN_START, box.left, box.top - 7, panel->title,
                    box.width + PANEL_GAP / 2);
    for (size_t s = 0; s < panel->series_count; s++)
        write_series(out, lines, &plot, &panel->series[s], hues[s]);
    fputs("</g>\n", out);
}

void gs_svg_lines_write(FILE *out, const gs_svg_lines *lines, double top) {
    const gs_figure *figure = lines->figure;
    const size_t *hues = lines->names->hues;
    gs_box all = lines->plot;
    all.top += top;
    all.width += lines->step_x * (double)(lines->columns - 1);
    all.height += lines->step_y * (double)(lines->rows > 0 ? lines->rows - 1 : 0);
    gs_pen_text(out, GS_PEN_LABEL, GS_PEN_START, 14, top + 8, figure->y.label, all.width);
    for (size_t p = 0; p < figure->panel_count; p++) {
        write_panel(out, lines, p, top, hues);
        hues += figure->panels[p].series_count;
    }
    gs_pen_text(out, GS_PEN_LABEL, GS_PEN_MIDDLE, all.left + all.width / 2,
                all.top + all.height + TICKS_HEIGHT + 15, figure->x.label, all.width);
    if (!lines->has_legend)
        return;
    gs_plot plot = {all, &lines->x, &lines->y};
    bool at_ends = find_ends(lines, plot, lines->ends);
    gs_svg_legend_write(out, &lines->legend, lines->legend_left, all, at_ends ? lines->ends : NULL);
}
