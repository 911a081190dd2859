/*
 * From a safetensors file into a network: which tensor of the file is which parameter, all checked
 * before the first is written.
 */
#include "train/load.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "net/network.h"
#include "train/foreign.h"

bool gs_safetensors_is_own(const gs_safetensors *file) {
    return gs_safetensors_metadata(file, "layers") && gs_safetensors_metadata(file, "seed");
}

/* ---- Options ---- */

/* An empty text is one that was not given. */
static gs_status take_options(gs_config *config, const gs_safetensors *file, gs_error *error) {
    gs_error why;
    for (size_t i = 0; i < gs_config_options.count; i++) {
        const gs_option *option = &gs_config_options.rows[i];
        const char *text = gs_safetensors_metadata(file, option->name);
        if (!(option->column || option->saved) || !text ||
            (option->kind == GS_OPTION_TEXT && !text[0]))
            continue;
        gs_status status = gs_option_parse(option, config, text, &why);
        if (status != GS_OK)
            return gs_fail(error, status == GS_ERR_USAGE ? GS_ERR_FORMAT : status,
                           "%s: __metadata__: %s", gs_safetensors_path(file), why.message);
    }
    return GS_OK;
}

static gs_status set_sizes(gs_config *config, const gs_safetensors *file, const char *name,
                           gs_sizes sizes, gs_error *error) {
    const gs_option field = {.kind = GS_OPTION_SIZES};
    size_t room = gs_option_format(&field, &sizes, NULL, 0) + 1;
    char *text = gs_alloc(room, 1, error);
    gs_error why;
    if (!text)
        return GS_ERR_MEMORY;
    gs_option_format(&field, &sizes, text, room);
    gs_status status = gs_config_set(config, name, text, &why);
    gs_free(text);
    if (status == GS_OK)
        return GS_OK;
    return gs_fail(error, status == GS_ERR_USAGE ? GS_ERR_FORMAT : status, "%s: %s",
                   gs_safetensors_path(file), why.message);
}

/* One width where all layers below the head have the same. */
static gs_status set_widths(gs_config *config, const gs_safetensors *file,
                            const gs_foreign_layer *layers, size_t count, gs_error *error) {
    gs_sizes widths = {gs_alloc(count, sizeof *widths.at, error), 1};
    if (!widths.at)
        return GS_ERR_MEMORY;
    for (size_t i = 0; i < count; i++) {
        widths.at[i] = layers[i].weight->shape[0];
        if (widths.at[i] != widths.at[0])
            widths.count = count;
    }
    gs_status status = set_sizes(config, file, "width", widths, error);
    gs_free(widths.at);
    return status;
}

static gs_status set_shape(gs_config *config, const gs_safetensors *file,
                           const gs_foreign_layer *layers, size_t count, gs_error *error) {
    size_t hidden = count - 1, inputs = layers[0].weight->shape[1];
    size_t outputs = layers[hidden].weight->shape[0];
    gs_status status = set_sizes(config, file, "layers", (gs_sizes){&hidden, 1}, error);
    if (status == GS_OK)
        status = set_widths(config, file, layers, hidden, error);
    if (status == GS_OK)
        status = set_sizes(config, file, "inputs", (gs_sizes){&inputs, 1}, error);
    if (status == GS_OK)
        status = set_sizes(config, file, "outputs", (gs_sizes){&outputs, 1}, error);
    return status == GS_OK ? gs_config_set(config, "head", "on", error) : status;
}

static gs_status take_shape(gs_config *config, const gs_safetensors *file, gs_error *error) {
    gs_foreign_layer *layers;
    size_t count;
    gs_status status = gs_foreign_layers(file, &layers, &count, error);
    if (status != GS_OK)
        return status;
    status = set_shape(config, file, layers, count, error);
    gs_free(layers);
    return status;
}

gs_status gs_config_load(gs_config *config, const gs_safetensors *file, gs_error *error) {
    gs_config *loaded = gs_config_copy(config, error);
    if (!loaded)
        return GS_ERR_MEMORY;
    gs_status status = gs_safetensors_is_own(file) ? take_options(loaded, file, error)
                                                   : take_shape(loaded, file, error);
    if (status == GS_OK) {
        gs_config before = *config;
        *config = *loaded;
        *loaded = before;
    }
    gs_config_free(loaded);
    return status;
}

/* ---- Which tensor is which parameter ---- */

typedef struct {
    gs_network *network;
    const gs_safetensors *file;
    const gs_stored_tensor **sources; /* of each entry; NULL: zeros, or it is no parameter */
    gs_error *error;
} loading;

static bool is_parameter(const gs_entry *entry) {
    return entry->stage && !entry->grad;
}

static gs_status refuse(const loading *load, const char *name, const char *expected,
                        const char *got) {
    return gs_fail(load->error, GS_ERR_USAGE, "%s: '%.*s': expected %s, got %s",
                   gs_safetensors_path(load->file), gs_stored_shown(name), name, expected, got);
}

static bool is_passed_over(const char *name) {
    static const char *const names[] = {"input", "target", "readout", NULL};
    static const char *const endings[] = {
        "grad", "initial", "momentum_buffer", "exp_avg", "exp_avg_sq", "square_avg", NULL};
    const char *dot = strrchr(name, '.');
    return gs_is_among(name, names) || (dot && gs_is_among(dot + 1, endings));
}

