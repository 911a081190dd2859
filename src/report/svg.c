/*
 * SVG: the element around a picture, its style, and its head.
 */
#include "report/svg.h"

#include "report/svg_pen.h"

enum { USUAL_WIDTH = 760, MARGIN = 14, TITLE_HEIGHT = 22, SUBTITLE_HEIGHT = 17, HEAD_GAP = 12 };

static const char font_family[] =
    "&quot;Helvetica Neue&quot;,Helvetica,Arial,&quot;Liberation Sans&quot;,sans-serif";

static const char rules[] =
    ".gs-paper{fill:#fff}"
    ".gs-figure text{font-size:12px;fill:#222}"
    ".gs-figure .gs-title{font-size:15px;font-weight:bold}"
    ".gs-figure .gs-subtitle,.gs-figure .gs-label{fill:#555}"
    ".gs-figure .gs-tick{font-size:11px;fill:#444}"
    ".gs-figure .gs-power{font-size:9px}"
    ".gs-figure .gs-bold{font-weight:bold}"
    ".gs-grid,.gs-axis{fill:none;stroke:#e3e3e3;shape-rendering:crispEdges}"
    ".gs-axis{stroke:#8a8a8a}"
    ".gs-line,.gs-theory{fill:none;stroke:currentColor;stroke-width:1.9;stroke-linejoin:round;"
    "stroke-linecap:round}"
    ".gs-predicted .gs-line{stroke-width:3.6;stroke-opacity:.45}"
    ".gs-theory{stroke-width:1.5;stroke-dasharray:5 3.5;stroke-linecap:butt}"
    ".gs-band{fill:currentColor;fill-opacity:.17;stroke:none}"
    ".gs-points{fill:currentColor;stroke:none}"
    ".gs-edge{fill:#fff;stroke:currentColor;stroke-width:1.2}"
    ".gs-key{color:#555}"
    ".gs-cells{shape-rendering:crispEdges}"
    ".gs-hatch{fill:none;stroke:#aaa}"
    ".gs-outline{fill:none;stroke:#111;stroke-width:1.6}"
    ".gs-on-paper{fill:#f7f7f7}"
    ".gs-figure .gs-on-dark{font-size:11px;fill:#fff}"
    ".gs-figure .gs-on-light{font-size:11px;fill:#222}";

static const char dark_rules[] =
    ".gs-paper{fill:#16191d}"
    ".gs-figure text{fill:#e6e6e6}"
    ".gs-figure .gs-subtitle,.gs-figure .gs-label,.gs-figure .gs-tick{fill:#aeb4ba}"
    ".gs-grid{stroke:#2e3338}"
    ".gs-axis{stroke:#737a80}"
    ".gs-edge{fill:#16191d}"
    ".gs-outline{filter:drop-shadow(0 0 1px #fff)}"
    ".gs-key{color:#aeb4ba}"
    ".gs-ordered{filter:brightness(1.5)}";

static void write_colors(FILE *out, bool dark) {
    for (size_t i = 0; i < GS_SERIES_COLORS; i++) {
        gs_color color = gs_palette_series(i, dark);
        fprintf(out, ".gs-c%zu{color:#%02x%02x%02x}", i, color.red, color.green, color.blue);
    }
}

void gs_svg_write_rules(FILE *out) {
    fputs(rules, out);
    write_colors(out, false);
    fprintf(out, "@media screen and (prefers-color-scheme:dark){%s", dark_rules);
    write_colors(out, true);
    fputs("}", out);
}

/* ---- The head: a title, and a subtitle in two lines at most ---- */

static bool has_text(const char *text) {
    return text && *text;
}

static double subtitle_room(double width) {
    return width - 2 * MARGIN;
}

static double head_height(const gs_figure *figure, double width) {
    double height = MARGIN;
    height += has_text(figure->title) ? TITLE_HEIGHT : 0;
    if (has_text(figure->subtitle))
        height += *gs_pen_line_end(GS_PEN_SUBTITLE, figure->subtitle, subtitle_room(width))
                      ? 2 * SUBTITLE_HEIGHT
                      : SUBTITLE_HEIGHT;
    return height > MARGIN ? height + HEAD_GAP : height;
}

static void write_head(FILE *out, const gs_figure *figure, double width) {
    double y = MARGIN, room = subtitle_room(width);
    const char *text = figure->subtitle;
    if (has_text(figure->title)) {
        y += TITLE_HEIGHT;
        gs_pen_text(out, GS_PEN_TITLE, GS_PEN_START, MARGIN, y - 8, figure->title, room);
    }
    if (!has_text(text))
        return;
    const char *end = gs_pen_line_end(GS_PEN_SUBTITLE, text, room);
    y += SUBTITLE_HEIGHT;
    if (!*end) {
        gs_pen_text(out, GS_PEN_SUBTITLE, GS_PEN_START, MARGIN, y - 5, text, room);
        return;
    }
    fprintf(out, "<text x=\"%d\" y=\"%d\" class=\"gs-subtitle\">", MARGIN, (int)y - 5);
    gs_pen_escape(out, text, end);
    fputs("</text>\n", out);
    gs_pen_text(out, GS_PEN_SUBTITLE, GS_PEN_START, MARGIN, y + SUBTITLE_HEIGHT - 5,
                end + (*end == ' '), room);
}

static void begin_element(FILE *out, const gs_figure *figure, double width, double height) {
    bool map = figure->kind == GS_FIGURE_MAP;
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"gs-figure\" role=\"img\" "
            "width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" font-family=\"%s\" data-kind=\"%s\"",
            (int)width, (int)height, (int)width, (int)height, font_family, map ? "map" : "lines");
    gs_pen_attribute(out, "aria-label", figure->title);
    gs_pen_attribute(out, "data-x-label", map ? figure->columns.label : figure->x.label);
    gs_pen_attribute(out, "data-x-decades", !map && figure->x.decades ? "on" : NULL);
    gs_pen_attribute(out, "data-y-label", map ? figure->rows.label : figure->y.label);
    gs_pen_attribute(out, "data-value-label", map ? figure->value.label : NULL);
    fputs(">\n", out);
}

gs_status gs_svg_write(FILE *out, const gs_figure *figure, gs_svg_style style, gs_error *error) {
    double width = style.width > 0 ? style.width : USUAL_WIDTH, height = 0;
    gs_svg_lines *lines = NULL;
    gs_svg_map *map = NULL;
    width = width < 320 ? 320 : width > 4000 ? 4000 : width;
    if (figure->kind == GS_FIGURE_LINES)
        lines = gs_svg_lines_new(figure, !style.inside, width, &height, error);
    else
        map = gs_svg_map_new(figure, &width, &height, error);
    if (!lines && !map)
        return GS_ERR_MEMORY;
    double top = style.inside ? MARGIN : head_height(figure, width);
    begin_element(out, figure, width, top + height);
    if (!style.inside) {
        fputs("<style>", out);
        gs_svg_write_rules(out);
        fputs("</style>\n", out);
    }
    fputs("<rect class=\"gs-paper\" width=\"100%\" height=\"100%\"/>\n", out);
    if (!style.inside)
        write_head(out, figure, width);
    if (lines)
        gs_svg_lines_write(out, lines, top);
    else
        gs_svg_map_write(out, map, top);
    fputs("</svg>\n", out);
    gs_svg_lines_free(lines);
    gs_svg_map_free(map);
    return GS_OK;
}
