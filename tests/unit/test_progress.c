/*
 * The line of progress: what stands in it, and when. It is part of the program, not of the library.
 */
#include "test.h"

#include "cli/progress.c"
#include "cli/terminal.c"

static cli_progress plain_progress(uint64_t done, uint64_t all) {
    cli_progress progress;
    cli_progress_begin(&progress, CLI_PROGRESS_PLAIN, done, all, "step");
    progress.seen_at = 0;
    return progress;
}

/* After `done` steps of 1000 in `seconds`. */
static const char *line_after(uint64_t done, double seconds, const char *text, size_t columns) {
    static gs_line line;
    cli_progress progress = plain_progress(0, 1000);
    update_rate(&progress, done, seconds);
    line = compose(&progress, text, columns);
    CHECK(line.length == strlen(line.text) && line.length <= columns);
    return line.text;
}

static void test_a_line_has_the_text_the_rate_and_the_time_left(void) {
    CHECK_STRING(line_after(120, 2, "loss 0.345  accuracy 91%", 79),
                 "step 120/1000  loss 0.345  accuracy 91%  60/s  0:15 left");
    CHECK_STRING(line_after(120, 2, NULL, 79), "step 120/1000  60/s  0:15 left");
}

static void test_before_a_step_is_done_there_is_no_rate(void) {
    CHECK_STRING(line_after(0, 5, "loss 1", 79), "step 0/1000  loss 1");
}

static void test_in_the_end_there_is_no_time_left(void) {
    CHECK_STRING(line_after(1000, 100, "loss 1", 79), "step 1000/1000  loss 1  10/s");
}

static void test_rates_have_two_digits_at_least(void) {
    CHECK_STRING(line_after(999, 0.001, NULL, 79), "step 999/1000  999000/s  0:01 left");
    CHECK_STRING(line_after(999, 10, NULL, 79), "step 999/1000  100/s  0:01 left");
    CHECK_STRING(line_after(999, 405, NULL, 79), "step 999/1000  2.5/s  0:01 left");
    CHECK_STRING(line_after(998, 399200, NULL, 79), "step 998/1000  0.0025/s  13:20 left");
}

static void test_time_left_goes_by_hours_and_days(void) {
    CHECK_STRING(line_after(1, 1, NULL, 79), "step 1/1000  1/s  16:39 left");
    CHECK_STRING(line_after(1, 4, NULL, 79), "step 1/1000  0.25/s  1:06:36 left");
    CHECK_STRING(line_after(1, 160, NULL, 79), "step 1/1000  0.0063/s  44:24:00 left");
    CHECK_STRING(line_after(1, 200, NULL, 79), "step 1/1000  0.005/s  3 days left");
}

static void test_what_does_not_fit_is_left_out(void) {
    CHECK_STRING(line_after(120, 2, "loss 0.345  accuracy 91%", 50),
                 "step 120/1000  loss 0.345  accuracy 91%  60/s");
    CHECK_STRING(line_after(120, 2, "loss 0.345  accuracy 91%", 30),
                 "step 120/1000  60/s  0:15 left");
    CHECK_STRING(line_after(120, 2, "loss", 12), "loss  60/s");
    CHECK_STRING(line_after(120, 2, "loss", 0), "");
    for (size_t columns = 0; columns < 80; columns++)
        line_after(120, 2, "loss", columns); /* checks that it fits */
}

static void test_a_strip_fills_what_is_left(void) {
    static const double logs[] = {-3, -2, -1, 0};
    static const char *const expected[] = {"step 1/1  0", "step 1/1  20", "step 1/1  210",
                                           "step 1/1  3210", "step 1/1  3210"};
    cli_progress progress = plain_progress(1, 1);
    progress.mode = CLI_PROGRESS_AUTO;
    progress.unicode = false;
    for (size_t columns = 8; columns < 16; columns++) {
        gs_line line = {0};
        gs_line_add(&line, "\r%s%s", columns < 11 ? "step 1/1" : expected[columns - 11],
                    erase_rest);
        write_line(&progress, NULL, logs, 4, columns);
        CHECK_STRING(progress.line, line.text);
    }
    progress.mode = CLI_PROGRESS_PLAIN;
    write_line(&progress, NULL, logs, 4, CLI_PROGRESS_COLUMNS);
    CHECK_STRING(progress.line, "step 1/1\n");
}

