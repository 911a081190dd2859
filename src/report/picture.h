/*
 * Pictures: what was gathered -> the figures that show it.
 */
#ifndef GS_REPORT_PICTURE_H
#define GS_REPORT_PICTURE_H

#include "report/figure.h"
#include "report/variation.h"

typedef enum {
    GS_PICTURE_LAYERS,   /* against the layer: a line a configuration, at its last step */
    GS_PICTURE_TRAINING, /* a map of layer and step: a panel a configuration */
    GS_PICTURE_STEPS,    /* against the step: a line a configuration */
    GS_PICTURE_NUMBER,   /* one number a configuration, against the one option that differs */
    GS_PICTURE_OPTIONS,  /* a map of that: options by options */
    GS_PICTURES
} gs_picture_kind;

/* Figures hold so much at most; with more, another kind of picture shows less of each. */
enum {
    GS_PICTURE_LINES = 10,
    GS_PICTURE_STEPS_OF_ONE = 16,
    GS_PICTURE_PANELS = 6,
    GS_PICTURE_CELLS = 4096
};

/* Whether a column can be drawn as a picture of this kind, and there is enough of it. */
bool gs_picture_suits(const gs_variation *variation, size_t column, gs_picture_kind kind);

/* The first kind that suits. Errors: GS_ERR_FORMAT: nothing was measured; GS_ERR_UNSUPPORTED: there
   is too much for any, with the options that differ. */
gs_status gs_picture_choose(const gs_variation *variation, size_t column, gs_picture_kind *kind,
                            gs_error *error);

/* "up to 4 seeds, without up to 2 that are 0 or not finite", or "" if each configuration has one. */
void gs_name_seeds(const gs_gather *gather, size_t column, bool at_any_step, gs_line *line);

/* "; at the last step", if there are several. */
void gs_add_last_step(const gs_gather *gather, size_t column, gs_line *line);

typedef struct {
    gs_figure figure;
    struct gs_arena *arena; /* of all that it points at */
} gs_picture;

/* Make a picture of a kind that suits, with a title of its own if `title` is NULL, which else must
   last as the gathering must. Errors: GS_ERR_MEMORY. */
gs_picture *gs_picture_new(const gs_variation *variation, size_t column, gs_picture_kind kind,
                           const char *title, gs_error *error);
void gs_picture_free(gs_picture *picture); /* NULL does nothing */

#endif
