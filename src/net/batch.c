/*
 * The batch of a network: drawn as the configuration says, or given.
 */
#include "net/network.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "net/streams.h"

/* Values [batch, units] from tiles of (example, unit), so that a number does not depend on the
 * shape. */
static void draw_signal(const gs_engine *engine, gs_draw draw, uint64_t seed, gs_stream stream,
                        double scale, gs_signal *signal) {
    const gs_kernels *k = engine->kernels;
    _Alignas(64) char tile[GS_TILE_SIZE * sizeof(double)];
    signal->exponent = gs_split_factor(&scale);
    for (size_t b = 0; b < signal->batch; b += GS_TILE) {
        for (size_t u = 0; u < signal->units; u += GS_TILE) {
            k->random_tiles(draw, seed, stream, 0, (uint32_t)(b / GS_TILE), (uint32_t)(u / GS_TILE),
                            1, scale, tile);
            for (size_t i = 0; i < GS_TILE_SIZE; i++) {
                size_t example = b + i / GS_TILE, unit = u + i % GS_TILE;
                if (example < signal->batch && unit < signal->units)
                    k->set(gs_signal_element(k, signal, unit, example), k->get(tile + i * k->size));
            }
        }
    }
    gs_signal_measure(engine, signal);
}

static void fill_signal(const gs_engine *engine, double value, gs_signal *signal) {
    const gs_kernels *k = engine->kernels;
    signal->exponent = gs_split_factor(&value);
    for (size_t b = 0; b < signal->batch; b++)
        for (size_t u = 0; u < signal->units; u++)
            k->set(gs_signal_element(k, signal, u, b), value);
    gs_signal_measure(engine, signal);
}

/* One number for each of `count`, from row 0. */
void gs_draw_vector(const gs_engine *engine, gs_draw draw, uint64_t seed, gs_stream stream,
                    double scale, size_t count, double *values) {
    const gs_kernels *k = engine->kernels;
    _Alignas(64) char tile[GS_TILE_SIZE * sizeof(double)];
    for (size_t i = 0; i < count; i++) {
        if (i % GS_TILE == 0)
            k->random_tiles(draw, seed, stream, 0, 0, (uint32_t)(i / GS_TILE), 1, scale, tile);
        values[i] = k->get(tile + i % GS_TILE * k->size);
    }
}

static gs_status draw_labels(gs_network *network, gs_error *error) {
    size_t batch = network->config->batch, classes = network->config->outputs;
    double *uniform = gs_alloc(batch, sizeof *uniform, error);
    if (!uniform)
        return GS_ERR_MEMORY;
    gs_draw_vector(&network->engine, GS_DRAW_UNIFORM, network->config->seed, GS_STREAM_LABEL, 1,
                   batch, uniform);
    for (size_t b = 0; b < batch; b++) {
        size_t label = (size_t)((uniform[b] + 1) / 2 * (double)classes);
        network->loss.labels[b] = label < classes ? label : classes - 1;
    }
    gs_free(uniform);
    return GS_OK;
}

gs_status gs_network_draw_batch(gs_network *network, gs_error *error) {
    const gs_config *config = network->config;
    gs_signal *x = &network->input;
    if (config->data)
        return gs_fail(error, GS_ERR_USAGE,
                       "data: expected gs_network_set_batch with examples of '%s'", config->data);
    network->has_input = network->has_target = true;
    network->has_forward = false;
    if (config->input.index == GS_INPUT_NORMAL) {
        draw_signal(&network->engine, GS_DRAW_NORMAL, config->seed, GS_STREAM_INPUT,
                    config->input.parameter, x);
    } else {
        fill_signal(&network->engine, config->input.parameter, x);
    }
    if (network->loss.target.data) {
        draw_signal(&network->engine, GS_DRAW_NORMAL, config->seed, GS_STREAM_TARGET, 1,
                    &network->loss.target);
    }
    return network->loss.labels ? draw_labels(network, error) : GS_OK;
}

static gs_status check_labels(const gs_network *network, const size_t *labels, gs_error *error) {
    size_t classes = network->config->outputs;
    for (size_t b = 0; labels && b < network->config->batch; b++) {
        if (labels[b] >= classes) {
            return gs_fail(error, GS_ERR_USAGE,
                           "label of example %zu: expected a class below %zu, got %zu", b + 1,
                           classes, labels[b]);
        }
    }
    return GS_OK;
}

static void write_one_hot(const gs_engine *engine, const size_t *labels, gs_signal *target) {
    gs_signal_zero(engine, target);
    for (size_t b = 0; b < target->batch; b++)
        engine->kernels->set(gs_signal_element(engine->kernels, target, labels[b], b), 1);
    gs_signal_measure(engine, target);
}

gs_status gs_network_set_batch(gs_network *network, const double *input, const double *target,
                               const size_t *labels, gs_error *error) {
    gs_loss *loss = &network->loss;
    gs_status status = check_labels(network, labels, error);
    if (status == GS_OK && target && (labels || !loss->target.data))
        status =
            gs_fail(error, GS_ERR_USAGE, "target: expected %s, got %s",
                    labels ? "a target or labels" : "none with this loss", labels ? "both" : "one");
    if (status != GS_OK)
        return status;
    network->has_forward = false;
    if (input) {
        gs_signal_write(&network->engine, input, &network->input);
        network->has_input = true;
    }
    if (target)
        gs_signal_write(&network->engine, target, &loss->target);
    else if (labels && loss->target.data)
        write_one_hot(&network->engine, labels, &loss->target);
    else if (labels && loss->labels)
        memcpy(loss->labels, labels, network->config->batch * sizeof *labels);
    network->has_target |= target || labels;
    return GS_OK;
}
