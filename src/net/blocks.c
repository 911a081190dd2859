/*
 * Building blocks: one stage of a network by itself, with row-major arrays in and out. What it
 * computes is computed by the same functions (dense.c, activation.c, norm.c).
 */
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "net/network.h"

/* A parameter or its gradient: a matrix or a vector. */
typedef struct {
    const char *name;
    gs_matrix *matrix;
    gs_vector *vector;
    bool grad;
} parameter;

enum { MOST_PARAMETERS = 4 };

struct gs_module {
    gs_engine engine; /* no threads */
    size_t inputs, outputs;
    gs_stage stage;   /* its `out` is y in forward and grad_y in backward */
    gs_signal x;      /* of the last forward; a batch of 0: none */
    gs_signal grad_x; /* of a dense layer: the others work in place */
    parameter parameters[MOST_PARAMETERS];
};

/* ---- Making one ---- */

static gs_module *new_module(gs_stage_kind kind, size_t inputs, size_t outputs, gs_error *error) {
    if (inputs == 0 || outputs == 0) {
        gs_fail(error, GS_ERR_USAGE, "%s: expected 1 or more, got 0",
                kind != GS_STAGE_DENSE ? "units"
                : inputs == 0          ? "inputs"
                                       : "outputs");
        return NULL;
    }
    gs_module *module = gs_alloc(1, sizeof *module, error);
    if (!module)
        return NULL;
    module->stage.kind = kind;
    module->inputs = inputs;
    module->outputs = outputs;
    if (gs_kernels_get(GS_F64, &module->engine.kernels, error) != GS_OK) {
        gs_module_free(module);
        return NULL;
    }
    return module;
}

static gs_module *finish(gs_module *module, gs_status status) {
    if (status == GS_OK)
        return module;
    gs_module_free(module);
    return NULL;
}

gs_module *gs_module_new_dense(size_t inputs, size_t outputs, const char *init, uint64_t seed,
                               gs_error *error) {
    gs_config options = {.bias = {GS_BIAS_CONSTANT, 0}};
    if (gs_config_set(&options, "init", init, error) != GS_OK)
        return NULL;
    gs_module *module = new_module(GS_STAGE_DENSE, inputs, outputs, error);
    if (!module)
        return NULL;
    gs_dense *dense = &module->stage.dense;
    gs_status status = gs_dense_new(&module->engine, outputs, inputs, true, dense, error);
    if (status == GS_OK)
        status = gs_matrix_new(&module->engine, outputs, inputs, &dense->grad, error);
    if (status == GS_OK)
        status =
            gs_dense_draw(&module->engine, dense, options.init, 1, options.bias, seed, 1, error);
    const parameter parameters[MOST_PARAMETERS] = {{"weight", &dense->weight, NULL, false},
                                                   {"bias", NULL, &dense->bias, false},
                                                   {"weight.grad", &dense->grad, NULL, true},
                                                   {"bias.grad", NULL, &dense->bias, true}};
    memcpy(module->parameters, parameters, sizeof parameters);
    return finish(module, status);
}

gs_module *gs_module_new_activation(size_t units, const char *act, gs_error *error) {
    gs_config options = {0};
    if (gs_config_set(&options, "act", act, error) != GS_OK)
        return NULL;
    gs_module *module = new_module(GS_STAGE_ACTIVATION, units, units, error);
    if (module)
        module->stage.act = options.act;
    return module;
}

