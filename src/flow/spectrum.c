/*
 * The largest singular value of a weight matrix, by Golub-Kahan-Lanczos bidiagonalisation (Golub
 * and Van Loan, section 10.4): A V_k = U_k B_k with B_k upper bidiagonal, alpha on its diagonal and
 * beta above it. The right vectors are orthogonalised against all before, which keeps the left ones
 * orthogonal enough (Simon and Zha 2000).
 */
#include <float.h>
#include <math.h>

#include "base/memory.h"
#include "flow/measure.h"

enum { MOST_STEPS = 300, CHECK_EVERY = 4 };

/* The Ritz value grows towards the singular value, faster at every step: when it stops in the 9th
   digit between two checks it is right to far better than 1e-6. */
static const double settled = 1e-9;

typedef struct {
    const gs_kernels *kernels;
    const gs_matrix *weight;
    bool transposed;   /* work on W^T: the right side is the smaller, or the space could not be
                          exhausted */
    size_t rows, cols; /* of what is worked on, in whole tiles */
    double *right;     /* the vectors v_1 .. v_k, [k, cols] */
    double *u, *next;
    double alpha[MOST_STEPS], beta[MOST_STEPS];
} lanczos;

/* Eight sums side by side, then a tree: as fast as the machine adds, and always the same order. */
static double inner(size_t count, const double *x, const double *y) {
    double s[GS_TILE] = {0};
    for (size_t i = 0; i < count; i += GS_TILE)
        for (size_t j = 0; j < GS_TILE; j++)
            s[j] += x[i + j] * y[i + j];
    return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

static void add_scaled(size_t count, double factor, const double *x, double *y) {
    for (size_t i = 0; i < count; i++)
        y[i] += factor * x[i];
}

/* Scale to norm 1; returns the norm. */
static double to_unit(size_t count, double *x) {
    double norm = sqrt(inner(count, x, x));
    for (size_t i = 0; norm > 0 && i < count; i++)
        x[i] /= norm;
    return norm;
}

/* Whether x exceeds the largest eigenvalue of B_k^T B_k: all pivots of B^T B - x are negative. */
static bool is_above(const lanczos *l, size_t k, double x) {
    double pivot = -1, off = 0;
    for (size_t i = 0; i < k; i++) {
        double before = i > 0 ? l->beta[i - 1] : 0;
        pivot = l->alpha[i] * l->alpha[i] + before * before - x - off / pivot * off;
        if (pivot >= 0)
            return false;
        off = l->alpha[i] * l->beta[i];
    }
    return true;
}

/* The largest singular value of B_k, which is at least `low`: bisection on its square. */
static double largest_of_bidiagonal(const lanczos *l, size_t k, double low) {
    double bound = 0, below = low * low;
    for (size_t i = 0; i < k; i++) {
        double row = fabs(l->alpha[i]) + (i + 1 < k ? fabs(l->beta[i]) : 0);
        double col = fabs(l->alpha[i]) + (i > 0 ? fabs(l->beta[i - 1]) : 0);
        bound = fmax(bound, row * col);
        bound = fmax(bound, fmax(row, col) * fmax(row, col));
    }
    double above = bound * (1 + 4 * DBL_EPSILON);
    while (above - below > 2 * DBL_EPSILON * above) {
        double middle = below + (above - below) / 2;
        *(is_above(l, k, middle) ? &above : &below) = middle;
    }
    return sqrt(below + (above - below) / 2);
}

/* y += A x, or A^T x, where A is W or W^T. */
static void multiply_add(const lanczos *l, bool transposed, const double *x, double *y) {
    const gs_matrix *w = l->weight;
    (transposed == l->transposed ? l->kernels->tile_matvec : l->kernels->tile_matvec_transposed)(
        w->row_tiles, w->col_tiles, w->data, x, y);
}

/* One step: u_k = A v_k - beta_{k-1} u_{k-1}, v_{k+1} = A^T u_k - alpha_k v_k. False when the space
   is exhausted. */
static bool advance(lanczos *l, size_t k) {
    double *v = l->right + k * l->cols;
    for (size_t i = 0; i < l->rows; i++)
        l->u[i] *= k > 0 ? -l->beta[k - 1] : 0;
    multiply_add(l, false, v, l->u);
    l->alpha[k] = to_unit(l->rows, l->u);
    for (size_t j = 0; j < l->cols; j++)
        l->next[j] = -l->alpha[k] * v[j];
    multiply_add(l, true, l->u, l->next);
    for (size_t i = 0; i <= k; i++) {
        const double *earlier = l->right + i * l->cols;
        add_scaled(l->cols, -inner(l->cols, earlier, l->next), earlier, l->next);
    }
    l->beta[k] = to_unit(l->cols, l->next);
    return l->beta[k] > 1e-14 * l->alpha[0];
}

static double iterate(lanczos *l, size_t most) {
    double sigma = 0;
    for (size_t k = 0; k < most; k++) {
        bool more = advance(l, k) && k + 1 < most;
        if (!more || (k + 1) % CHECK_EVERY == 0) {
            double larger = largest_of_bidiagonal(l, k + 1, sigma);
            if (!more || larger - sigma <= settled * larger)
                return larger;
            sigma = larger;
        }
        for (size_t j = 0; j < l->cols; j++)
            l->right[(k + 1) * l->cols + j] = l->next[j];
    }
    return sigma;
}

gs_status gs_largest_singular_value(const gs_engine *engine, const gs_matrix *weight, uint64_t seed,
                                    double *sigma, gs_error *error) {
    bool wide = weight->rows < weight->cols;
    size_t smaller = wide ? weight->rows : weight->cols;
    size_t most = smaller < MOST_STEPS ? smaller : MOST_STEPS;
    lanczos l = {.kernels = engine->kernels,
                 .weight = weight,
                 .transposed = wide,
                 .rows = (wide ? weight->col_tiles : weight->row_tiles) * GS_TILE,
                 .cols = (wide ? weight->row_tiles : weight->col_tiles) * GS_TILE};
    l.right = gs_alloc(most, l.cols * sizeof(double), error);
    l.u = gs_alloc(l.rows, sizeof(double), error);
    l.next = gs_alloc(l.cols, sizeof(double), error);
    bool allocated = l.right && l.u && l.next;
    if (allocated) {
        gs_draw_vector(engine, GS_DRAW_NORMAL, seed, GS_STREAM_SPECTRUM, 1, smaller, l.right);
        to_unit(l.cols, l.right);
        *sigma = gs_ldexp(iterate(&l, most), weight->exponent);
    }
    gs_free(l.right);
    gs_free(l.u);
    gs_free(l.next);
    return allocated ? GS_OK : GS_ERR_MEMORY;
}
