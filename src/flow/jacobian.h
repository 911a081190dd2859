/*
 * Singular values of the Jacobian of a network, each to many digits however far they lie apart. The
 * gradients of all outputs are taken back at once (tangent.c); their product is kept as Q D T
 * (factor.c), and the values are those of D T (jacobi.c).
 */
#ifndef GS_FLOW_JACOBIAN_H
#define GS_FLOW_JACOBIAN_H

#include "net/network.h"

/* ---- jacobian.c ---- */

/* Whether there can be a spectrum, for a resolved configuration. Errors: GS_ERR_USAGE. */
gs_status gs_spectrum_check(const gs_config *config, size_t example, gs_error *error);

/* ---- tangent.c: a network around one example ---- */

/* What a stage does to a small change: an activation or a batch norm multiplies each unit by a
   factor, and a layer or RMS norm projects besides. */
typedef struct {
    double *factor; /* [units], times 2^exponent */
    int64_t exponent;
    double *normalised; /* [units] h, of a layer or RMS norm; of any length */
    double share;       /* h share h^T is what the norm takes away along h */
    double inverse_std;
} gs_tangent_stage;

typedef struct {
    gs_network *network;
    gs_engine engine; /* f64, with the threads of the network */
    size_t example;
    size_t stage_count; /* without the head */
    size_t widest;      /* units of any signal of these stages */
    gs_tangent_stage *stages;
    gs_matrix weight; /* of one layer in f64, where the network has f32 */
    void *row;        /* of its tiles */
} gs_tangent;

/* Bytes that are needed, and room for what is recorded. Errors: GS_ERR_MEMORY. */
bool gs_tangent_bytes(const gs_tangent *t, size_t *bytes);
gs_status gs_tangent_allocate(gs_tangent *t, gs_error *error);
void gs_tangent_free(gs_tangent *t);

/* A forward pass of the batch. Errors: as gs_network_forward. */
gs_status gs_tangent_record(gs_tangent *t, gs_error *error);

/* grad [units, columns], f64: from the gradients with respect to the output of stage `index` to
   those with respect to its input. `spare` may change places with it; a skip leaves in `skipped`
   what goes round. */
void gs_tangent_back(gs_tangent *t, size_t index, gs_signal *grad, gs_signal *spare,
                     gs_signal *skipped);

/* ---- factor.c: B D = Q D' U ---- */

/* mantissa 2^exponent with 1 <= |mantissa| < 2, or 0. */
typedef struct {
    double mantissa;
    int64_t exponent;
} gs_scaled;

gs_scaled gs_scaled_of(double value, int64_t exponent);

/* |a| > |b| */
bool gs_scaled_exceeds(gs_scaled a, gs_scaled b);

typedef struct {
    gs_scaled scale; /* the diagonal of D */
    double largest;  /* entry of the column at first */
    gs_scaled size;  /* the largest entry of what is left of it, times scale */
    size_t length;   /* entries of R in this column */
    bool is_done;
} gs_factor_column;

typedef struct {
    size_t first, width; /* the rows of R that a block of reflectors made */
} gs_factor_block;

typedef struct {
    const gs_engine *engine; /* f64 */
    gs_signal x;             /* B, its rows sorted; then R; then Q */
    gs_signal v;             /* reflectors, a block a panel */
    double *panel;           /* the columns at hand, [rows] of one panel */
    double *triangles;       /* of each block of reflectors: I - V T V^T */
    size_t *row;             /* [rows] where row i of x comes from */
    double *row_size;        /* [rows] of entries, relative to the largest of their columns */
    size_t rows;             /* that are not all zero */
    gs_factor_column *columns;
    size_t column_count;
    gs_factor_block *blocks;
    size_t block_count;
    size_t *pivots; /* [rank] the column that gave row i of R */
    size_t rank;
    double noise; /* entries below this, relative to row and column, count as zero */
} gs_factor;

/* Room for matrices of up to units x columns. Errors: GS_ERR_MEMORY. */
gs_status gs_factor_new(const gs_engine *engine, size_t units, size_t columns, gs_factor *f,
                        gs_error *error);
void gs_factor_free(gs_factor *f);

/* Bytes that gs_factor_new takes, about; false on overflow. */
bool gs_factor_bytes(const gs_kernels *kernels, size_t units, size_t columns, size_t *bytes);

/* Take b [units x columns] diag(scale) apart. What rounding alone may have left of a column, beside
   the largest in its row, counts as zero if `noise` is not 0. */
void gs_factor_run(gs_factor *f, const gs_signal *b, const gs_scaled *scale, double noise);

/* The diagonal of D' [rank], falling or nearly so; and U [rank, columns], U[i, pivots[i]] = 1. */
gs_scaled gs_factor_scale(const gs_factor *f, size_t i);
double gs_factor_entry(const gs_factor *f, size_t i, size_t column);

/* Q [units x rank]. U is gone then. */
void gs_factor_basis(gs_factor *f, gs_signal *q);

/* Another number of columns of a signal, within the memory that it has. */
void gs_signal_set_columns(const gs_engine *engine, gs_signal *signal, size_t columns);

/* ---- jacobi.c ---- */

/* The singular values of the matrix whose row i is rows[i] 2^exponents[i]: `count` rows of
   `length` doubles, a multiple of 16, aligned as by gs_alloc. rows[i] is neither long nor short,
   and the rows fall in size, or nearly so. They become orthogonal: value i is sqrt(squares[i])
   2^exponents[i] then, and right to a few roundings times the condition of the rows scaled to
   length 1. Errors: GS_ERR_MEMORY. */
gs_status gs_jacobi(const gs_engine *engine, size_t count, size_t length, double *rows,
                    const int64_t *exponents, double *squares, gs_error *error);

#endif
