/*
 * Signals: memory, blocks, exponents, and the reductions that every statistic is made of.
 */
#include "net/signal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

/* Signals smaller than this many blocks are not worth waking a thread for. */
enum { PARALLEL_BLOCKS = 16 };

/* ---- Memory ---- */

static size_t round_up(size_t value, size_t step) {
    return (value + step - 1) / step * step;
}

static size_t blocks_per_panel(size_t units) {
    return (units + GS_BLOCK_ROWS - 1) / GS_BLOCK_ROWS;
}

size_t gs_signal_blocks_of(const gs_signal *signal, size_t units) {
    return signal->panels * blocks_per_panel(units);
}

size_t gs_signal_blocks(const gs_signal *signal) {
    return gs_signal_blocks_of(signal, signal->units);
}

/* Panels, and then the sizes of blocks. */
bool gs_signal_bytes(const gs_kernels *kernels, size_t units, size_t batch, size_t *bytes) {
    size_t rows, lanes, panel;
    if (!gs_size_add(units, GS_BLOCK_ROWS - 1, &rows) ||
        !gs_size_add(batch, kernels->panel - 1, &lanes))
        return false;
    size_t blocks = rows / GS_BLOCK_ROWS;
    rows = (units + GS_TILE - 1) / GS_TILE;
    return gs_size_multiply(rows, GS_TILE * GS_PANEL_BYTES, &panel) &&
           gs_size_add(panel, blocks * sizeof(gs_size), &panel) &&
           gs_size_multiply(panel, lanes / kernels->panel, bytes);
}

void *gs_engine_alloc(const gs_engine *engine, size_t bytes, bool *is_borrowed, gs_error *error) {
    void *block = engine->arena ? gs_arena_alloc(engine->arena, bytes) : NULL;
    *is_borrowed = block != NULL;
    return block ? block : gs_alloc(bytes, 1, error);
}

gs_status gs_signal_new(const gs_engine *engine, size_t units, size_t batch, gs_signal *signal,
                        gs_error *error) {
    size_t bytes;
    *signal = (gs_signal){0};
    if (!gs_signal_bytes(engine->kernels, units, batch, &bytes)) {
        return gs_fail(error, GS_ERR_MEMORY, "a signal of %zu x %zu does not fit in memory", units,
                       batch);
    }
    signal->data = gs_engine_alloc(engine, bytes, &signal->is_borrowed, error);
    if (!signal->data)
        return GS_ERR_MEMORY;
    signal->units = units;
    signal->batch = batch;
    signal->rows = round_up(units, GS_TILE);
    signal->panels = round_up(batch, engine->kernels->panel) / engine->kernels->panel;
    signal->sizes =
        (gs_size *)((char *)signal->data + signal->panels * signal->rows * GS_PANEL_BYTES);
    return GS_OK;
}

void gs_signal_free(gs_signal *signal) {
    if (!signal->is_borrowed)
        gs_free(signal->data);
    *signal = (gs_signal){0};
}

gs_signal gs_signal_borrow(const gs_signal *owner) {
    gs_signal signal = *owner;
    signal.is_borrowed = true;
    signal.riders = NULL;
    return signal;
}

static size_t cells_of(const gs_engine *engine, const gs_signal *signal) {
    return signal->rows * signal->panels * engine->kernels->panel;
}

void gs_signal_zero(const gs_engine *engine, gs_signal *signal) {
    memset(signal->data, 0, cells_of(engine, signal) * engine->kernels->size);
    memset(signal->sizes, 0, gs_signal_blocks(signal) * sizeof *signal->sizes);
    signal->exponent = 0;
}

void gs_signal_copy(const gs_engine *engine, const gs_signal *from, gs_signal *to) {
    memcpy(to->data, from->data, cells_of(engine, from) * engine->kernels->size);
    memcpy(to->sizes, from->sizes, gs_signal_blocks(from) * sizeof *from->sizes);
    to->exponent = from->exponent;
}

/* ---- Blocks ---- */

gs_block gs_signal_block(const gs_kernels *kernels, const gs_signal *signal, size_t panel,
                         size_t place) {
    size_t width = kernels->panel, row = place * GS_BLOCK_ROWS;
    size_t rows_left = signal->units - row;
    size_t lanes_left = signal->batch - panel * width;
    size_t rows = rows_left < GS_BLOCK_ROWS ? rows_left : GS_BLOCK_ROWS;
    return (gs_block){.index = panel * blocks_per_panel(signal->units) + place,
                      .row = row,
                      .rows = rows,
                      .example = panel * width,
                      .lanes = lanes_left < width ? lanes_left : width,
                      .cells = rows * width,
                      .offset = (panel * signal->rows + row) * GS_PANEL_BYTES};
}

