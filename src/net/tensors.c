/*
 * The tensors of a network by name, as a --save file has them.
 */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "net/network.h"

/* ---- The list ---- */

/* Tensors of a stage at most: a weight and a bias, or a scale and a shift. */
enum { PER_STAGE = 2, OTHERS = 3 };

static void add_entry(gs_network *network, gs_entry_kind kind, bool grad, size_t rank, size_t rows,
                      size_t cols, const char *name) {
    gs_entry *entry = &network->entries[network->entry_count++];
    *entry =
        (gs_entry){.kind = kind, .grad = grad, .tensor = {.rank = rank, .shape = {rows, cols}}};
    gs_format(entry->tensor.name, sizeof entry->tensor.name, "%s%s", name, grad ? ".grad" : "");
}

/* "layers.<l>.NAME", or "head.NAME". */
static void add_parameter(gs_network *network, gs_entry_kind kind, bool grad, gs_stage *stage,
                          gs_vector *vector, size_t rank, size_t rows, size_t cols,
                          const char *name) {
    char full[64];
    if (stage->layer > network->config->layers)
        gs_format(full, sizeof full, "head.%s", name);
    else
        gs_format(full, sizeof full, "layers.%zu.%s", stage->layer, name);
    add_entry(network, kind, grad, rank, rows, cols, full);
    network->entries[network->entry_count - 1].stage = stage;
    network->entries[network->entry_count - 1].vector = vector;
}

static void add_stage(gs_network *network, bool grad, gs_stage *stage) {
    if (stage->kind == GS_STAGE_DENSE) {
        gs_matrix *weight = &stage->dense.weight;
        gs_vector *bias = &stage->dense.bias;
        add_parameter(network, GS_ENTRY_WEIGHT, grad, stage, NULL, 2, weight->rows, weight->cols,
                      "weight");
        add_parameter(network, GS_ENTRY_VECTOR, grad, stage, bias, 1, bias->units, 1, "bias");
    } else if (stage->kind == GS_STAGE_NORM) {
        gs_vector *scale = &stage->norm.scale, *shift = &stage->norm.shift;
        add_parameter(network, GS_ENTRY_VECTOR, grad, stage, scale, 1, scale->units, 1,
                      "norm.weight");
        add_parameter(network, GS_ENTRY_VECTOR, grad, stage, shift, 1, shift->units, 1,
                      "norm.bias");
    } else if (stage->kind == GS_STAGE_SKIP && stage->skip.learned) {
        add_parameter(network, GS_ENTRY_ALPHA, grad, stage, NULL, 1, 1, 1, "branch_scale");
    }
}

gs_status gs_network_list_entries(gs_network *network, gs_error *error) {
    const gs_config *config = network->config;
    size_t batch = config->batch, outputs = config->outputs;
    network->entries =
        gs_alloc(2 * PER_STAGE * network->stage_count + OTHERS, sizeof *network->entries, error);
    if (!network->entries)
        return GS_ERR_MEMORY;
    add_entry(network, GS_ENTRY_INPUT, false, 2, batch, config->inputs, "input");
    if (network->loss.target.data)
        add_entry(network, GS_ENTRY_TARGET, false, 2, batch, outputs, "target");
    else if (network->loss.labels)
        add_entry(network, GS_ENTRY_LABELS, false, 1, batch, 1, "target");
    else if (network->loss.readout)
        add_entry(network, GS_ENTRY_READOUT, false, 1, outputs, 1, "readout");
    for (int grad = 0; grad < 2; grad++)
        for (size_t i = 0; i < network->stage_count; i++)
            add_stage(network, grad, &network->stages[i]);
    return GS_OK;
}

size_t gs_tensor_count(const gs_tensor *tensor) {
    return tensor->shape[0] * (tensor->rank == 2 ? tensor->shape[1] : 1);
}

/* ---- Reading and writing ---- */

static bool is_there(const gs_network *network, const gs_entry *entry) {
    return !entry->grad || network->has_gradients;
}

bool gs_network_tensor(const gs_network *network, size_t index, gs_tensor *tensor) {
    if (index >= network->entry_count || !is_there(network, &network->entries[index]))
        return false; /* gradients come last */
    *tensor = network->entries[index].tensor;
    return true;
}

