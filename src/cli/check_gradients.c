/*
 * Gradient check: for every parameter tensor, the slope of the loss that backward gives against
 * (L(p + h v) - L(p - h v)) / 2h, along a random direction v and along the entry with the largest
 * gradient.
 */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/philox.h"
#include "base/text.h"
#include "cli/check.h"
#include "net/network.h"

/* The truncation error is h^2 L''' / 6, the rounding error about 1e-16 L / h: both stay below a
   relative 1e-8 where L and its derivatives are near 1, and what a wrong factor would do is far
   above TOLERANCE. */
static const double STEP = 3e-5, TOLERANCE = 1e-6;

/* The gradient of a bias before batch norm is exactly zero: errors are relative to no less than
   this. */
static const double SMALLEST_NORM = 1e-4;

typedef struct {
    gs_network *network;
    gs_tensor tensor;
    size_t count;
    double *value, *grad, *direction, *moved; /* each [count], in one block */
} parameter;

static bool is_parameter(const gs_tensor *tensor) {
    return strchr(tensor->name, '.') && !strstr(tensor->name, ".grad");
}

/* Uniform in (-1, 1): a pure function of its arguments. */
static double noise(uint32_t stream, size_t index) {
    const uint32_t key[2] = {stream, 0}, counter[4] = {(uint32_t)index, 0, 0, 0};
    uint32_t bits[4];
    gs_philox4x32(counter, key, bits);
    return (bits[0] + 0.5) / 2147483648.0 - 1;
}

static gs_status load(parameter *p, gs_network *network, const gs_tensor *tensor, gs_error *error) {
    size_t count = gs_tensor_count(tensor);
    *p = (parameter){.network = network, .tensor = *tensor, .count = count};
    p->value = gs_alloc(4 * count, sizeof *p->value, error);
    if (!p->value)
        return GS_ERR_MEMORY;
    p->grad = p->value + count;
    p->direction = p->grad + count;
    p->moved = p->direction + count;
    return gs_network_read(network, tensor->name, p->value, count, error);
}

/* The loss with the parameter at value + step * direction. */
static gs_status loss_at(const parameter *p, double step, double *loss, gs_error *error) {
    for (size_t i = 0; i < p->count; i++)
        p->moved[i] = p->value[i] + step * p->direction[i];
    gs_status status = gs_network_write(p->network, p->tensor.name, p->moved, p->count, error);
    return status == GS_OK ? gs_network_forward(p->network, loss, error) : status;
}

static gs_status compare_slopes(const parameter *p, double norm, double *largest, gs_error *error) {
    double after, before, unused, analytic = 0;
    gs_status status = loss_at(p, STEP, &after, error);
    if (status == GS_OK)
        status = loss_at(p, -STEP, &before, error);
    if (status == GS_OK)
        status = loss_at(p, 0, &unused, error);
    if (status != GS_OK)
        return status;
    for (size_t i = 0; i < p->count; i++)
        analytic += p->grad[i] * p->direction[i];
    double numeric = (after - before) / (2 * STEP);
    double relative = fabs(analytic - numeric) / fmax(norm, SMALLEST_NORM);
    *largest = fmax(*largest, relative);
    if (relative < TOLERANCE)
        return GS_OK;
    return gs_fail(error, GS_ERR_FORMAT, "%s: backward says %.9g, differences say %.9g",
                   p->tensor.name, analytic, numeric);
}

static gs_status check_parameter(parameter *p, double *largest, gs_error *error) {
    char name[sizeof p->tensor.name + sizeof ".grad"];
    gs_format(name, sizeof name, "%s.grad", p->tensor.name);
    gs_status status = gs_network_read(p->network, name, p->grad, p->count, error);
    if (status != GS_OK)
        return status;
    double squares = 0, directions = 0;
    size_t steepest = 0;
    for (size_t i = 0; i < p->count; i++) {
        p->direction[i] = noise(1, i);
        squares += p->grad[i] * p->grad[i];
        directions += p->direction[i] * p->direction[i];
        steepest = fabs(p->grad[i]) > fabs(p->grad[steepest]) ? i : steepest;
    }
    if (!strstr(p->tensor.name, "bias") && !(squares > 0))
        return gs_fail(error, GS_ERR_FORMAT, "%s: the gradient is zero", p->tensor.name);
    for (size_t i = 0; i < p->count; i++)
        p->direction[i] /= sqrt(directions);
    status = compare_slopes(p, sqrt(squares), largest, error);
    for (size_t i = 0; i < p->count; i++)
        p->direction[i] = i == steepest;
    return status == GS_OK ? compare_slopes(p, sqrt(squares), largest, error) : status;
}

/* Away from the start, where some gradients are zero (rezero) or symmetrical (constant weights). */
static gs_status perturb(parameter *p, double *index, gs_error *error) {
    for (size_t i = 0; i < p->count; i++)
        p->moved[i] = p->value[i] + 0.3 * noise(2 + (uint32_t)*index, i);
    *index += 1;
    return gs_network_write(p->network, p->tensor.name, p->moved, p->count, error);
}

static gs_status for_parameters(gs_network *network,
                                gs_status (*visit)(parameter *p, double *result, gs_error *error),
                                double *result, gs_error *error) {
    gs_tensor tensor;
    gs_status status = GS_OK;
    for (size_t i = 0; status == GS_OK && gs_network_tensor(network, i, &tensor); i++) {
        parameter p;
        if (!is_parameter(&tensor))
            continue;
        status = load(&p, network, &tensor, error);
        if (status == GS_OK)
            status = visit(&p, result, error);
        gs_free(p.value);
    }
    return status;
}

gs_status check_gradients(void *largest, const gs_config *config, gs_error *error) {
    gs_network *network = check_build(config, error);
    double loss, index = 0;
    if (!network)
        return error->code;
    gs_status status = for_parameters(network, perturb, &index, error);
    if (status == GS_OK)
        status = gs_network_keep_gradients(network, error);
    if (status == GS_OK)
        status = gs_network_forward(network, &loss, error);
    if (status == GS_OK)
        status = gs_network_backward(network, error);
    if (status == GS_OK)
        status = for_parameters(network, check_parameter, largest, error);
    gs_network_free(network);
    return status;
}
