/*
 * The products of dense layers beside OpenBLAS and beside the peak, all in turn. A step is one
 * layer, and the layers go round, so that weights come from where they come from in a real pass.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "net/init.h"
#include "net/product.h"

static const double product_budget = 0.15;

/* Layers past this many bytes of weights are left out: no cache holds so much. */
static const size_t most_weight_bytes = (size_t)256 << 20;

/* OpenBLAS threads spin for 2^26 ticks before they sleep, and would be in the way. */
static const double openblas_spin = 0.03;

/* ---- A stack of layers ---- */

typedef struct {
    bench_shape shape; /* its layers are those that fit */
    gs_dtype dtype;
    gs_matrix *weights;
    gs_signal *inputs;    /* one a layer, kept for the gradient of its weights */
    gs_signal outputs[2]; /* in turn; what has just been made is in the cache */
    gs_signal delta;
    gs_arena *arena; /* as a network has; OpenBLAS uses the same memory */
} stack;

static void fill_signal(const gs_engine *engine, gs_signal *signal) {
    size_t count = signal->units * signal->batch;
    uint64_t state = 1;
    double *values = malloc(count * sizeof *values);
    bench_must(values, "no memory");
    for (size_t i = 0; i < count; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        values[i] = (double)(state >> 32) * 0x1p-31 - 1;
    }
    gs_signal_write(engine, values, signal);
    free(values);
}

static void new_signal(const gs_engine *engine, size_t units, size_t batch, gs_signal *signal) {
    bench_must(gs_signal_new(engine, units, batch, signal, NULL) == GS_OK, "no memory");
}

/* One layer is drawn, the others are copies of it: values do not matter, places do. */
static void new_weights(const gs_engine *engine, stack *s) {
    gs_choice normal = {0};
    size_t bytes;
    for (size_t l = 0; l < s->shape.layers; l++) {
        gs_matrix *w = &s->weights[l];
        bench_must(gs_matrix_new(engine, s->shape.width, s->shape.width, w, NULL) == GS_OK &&
                       gs_matrix_bytes(engine->kernels, w->rows, w->cols, &bytes),
                   "no memory");
        if (l == 0)
            gs_init_weight(engine, normal, 1, 1, 1, w, NULL);
        else
            memcpy(w->data, s->weights[0].data, bytes);
    }
    for (size_t l = 1; l < s->shape.layers; l++) {
        s->weights[l - 1].upcoming[0] = &s->weights[l];
        s->weights[l].upcoming[1] = &s->weights[l - 1];
    }
}

static gs_arena *new_arena(const gs_kernels *kernels, bench_shape shape) {
    size_t weight, signal;
    bench_must(gs_matrix_bytes(kernels, shape.width, shape.width, &weight) &&
                   gs_signal_bytes(kernels, shape.width, shape.batch + kernels->panel, &signal),
               "too large");
    gs_arena *arena =
        gs_arena_new(shape.layers * (weight + signal) + 8 * signal + ((size_t)1 << 20), NULL);
    bench_must(arena, "no memory");
    return arena;
}

static stack *new_stack(const gs_engine *given, bench_shape shape) {
    stack *s = calloc(1, sizeof *s);
    bench_must(s, "no memory");
    gs_engine own = *given, *engine = &own;
    s->dtype = engine->kernels->dtype;
    s->shape = shape;
    s->shape.layers = bench_layers_within(most_weight_bytes, shape, s->dtype);
    s->weights = calloc(s->shape.layers, sizeof *s->weights);
    s->inputs = calloc(s->shape.layers, sizeof *s->inputs);
    bench_must(s->weights && s->inputs, "no memory");
    own.arena = s->arena = new_arena(engine->kernels, s->shape);
    new_weights(engine, s);
    for (size_t l = 0; l < s->shape.layers; l++) {
        new_signal(engine, shape.width, shape.batch, &s->inputs[l]);
        if (l == 0)
            fill_signal(engine, &s->inputs[l]);
        else
            gs_signal_copy(engine, &s->inputs[0], &s->inputs[l]);
    }
    for (size_t i = 0; i < 2; i++)
        new_signal(engine, shape.width, shape.batch, &s->outputs[i]);
    new_signal(engine, shape.width, shape.batch, &s->delta);
    fill_signal(engine, &s->delta);
    return s;
}

static void free_stack(stack *s) {
    gs_arena_free(s->arena);
    free(s->weights);
    free(s->inputs);
    free(s);
}