void gs_network_read_entry(const gs_network *network, const gs_entry *entry, double *values) {
    const gs_engine *engine = &network->engine;
    const gs_vector *vector = entry->vector;
    switch (entry->kind) {
    case GS_ENTRY_INPUT:
        gs_signal_read(engine, &network->input, values);
        break;
    case GS_ENTRY_TARGET:
        gs_signal_read(engine, &network->loss.target, values);
        break;
    case GS_ENTRY_LABELS:
        for (size_t b = 0; b < network->config->batch; b++)
            values[b] = (double)network->loss.labels[b];
        break;
    case GS_ENTRY_READOUT:
        memcpy(values, network->loss.readout, network->config->outputs * sizeof *values);
        break;
    case GS_ENTRY_WEIGHT:
        gs_matrix_read(
            engine, entry->grad ? &entry->stage->dense.grad : &entry->stage->dense.weight, values);
        break;
    case GS_ENTRY_VECTOR:
        for (size_t u = 0; u < vector->units; u++) {
            values[u] =
                entry->grad ? gs_ldexp(vector->grad[u], vector->exponent) : vector->values[u];
        }
        break;
    case GS_ENTRY_ALPHA:
        *values = entry->grad ? gs_ldexp(entry->stage->skip.grad_alpha, entry->stage->skip.exponent)
                              : entry->stage->skip.alpha;
        break;
    }
}

static gs_status write_labels(gs_network *network, const double *values, gs_error *error) {
    for (size_t b = 0; b < network->config->batch; b++) {
        double classes = (double)network->config->outputs;
        if (!(values[b] >= 0 && values[b] < classes && values[b] == floor(values[b]))) {
            return gs_fail(error, GS_ERR_USAGE, "target: expected classes from 0 to %zu, got %g",
                           network->config->outputs - 1, values[b]);
        }
    }
    for (size_t b = 0; b < network->config->batch; b++)
        network->loss.labels[b] = (size_t)values[b];
    network->has_target = true;
    return GS_OK;
}

/* A value as the element type holds it. */
static double rounded(const gs_kernels *kernels, double value) {
    double element;
    kernels->set(&element, value);
    return kernels->get(&element);
}

gs_status gs_network_write_entry(gs_network *network, gs_entry *entry, const double *values,
                                 gs_error *error) {
    const gs_engine *engine = &network->engine;
    network->has_forward = false;
    switch (entry->kind) {
    case GS_ENTRY_INPUT:
        gs_signal_write(engine, values, &network->input);
        network->has_input = true;
        break;
    case GS_ENTRY_TARGET:
        gs_signal_write(engine, values, &network->loss.target);
        network->has_target = true;
        break;
    case GS_ENTRY_LABELS:
        return write_labels(network, values, error);
    case GS_ENTRY_READOUT:
        for (size_t u = 0; u < network->config->outputs; u++)
            network->loss.readout[u] = rounded(engine->kernels, values[u]);
        break;
    case GS_ENTRY_WEIGHT:
        gs_matrix_write(engine, values, &entry->stage->dense.weight);
        break;
    case GS_ENTRY_VECTOR:
        for (size_t u = 0; u < entry->vector->units; u++)
            entry->vector->values[u] = rounded(engine->kernels, values[u]);
        break;
    case GS_ENTRY_ALPHA:
        entry->stage->skip.alpha = rounded(engine->kernels, *values);
        break;
    }
    return GS_OK;
}

/* The entry called `name`, if it is there and has `count` values. */
static gs_entry *find_entry(const gs_network *network, const char *name, size_t count,
                            gs_error *error) {
    for (size_t i = 0; i < network->entry_count; i++) {
        gs_entry *entry = &network->entries[i];
        if (strcmp(entry->tensor.name, name) != 0)
            continue;
        size_t values = gs_tensor_count(&entry->tensor);
        if (values != count) {
            gs_fail(error, GS_ERR_USAGE, "%s: expected %zu values, got %zu", name, values, count);
            return NULL;
        }
        return entry;
    }
    gs_fail(error, GS_ERR_USAGE, "this network has no tensor '%s'", name);
    return NULL;
}

gs_status gs_network_read(const gs_network *network, const char *name, double *values, size_t count,
                          gs_error *error) {
    const gs_entry *entry = find_entry(network, name, count, error);
    if (!entry)
        return GS_ERR_USAGE;
    if (!is_there(network, entry))
        return gs_fail(error, GS_ERR_USAGE,
                       "%s: expected gs_network_keep_gradients and a backward pass before", name);
    gs_network_read_entry(network, entry, values);
    return GS_OK;
}

gs_status gs_network_write(gs_network *network, const char *name, const double *values,
                           size_t count, gs_error *error) {
    gs_entry *entry = find_entry(network, name, count, error);
    if (!entry)
        return GS_ERR_USAGE;
    if (entry->grad)
        return gs_fail(error, GS_ERR_USAGE, "%s: a gradient cannot be written", name);
    if (entry->kind == GS_ENTRY_WEIGHT && !entry->stage->dense.weight.data)
        return gs_fail(error, GS_ERR_USAGE, "%s: expected --weights stored to write it", name);
    return gs_network_write_entry(network, entry, values, error);
}