gs_module *gs_module_new_norm(size_t units, const char *norm, double eps, gs_error *error) {
    gs_config options = {0};
    gs_status status = gs_config_set(&options, "norm", norm, error);
    if (status == GS_OK && options.norm.index == GS_NORM_NONE)
        status =
            gs_fail(error, GS_ERR_USAGE, "--norm: expected batch, layer or rms, got '%s'", norm);
    if (status == GS_OK && !(eps >= 0 && eps <= 1))
        status = gs_fail(error, GS_ERR_USAGE, "eps: expected a number from 0 to 1, got %g", eps);
    gs_module *module = status == GS_OK ? new_module(GS_STAGE_NORM, units, units, error) : NULL;
    if (!module)
        return NULL;
    gs_norm *n = &module->stage.norm;
    status = gs_norm_new(&module->engine, options.norm.index, eps, units, 1, NULL, n, error);
    const parameter parameters[MOST_PARAMETERS] = {{"weight", NULL, &n->scale, false},
                                                   {"bias", NULL, &n->shift, false},
                                                   {"weight.grad", NULL, &n->scale, true},
                                                   {"bias.grad", NULL, &n->shift, true}};
    memcpy(module->parameters, parameters, sizeof parameters);
    return finish(module, status);
}

/* ---- Memory that depends on the batch ---- */

static void release(gs_module *module) {
    gs_signal_free(&module->x);
    gs_signal_free(&module->grad_x);
    gs_signal_free(&module->stage.out);
    if (module->stage.kind == GS_STAGE_ACTIVATION)
        gs_signal_free(&module->stage.slope);
}

void gs_module_free(gs_module *module) {
    if (!module)
        return;
    release(module);
    if (module->stage.kind == GS_STAGE_DENSE)
        gs_dense_free(&module->stage.dense);
    if (module->stage.kind == GS_STAGE_NORM)
        gs_norm_free(&module->stage.norm);
    gs_free(module);
}

static void swap_vectors(gs_vector *x, gs_vector *y) {
    gs_vector old = *x;
    *x = *y;
    *y = old;
}

/* Another norm in place of this one, with its scale and shift. */
static gs_status resize_norm(gs_module *module, size_t batch, gs_error *error) {
    gs_norm *norm = &module->stage.norm, other;
    gs_status status = gs_norm_new(&module->engine, norm->kind, norm->eps, module->inputs, batch,
                                   NULL, &other, error);
    if (status == GS_OK) {
        gs_norm old = *norm;
        swap_vectors(&old.scale, &other.scale);
        swap_vectors(&old.shift, &other.shift);
        *norm = other;
        other = old;
    }
    gs_norm_free(&other);
    return status;
}

static gs_status resize(gs_module *module, size_t batch, gs_error *error) {
    const gs_engine *engine = &module->engine;
    gs_stage *stage = &module->stage;
    release(module);
    gs_status status = gs_signal_new(engine, module->outputs, batch, &stage->out, error);
    if (status == GS_OK && stage->kind == GS_STAGE_DENSE)
        status = gs_signal_new(engine, module->inputs, batch, &module->grad_x, error);
    if (status == GS_OK && stage->kind == GS_STAGE_ACTIVATION)
        status = gs_signal_new(engine, module->outputs, batch, &stage->slope, error);
    if (status == GS_OK && stage->kind == GS_STAGE_NORM)
        status = resize_norm(module, batch, error);
    if (status == GS_OK)
        status = gs_signal_new(engine, module->inputs, batch, &module->x, error);
    if (status != GS_OK)
        release(module);
    return status;
}

/* ---- Forward and backward ---- */

/* Row-major values in, as a network takes them: scaled to mantissas near 1. */
static void take(const gs_engine *engine, const double *values, gs_signal *signal) {
    gs_signal_write(engine, values, signal);
    gs_signal_normalise(engine, signal);
}

static gs_status prepare(gs_module *module, size_t batch, gs_error *error) {
    const gs_stage *stage = &module->stage;
    bool is_batch_norm = stage->kind == GS_STAGE_NORM && stage->norm.kind == GS_NORM_BATCH;
    size_t least = is_batch_norm ? 2 : 1;
    gs_status status = GS_OK;
    if (batch < least)
        status = gs_fail(error, GS_ERR_USAGE, "batch: expected %zu or more%s, got %zu", least,
                         is_batch_norm ? " for a batch norm" : "", batch);
    else if (batch != module->x.batch)
        status = resize(module, batch, error);
    return status;
}

