/*
 * B D = Q D' U for a matrix B with rows, and a diagonal D with entries, of very different size. Q
 * has orthonormal columns, D' falls, and U is well conditioned, so that every singular value can be
 * found from D' U. Householder reflections with sorted rows, the largest column first, keep what is
 * small beside what is large (Cox and Higham 1998; Higham 2000, on factors D1 B D2).
 *
 * Sixteen columns, one panel, are taken at a time: those with the largest entries left. Their
 * reflections are applied to all others as I - V T V^T (Schreiber and Van Loan 1989).
 */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "flow/jacobian.h"

enum { WIDTH = GS_PANEL_BYTES / sizeof(double), BLOCK = WIDTH * WIDTH };

gs_scaled gs_scaled_of(double value, int64_t exponent) {
    int shift;
    double mantissa = frexp(value, &shift);
    return (gs_scaled){2 * mantissa, exponent + shift - 1};
}

bool gs_scaled_exceeds(gs_scaled a, gs_scaled b) {
    if (a.mantissa == 0 || b.mantissa == 0 || a.exponent == b.exponent)
        return fabs(a.mantissa) > 0 && (b.mantissa == 0 || fabs(a.mantissa) > fabs(b.mantissa));
    return a.exponent > b.exponent;
}

static gs_scaled times(double factor, gs_scaled x) {
    return gs_scaled_of(factor * x.mantissa, x.exponent);
}

/* ---- Memory ---- */

static size_t panels_of(size_t columns) {
    return (columns + WIDTH - 1) / WIDTH;
}

bool gs_factor_bytes(const gs_kernels *kernels, size_t units, size_t columns, size_t *bytes) {
    size_t signal;
    return gs_signal_bytes(kernels, units, columns, &signal) &&
           gs_size_multiply(signal, 2, &signal) &&
           gs_size_add(signal, units * (WIDTH + 3) * sizeof(double), &signal) &&
           gs_size_add(signal, panels_of(columns) * BLOCK * sizeof(double), bytes);
}

gs_status gs_factor_new(const gs_engine *engine, size_t units, size_t columns, gs_factor *f,
                        gs_error *error) {
    size_t panels = panels_of(columns);
    *f = (gs_factor){.engine = engine};
    gs_status status = gs_signal_new(engine, units, columns, &f->x, error);
    if (status == GS_OK)
        status = gs_signal_new(engine, units, columns, &f->v, error);
    if (status != GS_OK)
        return status;
    size_t rows = f->x.rows;
    f->panel = gs_alloc(rows, WIDTH * sizeof *f->panel, error);
    f->row = gs_alloc(rows, sizeof *f->row, error);
    f->row_size = gs_alloc(rows, sizeof *f->row_size, error);
    f->triangles = gs_alloc(panels, BLOCK * sizeof *f->triangles, error);
    f->columns = gs_alloc(panels * WIDTH, sizeof *f->columns, error);
    f->pivots = gs_alloc(panels * WIDTH, sizeof *f->pivots, error);
    f->blocks = gs_alloc(panels, sizeof *f->blocks, error);
    bool is_made =
        f->panel && f->row && f->row_size && f->triangles && f->columns && f->pivots && f->blocks;
    return is_made ? GS_OK : GS_ERR_MEMORY;
}

void gs_factor_free(gs_factor *f) {
    gs_signal_free(&f->x);
    gs_signal_free(&f->v);
    gs_free(f->panel);
    gs_free(f->row);
    gs_free(f->row_size);
    gs_free(f->triangles);
    gs_free(f->columns);
    gs_free(f->pivots);
    gs_free(f->blocks);
    *f = (gs_factor){0};
}

void gs_signal_set_columns(const gs_engine *engine, gs_signal *signal, size_t columns) {
    signal->batch = columns;
    signal->panels = (columns + engine->kernels->panel - 1) / engine->kernels->panel;
}

/* Row `row` of a panel of a signal in f64. */
static double *row_of(const gs_signal *signal, size_t panel, size_t row) {
    return (double *)signal->data + (panel * signal->rows + row) * WIDTH;
}

static double *entry(const gs_signal *signal, size_t row, size_t column) {
    return row_of(signal, column / WIDTH, row) + column % WIDTH;
}

/* ---- Rows in order of size ---- */

