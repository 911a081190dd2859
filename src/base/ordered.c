/*
 * Ordered tasks: a ring of results, filled by whoever is done and emptied in order by one thread at
 * a time, while the others go on.
 */
#include "base/ordered.h"

#include "base/memory.h"
#include "base/thread.h"

enum { ROOM = 8 }; /* results of each thread that may wait */

typedef struct {
    void *result;
    bool is_done;
} slot;

typedef struct {
    const gs_ordered_calls *calls;
    void *context;
    uint64_t tasks, next, taken; /* of them: in all, the next to begin, how many were taken */
    size_t room, running;
    bool alone, taking, stopped;
    slot *slots; /* [room] */
    pthread_mutex_t mutex;
    pthread_cond_t changed;
} line;

/* Every function below holds the mutex when it is called and when it returns. */

static bool may_begin(line *l) {
    bool has_room = l->next - l->taken < l->room && !l->alone;
    return has_room && (l->running == 0 || !l->calls->is_alone(l->context, l->next));
}

static bool begin(line *l, uint64_t *task, bool *alone) {
    while (!l->stopped && l->next < l->tasks && !may_begin(l))
        pthread_cond_wait(&l->changed, &l->mutex);
    if (l->stopped || l->next == l->tasks)
        return false;
    *task = l->next++;
    l->running++;
    l->alone = *alone = l->calls->is_alone(l->context, *task);
    return true;
}

static void end(line *l, uint64_t task, void *result) {
    l->slots[task % l->room] = (slot){result, true};
    l->running--;
    l->alone = false;
    pthread_cond_broadcast(&l->changed);
}

/* One thread takes; who comes meanwhile leaves its result to it. */
static void take(line *l) {
    slot *first = &l->slots[l->taken % l->room];
    if (l->taking)
        return;
    l->taking = true;
    while (!l->stopped && first->is_done) {
        slot mine = *first;
        *first = (slot){0};
        pthread_mutex_unlock(&l->mutex);
        bool goes_on = l->calls->take(l->context, l->taken, mine.result);
        pthread_mutex_lock(&l->mutex);
        l->taken++;
        l->stopped = !goes_on;
        first = &l->slots[l->taken % l->room];
        pthread_cond_broadcast(&l->changed);
    }
    l->taking = false;
}

/* ---- Threads ---- */

static void *run(void *argument) {
    line *l = argument;
    uint64_t task;
    bool alone;
    pthread_mutex_lock(&l->mutex);
    while (begin(l, &task, &alone)) {
        pthread_mutex_unlock(&l->mutex);
        void *result = l->calls->work(l->context, task, alone);
        pthread_mutex_lock(&l->mutex);
        end(l, task, result);
        take(l);
    }
    pthread_mutex_unlock(&l->mutex);
    return NULL;
}

gs_status gs_ordered_run(const gs_ordered_calls *calls, void *context, uint64_t tasks,
                         size_t threads, gs_error *error) {
    line l = {.calls = calls, .context = context, .tasks = tasks};
    size_t others = threads > tasks ? (size_t)tasks : threads, started = 0;
    others -= others > 0;
    l.room = (others + 1) * ROOM;
    l.slots = gs_alloc(l.room, sizeof *l.slots, error);
    pthread_t *thread = l.slots ? gs_alloc(others, sizeof *thread, error) : NULL;
    if (thread) {
        pthread_mutex_init(&l.mutex, NULL);
        pthread_cond_init(&l.changed, NULL);
        while (started < others && gs_thread_start(&thread[started], run, &l))
            started++;
        run(&l);
        for (size_t i = 0; i < started; i++)
            pthread_join(thread[i], NULL);
        for (size_t i = 0; i < l.room; i++)
            if (l.slots[i].is_done)
                calls->drop(context, l.slots[i].result);
        pthread_cond_destroy(&l.changed);
        pthread_mutex_destroy(&l.mutex);
    }
    gs_free(thread);
    gs_free(l.slots);
    return thread ? GS_OK : GS_ERR_MEMORY;
}