static gs_block block_at(const gs_engine *engine, const gs_signal *signal, size_t number) {
    size_t per_panel = blocks_per_panel(signal->units);
    return gs_signal_block(engine->kernels, signal, number / per_panel, number % per_panel);
}

/* Lanes past the batch and rows past the units are zero by contract; phi(0), a bias, or 0 times
   infinity may just have been written there. */
static void clear_padding(const gs_kernels *k, const gs_signal *signal, gs_block block) {
    char *row = (char *)signal->data + block.offset;
    if (block.row + block.rows == signal->units)
        memset(row + block.rows * GS_PANEL_BYTES, 0,
               (signal->rows - signal->units) * GS_PANEL_BYTES);
    for (size_t u = 0; block.lanes < k->panel && u < block.rows; u++, row += GS_PANEL_BYTES)
        memset(row + block.lanes * k->size, 0, (k->panel - block.lanes) * k->size);
}

static void take_size(const gs_kernels *k, const gs_signal *signal, gs_block block) {
    gs_size *size = &signal->sizes[block.index];
    k->magnitude(block.rows, block.lanes, (const char *)signal->data + block.offset, &size->squares,
                 &size->max_abs);
}

void gs_signal_finish_block(const gs_kernels *kernels, const gs_signal *signal, gs_block block) {
    clear_padding(kernels, signal, block);
    take_size(kernels, signal, block);
    for (gs_rider *rider = signal->riders; rider; rider = rider->next)
        rider->task(rider->context, signal, block);
}

/* Threads for a job of so many blocks: small jobs are done where they are. */
static gs_pool *threads_for(const gs_engine *engine, size_t blocks) {
    return blocks < PARALLEL_BLOCKS ? NULL : engine->pool;
}

typedef struct {
    const gs_engine *engine;
    const gs_signal *signal;
    gs_block_task task;
    void *context;
} block_job;

static void run_block(void *context, size_t index) {
    const block_job *job = context;
    job->task(job->context, block_at(job->engine, job->signal, index));
}

void gs_signal_for_blocks(const gs_engine *engine, const gs_signal *signal, gs_block_task task,
                          void *context) {
    block_job job = {engine, signal, task, context};
    size_t blocks = gs_signal_blocks(signal);
    gs_pool_run(threads_for(engine, blocks), blocks, run_block, &job);
}

static void make_block(void *context, size_t index) {
    const block_job *job = context;
    gs_block block = block_at(job->engine, job->signal, index);
    job->task(job->context, block);
    gs_signal_finish_block(job->engine->kernels, job->signal, block);
}

void gs_signal_make(const gs_engine *engine, gs_signal *signal, gs_block_task task, void *context) {
    block_job job = {engine, signal, task, context};
    size_t blocks = gs_signal_blocks(signal);
    gs_pool_run(threads_for(engine, blocks), blocks, make_block, &job);
}

typedef struct {
    const gs_signal *signal;
    const gs_rider *rider;
} tell_context;

static void tell_block(void *context, gs_block block) {
    const tell_context *c = context;
    c->rider->task(c->rider->context, c->signal, block);
}

void gs_signal_tell(const gs_engine *engine, const gs_signal *signal, const gs_rider *rider) {
    gs_signal_for_blocks(engine, signal, tell_block, &(tell_context){signal, rider});
}

static void measure_size(void *context, size_t index) {
    const block_job *job = context;
    take_size(job->engine->kernels, job->signal, block_at(job->engine, job->signal, index));
}

void gs_signal_measure(const gs_engine *engine, gs_signal *signal) {
    block_job job = {.engine = engine, .signal = signal};
    size_t blocks = gs_signal_blocks(signal);
    gs_pool_run(threads_for(engine, blocks), blocks, measure_size, &job);
}

/* Blocks whose results are held before they are merged, in order. */
enum { PARTIALS = 256 };

typedef struct {
    const gs_engine *engine;
    const gs_signal *signal;
    size_t first;
    gs_block_measure measure;
    const void *context;
    gs_partial partials[PARTIALS];
} reduce_job;

static void measure_block(void *context, size_t index) {
    reduce_job *job = context;
    gs_block block = block_at(job->engine, job->signal, job->first + index);
    job->partials[index] = job->measure(job->context, block);
}

gs_partial gs_signal_reduce(const gs_engine *engine, const gs_signal *signal,
                            gs_block_measure measure, const void *context, gs_partial_merge merge) {
    reduce_job job = {.engine = engine, .signal = signal, .measure = measure, .context = context};
    size_t blocks = gs_signal_blocks(signal);
    gs_partial total = {{0}};
    for (; job.first < blocks; job.first += PARTIALS) {
        size_t count = blocks - job.first < PARTIALS ? blocks - job.first : PARTIALS;
        gs_pool_run(threads_for(engine, blocks), count, measure_block, &job);
        for (size_t i = 0; i < count; i++)
            total = merge(total, job.partials[i]);
    }
    return total;
}

