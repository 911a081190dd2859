/*
 * Gathering: the rows of logs and summaries -> configurations, and what their networks come to. The
 * memory that this takes depends on how many configurations, layers and steps there are, and not on
 * how many rows.
 *
 * A log has a row for each layer, network and step (row.h), a summary one for each point
 * (outcome.h). Rows belong to one configuration if all of their options are the same.
 */
#ifndef GS_REPORT_GATHER_H
#define GS_REPORT_GATHER_H

#include "base/lookup.h"
#include "net/option.h"
#include "report/cells.h"
#include "report/spread.h"

enum { GS_GATHER_CONFIGS = 10000, GS_GATHER_COLUMNS = 16 };

enum { GS_GATHER_WANTED, GS_GATHER_THEORY }; /* columns that are always asked for */

typedef struct {
    const char *const *texts; /* [option_count] canonical texts; "" for none */
    size_t networks, failed;  /* that were measured, and that could not be */
    uint64_t layers, last;    /* the last dense layer, and the last with the head; 0 in a summary */
    uint64_t step;            /* the last */
    uint64_t depth;           /* option layers; 0: it is no column */
    bool has_head;            /* option head */
    uint64_t from_step,
        from_layer;               /* the first step, and the first layer of it: one row a network */
    size_t verdicts[GS_VERDICTS]; /* networks; all 0 if none has a verdict */
    gs_values ends;               /* what each network comes to in the column that is wanted */
    const char *error;            /* of the first that failed, or NULL */
    char *text;                   /* [length] the texts, one after another */
    size_t length;
} gs_gathered;

/* What a column is of. */
typedef enum { GS_OF_LAYER, GS_OF_STEP, GS_OF_POINT } gs_scope;

typedef struct gs_gather gs_gather;

/* Whether a configuration is kept. */
typedef gs_status gs_gather_filter(void *context, const gs_gather *gather, const char *const *texts,
                                   bool *keeps, gs_error *error);

/* To be read, after it was filled. */
struct gs_gather {
    bool is_summary;
    bool is_mixed; /* rows of one network do not follow each other: nothing is known of one alone */
    size_t option_count, column_count;
    const gs_option **options; /* those that are columns, in the order of gs_config_options */
    const char *first;         /* name of the first file; NULL before it */
    const char *column[GS_GATHER_COLUMNS];
    gs_scope scope[GS_GATHER_COLUMNS];
    size_t config_count;
    gs_gathered *configs; /* in the order in which they came */
    /* By index of the configuration, columns of layers, and of whole networks, whose layer is 0: of
       all steps, and of the last, which would else be one of several that became one. */
    struct {
        gs_cells *layers, *wholes;
    } all, newest;
    size_t slot[GS_GATHER_COLUMNS]; /* of each column in its cells */
    uint64_t failed;                /* networks */
    gs_gather_filter *filter;
    void *context;
    size_t config_room;
    gs_lookup lookup; /* of configurations */
};

/* Begin with the column that is wanted; NULL: grad_z_log10 of a log, theory_grad_log10 of what
   gradsim theory writes, ratio_log10_mean of a summary. It is column 0, and the next is
   theory_grad_log10 if that is there. The name must last. `filter` may be NULL. Errors:
   GS_ERR_MEMORY. */
gs_gather *gs_gather_new(const char *column, gs_gather_filter *filter, void *context,
                         gs_error *error);
void gs_gather_free(gs_gather *gather); /* NULL does nothing */

/* Before the first file: ask for another column, where it is there. The name must last. Returns its
   index. */
size_t gs_gather_ask(gs_gather *gather, const char *column);

/* Add the rows of a file; `name` is for messages. All must have the same options. Errors, with file
   and line: GS_ERR_FORMAT, GS_ERR_IO; GS_ERR_UNSUPPORTED for too many configurations, GS_ERR_MEMORY,
   and those of the filter. */
gs_status gs_gather_file(gs_gather *gather, FILE *file, const char *name, gs_error *error);

/* ---- What it comes to: gather_value.c ---- */

/* The values of a column at a place, NULL if there are none; and the steps that there are. Where they
   are many some in a row are one (cells.h), but the last step of a configuration is one of its own. */
const gs_values *gs_gather_at(const gs_gather *gather, gs_cell_place place, size_t column);
const uint64_t *gs_gather_steps(const gs_gather *gather, size_t column, size_t *count);

/* gs_values_most of a place, where networks that diverged before count as not finite. */
double gs_gather_most(const gs_gather *gather, gs_cell_place place, size_t column);

/* What a configuration comes to in a column, at its last step: of a whole network its value; of a
   logarithm the change from the last dense layer to the first, and else the mean over the dense
   layers. nan if there is none. */
double gs_gather_value(const gs_gather *gather, size_t config, size_t column);

/* The change of a logarithm that a network has; what is exactly 0 at the first layer is lost. */
double gs_gather_change(double first, double last);

/* The verdict of a network by that change. */
gs_verdict gs_gather_judge(double change);

/* That of most networks, of equals the worse. GS_VERDICTS: there is none. */
size_t gs_gather_verdict(const gs_gather *gather, size_t config);

/* Whether a column is of a gradient, layer by layer or end to end, and so has a verdict. */
bool gs_is_gradient(const gs_gather *gather, size_t column);

/* How many networks of a configuration are at most not finite in a column at one place: of the last
   steps, or of any. */
size_t gs_gather_others(const gs_gather *gather, size_t column, bool at_any);

/* "grad_z_log10", "ratio_log10_mean" */
bool gs_is_log10(const char *column);

#endif