gs_status gs_module_forward(gs_module *module, size_t batch, const double *x, double *y,
                            gs_error *error) {
    const gs_engine *engine = &module->engine;
    gs_stage *stage = &module->stage;
    gs_signal *in = &module->x, *out = &stage->out;
    gs_status status = prepare(module, batch, error);
    if (status != GS_OK) {
        release(module);
        return status;
    }
    take(engine, x, in);
    switch (stage->kind) {
    case GS_STAGE_DENSE:
        gs_dense_forward(engine, &stage->dense, in, out);
        break;
    case GS_STAGE_ACTIVATION:
        gs_activation_forward(engine, stage->act, in, out, &stage->slope);
        break;
    case GS_STAGE_NORM:
        gs_norm_forward(engine, &stage->norm, in, out);
        break;
    case GS_STAGE_SKIP:
        break; /* not a module */
    }
    gs_signal_read(engine, out, y);
    return GS_OK;
}

gs_status gs_module_backward(gs_module *module, const double *grad_y, double *grad_x,
                             gs_error *error) {
    const gs_engine *engine = &module->engine;
    gs_stage *stage = &module->stage;
    gs_signal *grad = &stage->out;
    gs_status status = GS_OK;
    if (module->x.batch == 0)
        return gs_fail(error, GS_ERR_USAGE, "backward: expected a forward pass before it");
    take(engine, grad_y, grad);
    switch (stage->kind) {
    case GS_STAGE_DENSE:
        gs_dense_backward(engine, &stage->dense, grad, &module->x, &module->grad_x);
        grad = &module->grad_x;
        break;
    case GS_STAGE_ACTIVATION:
        gs_activation_backward(engine, &stage->slope, grad, grad);
        break;
    case GS_STAGE_NORM:
        gs_norm_backward(engine, &stage->norm, grad);
        break;
    case GS_STAGE_SKIP:
        break;
    }
    if (status == GS_OK)
        gs_signal_read(engine, grad, grad_x);
    return status;
}

/* ---- Parameters ---- */

static size_t size_of(const parameter *p) {
    return p->matrix ? p->matrix->rows * p->matrix->cols : p->vector->units;
}

static const parameter *find(const gs_module *module, const char *name, size_t count,
                             gs_error *error) {
    for (size_t i = 0; i < MOST_PARAMETERS && module->parameters[i].name; i++) {
        const parameter *p = &module->parameters[i];
        if (strcmp(p->name, name) != 0)
            continue;
        if (size_of(p) == count)
            return p;
        gs_fail(error, GS_ERR_USAGE, "%s: expected %zu values, got %zu", name, size_of(p), count);
        return NULL;
    }
    gs_fail(error, GS_ERR_USAGE, "this module has no parameter '%s'", name);
    return NULL;
}

gs_status gs_module_read(const gs_module *module, const char *name, double *values, size_t count,
                         gs_error *error) {
    const parameter *p = find(module, name, count, error);
    if (!p)
        return GS_ERR_USAGE;
    if (p->matrix)
        gs_matrix_read(&module->engine, p->matrix, values);
    for (size_t i = 0; p->vector && i < count; i++)
        values[i] =
            p->grad ? gs_ldexp(p->vector->grad[i], p->vector->exponent) : p->vector->values[i];
    return GS_OK;
}

gs_status gs_module_write(gs_module *module, const char *name, const double *values, size_t count,
                          gs_error *error) {
    const parameter *p = find(module, name, count, error);
    if (!p)
        return GS_ERR_USAGE;
    if (p->grad)
        return gs_fail(error, GS_ERR_USAGE, "%s: a gradient cannot be written", name);
    if (p->matrix)
        gs_matrix_write(&module->engine, values, p->matrix);
    else
        memcpy(p->vector->values, values, count * sizeof *values);
    return GS_OK;
}
