/*
 * Options as data. A table of rows describes every knob; parsing, help, the columns of the log and
 * gs_config_set() are read off it. A knob that takes a name refers to a family: another table,
 * whose rows start with a gs_name and go on with whatever that family needs (formula, functions).
 */
#ifndef GS_NET_OPTION_H
#define GS_NET_OPTION_H

#include "base/text.h"
#include "gradsim.h"

typedef enum { GS_PARAM_NONE, GS_PARAM_OPTIONAL, GS_PARAM_REQUIRED } gs_parameter;

/* First member of every row of a family: "name:parameter", or a bare number if it has no name. */
typedef struct {
    const char *name;
    const char *alias[3]; /* other names, NULL past the last */
    gs_parameter parameter;
    double standard, minimum, maximum; /* of the parameter: default and closed range */
    bool whole;                        /* no fractions */
    const char *letter;                /* the parameter in help: "STD" */
    const char *help;                  /* formula or one line */
} gs_name;

typedef struct {
    const void *rows;
    size_t stride, count;
} gs_family;

#define GS_FAMILY(table)                                                                           \
    { table, sizeof table[0], sizeof table / sizeof table[0] }

typedef struct {
    size_t index; /* row of the family, or GS_CHOICE_AUTO */
    double parameter;
} gs_choice;

#define GS_CHOICE_AUTO SIZE_MAX

/* One number for all layers, or one for each. */
typedef struct {
    size_t *at; /* [count], owned */
    size_t count;
} gs_sizes;

typedef enum {
    GS_OPTION_SIZE,   /* size_t    in [minimum, maximum] */
    GS_OPTION_SIZES,  /* gs_sizes: one, or more joined by "-", each in [minimum, maximum] */
    GS_OPTION_BYTES,  /* size_t: a number with K, M, G or T (1024, 1024^2 ..) or none after it */
    GS_OPTION_SEED,   /* uint64_t, the whole range       */
    GS_OPTION_REAL,   /* double    in [minimum, maximum] */
    GS_OPTION_CHOICE, /* gs_choice of `family`           */
    GS_OPTION_FLAG,   /* bool: --head, --head=off        */
    GS_OPTION_TEXT    /* char *, owned; "" is refused    */
} gs_option_kind;

typedef struct {
    const char *name; /* long name without dashes */
    gs_option_kind kind;
    size_t offset;         /* of the field in the struct that the table describes */
    const char *value;     /* placeholder in help: "N"; NULL: may stand alone, and is then "on" */
    const char *standard;  /* default as text; NULL: a flag that is off, a text that is not there */
    const char *help;      /* one line */
    const char *group;     /* heading in help; NULL: that of the row before */
    char letter;           /* short form, 0 if none */
    const char *automatic; /* word for "choose for me", NULL if none: size 0, nan, GS_CHOICE_AUTO */
    double minimum, maximum;
    const gs_family *family;
    bool column; /* stands in the log as a config column, and in a saved network */
    bool saved;  /* is no column, but stands in a saved network */
    char joined; /* a text that comes again goes behind this, after the one before; 0: instead */
} gs_option;

typedef struct {
    const gs_option *rows;
    size_t count;
} gs_option_table;

const gs_name *gs_family_row(const gs_family *family, size_t index);

/* Every name and alias of a family, NULL past the last: what gs_nearest_name searches. */
const char *gs_family_name_at(const void *family, size_t index);

/* Whether the first `length` characters of `text` name a row of the family, then *index. */
bool gs_family_find(const gs_family *family, const char *text, size_t length, size_t *index);

/* The row called `name` (dashes and underscores are the same), NULL if none. */
const gs_option *gs_option_find(const gs_option_table *table, const char *name);

/* The long name of a row, NULL past the last: what gs_nearest_name searches. */
const char *gs_option_name_at(const void *table, size_t index);

/* "unknown option '--layer' (did you mean '--layers'?)": `what` is the kind of name, and `dashes`
   stand before the name that came and the nearest in `table`. Returns GS_ERR_USAGE. */
gs_status gs_unknown_name(const char *what, const char *dashes, const char *name,
                          gs_name_at *name_at, const void *table, gs_error *error);

/* "--norm: expected one of none, batch, got 'bach' (did you mean 'batch'?)": `nearest` may be NULL,
   and a long text is cut. Returns GS_ERR_USAGE. */
gs_status gs_option_refuse(const gs_option *option, const char *expected, const char *text,
                           const char *nearest, gs_error *error);

/* Set every field of `base` to its default. What a field owned is forgotten: release it first. */
gs_status gs_options_reset(const gs_option_table *table, void *base, gs_error *error);
void gs_options_release(const gs_option_table *table, void *base); /* frees what fields own */

/* Parse `text` into the field of `base`. A flag is "on" or "off"; a choice is "name",
   "name:parameter" or a bare number, where capitals and small letters, dashes and underscores are
   the same. On error nothing changes, and the message names the option, what was expected and what
   came, with the nearest name. */
gs_status gs_option_parse(const gs_option *option, void *base, const char *text, gs_error *error);

/* The canonical text of a field: parsing it gives the field again. Returns the length that the
   whole text has, as snprintf. */
size_t gs_option_format(const gs_option *option, const void *base, char *text, size_t size);

#endif
