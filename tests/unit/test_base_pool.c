#include "base/pool.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>

#include "test.h"

enum { MOST_TASKS = 1000 };

/* How often each task has been called. Plain integers: the thread sanitizer then also sees whether
   the pool hands a finished task's writes over to the caller. */
typedef struct {
    int calls[MOST_TASKS];
} tally;

static void count_call(void *context, size_t index) {
    ((tally *)context)->calls[index]++;
}

static gs_pool *new_pool(size_t threads) {
    gs_pool *pool = NULL;
    CHECK(gs_pool_new(threads, &pool, NULL) == GS_OK && pool);
    return pool;
}

static void check_every_task_runs_once(gs_pool *pool, size_t tasks) {
    tally counts = {{0}};
    gs_pool_run(pool, tasks, count_call, &counts);
    for (size_t i = 0; i < MOST_TASKS; i++)
        CHECK_THAT(counts.calls[i] == (i < tasks), "task %zu of %zu ran %d times", i, tasks,
                   counts.calls[i]);
}

static void test_every_task_runs_once_for_any_number_of_threads_and_tasks(void) {
    static const size_t tasks[] = {0, 1, 2, 3, 7, 64, MOST_TASKS};
    for (size_t threads = 1; threads <= 9; threads++) {
        gs_pool *pool = new_pool(threads);
        CHECK(gs_pool_threads(pool) == threads);
        for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++)
            check_every_task_runs_once(pool, tasks[i]);
        gs_pool_free(pool);
    }
}

static void test_pool_that_is_null_or_of_no_threads_is_a_plain_loop(void) {
    gs_pool *pool = new_pool(0);
    CHECK(gs_pool_threads(NULL) == 1 && gs_pool_threads(pool) == 1);
    check_every_task_runs_once(NULL, 10);
    check_every_task_runs_once(pool, 10);
    gs_pool_free(pool);
    gs_pool_free(NULL);
}

static void test_every_task_of_several_jobs_runs_once(void) {
    static const size_t tasks[] = {MOST_TASKS, 0, 1, 7};
    enum { JOBS = sizeof tasks / sizeof *tasks };
    for (size_t threads = 1; threads <= 3; threads++) {
        gs_pool *pool = new_pool(threads);
        tally counts[JOBS] = {{{0}}};
        gs_pool_job jobs[JOBS];
        for (size_t j = 0; j < JOBS; j++)
            jobs[j] = (gs_pool_job){tasks[j], count_call, &counts[j]};
        gs_pool_run_jobs(pool, jobs, JOBS);
        gs_pool_run_jobs(pool, jobs + 1, 1);
        gs_pool_run_jobs(pool, jobs, 0);
        for (size_t j = 0; j < JOBS; j++)
            for (size_t i = 0; i < MOST_TASKS; i++)
                CHECK(counts[j].calls[i] == (i < tasks[j]));
        gs_pool_free(pool);
    }
}

/* Jobs in close succession catch workers that enter late, that leave late and that fall asleep. */
static void test_jobs_in_close_succession_do_not_mix(void) {
    gs_pool *pool = new_pool(4);
    for (size_t job = 0; job < 3000; job++)
        check_every_task_runs_once(pool, 2 + job % 7);
    gs_pool_free(pool);
}

static void sleep_milliseconds(long milliseconds) {
    nanosleep(&(struct timespec){.tv_nsec = milliseconds * 1000000}, NULL);
}

static void test_workers_that_have_fallen_asleep_wake_for_the_next_job(void) {
    gs_pool *pool = new_pool(4);
    for (size_t job = 0; job < 20; job++) {
        check_every_task_runs_once(pool, 50);
        sleep_milliseconds(5);
    }
    gs_pool_free(pool);
}

static double processor_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Three workers that went on spinning would take at least 0.2 s here, even on one processor. */
static void test_idle_workers_take_no_processor_time(void) {
    gs_pool *pool = new_pool(4);
    check_every_task_runs_once(pool, 50);
    sleep_milliseconds(50);
    double before = processor_seconds();
    sleep_milliseconds(200);
    double taken = processor_seconds() - before;
    CHECK_THAT(taken < 0.05, "%.3f s taken", taken);
    gs_pool_free(pool);
}

/* Each of the two tasks waits for the other, which only two threads can do. */
typedef struct {
    atomic_int present;
    pthread_t threads[2];
    bool signals_blocked[2];
} meeting;

