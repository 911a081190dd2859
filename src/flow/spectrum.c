/*
 * The largest singular value of a weight matrix, by Golub-Kahan-Lanczos bidiagonalisation (Golub
 * and Van Loan, section 10.4): W V_k = U_k B_k with B_k upper bidiagonal, alpha on its diagonal and
 * beta above it. The largest eigenvalue theta of T_k = B_k^T B_k grows towards sigma^2. No vector
 * is kept: rounding takes orthogonality only from Ritz vectors that have converged, which may find
 * a value twice but never a wrong one (Paige 1980).
 */
#include <float.h>
#include <math.h>

#include "base/memory.h"
#include "flow/measure.h"

enum { MOST_STEPS = 1000, LONGEST_WAIT = 8 };

typedef struct {
    const gs_kernels *kernels;
    const gs_matrix *weight;
    void *row;          /* where a row of tiles is made that is not stored */
    size_t cols;        /* in whole tiles */
    double *u;          /* alpha_k u_k, in whole tiles */
    double *v, *next;   /* v_{k+1} and zeros between steps, [cols] */
    double alpha, beta; /* of the last step */
    double unit;        /* alpha_1: T is in units of its square */
    double diagonal[MOST_STEPS], off_squared[MOST_STEPS]; /* T[i, i], T[i, i+1]^2 */
} lanczos;

/* ---- One step ---- */

/* v = next / length, or 0. */
static void to_unit(lanczos *l, double length) {
    double inverse = length > 0 ? 1 / length : 0;
    for (size_t j = 0; j < l->cols; j++) {
        l->v[j] = inverse * l->next[j];
        l->next[j] = 0;
    }
}

static void draw_start(lanczos *l, uint64_t seed) {
    const gs_kernels *k = l->kernels;
    _Alignas(64) char tile[GS_TILE_SIZE * sizeof(double)];
    for (size_t j = 0; j < l->weight->cols; j++) {
        if (j % GS_TILE_SIZE == 0)
            k->random_tiles(GS_DRAW_NORMAL, seed, GS_STREAM_SPECTRUM, 0, 0,
                            (uint32_t)(j / GS_TILE_SIZE), 1, 1, tile);
        l->next[j] = k->get(tile + j % GS_TILE_SIZE * k->size);
    }
    to_unit(l, sqrt(k->combine_doubles(l->cols, 0, l->v, 1, l->next)));
}

static const void *row_of_tiles(const lanczos *l, size_t i) {
    return gs_matrix_tiles(l->kernels, l->weight, i, 1, 0, l->weight->col_tiles, l->row).data;
}

/* alpha_k u_k = W v_k - beta_{k-1} u_{k-1}, beta_k v_{k+1} = W^T u_k - alpha_k v_k. What is left
   of W v_k when the space is exhausted is rounding, and taken for 0. */
static void advance(lanczos *l, size_t k) {
    const gs_kernels *kernels = l->kernels;
    double factor = k > 0 ? l->beta / l->alpha : 0, before = k > 0 ? l->beta / l->unit : 0;
    double squares = 0;
    for (size_t i = 0; i < l->weight->row_tiles; i++)
        squares += kernels->tile_row_gram(l->weight->col_tiles, row_of_tiles(l, i), l->v, factor,
                                          l->u + i * GS_TILE, l->next);
    l->alpha = sqrt(squares);
    if (k == 0)
        l->unit = l->alpha;
    double inverse = l->alpha > DBL_EPSILON * l->unit ? 1 / l->alpha : 0;
    squares = kernels->combine_doubles(l->cols, -l->alpha, l->v, inverse, l->next);
    l->beta = inverse > 0 ? sqrt(squares) : 0;
    to_unit(l, l->beta);
    double alpha = l->alpha / l->unit, beta = l->beta / l->unit;
    l->diagonal[k] = alpha * alpha + before * before;
    l->off_squared[k] = alpha * alpha * (beta * beta);
}

/* ---- The largest eigenvalue of T_k ---- */

/* Elimination of T_k - x from the last row up. */
typedef struct {
    size_t above;                /* how many eigenvalues exceed x: as many as pivots exceed 0 */
    double inverses, inverses_2; /* the sums of 1 / (x - eigenvalue) and of its square: derivatives
                                    of the logarithms of the pivots */
    double last_squared;         /* s_k^2, if x is an eigenvalue and s its eigenvector of norm 1 */
} elimination;

