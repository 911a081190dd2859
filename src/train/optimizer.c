/*
 * The optimizer: its state, and the step.
 */
#include "train/optimizer.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

/* ---- State ---- */

static gs_status add_slots(gs_optimizer *optimizer, gs_error *error) {
    const gs_parameters *parameters = &optimizer->parameters;
    const gs_update_rule *rule = gs_update_rule_of(optimizer->opt);
    size_t tile_bytes = GS_TILE_SIZE * parameters->kernels->size;
    optimizer->slots = gs_alloc(parameters->count, sizeof *optimizer->slots, error);
    if (!optimizer->slots)
        return GS_ERR_MEMORY;
    for (size_t i = 0; i < parameters->count; i++) {
        gs_step_slot *slot = &optimizer->slots[i];
        slot->first_chunk = optimizer->chunk_count;
        slot->chunk_count = (parameters->items[i].tiles + GS_CHUNK_TILES - 1) / GS_CHUNK_TILES;
        optimizer->chunk_count += slot->chunk_count;
        for (size_t m = 0; m < GS_MOMENTS; m++) {
            if (!rule->moment[m])
                continue;
            slot->moment[m] = gs_alloc(parameters->items[i].tiles, tile_bytes, error);
            if (!slot->moment[m])
                return GS_ERR_MEMORY;
        }
    }
    return GS_OK;
}

static gs_status add_chunks(gs_optimizer *optimizer, gs_error *error) {
    optimizer->chunks = gs_alloc(optimizer->chunk_count, sizeof *optimizer->chunks, error);
    if (!optimizer->chunks)
        return GS_ERR_MEMORY;
    gs_step_chunk *chunk = optimizer->chunks;
    for (size_t i = 0; i < optimizer->parameters.count; i++) {
        size_t tiles = optimizer->parameters.items[i].tiles;
        for (size_t first = 0; first < tiles; first += GS_CHUNK_TILES) {
            size_t left = tiles - first, count = left < GS_CHUNK_TILES ? left : GS_CHUNK_TILES;
            *chunk++ = (gs_step_chunk){.owner = i, .first = first, .tiles = count};
        }
    }
    return GS_OK;
}

static gs_status add_factors(gs_optimizer *optimizer, gs_error *error) {
    const gs_parameters *parameters = &optimizer->parameters;
    size_t layers = optimizer->network->layers, rows = 0;
    for (size_t i = 0; i < parameters->count; i++)
        if (parameters->items[i].weight)
            rows += parameters->items[i].weight->row_tiles * GS_TILE;
    optimizer->row_factors = gs_alloc(rows, sizeof *optimizer->row_factors, error);
    optimizer->layer_norms = gs_alloc(layers, sizeof *optimizer->layer_norms, error);
    optimizer->layer_factors = gs_alloc(layers, sizeof *optimizer->layer_factors, error);
    if (!optimizer->row_factors || !optimizer->layer_norms || !optimizer->layer_factors)
        return GS_ERR_MEMORY;
    double *next = optimizer->row_factors;
    for (size_t i = 0; i < parameters->count; i++)
        if (parameters->items[i].weight) {
            optimizer->slots[i].row_factor = next;
            next += parameters->items[i].weight->row_tiles * GS_TILE;
        }
    return GS_OK;
}

gs_status gs_optimizer_new(gs_network *network, gs_choice opt, gs_optimizer *optimizer,
                           gs_error *error) {
    *optimizer = (gs_optimizer){.network = network, .opt = opt};
    gs_status status = gs_parameters_new(network, &optimizer->parameters, error);
    if (status == GS_OK)
        status = add_slots(optimizer, error);
    if (status == GS_OK)
        status = add_chunks(optimizer, error);
    return status == GS_OK ? add_factors(optimizer, error) : status;
}

void gs_optimizer_free(gs_optimizer *optimizer) {
    for (size_t i = 0; optimizer->slots && i < optimizer->parameters.count; i++)
        for (size_t m = 0; m < GS_MOMENTS; m++)
            gs_free(optimizer->slots[i].moment[m]);
    gs_free(optimizer->slots);
    gs_free(optimizer->chunks);
    gs_free(optimizer->row_factors);
    gs_free(optimizer->layer_norms);
    gs_free(optimizer->layer_factors);
    gs_parameters_free(&optimizer->parameters);
    *optimizer = (gs_optimizer){0};
}

/* A moment of a weight matrix as a matrix. */
static gs_matrix matrix_of(const gs_optimizer *optimizer, size_t parameter, size_t moment) {
    gs_matrix matrix = *optimizer->parameters.items[parameter].weight;
    matrix.data = optimizer->slots[parameter].moment[moment];
    matrix.exponent = 0;
    return matrix;
}

static size_t units_of(const gs_trainable *item) {
    return item->vector ? item->vector->units : 1;
}

