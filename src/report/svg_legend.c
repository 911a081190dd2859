/*
 * The legend: names at the ends of lines where they fit, and else in a column.
 */
#include <math.h>
#include <string.h>

#include "report/svg_pen.h"

enum { LINE = 18, SWATCH = 22, GAP = 7, NAMES_MOST = 40, NAME_ROOM = 240, ENDS_MOST = 16 };
enum {
    ENDS_LINE = 15,
    ENDS_SHIFT = 12
}; /* the least between two names, and the most from its line */

/* ---- What is there ---- */

typedef enum { NOTE_MORE, NOTE_DASHED, NOTE_BAND, NOTE_INFINITE, NOTE_ZERO, NOTES } note;

static size_t names_shown(const gs_svg_legend *legend) {
    size_t count = gs_legend_is_empty(legend->names) ? 0 : legend->names->count;
    return count < NAMES_MOST ? count : NAMES_MOST;
}

/* The text of a note, in `room` if need be; NULL if there is nothing to say. */
static const char *note_text(const gs_svg_legend *legend, note which, char room[64]) {
    const gs_figure *figure = legend->figure;
    const gs_legend *names = legend->names;
    switch (which) {
    case NOTE_MORE:
        snprintf(room, 64, "and %zu more", names->count - names_shown(legend));
        return names_shown(legend) == NAMES_MOST && names->count > NAMES_MOST ? room : NULL;
    case NOTE_DASHED:
        return names->theory && figure->dashed && *figure->dashed ? figure->dashed : NULL;
    case NOTE_BAND:
        return names->bands && figure->band && *figure->band ? figure->band : NULL;
    default:
        gs_figure_edge_text(figure, which == NOTE_INFINITE, room);
        return (which == NOTE_INFINITE ? legend->range.infinite : legend->range.zero) ? room : NULL;
    }
}

double gs_svg_legend_width(const gs_svg_legend *legend) {
    double width = 0;
    char room[64];
    for (size_t hue = 0; hue < names_shown(legend); hue++)
        width = fmax(width, gs_pen_width(GS_PEN_NAME, legend->names->names[hue]));
    for (note n = 0; n < NOTES; n++)
        if (note_text(legend, n, room))
            width = fmax(width, gs_pen_width(GS_PEN_NAME, note_text(legend, n, room)));
    return width > 0 ? SWATCH + GAP + ceil(fmin(width, NAME_ROOM)) : 0;
}

double gs_svg_legend_height(const gs_svg_legend *legend) {
    size_t lines = names_shown(legend);
    char room[64];
    for (note n = 0; n < NOTES; n++)
        lines += note_text(legend, n, room) != NULL;
    return (double)lines * LINE;
}

/* ---- Looks ---- */

size_t gs_svg_series_shape(size_t hue) {
    return hue / GS_SERIES_COLORS % 4;
}

void gs_svg_series_attributes(FILE *out, const gs_svg_legend *legend, const char *class,
                              size_t hue) {
    size_t count = legend->names->count;
    if (legend->figure->ordered) {
        gs_color color = gs_palette_ordered(hue, count);
        fprintf(out, " class=\"%s gs-ordered\" style=\"color:#%02x%02x%02x\"", class, color.red,
                color.green, color.blue);
    } else
        fprintf(out, " class=\"%s gs-c%zu\"", class, hue % GS_SERIES_COLORS);
    fprintf(out, " data-series=\"%zu\"", hue);
}

/* ---- Drawing ---- */

static void write_swatch(FILE *out, const char *class, double left, double y) {
    gs_pen_line(out, class, left, y, left + SWATCH, y);
}

static void write_name(FILE *out, const gs_svg_legend *legend, size_t hue, double left, double y) {
    fputs("<g", out);
    gs_svg_series_attributes(out, legend, "gs-legend", hue);
    fputs(">", out);
    write_swatch(out, "gs-line", left, y);
    if (!legend->figure->ordered && hue >= GS_SERIES_COLORS) {
        fputs("<path class=\"gs-points\" d=\"", out);
        gs_pen_mark(out, gs_svg_series_shape(hue), left + SWATCH / 2, y);
        fputs("\"/>", out);
    }
    gs_pen_text(out, GS_PEN_NAME, GS_PEN_START, left + SWATCH + GAP, y + 4,
                legend->names->names[hue], NAME_ROOM);
    fputs("</g>\n", out);
}

