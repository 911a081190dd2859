/*
 * Generation alone, depth, and whole processes: what is measured against a law instead of another
 * program.
 */
#define _GNU_SOURCE /* ru_maxrss */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/machine.h"
#include "bench.h"
#include "net/init.h"

/* ---- Generation ---- */

typedef struct {
    const char *item, *init;
    size_t width;
    double numbers; /* that its row is of */
} generation;

/* A matrix of about as many numbers as fit in a cache; and orthogonal ones, small and large. */
static const generation generations[] = {{"normal numbers", "xavier-normal", 512, 1e6},
                                         {"orthogonal 128", "orthogonal", 128, 128 * 128},
                                         {"orthogonal 2048", "orthogonal", 2048, 2048 * 2048}};

typedef struct {
    const gs_engine *engine;
    gs_choice init;
    gs_matrix weight;
    uint32_t layer;
} generator;

static void generate_step(void *context) {
    generator *g = context;
    gs_init_weight(g->engine, g->init, 1, 1, g->layer++, &g->weight, NULL);
}

static bench_runner generation_runner(generator *g, const generation *what,
                                      const gs_engine *engine) {
    *g = (generator){.engine = engine, .init = {0, 1}};
    while (strcmp(gs_family_row(&gs_init_family, g->init.index)->name, what->init) != 0)
        g->init.index++;
    bench_must(gs_matrix_new(engine, what->width, what->width, &g->weight, NULL) == GS_OK,
               "no memory");
    return bench_gradsim(gs_pool_threads(engine->pool), (double)(what->width * what->width),
                         generate_step, g);
}

void bench_generation(gs_dtype dtype) {
    gs_engine engines[2];
    generator generators[2];
    bench_runner runners[2];
    size_t count = bench_engines(dtype, engines);
    for (size_t k = 0; k < sizeof generations / sizeof *generations; k++) {
        const generation *what = &generations[k];
        for (size_t i = 0; i < count; i++)
            runners[i] = generation_runner(&generators[i], what, &engines[i]);
        bench_race(runners, count, 0.5);
        for (size_t i = 0; i < count; i++) {
            bench_print(
                (bench_row){
                    .group = "generation", .item = what->item, .unit = "number", .dtype = dtype},
                &runners[i], what->numbers / runners[i].work);
            gs_matrix_free(&generators[i].weight);
        }
    }
    bench_engines_free(engines, count);
}

/* ---- Processes ---- */

extern char **environ;

static bool run_quietly(char *const arguments[]) {
    posix_spawn_file_actions_t actions;
    pid_t child;
    int status;
    posix_spawn_file_actions_init(&actions);
    for (int stream = STDOUT_FILENO; stream <= STDERR_FILENO; stream++)
        posix_spawn_file_actions_addopen(&actions, stream, "/dev/null", O_WRONLY, 0);
    bool ran = posix_spawn(&child, arguments[0], &actions, NULL, arguments, environ) == 0 &&
               waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    posix_spawn_file_actions_destroy(&actions);
    return ran;
}

typedef struct {
    char *arguments[40];
    char layers[32], jobs[32], threads[32];
} command;

static void command_step(void *context) {
    bench_must(run_quietly(((command *)context)->arguments), "gradsim failed");
}

/* ---- Sweeps ---- */

/* One network after another on one thread and on all, and side by side with a thread each. */
void bench_sweep(const char *item, double networks, char *const *sweep) {
    size_t all = gs_cpus_available(), count = all > 1 ? 3 : 1;
    const struct {
        const char *program;
        size_t jobs, threads;
    } ways[] = {{"gradsim", 1, 1}, {"one by one", 1, all}, {"gradsim", all, 1}};
    command commands[3];
    bench_runner runners[3];
    for (size_t i = 0; i < count; i++) {
        command *c = &commands[i];
        *c = (command){.layers = ""};
        snprintf(c->jobs, sizeof c->jobs, "--jobs=%zu", ways[i].jobs);
        snprintf(c->threads, sizeof c->threads, "--threads=%zu", ways[i].threads);
        char *own[] = {c->jobs, c->threads, (char *)(uintptr_t) "--format=csv"};
        size_t at = 0, most = sizeof c->arguments / sizeof *own - sizeof own / sizeof *own - 1;
        for (; sweep[at] && at < most; at++)
            c->arguments[at] = sweep[at];
        memcpy(&c->arguments[at], own, sizeof own);
        runners[i] = bench_gradsim(ways[i].jobs * ways[i].threads, networks, command_step, c);
        runners[i].program = ways[i].program;
    }
    bench_race(runners, count, 2);
    for (size_t i = 0; i < count; i++)
        bench_print((bench_row){"sweep", item, "network", {96, 128, 64}, GS_F64}, &runners[i], 1);
}

/* ---- Depth ---- */

static const size_t depths[] = {10, 100, 1000, 10000};
enum { DEPTHS = sizeof depths / sizeof *depths };

/* At 10,000 layers about 1 GB. */
static const bench_shape depth_shape = {0, 64, 32};

static bench_shape at_depth(size_t layers) {
    bench_shape shape = depth_shape;
    shape.layers = layers;
    return shape;
}

