/*
 * Checkpoints: beside the tensors of a network those that its training goes on from. A tensor is
 * named after its parameter: "layers.3.weight.exp_avg", "layers.3.weight.initial".
 */
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "train/load.h"
#include "train/safetensors.h"
#include "train/trainer.h"

/* ---- The tensors ---- */

enum { INITIAL = GS_MOMENTS, PER_PARAMETER }; /* which of a parameter: a moment, or W at step 0 */

typedef struct {
    size_t parameter, which;
    gs_tensor tensor;
} state_tensor;

typedef struct {
    const gs_trainer *trainer;
    state_tensor *tensors;
    size_t count;
} state;

/* NULL: the parameter has no such tensor. */
static const char *ending_of(const gs_trainer *trainer, size_t parameter, size_t which) {
    if (which == INITIAL)
        return trainer->optimizer.parameters.items[parameter].weight ? "initial" : NULL;
    return gs_update_rule_of(trainer->optimizer.opt)->moment[which];
}

/* Parameters come in the order in which the network lists them. For gs_free. */
static gs_status list_state(const gs_trainer *trainer, state *s, gs_error *error) {
    size_t parameters = trainer->optimizer.parameters.count;
    const gs_entry *entry = trainer->network->entries;
    *s = (state){trainer, gs_alloc(parameters, PER_PARAMETER * sizeof *s->tensors, error), 0};
    if (!s->tensors)
        return GS_ERR_MEMORY;
    while (!entry->stage)
        entry++;
    for (size_t i = 0; i < parameters * PER_PARAMETER; i++) {
        size_t parameter = i / PER_PARAMETER, which = i % PER_PARAMETER;
        const char *ending = ending_of(trainer, parameter, which);
        if (!ending)
            continue;
        state_tensor *t = &s->tensors[s->count++];
        *t = (state_tensor){parameter, which, entry[parameter].tensor};
        gs_format(t->tensor.name, sizeof t->tensor.name, "%s.%s", entry[parameter].tensor.name,
                  ending);
    }
    return GS_OK;
}

static gs_initial *initial_of(const gs_trainer *trainer, size_t parameter) {
    return &trainer->initial[trainer->optimizer.parameters.items[parameter].layer - 1];
}

static bool tensor_at(const void *context, size_t index, gs_tensor *tensor) {
    const state *s = context;
    if (index >= s->count)
        return false;
    *tensor = s->tensors[index].tensor;
    return true;
}

static void read_values(const void *context, size_t index, double *values) {
    const state *s = context;
    const state_tensor *t = &s->tensors[index];
    if (t->which == INITIAL)
        gs_matrix_read(&s->trainer->network->engine, &initial_of(s->trainer, t->parameter)->weight,
                       values);
    else
        gs_optimizer_read_moment(&s->trainer->optimizer, t->parameter, t->which, values);
}

static void write_values(const state *s, size_t index, const double *values) {
    const state_tensor *t = &s->tensors[index];
    const gs_engine *engine = &s->trainer->network->engine;
    if (t->which == INITIAL) {
        gs_initial *initial = initial_of(s->trainer, t->parameter);
        gs_matrix_write(engine, values, &initial->weight);
        initial->norm = gs_matrix_magnitude(engine, &initial->weight);
    } else {
        gs_optimizer_write_moment(&s->trainer->optimizer, t->parameter, t->which, values);
    }
}

/* ---- Saving ---- */

gs_status gs_checkpoint_save(const gs_trainer *trainer, const char *path, gs_error *error) {
    char step[24], clipped[24];
    const char *const metadata[][2] = {{"step", step}, {"clipped_steps", clipped}};
    state s;
    gs_format(step, sizeof step, "%" PRIu64, gs_trainer_steps(trainer));
    gs_format(clipped, sizeof clipped, "%" PRIu64, trainer->clipped);
    gs_status status = list_state(trainer, &s, error);
    if (status != GS_OK)
        return status;
    const gs_extra_tensors extra = {&s, tensor_at, read_values, metadata, 2};
    status = gs_safetensors_save(trainer->network, trainer->config, &extra, path, error);
    gs_free(s.tensors);
    return status;
}

