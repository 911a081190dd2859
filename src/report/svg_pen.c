/*
 * Numbers and texts of SVG.
 */
#include "report/svg_pen.h"

#include <math.h>
#include <string.h>

#include "base/text.h"
#include "report/glyphs.h"

static const struct {
    const char *class;
    double size;
} fonts[] = {
    [GS_PEN_TITLE] = {"gs-title", 15}, [GS_PEN_SUBTITLE] = {"gs-subtitle", 12},
    [GS_PEN_LABEL] = {"gs-label", 12}, [GS_PEN_NAME] = {"gs-name", 12},
    [GS_PEN_TICK] = {"gs-tick", 11},
};

/* Some fonts that stand in for Helvetica are a little wider; bold letters are. */
static const double slack = 1.06;

static const char minus[] = "\xe2\x88\x92", ellipsis[] = "\xe2\x80\xa6";

void gs_pen_number(FILE *out, double value) {
    char text[400];
    int length = gs_format(text, sizeof text, "%.2f", floor(value * 100 + 0.5) / 100);
    while (text[length - 1] == '0')
        length--;
    length -= text[length - 1] == '.';
    text[length] = '\0';
    fputs(strcmp(text, "-0") == 0 ? "0" : text, out);
}

void gs_pen_pair(FILE *out, double x, double y) {
    putc(' ', out);
    gs_pen_number(out, x);
    putc(',', out);
    gs_pen_number(out, y);
}

void gs_pen_box(FILE *out, gs_box box) {
    const double numbers[] = {box.left, box.top, box.width, box.height};
    fputs(" data-box=\"", out);
    for (size_t i = 0; i < 4; i++) {
        fputs(i > 0 ? " " : "", out);
        gs_pen_number(out, numbers[i]);
    }
    putc('"', out);
}

void gs_pen_escape(FILE *out, const char *text, const char *end) {
    char bytes[5];
    uint32_t glyph;
    for (size_t i = 0; i < 1000 && text != end && (glyph = gs_glyph_next(&text)); i++) {
        gs_glyph_encode(glyph, bytes);
        fputs(glyph == '<'   ? "&lt;"
              : glyph == '>' ? "&gt;"
              : glyph == '&' ? "&amp;"
              : glyph == '"' ? "&quot;"
                             : bytes,
              out);
    }
}

void gs_pen_attribute(FILE *out, const char *name, const char *text) {
    if (!text || !*text)
        return;
    fprintf(out, " %s=\"", name);
    gs_pen_escape(out, text, NULL);
    putc('"', out);
}

void gs_pen_color(FILE *out, const char *attribute, gs_color color) {
    fprintf(out, " %s=\"#%02x%02x%02x\"", attribute, color.red, color.green, color.blue);
}

void gs_pen_line(FILE *out, const char *class, double x1, double y1, double x2, double y2) {
    fprintf(out, "<path class=\"%s\" d=\"M", class);
    gs_pen_pair(out, x1, y1);
    gs_pen_pair(out, x2, y2);
    fputs("\"/>\n", out);
}

/* ---- Texts ---- */

static double scaled(gs_pen_font font, double thousandths) {
    return thousandths * fonts[font].size * slack / 1000;
}

/* Where as much of a text ends as fits. */
static const char *fitting_end(gs_pen_font font, const char *text, double room) {
    double width = 0;
    for (const char *next = text; *text; text = next) {
        width += gs_glyph_width(gs_glyph_next(&next));
        if (scaled(font, width) > room)
            break;
    }
    return text;
}

double gs_pen_width(gs_pen_font font, const char *text) {
    double width = 0;
    uint32_t glyph;
    for (size_t i = 0; i < 1000 && (glyph = gs_glyph_next(&text)); i++)
        width += gs_glyph_width(glyph);
    return scaled(font, width);
}

const char *gs_pen_line_end(gs_pen_font font, const char *text, double room) {
    const char *end = fitting_end(font, text, room), *space = end;
    while (*end && space > text && *space != ' ')
        space--;
    return space > text ? space : end;
}

static void begin_text_of(FILE *out, const char *class, gs_pen_anchor anchor, double x, double y) {
    static const char *const anchors[] = {"", " text-anchor=\"middle\"", " text-anchor=\"end\""};
    fputs("<text x=\"", out);
    gs_pen_number(out, x);
    fputs("\" y=\"", out);
    gs_pen_number(out, y);
    fprintf(out, "\" class=\"%s\"%s>", class, anchors[anchor]);
}

static void begin_text(FILE *out, gs_pen_font font, gs_pen_anchor anchor, double x, double y) {
    begin_text_of(out, fonts[font].class, anchor, x, y);
}

void gs_pen_text(FILE *out, gs_pen_font font, gs_pen_anchor anchor, double x, double y,
                 const char *text, double room) {
    if (!text || !*text)
        return;
    const char *end = fitting_end(font, text, room);
    bool cut = *end != '\0';
    if (cut)
        end = fitting_end(font, text, room - gs_pen_width(font, ellipsis));
    begin_text(out, font, anchor, x, y);
    gs_pen_escape(out, text, end);
    if (cut) {
        fprintf(out, "%s<title>", ellipsis);
        gs_pen_escape(out, text, NULL);
        fputs("</title>", out);
    }
    fputs("</text>\n", out);
}

/* A true minus sign, as wide as a plus. */
static void put_numeral(FILE *out, const char *text) {
    for (; *text; text++)
        if (*text == '-')
            fputs(minus, out);
        else
            putc(*text, out);
}

double gs_pen_tick_width(const gs_scale *scale, size_t tick) {
    gs_tick_text text = gs_scale_text(scale, tick);
    double width = gs_pen_width(GS_PEN_TICK, text.plain);
    if (*text.exponent)
        width += gs_pen_width(GS_PEN_TICK, "10") + gs_pen_width(GS_PEN_TICK, text.exponent) * 0.85;
    if (*text.plain && *text.exponent)
        width += gs_pen_width(GS_PEN_TICK, "x");
    return width;
}

void gs_pen_tick(FILE *out, gs_pen_anchor anchor, double x, double y, const gs_scale *scale,
                 size_t tick) {
    gs_tick_text text = gs_scale_text(scale, tick);
    begin_text(out, GS_PEN_TICK, anchor, x, y);
    put_numeral(out, text.plain);
    if (*text.exponent) {
        fprintf(out, "%s10<tspan dy=\"-4\" class=\"gs-power\">", *text.plain ? "\xc3\x97" : "");
        put_numeral(out, text.exponent);
        fputs("</tspan>", out);
    }
    fputs("</text>\n", out);
}

void gs_pen_numeral(FILE *out, const char *class, double x, double y, const char *text) {
    begin_text_of(out, class, GS_PEN_MIDDLE, x, y);
    put_numeral(out, text);
    fputs("</text>\n", out);
}

/* ---- Panels ---- */

size_t gs_panel_columns(const gs_figure *figure, size_t most) {
    size_t count = figure->panel_count, columns = figure->panel_columns;
    if (columns == 0)
        columns = count <= 3 ? count : count == 4 ? 2 : 3;
    columns = columns < most ? columns : most;
    columns = columns < count ? columns : count;
    return columns > 0 ? columns : 1;
}