/* Row and column sizes of b so that |b[i, k]| <= row_size[i] largest[k]. */
static void take_sizes(gs_factor *f, const gs_signal *b) {
    memset(f->row_size, 0, f->x.rows * sizeof *f->row_size);
    for (size_t panel = 0; panel < b->panels; panel++) {
        double largest[WIDTH] = {0}, inverse[WIDTH];
        for (size_t u = 0; u < b->units; u++) {
            const double *row = row_of(b, panel, u);
            for (size_t l = 0; l < WIDTH; l++)
                largest[l] = fabs(row[l]) > largest[l] ? fabs(row[l]) : largest[l];
        }
        for (size_t l = 0; l < WIDTH; l++) {
            f->columns[panel * WIDTH + l].largest = largest[l];
            inverse[l] = largest[l] > 0 ? 1 / largest[l] : 0;
        }
        for (size_t u = 0; u < b->units; u++) {
            const double *row = row_of(b, panel, u);
            for (size_t l = 0; l < WIDTH; l++)
                f->row_size[u] = fabs(row[l]) * inverse[l] > f->row_size[u]
                                     ? fabs(row[l]) * inverse[l]
                                     : f->row_size[u];
        }
    }
}

/* Shell's sort with the gaps of Knuth: ties are broken by place, so that the order is one. */
static void sort_rows(gs_factor *f, size_t count) {
    size_t gap = 1;
    while (gap < count / 3)
        gap = 3 * gap + 1;
    for (; gap > 0; gap /= 3)
        for (size_t i = gap; i < count; i++) {
            size_t row = f->row[i], j = i;
            for (; j >= gap; j -= gap) {
                size_t other = f->row[j - gap];
                double size = f->row_size[row], other_size = f->row_size[other];
                if (other_size > size || (other_size == size && other < row))
                    break;
                f->row[j] = other;
            }
            f->row[j] = row;
        }
}

/* What an entry of a row may be by rounding alone, in units of the largest of its column. */
static double noise_of(const gs_factor *f, size_t row) {
    return f->noise * f->row_size[f->row[row]];
}

typedef struct {
    gs_factor *f;
    const gs_signal *from;
    gs_signal *to;
} rows_job;

static void sort_panel(void *context, size_t panel) {
    const rows_job *job = context;
    const gs_factor *f = job->f;
    for (size_t i = 0; i < f->rows; i++)
        memcpy(row_of(job->to, panel, i), row_of(job->from, panel, f->row[i]), GS_PANEL_BYTES);
    memset(row_of(job->to, panel, f->rows), 0, (job->to->rows - f->rows) * GS_PANEL_BYTES);
}

static void unsort_panel(void *context, size_t panel) {
    const rows_job *job = context;
    const gs_factor *f = job->f;
    memset(row_of(job->to, panel, 0), 0, job->to->rows * GS_PANEL_BYTES);
    for (size_t i = 0; i < f->rows; i++)
        memcpy(row_of(job->to, panel, f->row[i]), row_of(job->from, panel, i), GS_PANEL_BYTES);
}

static void begin(gs_factor *f, const gs_signal *b, const gs_scaled *scale) {
    f->column_count = b->batch;
    f->rank = f->block_count = 0;
    gs_signal_reshape(f->engine, &f->x, b->units);
    gs_signal_reshape(f->engine, &f->v, b->units);
    gs_signal_set_columns(f->engine, &f->x, b->batch);
    take_sizes(f, b);
    for (size_t c = 0; c < b->panels * WIDTH; c++) {
        f->columns[c].scale = c < b->batch ? scale[c] : (gs_scaled){0};
        f->columns[c].is_done = c >= b->batch;
        f->columns[c].length = 0;
    }
    for (size_t i = 0; i < b->units; i++)
        f->row[i] = i;
    sort_rows(f, b->units);
    for (f->rows = b->units; f->rows > 0 && f->row_size[f->row[f->rows - 1]] == 0;)
        f->rows--;
    gs_pool_run(f->engine->pool, b->panels, sort_panel, &(rows_job){f, b, &f->x});
}

/* ---- Reflectors: H = I - V T V^T with V in a panel ---- */

