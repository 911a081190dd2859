/* Losses for tests: with drawn numbers for all that they need, and by their formulas. */
#ifndef GS_TEST_LOSSES_H
#define GS_TEST_LOSSES_H

#include "test_net.h"

#include "net/config.h"
#include "net/loss.h"

/* The loss of an example by the formulas of loss.h, where nothing over- or underflows. */
static inline double naive_loss(size_t kind, size_t outputs, const double *x, const double *y,
                                const double *r, size_t label) {
    double sum = 0;
    for (size_t u = 0; u < outputs; u++)
        sum += kind == GS_LOSS_MSE   ? (x[u] - y[u]) * (x[u] - y[u]) / (double)outputs
               : kind == GS_LOSS_CE  ? exp(x[u] - x[label])
               : kind == GS_LOSS_SUM ? x[u]
                                     : r[u] * x[u];
    return kind == GS_LOSS_CE ? log(sum) : sum;
}

/* A loss of target y and readout r, where example b has the label b % outputs; an output x for it;
   and room for dL/dx. */
typedef struct {
    double *x, *y, *r; /* [batch, outputs], [batch, outputs], [outputs] */
    gs_loss loss;
    gs_signal grad;
} loss_case;

static inline loss_case loss_case_of(const gs_engine *engine, size_t kind, size_t outputs,
                                     size_t batch) {
    loss_case made = {.x = test_random(9, outputs * batch),
                      .y = test_random(10, outputs * batch),
                      .r = test_random(11, outputs),
                      .grad = test_signal(engine, outputs, batch)};
    gs_loss *loss = &made.loss;
    CHECK(gs_loss_new(engine, kind, outputs, batch, loss, NULL) == GS_OK);
    for (size_t b = 0; loss->labels && b < batch; b++)
        loss->labels[b] = b % outputs;
    for (size_t u = 0; loss->readout && u < outputs; u++)
        loss->readout[u] = made.r[u];
    if (loss->target.data)
        gs_signal_write(engine, made.y, &loss->target);
    return made;
}

static inline void loss_case_free(loss_case *c) {
    gs_loss_free(&c->loss);
    gs_signal_free(&c->grad);
    free(c->x), free(c->y), free(c->r);
}

#endif