/* ---- gradsim's products ---- */

typedef struct {
    const gs_engine *engine;
    stack *stack;
    size_t layer; /* comes next */
} walker;

static size_t next_layer(size_t *layer, const stack *s) {
    size_t now = *layer;
    *layer = (now + 1) % s->shape.layers;
    return now;
}

static void forward_step(void *context) {
    walker *w = context;
    stack *s = w->stack;
    size_t l = next_layer(&w->layer, s);
    gs_product_forward(w->engine, &s->weights[l], &s->delta, NULL, &s->outputs[l % 2]);
}

static void backward_step(void *context) {
    walker *w = context;
    stack *s = w->stack;
    size_t l = s->shape.layers - 1 - next_layer(&w->layer, s);
    gs_product_backward(w->engine, &s->weights[l], &s->delta, &s->outputs[l % 2]);
}

/* The gradient goes over the weights: as far from the cache as in training, in half the memory. */
static void outer_step(void *context) {
    walker *w = context;
    stack *s = w->stack;
    size_t l = next_layer(&w->layer, s);
    gs_outer_job outer;
    gs_pool_job job =
        gs_product_outer_job(w->engine, &s->delta, &s->inputs[l], &s->weights[l], &outer);
    gs_pool_run_jobs(w->engine->pool, &job, 1);
}

/* ---- The same by OpenBLAS ---- */

enum { ROW_MAJOR = 101, PLAIN = 111, TRANSPOSED = 112 };

typedef void dgemm_function(int order, int trans_a, int trans_b, int m, int n, int k, double alpha,
                            const double *a, int lda, const double *b, int ldb, double beta,
                            double *c, int ldc);
typedef void sgemm_function(int order, int trans_a, int trans_b, int m, int n, int k, float alpha,
                            const float *a, int lda, const float *b, int ldb, float beta, float *c,
                            int ldc);

typedef struct {
    dgemm_function *dgemm;
    sgemm_function *sgemm;
    void (*set_threads)(int threads);
    char *(*core_name)(void);
} blas;

/* Functions come as object pointers, which C cannot convert. */
static bool find(void *library, const char *name, void *function) {
    void *symbol = dlsym(library, name);
    memcpy(function, &symbol, sizeof symbol);
    return symbol != NULL;
}

static bool load_blas(blas *b) {
    void *library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
    return library && find(library, "cblas_dgemm", &b->dgemm) &&
           find(library, "cblas_sgemm", &b->sgemm) &&
           find(library, "openblas_set_num_threads", &b->set_threads) &&
           find(library, "openblas_get_corename", &b->core_name);
}

/* A product in one of its layouts. For z = W u: whether W is stored as its transpose, and whether
   signals are [batch, units] instead of [units, batch]; for delta u^T: which of the two signals is.
   Buffers of the stack are taken for whatever the layout makes of them. */
enum { LAYOUTS = 4 };
typedef struct {
    const blas *blas;
    stack *stack;
    bool outer;
    unsigned layout;
    size_t threads, layer;
} blas_walker;

typedef struct {
    bool trans_a, trans_b;
    size_t m, n, k;
    const void *a, *b;
    void *c;
} gemm;

static void run_gemm(const blas *b, gs_dtype dtype, gemm g) {
    int m = (int)g.m, n = (int)g.n, k = (int)g.k;
    int trans_a = g.trans_a ? TRANSPOSED : PLAIN, trans_b = g.trans_b ? TRANSPOSED : PLAIN;
    int lda = g.trans_a ? m : k, ldb = g.trans_b ? k : n;
    if (dtype == GS_F64)
        b->dgemm(ROW_MAJOR, trans_a, trans_b, m, n, k, 1, g.a, lda, g.b, ldb, 0, g.c, n);
    else
        b->sgemm(ROW_MAJOR, trans_a, trans_b, m, n, k, 1, g.a, lda, g.b, ldb, 0, g.c, n);
}

static void blas_step(void *context) {
    blas_walker *w = context;
    stack *s = w->stack;
    size_t l = next_layer(&w->layer, s), units = s->shape.width, batch = s->shape.batch;
    bool first = w->layout & 1, second = w->layout & 2;
    void *weight = s->weights[l].data, *x = s->delta.data, *z = s->outputs[l % 2].data;
    gemm g;
    if (w->outer)
        g = (gemm){first, second, units, units, batch, x, s->inputs[l].data, weight};
    else if (first)
        g = (gemm){false, second, batch, units, units, x, weight, z};
    else
        g = (gemm){second, false, units, batch, units, weight, x, z};
    w->blas->set_threads((int)w->threads);
    run_gemm(w->blas, s->dtype, g);
}