/* In our own files every parameter has its name. */
static gs_status find_own(loading *load) {
    const gs_network *network = load->network;
    size_t tensors;
    const gs_stored_tensor *first = gs_safetensors_tensors(load->file, &tensors);
    bool *taken = gs_alloc(tensors, sizeof *taken, load->error);
    gs_status status = taken ? GS_OK : GS_ERR_MEMORY;
    for (size_t i = 0; status == GS_OK && i < network->entry_count; i++) {
        const gs_entry *entry = &network->entries[i];
        if (!is_parameter(entry))
            continue;
        load->sources[i] = gs_safetensors_find(load->file, entry->tensor.name);
        if (load->sources[i])
            taken[load->sources[i] - first] = true;
        else
            status = refuse(load, entry->tensor.name, "this parameter of the network", "none");
    }
    for (size_t i = 0; status == GS_OK && i < tensors; i++)
        if (!taken[i] && !is_passed_over(first[i].name))
            status = refuse(load, first[i].name, "parameters of this network alone", "another");
    gs_free(taken);
    return status;
}

/* In a plain MLP the dense layers come one after another. */
static gs_status match_foreign(loading *load, const gs_foreign_layer *layers, size_t count) {
    const gs_network *network = load->network;
    if (count != network->layers)
        return gs_fail(load->error, GS_ERR_USAGE, "%s: expected %zu dense layers, got %zu",
                       gs_safetensors_path(load->file), network->layers, count);
    for (size_t i = 0; i < network->entry_count; i++) {
        const gs_entry *entry = &network->entries[i];
        if (!is_parameter(entry))
            continue;
        if (entry->stage->kind != GS_STAGE_DENSE)
            return refuse(load, entry->tensor.name, "this parameter of the network",
                          "a plain MLP of dense layers");
        const gs_foreign_layer *layer = &layers[entry->stage->layer - 1];
        load->sources[i] = entry->kind == GS_ENTRY_WEIGHT ? layer->weight : layer->bias;
    }
    return GS_OK;
}

static gs_status find_foreign(loading *load) {
    gs_foreign_layer *layers;
    size_t count;
    gs_status status = gs_foreign_layers(load->file, &layers, &count, load->error);
    if (status != GS_OK)
        return status;
    status = match_foreign(load, layers, count);
    gs_free(layers);
    return status;
}

static gs_status check_entry(const loading *load, const gs_entry *entry,
                             const gs_stored_tensor *source) {
    const gs_tensor *tensor = &entry->tensor;
    char expected[64], got[GS_SHAPE_TEXT];
    if (entry->kind == GS_ENTRY_WEIGHT && !entry->stage->dense.weight.data)
        return refuse(load, tensor->name, "--weights stored to load it", "streamed");
    bool same = !source || source->rank == tensor->rank;
    for (size_t i = 0; source && same && i < tensor->rank; i++)
        same = source->shape[i] == tensor->shape[i];
    if (same)
        return GS_OK;
    gs_format(expected, sizeof expected, tensor->rank == 1 ? "[%zu]" : "[%zu,%zu]",
              tensor->shape[0], tensor->shape[1]);
    gs_stored_shape(source, got);
    return refuse(load, source->name, expected, got);
}

/* ---- Loading ---- */

static gs_status check_entries(const loading *load, size_t *largest) {
    *largest = 0;
    for (size_t i = 0; i < load->network->entry_count; i++) {
        const gs_entry *entry = &load->network->entries[i];
        if (!is_parameter(entry))
            continue;
        gs_status status = check_entry(load, entry, load->sources[i]);
        if (status != GS_OK)
            return status;
        if (*largest < gs_tensor_count(&entry->tensor))
            *largest = gs_tensor_count(&entry->tensor);
    }
    return GS_OK;
}

static gs_status write_entries(const loading *load, double *values) {
    gs_network *network = load->network;
    gs_status status = GS_OK;
    for (size_t i = 0; status == GS_OK && i < network->entry_count; i++) {
        gs_entry *entry = &network->entries[i];
        if (!is_parameter(entry))
            continue;
        if (load->sources[i])
            status = gs_safetensors_read(load->file, load->sources[i], values, load->error);
        else
            memset(values, 0, gs_tensor_count(&entry->tensor) * sizeof *values);
        if (status == GS_OK)
            status = gs_network_write_entry(network, entry, values, load->error);
    }
    return status;
}

static gs_status load_checked(const loading *load) {
    size_t largest;
    gs_status status = check_entries(load, &largest);
    if (status != GS_OK)
        return status;
    double *values = gs_alloc(largest, sizeof *values, load->error);
    status = values ? write_entries(load, values) : GS_ERR_MEMORY;
    gs_free(values);
    return status;
}

gs_status gs_network_load(gs_network *network, const gs_safetensors *file, gs_error *error) {
    loading load = {network, file, NULL, error};
    load.sources = gs_alloc(network->entry_count, sizeof *load.sources, error);
    if (!load.sources)
        return GS_ERR_MEMORY;
    gs_status status = gs_safetensors_is_own(file) ? find_own(&load) : find_foreign(&load);
    if (status == GS_OK)
        status = load_checked(&load);
    gs_free(load.sources);
    return status;
}