/* ---- Loading ---- */

static gs_status read_count(const gs_safetensors *file, const char *key, uint64_t *count,
                            gs_error *error) {
    const char *text = gs_safetensors_metadata(file, key);
    if (text && gs_parse_size(text, count) == GS_TEXT_OK)
        return GS_OK;
    return gs_fail(error, GS_ERR_FORMAT,
                   "%s: __metadata__: %s: expected a number of steps, got '%.80s'",
                   gs_safetensors_path(file), key, text ? text : "");
}

gs_status gs_checkpoint_step(const gs_safetensors *file, bool *is_checkpoint, uint64_t *step,
                             gs_error *error) {
    *step = 0;
    *is_checkpoint = gs_safetensors_is_own(file) && gs_safetensors_metadata(file, "step");
    return *is_checkpoint ? read_count(file, "step", step, error) : GS_OK;
}

static gs_status load_tensor(const state *s, size_t index, const gs_safetensors *file,
                             double *values, gs_error *error) {
    const gs_tensor *tensor = &s->tensors[index].tensor;
    const gs_stored_tensor *stored = gs_safetensors_find(file, tensor->name);
    if (!stored || stored->rank != tensor->rank || stored->count != gs_tensor_count(tensor) ||
        stored->shape[0] != tensor->shape[0])
        return gs_fail(error, GS_ERR_FORMAT,
                       "%s: '%s': expected this tensor of a checkpoint, got %s",
                       gs_safetensors_path(file), tensor->name, stored ? "another shape" : "none");
    gs_status status = gs_safetensors_read(file, stored, values, error);
    if (status == GS_OK)
        write_values(s, index, values);
    return status;
}

static gs_status load_tensors(const state *s, const gs_safetensors *file, gs_error *error) {
    size_t largest = 0;
    for (size_t i = 0; i < s->count; i++) {
        size_t count = gs_tensor_count(&s->tensors[i].tensor);
        largest = count > largest ? count : largest;
    }
    double *values = gs_alloc(largest, sizeof *values, error);
    gs_status status = values ? GS_OK : GS_ERR_MEMORY;
    for (size_t i = 0; i < s->count && status == GS_OK; i++)
        status = load_tensor(s, i, file, values, error);
    gs_free(values);
    return status;
}

/* The moments of one optimizer say nothing to another. */
static gs_status check_optimizer(const gs_trainer *trainer, const gs_safetensors *file,
                                 gs_error *error) {
    const gs_option *option = gs_option_find(&gs_config_options, "opt");
    const char *text = gs_safetensors_metadata(file, "opt");
    gs_config saved = *trainer->config;
    size_t now = trainer->config->opt.index;
    if (text && gs_option_parse(option, &saved, text, error) == GS_OK && saved.opt.index == now)
        return GS_OK;
    return gs_fail(error, GS_ERR_USAGE,
                   "--opt: expected %.80s, which '%s' was trained with, got '%s'",
                   text ? text : "another", gs_safetensors_path(file),
                   gs_family_row(&gs_optimizer_family, now)->name);
}

gs_status gs_checkpoint_load(gs_trainer *trainer, const gs_safetensors *file, gs_error *error) {
    state s;
    uint64_t step, clipped = 0;
    gs_status status = check_optimizer(trainer, file, error);
    if (status == GS_OK)
        status = read_count(file, "step", &step, error);
    if (status == GS_OK)
        status = read_count(file, "clipped_steps", &clipped, error);
    if (status == GS_OK && clipped > step)
        status = gs_fail(error, GS_ERR_FORMAT,
                         "%s: __metadata__: clipped_steps: expected at most step, %" PRIu64
                         ", got %" PRIu64,
                         gs_safetensors_path(file), step, clipped);
    if (status == GS_OK)
        status = list_state(trainer, &s, error);
    if (status != GS_OK)
        return status;
    status = load_tensors(&s, file, error);
    gs_free(s.tensors);
    trainer->optimizer.steps = step;
    trainer->clipped = clipped;
    return status;
}
