/*
 * Forward and backward through the list of stages. After every stage its signal is brought back to
 * mantissas near 1, so that neither pass under- or overflows at any depth.
 */
#include "base/error.h"
#include "net/network.h"

/* ---- Forward ---- */

static void forward_stage(const gs_engine *engine, gs_stage *stage) {
    switch (stage->kind) {
    case GS_STAGE_DENSE:
        gs_dense_forward(engine, &stage->dense, stage->in, &stage->out);
        break;
    case GS_STAGE_ACTIVATION:
        gs_activation_forward(engine, stage->act, stage->in, &stage->out, &stage->slope);
        break;
    case GS_STAGE_NORM:
        gs_norm_forward(engine, &stage->norm, stage->in, &stage->out);
        break;
    case GS_STAGE_SKIP:
        gs_skip_forward(engine, &stage->skip, stage->in, &stage->out);
        break;
    }
}

gs_status gs_network_forward_observed(gs_network *network, const gs_observer *observer,
                                      gs_error *error) {
    const gs_engine *engine = &network->engine;
    if (!network->has_input)
        return gs_fail(error, GS_ERR_USAGE, "the network has no batch: draw one or set one first");
    if (!network->has_target && (network->loss.target.data || network->loss.labels))
        return gs_fail(error, GS_ERR_USAGE, "the batch has no %s, which its loss needs",
                       network->loss.labels ? "labels" : "target");
    network->nonfinite_layer = 0;
    gs_signal_normalise(engine, &network->input);
    for (size_t i = 0; i < network->stage_count; i++) {
        gs_stage *stage = &network->stages[i];
        gs_status status = GS_OK;
        forward_stage(engine, stage);
        if (!gs_signal_normalise(engine, &stage->out) && network->nonfinite_layer == 0)
            network->nonfinite_layer = stage->layer;
        if (observer && observer->value)
            status = observer->value(observer->context, stage, error);
        if (status != GS_OK)
            return status;
    }
    const gs_signal *output = &network->stages[network->stage_count - 1].out;
    gs_signal_reshape(engine, &network->grad, output->units);
    network->loss_value = gs_loss_gradient(engine, &network->loss, output, &network->grad);
    gs_signal_normalise(engine, &network->grad);
    network->has_forward = true;
    return GS_OK;
}

gs_status gs_network_forward(gs_network *network, double *loss, gs_error *error) {
    gs_status status = gs_network_forward_observed(network, NULL, error);
    if (status == GS_OK && loss)
        *loss = network->loss_value;
    return status;
}

/* ---- Backward ---- */

/* The gradient moves on: what was computed to the side takes its place. */
static void swap_gradient(gs_network *network) {
    gs_signal old = network->grad;
    network->grad = network->spare;
    network->spare = old;
}

static gs_status backward_dense(gs_network *network, gs_stage *stage, const gs_observer *observer,
                                gs_error *error) {
    gs_status status = GS_OK;
    if (network->keep_gradients) {
        status = gs_dense_grad_weight(&network->engine, &network->grad, stage->in,
                                      &stage->dense.grad, error);
    }
    if (status == GS_OK && observer && observer->dense)
        status = observer->dense(observer->context, stage, &network->grad, error);
    if (status == GS_OK) {
        gs_signal_reshape(&network->engine, &network->spare, stage->in->units);
        gs_dense_backward(&network->engine, &stage->dense, &network->grad, &network->spare);
        swap_gradient(network);
    }
    return status;
}

static gs_status backward_stage(gs_network *network, gs_stage *stage, const gs_observer *observer,
                                gs_error *error) {
    const gs_engine *engine = &network->engine;
    switch (stage->kind) {
    case GS_STAGE_DENSE:
        return backward_dense(network, stage, observer, error);
    case GS_STAGE_ACTIVATION:
        gs_activation_backward(engine, &stage->slope, &network->grad, &network->grad);
        break;
    case GS_STAGE_NORM:
        gs_norm_backward(engine, &stage->norm, &network->grad);
        break;
    case GS_STAGE_SKIP:
        gs_skip_backward(engine, &stage->skip, &network->grad, &network->skipped);
        break;
    }
    return GS_OK;
}

/* At x_l: what went round the block that starts here joins, and the observer sees the sum. */
static gs_status arrive(gs_network *network, size_t layer, unsigned names, size_t *joins_at,
                        const gs_observer *observer, gs_error *error) {
    if ((names & GS_IS_X) && *joins_at == layer) {
        gs_signal_combine(&network->engine, 1, &network->grad, 1, &network->skipped,
                          &network->grad);
        *joins_at = SIZE_MAX;
    }
    gs_signal_normalise(&network->engine, &network->grad);
    if (observer && observer->grad && names)
        return observer->grad(observer->context, layer, names, &network->grad, error);
    return GS_OK;
}

gs_status gs_network_backward_observed(gs_network *network, const gs_observer *observer,
                                       gs_error *error) {
    /* Skips do not overlap, so one signal at a time is on its way round. */
    size_t joins_at = SIZE_MAX;
    if (!network->has_forward)
        return gs_fail(error, GS_ERR_USAGE, "backward: expected a forward pass before it");
    network->has_forward = false;
    for (size_t i = network->stage_count; i-- > 0;) {
        gs_stage *stage = &network->stages[i];
        gs_status status = arrive(network, stage->layer, stage->names, &joins_at, observer, error);
        if (status == GS_OK)
            status = backward_stage(network, stage, observer, error);
        if (status != GS_OK)
            return status;
        if (stage->kind == GS_STAGE_SKIP)
            joins_at = stage->skip.source_layer;
    }
    network->has_gradients = network->keep_gradients;
    return arrive(network, 0, GS_IS_X, &joins_at, observer, error);
}

gs_status gs_network_backward(gs_network *network, gs_error *error) {
    return gs_network_backward_observed(network, NULL, error);
}
