/*
 * The pool. Each thread has a share of the tasks of a job, the same share of every job of that
 * size, so that it finds in its cache what it made in the job before; who is done helps the others.
 * A job is open while there may be tasks left in it; a worker enters an open job, takes tasks, and
 * leaves. The caller takes tasks too, closes the job, and waits until nobody is inside. A worker
 * that wakes too late finds the door shut and is not waited for.
 */
#include "base/pool.h"

#include <sched.h>
#include <stdatomic.h>

#include "base/error.h"
#include "base/machine.h"
#include "base/memory.h"
#include "base/thread.h"

/* How often a thread looks again before it sleeps: at first at once, for what comes within
   microseconds, then each time offering its processor to others. About half a millisecond: longer
   than what lies between the jobs of one layer, shorter than anyone would notice. */
enum { EAGER_LOOKS = 1000, LOOKS = EAGER_LOOKS + 1000 };

/* The bits of gs_pool.door: whether the job is open, and how many workers are inside. */
enum { DOOR_OPEN = 1, DOOR_WORKER = 2 };

/* A thread of the pool, and what is left of its share of the job: tasks [next, end). On cache lines
   of its own. */
typedef struct {
    gs_pool *pool;
    pthread_t thread;
    size_t end;
    atomic_size_t next;
    char rest[GS_ALIGNMENT - sizeof(gs_pool *) - sizeof(pthread_t) - 2 * sizeof(size_t)];
} member;

struct gs_pool {
    size_t threads;  /* counting the caller's */
    size_t started;  /* workers that there are */
    size_t allowed;  /* workers that there may be: fewer once the system has refused one */
    member *members; /* [threads], the first is the caller */

    /* The job. Written while the door is shut and nobody is inside. */
    void (*task)(void *context, size_t index);
    void *context;
    size_t shares; /* members that have one */

    atomic_flag busy;     /* a thread is in gs_pool_run */
    atomic_size_t door;   /* DOOR_OPEN + DOOR_WORKER * workers inside */
    atomic_size_t jobs;   /* how many have been opened: tells a worker that there is a new one */
    atomic_bool stopping; /* the pool is being freed */

    atomic_size_t asleep; /* workers waiting on `wake` */
    atomic_int waker;     /* the processor of who opened the last job for sleepers */
    pthread_mutex_t mutex;
    pthread_cond_t wake; /* a job has been opened, or the pool is stopping */
    pthread_cond_t left; /* the last worker has left a shut job */
};

static void pause_before(int look) {
    if (look >= EAGER_LOOKS)
        sched_yield();
#if defined(__x86_64__)
    else
        __builtin_ia32_pause();
#elif defined(__aarch64__)
    else
        __asm__ volatile("yield");
#endif
}

static void take_share(gs_pool *pool, member *owner) {
    size_t index;
    while ((index = atomic_fetch_add_explicit(&owner->next, 1, memory_order_relaxed)) < owner->end)
        pool->task(pool->context, index);
}

/* Its own share, and then what others have left. */
static void take_tasks(gs_pool *pool, size_t place) {
    for (size_t i = 0; i < pool->shares; i++)
        take_share(pool, &pool->members[(place + i) % pool->shares]);
}

/* ---- A worker ---- */

static bool enter(gs_pool *pool) {
    size_t door = atomic_load(&pool->door);
    while (door & DOOR_OPEN)
        if (atomic_compare_exchange_weak(&pool->door, &door, door + DOOR_WORKER))
            return true;
    return false;
}

static void leave(gs_pool *pool) {
    if (atomic_fetch_sub(&pool->door, DOOR_WORKER) != DOOR_WORKER)
        return;
    pthread_mutex_lock(&pool->mutex);
    pthread_cond_signal(&pool->left);
    pthread_mutex_unlock(&pool->mutex);
}

static bool has_news(gs_pool *pool, size_t seen) {
    return atomic_load(&pool->jobs) != seen || atomic_load(&pool->stopping);
}

/* Returns when there is a job after the `seen`-th, or the pool is stopping. */
static void wait_for_news(gs_pool *pool, size_t seen) {
    for (int look = 0; look < LOOKS; look++) {
        if (has_news(pool, seen))
            return;
        pause_before(look);
    }
    /* Either this thread sees the news after it counts itself asleep, or whoever brings them sees
       it counted after they are out, and then has to take the mutex to wake it. */
    pthread_mutex_lock(&pool->mutex);
    atomic_fetch_add(&pool->asleep, 1);
    while (!has_news(pool, seen))
        pthread_cond_wait(&pool->wake, &pool->mutex);
    atomic_fetch_sub(&pool->asleep, 1);
    pthread_mutex_unlock(&pool->mutex);
    gs_leave_cpu(atomic_load(&pool->waker));
}

/* A thread that starts or wakes is often put where the one is that it is to help, and stays there
   for milliseconds while other processors are idle: it moves over itself. */
static void *work(void *argument) {
    const member *self = argument;
    gs_pool *pool = self->pool;
    size_t seen = 0, place = (size_t)(self - pool->members);
    gs_leave_cpu(atomic_load(&pool->waker));
    for (;;) {
        wait_for_news(pool, seen);
        if (atomic_load(&pool->stopping))
            return NULL;
        seen = atomic_load(&pool->jobs);
        if (enter(pool)) {
            take_tasks(pool, place);
            leave(pool);
        }
    }
}

