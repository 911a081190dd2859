/*
 * Measures gradsim from inside: `bench GROUP ARGUMENTS` prints rows (see bench.h). run.sh calls it.
 */
#include "bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/machine.h"
#include "flow/measure.h"

const bench_shape bench_shapes[] = {
    {96, 128, 32}, {96, 128, 64}, {96, 512, 128}, {96, 1024, 256}, {24, 4096, 32}};
const size_t bench_shape_count = sizeof bench_shapes / sizeof *bench_shapes;

void bench_must(bool done, const char *what) {
    if (!done) {
        fprintf(stderr, "bench: %s\n", what);
        exit(1);
    }
}

/* ---- Racing ---- */

enum { LEAST_SAMPLES = 2 };

/* Threads that were asleep may wake on one processor and need a while to spread. */
static const double turn_seconds = 0.004, lead_seconds = 0.008;

double bench_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static int compare_seconds(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The sample at a share of the way from the least to the most. */
static double quantile(const bench_runner *runner, double share) {
    double sorted[MOST_SAMPLES];
    size_t count = runner->count < MOST_SAMPLES ? runner->count : MOST_SAMPLES;
    memcpy(sorted, runner->seconds, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare_seconds);
    return sorted[(size_t)(share * (double)(count - 1))];
}

double bench_least(const bench_runner *runner) {
    return quantile(runner, 0);
}

static void take_turn(bench_runner *runner) {
    bool is_long = runner->count && bench_least(runner) > 10 * lead_seconds;
    double start = bench_now(), end = start + (runner->threads > 1 && !is_long ? lead_seconds : 0);
    while ((start = bench_now()) < end)
        runner->step(runner->context);
    for (size_t i = 0; i < runner->steps; i++)
        runner->step(runner->context);
    runner->seconds[runner->count++ % MOST_SAMPLES] = (bench_now() - start) / (double)runner->steps;
    if (runner->pause > 0)
        nanosleep(&(struct timespec){0, (long)(1e9 * runner->pause)}, NULL);
}

/* The first step warms up, the next say how many make a turn. A step that is long is a sample. */
static void calibrate(bench_runner *runner) {
    runner->steps = 1;
    runner->count = 0;
    take_turn(runner);
    while (bench_least(runner) * (double)runner->steps < turn_seconds / 2) {
        runner->steps *= 2;
        runner->count = 0;
        take_turn(runner);
    }
    if (bench_least(runner) < 50 * turn_seconds)
        runner->count = 0;
}

void bench_race(bench_runner *runners, size_t count, double budget) {
    for (size_t i = 0; i < count; i++)
        calibrate(&runners[i]);
    double end = bench_now() + budget * (double)count;
    for (size_t least = 0; least < LEAST_SAMPLES || bench_now() < end;) {
        least = SIZE_MAX;
        for (size_t i = 0; i < count; i++) {
            take_turn(&runners[i]);
            least = runners[i].count < least ? runners[i].count : least;
        }
    }
}

bench_runner bench_gradsim(size_t threads, double work, void (*step)(void *context),
                           void *context) {
    return (bench_runner){
        .program = "gradsim", .threads = threads, .work = work, .step = step, .context = context};
}

void bench_print(bench_row row, const bench_runner *runner, double steps) {
    char shape[64] = "";
    if (row.shape.layers) {
        snprintf(shape, sizeof shape, "%zux%zux%zu", row.shape.layers, row.shape.width,
                 row.shape.batch);
    }
    printf("%s,%s,%s,%zu,%s,%s,%.6g,%.6g,%.6g,%s\n", row.group, shape,
           row.dtype == GS_F64 ? "f64" : "f32", runner->threads, row.item, runner->program,
           steps * quantile(runner, 0), steps * quantile(runner, 0.5), steps * runner->work,
           row.unit);
    fflush(stdout);
}

/* ---- Engines ---- */

size_t bench_engines(gs_dtype dtype, gs_engine engines[2]) {
    size_t threads[2] = {1, gs_cpus_available()}, count = threads[1] > 1 ? 2 : 1;
    for (size_t i = 0; i < count; i++) {
        gs_error error = {0};
        engines[i] = (gs_engine){0};
        bench_must(gs_kernels_get(dtype, &engines[i].kernels, &error) == GS_OK &&
                       gs_pool_new(threads[i], &engines[i].pool, &error) == GS_OK,
                   error.message);
    }
    return count;
}

void bench_engines_free(gs_engine engines[2], size_t count) {
    for (size_t i = 0; i < count; i++)
        gs_pool_free(engines[i].pool);
}

/* ---- Peak ---- */

typedef double peak_loop(size_t rounds, double *sum);

/* Those of other machines are not linked. */
__attribute__((weak)) peak_loop bench_peak_portable_f64, bench_peak_portable_f32;
__attribute__((weak)) peak_loop bench_peak_avx2_f64, bench_peak_avx2_f32;
__attribute__((weak)) peak_loop bench_peak_avx512_f64, bench_peak_avx512_f32;
__attribute__((weak)) peak_loop bench_peak_neon_f64, bench_peak_neon_f32;

static const struct {
    const char *isa;
    peak_loop *loops[2]; /* by gs_dtype */
} peaks[] = {
    {"portable", {bench_peak_portable_f64, bench_peak_portable_f32}},
    {"avx2", {bench_peak_avx2_f64, bench_peak_avx2_f32}},
    {"avx512", {bench_peak_avx512_f64, bench_peak_avx512_f32}},
    {"neon", {bench_peak_neon_f64, bench_peak_neon_f32}},
};

enum { PEAK_ROUNDS = 10000, PEAK_TASKS = 8 }; /* a task takes tens of microseconds */

static peak_loop *peak_of(const gs_kernels *kernels) {
    for (size_t i = 0; i < sizeof peaks / sizeof *peaks; i++)
        if (strcmp(kernels->isa, peaks[i].isa) == 0 && peaks[i].loops[kernels->dtype])
            return peaks[i].loops[kernels->dtype];
    bench_must(false, "no peak of this instruction set");
    return NULL;
}

static void peak_task(void *context, size_t index) {
    const gs_engine *engine = context;
    double sum = 0;
    (void)index;
    peak_of(engine->kernels)(PEAK_ROUNDS, &sum);
}

static void peak_step(void *context) {
    const gs_engine *engine = context;
    gs_pool_run(engine->pool, PEAK_TASKS * gs_pool_threads(engine->pool), peak_task, context);
}

bench_runner bench_peak(const gs_engine *engine) {
    double sum = 0, flops = peak_of(engine->kernels)(PEAK_ROUNDS, &sum);
    size_t threads = gs_pool_threads(engine->pool);
    return (bench_runner){.program = "peak",
                          .threads = threads,
                          .work = PEAK_TASKS * (double)threads * flops,
                          .step = peak_step,
                          .context = (void *)(uintptr_t)engine};
}

static void print_peak(gs_dtype dtype) {
    gs_engine engines[2];
    bench_runner runners[2];
    size_t count = bench_engines(dtype, engines);
    for (size_t i = 0; i < count; i++) {
        runners[i] = bench_peak(&engines[i]);
        runners[i].program = engines[i].kernels->isa;
    }
    bench_race(runners, count, 0.5);
    for (size_t i = 0; i < count; i++)
        bench_print((bench_row){.group = "peak", .item = "FMA", .unit = "flop", .dtype = dtype},
                    &runners[i], 1);
    bench_engines_free(engines, count);
}

/* ---- Networks ---- */

size_t bench_layers_within(size_t bytes, bench_shape shape, gs_dtype dtype) {
    size_t size = dtype == GS_F64 ? sizeof(double) : sizeof(float);
    size_t fit = bytes / (shape.width * shape.width * size);
    return fit < 1 ? 1 : fit < shape.layers ? fit : shape.layers;
}

static void set_size(gs_config *config, const char *name, size_t value) {
    char text[32];
    snprintf(text, sizeof text, "%zu", value);
    bench_must(gs_config_set(config, name, text, NULL) == GS_OK, name);
}

gs_network *bench_network(bench_shape shape, const char *const *options, gs_dtype dtype,
                          size_t threads) {
    gs_error error = {0};
    gs_config *config = gs_config_new(&error);
    bench_must(config, error.message);
    set_size(config, "layers", shape.layers);
    set_size(config, "width", shape.width);
    set_size(config, "batch", shape.batch);
    set_size(config, "threads", threads);
    bench_must(gs_config_set(config, "dtype", dtype == GS_F64 ? "f64" : "f32", &error) == GS_OK,
               error.message);
    for (; *options; options += 2)
        bench_must(gs_config_set(config, options[0], options[1], &error) == GS_OK, error.message);
    gs_network *network = gs_network_new(config, &error);
    bench_must(network && gs_network_draw_batch(network, &error) == GS_OK, error.message);
    gs_config_free(config);
    return network;
}

typedef struct {
    const gs_engine *engine;
    gs_gradient_work work;
} norms_context;

static gs_status take_norm(void *context, const gs_stage *stage, const gs_signal *delta,
                           gs_error *error) {
    norms_context *c = context;
    gs_weight_gradient grad;
    return gs_measure_weight_gradient(c->engine, delta, stage->in, NULL, &c->work, &grad, error);
}

void bench_pass(void *network) {
    gs_network *n = network;
    gs_error error = {0};
    norms_context norms = {.engine = &n->engine};
    gs_observer observer = {.context = &norms, .dense = take_norm};
    bench_must(gs_network_forward_observed(n, NULL, &error) == GS_OK &&
                   gs_network_backward_observed(n, &observer, &error) == GS_OK,
               error.message);
    gs_gradient_work_free(&norms.work);
}

/* The work is that of the two products alone. */
static void bench_passes(const char *act, bench_shape shape, gs_dtype dtype, size_t threads,
                         double budget) {
    gs_network *network =
        bench_network(shape, (const char *const[]){"act", act, NULL}, dtype, threads);
    double flops = 4 * (double)shape.layers * (double)(shape.width * shape.width * shape.batch);
    bench_runner runners[] = {bench_peak(&network->engine),
                              bench_gradsim(threads, flops, bench_pass, network)};
    bench_race(runners, 2, budget);
    for (size_t i = 0; i < 2; i++)
        bench_print((bench_row){"pass", act, "flop", shape, dtype}, &runners[i], 1);
    gs_network_free(network);
}

/* ---- The command line ---- */

static size_t size_of(const char *text) {
    char *end;
    unsigned long long value = strtoull(text, &end, 10);
    bench_must(value > 0 && *end == '\0', "expected a number above 0");
    return (size_t)value;
}

static gs_dtype dtype_of(const char *text) {
    return strcmp(text, "f32") == 0 ? GS_F32 : GS_F64;
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*run)(gs_dtype dtype);
    } groups[] = {{"blas", bench_blas_speed},
                  {"peak", print_peak},
                  {"products", bench_products},
                  {"layers", bench_layers},
                  {"generation", bench_generation}};
    bench_must(argc >= 3, "expected a group and its arguments");
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
        if (strcmp(argv[1], groups[i].name) == 0)
            groups[i].run(dtype_of(argv[2]));
    if (strcmp(argv[1], "depth") == 0)
        bench_depth(argv[2]);
    if (strcmp(argv[1], "streamed") == 0 && argc == 4)
        bench_streamed(argv[2], size_of(argv[3]));
    if (strcmp(argv[1], "sweep") == 0 && argc > 5) {
        bench_sweep(argv[2], (double)size_of(argv[3]), argv + 4);
    } else if (argc == 9) {
        bench_shape shape = {size_of(argv[3]), size_of(argv[4]), size_of(argv[5])};
        (strcmp(argv[1], "pass") == 0 ? bench_passes : bench_training)(
            argv[2], shape, dtype_of(argv[6]), size_of(argv[7]), atof(argv[8]));
    }
    return 0;
}