static elimination eliminate(const lanczos *l, size_t k, double x) {
    elimination e = {0};
    double below = 0, slope = 0, curvature = 0; /* of the pivot, over the pivot */
    double last_squared = 1, norm_squared = 1;  /* of s_i .. s_k, over s_i^2 */
    for (size_t i = k; i-- > 0;) {
        double pivot = l->diagonal[i] - x - below, inverse = 1 / pivot;
        curvature = below * (curvature - 2 * slope * slope) * inverse;
        slope = (below * slope - 1) * inverse;
        e.above += pivot > 0;
        e.inverses += slope;
        e.inverses_2 += slope * slope - curvature;
        if (i > 0) {
            below = l->off_squared[i - 1] * inverse;
            last_squared *= below * inverse;
            norm_squared = 1 + norm_squared * below * inverse;
        }
    }
    e.last_squared = last_squared / norm_squared;
    return e;
}

/* No eigenvalue exceeds the sums of absolute values over rows (Gershgorin). */
static double bound_of(const lanczos *l, size_t k) {
    double bound = 0, before = 0;
    for (size_t i = 0; i < k; i++) {
        double after = i + 1 < k ? sqrt(l->off_squared[i]) : 0;
        bound = fmax(bound, before + l->diagonal[i] + after);
        before = after;
    }
    return bound * (1 + 4 * DBL_EPSILON);
}

/* The largest eigenvalue, and the elimination there, by Laguerre's iteration: it falls from any
   bound to the eigenvalue, and triples the digits at every step in the end. */
static double largest_eigenvalue(const lanczos *l, size_t k, elimination *e) {
    double x = bound_of(l, k), n = (double)k;
    for (;;) {
        *e = eliminate(l, k, x);
        double spread = n * e->inverses_2 - e->inverses * e->inverses;
        double step = n / (e->inverses + sqrt((n - 1) * fmax(spread, 0)));
        if (e->above > 0 || !(step > 0))
            return x;
        x -= step;
        if (step <= 1e-12 * x)
            return x;
    }
}

/* ---- When to stop ---- */

/* Relative to theta; an error of sigma is half as large. */
static const double tolerance = 1e-9, largest_residual = 2e-6;

/* The residual of the Ritz vector, r = alpha_k beta_k |s_k|, bounds the error of theta, and so does
   r^2 / gap where all other eigenvalues are a gap away (Parlett, section 11.7). The second Ritz
   value tells the gap, but for eigenvalues so close to theta that the two have not come apart: on
   their account r itself must be small. */
static bool is_settled(const lanczos *l, size_t k, double theta, double residual) {
    double gap = residual * residual / tolerance;
    return residual <= tolerance ||
           (k > 1 && residual <= largest_residual && eliminate(l, k, theta * (1 - gap)).above <= 1);
}

/* Steps until it is worth looking again: r seldom loses more than a bit a step. */
static size_t steps_to_wait(size_t k, double residual) {
    int bits;
    frexp(fmin(residual, 1) / largest_residual, &bits);
    size_t wait = bits > 0 ? (size_t)bits : 0;
    return 1 + k / 32 + (wait < LONGEST_WAIT ? wait : LONGEST_WAIT);
}

static double iterate(lanczos *l) {
    double theta = 0;
    size_t due = 1;
    for (size_t k = 1; k <= MOST_STEPS; k++) {
        advance(l, k - 1);
        if (l->unit == 0 || !isfinite(l->alpha + l->beta))
            return l->alpha + l->beta;
        bool exhausted = sqrt(l->off_squared[k - 1]) <= tolerance * theta;
        if (k < due && !exhausted && k < MOST_STEPS)
            continue;
        elimination e;
        theta = largest_eigenvalue(l, k, &e);
        double residual = sqrt(l->off_squared[k - 1] * e.last_squared) / theta;
        if (is_settled(l, k, theta, residual))
            break;
        due = k + steps_to_wait(k, residual);
    }
    return l->unit * sqrt(theta);
}

gs_status gs_largest_singular_value(const gs_engine *engine, const gs_matrix *weight, uint64_t seed,
                                    double *sigma, gs_error *error) {
    size_t rows = weight->row_tiles * GS_TILE, cols = weight->col_tiles * GS_TILE;
    size_t made = weight->data ? 0 : weight->col_tiles * GS_TILE_SIZE * engine->kernels->size;
    void *row = gs_alloc(made, 1, error);
    double *vectors = gs_alloc(rows + 2 * cols, sizeof *vectors, error);
    if (row && vectors) {
        lanczos l;
        l.kernels = engine->kernels;
        l.weight = weight;
        l.row = row;
        l.cols = cols;
        l.u = vectors;
        l.v = vectors + rows;
        l.next = vectors + rows + cols;
        draw_start(&l, seed);
        *sigma = gs_ldexp(iterate(&l), weight->exponent);
    }
    gs_free(row);
    gs_free(vectors);
    return row && vectors ? GS_OK : GS_ERR_MEMORY;
}
