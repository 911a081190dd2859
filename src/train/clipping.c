/*
 * What happens to gradients before a step: first their norms, then a factor for each parameter, and
 * limits of entries or rows. The gradients themselves stay; each chunk is clipped on its way into
 * the step.
 */
#include <math.h>

#include "base/memory.h"
#include "flow/measure.h"
#include "train/optimizer.h"

/* ---- Tasks ---- */

/* Fewer are not worth waking a thread for. */
enum { PARALLEL_CHUNKS = 8 };

void gs_step_for_chunks(const gs_optimizer *optimizer, void (*task)(void *context, size_t index),
                        void *context) {
    gs_pool *pool =
        optimizer->chunk_count < PARALLEL_CHUNKS ? NULL : optimizer->network->engine.pool;
    gs_pool_run(pool, optimizer->chunk_count, task, context);
}

/* Threads share the parameters, or, where there are few, the rows of each: a job inside a job is a
   plain loop. */
void gs_step_for_parameters(const gs_optimizer *optimizer,
                            void (*task)(void *context, size_t index), void *context) {
    gs_pool *pool = optimizer->network->engine.pool;
    bool few = optimizer->parameters.count < 16 * gs_pool_threads(pool);
    gs_pool_run(few ? NULL : pool, optimizer->parameters.count, task, context);
}

/* ---- Norms ---- */

static const char *tiles_at(const gs_optimizer *optimizer, const void *tiles, size_t index) {
    return (const char *)tiles + index * GS_TILE_SIZE * optimizer->parameters.kernels->size;
}

typedef struct {
    const gs_optimizer *optimizer;
    bool weights; /* and not gradients alone */
} measure_job;

static void measure_chunk(void *context, size_t index) {
    const measure_job *job = context;
    const gs_optimizer *optimizer = job->optimizer;
    const gs_kernels *k = optimizer->parameters.kernels;
    gs_step_chunk *chunk = &optimizer->chunks[index];
    const gs_trainable *item = &optimizer->parameters.items[chunk->owner];
    size_t rows = chunk->tiles * GS_TILE_SIZE / k->panel;
    double largest_weight;
    k->magnitude(rows, k->panel, tiles_at(optimizer, item->grad, chunk->first), &chunk->grad,
                 &chunk->largest);
    if (job->weights)
        k->magnitude(rows, k->panel, tiles_at(optimizer, item->values, chunk->first),
                     &chunk->weight, &largest_weight);
}

/* The chunks of a parameter in order, as one; `largest` is the largest of all. */
static gs_step_chunk merge_chunks(const gs_optimizer *optimizer, const gs_step_slot *slot) {
    gs_step_chunk total = {0};
    for (size_t i = 0; i < slot->chunk_count; i++) {
        const gs_step_chunk *chunk = &optimizer->chunks[slot->first_chunk + i];
        total.grad += chunk->grad;
        total.weight += chunk->weight;
        total.clipped += chunk->clipped;
        total.largest = fmax(total.largest, chunk->largest);
    }
    return total;
}

static gs_magnitude product(gs_magnitude x, gs_magnitude y) {
    return (gs_magnitude){x.sum_squares * y.sum_squares, x.exponent + y.exponent};
}

static void take_norms(gs_optimizer *optimizer, gs_step_stats *stats) {
    for (size_t i = 0; i < optimizer->network->layers; i++)
        optimizer->layer_norms[i] = (gs_magnitude){0, 0};
    stats->before = (gs_magnitude){0, 0};
    for (size_t i = 0; i < optimizer->parameters.count; i++) {
        const gs_trainable *item = &optimizer->parameters.items[i];
        gs_step_slot *slot = &optimizer->slots[i];
        gs_magnitude *layer = &optimizer->layer_norms[item->layer - 1];
        gs_step_chunk sums = merge_chunks(optimizer, slot);
        slot->norm = (gs_magnitude){sums.grad, gs_trainable_exponent(item)};
        *layer = gs_magnitude_add(*layer, slot->norm);
        stats->before = gs_magnitude_add(stats->before, slot->norm);
        if (stats->layers && item->weight) {
            stats->layers[item->layer - 1].before = slot->norm;
            stats->layers[item->layer - 1].weight = (gs_magnitude){sums.weight, 0};
        }
    }
}

/* ---- Factors ---- */

static bool is_one(gs_magnitude factor) {
    return factor.sum_squares == 1 && factor.exponent == 0;
}

/* The layers' norms become those after it. */
static void normalise_layers(gs_optimizer *optimizer) {
    for (size_t i = 0; i < optimizer->network->layers; i++) {
        gs_magnitude *norm = &optimizer->layer_norms[i];
        double inverse = 1 / norm->sum_squares;
        if (inverse > 0 && inverse < INFINITY) {
            optimizer->layer_factors[i] = (gs_magnitude){inverse, -norm->exponent};
            *norm = (gs_magnitude){1, 0};
        }
    }
}

