#include "base/error.h"
#include "test.h"

static void test_fail_returns_its_code_and_fills_the_error(void) {
    gs_error error = {0};
    CHECK(gs_fail(&error, GS_ERR_IO, "%s: line %d", "a.csv", 7) == GS_ERR_IO);
    CHECK(error.code == GS_ERR_IO);
    CHECK_STRING(error.message, "a.csv: line 7");
}

static void test_fail_without_an_error_still_returns_its_code(void) {
    CHECK(gs_fail(NULL, GS_ERR_FORMAT, "unseen") == GS_ERR_FORMAT);
}

static void test_fail_cuts_a_long_message_and_terminates_it(void) {
    gs_error error;
    memset(&error, 'x', sizeof error);
    gs_fail(&error, GS_ERR_USAGE, "%2000d", 1);
    CHECK(memchr(error.message, '\0', sizeof error.message) ==
          &error.message[sizeof error.message - 1]);
}

static void test_fail_shows_control_characters_as_question_marks(void) {
    gs_error error;
    gs_fail(&error, GS_ERR_USAGE, "got '%s'", "a\nb\033[31m\x7f\tc");
    CHECK_STRING(error.message, "got 'a?b?[31m??c'");
}

static void test_fail_leaves_text_beyond_ascii_alone(void) {
    gs_error error;
    gs_fail(&error, GS_ERR_USAGE, "%s", "\xc3\xa9t\xc3\xa9");
    CHECK_STRING(error.message, "\xc3\xa9t\xc3\xa9");
}

static void test_fail_can_wrap_the_message_that_it_replaces(void) {
    gs_error error;
    gs_fail(&error, GS_ERR_IO, "no such file");
    gs_fail(&error, GS_ERR_IO, "input.csv: %s", error.message);
    CHECK_STRING(error.message, "input.csv: no such file");
}

TEST_MAIN(TEST(test_fail_returns_its_code_and_fills_the_error),
          TEST(test_fail_without_an_error_still_returns_its_code),
          TEST(test_fail_cuts_a_long_message_and_terminates_it),
          TEST(test_fail_shows_control_characters_as_question_marks),
          TEST(test_fail_leaves_text_beyond_ascii_alone),
          TEST(test_fail_can_wrap_the_message_that_it_replaces))
