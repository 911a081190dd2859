/*
 * Building a network: from the configuration to a list of stages, their memory, their weights and
 * their batch.
 */
#include "net/network.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/machine.h"
#include "base/memory.h"
#include "net/budget.h"
#include "net/init.h"
#include "net/streams.h"

/* ---- Stages ---- */

/* The order of stages within a layer. A norm stands where --norm-at says, a skip where --residual
 * says. */
static const gs_step recipes[][GS_MOST_STEPS] = {
    [GS_ORDER_DENSE_ACT] = {{GS_STAGE_NORM, GS_NORM_AT_INPUT, 0},
                            {GS_STAGE_DENSE, 0, GS_IS_Z},
                            {GS_STAGE_NORM, GS_NORM_AT_PREACT, GS_IS_Z},
                            {GS_STAGE_SKIP, GS_RESIDUAL_POST_ACT, 0},
                            {GS_STAGE_ACTIVATION, 0, GS_IS_A},
                            {GS_STAGE_NORM, GS_NORM_AT_POSTACT, GS_IS_A},
                            {GS_STAGE_SKIP, GS_RESIDUAL_ADD, 0},
                            {GS_STAGE_NORM, GS_NORM_AT_OUTPUT, 0}},
    [GS_ORDER_ACT_DENSE] = {{GS_STAGE_NORM, GS_NORM_AT_INPUT, 0},
                            {GS_STAGE_ACTIVATION, 0, GS_IS_A},
                            {GS_STAGE_NORM, GS_NORM_AT_POSTACT, GS_IS_A},
                            {GS_STAGE_DENSE, 0, GS_IS_Z},
                            {GS_STAGE_NORM, GS_NORM_AT_PREACT, GS_IS_Z},
                            {GS_STAGE_SKIP, GS_RESIDUAL_ADD, 0},
                            {GS_STAGE_NORM, GS_NORM_AT_OUTPUT, 0}},
};

/* What building carries from stage to stage. */
typedef struct {
    gs_network *network;
    size_t layer;
    const gs_signal *x;      /* output of the last stage */
    const gs_signal *source; /* x_{l-s}: the last output that a skip may start from */
    size_t memory;           /* left for weights that are stored */
    gs_error *error;
} builder;

double gs_branch_scale(const gs_config *config) {
    double depth = (double)config->layers;
    switch (config->branch_scale.index) {
    case GS_BRANCH_INVERSE_SQRT_DEPTH:
        return 1 / sqrt(depth);
    case GS_BRANCH_INVERSE_DEPTH:
        return 1 / depth;
    case GS_BRANCH_REZERO:
        return 0;
    default:
        return config->branch_scale.parameter;
    }
}

/* Whether the weights of the next layer are stored: they take what is left of the memory. */
static bool takes_memory(builder *b, size_t out, size_t in) {
    size_t bytes;
    if (!gs_matrix_bytes(b->network->engine.kernels, out, in, &bytes) || bytes > b->memory)
        return false;
    b->memory -= bytes;
    return true;
}

static gs_status append_stage(builder *b, gs_stage_kind kind, size_t units) {
    gs_network *network = b->network;
    const gs_config *config = network->config;
    gs_stage *stage = &network->stages[network->stage_count++];
    gs_status status = GS_OK;
    stage->kind = kind;
    stage->layer = b->layer;
    stage->in = b->x;
    stage->out.units = units;
    switch (kind) {
    case GS_STAGE_DENSE:
        status = gs_dense_new(&network->engine, units, b->x->units,
                              takes_memory(b, units, b->x->units), &stage->dense, b->error);
        break;
    case GS_STAGE_ACTIVATION:
        stage->act = config->act;
        break;
    case GS_STAGE_NORM:
        break;
    case GS_STAGE_SKIP:
        stage->skip = (gs_skip){.source = b->source,
                                .source_layer = b->layer - config->skip,
                                .alpha = gs_branch_scale(config),
                                .learned = config->branch_scale.index == GS_BRANCH_REZERO};
        network->has_skip = true;
        break;
    }
    b->x = &stage->out;
    return status;
}

/* Whether a step of the recipe is there in this layer. */
static bool has_step(const gs_config *config, size_t layer, bool fits, const gs_step *what) {
    switch (what->kind) {
    case GS_STAGE_NORM:
        return config->norm.index != GS_NORM_NONE && config->norm_at.index == what->place;
    case GS_STAGE_SKIP:
        return config->residual.index == what->place && layer % config->skip == 0 && fits;
    default:
        return true;
    }
}

