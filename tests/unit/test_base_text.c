#define _XOPEN_SOURCE 700 /* setlocale in the company of uselocale */
#include "base/text.h"

#include <float.h>
#include <locale.h>

#include "test.h"

static void test_sizes_are_digits_and_nothing_else(void) {
    static const struct {
        const char *text;
        gs_text_status status;
        uint64_t value;
    } known[] = {{"0", GS_TEXT_OK, 0},
                 {"0042", GS_TEXT_OK, 42},
                 {"18446744073709551615", GS_TEXT_OK, UINT64_MAX},
                 {"18446744073709551616", GS_TEXT_TOO_LARGE, 0},
                 {"99999999999999999999999", GS_TEXT_TOO_LARGE, 0},
                 {"", GS_TEXT_EMPTY, 0},
                 {"-1", GS_TEXT_NOT_A_NUMBER, 0},
                 {"+1", GS_TEXT_NOT_A_NUMBER, 0},
                 {" 1", GS_TEXT_NOT_A_NUMBER, 0},
                 {"many", GS_TEXT_NOT_A_NUMBER, 0},
                 {"1 ", GS_TEXT_TRAILING, 0},
                 {"1e6", GS_TEXT_TRAILING, 0},
                 {"1.5", GS_TEXT_TRAILING, 0},
                 {"0x10", GS_TEXT_TRAILING, 0},
                 {"99999999999999999999999x", GS_TEXT_TRAILING, 0}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        uint64_t value = 77, expected = known[i].status == GS_TEXT_OK ? known[i].value : 77;
        gs_text_status status = gs_parse_size(known[i].text, &value);
        CHECK_THAT(status == known[i].status && value == expected, "\"%s\": status %d",
                   known[i].text, (int)status);
    }
}

typedef struct {
    const char *text;
    gs_text_status status;
    double value;
} known_real;

static void check_real(const known_real *known) {
    double value = 77, expected = known->status == GS_TEXT_OK ? known->value : 77;
    gs_text_status status = gs_parse_real(known->text, &value);
    CHECK_THAT(status == known->status && value == expected, "\"%s\": status %d, value %.17g",
               known->text, (int)status, value);
}

