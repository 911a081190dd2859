/*
 * Products, blocked so that the operands of the micro-kernel (8 rows of one panel) come from the
 * cache.
 */
#include "net/product.h"

#include <string.h>

/* Products smaller than this many multiplications are done on the calling thread. */
enum { PARALLEL_WORK = 1 << 18 };

/* Tasks that a thread should find at least, so that none waits long for the last. */
enum { TASKS_PER_THREAD = 4 };

static gs_pool *threads_for(const gs_engine *engine, size_t k_tiles, size_t tiles) {
    size_t work = GS_TILE * GS_TILE * engine->kernels->panel;
    return k_tiles * tiles < PARALLEL_WORK / work ? NULL : engine->pool;
}

static const char *panel_of(const gs_signal *signal, size_t panel, size_t row) {
    return (const char *)signal->data + (panel * signal->rows + row) * GS_PANEL_BYTES;
}

/* ---- W or W^T times a signal ---- */

/* Tiles of k in one pass over the output of a task. W u reads rows of tiles, one after the other,
   and a pass is as long as the second-level cache holds of a panel of u. W^T d reads columns, each
   tile from elsewhere, and a pass ends before they push each other out of the first-level cache.
   What is made rather than read is made 8 x 8 tiles at a time. */
enum { FORWARD_TILES = 512, BACKWARD_TILES = 16, STREAMED_TILES = 8 };

typedef struct {
    const gs_kernels *kernels;
    bool transposed;
    const gs_matrix *weight;
    const gs_signal *right;
    const double *bias; /* or NULL */
    int64_t shift;      /* of the sums, to the exponent of the output */
    gs_signal *out;
    size_t tiles, k_tiles; /* of the output, and of k */
    size_t pass;           /* tiles of k in a pass */
    size_t blocks, panels; /* blocks of rows of the output; panels of a task */
} weight_job;

/* Rows of tiles [tile, tile + tiles) of the output, over tiles [k, k + k_tiles) of the sum. */
typedef struct {
    size_t tile, tiles, k, k_tiles;
    const char *weights;
    size_t step, k_step; /* between the weights of two rows, and of two tiles of k; in bytes */
} weight_pass;

static weight_pass pass_of(const weight_job *job, size_t tile, size_t tiles, size_t k,
                           void *scratch) {
    size_t k_left = job->k_tiles - k, k_tiles = k_left < job->pass ? k_left : job->pass;
    gs_tiles w = job->transposed
                     ? gs_matrix_tiles(job->kernels, job->weight, k, k_tiles, tile, tiles, scratch)
                     : gs_matrix_tiles(job->kernels, job->weight, tile, tiles, k, k_tiles, scratch);
    size_t across = w.row_step * job->kernels->size, along = GS_TILE_SIZE * job->kernels->size;
    return (weight_pass){.tile = tile,
                         .tiles = tiles,
                         .k = k,
                         .k_tiles = k_tiles,
                         .weights = w.data,
                         .step = job->transposed ? along : across,
                         .k_step = job->transposed ? across : along};
}

/* The weights that are used after those of row `i` of a pass. */
static const char *next_weights(const weight_job *job, const weight_pass *p, size_t i) {
    const gs_matrix *upcoming = job->weight->upcoming[job->transposed];
    if (i + 1 < p->tiles)
        return p->weights + (i + 1) * p->step;
    if (!job->weight->data)
        return p->weights;
    if (p->k + p->k_tiles < job->k_tiles)
        return p->weights + p->k_tiles * p->k_step;
    if (p->tile + p->tiles < job->tiles)
        return p->weights + p->tiles * p->step;
    return upcoming && upcoming->data ? upcoming->data : p->weights;
}

/* What riders will need with row `tile` of the output. */
static void fetch_for_riders(const weight_job *job, size_t panel, size_t tile) {
    for (const gs_rider *rider = job->out->riders; rider; rider = rider->next)
        for (size_t i = 0; i < 2; i++)
            if (rider->with[i])
                job->kernels->fetch_rows(GS_TILE, panel_of(rider->with[i], panel, tile * GS_TILE));
}

/* For the panels [first, end). */
static void run_pass(const weight_job *job, const weight_pass *p, size_t first, size_t end) {
    const gs_kernels *kernels = job->kernels;
    gs_product product = job->transposed ? GS_PRODUCT_BACKWARD : GS_PRODUCT_FORWARD;
    for (size_t i = 0; i < p->tiles; i++) {
        const char *next = next_weights(job, p, i);
        for (size_t panel = first; panel < end; panel++) {
            if (p->k + p->k_tiles == job->k_tiles)
                fetch_for_riders(job, panel, p->tile + i);
            kernels->product[product](p->k_tiles, p->k_step / kernels->size,
                                      p->weights + i * p->step, next,
                                      panel_of(job->right, panel, p->k * GS_TILE), p->k > 0,
                                      (char *)panel_of(job->out, panel, (p->tile + i) * GS_TILE));
        }
    }
}

