/*
 * Curves, bands and marks of a plot as the data of SVG paths.
 */
#include <math.h>

#include "report/svg_pen.h"

static double plot_x(const gs_plot *plot, double value) {
    return plot->box.left + plot->box.width * gs_scale_share(plot->x, value);
}

double gs_plot_height(const gs_plot *plot, double value) {
    double share = fmin(fmax(gs_scale_share(plot->y, value), 0), 1);
    return plot->box.top + plot->box.height * (1 - share);
}

/* ---- Curves ---- */

static bool is_drawn(const gs_series *series, const double *y, size_t i) {
    return i < series->count && isfinite(series->x[i]) && isfinite(y[i]);
}

/* Points in columns of pixels: few enough are each in one of their own. */
static bool is_thinned(const gs_plot *plot, const gs_series *series) {
    return (double)series->count > 2 * plot->box.width;
}

static size_t column_end(const gs_plot *plot, const gs_series *series, const double *y,
                         size_t first) {
    size_t end = first + 1;
    double column = floor(plot_x(plot, series->x[first]));
    if (is_thinned(plot, series))
        while (is_drawn(series, y, end) && floor(plot_x(plot, series->x[end])) == column)
            end++;
    return end;
}

static void put_column(FILE *out, const gs_plot *plot, const gs_series *series, const double *y,
                       size_t first, size_t end) {
    size_t low = first, high = first;
    for (size_t i = first; i < end; i++) {
        low = y[i] < y[low] ? i : low;
        high = y[i] > y[high] ? i : high;
    }
    size_t points[] = {first, low < high ? low : high, low < high ? high : low, end - 1};
    for (size_t i = 0; i < 4; i++)
        if (i == 0 || points[i] != points[i - 1])
            gs_pen_pair(out, plot_x(plot, series->x[points[i]]),
                        gs_plot_height(plot, y[points[i]]));
}

void gs_plot_curve(FILE *out, const gs_plot *plot, const gs_series *series, const double *y) {
    bool down = false;
    for (size_t i = 0, end; i < series->count; i = end) {
        end = i + 1;
        if (is_drawn(series, y, i)) {
            end = column_end(plot, series, y, i);
            fputs(down ? "" : "M", out);
            put_column(out, plot, series, y, i, end);
        }
        down = is_drawn(series, y, i);
    }
}

/* ---- Bands: to and fro ---- */

static bool has_band(const gs_series *series, size_t i) {
    return i < series->count && isfinite(series->x[i]) && !isnan(series->low[i]) &&
           !isnan(series->high[i]);
}

/* One side of a band from `first` up to `end`, or back: of each column of pixels its outermost. */
static void put_side(FILE *out, const gs_plot *plot, const gs_series *series, size_t first,
                     size_t end, bool back) {
    const double *y = back ? series->low : series->high;
    for (size_t n = 0; n < end - first;) {
        size_t at = back ? end - 1 - n : first + n;
        double x = plot_x(plot, series->x[at]), outermost = y[at];
        for (n++; n < end - first && is_thinned(plot, series); n++) {
            size_t i = back ? end - 1 - n : first + n;
            if (floor(plot_x(plot, series->x[i])) != floor(x))
                break;
            outermost = back ? fmin(outermost, y[i]) : fmax(outermost, y[i]);
        }
        gs_pen_pair(out, x, gs_plot_height(plot, outermost));
    }
}

void gs_plot_band(FILE *out, const gs_plot *plot, const gs_series *series) {
    for (size_t i = 0, end; i < series->count; i = end) {
        for (end = i; has_band(series, end); end++)
            ;
        if (end > i) {
            putc('M', out);
            put_side(out, plot, series, i, end, false);
            put_side(out, plot, series, i, end, true);
            putc('Z', out);
        }
        end += end == i;
    }
}

/* ---- Marks ---- */

/* A disk, a square, a triangle and a diamond of much the same area. */
void gs_pen_mark(FILE *out, size_t shape, double x, double y) {
    static const struct {
        double x, y;
        const char *path;
    } shapes[] = {
        {-3, 0, "a3,3 0 1,0 6,0a3,3 0 1,0 -6,0z"},
        {-2.8, -2.8, "h5.6v5.6h-5.6z"},
        {-3.8, 2.6, "h7.6l-3.8,-6.2z"},
        {-3.9, 0, "l3.9,-3.9 3.9,3.9 -3.9,3.9z"},
    };
    putc('M', out);
    gs_pen_pair(out, x + shapes[shape].x, y + shapes[shape].y);
    fputs(shapes[shape].path, out);
}

static bool is_alone(const gs_series *series, const double *y, size_t i) {
    return !is_drawn(series, y, i + 1) && (i == 0 || !is_drawn(series, y, i - 1));
}

void gs_plot_points(FILE *out, const gs_plot *plot, const gs_series *series, const double *y,
                    size_t shape, double apart) {
    double last = -INFINITY;
    for (size_t i = 0; i < series->count; i++) {
        if (!is_drawn(series, y, i))
            continue;
        double x = plot_x(plot, series->x[i]);
        if ((isfinite(apart) && fabs(x - last) >= apart) ||
            (is_alone(series, y, i) && fabs(x - last) >= 1)) {
            gs_pen_mark(out, shape, x, gs_plot_height(plot, y[i]));
            last = x;
        }
    }
}

void gs_pen_edge(FILE *out, double x, double y, bool upward) {
    putc('M', out);
    gs_pen_pair(out, x - 4, y);
    fprintf(out, "h8l-4,%s6.5z", upward ? "-" : "");
}

void gs_plot_edges(FILE *out, const gs_plot *plot, const gs_series *series, double shift) {
    enum { APART = 14 };
    const double *y = series->edges ? series->edges : series->y;
    double last[2] = {-INFINITY, -INFINITY};
    for (size_t i = 0; i < series->count; i++) {
        if (!isfinite(series->x[i]) || !isinf(y[i]))
            continue;
        bool upward = y[i] > 0;
        double x = plot_x(plot, series->x[i]);
        double edge = plot->box.top + (upward ? 7.5 : plot->box.height - 7.5);
        if (last[upward] != -INFINITY && fabs(x - last[upward]) < APART)
            continue;
        x += last[upward] == -INFINITY && i + 1 < series->count ? shift : 0;
        gs_pen_edge(out, x, edge, upward);
        last[upward] = x;
    }
}
