/*
 * Losses in mean-field theory: B is the batch, K the outputs.
 */
#include "theory/loss.h"

#include <math.h>

#include "net/magnitude.h"

/* 2 (x - y) / (B K); with labels y is one-hot. Where x is far below 1 or far above, the exponent is
   that of the larger of x and y. */
static gs_mean_gradient mse(const gs_config *config, const gs_mean_field *x) {
    double count = (double)config->batch * (double)config->outputs;
    double labels = config->data ? 1 / (double)config->outputs : 0;
    double variance = config->data ? labels * (1 - labels) : 1;
    int64_t exponent = x->exponent > 0 ? x->exponent : 0;
    double of_target = gs_ldexp(2 / count, -exponent);
    return (gs_mean_gradient){.slope = gs_ldexp(2 / count, x->exponent - exponent),
                              .constant = -labels * of_target,
                              .noise = variance * of_target * of_target,
                              .along = NAN,
                              .exponent = exponent};
}

/* E p^2 of one of K classes where the logits are independent N(0, deviation^2). With S = sum e^x
   and 1 / S^2 = the integral of t e^(-t S) over t > 0, it is that of t E[e^(2x - t e^x)] times
   E[e^(-t e^x)]^(K-1); over u = log t and v = u + x both become sums over one grid. The integrands
   vanish at both ends, where the trapezoid rule converges faster than any power of the step. */
static double mean_square_probability(double classes, double deviation) {
    double step = fmin(0.125, deviation / 4), sum = 0;
    if (deviation < 1e-9)
        return 1 / (classes * classes);
    int reach = (int)ceil(9 * deviation / step);
    double low = -9 * deviation - gs_log1p(classes - 1) - 40, high = 9 * deviation + 6;
    for (double u = low; u < high; u += 0.125) {
        double none = 0, twice = 0, total = 0;
        for (int i = -reach; i <= reach; i++) {
            double x = i * step, y = x / deviation, weight = gs_exp(-y * y / 2);
            double rate = gs_exp(u + x), missed = weight * gs_exp(-rate);
            none += missed;
            twice += missed * rate * rate;
            total += weight;
        }
        if (none > 0)
            sum += twice / total * gs_exp((classes - 1) * gs_log1p(none / total - 1)) * 0.125;
    }
    return sum;
}

/* (p - onehot) / B: E p = 1 / K, E p^2 as above, and the regression of p on its logit is
   E p (1 - p) by Stein's lemma. Beyond a deviation of 30 p is one-hot to a few percent. */
static gs_mean_gradient ce(const gs_config *config, const gs_mean_field *x) {
    double classes = (double)config->outputs, batch = (double)config->batch;
    double variance = fmax(x->square - x->mean * x->mean, 0);
    double deviation = fmin(gs_ldexp(sqrt(variance), x->exponent), 30);
    double squares = mean_square_probability(classes, deviation);
    double slope = gs_ldexp(1 / classes - squares, x->exponent) / batch;
    double total = (squares + (1 - 2 / classes) / classes) / (batch * batch);
    return (gs_mean_gradient){.slope = slope,
                              .constant = -slope * x->mean,
                              .noise = fmax(total - slope * slope * variance, 0),
                              .along = NAN};
}

gs_mean_gradient gs_loss_mean_gradient(const gs_config *config, const gs_mean_field *x) {
    double batch = (double)config->batch;
    double readout = 1 / ((double)config->outputs * batch * batch);
    switch (config->loss.index) {
    case GS_LOSS_CE:
        return ce(config, x);
    case GS_LOSS_SUM:
        return (gs_mean_gradient){.constant = 1 / batch, .along = NAN};
    case GS_LOSS_RANDOM:
        return (gs_mean_gradient){.noise = readout, .product = readout, .along = NAN};
    default:
        return mse(config, x);
    }
}
