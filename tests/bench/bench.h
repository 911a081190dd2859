/*
 * What the measurements share. Ways of doing the same thing are timed in turn, a few milliseconds
 * each, until the time for it is up: a clock that drifts or a neighbour that wakes up meets them
 * all, and the least time of each is what it can do. Every result is a row on stdout,
 *
 *     group,shape,dtype,threads,item,program,seconds,median,work,unit
 *
 * which table.awk makes a table of.
 */
#ifndef GS_BENCH_H
#define GS_BENCH_H

#include "net/network.h"

typedef struct {
    size_t layers, width, batch;
} bench_shape;

extern const bench_shape bench_shapes[];
extern const size_t bench_shape_count;

/* ---- Racing ---- */

enum { MOST_SAMPLES = 256 };

typedef struct {
    const char *program; /* gradsim, peak, openblas */
    size_t threads;
    double work; /* of a step, in `unit` of its row */
    void (*step)(void *context);
    void *context;
    double pause; /* seconds after its turn for which threads of its own may still spin */
    size_t steps; /* in a turn */
    size_t count;
    double seconds[MOST_SAMPLES]; /* of a step */
} bench_runner;

/* gradsim's, before its first turn. */
bench_runner bench_gradsim(size_t threads, double work, void (*step)(void *context), void *context);

double bench_now(void); /* seconds */

/* Time all runners in turn for about `budget` seconds each, twice at least. */
void bench_race(bench_runner *runners, size_t count, double budget);

double bench_least(const bench_runner *runner);

/* Print the row of a runner; its seconds and work are of `steps` steps. */
typedef struct {
    const char *group, *item, *unit;
    bench_shape shape; /* layers 0: none */
    gs_dtype dtype;
} bench_row;
void bench_print(bench_row row, const bench_runner *runner, double steps);

/* ---- Engines ---- */

/* One engine of one thread, and one of all that there are if those are more: returns how many. */
size_t bench_engines(gs_dtype dtype, gs_engine engines[2]);
void bench_engines_free(gs_engine engines[2], size_t count);

/* A runner of independent FMAs in registers, on the instruction set of the engine. */
bench_runner bench_peak(const gs_engine *engine);

/* ---- Networks ---- */

/* With its batch drawn; `options` are names and their values, ended by NULL. */
gs_network *bench_network(bench_shape shape, const char *const *options, gs_dtype dtype,
                          size_t threads);

/* Forward, backward and the norm of every dL/dW; a runner's step. */
void bench_pass(void *network);

/* Layers whose weights take so many bytes, but no more than there are. */
size_t bench_layers_within(size_t bytes, bench_shape shape, gs_dtype dtype);

/* Ends the program where it cannot go on. */
void bench_must(bool done, const char *what);

/* ---- Groups: the arguments are those after the name of the group ---- */

void bench_blas_speed(gs_dtype dtype); /* "CORE GFLOP/s" of OpenBLAS, nothing if it is missing */
void bench_products(gs_dtype dtype);
void bench_layers(gs_dtype dtype);
void bench_generation(gs_dtype dtype);
void bench_training(const char *opt, bench_shape shape, gs_dtype dtype, size_t threads,
                    double budget);
void bench_sweep(const char *item, double networks, char *const *sweep); /* with its options */
void bench_depth(const char *gradsim);
void bench_streamed(const char *gradsim, size_t layers);

#endif