static void meet(void *context, size_t index) {
    meeting *both = context;
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    both->threads[index] = pthread_self();
    both->signals_blocked[index] = sigismember(&blocked, SIGINT) && sigismember(&blocked, SIGTERM);
    atomic_fetch_add(&both->present, 1);
    while (atomic_load(&both->present) < 2)
        sleep_milliseconds(1);
}

static void test_two_tasks_run_at_the_same_time_on_the_caller_and_a_worker(void) {
    gs_pool *pool = new_pool(2);
    meeting both = {0};
    gs_pool_run(pool, 2, meet, &both);
    size_t worker = pthread_equal(both.threads[0], pthread_self()) ? 1 : 0;
    CHECK(!pthread_equal(both.threads[0], both.threads[1]));
    CHECK(pthread_equal(both.threads[1 - worker], pthread_self()));
    CHECK(both.signals_blocked[worker] && !both.signals_blocked[1 - worker]);
    gs_pool_free(pool);
}

typedef struct {
    gs_pool *pool;
    tally counts[8];
} nest;

static void run_inner_job(void *context, size_t index) {
    nest *outer = context;
    gs_pool_run(outer->pool, 20, count_call, &outer->counts[index]);
}

static void test_job_inside_a_task_is_a_plain_loop(void) {
    nest outer = {.pool = new_pool(4)};
    gs_pool_run(outer.pool, 8, run_inner_job, &outer);
    for (size_t job = 0; job < 8; job++)
        for (size_t i = 0; i < 20; i++)
            CHECK_THAT(outer.counts[job].calls[i] == 1, "task %zu of inner job %zu", i, job);
    gs_pool_free(outer.pool);
}

static void *run_many_jobs(void *pool) {
    bool right = true;
    for (size_t job = 0; job < 200; job++) {
        tally counts = {{0}};
        gs_pool_run(pool, 30, count_call, &counts);
        for (size_t i = 0; i < 30; i++)
            right = right && counts.calls[i] == 1;
    }
    return right ? pool : NULL;
}

static void test_two_threads_can_use_one_pool(void) {
    gs_pool *pool = new_pool(3);
    pthread_t other;
    void *result = NULL;
    CHECK(pthread_create(&other, NULL, run_many_jobs, pool) == 0);
    CHECK(run_many_jobs(pool) == pool);
    CHECK(pthread_join(other, &result) == 0 && result == pool);
    gs_pool_free(pool);
}

static void test_pool_survives_every_failure_to_allocate(void) {
    for (size_t nth = 1;; nth++) {
        gs_pool *pool = NULL;
        gs_error error = {0};
        test_fail_allocation(nth);
        gs_status status = gs_pool_new(4, &pool, &error);
        bool failed = test_allocation_failed();
        test_fail_allocation(0);
        CHECK_THAT((status == GS_ERR_MEMORY) == failed && error.code == status, "allocation %zu",
                   nth);
        gs_pool_free(pool);
        if (!failed)
            break;
    }
    gs_error error = {0};
    gs_pool *pool;
    CHECK(gs_pool_new(SIZE_MAX, &pool, &error) == GS_ERR_MEMORY);
}

static void test_job_completes_on_the_threads_that_could_be_started(void) {
    gs_pool *pool = new_pool(4);
    check_every_task_runs_once(pool, 2);
    test_fail_threads(true);
    check_every_task_runs_once(pool, 100);
    gs_pool *alone = new_pool(4);
    check_every_task_runs_once(alone, 100);
    test_fail_threads(false);
    check_every_task_runs_once(pool, 100);
    check_every_task_runs_once(alone, 100);
    gs_pool_free(pool);
    gs_pool_free(alone);
}

TEST_MAIN(TEST(test_every_task_runs_once_for_any_number_of_threads_and_tasks),
          TEST(test_pool_that_is_null_or_of_no_threads_is_a_plain_loop),
          TEST(test_every_task_of_several_jobs_runs_once),
          TEST(test_jobs_in_close_succession_do_not_mix),
          TEST(test_workers_that_have_fallen_asleep_wake_for_the_next_job),
          TEST(test_idle_workers_take_no_processor_time),
          TEST(test_two_tasks_run_at_the_same_time_on_the_caller_and_a_worker),
          TEST(test_job_inside_a_task_is_a_plain_loop), TEST(test_two_threads_can_use_one_pool),
          TEST(test_pool_survives_every_failure_to_allocate),
          TEST(test_job_completes_on_the_threads_that_could_be_started))