static void clip_norms(gs_optimizer *optimizer, gs_choice clip, gs_step_stats *stats) {
    gs_magnitude total = {0, 0};
    for (size_t i = 0; i < optimizer->network->layers; i++)
        total = gs_magnitude_add(total, optimizer->layer_norms[i]);
    for (size_t i = 0; i < optimizer->network->layers; i++) {
        gs_magnitude norm = clip.index == GS_CLIP_LAYER ? optimizer->layer_norms[i] : total;
        gs_magnitude factor = gs_clip_factor(norm, clip.parameter);
        optimizer->layer_factors[i] = product(optimizer->layer_factors[i], factor);
        stats->is_clipped |= !is_one(factor);
    }
}

/* ---- Entries and rows ---- */

/* Factors on gradients stay within 2^ this and its inverse. */
static int largest_scale(const gs_kernels *kernels) {
    return kernels->dtype == GS_F64 ? 1000 : 100;
}

static void clip_values(gs_optimizer *optimizer, double c, gs_step_stats *stats) {
    for (size_t i = 0; i < optimizer->parameters.count; i++) {
        gs_step_slot *slot = &optimizer->slots[i];
        double largest = merge_chunks(optimizer, slot).largest * sqrt(slot->factor.sum_squares);
        slot->by_entry = gs_ldexp(largest, slot->factor.exponent + slot->norm.exponent) > c;
        slot->limit = slot->by_entry ? c : INFINITY;
        stats->is_clipped |= slot->by_entry;
    }
}

typedef struct {
    const gs_optimizer *optimizer;
    double c;
    const gs_trainable *item;
    gs_step_slot *slot;
} units_job;

/* From mantissas to what goes into the step. It can be too large on rows that are all zero only. */
static double row_factor_of(const gs_kernels *k, const gs_step_slot *slot, gs_magnitude factor) {
    gs_magnitude whole =
        product(product(factor, slot->factor), (gs_magnitude){1, slot->norm.exponent});
    return fmin(gs_magnitude_value(whole), ldexp(1, largest_scale(k)));
}

static void clip_row_of_tiles(void *context, size_t row) {
    const units_job *job = context;
    const gs_kernels *k = job->optimizer->parameters.kernels;
    size_t tiles = job->item->weight->col_tiles;
    double of_grad[GS_TILE] = {0}, of_weight[GS_TILE] = {0};
    k->tile_row_squares(tiles, tiles_at(job->optimizer, job->item->grad, row * tiles), of_grad);
    k->tile_row_squares(tiles, tiles_at(job->optimizer, job->item->values, row * tiles), of_weight);
    for (size_t i = 0; i < GS_TILE; i++) {
        gs_magnitude norm = {of_grad[i], job->slot->norm.exponent};
        double limit = gs_clip_unit_limit((gs_magnitude){of_weight[i], 0}, job->c);
        gs_magnitude factor = gs_clip_factor(product(norm, job->slot->factor), limit);
        job->slot->row_factor[row * GS_TILE + i] = row_factor_of(k, job->slot, factor);
    }
}

/* A vector counts as one unit. */
static void clip_units_of(void *context, size_t index) {
    const units_job *all = context;
    units_job job = *all;
    job.item = &all->optimizer->parameters.items[index];
    job.slot = &all->optimizer->slots[index];
    if (!job.item->weight) {
        gs_magnitude weight = {merge_chunks(all->optimizer, job.slot).weight, 0};
        gs_magnitude norm = product(job.slot->norm, job.slot->factor);
        gs_magnitude factor = gs_clip_factor(norm, gs_clip_unit_limit(weight, all->c));
        job.slot->is_clipped = !is_one(factor);
        job.slot->factor = product(job.slot->factor, factor);
        return;
    }
    gs_pool_run(all->optimizer->network->engine.pool, job.item->weight->row_tiles,
                clip_row_of_tiles, &job);
    double unclipped =
        row_factor_of(all->optimizer->parameters.kernels, job.slot, (gs_magnitude){1, 0});
    for (size_t i = 0; i < job.item->weight->rows; i++)
        job.slot->by_entry |= job.slot->row_factor[i] < unclipped;
    job.slot->is_clipped = job.slot->by_entry;
}

static void clip_units(gs_optimizer *optimizer, double c, gs_step_stats *stats) {
    units_job job = {.optimizer = optimizer, .c = c};
    gs_step_for_parameters(optimizer, clip_units_of, &job);
    for (size_t i = 0; i < optimizer->parameters.count; i++)
        stats->is_clipped |= optimizer->slots[i].is_clipped;
}

/* ---- What is left ---- */

/* What is this far from 1 is shifted on its own; and what is left of a gradient below moves no
   weight. */
static void set_scale(const gs_kernels *k, gs_step_slot *slot) {
    int most = largest_scale(k);
    gs_magnitude whole = product(slot->factor, (gs_magnitude){1, slot->norm.exponent});
    slot->scale = gs_magnitude_value(whole);
    slot->shift = 0;
    if (slot->scale < ldexp(1, -most)) {
        slot->scale = 0;
    } else if (!(slot->scale <= ldexp(1, most))) {
        slot->scale = sqrt(whole.sum_squares);
        slot->shift = whole.exponent;
    }
}

