/*
 * Published answers against simulation. A case is one number of one row of the collection of known
 * answers (the row's number is its name everywhere): a network, a probe that reads a quantity off
 * it, the published value, and the law that says how close the two must be. The tables of cases are
 * in field.c, normalised.c, finite.c, residual.c, exact.c and initial.c; theory.c runs them.
 */
#ifndef GS_THEORY_TESTS_H
#define GS_THEORY_TESTS_H

#include "gradsim.h"

typedef struct theory_case theory_case;

/* ---- Laws ---- */

typedef enum {
    EXACT,      /* 1e-10 of the published value, or 1e-10 where that is 0; one seed */
    MEAN_FIELD, /* infinite width: 1 % for each of `layers` at widths of 512 to 1024 */
    EXPECTED,   /* an expectation at this very width: 3 standard errors */
    DIFFERS     /* not the published value: further off than the law MEAN_FIELD allows */
} theory_law;

/* ---- Probes ---- */

/* What becomes of the values of all seeds. */
typedef enum {
    AVERAGE,     /* their mean */
    PER_LAYER,   /* its root: mean^(1 / (to - from)) */
    OVER_LAYERS, /* its power: mean^(to - from) */
    VARIANCE,    /* their variance */
    LARGEST      /* the end of the interval that they fill evenly */
} theory_reduction;

typedef struct {
    /* The values of one seed, room for `count` of them. They must be independent of each other, or
       the standard error means nothing. NULL: there is only a prediction. */
    void (*sample)(const theory_case *c, uint64_t seed, double *values);
    theory_reduction reduction;
    /* The mean as gradsim predicts it, which is reduced likewise. NULL: it does not. */
    double (*predict)(const theory_case *c);
} theory_probe;

/* ---- Cases ---- */

struct theory_case {
    int row;
    const char *what;
    const char *options; /* "layers=20 act=tanh"; see theory_network() */
    const theory_probe *probe;
    double published;
    theory_law law;
    bool quick;        /* is measured in the short selection too, where all are predicted */
    size_t seeds;      /* 0: 1 */
    size_t from, to;   /* what the probe looks at: layers */
    size_t layers;     /* for MEAN_FIELD, 0: 1 */
    size_t values;     /* of each seed, 0: 1 */
    const char *limit; /* options that bring a prediction to the limit that is published; NULL: a
                          width of 10^6 unless EXACT or EXPECTED */
    double digits;     /* a prediction must be this close to the published value; 0: 5e-6, as six
                        digits say; below 0: nothing is predicted */
    double detects; /* a published value that is wrong by this factor must fail; 0: 3 % for each of
                        `layers`, or 1e-9 if EXACT */
};

/* Cases up to the first without a probe. */
extern const theory_case field_cases[], normalised_cases[], finite_cases[], residual_cases[],
    exact_cases[], initial_cases[];

/* ---- Networks ---- */

/* The configuration of these options and of `more`, which may be NULL. Options that
   are not named are "threads=1 batch=1 loss=random norm-eps=0" or have their defaults. */
gs_config *theory_config(const char *options, const char *more, uint64_t seed);

/* And its network, with its batch drawn. */
gs_network *theory_network(const char *options, const char *more, uint64_t seed);

typedef struct {
    gs_layer_stats *rows;
    gs_summary summary;
} theory_measured;

/* Frees the network; rows are the caller's to free. */
theory_measured theory_measure(gs_network *network);

/* A column of a layer, which must be there. */
double theory_at(const theory_measured *m, size_t layer, gs_column column);

/* Tensors, whose names are as printf makes them. Whoever reads gives the values back to free(). */
double *theory_read(const gs_network *network, size_t count, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void theory_write(gs_network *network, const double *values, size_t count, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Ends the program unless a library call went well: a table that is wrong tests nothing. */
void theory_require(gs_status status, const gs_error *error, const char *what);
void theory_require_memory(const void *block);

typedef struct {
    size_t count; /* of layers without the head, which comes after them */
    gs_layer_theory *layers;
    gs_theory theory;
} theory_predicted;

/* What gradsim predicts for these options, and in the limit that a case is about. The layers are
   the caller's to free. */
theory_predicted theory_predict(const char *options, const char *more);
theory_predicted theory_predict_case(const theory_case *c);

/* ---- Probes that several tables use ---- */

/* Squared gradients, |dL/dz_from|^2 / |dL/dz_to|^2: the factor, and the factor a layer. */
extern const theory_probe gradient_factor, gradient_rate;

/* |dL/dx_0|^2 / |dL/dx_L|^2, likewise; `to` is L. */
extern const theory_probe end_to_end, end_to_end_rate;

/* Mean square of z at layer `to`. */
extern const theory_probe preactivation_square;

/* |x_L|^2 / |x_0|^2, for --loss mse. */
extern const theory_probe growth;

/* ---- Linear algebra: the plain loops that the library is checked against ---- */

/* Singular values of A [n, n], in no order; A is lost. (One-sided Jacobi: Hestenes 1958.) */
void theory_singular_values(double *a, size_t n, double *values);

/* The product W_L ... W_1 of a network's square weights, [n, n]. */
double *theory_jacobian(const gs_network *network, size_t layers, size_t n);

/* ---- Thirty networks against prediction (agreement.c) ---- */

/* Prints a line for each; false if one disagrees. */
bool theory_agreement(bool all);

/* Calls run(context, index) for every index below count, on every processor. */
void theory_parallel(size_t count, void (*run)(void *context, size_t index), void *context);

#endif
