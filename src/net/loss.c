/*
 * Losses: one function each for value and gradient, and for the value of one example, in the order
 * of the table in config.c.
 */
#include "net/loss.h"

#include <math.h>

#include "base/memory.h"
#include "net/config.h"

gs_status gs_loss_new(const gs_engine *engine, size_t kind, size_t outputs, size_t batch,
                      gs_loss *loss, gs_error *error) {
    gs_status status = GS_OK;
    *loss = (gs_loss){.kind = kind};
    if (kind == GS_LOSS_MSE) {
        status = gs_signal_new(engine, outputs, batch, &loss->target, error);
    } else if (kind == GS_LOSS_CE) {
        loss->labels = gs_alloc(batch, sizeof *loss->labels, error);
        status = loss->labels ? GS_OK : GS_ERR_MEMORY;
    } else if (kind == GS_LOSS_RANDOM) {
        loss->readout = gs_alloc(outputs, sizeof *loss->readout, error);
        status = loss->readout ? GS_OK : GS_ERR_MEMORY;
    }
    return status;
}

void gs_loss_free(gs_loss *loss) {
    gs_signal_free(&loss->target);
    gs_free(loss->labels);
    gs_free(loss->readout);
    *loss = (gs_loss){0};
}

/* The same row for every example: grad[u, b] = values[u] / B, or 1 / B without values. */
static void fill_rows(const gs_engine *engine, const double *values, gs_signal *grad) {
    const gs_kernels *k = engine->kernels;
    for (size_t b = 0; b < grad->batch; b++) {
        for (size_t u = 0; u < grad->units; u++) {
            k->set(gs_signal_element(k, grad, u, b),
                   (values ? values[u] : 1) / (double)grad->batch);
        }
    }
    grad->exponent = 0;
    gs_signal_measure(engine, grad);
}

/* L = mean (x - y)^2, dL/dx = 2 (x - y) / count */
static double mse(const gs_engine *engine, const gs_loss *loss, const gs_signal *x,
                  gs_signal *grad) {
    double count = (double)x->units * (double)x->batch;
    gs_signal_combine(engine, 1, x, -1, &loss->target, grad);
    gs_magnitude distance = gs_signal_magnitude(grad, NULL);
    gs_signal_scale(engine, 2 / count, grad, grad);
    return gs_ldexp(distance.sum_squares / count, 2 * distance.exponent);
}

/* 1 - p[label], which keeps its digits where p[label] is nearly 1 */
static double sum_of_others(const gs_kernels *k, const gs_signal *p, size_t label, size_t example) {
    double sum = 0;
    for (size_t u = 0; u < p->units; u++)
        if (u != label)
            sum += k->get(gs_signal_element(k, p, u, example));
    return sum;
}

/* L_b = log sum exp(x) - x[label] = -log p[label], dL/dx = (p - onehot) / B. A true x too large for
   its type * becomes one-hot. */
static double ce(const gs_engine *engine, const gs_loss *loss, const gs_signal *x,
                 gs_signal *grad) {
    const gs_kernels *k = engine->kernels;
    double limit = k->dtype == GS_F64 ? 0x1p900 : 0x1p120;
    double factor = fmin(gs_ldexp(1, x->exponent), limit), total = 0;
    double largest[GS_PANEL_BYTES / sizeof(float)], log_total[GS_PANEL_BYTES / sizeof(float)];
    for (size_t b = 0; b < x->batch; b++) {
        if (b % k->panel == 0) {
            size_t offset = b / k->panel * x->rows * GS_PANEL_BYTES;
            k->softmax(x->units, factor, (const char *)x->data + offset,
                       (char *)grad->data + offset, largest, log_total);
        }
        size_t lane = b % k->panel, label = loss->labels[b];
        double missed = sum_of_others(k, grad, label, b);
        double logit = k->get(gs_signal_element(k, x, label, b));
        k->set(gs_signal_element(k, grad, label, b), -missed);
        total += missed < 0.5 ? -gs_log1p(-missed)
                              : log_total[lane] + gs_ldexp(largest[lane] - logit, x->exponent);
    }
    grad->exponent = 0;
    gs_signal_scale(engine, 1 / (double)x->batch, grad, grad);
    return total / (double)x->batch;
}

