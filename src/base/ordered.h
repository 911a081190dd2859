/*
 * Tasks done side by side whose results are taken in order, so that what is made of them does not
 * depend on how many threads there were.
 */
#ifndef GS_BASE_ORDERED_H
#define GS_BASE_ORDERED_H

#include "gradsim.h"

typedef struct {
    /* Does a task; any thread. NULL is a result too. `alone` is what is_alone() said of it. */
    void *(*work)(void *context, uint64_t task, bool alone);

    /* Takes the result of tasks 0, 1, 2, ..., one call at a time, from any thread. False ends it
       all: no task is begun any more, and what is under way is dropped. */
    bool (*take)(void *context, uint64_t task, void *result);
    void (*drop)(void *context, void *result);

    /* Whether a task is to have the machine for itself. Cheap; one call at a time. */
    bool (*is_alone)(void *context, uint64_t task);
} gs_ordered_calls;

/* Returns when every task is done and its result taken, or after take() ended it. At most `threads`
   tasks, one at least, are under way at once, counting that of the caller's thread; a thread that
   cannot be started is done without. Of results that wait for their turn there are few for each
   thread. Errors: GS_ERR_MEMORY, before anything is done. */
gs_status gs_ordered_run(const gs_ordered_calls *calls, void *context, uint64_t tasks,
                         size_t threads, gs_error *error);

#endif