size_t gs_layer_steps(const gs_config *config, size_t layer, bool fits,
                      gs_step steps[GS_MOST_STEPS]) {
    const gs_step *recipe = recipes[config->order.index];
    size_t count = 0;
    for (size_t i = 0; i < GS_MOST_STEPS && (i == 0 || recipe[i].kind || recipe[i].names); i++)
        if (has_step(config, layer, fits, &recipe[i]))
            steps[count++] = recipe[i];
    return count;
}

static gs_status append_layer(builder *b, size_t units) {
    const gs_config *config = b->network->config;
    gs_step steps[GS_MOST_STEPS];
    size_t count = gs_layer_steps(config, b->layer, b->source->units == units, steps);
    gs_stage *named_z = NULL, *named_a = NULL;
    for (size_t i = 0; i < count; i++) {
        gs_stage *stage = &b->network->stages[b->network->stage_count];
        gs_status status =
            append_stage(b, steps[i].kind, steps[i].kind == GS_STAGE_DENSE ? units : b->x->units);
        if (status != GS_OK)
            return status;
        named_z = steps[i].names & GS_IS_Z ? stage : named_z;
        named_a = steps[i].names & GS_IS_A ? stage : named_a;
    }
    named_z->names |= GS_IS_Z;
    named_a->names |= GS_IS_A;
    b->network->stages[b->network->stage_count - 1].names |= GS_IS_X;
    if (b->layer % config->skip == 0)
        b->source = b->x;
    return GS_OK;
}

static gs_status append_stages(gs_network *network, size_t memory, gs_error *error) {
    const gs_config *config = network->config;
    builder b = {.network = network,
                 .x = &network->input,
                 .source = &network->input,
                 .memory = memory,
                 .error = error};
    for (b.layer = 1; b.layer <= config->layers; b.layer++) {
        gs_status status = append_layer(&b, gs_config_units(config, b.layer));
        if (status != GS_OK)
            return status;
    }
    if (config->head) {
        gs_status status = append_stage(&b, GS_STAGE_DENSE, config->outputs);
        network->stages[network->stage_count - 1].names = GS_IS_Z | GS_IS_X;
        return status;
    }
    return GS_OK;
}

/* ---- Signals ---- */

/* Whether the output of a stage is needed after the next stage has read it: by the gradient of
   weights or of a branch scale, or as x_l where a skip may start. */
static bool is_kept(const gs_stage *stage) {
    const gs_stage *next = stage + 1;
    return (stage->names & GS_IS_X) || next->kind == GS_STAGE_DENSE || next->kind == GS_STAGE_SKIP;
}

/* The stage in whose memory `stage` can keep what it makes: the same one, a segment before. */
static const gs_stage *sharing_with(const gs_network *network, const gs_stage *stage) {
    if (network->segment == 0 || stage->layer <= network->segment)
        return NULL;
    size_t layer = stage->layer - network->segment;
    for (const gs_stage *s = stage; s-- > network->stages && s->layer >= layer;)
        if (s->layer == layer && s->kind == stage->kind && s->names == stage->names &&
            s->out.units == stage->out.units && is_kept(s) == is_kept(stage))
            return s;
    return NULL;
}

static bool is_checkpoint(const gs_network *network, const gs_stage *stage) {
    return (stage->names & GS_IS_X) && network->segment > 0 && stage->layer % network->segment == 0;
}

static gs_status new_or_borrowed(const gs_network *network, const gs_signal *owner, size_t units,
                                 gs_signal *signal, gs_error *error) {
    if (!owner)
        return gs_signal_new(&network->engine, units, network->config->batch, signal, error);
    *signal = gs_signal_borrow(owner);
    return GS_OK;
}

/* Outputs that are not kept take turns in two signals; what is kept only until the next segment is
   in the memory of the one before. The output of the network is still there after backward. */