static void add_bias(const weight_job *job, gs_block block) {
    char *data = (char *)job->out->data + block.offset;
    if (job->shift != 0)
        gs_shift(job->kernels, job->shift, block.cells, data, data);
    job->kernels->add_rows(block.rows, gs_ldexp(1, -job->out->exponent), job->bias + block.row,
                           data);
}

/* One block of rows, and a group of panels: a thread that takes tasks in order stays with its
   panels. */
static void run_weight_task(void *context, size_t index) {
    const weight_job *job = context;
    size_t block = index % job->blocks, first = index / job->blocks * job->panels;
    size_t tile = block * GS_BLOCK_TILES, tiles_left = job->tiles - tile;
    size_t tiles = tiles_left < GS_BLOCK_TILES ? tiles_left : GS_BLOCK_TILES;
    size_t end = first + job->panels < job->out->panels ? first + job->panels : job->out->panels;
    _Alignas(64) char scratch[STREAMED_TILES * STREAMED_TILES * GS_TILE_SIZE * sizeof(double)];
    for (size_t k = 0; k < job->k_tiles; k += job->pass) {
        weight_pass pass = pass_of(job, tile, tiles, k, scratch);
        run_pass(job, &pass, first, end);
    }
    for (size_t panel = first; panel < end; panel++) {
        gs_block made = gs_signal_block(job->kernels, job->out, panel, block);
        if (job->bias)
            add_bias(job, made);
        gs_signal_finish_block(job->kernels, job->out, made);
    }
}

/* All panels in one task, so that W is read once, or made once; where that would leave threads
   without work, fewer. */
static size_t panels_of_task(const gs_pool *pool, const weight_job *job) {
    size_t wanted = gs_pool_threads(pool) * TASKS_PER_THREAD, panels = job->out->panels;
    if (gs_pool_threads(pool) == 1 || !job->weight->data || job->blocks >= wanted)
        return panels;
    panels = panels * job->blocks / wanted;
    return panels > 0 ? panels : 1;
}

int64_t gs_product_exponent(const gs_matrix *weight, const gs_signal *u, bool has_bias) {
    int64_t exponent = weight->exponent + u->exponent;
    return has_bias && exponent < 0 ? 0 : exponent;
}

static void run_weight_job(const gs_engine *engine, bool transposed, const gs_matrix *weight,
                           const gs_signal *right, const double *bias, gs_signal *out,
                           const gs_pool_job *beside, size_t count) {
    weight_job job = {.kernels = engine->kernels,
                      .transposed = transposed,
                      .weight = weight,
                      .right = right,
                      .bias = bias,
                      .out = out,
                      .tiles = transposed ? weight->col_tiles : weight->row_tiles,
                      .k_tiles = transposed ? weight->row_tiles : weight->col_tiles};
    job.blocks = (job.tiles + GS_BLOCK_TILES - 1) / GS_BLOCK_TILES;
    gs_pool *pool = threads_for(engine, job.k_tiles, job.tiles * out->panels);
    job.pass = !weight->data ? STREAMED_TILES : transposed ? BACKWARD_TILES : FORWARD_TILES;
    job.panels = panels_of_task(pool, &job);
    out->exponent = gs_product_exponent(weight, right, bias != NULL);
    job.shift = weight->exponent + right->exponent - out->exponent;
    gs_pool_job jobs[1 + GS_MOST_BESIDE];
    for (size_t i = 0; i < count; i++)
        jobs[i] = beside[i];
    jobs[count] = (gs_pool_job){job.blocks * ((out->panels + job.panels - 1) / job.panels),
                                run_weight_task, &job};
    gs_pool_run_jobs(pool, jobs, count + 1);
}

void gs_product_forward(const gs_engine *engine, const gs_matrix *weight, const gs_signal *u,
                        const double *bias, gs_signal *z) {
    run_weight_job(engine, false, weight, u, bias, z, NULL, 0);
}

void gs_product_backward(const gs_engine *engine, const gs_matrix *weight, const gs_signal *delta,
                         gs_signal *grad_u) {
    run_weight_job(engine, true, weight, delta, NULL, grad_u, NULL, 0);
}

void gs_product_backward_beside(const gs_engine *engine, const gs_matrix *weight,
                                const gs_signal *delta, gs_signal *grad_u,
                                const gs_pool_job *beside, size_t count) {
    run_weight_job(engine, true, weight, delta, NULL, grad_u, beside, count);
}

/* ---- dW = D A^T ---- */

/* Panels of A^T that a task multiplies with a block of rows of D at most, and examples in one pass:
   they are transposed when they are needed, and stay in the cache meanwhile. */
