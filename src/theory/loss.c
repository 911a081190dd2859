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

/* Up to this deviation E p^2 is summed; beyond, p is one-hot but where the two largest logits are
   near each other, which has a chance that falls as 1 / deviation. Normal numbers reach so far. */
enum { MOST_DEVIATION = 16, REACH = 9, MOST_NODES = 2 * REACH * MOST_DEVIATION * 16 / 5 + 3 };

/* E p^2 of one of K classes where the logits are independent N(0, deviation^2). With S = sum e^x
   and 1 / S^2 = the integral of t e^(-t S) over t > 0, it is that of t E[e^(2x - t e^x)] times
   E[e^(-t e^x)]^(K-1), where x and u = log t become sums. The integrands vanish at both ends, where
   the trapezoid rule converges faster than any power of the step. */
static double mean_square_probability(double classes, double deviation) {
    double power[MOST_NODES], weight[MOST_NODES], total = 0, sum = 0;
    double step = 0.3125, x_step = fmin(step, 0.75 * deviation), end = REACH * deviation;
    if (deviation < 1e-9)
        return 1 / (classes * classes);
    int side = (int)ceil(end / x_step), count = 2 * side + 1;
    for (int i = 0; i < count; i++) {
        double x = (i - side) * x_step, y = x / deviation;
        power[i] = gs_exp(x);
        weight[i] = gs_exp(-y * y / 2);
        total += weight[i];
    }
    for (double u = -end - gs_log1p(classes - 1) - 25; u < end + 6; u += step) {
        double none = 0, twice = 0, t = gs_exp(u);
        for (int i = 0; i < count && t * power[i] < 50; i++) {
            double rate = t * power[i];
            double missed = rate < 1e-17 ? weight[i] : weight[i] * gs_exp(-rate);
            none += missed;
            twice += missed * rate * rate;
        }
        if (none > 0)
            sum += twice / total * gs_exp((classes - 1) * gs_log1p(none / total - 1)) * step;
    }
    return sum;
}

/* (p - onehot) / B: E p = 1 / K, E p^2 as above, and the regression of p on its logit is
   E p (1 - p) by Stein's lemma. */
static gs_mean_gradient ce(const gs_config *config, const gs_mean_field *x) {
    double classes = (double)config->outputs, batch = (double)config->batch;
    double root = sqrt(fmax(x->square - x->mean * x->mean, 0));
    double deviation = gs_ldexp(root, x->exponent), summed = fmin(deviation, MOST_DEVIATION);
    double spread = 1 / classes - mean_square_probability(classes, summed);
    double slope = gs_ldexp(spread, x->exponent) / batch;
    if (deviation > summed) {
        slope = spread * summed / root / batch;
        spread *= summed / deviation;
    }
    double total = (2 * (1 - 1 / classes) / classes - spread) / (batch * batch);
    return (gs_mean_gradient){.slope = slope,
                              .constant = -slope * x->mean,
                              .noise = fmax(total - slope * slope * root * root, 0),
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