void gs_optimizer_read_moment(const gs_optimizer *optimizer, size_t parameter, size_t moment,
                              double *values) {
    const gs_kernels *k = optimizer->parameters.kernels;
    const gs_trainable *item = &optimizer->parameters.items[parameter];
    const char *elements = optimizer->slots[parameter].moment[moment];
    if (item->weight) {
        gs_matrix matrix = matrix_of(optimizer, parameter, moment);
        gs_matrix_read(&optimizer->network->engine, &matrix, values);
        return;
    }
    k->get_all(units_of(item), elements, values);
}

void gs_optimizer_write_moment(const gs_optimizer *optimizer, size_t parameter, size_t moment,
                               const double *values) {
    const gs_kernels *k = optimizer->parameters.kernels;
    const gs_trainable *item = &optimizer->parameters.items[parameter];
    char *elements = optimizer->slots[parameter].moment[moment];
    if (item->weight) {
        gs_matrix matrix = matrix_of(optimizer, parameter, moment);
        gs_matrix_write(&optimizer->network->engine, values, &matrix);
        return;
    }
    k->set_all(units_of(item), values, elements);
}

/* ---- The update ---- */

/* By squaring: the same bytes on every machine, for a run that was continued too. */
static double power(double base, uint64_t exponent) {
    double result = 1;
    for (; exponent > 0; exponent >>= 1) {
        if (exponent & 1)
            result *= base;
        base *= base;
    }
    return result;
}

static gs_update update_of(const gs_optimizer *optimizer, const gs_step_settings *settings) {
    const gs_update_rule *rule = gs_update_rule_of(optimizer->opt);
    gs_update update = {.rate = settings->rate,
                        .l1 = settings->l1,
                        .l2 = rule->decoupled ? 0 : settings->l2,
                        .keep = rule->decoupled ? 1 - settings->rate * settings->l2 : 1,
                        .beta1 = optimizer->opt.parameter,
                        .beta2 = settings->rho,
                        .eps = settings->eps,
                        .correction1 = 1,
                        .correction2 = 1};
    if (rule->kernel == GS_UPDATE_ADAM) {
        update.beta1 = settings->beta1;
        update.beta2 = settings->beta2;
        update.correction1 = 1 / (1 - power(settings->beta1, optimizer->steps + 1));
        update.correction2 = 1 / sqrt(1 - power(settings->beta2, optimizer->steps + 1));
    }
    return update;
}

typedef struct {
    gs_optimizer *optimizer;
    gs_update_kernel rule;
    gs_update update;   /* but for its factor */
    bool is_trial;      /* nothing changes but what is said of it, */
    char *whole;        /* and this, if it is not NULL: room for all new weights of a parameter */
    size_t first_chunk; /* that indices count from */
} update_job;

/* Where the tiles of a chunk are, or a copy of them in `scratch`; NULL if there are none. */
static void *tiles_of(const update_job *job, const gs_step_chunk *chunk, void *values,
                      void *scratch) {
    size_t tile_bytes = GS_TILE_SIZE * job->optimizer->parameters.kernels->size;
    if (!values)
        return NULL;
    char *tiles = (char *)values + chunk->first * tile_bytes;
    return job->is_trial ? memcpy(scratch, tiles, chunk->tiles * tile_bytes) : tiles;
}

static char *copy_of(const update_job *job, const gs_step_chunk *chunk, char *scratch) {
    size_t tile_bytes = GS_TILE_SIZE * job->optimizer->parameters.kernels->size;
    return job->whole ? job->whole + chunk->first * tile_bytes : scratch;
}

static void update_chunk(void *context, size_t index) {
    const update_job *job = context;
    const gs_optimizer *optimizer = job->optimizer;
    const gs_kernels *k = optimizer->parameters.kernels;
    gs_step_chunk *chunk = &optimizer->chunks[job->first_chunk + index];
    const gs_step_slot *slot = &optimizer->slots[chunk->owner];
    _Alignas(64) char grad_copy[GS_CHUNK_BYTES], copies[1 + GS_MOMENTS][GS_CHUNK_BYTES];
    size_t count = chunk->tiles * GS_TILE_SIZE;
    char *values = optimizer->parameters.items[chunk->owner].values;
    void *weight = tiles_of(job, chunk, values, copy_of(job, chunk, copies[0]));
    gs_update update = job->update;
    const void *grad = gs_step_gradient(optimizer, chunk, grad_copy, &update.factor);
    k->optimize[job->rule](&update, count, grad, weight,
                           tiles_of(job, chunk, slot->moment[0], copies[1]),
                           tiles_of(job, chunk, slot->moment[1], copies[2]));
    if (job->is_trial)
        chunk->step =
            k->squared_distance(count, weight, values + chunk->first * GS_TILE_SIZE * k->size);
}

static void take_steps(const gs_optimizer *optimizer, gs_layer_step *layers) {
    for (size_t i = 0; i < optimizer->parameters.count; i++) {
        const gs_trainable *item = &optimizer->parameters.items[i];
        const gs_step_slot *slot = &optimizer->slots[i];
        double squares = 0;
        for (size_t c = 0; c < slot->chunk_count; c++)
            squares += optimizer->chunks[slot->first_chunk + c].step;
        if (item->weight)
            layers[item->layer - 1].step = (gs_magnitude){squares, 0};
    }
}