enum { OUTER_PANELS = 4, OUTER_ROWS = 128 };

/* Examples [first, first + rows) of panels [panel, panel + panels) of A^T. */
typedef struct {
    size_t panel, panels, first, rows;
    char *transposed;
} outer_pass;

static outer_pass outer_pass_of(const gs_outer_job *job, size_t panel, size_t first,
                                void *transposed) {
    size_t width = job->kernels->panel, panels = (job->u->rows + width - 1) / width;
    size_t panels_left = panels > panel ? panels - panel : 0;
    size_t rows_left = job->u->panels * width - first;
    return (outer_pass){.panel = panel,
                        .panels = panels_left < job->panels ? panels_left : job->panels,
                        .first = first,
                        .rows = rows_left < OUTER_ROWS ? rows_left : OUTER_ROWS,
                        .transposed = transposed};
}

static char *transposed_panel(const outer_pass *p, size_t i) {
    return p->transposed + i * p->rows * GS_PANEL_BYTES;
}

static void transpose(const gs_outer_job *job, const outer_pass *p) {
    const gs_kernels *k = job->kernels;
    size_t unit = p->panel * k->panel, left = job->u->rows - unit, wanted = p->panels * k->panel;
    size_t units = left < wanted ? left : wanted;
    if (units < wanted)
        memset(transposed_panel(p, p->panels - 1), 0, p->rows * GS_PANEL_BYTES);
    for (size_t b = 0; b < p->rows; b += k->panel)
        k->transpose_panel(units, panel_of(job->u, (p->first + b) / k->panel, unit),
                           p->rows * k->panel, p->transposed + b * GS_PANEL_BYTES);
}

/* The i-th row of tiles of what a pass will transpose, if it has so many: a transposition does
   nothing but wait for what is not in the cache. */
static void fetch_for_pass(const gs_outer_job *job, const outer_pass *p, size_t i) {
    size_t width = job->kernels->panel, across = p->rows / width;
    size_t unit = p->panel * width + i / across * GS_TILE, end = (p->panel + p->panels) * width;
    if (unit < end && unit < job->u->rows)
        job->kernels->fetch_rows(GS_TILE, panel_of(job->u, p->first / width + i % across, unit));
}

/* 8 rows of a panel of dW, as tiles; at the edge not all of them are there. */
static void outer_block(const gs_outer_job *job, const outer_pass *p, size_t tile, size_t i) {
    const gs_kernels *k = job->kernels;
    size_t across = k->panel / GS_TILE, first = (p->panel + i) * across;
    size_t bytes = GS_TILE_SIZE * k->size, row_bytes = job->grad->col_tiles * bytes;
    size_t tiles_left = job->grad->col_tiles - first;
    char *tiles = (char *)job->grad->data + tile * row_bytes + first * bytes;
    const char *next = tiles + (tile + 1 < job->grad->row_tiles ? row_bytes : 0);
    _Alignas(64) char edge[GS_TILE * GS_PANEL_BYTES];
    bool is_edge = tiles_left < across;
    if (is_edge)
        memcpy(edge, tiles, tiles_left * bytes);
    k->product[GS_PRODUCT_OUTER](p->rows / k->panel, job->delta->rows * k->panel,
                                 panel_of(job->delta, p->first / k->panel, tile * GS_TILE), next,
                                 transposed_panel(p, i), p->first > 0, is_edge ? edge : tiles);
    if (is_edge)
        memcpy(tiles, edge, tiles_left * bytes);
}

/* Meanwhile what the next pass begins with is brought into the cache, bit by bit. */
static void run_outer_pass(const gs_outer_job *job, const outer_pass *p, const outer_pass *next) {
    size_t fetched = 0;
    transpose(job, p);
    for (size_t block = 0; block < job->grad->row_tiles; block += GS_BLOCK_TILES)
        for (size_t i = 0; i < p->panels; i++)
            for (size_t tile = block; tile < block + GS_BLOCK_TILES && tile < job->grad->row_tiles;
                 tile++) {
                fetch_for_pass(job, next, fetched++);
                outer_block(job, p, tile, i);
            }
}

/* A thread that takes tasks in order goes on with the next panels. */
static void run_outer(void *context, size_t index) {
    const gs_outer_job *job = context;
    size_t panel = index * job->panels, rows = job->u->panels * job->kernels->panel;
    _Alignas(64) char transposed[OUTER_PANELS * OUTER_ROWS * GS_PANEL_BYTES];
    for (size_t first = 0; first < rows; first += OUTER_ROWS) {
        bool is_last = rows - first <= OUTER_ROWS;
        outer_pass p = outer_pass_of(job, panel, first, transposed);
        outer_pass next = outer_pass_of(job, is_last ? panel + job->panels : panel,
                                        is_last ? 0 : first + OUTER_ROWS, NULL);
        run_outer_pass(job, &p, &next);
    }
}