/* L = (1/B) sum x, or (1/B) sum r . x; dL/dx does not depend on x */
static double linear(const gs_engine *engine, const gs_loss *loss, const gs_signal *x,
                     gs_signal *grad) {
    fill_rows(engine, loss->readout, grad);
    return gs_ldexp(gs_signal_dot(engine, x, grad), x->exponent);
}

typedef double (*loss_function)(const gs_engine *engine, const gs_loss *loss, const gs_signal *x,
                                gs_signal *grad);

static const loss_function losses[] = {
    [GS_LOSS_MSE] = mse, [GS_LOSS_CE] = ce, [GS_LOSS_SUM] = linear, [GS_LOSS_RANDOM] = linear};

double gs_loss_gradient(const gs_engine *engine, const gs_loss *loss, const gs_signal *x,
                        gs_signal *grad) {
    return losses[loss->kind](engine, loss, x, grad);
}

/* ---- One example ---- */

static double element(const gs_engine *engine, const gs_signal *signal, size_t unit,
                      size_t example) {
    const gs_kernels *k = engine->kernels;
    return k->get(gs_signal_element(k, signal, unit, example));
}

/* L_b = mean (x - y)^2, aligned as in gs_signal_combine() */
static double mse_of(const gs_engine *engine, const gs_loss *loss, const gs_signal *x, size_t b) {
    const gs_signal *y = &loss->target;
    int64_t exponent = x->exponent > y->exponent ? x->exponent : y->exponent;
    double x_factor = gs_ldexp(1, x->exponent - exponent), squares = 0;
    double y_factor = gs_ldexp(1, y->exponent - exponent);
    for (size_t u = 0; u < x->units; u++) {
        double distance = x_factor * element(engine, x, u, b) - y_factor * element(engine, y, u, b);
        squares += distance * distance;
    }
    return gs_ldexp(squares / (double)x->units, 2 * exponent);
}

/* L_b = log(1 + sum over u != top of exp(x_u - x_top)) + (x_top - x[label]): neither part is
   negative, so that no digit is lost. */
static double ce_of(const gs_engine *engine, const gs_loss *loss, const gs_signal *x, size_t b) {
    double factor = fmin(gs_ldexp(1, x->exponent), 0x1p900), others = 0;
    size_t top = 0;
    for (size_t u = 1; u < x->units; u++)
        if (element(engine, x, u, b) > element(engine, x, top, b))
            top = u;
    double largest = element(engine, x, top, b);
    for (size_t u = 0; u < x->units; u++)
        if (u != top)
            others += gs_exp(factor * (element(engine, x, u, b) - largest));
    double behind = largest - element(engine, x, loss->labels[b], b);
    return gs_log1p(others) + gs_ldexp(behind, x->exponent);
}

/* L_b = sum x, or r . x */
static double linear_of(const gs_engine *engine, const gs_loss *loss, const gs_signal *x,
                        size_t b) {
    double sum = 0;
    for (size_t u = 0; u < x->units; u++)
        sum += (loss->readout ? loss->readout[u] : 1) * element(engine, x, u, b);
    return gs_ldexp(sum, x->exponent);
}

typedef double (*example_function)(const gs_engine *engine, const gs_loss *loss, const gs_signal *x,
                                   size_t example);

static const example_function of_example[] = {[GS_LOSS_MSE] = mse_of,
                                              [GS_LOSS_CE] = ce_of,
                                              [GS_LOSS_SUM] = linear_of,
                                              [GS_LOSS_RANDOM] = linear_of};

double gs_loss_of_example(const gs_engine *engine, const gs_loss *loss, const gs_signal *x,
                          size_t example) {
    return of_example[loss->kind](engine, loss, x, example);
}