/* ---- Max-norm ---- */

typedef struct {
    const gs_optimizer *optimizer;
    double most;
    const gs_matrix *weight;
} max_norm_job;

static void hold_row_of_tiles(void *context, size_t row) {
    const max_norm_job *job = context;
    const gs_kernels *k = job->optimizer->parameters.kernels;
    void *tiles = gs_matrix_element(k, job->weight, row * GS_TILE, 0);
    double squares[GS_TILE] = {0}, factor[GS_TILE];
    bool exceeds = false;
    k->tile_row_squares(job->weight->col_tiles, tiles, squares);
    for (size_t i = 0; i < GS_TILE; i++) {
        double norm = sqrt(squares[i]);
        factor[i] = norm > job->most ? job->most / norm : 1;
        exceeds |= norm > job->most;
    }
    if (exceeds)
        k->clip_tile_row(job->weight->col_tiles, factor, INFINITY, tiles, tiles);
}

static void hold_matrix(max_norm_job job) {
    gs_pool_run(job.optimizer->network->engine.pool, job.weight->row_tiles, hold_row_of_tiles,
                &job);
}

static void hold_parameter(void *context, size_t index) {
    max_norm_job job = *(const max_norm_job *)context;
    job.weight = job.optimizer->parameters.items[index].weight;
    if (job.weight)
        hold_matrix(job);
}

/* ---- The step ---- */

/* `job` has its optimizer, and says whether it is a trial; the rest is filled in. */
static gs_status update(update_job *job, const gs_step_settings *settings, gs_step_stats *stats,
                        gs_error *error) {
    gs_optimizer *optimizer = job->optimizer;
    if (!optimizer->network->has_gradients)
        return gs_fail(error, GS_ERR_USAGE, "a step: expected a backward pass before it");
    stats->before = stats->after = (gs_magnitude){NAN, 0};
    stats->is_clipped = false;
    gs_parameters_gather(&optimizer->parameters);
    gs_step_plan_clipping(optimizer, settings, stats);
    job->rule = gs_update_rule_of(optimizer->opt)->kernel;
    job->update = update_of(optimizer, settings);
    gs_step_for_chunks(optimizer, update_chunk, job);
    return GS_OK;
}

/* Try the step of one matrix of weights again, in the room for its new ones, and hold those. */
static gs_magnitude try_held(update_job job, size_t parameter, double most) {
    const gs_optimizer *optimizer = job.optimizer;
    const gs_matrix *weight = optimizer->parameters.items[parameter].weight;
    const gs_step_slot *slot = &optimizer->slots[parameter];
    gs_matrix held = *weight;
    held.data = job.whole;
    job.first_chunk = slot->first_chunk;
    gs_pool_run(optimizer->network->engine.pool, slot->chunk_count, update_chunk, &job);
    hold_matrix((max_norm_job){optimizer, most, &held});
    return gs_matrix_distance(optimizer->parameters.kernels, &held, weight);
}

static gs_status try_max_norm(update_job job, double most, gs_layer_step *layers, gs_error *error) {
    const gs_parameters *parameters = &job.optimizer->parameters;
    size_t tiles = 0;
    for (size_t i = 0; i < parameters->count; i++)
        if (tiles < parameters->items[i].tiles)
            tiles = parameters->items[i].tiles;
    job.whole = gs_alloc(tiles, GS_TILE_SIZE * parameters->kernels->size, error);
    if (!job.whole)
        return GS_ERR_MEMORY;
    for (size_t i = 0; i < parameters->count; i++)
        if (parameters->items[i].weight)
            layers[parameters->items[i].layer - 1].step = try_held(job, i, most);
    gs_free(job.whole);
    return GS_OK;
}

gs_status gs_optimizer_try(gs_optimizer *optimizer, const gs_step_settings *settings,
                           gs_step_stats *stats, gs_error *error) {
    update_job job = {.optimizer = optimizer, .is_trial = true};
    gs_status status = update(&job, settings, stats, error);
    if (status != GS_OK || !stats->layers)
        return status;
    take_steps(optimizer, stats->layers);
    return settings->max_norm > 0 ? try_max_norm(job, settings->max_norm, stats->layers, error)
                                  : GS_OK;
}

gs_status gs_optimizer_step(gs_optimizer *optimizer, const gs_step_settings *settings,
                            gs_step_stats *stats, gs_error *error) {
    gs_step_stats unwanted = {0};
    update_job job = {.optimizer = optimizer};
    gs_status status = update(&job, settings, stats ? stats : &unwanted, error);
    if (status != GS_OK)
        return status;
    if (settings->max_norm > 0)
        gs_step_for_parameters(optimizer, hold_parameter,
                               &(max_norm_job){optimizer, settings->max_norm, NULL});
    gs_parameters_scatter(&optimizer->parameters);
    optimizer->steps++;
    optimizer->network->has_forward = false;
    return GS_OK;
}