static void wake_workers(gs_pool *pool) {
    if (atomic_load(&pool->asleep) == 0)
        return;
    atomic_store(&pool->waker, gs_cpu_now());
    pthread_mutex_lock(&pool->mutex);
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->mutex);
}

/* ---- The caller ---- */

/* Starts workers until there are `wanted`. If the system refuses one the pool makes do with those
   it has from then on. */
static void start_workers(gs_pool *pool, size_t wanted) {
    if (pool->started >= wanted)
        return;
    atomic_store(&pool->waker, gs_cpu_now());
    while (pool->started < wanted) {
        member *worker = &pool->members[pool->started + 1];
        if (!gs_thread_start(&worker->thread, work, worker))
            break;
        pool->started++;
    }
    if (pool->started < wanted)
        pool->allowed = pool->started;
}

static void wait_until_empty(gs_pool *pool) {
    for (int look = 0; look < LOOKS; look++) {
        if (atomic_load(&pool->door) == 0)
            return;
        pause_before(look);
    }
    pthread_mutex_lock(&pool->mutex);
    while (atomic_load(&pool->door) != 0)
        pthread_cond_wait(&pool->left, &pool->mutex);
    pthread_mutex_unlock(&pool->mutex);
}

static void run_shared(gs_pool *pool, size_t tasks, void (*task)(void *context, size_t index),
                       void *context) {
    start_workers(pool, tasks - 1 < pool->allowed ? tasks - 1 : pool->allowed);
    pool->task = task;
    pool->context = context;
    pool->shares = pool->started + 1 < tasks ? pool->started + 1 : tasks;
    for (size_t i = 0, first = 0; i < pool->shares; i++) {
        size_t left = tasks - first, share = left / (pool->shares - i);
        atomic_store_explicit(&pool->members[i].next, first, memory_order_relaxed);
        pool->members[i].end = first += share;
    }
    atomic_store(&pool->door, DOOR_OPEN);
    atomic_fetch_add(&pool->jobs, 1);
    wake_workers(pool);
    take_tasks(pool, 0);
    atomic_fetch_sub(&pool->door, DOOR_OPEN);
    wait_until_empty(pool);
}

void gs_pool_run(gs_pool *pool, size_t tasks, void (*task)(void *context, size_t index),
                 void *context) {
    if (pool && pool->threads > 1 && tasks > 1 && !atomic_flag_test_and_set(&pool->busy)) {
        run_shared(pool, tasks, task, context);
        atomic_flag_clear(&pool->busy);
    } else {
        for (size_t index = 0; index < tasks; index++)
            task(context, index);
    }
}

/* ---- Several jobs ---- */

typedef struct {
    const gs_pool_job *jobs;
    size_t count, steps; /* as many steps as the largest has tasks */
} joint_job;

/* What lies between the same two shares of every job: at most a task of each. */
static void run_step(void *context, size_t step) {
    const joint_job *joint = context;
    for (size_t i = 0; i < joint->count; i++) {
        const gs_pool_job *job = &joint->jobs[i];
        size_t task = (size_t)((uint64_t)step * job->tasks / joint->steps);
        if (task < (uint64_t)(step + 1) * job->tasks / joint->steps)
            job->task(job->context, task);
    }
}

void gs_pool_run_jobs(gs_pool *pool, const gs_pool_job *jobs, size_t count) {
    joint_job joint = {jobs, count, 0};
    for (size_t i = 0; i < count; i++)
        joint.steps = jobs[i].tasks > joint.steps ? jobs[i].tasks : joint.steps;
    gs_pool_run(pool, joint.steps, run_step, &joint);
}

/* ---- Life ---- */

gs_status gs_pool_new(size_t threads, gs_pool **pool, gs_error *error) {
    gs_pool *made = gs_alloc(1, sizeof *made, error);
    if (!made)
        return GS_ERR_MEMORY;
    made->threads = threads > 1 ? threads : 1;
    made->allowed = made->threads - 1;
    made->members = gs_alloc(made->threads, sizeof *made->members, error);
    if (!made->members) {
        gs_free(made);
        return GS_ERR_MEMORY;
    }
    for (size_t i = 0; i < made->threads; i++)
        made->members[i].pool = made;
    atomic_flag_clear(&made->busy);
    pthread_mutex_init(&made->mutex, NULL);
    pthread_cond_init(&made->wake, NULL);
    pthread_cond_init(&made->left, NULL);
    *pool = made;
    return GS_OK;
}

void gs_pool_free(gs_pool *pool) {
    if (!pool)
        return;
    atomic_store(&pool->stopping, true);
    wake_workers(pool);
    for (size_t i = 0; i < pool->started; i++)
        pthread_join(pool->members[i + 1].thread, NULL);
    pthread_cond_destroy(&pool->left);
    pthread_cond_destroy(&pool->wake);
    pthread_mutex_destroy(&pool->mutex);
    gs_free(pool->members);
    gs_free(pool);
}

size_t gs_pool_threads(const gs_pool *pool) {
    return pool ? pool->threads : 1;
}