/* x += V W for a panel x and W [WIDTH, WIDTH], from row `first` on. */
static void add_product(const gs_factor *f, size_t block, size_t first, const double *w,
                        gs_signal *x, size_t panel) {
    const gs_kernels *k = f->engine->kernels;
    _Alignas(64) double tiles[GS_TILE * WIDTH];
    for (size_t row = first; row < x->rows; row += GS_TILE) {
        double *target = row_of(x, panel, row);
        k->product[GS_PRODUCT_OUTER](1, 0, row_of(&f->v, block, row), tiles, w, false, tiles);
        for (size_t i = 0; i < GS_TILE; i++)
            for (size_t l = 0; l < WIDTH; l++)
                target[i * WIDTH + l] +=
                    tiles[l / GS_TILE * GS_TILE_SIZE + i * GS_TILE + l % GS_TILE];
    }
}

/* out [WIDTH, WIDTH] = V^T x for a panel x, from row `first` on. */
static void take_products(const gs_factor *f, size_t block, size_t first, const double *x,
                          double *out) {
    const gs_kernels *k = f->engine->kernels;
    for (size_t i = 0; i < WIDTH; i += GS_TILE) {
        const double *left = row_of(&f->v, block, first) + i;
        k->product[GS_PRODUCT_GRAM]((f->v.rows - first) / GS_TILE, GS_TILE * WIDTH, left, left, x,
                                    false, out + i * WIDTH);
    }
}

/* x = H x, or H^T x, for a panel x. */
static void reflect(const gs_factor *f, size_t block, bool transposed, gs_signal *x, size_t panel) {
    const double *triangle = f->triangles + block * BLOCK;
    size_t first = f->blocks[block].first / GS_TILE * GS_TILE, width = f->blocks[block].width;
    _Alignas(64) double products[BLOCK], weights[BLOCK] = {0};
    take_products(f, block, first, row_of(x, panel, first), products);
    for (size_t i = 0; i < width; i++)
        for (size_t j = transposed ? 0 : i; j < (transposed ? i + 1 : width); j++) {
            double t = transposed ? triangle[j * WIDTH + i] : triangle[i * WIDTH + j];
            for (size_t l = 0; l < WIDTH; l++)
                weights[i * WIDTH + l] -= t * products[j * WIDTH + l];
        }
    add_product(f, block, first, weights, x, panel);
}

/* T[j, i] = -tau_i sum over k of T[j, k] v_k . v_i for j < i, T[i, i] = tau_i. */
static void make_triangle(gs_factor *f, size_t block, const double *tau) {
    double *triangle = f->triangles + block * BLOCK;
    size_t first = f->blocks[block].first / GS_TILE * GS_TILE, width = f->blocks[block].width;
    _Alignas(64) double products[BLOCK];
    take_products(f, block, first, row_of(&f->v, block, first), products);
    memset(triangle, 0, BLOCK * sizeof *triangle);
    for (size_t i = 0; i < width; i++) {
        triangle[i * WIDTH + i] = tau[i];
        for (size_t j = 0; j < i; j++) {
            double sum = 0;
            for (size_t k = j; k < i; k++)
                sum += triangle[j * WIDTH + k] * products[k * WIDTH + i];
            triangle[j * WIDTH + i] = -tau[i] * sum;
        }
    }
}

/* ---- The columns that are taken together ---- */

/* Sizes of what is left of the lanes of a panel from row `first` on: the largest entry, 0 if all is
   noise. */
static void take_lanes(const gs_factor *f, const double *panel, size_t first, const double *scale,
                       double *size) {
    double excess[WIDTH] = {0};
    for (size_t l = 0; l < WIDTH; l++)
        size[l] = 0;
    for (size_t i = first; i < f->rows; i++) {
        const double *row = panel + i * WIDTH;
        double noise = noise_of(f, i);
        for (size_t l = 0; l < WIDTH; l++) {
            double value = fabs(row[l]), above = value - noise * scale[l];
            size[l] = value > size[l] ? value : size[l];
            excess[l] = above > excess[l] ? above : excess[l];
        }
    }
    for (size_t l = 0; l < WIDTH; l++)
        size[l] = excess[l] > 0 ? size[l] : 0;
}

/* After rows [0, first) of R are known. */
static void measure_panel(gs_factor *f, size_t panel, size_t first) {
    gs_factor_column *columns = f->columns + panel * WIDTH;
    double scale[WIDTH], size[WIDTH];
    for (size_t l = 0; l < WIDTH; l++)
        scale[l] = columns[l].largest;
    take_lanes(f, row_of(&f->x, panel, 0), first, scale, size);
    for (size_t l = 0; l < WIDTH; l++)
        columns[l].size = times(size[l], columns[l].scale);
}