gs_pool_job gs_product_outer_job(const gs_engine *engine, const gs_signal *delta,
                                 const gs_signal *u, gs_matrix *grad_weight, gs_outer_job *job) {
    size_t panel = engine->kernels->panel, panels = (u->rows + panel - 1) / panel;
    size_t share = panels / (gs_pool_threads(engine->pool) * TASKS_PER_THREAD);
    *job = (gs_outer_job){.kernels = engine->kernels,
                          .delta = delta,
                          .u = u,
                          .grad = grad_weight,
                          .panels = share < 1              ? 1
                                    : share < OUTER_PANELS ? share
                                                           : OUTER_PANELS};
    grad_weight->exponent = delta->exponent + u->exponent;
    return (gs_pool_job){(panels + job->panels - 1) / job->panels, run_outer, job};
}

typedef struct {
    const gs_kernels *kernels;
    const gs_signal *delta, *transposed;
    double *partial;
} squares_job;

static void run_squares(void *context, size_t tile) {
    const squares_job *job = context;
    const gs_kernels *k = job->kernels;
    const char *left = panel_of(job->delta, 0, tile * GS_TILE);
    _Alignas(64) char block[GS_TILE * GS_PANEL_BYTES];
    job->partial[tile] = 0;
    for (size_t panel = 0; panel < job->transposed->panels; panel++) {
        double squares, max_abs;
        k->product[GS_PRODUCT_OUTER](job->delta->panels, job->delta->rows * k->panel, left, block,
                                     panel_of(job->transposed, panel, 0), false, block);
        k->magnitude(GS_TILE, k->panel, block, &squares, &max_abs);
        job->partial[tile] += squares;
    }
}

double gs_product_outer_squares(const gs_engine *engine, const gs_signal *delta,
                                const gs_signal *transposed, double *partial) {
    squares_job job = {engine->kernels, delta, transposed, partial};
    size_t tiles = delta->rows / GS_TILE;
    double sum = 0;
    gs_pool_run(threads_for(engine, transposed->rows / GS_TILE, tiles * transposed->panels), tiles,
                run_squares, &job);
    for (size_t tile = 0; tile < tiles; tile++)
        sum += partial[tile];
    return sum;
}

/* ---- Forms of Gram matrices ---- */

typedef struct {
    const gs_kernels *kernels;
    const gs_signal *x, *y;
    const double *const *weights;
    double *partial;
} gram_job;

/* 8 rows of one panel of X^T X. */
static void gram_block(const gs_kernels *k, const gs_signal *x, size_t tile, size_t panel,
                       void *block) {
    size_t per_panel = k->panel / GS_TILE;
    const char *left = panel_of(x, tile / per_panel, 0) + tile % per_panel * GS_TILE * k->size;
    k->product[GS_PRODUCT_GRAM](x->rows / GS_TILE, GS_TILE * k->panel, left, left,
                                panel_of(x, panel, 0), false, block);
}

/* Rows 8 `tile` on of the two matrices, which are symmetric: panels past that of the rows count
   twice, those before it not at all. */
static void run_gram(void *context, size_t tile) {
    const gram_job *job = context;
    const gs_kernels *k = job->kernels;
    _Alignas(64) char of_x[GS_TILE * GS_PANEL_BYTES], of_y[GS_TILE * GS_PANEL_BYTES];
    size_t own = tile * GS_TILE / k->panel;
    double *sum = job->partial + 2 * tile;
    sum[0] = sum[1] = 0;
    for (size_t panel = own; panel < job->x->panels; panel++) {
        gram_block(k, job->x, tile, panel, of_x);
        gram_block(k, job->y, tile, panel, of_y);
        for (size_t i = 0; i < 2; i++) {
            const double *w = job->weights[i];
            sum[i] += (panel == own ? 1 : 2) *
                      k->bilinear(GS_TILE, w + tile * GS_TILE, w + panel * k->panel, of_x, of_y);
        }
    }
}

void gs_product_gram_forms(const gs_engine *engine, const gs_signal *x, const gs_signal *y,
                           const double *const weights[2], double *partial, double forms[2]) {
    gram_job job = {engine->kernels, x, y, weights, partial};
    size_t tiles = (x->batch + GS_TILE - 1) / GS_TILE, k_tiles = (x->rows + y->rows) / GS_TILE;
    gs_pool_run(threads_for(engine, k_tiles, tiles * x->panels / 2), tiles, run_gram, &job);
    forms[0] = forms[1] = 0;
    for (size_t tile = 0; tile < tiles; tile++) {
        forms[0] += partial[2 * tile];
        forms[1] += partial[2 * tile + 1];
    }
}
