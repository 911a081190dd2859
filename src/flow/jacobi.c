/*
 * Singular values by one-sided Jacobi rotations (Hestenes 1958): pairs of rows are made orthogonal
 * until all are, and their lengths are the values. Every row has an exponent of its own, so that
 * the smallest value is as right as the largest (Demmel and Veselic 1992). Blocks of rows meet in
 * the order of a tournament: pairs of blocks of one round have no row in common, and may be worked
 * on at once.
 */
#include <math.h>

#include "base/memory.h"
#include "flow/jacobian.h"

/* Rows in a block: two of them, of 1024 numbers, fit in the second-level cache. */
enum { BLOCK_ROWS = 16, MOST_SWEEPS = 60 };

typedef struct {
    const gs_kernels *kernels; /* f64 */
    size_t count, length;
    double *rows, *squares; /* squares[i] = |row i|^2, without its exponent */
    const int64_t *exponents;
    bool *turned; /* [blocks]: a task rotated some pair */
    size_t blocks, round;
    double tolerance;
} jacobi;

static double *row_at(const jacobi *j, size_t i) {
    return j->rows + i * j->length;
}

/* With a = row p and b = row q, r = 2^(their exponents' difference), |r b| <= |a|, and t = r tau
   the tangent of the angle (Rutishauser 1966), a' = c (a - r^2 tau b) and b' = c (b + tau a),
   where c = 1 / sqrt(1 + t^2). That is b' and then a' = a / c - r^2 tau b'. */
static bool rotate(jacobi *j, size_t p, size_t q) {
    const gs_kernels *k = j->kernels;
    double a = j->squares[p], b = j->squares[q];
    double dot = k->dot(j->length / k->panel, k->panel, row_at(j, p), row_at(j, q));
    if (!(fabs(dot) > j->tolerance * sqrt(a * b)))
        return false;
    double r = gs_ldexp(1, j->exponents[q] - j->exponents[p]);
    double w = (r * r * b - a) / (2 * dot);
    double tau = copysign(1, w) / (fabs(w) + sqrt(r * r + w * w)), t = r * tau;
    double length = sqrt(1 + t * t);
    j->squares[q] =
        k->combine_doubles(j->length, tau / length, row_at(j, p), 1 / length, row_at(j, q));
    if (fabs(t) * r * sqrt(j->squares[q] / a) > 0x1p-60)
        j->squares[p] = k->combine_doubles(j->length, -r * t, row_at(j, q), length, row_at(j, p));
    return true;
}

static size_t end_of(const jacobi *j, size_t block) {
    size_t end = (block + 1) * BLOCK_ROWS;
    return end < j->count ? end : j->count;
}

static void meet_inside(void *context, size_t block) {
    jacobi *j = context;
    for (size_t p = block * BLOCK_ROWS; p < end_of(j, block); p++)
        for (size_t q = p + 1; q < end_of(j, block); q++)
            j->turned[block] |= rotate(j, p, q);
}

/* The circle of a round-robin tournament: the last block stays, the others move on. */
static void meet_another(void *context, size_t pair) {
    jacobi *j = context;
    size_t circle = j->blocks - 1, one = (j->round + pair) % circle;
    size_t other = pair == 0 ? circle : (j->round + circle - pair) % circle;
    size_t low = one < other ? one : other, high = one < other ? other : one;
    for (size_t p = low * BLOCK_ROWS; p < end_of(j, low); p++)
        for (size_t q = high * BLOCK_ROWS; q < end_of(j, high); q++)
            j->turned[pair] |= rotate(j, p, q);
}

static bool any_turned(jacobi *j) {
    bool any = false;
    for (size_t i = 0; i < j->blocks; i++) {
        any |= j->turned[i];
        j->turned[i] = false;
    }
    return any;
}

/* Every pair of rows meets once. */
static bool sweep(jacobi *j, gs_pool *pool) {
    gs_pool_run(pool, j->blocks, meet_inside, j);
    for (j->round = 0; j->round + 1 < j->blocks; j->round++)
        gs_pool_run(pool, j->blocks / 2, meet_another, j);
    return any_turned(j);
}

gs_status gs_jacobi(const gs_engine *engine, size_t count, size_t length, double *rows,
                    const int64_t *exponents, double *squares, gs_error *error) {
    jacobi j = {.kernels = engine->kernels,
                .count = count,
                .length = length,
                .rows = rows,
                .squares = squares,
                .exponents = exponents};
    j.blocks = (count + 2 * BLOCK_ROWS - 1) / (2 * BLOCK_ROWS) * 2;
    j.tolerance = 0x1p-51 * sqrt((double)length);
    j.turned = gs_alloc(j.blocks, sizeof *j.turned, error);
    if (!j.turned)
        return GS_ERR_MEMORY;
    for (size_t i = 0; i < count; i++)
        squares[i] = j.kernels->combine_doubles(length, 0, row_at(&j, i), 1, row_at(&j, i));
    for (size_t i = 0; i < MOST_SWEEPS && sweep(&j, engine->pool); i++)
        continue;
    gs_free(j.turned);
    return GS_OK;
}