static gs_status allocate_signals_of(gs_network *network, size_t index, gs_error *error) {
    const gs_config *config = network->config;
    gs_stage *stage = &network->stages[index];
    const gs_stage *sharing = sharing_with(network, stage);
    size_t units = stage->out.units;
    gs_status status = GS_OK;
    if (stage->kind == GS_STAGE_ACTIVATION)
        status =
            new_or_borrowed(network, sharing ? &sharing->slope : NULL, units, &stage->slope, error);
    else if (stage->kind == GS_STAGE_NORM)
        status = gs_norm_new(&network->engine, config->norm.index, config->norm_eps, units,
                             config->batch, sharing ? &sharing->norm : NULL, &stage->norm, error);
    if (status != GS_OK)
        return status;
    if (is_kept(stage)) {
        bool stays = is_checkpoint(network, stage) || index + 1 == network->stage_count;
        const gs_signal *owner = sharing && !stays ? &sharing->out : NULL;
        return new_or_borrowed(network, owner, units, &stage->out, error);
    }
    stage->out = gs_signal_borrow(&network->passing[index % 2]);
    gs_signal_reshape(&network->engine, &stage->out, units);
    return GS_OK;
}

static gs_status allocate_signals(gs_network *network, gs_error *error) {
    for (size_t i = 0; i < network->stage_count; i++) {
        gs_status status = allocate_signals_of(network, i, error);
        if (status != GS_OK)
            return status;
    }
    return GS_OK;
}

/* Weights that are alike are fetched while those before them are used. */
static void announce_weights(gs_network *network) {
    gs_matrix *before = NULL;
    for (size_t i = 0; i < network->stage_count; i++) {
        gs_matrix *here = &network->stages[i].dense.weight;
        if (network->stages[i].kind != GS_STAGE_DENSE)
            continue;
        if (before && before->rows == here->rows && before->cols == here->cols) {
            before->upcoming[0] = here;
            here->upcoming[1] = before;
        }
        before = here;
    }
}

/* ---- Memory ---- */

static size_t stages_per_layer(const gs_config *config) {
    return 2 + (config->norm.index != GS_NORM_NONE) + (config->residual.index != GS_RESIDUAL_NONE);
}

static gs_status allocate_all(gs_network *network, const gs_budget *budget, gs_error *error) {
    gs_config *config = network->config;
    size_t widest = gs_config_widest(config);
    size_t most = config->layers * stages_per_layer(config) + 1;
    network->stages = gs_alloc(most, sizeof *network->stages, error);
    gs_status status = network->stages ? GS_OK : GS_ERR_MEMORY;
    gs_signal *signals[] = {&network->input,     &network->grad,    &network->spare,
                            &network->ridden,    &network->skipped, &network->passing[0],
                            &network->passing[1]};
    for (size_t i = 0; i < sizeof signals / sizeof *signals && status == GS_OK; i++) {
        size_t units = i == 0 ? config->inputs : widest;
        status = gs_signal_new(&network->engine, units, config->batch, signals[i], error);
    }
    if (status == GS_OK)
        status = append_stages(network, budget->weights, error);
    if (status == GS_OK)
        status = allocate_signals(network, error);
    announce_weights(network);
    if (status == GS_OK) {
        status = gs_loss_new(&network->engine, config->loss.index, config->outputs, config->batch,
                             &network->loss, error);
    }
    return status == GS_OK ? gs_network_list_entries(network, error) : status;
}

/* Signals and matrices come from one arena; what is allocated later does not. */
static gs_status allocate(gs_network *network, const gs_budget *budget, gs_error *error) {
    network->arena = gs_arena_new(budget->total, error);
    if (!network->arena)
        return GS_ERR_MEMORY;
    network->engine.arena = network->arena;
    network->segment = budget->segment;
    gs_status status = allocate_all(network, budget, error);
    network->engine.arena = NULL;
    return status;
}

static void free_stage(gs_stage *stage) {
    gs_signal_free(&stage->out);
    switch (stage->kind) {
    case GS_STAGE_DENSE:
        gs_dense_free(&stage->dense);
        break;
    case GS_STAGE_ACTIVATION:
        gs_signal_free(&stage->slope);
        break;
    case GS_STAGE_NORM:
        gs_norm_free(&stage->norm);
        break;
    case GS_STAGE_SKIP:
        break;
    }
}

void gs_network_free(gs_network *network) {
    if (!network)
        return;
    for (size_t i = 0; i < network->stage_count; i++)
        free_stage(&network->stages[i]);
    gs_free(network->stages);
    gs_free(network->entries);
    gs_signal_free(&network->input);
    gs_signal_free(&network->grad);
    gs_signal_free(&network->spare);
    gs_signal_free(&network->ridden);
    gs_signal_free(&network->passing[0]);
    gs_signal_free(&network->passing[1]);
    gs_signal_free(&network->skipped);
    gs_loss_free(&network->loss);
    gs_arena_free(network->arena);
    gs_pool_free(network->engine.pool);
    gs_config_free(network->config);
    gs_free(network);
}