/* A whole screen of them in Unicode. */
static void test_the_longest_line_has_room(void) {
    double logs[2 * CLI_PROGRESS_COLUMNS] = {0};
    cli_progress progress = plain_progress(1, 1);
    progress.mode = CLI_PROGRESS_AUTO;
    progress.unicode = true;
    progress.noun = "";
    write_line(&progress, NULL, logs, 2 * CLI_PROGRESS_COLUMNS, CLI_PROGRESS_COLUMNS);
    size_t ascii = strlen(" 1/1  "), strip = CLI_PROGRESS_COLUMNS - ascii;
    size_t bytes = strlen("\r") + ascii + GS_STRIP_BYTES * strip + strlen(erase_rest);
    CHECK(strlen(progress.line) == bytes && bytes < CLI_PROGRESS_BYTES);
    CHECK_STRING(progress.line + bytes - strlen(erase_rest), erase_rest);
}

/* 10 a second for a minute, then 100 for ten seconds. */
static void test_the_rate_is_of_the_last_few_seconds(void) {
    cli_progress progress = plain_progress(0, 100000);
    uint64_t done = 0;
    double at = 0;
    for (; at < 60; at += 0.1)
        update_rate(&progress, ++done, at + 0.1);
    CHECK_CLOSE(progress.steps / progress.seconds, 10, 1e-6);
    for (; at < 70; at += 0.1)
        update_rate(&progress, done += 10, at + 0.1);
    CHECK_CLOSE(progress.steps / progress.seconds, 100, 0.05);
}

static void test_time_before_the_first_step_does_not_count(void) {
    cli_progress progress = plain_progress(500, 1000);
    update_rate(&progress, 500, 30);
    update_rate(&progress, 510, 31);
    CHECK_CLOSE(progress.steps / progress.seconds, 10, 1e-12);
}

/* ---- When ---- */

/* How many of the steps from `first` to `last` are shown. */
static size_t count_due(uint64_t first, uint64_t last, uint64_t all) {
    cli_progress progress = plain_progress(first, all);
    size_t count = 0;
    for (uint64_t step = first; step <= last; step++)
        if (cli_progress_is_due(&progress, step)) {
            update_rate(&progress, step, (double)step);
            progress.has_shown = true;
            count++;
            CHECK(step == first || step * 20 / all > (step - 1) * 20 / all);
        }
    CHECK(last < all || progress.seen == all);
    return count;
}

static void test_plain_lines_are_the_first_each_twentieth_and_the_last(void) {
    CHECK(count_due(0, 1000, 1000) == 21);
    CHECK(count_due(0, 1003, 1003) == 21);
    CHECK(count_due(0, 7, 7) == 8);
    CHECK(count_due(0, 1, 1) == 2);
    CHECK(count_due(500, 1000, 1000) == 11);
    CHECK(count_due(517, 1000, 1000) == 11);
}

static void test_nothing_is_due_where_nothing_is_shown(void) {
    cli_progress progress;
    cli_progress_begin(&progress, CLI_PROGRESS_NEVER, 0, 10, "step");
    CHECK(!cli_progress_is_due(&progress, 0) && !cli_progress_is_due(&progress, 10));
    setenv("TERM", "dumb", 1);
    cli_progress_begin(&progress, CLI_PROGRESS_AUTO, 0, 10, "step");
    CHECK(progress.mode == CLI_PROGRESS_NEVER);
}

static void test_a_terminal_is_written_to_ten_times_a_second(void) {
    cli_progress progress = plain_progress(0, 10);
    progress.mode = CLI_PROGRESS_AUTO;
    progress.seen_at = gs_monotonic_seconds();
    CHECK(!cli_progress_is_due(&progress, 5));
    progress.seen_at -= period;
    CHECK(cli_progress_is_due(&progress, 5));
}

TEST_MAIN(TEST(test_a_line_has_the_text_the_rate_and_the_time_left),
          TEST(test_before_a_step_is_done_there_is_no_rate),
          TEST(test_in_the_end_there_is_no_time_left), TEST(test_rates_have_two_digits_at_least),
          TEST(test_time_left_goes_by_hours_and_days), TEST(test_what_does_not_fit_is_left_out),
          TEST(test_a_strip_fills_what_is_left), TEST(test_the_longest_line_has_room),
          TEST(test_the_rate_is_of_the_last_few_seconds),
          TEST(test_time_before_the_first_step_does_not_count),
          TEST(test_plain_lines_are_the_first_each_twentieth_and_the_last),
          TEST(test_nothing_is_due_where_nothing_is_shown),
          TEST(test_a_terminal_is_written_to_ten_times_a_second))
