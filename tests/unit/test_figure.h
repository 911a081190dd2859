/*
 * For tests of figures: a picture as text, and figures with all that is awkward.
 */
#ifndef GS_TEST_FIGURE_H
#define GS_TEST_FIGURE_H

#include "report/figure.h"
#include "test.h"

enum { FIGURE_POINTS = 60 };

/* Series that decay, explode, have gaps, are nothing at all, and one point; with a band. */
typedef struct {
    double x[FIGURE_POINTS], y[5][FIGURE_POINTS], low[FIGURE_POINTS], high[FIGURE_POINTS];
    gs_series series[5];
    gs_panel panels[3];
    gs_figure figure;
} figure_of_lines;

static inline void figure_fill(figure_of_lines *all) {
    for (size_t i = 0; i < FIGURE_POINTS; i++) {
        double layer = (double)i + 1;
        all->x[i] = layer;
        all->y[0][i] = -0.7 * (FIGURE_POINTS - layer);
        all->y[1][i] = i < 20 ? INFINITY : 0.4 * (FIGURE_POINTS - layer);
        all->y[2][i] = i < 30 ? -INFINITY : i % 7 == 0 ? (double)NAN : -40 + layer;
        all->y[3][i] = NAN;
        all->y[4][i] = -20;
        all->low[i] = i == 5 ? -INFINITY : all->y[0][i] - 2;
        all->high[i] = i == 9 ? (double)NAN : all->y[0][i] + 2;
    }
}

static inline gs_figure *figure_new(figure_of_lines *all) {
    static const char *const names[] = {"sigmoid", "relu, he", "dead", "nothing", "one point"};
    figure_fill(all);
    for (size_t s = 0; s < 5; s++)
        all->series[s] = (gs_series){
            .name = names[s], .count = s == 4 ? 1 : FIGURE_POINTS, .x = all->x, .y = all->y[s]};
    all->series[0].low = all->low;
    all->series[0].high = all->high;
    all->series[0].theory = all->low;
    for (size_t p = 0; p < 3; p++)
        all->panels[p] = (gs_panel){.title = "a panel", .series = all->series, .series_count = 5};
    all->figure = (gs_figure){
        .kind = GS_FIGURE_LINES,
        .title = "Gradients",
        .subtitle = "60 layers x 128, batch 64",
        .panel_count = 1,
        .panels = all->panels,
        .x = {.label = "layer", .whole = true},
        .y = {.label = "norm of the gradient", .decades = true},
        .band = "8 seeds",
        .dashed = "theory",
    };
    return &all->figure;
}

/* Two options by one, with heads, and each kind of value that is no number. */
typedef struct {
    double values[12];
    bool outlined[12];
    gs_head columns[2], rows[1];
    gs_panel panels[2];
    gs_figure figure;
} figure_of_map;

static inline gs_figure *map_new(figure_of_map *all) {
    static const char *const norms[] = {"none", "none", "batch", "batch"};
    static const char *const inits[] = {"xavier", "he", "xavier", "he"};
    static const char *const acts[] = {"sigmoid", "tanh", "relu"};
    static const double values[] = {-60.25, -48.5, 0.25, -0.001, -1.5, 1.75,
                                    4.25,   NAN,   -15,  -0.5,   8.5,  INFINITY};
    memcpy(all->values, values, sizeof values);
    for (size_t i = 0; i < 12; i++)
        all->outlined[i] = fabs(values[i]) < 2;
    all->columns[0] = (gs_head){"norm", norms};
    all->columns[1] = (gs_head){"init", inits};
    all->rows[0] = (gs_head){"act", acts};
    all->panels[0] = (gs_panel){.values = all->values, .outlined = all->outlined};
    all->panels[1] = all->panels[0];
    all->figure = (gs_figure){
        .kind = GS_FIGURE_MAP,
        .title = "Depth",
        .panel_count = 1,
        .panels = all->panels,
        .columns = {.count = 4, .levels = 2, .heads = all->columns},
        .rows = {.count = 3, .levels = 1, .heads = all->rows},
        .value = {.label = "log10 of the ratio"},
        .diverging = true,
        .missing = "not finite",
        .outline = "healthy",
    };
    return &all->figure;
}

/* Texts that someone would write to break a picture; the last is a megabyte long. */
static inline const char *hostile_text(size_t index) {
    static char huge[1 << 20];
    static const char *const texts[] = {
        "</text><script>alert(1)</script>",
        "a \"quoted\" & 'quoted' name]]>",
        "\x01\x02\x1b[31m\x7f\x80\xc3\xff\xed\xa0\x80\xf8",
        "\xe2\x88\x82L/\xe2\x88\x82z \xe2\x80\xae reversed",
        "",
        huge,
    };
    memset(huge, 'w', sizeof huge - 1);
    return texts[index];
}

enum { HOSTILE_TEXTS = 6 };

#endif