/* ---- The whole ---- */

typedef struct {
    gs_network *network;
    gs_status *statuses; /* [stages] */
} draw_job;

static void draw_stage(void *context, size_t index) {
    const draw_job *job = context;
    const gs_network *network = job->network;
    const gs_config *config = network->config;
    gs_stage *stage = &network->stages[index];
    if (stage->kind == GS_STAGE_DENSE)
        job->statuses[index] =
            gs_dense_draw(&network->engine, &stage->dense, config->init, config->gain, config->bias,
                          config->seed, (uint32_t)stage->layer, NULL);
}

/* Threads share the layers, or, where there are few, the weights of each. */
static gs_status draw_parameters(gs_network *network, gs_error *error) {
    const gs_config *config = network->config;
    size_t count = network->stage_count;
    draw_job job = {network, gs_alloc(count, sizeof *job.statuses, error)};
    gs_status status = job.statuses ? GS_OK : GS_ERR_MEMORY;
    bool few = config->layers < 8 * gs_pool_threads(network->engine.pool);
    if (status == GS_OK)
        gs_pool_run(few ? NULL : network->engine.pool, count, draw_stage, &job);
    for (size_t i = 0; i < count && status == GS_OK; i++)
        if (job.statuses[i] != GS_OK)
            status = gs_fail(error, GS_ERR_MEMORY, "layer %zu: no memory to draw its weights",
                             network->stages[i].layer);
    gs_free(job.statuses);
    if (status == GS_OK && network->loss.readout) {
        gs_draw_vector(&network->engine, GS_DRAW_NORMAL, config->seed, GS_STREAM_READOUT,
                       1 / sqrt((double)config->outputs), config->outputs, network->loss.readout);
    }
    return status;
}

static gs_status build(gs_network *network, const gs_config *config, gs_error *error) {
    gs_budget budget;
    network->config = gs_config_copy(config, error);
    gs_status status =
        network->config ? gs_config_resolve(network->config, 0, 0, error) : GS_ERR_MEMORY;
    if (status == GS_OK) {
        status =
            gs_kernels_get((gs_dtype)network->config->dtype.index, &network->engine.kernels, error);
    }
    if (status == GS_OK)
        status = gs_budget_plan(network->config, network->engine.kernels, &budget, error);
    if (status == GS_OK) {
        size_t threads = network->config->threads ? network->config->threads : gs_cpus_available();
        status = gs_pool_new(threads, &network->engine.pool, error);
    }
    if (status == GS_OK) {
        network->layers = network->config->layers + network->config->head;
        status = allocate(network, &budget, error);
    }
    return status == GS_OK ? draw_parameters(network, error) : status;
}

gs_network *gs_network_new_cached(const gs_config *config, gs_weight_cache *cache,
                                  gs_error *error) {
    gs_network *network = gs_alloc(1, sizeof *network, error);
    if (!network)
        return NULL;
    network->engine.cache = cache;
    if (build(network, config, error) == GS_OK)
        return network;
    gs_network_free(network);
    return NULL;
}

gs_network *gs_network_new(const gs_config *config, gs_error *error) {
    return gs_network_new_cached(config, NULL, error);
}

gs_status gs_network_keep_gradients(gs_network *network, gs_error *error) {
    if (!network->keep_gradients &&
        gs_budget_allows_gradients(network->config, network->engine.kernels, error) != GS_OK)
        return GS_ERR_MEMORY;
    for (size_t i = 0; i < network->stage_count; i++) {
        gs_stage *stage = &network->stages[i];
        if (stage->kind == GS_STAGE_DENSE && !stage->dense.grad.data) {
            gs_status status = gs_matrix_new(&network->engine, stage->dense.weight.rows,
                                             stage->dense.weight.cols, &stage->dense.grad, error);
            if (status != GS_OK)
                return status;
        }
    }
    network->keep_gradients = true;
    return GS_OK;
}

size_t gs_network_layers(const gs_network *network) {
    return network->layers;
}

size_t gs_network_inputs(const gs_network *network) {
    return network->config->inputs;
}

size_t gs_network_outputs(const gs_network *network) {
    return network->config->outputs;
}

size_t gs_network_batch(const gs_network *network) {
    return network->config->batch;
}
