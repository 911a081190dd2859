/*
 * Learning rates over a run: warm-up, and what the schedulers of PyTorch give.
 */
#include "test.h"

#include "net/schedule.h"

static gs_choice schedule_of(const char *text) {
    static const gs_option rows[] = {
        {.name = "schedule", .kind = GS_OPTION_CHOICE, .family = &gs_schedule_family}};
    gs_choice choice = {0, 0};
    gs_error error;
    CHECK_THAT(gs_option_parse(rows, &choice, text, &error) == GS_OK, "%s", error.message);
    return choice;
}

/* Row 69: lr t / T at step t = 1 .. T. */
static void test_a_warm_up_is_linear_and_ends_in_full(void) {
    static const char *const names[] = {"constant", "linear", "cosine", "step:3"};
    for (size_t i = 0; i < 4; i++) {
        gs_choice schedule = schedule_of(names[i]);
        for (size_t t = 1; t <= 7; t++)
            CHECK(gs_schedule_factor(schedule, 7, t, 20) == (double)t / 7);
        CHECK(gs_schedule_factor(schedule, 7, 8, 20) == 1);
        CHECK(gs_schedule_factor(schedule, 0, 1, 20) == 1);
        CHECK(gs_schedule_factor(schedule, 0, 1, 1) == 1);
        CHECK(gs_schedule_factor(schedule, 40, 20, 20) == 0.5);
    }
}

static void test_constant_stays(void) {
    for (size_t t = 1; t <= 50; t++)
        CHECK(gs_schedule_factor(schedule_of("constant"), 0, t, 50) == 1);
}

/* LinearLR(start_factor=1, end_factor=0, total_iters=N) */
static void test_linear_falls_by_the_same_every_step(void) {
    gs_choice linear = schedule_of("linear");
    for (size_t t = 1; t <= 8; t++)
        CHECK(gs_schedule_factor(linear, 0, t, 8) == 1 - (double)(t - 1) / 8);
    for (size_t t = 5; t <= 8; t++)
        CHECK(gs_schedule_factor(linear, 4, t, 8) == 1 - (double)(t - 5) / 4);
}

/* CosineAnnealingLR(T_max=N): two roundings of cos, and of what is done with it. */
static void test_cosine_follows_half_a_wave(void) {
    gs_choice cosine = schedule_of("cosine");
    for (size_t t = 1; t <= 100; t++) {
        double expected = 0.5 * (1 + cos(3.14159265358979323846 * (double)(t - 1) / 100));
        CHECK(fabs(gs_schedule_factor(cosine, 0, t, 100) - expected) <= 4 * 0x1p-53);
    }
    CHECK(gs_schedule_factor(cosine, 0, 51, 100) == 0.5);
    CHECK(gs_schedule_factor(cosine, 10, 11, 100) == 1);
    CHECK_CLOSE(gs_schedule_factor(cosine, 10, 41, 100), 0.75, 4 * 0x1p-53);
}

/* StepLR(step_size=EVERY, gamma=0.1) */
static void test_step_falls_to_a_tenth_after_every_so_many(void) {
    gs_choice step = schedule_of("step:3");
    static const double expected[] = {1, 1, 1, 0.1, 0.1, 0.1, 0.01, 0.01};
    for (size_t t = 1; t <= 8; t++)
        CHECK_CLOSE(gs_schedule_factor(step, 0, t, 8), expected[t - 1], 0x1p-52);
    CHECK(gs_schedule_factor(schedule_of("step:1"), 0, 100000, 100000) == 0);
    CHECK(gs_schedule_factor(schedule_of("step:1e15"), 0, 100000, 100000) == 1);
}

TEST_MAIN(TEST(test_a_warm_up_is_linear_and_ends_in_full), TEST(test_constant_stays),
          TEST(test_linear_falls_by_the_same_every_step), TEST(test_cosine_follows_half_a_wave),
          TEST(test_step_falls_to_a_tenth_after_every_so_many))