static bench_runner blas_runner(blas_walker *w) {
    return (bench_runner){.program = "openblas",
                          .threads = w->threads,
                          .step = blas_step,
                          .context = w,
                          .pause = w->threads > 1 ? openblas_spin : 0};
}

/* The strongest opponent: whatever layout is the fastest. */
static void choose_layout(blas_walker *w) {
    blas_walker walkers[LAYOUTS];
    bench_runner runners[LAYOUTS];
    size_t best = 0;
    for (unsigned i = 0; i < LAYOUTS; i++) {
        walkers[i] = *w;
        walkers[i].layout = i;
        runners[i] = blas_runner(&walkers[i]);
    }
    bench_race(runners, LAYOUTS, 0.02);
    for (size_t i = 1; i < LAYOUTS; i++)
        best = bench_least(&runners[i]) < bench_least(&runners[best]) ? i : best;
    w->layout = (unsigned)best;
}

/* ---- Side by side ---- */

typedef struct {
    const char *item;
    void (*step)(void *context);
    bool outer;
} product;

/* Peak, gradsim, OpenBLAS; each on one thread and on all. */
enum { PROGRAMS = 3 };

static void race_product(const product *p, stack *s, size_t all_layers, const gs_engine *engines,
                         size_t engine_count, const blas *b) {
    bench_runner runners[2 * PROGRAMS];
    walker walkers[2];
    blas_walker blas_walkers[2];
    size_t count = 0, width = s->shape.width;
    double flops = 2 * (double)(width * width * s->shape.batch);
    bench_row row = {"products", p->item, "flop", s->shape, s->dtype};
    row.shape.layers = all_layers;
    for (size_t i = 0; i < engine_count; i++) {
        size_t threads = gs_pool_threads(engines[i].pool);
        walkers[i] = (walker){&engines[i], s, 0};
        runners[count++] = bench_peak(&engines[i]);
        runners[count++] = bench_gradsim(threads, flops, p->step, &walkers[i]);
        if (b) {
            blas_walkers[i] = (blas_walker){b, s, p->outer, 0, threads, 0};
            choose_layout(&blas_walkers[i]);
            runners[count] = blas_runner(&blas_walkers[i]);
            runners[count++].work = flops;
        }
    }
    bench_race(runners, count, product_budget);
    for (size_t i = 0; i < count; i++)
        bench_print(row, &runners[i], (double)all_layers);
}

void bench_products(gs_dtype dtype) {
    /* The last writes over the weights. */
    static const product products[] = {{"forward", forward_step, false},
                                       {"backward", backward_step, false},
                                       {"weight gradient", outer_step, true}};
    gs_engine engines[2];
    blas b;
    bool has_blas = load_blas(&b);
    size_t count = bench_engines(dtype, engines);
    for (size_t i = 0; i < bench_shape_count; i++) {
        stack *s = new_stack(&engines[0], bench_shapes[i]);
        for (size_t p = 0; p < sizeof products / sizeof *products; p++) {
            race_product(&products[p], s, bench_shapes[i].layers, engines, count,
                         has_blas ? &b : NULL);
        }
        free_stack(s);
    }
    bench_engines_free(engines, count);
}

/* On one thread, over a small and a large shape: what the choice of its core type goes by. */
void bench_blas_speed(gs_dtype dtype) {
    gs_engine engines[2];
    blas b;
    double flops = 0, seconds = 0;
    size_t count = bench_engines(dtype, engines);
    if (!load_blas(&b))
        return;
    for (size_t i = 0; i < 3; i++) {
        stack *s =
            new_stack(&engines[0], (bench_shape){8, bench_shapes[i].width, bench_shapes[i].batch});
        blas_walker w = {.blas = &b, .stack = s, .threads = 1};
        choose_layout(&w);
        bench_runner runner = blas_runner(&w);
        bench_race(&runner, 1, 0.05);
        flops += 1;
        seconds += bench_least(&runner) /
                   (2 * (double)s->shape.width * (double)s->shape.width * (double)s->shape.batch);
        free_stack(s);
    }
    printf("%s %.1f\n", b.core_name(), 1e-9 * flops / seconds);
    bench_engines_free(engines, count);
}
