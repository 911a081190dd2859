/*
 * The colours of a map, and the bar that explains them.
 */
#include <math.h>

#include "report/svg_map.h"

enum {
    MARGIN = 14,
    BAR = 224,
    BAR_STEP = 4,
    BAR_HEIGHT = 11,
    LABEL_HEIGHT = 18,
    TICKS_HEIGHT = 24
};
enum { KEY = 13, KEY_GAP = 6, KEYS_GAP = 18, KEY_LINE = 22 };

void gs_map_colors_fit(gs_map_colors *colors, const gs_figure *figure) {
    *colors = (gs_map_colors){.figure = figure, .range = gs_figure_value_range(figure)};
    gs_scale_fit(&colors->scale, &figure->value, colors->range, 5);
    colors->outlines = gs_figure_has_outlines(figure);
}

static double largest_of(const gs_scale *scale) {
    return fmax(fabs(scale->low), fabs(scale->high));
}

size_t gs_map_color_index(const gs_map_colors *colors, double value) {
    if (!isfinite(value))
        return GS_MAP_COLORS + (isnan(value) ? 0 : value < 0 ? 1 : 2);
    double share = colors->figure->diverging ? (value / largest_of(&colors->scale) + 1) / 2
                                             : gs_scale_share(&colors->scale, value);
    return (size_t)floor(fmin(fmax(share, 0), 1) * (GS_MAP_COLORS - 1) + 0.5);
}

gs_color gs_map_color(const gs_map_colors *colors, size_t index) {
    static const double special[] = {NAN, -INFINITY, INFINITY};
    double share = (double)index / (GS_MAP_COLORS - 1);
    if (index >= GS_MAP_COLORS)
        return gs_palette_special(special[index - GS_MAP_COLORS]);
    return colors->figure->diverging ? gs_palette_signed(2 * share - 1)
                                     : gs_palette_magnitude(share);
}

/* ---- Keys: what numbers and special cells are ---- */

enum { KEY_OUTLINE = GS_MAP_COLORS + 3 };

static const char *key_text(const gs_map_colors *colors, size_t key) {
    const gs_figure *figure = colors->figure;
    switch (key) {
    case GS_MAP_COLORS:
        return !colors->range.missing ? NULL : figure->missing ? figure->missing : "no value";
    case GS_MAP_COLORS + 1:
        return !colors->range.zero ? NULL : figure->value.decades ? "exactly 0" : "-inf";
    case GS_MAP_COLORS + 2:
        return colors->range.infinite ? "inf" : NULL;
    default:
        return colors->outlines ? figure->outline : NULL;
    }
}

/* The bar's ticks are powers of ten. */
static const char *numbers_text(const gs_map_colors *colors) {
    return colors->numbers && colors->figure->value.decades ? "numbers: log10" : NULL;
}

static double keys_width(const gs_map_colors *colors) {
    const char *numbers = numbers_text(colors);
    double width = numbers ? KEYS_GAP + gs_pen_width(GS_PEN_NAME, numbers) : 0;
    for (size_t key = GS_MAP_COLORS; key <= KEY_OUTLINE; key++)
        if (key_text(colors, key))
            width += KEYS_GAP + KEY + KEY_GAP + gs_pen_width(GS_PEN_NAME, key_text(colors, key));
    return width;
}

double gs_map_bar_width(const gs_map_colors *colors) {
    double label =
        colors->figure->value.label ? gs_pen_width(GS_PEN_LABEL, colors->figure->value.label) : 0;
    return 2 * MARGIN + fmax(label, BAR + keys_width(colors)) + 20;
}

static bool has_own_line(const gs_map_colors *colors, double width) {
    return BAR + keys_width(colors) > width - 2 * MARGIN;
}

double gs_map_bar_height(const gs_map_colors *colors, double width) {
    return LABEL_HEIGHT + BAR_HEIGHT + TICKS_HEIGHT + (has_own_line(colors, width) ? KEY_LINE : 0);
}

static void write_keys(FILE *out, const gs_map_colors *colors, double left, double top) {
    const char *numbers = numbers_text(colors);
    if (numbers) {
        gs_pen_text(out, GS_PEN_NAME, GS_PEN_START, left, top + 11, numbers, 300);
        left += gs_pen_width(GS_PEN_NAME, numbers) + KEYS_GAP;
    }
    for (size_t key = GS_MAP_COLORS; key <= KEY_OUTLINE; key++) {
        const char *text = key_text(colors, key);
        if (!text)
            continue;
        fputs("<path d=\"M", out);
        gs_pen_pair(out, left, top);
        fprintf(out, "h%dv%dh-%dz\"", KEY, KEY, KEY);
        if (key == KEY_OUTLINE)
            fputs(" class=\"gs-outline gs-on-paper\"", out);
        else
            gs_pen_color(out, "fill", gs_map_color(colors, key));
        fputs("/>\n", out);
        gs_pen_text(out, GS_PEN_NAME, GS_PEN_START, left + KEY + KEY_GAP, top + 11, text, 300);
        left += KEY + KEY_GAP + gs_pen_width(GS_PEN_NAME, text) + KEYS_GAP;
    }
}

void gs_map_bar_write(FILE *out, const gs_map_colors *colors, double width, double top) {
    const gs_scale *scale = &colors->scale;
    gs_pen_text(out, GS_PEN_LABEL, GS_PEN_START, MARGIN, top + 8, colors->figure->value.label,
                width - 2 * MARGIN);
    top += LABEL_HEIGHT;
    fputs("<g class=\"gs-bar gs-cells\">\n", out);
    for (int x = 0; x < BAR; x += BAR_STEP) {
        double value = scale->low + (x + BAR_STEP / 2.0) / BAR * (scale->high - scale->low);
        fprintf(out, "<path d=\"M%d,%dh%dv%dh-%dz\"", MARGIN + x, (int)top, BAR_STEP, BAR_HEIGHT,
                BAR_STEP);
        gs_pen_color(out, "fill", gs_map_color(colors, gs_map_color_index(colors, value)));
        fputs("/>", out);
    }
    fputs("</g>\n", out);
    for (size_t i = 0; i < scale->count; i++) {
        double x = MARGIN + BAR * gs_scale_share(scale, scale->ticks[i]);
        gs_pen_line(out, "gs-axis", x, top + BAR_HEIGHT, x, top + BAR_HEIGHT + 3);
        x = fmax(x, MARGIN + gs_pen_tick_width(scale, i) / 2);
        gs_pen_tick(out, GS_PEN_MIDDLE, x, top + BAR_HEIGHT + 15, scale, i);
    }
    bool below = has_own_line(colors, width);
    write_keys(out, colors, below ? MARGIN : MARGIN + BAR + KEYS_GAP,
               below ? top + BAR_HEIGHT + TICKS_HEIGHT : top - 1);
}
