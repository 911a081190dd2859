/*
 * A thread pool that runs one job of many independent tasks at a time. Threads only ever split
 * outputs, never sums, so nothing that is computed depends on their number.
 */
#ifndef GS_BASE_POOL_H
#define GS_BASE_POOL_H

#include "gradsim.h"

typedef struct gs_pool gs_pool;

/* A pool of `threads` threads, counting the caller's; 0 counts as 1. No thread is started before a
   job has work for it. Errors: GS_ERR_MEMORY. */
gs_status gs_pool_new(size_t threads, gs_pool **pool, gs_error *error);

/* Ends the threads and frees the pool; NULL does nothing. No job may be running. */
void gs_pool_free(gs_pool *pool);

/* How many threads can work on a job, counting the caller's; 1 for NULL. */
size_t gs_pool_threads(const gs_pool *pool);

/* Calls task(context, index) once for each index from 0 to tasks - 1, on the threads of the pool
   and the caller's, in no fixed order; returns when all calls have returned. It cannot fail: a
   thread that cannot be started is done without, and with pool NULL, or inside a task, or while
   another thread runs a job on the pool, it is a plain loop. */
void gs_pool_run(gs_pool *pool, size_t tasks, void (*task)(void *context, size_t index),
                 void *context);

/* Independent jobs as one: each thread has its share of every one of them, and waits for the others
   once. */
typedef struct {
    size_t tasks;
    void (*task)(void *context, size_t index);
    void *context;
} gs_pool_job;
void gs_pool_run_jobs(gs_pool *pool, const gs_pool_job *jobs, size_t count);

#endif