static bool is_open(const gs_factor *f, size_t panel) {
    for (size_t l = 0; l < WIDTH; l++)
        if (!f->columns[panel * WIDTH + l].is_done)
            return true;
    return false;
}

/* Up to WIDTH columns with the largest entries left, largest first; returns how many there are. */
static size_t choose(const gs_factor *f, size_t chosen[WIDTH]) {
    size_t count = 0;
    for (size_t c = 0; c < f->column_count; c++) {
        gs_scaled size = f->columns[c].size;
        size_t place = count;
        if (f->columns[c].is_done || size.mantissa == 0)
            continue;
        while (place > 0 && gs_scaled_exceeds(size, f->columns[chosen[place - 1]].size))
            place--;
        if (place == WIDTH)
            continue;
        count += count < WIDTH;
        memmove(chosen + place + 1, chosen + place, (count - 1 - place) * sizeof *chosen);
        chosen[place] = c;
    }
    return count;
}

static void gather(gs_factor *f, const size_t *chosen, size_t count) {
    for (size_t i = f->rank; i < f->rows; i++)
        for (size_t l = 0; l < WIDTH; l++)
            f->panel[i * WIDTH + l] = l < count ? *entry(&f->x, i, chosen[l]) : 0;
}

/* Rows of R that the block made, and no more of these columns. */
static void scatter(gs_factor *f, const size_t *chosen, size_t count, gs_factor_block block) {
    for (size_t l = 0; l < count; l++) {
        gs_factor_column *column = &f->columns[chosen[l]];
        size_t made = l < block.width ? l + 1 : block.width;
        for (size_t i = block.first; i < block.first + made; i++)
            *entry(&f->x, i, chosen[l]) = f->panel[i * WIDTH + l];
        column->length = block.first + made;
        column->is_done = true;
    }
}

/* The norm of a lane from a row on, in units that its squares fit. */
static double norm_of(const gs_factor *f, size_t lane, size_t first, double largest) {
    int shift = largest > 0 ? ilogb(largest) : 0;
    double unit = ldexp(1, -shift), sum = 0;
    for (size_t i = first; i < f->rows; i++) {
        double value = f->panel[i * WIDTH + lane] * unit;
        sum += value * value;
    }
    return ldexp(sqrt(sum), shift);
}

/* The lane with the largest norm is brought to `lane`; returns that norm, 0 if nothing is left. */
static double pivot(gs_factor *f, size_t *chosen, size_t lane, size_t count, size_t row) {
    double scale[WIDTH] = {0}, size[WIDTH], largest = 0;
    gs_scaled largest_scaled = {0};
    size_t best = lane;
    for (size_t l = 0; l < count; l++)
        scale[l] = f->columns[chosen[l]].largest;
    take_lanes(f, f->panel, row, scale, size);
    for (size_t l = lane; l < count; l++) {
        double norm = size[l] > 0 ? norm_of(f, l, row, size[l]) : 0;
        gs_scaled scaled = times(norm, f->columns[chosen[l]].scale);
        if (gs_scaled_exceeds(scaled, largest_scaled)) {
            best = l;
            largest = norm;
            largest_scaled = scaled;
        }
    }
    size_t column = chosen[best];
    chosen[best] = chosen[lane];
    chosen[lane] = column;
    for (size_t i = f->rank; best != lane && i < f->rows; i++) {
        double *x = f->panel + i * WIDTH, value = x[best];
        x[best] = x[lane];
        x[lane] = value;
    }
    return largest;
}

/* H = I - tau v v^T turns a lane of this norm into a multiple of unit vector `row`; v becomes the
   same lane of the block. */
static double make_reflector(gs_factor *f, size_t block, size_t lane, size_t row, double norm) {
    double first = f->panel[row * WIDTH + lane], image = -copysign(norm, first);
    double inverse = 1 / (first - image), tau = (image - first) / image, sums[WIDTH] = {0};
    for (size_t i = row; i < f->rows; i++) {
        double *x = f->panel + i * WIDTH;
        double v = i == row ? 1 : x[lane] * inverse;
        *entry(&f->v, i, block * WIDTH + lane) = v;
        for (size_t l = 0; l < WIDTH; l++)
            sums[l] += v * x[l];
    }
    for (size_t l = 0; l < WIDTH; l++)
        sums[l] *= l > lane ? tau : 0;
    for (size_t i = row; i < f->rows; i++) {
        double *x = f->panel + i * WIDTH;
        double v = *entry(&f->v, i, block * WIDTH + lane);
        for (size_t l = 0; l < WIDTH; l++)
            x[l] -= v * sums[l];
    }
    f->panel[row * WIDTH + lane] = image;
    return tau;
}

