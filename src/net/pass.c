/*
 * Forward and backward through the list of stages. After every stage its signal is brought back to
 * mantissas near 1, so that neither pass under- or overflows at any depth. An activation rides with
 * the product next to it: each block is worked on while it is in the cache.
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

/* A dense stage and the activation that follows it, block by block. False if that cannot be. */
static bool forward_together(const gs_engine *engine, gs_stage *dense, gs_stage *act) {
    gs_activation_job job;
    if (act->kind != GS_STAGE_ACTIVATION)
        return false;
    int64_t exponent = gs_dense_exponent(&dense->dense, dense->in);
    if (!gs_activation_begin_ride(engine, act->act, exponent, &dense->out, &act->out, &act->slope,
                                  &job))
        return false;
    forward_stage(engine, dense);
    gs_activation_end_ride(engine, &job, &dense->out);
    return true;
}

/* The output of a stage is made: bring it to size, and show it. What rode on it before it was
   brought to size has to be made again: it may not have fitted. */
static gs_status complete(gs_network *network, gs_stage *stage, const gs_observer *observer,
                          gs_error *error) {
    if (!gs_signal_normalise(&network->engine, &stage->out) && network->nonfinite_layer == 0)
        network->nonfinite_layer = stage->layer;
    if (observer && observer->value)
        return observer->value(observer->context, stage, error);
    return GS_OK;
}

/* Stages [first, end). */
static gs_status forward_stages(gs_network *network, size_t first, size_t end,
                                const gs_observer *observer, gs_error *error) {
    bool next_is_made = false;
    for (size_t i = first; i < end; i++) {
        gs_stage *stage = &network->stages[i];
        bool is_made = next_is_made;
        next_is_made = stage->kind == GS_STAGE_DENSE && i + 1 < end &&
                       forward_together(&network->engine, stage, stage + 1);
        if (!is_made && !next_is_made)
            forward_stage(&network->engine, stage);
        int64_t exponent = stage->out.exponent;
        gs_status status = complete(network, stage, observer, error);
        if (status != GS_OK)
            return status;
        next_is_made = next_is_made && stage->out.exponent == exponent;
    }
    return GS_OK;
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
    gs_status status = forward_stages(network, 0, network->stage_count, observer, error);
    if (status != GS_OK)
        return status;
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
static void swap_gradient(gs_network *network, gs_signal *next) {
    gs_signal old = network->grad;
    network->grad = *next;
    *next = old;
}

/* Where x_l is, what went round the block that starts here joins. */
static bool joins(const gs_network *network, size_t layer, unsigned names) {
    return (names & GS_IS_X) && network->joins_at == layer;
}

/* dL/du = W^T dL/dz, and dL/dz of the activation below along with it where that is there and
   nothing joins between. */
static gs_status backward_dense(gs_network *network, gs_stage *stage, const gs_observer *observer,
                                gs_error *error) {
    gs_status status = GS_OK;
    const gs_engine *engine = &network->engine;
    const gs_stage *below = stage > network->stages ? stage - 1 : NULL;
    gs_signal *grad = &network->spare;
    gs_slope_job job;
    gs_signal_reshape(engine, grad, stage->in->units);
    grad->riders = observer && below && (below->names & GS_IS_A) ? observer->grad_a : NULL;
    network->has_ridden = below && below->kind == GS_STAGE_ACTIVATION &&
                          below->layer >= network->first_there &&
                          !joins(network, below->layer, below->names);
    if (network->has_ridden) {
        gs_signal_reshape(engine, &network->ridden, grad->units);
        gs_activation_begin_ride_back(engine, &below->slope, grad, &network->ridden, &job);
    }
    gs_dense_backward(engine, &stage->dense, &network->grad,
                      network->keep_gradients ? stage->in : NULL, grad);
    if (network->has_ridden)
        gs_activation_end_ride_back(&job, grad);
    if (observer && observer->dense)
        status = observer->dense(observer->context, stage, &network->grad, error);
    swap_gradient(network, grad);
    return status;
}

static gs_status backward_stage(gs_network *network, gs_stage *stage, const gs_observer *observer,
                                gs_error *error) {
    const gs_engine *engine = &network->engine;
    switch (stage->kind) {
    case GS_STAGE_DENSE:
        return backward_dense(network, stage, observer, error);
    case GS_STAGE_ACTIVATION:
        if (network->has_ridden)
            swap_gradient(network, &network->ridden);
        else
            gs_activation_backward(engine, &stage->slope, &network->grad, &network->grad);
        network->has_ridden = false;
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

/* The gradient with respect to the output of a stage is complete: it is brought to size, after
   which what rode on it counts no more, and the observer sees it. */
static gs_status arrive(gs_network *network, size_t layer, unsigned names,
                        const gs_observer *observer, gs_error *error) {
    gs_signal *grad = &network->grad;
    gs_status status = GS_OK;
    if (joins(network, layer, names)) {
        gs_signal_combine(&network->engine, 1, grad, 1, &network->skipped, grad);
        network->joins_at = SIZE_MAX;
    }
    int64_t exponent = grad->exponent;
    gs_signal_normalise(&network->engine, grad);
    if (grad->exponent != exponent)
        network->has_ridden = false;
    if (observer && observer->grad)
        status = observer->grad(observer->context, layer, names, grad, error);
    grad->riders = NULL;
    return status;
}

/* The first layer of the segment that a layer is in; a head is in that of the last layer. */
static size_t segment_start(const gs_network *network, size_t layer) {
    size_t last = network->config->layers, inside = (layer < last ? layer : last) - 1;
    return network->segment > 0 ? inside - inside % network->segment + 1 : 1;
}

/* Make the segment again that ends with stage `last`, from the checkpoint before it. Nothing can
   fail where nobody observes. */
static void recompute_segment(gs_network *network, size_t last) {
    size_t first = last;
    network->first_there = segment_start(network, network->stages[last].layer);
    while (first > 0 && network->stages[first - 1].layer >= network->first_there)
        first--;
    forward_stages(network, first, last + 1, NULL, NULL);
}

gs_status gs_network_backward_observed(gs_network *network, const gs_observer *observer,
                                       gs_error *error) {
    if (!network->has_forward)
        return gs_fail(error, GS_ERR_USAGE, "backward: expected a forward pass before it");
    network->has_forward = network->has_ridden = false;
    network->joins_at = SIZE_MAX;
    network->first_there = segment_start(network, network->layers);
    for (size_t i = network->stage_count; i-- > 0;) {
        gs_stage *stage = &network->stages[i];
        if (stage->layer < network->first_there)
            recompute_segment(network, i);
        gs_status status = arrive(network, stage->layer, stage->names, observer, error);
        if (status == GS_OK)
            status = backward_stage(network, stage, observer, error);
        if (status != GS_OK)
            return status;
        if (stage->kind == GS_STAGE_SKIP)
            network->joins_at = stage->skip.source_layer;
    }
    network->has_gradients = network->keep_gradients;
    return arrive(network, 0, GS_IS_X, observer, error);
}

gs_status gs_network_backward(gs_network *network, gs_error *error) {
    return gs_network_backward_observed(network, NULL, error);
}