gs_partial gs_partial_sum(gs_partial total, gs_partial part) {
    for (size_t i = 0; i < GS_PARTIAL_VALUES; i++)
        total.value[i] += part.value[i];
    return total;
}

static void run_rows(void *context, size_t index) {
    const block_job *job = context;
    for (size_t panel = 0; panel < job->signal->panels; panel++) {
        size_t number = panel * blocks_per_panel(job->signal->units) + index;
        job->task(job->context, block_at(job->engine, job->signal, number));
    }
}

void gs_signal_for_rows(const gs_engine *engine, const gs_signal *signal, gs_block_task task,
                        void *context) {
    block_job job = {engine, signal, task, context};
    size_t count = blocks_per_panel(signal->units);
    gs_pool_run(threads_for(engine, count * signal->panels), count, run_rows, &job);
}

static void run_panel(void *context, size_t index) {
    const block_job *job = context;
    size_t count = blocks_per_panel(job->signal->units);
    for (size_t i = 0; i < count; i++)
        job->task(job->context, block_at(job->engine, job->signal, index * count + i));
}

void gs_signal_for_panels(const gs_engine *engine, const gs_signal *signal, gs_block_task task,
                          void *context) {
    block_job job = {engine, signal, task, context};
    size_t blocks = gs_signal_blocks(signal);
    gs_pool_run(threads_for(engine, blocks), signal->panels, run_panel, &job);
}

/* ---- Values in and out ---- */

void *gs_signal_element(const gs_kernels *kernels, const gs_signal *signal, size_t unit,
                        size_t example) {
    size_t row = example / kernels->panel * signal->rows + unit;
    return (char *)signal->data + row * GS_PANEL_BYTES + example % kernels->panel * kernels->size;
}

void gs_signal_write(const gs_engine *engine, const double *values, gs_signal *signal) {
    gs_signal_zero(engine, signal);
    for (size_t b = 0; b < signal->batch; b++) {
        for (size_t u = 0; u < signal->units; u++) {
            engine->kernels->set(gs_signal_element(engine->kernels, signal, u, b),
                                 values[b * signal->units + u]);
        }
    }
    gs_signal_measure(engine, signal);
}

void gs_signal_read(const gs_engine *engine, const gs_signal *signal, double *values) {
    for (size_t b = 0; b < signal->batch; b++) {
        for (size_t u = 0; u < signal->units; u++) {
            double mantissa =
                engine->kernels->get(gs_signal_element(engine->kernels, signal, u, b));
            values[b * signal->units + u] = gs_ldexp(mantissa, signal->exponent);
        }
    }
}

/* ---- Sizes and exponents ---- */

gs_magnitude gs_signal_magnitude(const gs_signal *signal, double *max_abs) {
    gs_magnitude total = {0, signal->exponent};
    double largest = 0;
    for (size_t i = 0; i < gs_signal_blocks(signal); i++) {
        total.sum_squares += signal->sizes[i].squares;
        largest = signal->sizes[i].max_abs > largest ? signal->sizes[i].max_abs : largest;
    }
    if (max_abs)
        *max_abs = largest;
    return total;
}

typedef struct {
    const gs_kernels *kernels;
    double a, b;
    const char *x, *y;
    char *out;
} combine_context;

static void scale_block(void *context, gs_block block) {
    const combine_context *c = context;
    c->kernels->scale(block.cells, c->a, c->x + block.offset, c->out + block.offset);
}

static void combine_block(void *context, gs_block block) {
    const combine_context *c = context;
    c->kernels->combine(block.cells, c->a, c->x + block.offset, c->b, c->y + block.offset,
                        c->out + block.offset);
}

/* A factor far from 1 goes to the exponent, where it cannot under- or overflow; what is near stays,
   so that a signal of usual size has no exponent. */
int64_t gs_split_factor(double *factor) {
    int exponent = *factor != 0 && isfinite(*factor) ? ilogb(*factor) : 0;
    if (abs(exponent) <= 60)
        return 0;
    *factor = ldexp(*factor, -exponent);
    return exponent;
}

void gs_signal_scale(const gs_engine *engine, double factor, const gs_signal *x, gs_signal *out) {
    int64_t exponent = gs_split_factor(&factor);
    combine_context context = {engine->kernels, factor, 0, x->data, NULL, out->data};
    out->exponent = x->exponent + exponent;
    gs_signal_make(engine, out, scale_block, &context);
}

