/*
 * Same bytes: one network is computed in two ways, and every statistic and every gradient is
 * compared.
 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "cli/check.h"
#include "net/network.h"

/* Everything that a network computes, one number after another. */
typedef struct {
    double *values;
    size_t count, room;
} trace;

static gs_status append(trace *t, const double *values, size_t count, gs_error *error) {
    double *grown = gs_grow(t->values, t->count, t->count + count, &t->room, sizeof *grown, error);
    if (!grown)
        return GS_ERR_MEMORY;
    t->values = grown;
    memcpy(grown + t->count, values, count * sizeof *values);
    t->count += count;
    return GS_OK;
}

static gs_status trace_statistics(gs_network *network, trace *t, gs_error *error) {
    gs_summary summary;
    size_t count = gs_network_layers(network);
    gs_layer_stats *rows = gs_alloc(count, sizeof *rows, error);
    gs_status status = rows ? gs_measure(network, rows, &summary, error) : GS_ERR_MEMORY;
    if (status == GS_OK)
        status = append(t, &summary.loss, 1, error);
    for (size_t i = 0; i < count; i++)
        for (gs_column column = 0; column < GS_COLUMN_COUNT; column++) {
            double value = 0;
            if (status == GS_OK && gs_layer_stats_get(&rows[i], column, &value))
                status = append(t, &value, 1, error);
        }
    gs_free(rows);
    return status;
}

static gs_status trace_tensors(gs_network *network, trace *t, gs_error *error) {
    double loss;
    gs_tensor tensor;
    gs_status status = gs_network_keep_gradients(network, error);
    if (status == GS_OK)
        status = gs_network_forward(network, &loss, error);
    if (status == GS_OK)
        status = gs_network_backward(network, error);
    for (size_t i = 0; status == GS_OK && gs_network_tensor(network, i, &tensor); i++) {
        size_t count = gs_tensor_count(&tensor);
        double *values = gs_alloc(count, sizeof *values, error);
        status =
            values ? gs_network_read(network, tensor.name, values, count, error) : GS_ERR_MEMORY;
        if (status == GS_OK)
            status = append(t, values, count, error);
        gs_free(values);
    }
    return status;
}

/* Compute the network in one of the two ways. */
static gs_status compute(const check_ways *ways, size_t way, const gs_config *config, trace *t,
                         gs_error *error) {
    gs_config *copy = gs_config_copy(config, error);
    if (!copy)
        return GS_ERR_MEMORY;
    setenv("GRADSIM_ISA", ways->isa[way], 1);
    gs_status status = gs_config_set(copy, "threads", ways->threads[way], error);
    if (status == GS_OK)
        status = gs_config_set(copy, "dtype", ways->dtype, error);
    gs_network *network = status == GS_OK ? check_build(copy, error) : NULL;
    if (network)
        status = trace_statistics(network, t, error);
    if (network && status == GS_OK)
        status = trace_tensors(network, t, error);
    gs_network_free(network);
    gs_config_free(copy);
    return network || status != GS_OK ? status : error->code;
}

gs_status check_same_bytes(void *context, const gs_config *config, gs_error *error) {
    trace t[2] = {{0}, {0}};
    gs_status status = compute(context, 0, config, &t[0], error);
    if (status == GS_OK)
        status = compute(context, 1, config, &t[1], error);
    bool same = t[0].count == t[1].count;
    for (size_t i = 0; status == GS_OK && same && i < t[0].count; i++)
        if (memcmp(&t[0].values[i], &t[1].values[i], sizeof *t[0].values) != 0)
            status =
                gs_fail(error, GS_ERR_FORMAT, "number %zu of %zu is %.17g one way, %.17g the other",
                        i + 1, t[0].count, t[0].values[i], t[1].values[i]);
    if (status == GS_OK && !same)
        status = gs_fail(error, GS_ERR_FORMAT, "%zu numbers one way, %zu the other", t[0].count,
                         t[1].count);
    gs_free(t[0].values);
    gs_free(t[1].values);
    return status;
}