static void both_passes(void *network) {
    bench_must(gs_network_forward(network, NULL, NULL) == GS_OK &&
                   gs_network_backward(network, NULL) == GS_OK,
               "a pass failed");
}

static void passes_by_depth(void) {
    bench_runner runners[DEPTHS];
    const char *const options[] = {"act", "tanh", NULL};
    for (size_t i = 0; i < DEPTHS; i++) {
        gs_network *network = bench_network(at_depth(depths[i]), options, GS_F64, 1);
        runners[i] = bench_gradsim(1, (double)depths[i], both_passes, network);
    }
    bench_race(runners, DEPTHS, 1);
    for (size_t i = 0; i < DEPTHS; i++) {
        bench_print((bench_row){"depth", "pass", "layer", at_depth(depths[i]), GS_F64}, &runners[i],
                    1);
        gs_network_free(runners[i].context);
    }
}

/* The time that any process takes is that of `gradsim --version`. */
static void processes_by_depth(const char *gradsim) {
    command commands[DEPTHS + 1];
    bench_runner runners[DEPTHS + 1];
    for (size_t i = 0; i <= DEPTHS; i++) {
        command *c = &commands[i];
        *c = (command){.arguments = {(char *)(uintptr_t)gradsim, "--layers", c->layers, "--width",
                                     "64", "--batch", "32", "--act", "tanh", "--threads", "1",
                                     "--format", "csv"}};
        if (i == DEPTHS)
            *c = (command){.arguments = {(char *)(uintptr_t)gradsim, "--version"}};
        else
            snprintf(c->layers, sizeof c->layers, "%zu", depths[i]);
        runners[i] = bench_gradsim(1, 1, command_step, c);
    }
    for (size_t i = 0; i <= DEPTHS; i++)
        bench_race(&runners[i], 1, 1);
    double start = bench_least(&runners[DEPTHS]);
    for (size_t i = 0; i < DEPTHS; i++) {
        bench_runner *r = &runners[i];
        for (size_t k = 0; k < r->count && k < MOST_SAMPLES; k++)
            r->seconds[k] -= start;
        r->work = (double)depths[i];
        bench_print((bench_row){"depth", "process", "layer", at_depth(depths[i]), GS_F64}, r, 1);
    }
}

void bench_depth(const char *gradsim) {
    passes_by_depth();
    processes_by_depth(gradsim);
}

/* ---- Streamed weights ---- */

/* Its own memory counts in what the system says of a child, so it must be small beside that. */
static double generation_rate(const gs_engine *engine, double *peak) {
    generator g;
    bench_runner runners[2] = {bench_peak(engine), generation_runner(&g, &generations[0], engine)};
    bench_race(runners, 2, 0.5);
    gs_matrix_free(&g.weight);
    *peak = runners[0].work / bench_least(&runners[0]);
    return runners[1].work / bench_least(&runners[1]);
}

static double larger(double a, double b) {
    return a > b ? a : b;
}

/* Beside the run stand its two floors: every weight generated twice, and the products at peak. */
void bench_streamed(const char *gradsim, size_t layers) {
    char depth[32];
    char *arguments[] = {(char *)(uintptr_t)gradsim,
                         "--layers",
                         depth,
                         "--width",
                         "12288",
                         "--batch",
                         "32",
                         "--dtype",
                         "f32",
                         "--weights",
                         "streamed",
                         NULL};
    bench_shape shape = {layers, 12288, 32};
    gs_engine engines[2];
    double peak_before, peak_after, weights = (double)layers * 12288 * 12288;
    struct rusage usage;
    const gs_engine *all = &engines[bench_engines(GS_F32, engines) - 1];
    size_t threads = gs_pool_threads(all->pool);
    snprintf(depth, sizeof depth, "%zu", layers);

    double rate = generation_rate(all, &peak_before), start = bench_now();
    bool ran = run_quietly(arguments);
    double seconds = bench_now() - start;
    getrusage(RUSAGE_CHILDREN, &usage);
    rate = larger(rate, generation_rate(all, &peak_after));
    bench_must(ran, "gradsim --weights streamed failed");

    double making = 2 * weights / rate;
    double products = 4 * weights * 32 / larger(peak_before, peak_after);
    bench_row row = {"streamed", "time", "run", shape, GS_F32};
    bench_runner runner = bench_gradsim(threads, 1, NULL, NULL);
    runner.count = 1;
    runner.seconds[0] = seconds;
    bench_print(row, &runner, 1);
    runner.program = "both floors";
    runner.seconds[0] = making + products;
    bench_print(row, &runner, 1);
    row.item = "floor: every weight generated twice";
    runner.program = "gradsim";
    runner.seconds[0] = making;
    bench_print(row, &runner, 1);
    row.item = "floor: products at peak";
    runner.seconds[0] = products;
    bench_print(row, &runner, 1);
    row.item = "memory", row.unit = "GiB";
    runner.seconds[0] = 0;
    runner.work = (double)usage.ru_maxrss / (1 << 20); /* from KiB */
    bench_print(row, &runner, 1);
    bench_engines_free(engines, threads > 1 ? 2 : 1);
}