static void test_reals_are_parsed_to_the_nearest_double(void) {
    static const known_real known[] = {
        {"0", GS_TEXT_OK, 0.0},
        {"1", GS_TEXT_OK, 1.0},
        {"-1.5", GS_TEXT_OK, -1.5},
        {"+.5", GS_TEXT_OK, 0.5},
        {"2.", GS_TEXT_OK, 2.0},
        {"1e3", GS_TEXT_OK, 1000.0},
        {"25E-2", GS_TEXT_OK, 0.25},
        {"1e+2", GS_TEXT_OK, 100.0},
        {"0.1", GS_TEXT_OK, 0x1.999999999999ap-4},
        {"9007199254740993", GS_TEXT_OK, 9007199254740992.0}, /* 2^53 + 1: a tie, to even */
        {"1.7976931348623157e308", GS_TEXT_OK, DBL_MAX},
        {"5e-324", GS_TEXT_OK, 0x1p-1074},
        {"1e-400", GS_TEXT_OK, 0.0}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        check_real(&known[i]);
}

static void test_texts_that_are_no_finite_decimal_real_are_refused_by_kind(void) {
    static const known_real known[] = {
        {"", GS_TEXT_EMPTY, 0},           {" 1", GS_TEXT_NOT_A_NUMBER, 0},
        {"x", GS_TEXT_NOT_A_NUMBER, 0},   {".", GS_TEXT_NOT_A_NUMBER, 0},
        {"-", GS_TEXT_NOT_A_NUMBER, 0},   {"e5", GS_TEXT_NOT_A_NUMBER, 0},
        {"--1", GS_TEXT_NOT_A_NUMBER, 0}, {"infx", GS_TEXT_NOT_A_NUMBER, 0},
        {"1 ", GS_TEXT_TRAILING, 0},      {"1e", GS_TEXT_TRAILING, 0},
        {"1e+", GS_TEXT_TRAILING, 0},     {"1,5", GS_TEXT_TRAILING, 0},
        {"0x1p3", GS_TEXT_TRAILING, 0},   {"1.2.3", GS_TEXT_TRAILING, 0},
        {"nan", GS_TEXT_NOT_FINITE, 0},   {"-NaN", GS_TEXT_NOT_FINITE, 0},
        {"inf", GS_TEXT_NOT_FINITE, 0},   {"+Infinity", GS_TEXT_NOT_FINITE, 0},
        {"1e309", GS_TEXT_TOO_LARGE, 0},  {"-1e9999999999", GS_TEXT_TOO_LARGE, 0}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        check_real(&known[i]);
}

static void test_reals_print_fifteen_digits_and_one_spelling_of_each_value(void) {
    static const struct {
        double value;
        const char *text;
    } known[] = {{0.0, "0"},
                 {-0.0, "0"},
                 {1.0, "1"},
                 {0.1, "0.1"},
                 {1.0 / 3, "0.333333333333333"},
                 {-2e-5, "-2e-05"},
                 {1e15, "1e+15"},
                 {123456789012345.0, "123456789012345"},
                 {-DBL_MAX, "-1.79769313486232e+308"},
                 {0x1p-1074, "4.94065645841247e-324"},
                 {INFINITY, "inf"},
                 {-INFINITY, "-inf"},
                 {NAN, "nan"},
                 {-NAN, "nan"}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        char text[32];
        gs_format_real(text, known[i].value);
        CHECK_STRING(text, known[i].text);
    }
}

static bool set_locale_with_decimal_comma(void) {
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "de_DE",     "fr_FR.UTF-8",
                                        "fr_FR.utf8",  "nl_NL.utf8", "es_ES.utf8"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (setlocale(LC_ALL, names[i]) && localeconv()->decimal_point[0] == ',')
            return true;
    setlocale(LC_ALL, "C");
    return false;
}

static void test_locale_of_the_host_program_changes_nothing(void) {
    if (!set_locale_with_decimal_comma())
        SKIP("no locale with a decimal comma is installed");
    char text[32], host[32];
    check_real(&(known_real){"1.5", GS_TEXT_OK, 1.5});
    check_real(&(known_real){"1,5", GS_TEXT_TRAILING, 0});
    gs_format_real(text, 1.5);
    CHECK_STRING(text, "1.5");
    snprintf(host, sizeof host, "%.1f", 1.5);
    CHECK_STRING(host, "1,5"); /* and it is still the host's */
    setlocale(LC_ALL, "C");
}

static void test_a_line_grows_by_what_is_added(void) {
    gs_line line = {0};
    gs_line_add(&line, "%s %.2f", "loss", 0.5);
    gs_line_add(&line, ", step %d", 7);
    CHECK_STRING(line.text, "loss 0.50, step 7");
    CHECK(line.length == strlen(line.text));
}

/* What follows the line in memory is as it was. */
static void test_a_line_is_cut_where_it_is_full(void) {
    enum { ROOM = sizeof((gs_line *)0)->text, ADDED = 3 };
    struct {
        gs_line line;
        unsigned char after[ROOM];
    } memory = {0};
    gs_line *line = &memory.line;
    memset(memory.after, 0x5a, sizeof memory.after);
    for (size_t i = 0; i < ROOM / ADDED + 10; i++) {
        size_t whole = ADDED * (i + 1);
        gs_line_add(line, "%s", "abc");
        CHECK(line->length == (whole < ROOM ? whole : ROOM - 1));
        CHECK(line->length == strlen(line->text));
    }
    for (size_t i = 0; i < line->length; i++)
        CHECK(line->text[i] == "abc"[i % ADDED]);
    for (size_t i = 0; i < sizeof memory.after; i++)
        CHECK(memory.after[i] == 0x5a);
    gs_line_add(line, "%*s", 2 * ROOM, "");
    CHECK(line->length == ROOM - 1 && memory.after[0] == 0x5a);
}

static void test_edit_distance_counts_a_swap_of_neighbours_once(void) {
    static const struct {
        const char *a, *b;
        size_t distance;
    } known[] = {
        {"", "", 0},
        {"", "abc", 3},
        {"relu", "relu", 0},
        {"sigmiod", "sigmoid", 1},
        {"kitten", "sitting", 3},
        {"gelu", "glue", 2},
        {"ca", "abc", 3}, /* 2 in the unrestricted distance, which edits between a swapped pair */
        {"tahn", "tanh", 1}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        size_t there = gs_edit_distance(known[i].a, known[i].b);
        size_t back = gs_edit_distance(known[i].b, known[i].a);
        CHECK_THAT(there == known[i].distance && back == there, "%s to %s: %zu, and %zu back",
                   known[i].a, known[i].b, there, back);
    }
}

static void test_edit_distance_of_a_text_too_long_for_a_name_is_its_length(void) {
    char longest[64], too_long[65];
    memset(longest, 'a', 63);
    memset(too_long, 'a', 64);
    longest[63] = too_long[64] = '\0';
    CHECK(gs_edit_distance(longest, longest + 1) == 1);
    CHECK(gs_edit_distance(too_long, too_long + 1) == 64);
}

static const char *activation_at(const void *table, size_t index) {
    static const char *const names[] = {"linear", "sigmoid", "tanh", "relu", "elu", "selu", NULL};
    (void)table;
    return names[index];
}

static void test_a_name_is_among_those_that_are_it_to_the_letter(void) {
    static const char *const names[] = {"layers", "width", NULL};
    CHECK(gs_is_among("layers", names) && gs_is_among("width", names));
    CHECK(!gs_is_among("layer", names) && !gs_is_among("", names));
    CHECK(!gs_is_among("width", names + 2));
}

static void test_nearest_name_is_suggested_only_when_it_is_near(void) {
    static const char *const known[][2] = {{"sigmiod", "sigmoid"},
                                           {"Relu", "relu"},
                                           {"reelu", "relu"},
                                           {"tahn", "tanh"},
                                           {"lienar", "linear"},
                                           {"elu", "elu"},
                                           {"sgmd", NULL},
                                           {"softmax", NULL},
                                           {"", NULL},
                                           {"x", NULL}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        CHECK_STRING(gs_nearest_name(known[i][0], activation_at, NULL), known[i][1]);
}

static void test_nearest_name_of_several_is_the_first(void) {
    CHECK_STRING(gs_nearest_name("telu", activation_at, NULL), "relu");
}

TEST_MAIN(TEST(test_sizes_are_digits_and_nothing_else),
          TEST(test_reals_are_parsed_to_the_nearest_double),
          TEST(test_texts_that_are_no_finite_decimal_real_are_refused_by_kind),
          TEST(test_reals_print_fifteen_digits_and_one_spelling_of_each_value),
          TEST(test_locale_of_the_host_program_changes_nothing),
          TEST(test_a_line_grows_by_what_is_added), TEST(test_a_line_is_cut_where_it_is_full),
          TEST(test_edit_distance_counts_a_swap_of_neighbours_once),
          TEST(test_edit_distance_of_a_text_too_long_for_a_name_is_its_length),
          TEST(test_a_name_is_among_those_that_are_it_to_the_letter),
          TEST(test_nearest_name_is_suggested_only_when_it_is_near),
          TEST(test_nearest_name_of_several_is_the_first))