const void *gs_step_gradient(const gs_optimizer *optimizer, const gs_step_chunk *chunk,
                             void *scratch, double *factor) {
    const gs_kernels *k = optimizer->parameters.kernels;
    const gs_trainable *item = &optimizer->parameters.items[chunk->owner];
    const gs_step_slot *slot = &optimizer->slots[chunk->owner];
    const char *grad = tiles_at(optimizer, item->grad, chunk->first);
    *factor = slot->by_entry ? 1 : slot->scale;
    if (slot->by_entry && slot->limit == INFINITY) {
        size_t in_row = item->weight->col_tiles, tile_bytes = GS_TILE_SIZE * k->size;
        for (size_t t = 0, count; t < chunk->tiles; t += count) {
            size_t row = (chunk->first + t) / in_row, left = (row + 1) * in_row - chunk->first - t;
            count = left < chunk->tiles - t ? left : chunk->tiles - t;
            k->clip_tile_row(count, slot->row_factor + row * GS_TILE, INFINITY,
                             grad + t * tile_bytes, (char *)scratch + t * tile_bytes);
        }
        return scratch;
    }
    if (slot->shift != 0) {
        gs_shift(k, slot->shift, chunk->tiles * GS_TILE_SIZE, grad, scratch);
        grad = scratch;
    }
    if (slot->by_entry) {
        double factors[GS_TILE];
        for (size_t i = 0; i < GS_TILE; i++)
            factors[i] = slot->scale;
        k->clip_tile_row(chunk->tiles, factors, slot->limit, grad, scratch);
        grad = scratch;
    }
    return grad;
}

static void measure_clipped(void *context, size_t index) {
    const gs_optimizer *optimizer = context;
    const gs_kernels *k = optimizer->parameters.kernels;
    gs_step_chunk *chunk = &optimizer->chunks[index];
    _Alignas(64) char scratch[GS_CHUNK_BYTES];
    double factor, largest;
    if (optimizer->slots[chunk->owner].by_entry) {
        const void *grad = gs_step_gradient(optimizer, chunk, scratch, &factor);
        k->magnitude(chunk->tiles * GS_TILE_SIZE / k->panel, k->panel, grad, &chunk->clipped,
                     &largest);
    }
}

static void take_norms_after(gs_optimizer *optimizer, gs_step_stats *stats) {
    stats->after = (gs_magnitude){0, 0};
    for (size_t i = 0; i < optimizer->parameters.count; i++) {
        const gs_trainable *item = &optimizer->parameters.items[i];
        const gs_step_slot *slot = &optimizer->slots[i];
        gs_magnitude norm = product(slot->norm, slot->factor);
        if (slot->by_entry)
            norm = (gs_magnitude){merge_chunks(optimizer, slot).clipped, 0};
        stats->after = gs_magnitude_add(stats->after, norm);
        if (stats->layers && item->weight)
            stats->layers[item->layer - 1].after = norm;
    }
}

/* ---- The whole ---- */

/* Slots as they are before anything is clipped by entry. */
static void begin_slots(gs_optimizer *optimizer) {
    for (size_t i = 0; i < optimizer->parameters.count; i++) {
        const gs_trainable *item = &optimizer->parameters.items[i];
        gs_step_slot *slot = &optimizer->slots[i];
        slot->norm.exponent = gs_trainable_exponent(item);
        slot->factor = optimizer->layer_factors[item->layer - 1];
        slot->limit = INFINITY;
        slot->by_entry = slot->is_clipped = false;
    }
}

void gs_step_plan_clipping(gs_optimizer *optimizer, const gs_step_settings *settings,
                           gs_step_stats *stats) {
    gs_choice clip = settings->clip;
    bool by_entry = gs_clip_needs_gradients(clip);
    bool measured = stats->layers || settings->grad_normalize || clip.index != GS_CLIP_NONE;
    measure_job job = {optimizer, stats->layers || clip.index == GS_CLIP_AGC};
    for (size_t i = 0; i < optimizer->network->layers; i++)
        optimizer->layer_factors[i] = (gs_magnitude){1, 0};
    if (measured) {
        gs_step_for_chunks(optimizer, measure_chunk, &job);
        take_norms(optimizer, stats);
    }
    if (settings->grad_normalize)
        normalise_layers(optimizer);
    if (clip.index != GS_CLIP_NONE && !by_entry)
        clip_norms(optimizer, clip, stats);
    begin_slots(optimizer);
    if (clip.index == GS_CLIP_VALUE)
        clip_values(optimizer, clip.parameter, stats);
    if (clip.index == GS_CLIP_AGC)
        clip_units(optimizer, clip.parameter, stats);
    for (size_t i = 0; i < optimizer->parameters.count; i++)
        set_scale(optimizer->parameters.kernels, &optimizer->slots[i]);
    if (by_entry && stats->layers)
        gs_step_for_chunks(optimizer, measure_clipped, optimizer);
    if (stats->layers || (measured && !by_entry))
        take_norms_after(optimizer, stats);
}
