/*
 * What a layer costs beside its products: elementwise work, statistics, and the drawing of weights.
 */
#include <stdlib.h>

#include "bench.h"
#include "flow/measure.h"
#include "net/init.h"

static const double layer_budget = 0.1;

/* Per layer the cost is the same, so that a few of the large ones say enough. */
static const size_t most_weight_bytes = (size_t)64 << 20;

/* A network that was measured, and what its layers are measured with again. A step is one layer. */
typedef struct {
    gs_network *network;
    const gs_engine *engine;
    gs_layer_stats *rows;
    const gs_stage **dense, **activation; /* by layer */
    gs_signal a, slope, grad;
    gs_gradient_work work;
    gs_matrix weight;
    size_t layer; /* comes next */
} subject;

static size_t next_layer(subject *s) {
    size_t now = s->layer;
    s->layer = (now + 1) % s->network->layers;
    return now;
}

static void elementwise_step(void *context) {
    subject *s = context;
    const gs_stage *stage = s->activation[next_layer(s)];
    gs_activation_forward(s->engine, stage->act, stage->in, &s->a, &s->slope);
    gs_activation_backward(s->engine, &stage->slope, &stage->out, &s->grad);
}

static void norm_step(void *context) {
    subject *s = context;
    gs_weight_gradient grad;
    size_t l = next_layer(s);
    gs_measure_weight_gradient(s->engine, &s->dense[l]->out, s->dense[l]->in, NULL, &s->work, &grad,
                               NULL);
}

static void sigma_task(void *context, size_t index) {
    subject *s = context;
    double sigma;
    size_t l = (s->layer + index) % s->network->layers;
    gs_largest_singular_value(s->engine, &s->dense[l]->dense.weight, 1, &sigma, NULL);
}

/* A matrix a thread, as gs_measure does. */
static void sigma_step(void *context) {
    subject *s = context;
    gs_pool_run(s->engine->pool, gs_pool_threads(s->engine->pool), sigma_task, s);
    s->layer = (s->layer + gs_pool_threads(s->engine->pool)) % s->network->layers;
}

static void generation_step(void *context) {
    subject *s = context;
    gs_init_weight(s->engine, s->network->config->init, 1, 1, (uint32_t)next_layer(s), &s->weight,
                   NULL);
}

static void pass_step(void *context) {
    subject *s = context;
    bench_must(gs_network_forward(s->network, NULL, NULL) == GS_OK &&
                   gs_network_backward(s->network, NULL) == GS_OK,
               "a pass failed");
}

static void measure(subject *s, uint64_t columns) {
    gs_summary summary;
    bench_must(gs_measure_columns(s->network, columns, s->rows, &summary, NULL) == GS_OK,
               "gs_measure failed");
}

static void measure_step(void *context) {
    measure(context, GS_ALL_COLUMNS);
}

static void measure_passing_step(void *context) {
    measure(context, GS_ALL_COLUMNS & ~((uint64_t)1 << GS_W_SIGMA_MAX));
}

static subject new_subject(bench_shape shape, gs_dtype dtype, size_t threads) {
    const char *const options[] = {"act", "tanh", NULL};
    subject s = {.network = bench_network(shape, options, dtype, threads)};
    s.engine = &s.network->engine;
    s.rows = calloc(shape.layers, sizeof *s.rows);
    s.dense = calloc(shape.layers, sizeof *s.dense);
    s.activation = calloc(shape.layers, sizeof *s.activation);
    bench_must(s.rows && s.dense && s.activation &&
                   gs_matrix_new(s.engine, shape.width, shape.width, &s.weight, NULL) == GS_OK &&
                   gs_signal_new(s.engine, shape.width, shape.batch, &s.a, NULL) == GS_OK &&
                   gs_signal_new(s.engine, shape.width, shape.batch, &s.slope, NULL) == GS_OK &&
                   gs_signal_new(s.engine, shape.width, shape.batch, &s.grad, NULL) == GS_OK,
               "no memory");
    for (size_t i = 0; i < s.network->stage_count; i++) {
        const gs_stage *stage = &s.network->stages[i];
        (stage->kind == GS_STAGE_DENSE ? s.dense : s.activation)[stage->layer - 1] = stage;
    }
    pass_step(&s);
    return s;
}

static void free_subject(subject *s) {
    gs_gradient_work_free(&s->work);
    gs_matrix_free(&s->weight);
    gs_signal_free(&s->a);
    gs_signal_free(&s->slope);
    gs_signal_free(&s->grad);
    gs_network_free(s->network);
    free(s->rows);
    free(s->dense);
    free(s->activation);
}

typedef struct {
    const char *item;
    void (*step)(void *context);
    bool whole, by_thread; /* a step is a whole pass; it is a layer a thread */
} part;

static void race_part(const part *p, subject *subjects, size_t count, size_t all_layers) {
    bench_runner runners[2];
    const gs_config *config = subjects[0].network->config;
    bench_row row = {"layers",
                     p->item,
                     "layer",
                     {all_layers, gs_config_width(config, 1), config->batch},
                     (gs_dtype)config->dtype.index};
    for (size_t i = 0; i < count; i++) {
        size_t threads = gs_pool_threads(subjects[i].engine->pool);
        size_t layers = p->whole ? subjects[i].network->layers : p->by_thread ? threads : 1;
        runners[i] = bench_gradsim(threads, (double)layers, p->step, &subjects[i]);
    }
    bench_race(runners, count, layer_budget);
    for (size_t i = 0; i < count; i++)
        bench_print(row, &runners[i], (double)all_layers / runners[i].work);
}

void bench_layers(gs_dtype dtype) {
    static const part parts[] = {
        {.item = "tanh both ways", .step = elementwise_step},
        {.item = "norm of dL/dW by Gram matrices", .step = norm_step},
        {.item = "sigma_max of W", .step = sigma_step, .by_thread = true},
        {.item = "generation of W", .step = generation_step},
        {.item = "pass: forward and backward", .step = pass_step, .whole = true},
        {.item = "pass: all columns but sigma_max", .step = measure_passing_step, .whole = true},
        {.item = "pass: all columns", .step = measure_step, .whole = true}};
    gs_engine engines[2];
    size_t count = bench_engines(dtype, engines);
    for (size_t i = 0; i < bench_shape_count; i++) {
        subject subjects[2];
        bench_shape shape = bench_shapes[i];
        shape.layers = bench_layers_within(most_weight_bytes, shape, dtype);
        for (size_t t = 0; t < count; t++)
            subjects[t] = new_subject(shape, dtype, gs_pool_threads(engines[t].pool));
        for (size_t p = 0; p < sizeof parts / sizeof *parts; p++)
            race_part(&parts[p], subjects, count, bench_shapes[i].layers);
        for (size_t t = 0; t < count; t++)
            free_subject(&subjects[t]);
    }
    bench_engines_free(engines, count);
}
