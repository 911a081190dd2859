/*
 * Evaluation: examples go through the network batch by batch, and each is judged by itself.
 */
#include "train/evaluate.h"

#include <math.h>

#include "base/error.h"
#include "base/memory.h"

static const gs_signal *output_of(const gs_network *network) {
    return &network->stages[network->stage_count - 1].out;
}

static bool is_right(const gs_network *network, size_t example, size_t label) {
    const gs_kernels *k = network->engine.kernels;
    const gs_signal *x = output_of(network);
    double largest = k->get(gs_signal_element(k, x, 0, example));
    bool is_number = !isnan(largest);
    size_t top = 0;
    for (size_t u = 1; u < x->units; u++) {
        double value = k->get(gs_signal_element(k, x, u, example));
        is_number = is_number && !isnan(value);
        if (value > largest) {
            largest = value;
            top = u;
        }
    }
    return is_number && top == label;
}

double gs_batch_accuracy(const gs_network *network, const size_t *labels) {
    size_t right = 0, batch = network->config->batch;
    labels = labels ? labels : network->loss.labels;
    if (!labels)
        return NAN;
    for (size_t b = 0; b < batch; b++)
        right += is_right(network, b, labels[b]);
    return (double)right / (double)batch;
}

/* ---- All examples ---- */

typedef struct {
    gs_network *network;
    const gs_data *data;
    double *input; /* [batch, features] and [batch] */
    size_t *labels;
    double loss; /* sums so far */
    size_t right;
} evaluation;

static gs_status begin(evaluation *e, gs_error *error) {
    size_t inputs = e->network->config->inputs;
    if (e->data->features != inputs)
        return gs_fail(error, GS_ERR_USAGE, "expected examples of %zu features, got %zu", inputs,
                       e->data->features);
    return gs_data_make_room(e->network->config->batch, inputs, &e->input, &e->labels, error);
}

/* The batch from example `first` on, and on from the beginning. */
static gs_status pass(evaluation *e, size_t first, gs_error *error) {
    const gs_data *data = e->data;
    for (size_t b = 0; b < e->network->config->batch; b++)
        gs_data_copy_example(data, (first + b) % data->examples, b, e->input, e->labels);
    gs_status status = gs_network_set_batch(e->network, e->input, NULL, e->labels, error);
    return status == GS_OK ? gs_network_forward(e->network, NULL, error) : status;
}

static void judge(evaluation *e, size_t count) {
    const gs_network *network = e->network;
    for (size_t b = 0; b < count; b++) {
        e->loss += gs_loss_of_example(&network->engine, &network->loss, output_of(network), b);
        e->right += is_right(network, b, e->labels[b]);
    }
}

gs_status gs_network_evaluate(gs_network *network, const gs_data *data, double *loss,
                              double *accuracy, gs_error *error) {
    evaluation e = {.network = network, .data = data};
    size_t batch = network->config->batch, examples = data->examples;
    gs_status status = begin(&e, error);
    for (size_t first = 0; first < examples && status == GS_OK; first += batch) {
        status = pass(&e, first, error);
        if (status == GS_OK)
            judge(&e, examples - first < batch ? examples - first : batch);
    }
    *loss = e.loss / (double)examples;
    *accuracy = (double)e.right / (double)examples;
    gs_free(e.input);
    gs_free(e.labels);
    return status;
}
