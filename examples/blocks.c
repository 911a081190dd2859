/*
 * Building blocks by themselves: a small network put together by hand, which learns XOR by gradient
 * descent.
 *
 *     cc blocks.c -o blocks $(pkg-config --cflags --libs gradsim)
 */
#include <gradsim.h>
#include <stdio.h>
#include <stdlib.h>

enum { INPUTS = 2, HIDDEN = 8, OUTPUTS = 1, BATCH = 4, PARTS = 4 };

/* A module, and how many numbers its parameters have. */
typedef struct {
    gs_module *module;
    size_t weights, biases;
} part;

static gs_error error;

static void check(gs_status status) {
    if (status == GS_OK)
        return;
    fprintf(stderr, "blocks: %s\n", error.message);
    exit(1);
}

/* y = W tanh(layer norm(W x + b)) + b. Every module works in place, y [BATCH, its outputs]. */
static void forward(const part *chain, const double *x, double *y) {
    for (size_t i = 0; i < PARTS; i++)
        check(gs_module_forward(chain[i].module, BATCH, i == 0 ? x : y, y, &error));
}

/* p <- p - rate dL/dp */
static void descend(gs_module *module, const char *name, size_t count, double rate) {
    double values[INPUTS * HIDDEN], grad[INPUTS * HIDDEN];
    char grad_name[32];
    snprintf(grad_name, sizeof grad_name, "%s.grad", name);
    check(gs_module_read(module, name, values, count, &error));
    check(gs_module_read(module, grad_name, grad, count, &error));
    for (size_t i = 0; i < count; i++)
        values[i] -= rate * grad[i];
    check(gs_module_write(module, name, values, count, &error));
}

static void learn(const part *chain, double *grad, double rate) {
    for (size_t i = PARTS; i-- > 0;) {
        check(gs_module_backward(chain[i].module, grad, grad, &error));
        if (chain[i].weights == 0)
            continue;
        descend(chain[i].module, "weight", chain[i].weights, rate);
        descend(chain[i].module, "bias", chain[i].biases, rate);
    }
}

int main(void) {
    static const double x[BATCH * INPUTS] = {0, 0, 0, 1, 1, 0, 1, 1}, target[BATCH] = {0, 1, 1, 0};
    double y[BATCH * HIDDEN];
    const part chain[PARTS] = {
        {gs_module_new_dense(INPUTS, HIDDEN, "xavier", 1, &error), INPUTS * HIDDEN, HIDDEN},
        {gs_module_new_norm(HIDDEN, "layer", 1e-5, &error), HIDDEN, HIDDEN},
        {gs_module_new_activation(HIDDEN, "tanh", &error), 0, 0},
        {gs_module_new_dense(HIDDEN, OUTPUTS, "xavier", 2, &error), HIDDEN * OUTPUTS, OUTPUTS}};
    for (size_t i = 0; i < PARTS; i++)
        check(chain[i].module ? GS_OK : error.code);

    for (size_t step = 0; step < 200; step++) {
        double loss = 0; /* L = mean (y - target)^2, dL/dy = 2 (y - target) / BATCH */
        forward(chain, x, y);
        for (size_t b = 0; b < BATCH; b++) {
            double distance = y[b] - target[b];
            loss += distance * distance / BATCH;
            y[b] = 2 * distance / BATCH;
        }
        if (step % 40 == 0)
            printf("step %3zu   loss %.6f\n", step, loss);
        learn(chain, y, 0.05);
    }
    forward(chain, x, y);
    for (size_t b = 0; b < BATCH; b++)
        printf("%g xor %g = %.2f\n", x[b * INPUTS], x[b * INPUTS + 1], y[b]);
    for (size_t i = 0; i < PARTS; i++)
        gs_module_free(chain[i].module);
    return 0;
}