/* Takes the chosen columns as far as they are independent. */
static void take_block(gs_factor *f, size_t *chosen, size_t count) {
    size_t block = f->block_count;
    double tau[WIDTH] = {0}, norm;
    gs_factor_block *made = &f->blocks[block];
    *made = (gs_factor_block){f->rank, 0};
    memset(row_of(&f->v, block, 0), 0, f->v.rows * GS_PANEL_BYTES);
    gather(f, chosen, count);
    for (size_t lane = 0; lane < count && f->rank + lane < f->rows; lane++) {
        norm = pivot(f, chosen, lane, count, f->rank + lane);
        if (norm == 0)
            break;
        tau[lane] = make_reflector(f, block, lane, f->rank + lane, norm);
        f->pivots[f->rank + lane] = chosen[lane];
        made->width++;
    }
    make_triangle(f, block, tau);
    f->block_count++;
}

/* ---- The whole ---- */

static void update_panel(void *context, size_t panel) {
    gs_factor *f = context;
    if (!is_open(f, panel))
        return;
    size_t last = f->block_count - 1;
    if (f->block_count > 0)
        reflect(f, last, true, &f->x, panel);
    measure_panel(f, panel, f->block_count > 0 ? f->rank + f->blocks[last].width : 0);
}

void gs_factor_run(gs_factor *f, const gs_signal *b, const gs_scaled *scale, double noise) {
    size_t chosen[WIDTH + 1], count;
    f->noise = noise;
    begin(f, b, scale);
    gs_pool_run(f->engine->pool, b->panels, update_panel, f);
    while (f->rank < f->rows && (count = choose(f, chosen)) > 0) {
        take_block(f, chosen, count);
        gs_factor_block made = f->blocks[f->block_count - 1];
        gs_pool_run(f->engine->pool, b->panels, update_panel, f);
        scatter(f, chosen, count, made);
        f->rank += made.width;
    }
    for (size_t c = 0; c < f->column_count; c++)
        if (!f->columns[c].is_done)
            f->columns[c].length = f->rank;
}

gs_scaled gs_factor_scale(const gs_factor *f, size_t i) {
    return times(*entry(&f->x, i, f->pivots[i]), f->columns[f->pivots[i]].scale);
}

double gs_factor_entry(const gs_factor *f, size_t i, size_t column) {
    const gs_factor_column *c = &f->columns[column], *p = &f->columns[f->pivots[i]];
    if (i >= c->length)
        return 0;
    if (c == p)
        return 1;
    double ratio = *entry(&f->x, i, column) / *entry(&f->x, i, f->pivots[i]);
    return gs_ldexp(ratio * (c->scale.mantissa / p->scale.mantissa),
                    c->scale.exponent - p->scale.exponent);
}

/* H_1 H_2 ... applied to the first columns of I: those from the last block on, and then back. */
static void make_basis(void *context, size_t panel) {
    gs_factor *f = context;
    memset(row_of(&f->x, panel, 0), 0, f->x.rows * GS_PANEL_BYTES);
    for (size_t c = panel * WIDTH; c < (panel + 1) * WIDTH && c < f->rank; c++)
        *entry(&f->x, c, c) = 1;
    for (size_t block = f->block_count; block-- > 0;)
        if (f->blocks[block].first < (panel + 1) * WIDTH)
            reflect(f, block, false, &f->x, panel);
}

void gs_factor_basis(gs_factor *f, gs_signal *q) {
    gs_signal_set_columns(f->engine, &f->x, f->rank);
    gs_signal_set_columns(f->engine, q, f->rank);
    gs_pool_run(f->engine->pool, q->panels, make_basis, f);
    gs_pool_run(f->engine->pool, q->panels, unsort_panel, &(rows_job){f, &f->x, q});
    q->exponent = 0;
    gs_signal_measure(f->engine, q);
}