/* In steps whose factors fit the element type, however far the way. */
void gs_shift(const gs_kernels *kernels, int64_t shift, size_t count, const void *x, void *out) {
    int64_t step = kernels->dtype == GS_F64 ? 1000 : 100, most = 4 * step;
    shift = shift > most ? most : shift < -most ? -most : shift;
    do {
        int64_t now = shift > step ? step : shift < -step ? -step : shift;
        kernels->scale(count, ldexp(1, (int)now), x, out);
        x = out;
        shift -= now;
    } while (shift != 0);
}

typedef struct {
    const gs_kernels *kernels;
    int64_t shift;
    const gs_signal *x, *out;
} shift_context;

static void shift_block(void *context, gs_block block) {
    const shift_context *c = context;
    gs_shift(c->kernels, c->shift, block.cells, (const char *)c->x->data + block.offset,
             (char *)c->out->data + block.offset);
    take_size(c->kernels, c->out, block);
}

void gs_signal_set_exponent(const gs_engine *engine, const gs_signal *x, int64_t exponent,
                            gs_signal *out) {
    shift_context context = {engine->kernels, x->exponent - exponent, x, out};
    gs_signal_for_blocks(engine, x, shift_block, &context);
    out->exponent = exponent;
}

/* The larger exponent wins, so that neither side overflows; what the other loses is below its
 * rounding. */
void gs_signal_combine(const gs_engine *engine, double a, const gs_signal *x, double b,
                       const gs_signal *y, gs_signal *out) {
    int64_t x_exponent = a != 0 ? x->exponent + gs_split_factor(&a) : GS_EXPONENT_OF_ZERO;
    int64_t y_exponent = b != 0 ? y->exponent + gs_split_factor(&b) : GS_EXPONENT_OF_ZERO;
    int64_t exponent = x_exponent > y_exponent ? x_exponent : y_exponent;
    combine_context context = {engine->kernels,
                               gs_ldexp(a, x_exponent - exponent),
                               gs_ldexp(b, y_exponent - exponent),
                               x->data,
                               y->data,
                               out->data};
    out->exponent = exponent;
    gs_signal_make(engine, out, combine_block, &context);
}

/* ---- Whole-signal operations for products ---- */

/* Padding of the new shape may hold values of the old one, so all of it becomes zero. */
void gs_signal_reshape(const gs_engine *engine, gs_signal *signal, size_t units) {
    if (signal->units != units) {
        signal->units = units;
        signal->rows = round_up(units, GS_TILE);
        gs_signal_zero(engine, signal);
    }
}

typedef struct {
    const gs_kernels *kernels;
    const gs_signal *signal, *out;
} transpose_context;

static void transpose_block(void *context, gs_block block) {
    const transpose_context *c = context;
    size_t panel = c->kernels->panel, rows = round_up(block.rows, GS_TILE);
    size_t first = block.row / panel * c->out->rows + block.example;
    c->kernels->transpose_panel(rows, (const char *)c->signal->data + block.offset,
                                c->out->rows * panel,
                                (char *)c->out->data + first * GS_PANEL_BYTES);
}

void gs_signal_transpose(const gs_engine *engine, const gs_signal *signal, gs_signal *out) {
    transpose_context context = {engine->kernels, signal, out};
    gs_signal_for_blocks(engine, signal, transpose_block, &context);
    out->exponent = signal->exponent;
}

typedef struct {
    const gs_kernels *kernels;
    const char *x, *y;
} dot_context;

static gs_partial dot_block(const void *context, gs_block block) {
    const dot_context *c = context;
    return (gs_partial){
        {c->kernels->dot(block.rows, block.lanes, c->x + block.offset, c->y + block.offset)}};
}

double gs_signal_dot(const gs_engine *engine, const gs_signal *x, const gs_signal *y) {
    dot_context context = {engine->kernels, x->data, y->data};
    return gs_signal_reduce(engine, x, dot_block, &context, gs_partial_sum).value[0];
}

/* ---- Exponents ---- */

/* Mantissas are let drift this far (2^200 in f64, 2^20 in f32), so that squares and sums of them
 * still fit. */
static int drift_limit(gs_dtype dtype) {
    return dtype == GS_F64 ? 200 : 20;
}

bool gs_signal_normalise(const gs_engine *engine, gs_signal *signal) {
    double max_abs;
    gs_magnitude magnitude = gs_signal_magnitude(signal, &max_abs);
    if (isnan(magnitude.sum_squares) || isinf(max_abs))
        return false; /* squares that do not fit are no reason: the numbers do */
    if (max_abs == 0) {
        signal->exponent = GS_EXPONENT_OF_ZERO;
        return true;
    }
    int shift = ilogb(max_abs);
    if (abs(shift) > drift_limit(engine->kernels->dtype))
        gs_signal_set_exponent(engine, signal, signal->exponent + shift, signal);
    return true;
}
