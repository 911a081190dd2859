/*
 * Tasks side by side, their results in order.
 */
#include "test.h"

#include <stdatomic.h>
#include <time.h>

#include "base/ordered.h"

enum { TASKS = 300 };

typedef struct {
    uint64_t end;         /* take() says no at this one; TASKS: never */
    uint64_t alone_every; /* every so many-th task is alone; 0: none */
    bool gives_nothing;
    atomic_int under_way, most, done, dropped;
    atomic_bool alone_in_company, misled;
    uint64_t taken;
    bool taken_out_of_order;
    int results[TASKS];
} work_place;

static bool is_alone(void *context, uint64_t task) {
    const work_place *p = context;
    return p->alone_every > 0 && task % p->alone_every == 0;
}

static void *work(void *context, uint64_t task, bool alone) {
    work_place *p = context;
    p->misled |= alone != is_alone(context, task);
    int company = atomic_fetch_add(&p->under_way, 1) + 1, most = atomic_load(&p->most);
    while (company > most && !atomic_compare_exchange_weak(&p->most, &most, company))
        ;
    nanosleep(&(struct timespec){0, (long)(task * 7919 % 13) * 20000}, NULL);
    if (is_alone(context, task) && atomic_load(&p->under_way) > 1)
        atomic_store(&p->alone_in_company, true);
    atomic_fetch_sub(&p->under_way, 1);
    atomic_fetch_add(&p->done, 1);
    p->results[task] = (int)task;
    return p->gives_nothing ? NULL : &p->results[task];
}

static bool take(void *context, uint64_t task, void *result) {
    work_place *p = context;
    bool right = task == p->taken++ && result == (p->gives_nothing ? NULL : &p->results[task]);
    p->taken_out_of_order |= !right;
    return task != p->end;
}

static void drop(void *context, void *result) {
    work_place *p = context;
    p->taken_out_of_order |= *(int *)result <= (int)p->end;
    atomic_fetch_add(&p->dropped, 1);
}

static const gs_ordered_calls calls = {work, take, drop, is_alone};

static void test_results_are_taken_in_order(void) {
    for (size_t threads = 0; threads <= 5; threads++) {
        work_place p = {.end = TASKS, .gives_nothing = threads == 4};
        CHECK(gs_ordered_run(&calls, &p, TASKS, threads, NULL) == GS_OK);
        CHECK(p.taken == TASKS && !p.taken_out_of_order && p.dropped == 0 && p.done == TASKS);
        CHECK_THAT(p.most <= (threads > 1 ? (int)threads : 1), "%d under way", p.most);
    }
}

static void test_they_are_done_side_by_side(void) {
    work_place p = {.end = TASKS};
    CHECK(gs_ordered_run(&calls, &p, TASKS, 3, NULL) == GS_OK);
    CHECK_THAT(p.most > 1, "%d under way", p.most);
}

static void test_a_task_that_wants_to_be_alone_is(void) {
    work_place p = {.end = TASKS, .alone_every = 5};
    CHECK(gs_ordered_run(&calls, &p, TASKS, 4, NULL) == GS_OK);
    CHECK(p.taken == TASKS && !p.taken_out_of_order && p.most > 1);
    CHECK(!p.alone_in_company && !p.misled);
}

static void test_what_take_refuses_ends_it(void) {
    for (size_t threads = 1; threads <= 4; threads++) {
        work_place p = {.end = 100};
        CHECK(gs_ordered_run(&calls, &p, TASKS, threads, NULL) == GS_OK);
        CHECK(p.taken == 101 && !p.taken_out_of_order);
        CHECK_THAT(p.done - 101 == p.dropped && p.dropped < TASKS / 2, "%d done, %d dropped",
                   p.done, p.dropped);
    }
}

static void test_no_task_is_nothing_to_do(void) {
    work_place p = {.end = TASKS};
    CHECK(gs_ordered_run(&calls, &p, 0, 4, NULL) == GS_OK);
    CHECK(p.done == 0 && p.taken == 0);
}

TEST_MAIN(TEST(test_results_are_taken_in_order), TEST(test_they_are_done_side_by_side),
          TEST(test_a_task_that_wants_to_be_alone_is), TEST(test_what_take_refuses_ends_it),
          TEST(test_no_task_is_nothing_to_do))
