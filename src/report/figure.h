/*
 * A figure: everything that it takes to draw a picture, and nothing of where it came from. svg.h
 * draws it for a page or a paper, draw.h in a terminal. Nothing is copied: what a figure points at
 * must last until it is drawn.
 *
 * Texts may come from anywhere: they are drawn whatever bytes they hold, and cut where they are too
 * long. A text that is NULL or empty is left out.
 */
#ifndef GS_REPORT_FIGURE_H
#define GS_REPORT_FIGURE_H

#include "gradsim.h"

/* What an axis or a colour bar measures. */
typedef struct {
    const char *label;
    bool whole;   /* whole numbers alone: layers, steps */
    bool decades; /* the numbers are log10 of what the label names, and ticks say 10^n */
} gs_quantity;

/* A line of one colour and, at the same x, a band around it and a dashed line of theory. y, low,
   high and theory may be NULL, and hold nan for a gap; -inf and inf in y are marked at the edge. A
   series of the same name in another panel looks alike. `edges` says where else -inf and inf are
   marked: where some of what y is the mean of are that. */
typedef struct {
    const char *name;
    size_t count;
    const double *x;
    const double *y;
    const double *low, *high;
    const double *theory;
    const double *edges; /* with those of y, or NULL */
} gs_series;

/* One level of the heads of a side of a map: "act" above relu, tanh, ... */
typedef struct {
    const char *label;
    const char *const *texts; /* [count] of the side; equal neighbours of an outer level are one */
} gs_head;

/* The columns or the rows of a map: either numbers on an axis, or heads, the outermost first. */
typedef struct {
    size_t count;
    const char *label;     /* of the numbers */
    const double *numbers; /* [count], or NULL */
    size_t levels;
    const gs_head *heads; /* [levels] */
} gs_side;

typedef struct {
    const char *title;

    /* GS_FIGURE_LINES */
    size_t series_count;
    const gs_series *series;

    /* GS_FIGURE_MAP: values[row * columns + column]; nan where there is none. */
    const double *values;
    const bool *outlined; /* cells that stand out, or NULL */
} gs_panel;

typedef enum { GS_FIGURE_LINES, GS_FIGURE_MAP } gs_figure_kind;

/* Panels of one kind side by side, on the same scales. */
typedef struct {
    gs_figure_kind kind;
    const char *title, *subtitle;
    size_t panel_count;
    const gs_panel *panels;
    size_t panel_columns; /* at most; 0: as many as look well */

    /* GS_FIGURE_LINES */
    gs_quantity x, y;
    const char *band;   /* what the bands are: "least to largest of 4 seeds" */
    const char *dashed; /* what the dashed lines are: "theory" */
    const char *edges;  /* what marks at the edge are of: "for some seed" */
    bool ordered;       /* the series are steps of one quantity: colours are steps of one ramp */

    /* GS_FIGURE_MAP */
    gs_side columns, rows;
    bool upward; /* the first row is at the bottom */
    gs_quantity value;
    bool diverging;      /* 0 is neutral; less is blue, more is orange */
    const char *missing; /* what cells without a value are: "not finite" */
    const char *outline; /* what outlined cells are: "healthy" */
} gs_figure;

/* ---- For those who draw ---- */

/* What values there are. */
typedef struct {
    double low, high; /* of the finite; nan if there are none */
    bool zero;        /* -inf occurs */
    bool infinite;    /* inf */
    bool missing;     /* nan */
} gs_range;

gs_range gs_figure_x_range(const gs_figure *figure);
gs_range gs_figure_y_range(const gs_figure *figure);     /* with bands and theory */
gs_range gs_figure_value_range(const gs_figure *figure); /* with 0, if it is diverging */

/* What the marks at an edge are: "exactly 0 for some seed". */
void gs_figure_edge_text(const gs_figure *figure, bool upward, char out[64]);

bool gs_figure_has_titles(const gs_figure *figure);   /* of panels */
bool gs_figure_has_outlines(const gs_figure *figure); /* some cell is outlined */

/* The names of the series, each once, and which of them every series has. */
typedef struct {
    size_t count;
    const char **names; /* [count] */
    size_t *hues;       /* of every series of every panel in turn: an index of names */
    bool bands, theory; /* some series has one */
} gs_legend;

/* Errors: GS_ERR_MEMORY. */
gs_legend *gs_legend_new(const gs_figure *figure, gs_error *error);
void gs_legend_free(gs_legend *legend);
bool gs_legend_is_empty(const gs_legend *legend); /* nothing needs a name */

/* A cell of a map that is drawn in columns x rows cells, no more than it has: the mean of those
   that it stands for; but inf, nan or -inf, the first of these that is among them. */
double gs_map_cell(const gs_figure *figure, const gs_panel *panel, size_t columns, size_t rows,
                   size_t column, size_t row);

/* Which of a side's numbers get a tick: every `step`-th from `first` on, so that at most `most` do,
   at multiples of 1, 2 or 5 times a power of ten where the numbers are evenly spaced. */
void gs_side_ticks(const gs_side *side, size_t most, size_t *first, size_t *step);

/* The text of a column or row: of its innermost head, or its number. */
void gs_side_text(const gs_side *side, size_t index, char *out, size_t size);

/* Whether a level's texts at index and the one before differ, or those of a level further out. */
bool gs_side_begins_group(const gs_side *side, size_t level, size_t index);

#endif