static bool write_note(FILE *out, const gs_svg_legend *legend, note which, double left, double y) {
    char room[64];
    const char *text = note_text(legend, which, room);
    if (!text)
        return false;
    fputs("<g class=\"gs-key\">", out);
    if (which == NOTE_DASHED)
        write_swatch(out, "gs-theory", left, y);
    else if (which == NOTE_BAND) {
        fputs("<path class=\"gs-band\" d=\"M", out);
        gs_pen_pair(out, left, y - 5);
        fprintf(out, "h%dv10h-%dz\"/>\n", SWATCH, SWATCH);
    } else if (which != NOTE_MORE) {
        fputs("<path class=\"gs-edge\" d=\"", out);
        gs_pen_edge(out, left + SWATCH / 2, y + (which == NOTE_INFINITE ? 3.5 : -3),
                    which == NOTE_INFINITE);
        fputs("\"/>\n", out);
    }
    gs_pen_text(out, GS_PEN_NAME, GS_PEN_START, left + SWATCH + GAP, y + 4, text, NAME_ROOM);
    fputs("</g>\n", out);
    return true;
}

/* Names in the order of their ends, no nearer than they may be, by as little as that takes: those
   that collide share the difference, as blocks that grow. */
static bool place_at_ends(size_t count, const double *ends, double *places) {
    size_t order[ENDS_MOST], sizes[ENDS_MOST], blocks = 0;
    double middles[ENDS_MOST];
    for (size_t i = 0; i < count; i++) {
        size_t k = i;
        for (; k > 0 && ends[order[k - 1]] > ends[i]; k--)
            order[k] = order[k - 1];
        order[k] = i;
    }
    for (size_t i = 0; i < count; i++) {
        middles[blocks] = ends[order[i]];
        sizes[blocks++] = 1;
        while (blocks > 1 && middles[blocks - 1] - middles[blocks - 2] <
                                 ENDS_LINE * (double)(sizes[blocks - 1] + sizes[blocks - 2]) / 2) {
            size_t above = sizes[blocks - 2], below = sizes[blocks - 1];
            blocks--;
            middles[blocks - 1] =
                (middles[blocks - 1] * (double)above + middles[blocks] * (double)below) /
                (double)(above + below);
            sizes[blocks - 1] = above + below;
        }
    }
    bool near = true;
    for (size_t b = 0, i = 0; b < blocks; b++)
        for (size_t k = 0; k < sizes[b]; k++, i++) {
            places[order[i]] = middles[b] + ENDS_LINE * ((double)k - (double)(sizes[b] - 1) / 2);
            near = near && fabs(places[order[i]] - ends[order[i]]) <= ENDS_SHIFT;
        }
    return near;
}

/* Where notes of this height have room above or below the names; nan: nowhere. */
static double notes_top(gs_box box, const double *places, size_t count, double height) {
    double first = places[0], last = places[0];
    for (size_t i = 1; i < count; i++) {
        first = fmin(first, places[i]);
        last = fmax(last, places[i]);
    }
    if (first < box.top || last > box.top + box.height + ENDS_LINE)
        return NAN;
    if (height == 0 || first - ENDS_LINE > box.top + height)
        return box.top;
    return last + ENDS_LINE < box.top + box.height - height ? box.top + box.height - height : NAN;
}

void gs_svg_legend_write(FILE *out, const gs_svg_legend *legend, double left, gs_box box,
                         const double *ends) {
    size_t count = names_shown(legend);
    double places[NAMES_MOST], top = NAN;
    double notes = gs_svg_legend_height(legend) - (double)count * LINE;
    if (ends && count > 0 && count <= ENDS_MOST && place_at_ends(count, ends, places))
        top = notes_top(box, places, count, notes);
    if (isnan(top)) {
        for (size_t hue = 0; hue < count; hue++)
            places[hue] = box.top + LINE * ((double)hue + 0.5);
        top = box.top + LINE * (double)count;
    }
    for (size_t hue = 0; hue < count; hue++)
        write_name(out, legend, hue, left, places[hue]);
    for (note n = 0; n < NOTES; n++)
        top += write_note(out, legend, n, left, top + LINE / 2) ? LINE : 0;
}
