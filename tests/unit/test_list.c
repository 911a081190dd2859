/*
 * Lists of values for a sweep: what they unfold to, and the words with which they are refused. They
 * are part of the program, not of the library.
 */
#include "test.h"

#include "cli/list.c"

typedef struct {
    size_t count;
    gs_sizes widths;
    uint64_t seed;
    double rate;
    gs_choice shape;
    bool loud;
    char *path;
} knobs;

static const gs_name shape_rows[] = {
    {.minimum = -9, .maximum = 9, .letter = "X"},
    {.name = "round", .alias = {"circle"}},
    {.name = "square",
     .parameter = GS_PARAM_OPTIONAL,
     .standard = 0.5,
     .maximum = 1e9,
     .letter = "A"},
};
static const gs_family shapes = GS_FAMILY(shape_rows);

static const gs_option rows[] = {
    {"count", GS_OPTION_SIZE, offsetof(knobs, count), .standard = "7", .maximum = 1e15},
    {"widths", GS_OPTION_SIZES, offsetof(knobs, widths), .standard = "12", .minimum = 1,
     .maximum = 1000},
    {"seed", GS_OPTION_SEED, offsetof(knobs, seed), .standard = "1"},
    {"rate", GS_OPTION_REAL, offsetof(knobs, rate), .standard = "0.5", .minimum = -1e300,
     .maximum = 1e300, .automatic = "auto"},
    {"shape", GS_OPTION_CHOICE, offsetof(knobs, shape), .standard = "0", .family = &shapes},
    {"loud", GS_OPTION_FLAG, offsetof(knobs, loud), .help = ""},
    {"path", GS_OPTION_TEXT, offsetof(knobs, path), .value = "PATH"},
};
static const gs_option_table table = {rows, sizeof rows / sizeof rows[0]};

/* The list of option `name`; `error` says why there is none. */
static gs_status read_list(const char *name, const char *text, cli_list *list, gs_error *error) {
    knobs k;
    CHECK(gs_options_reset(&table, &k, NULL) == GS_OK);
    gs_status status = cli_list_read(list, gs_option_find(&table, name), &k, text, false, error);
    gs_options_release(&table, &k);
    return status;
}

/* The values with a space between them. */
static const char *unfolded(const char *name, const char *text) {
    static char out[4096];
    cli_list list;
    gs_error error = {0};
    out[0] = '\0';
    gs_status status = read_list(name, text, &list, &error);
    CHECK_THAT(status == GS_OK, "--%s %s: %s", name, text, error.message);
    for (size_t i = 0; i < list.count; i++)
        snprintf(out + strlen(out), sizeof out - strlen(out), i > 0 ? " %s" : "%s",
                 cli_list_at(&list, i));
    cli_list_free(&list);
    return out;
}

static void check_message(const char *name, const char *text, const char *message) {
    cli_list list;
    gs_error error = {0};
    CHECK_THAT(read_list(name, text, &list, &error) == GS_ERR_USAGE, "%s is refused", text);
    CHECK_STRING(error.message, message);
    CHECK(list.count == 0 && !list.bytes && !list.start);
}

/* "--NAME: expected EXPECTED, got 'TEXT'" */
static void check_refused(const char *name, const char *text, const char *expected) {
    char message[256];
    snprintf(message, sizeof message, "--%s: expected %s, got '%s'", name, expected, text);
    check_message(name, text, message);
}

static void test_items_stand_between_commas_as_canonical_texts(void) {
    CHECK_STRING(unfolded("count", "16"), "16");
    CHECK_STRING(unfolded("count", "16,032,8"), "16 32 8");
    CHECK_STRING(unfolded("shape", "ROUND,square,3.0"), "round square:0.5 3");
    CHECK_STRING(unfolded("widths", "12-8-4,16"), "12-8-4 16");
    CHECK_STRING(unfolded("loud", "on,off"), "on off");
    CHECK_STRING(unfolded("rate", "auto,1e-3,-0"), "auto 0.001 0");
    CHECK_STRING(unfolded("seed", "18446744073709551615"), "18446744073709551615");
}

static void test_a_comma_of_a_text_stands_behind_a_backslash(void) {
    CHECK_STRING(unfolded("path", "a\\,b,c"), "a,b c");
    CHECK_STRING(unfolded("path", "\\,"), ",");
    CHECK_STRING(unfolded("path", "a\\b\\"), "a\\b\\");
    CHECK_STRING(unfolded("path", "../a:1..2,.."), "../a:1..2 ..");
}

static void test_long_texts_are_whole(void) {
    char text[2000], twice[4001];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    for (size_t length = 60; length < 70; length++) {
        CHECK_STRING(unfolded("path", text + sizeof text - 1 - length),
                     text + sizeof text - 1 - length);
    }
    snprintf(twice, sizeof twice, "%s,y", text);
    CHECK(strlen(unfolded("path", twice)) == sizeof text + 1);
}

static void test_ranges_have_steps(void) {
    CHECK_STRING(unfolded("count", "1..5"), "1 2 3 4 5");
    CHECK_STRING(unfolded("count", "10..40:10"), "10 20 30 40");
    CHECK_STRING(unfolded("count", "10..49:10"), "10 20 30 40");
    CHECK_STRING(unfolded("count", "3..3"), "3");
    CHECK_STRING(unfolded("widths", "16..64:16,9-9"), "16 32 48 64 9-9");
    CHECK_STRING(unfolded("rate", "0.1..0.3:0.1"), "0.1 0.2 0.3");
    CHECK_STRING(unfolded("rate", "-3..-1,5"), "-3 -2 -1 5");
    CHECK_STRING(unfolded("shape", "square:0.1..0.3:0.1,-1..1"),
                 "square:0.1 square:0.2 square:0.3 -1 0 1");
    CHECK_STRING(unfolded("rate", "-.5...5:.5"), "-0.5 0 0.5");
}

static void test_ranges_have_factors(void) {
    CHECK_STRING(unfolded("rate", "1e-4..1e-1*10"), "0.0001 0.001 0.01 0.1");
    CHECK_STRING(unfolded("count", "1..1000*2"), "1 2 4 8 16 32 64 128 256 512");
    CHECK_STRING(unfolded("count", "1..1024*2"), "1 2 4 8 16 32 64 128 256 512 1024");
    CHECK_STRING(unfolded("rate", "1..2*1.5"), "1 1.5");
    CHECK_STRING(unfolded("shape", "square:1..100*10"), "square:1 square:10 square:100");
    CHECK_STRING(unfolded("rate", "7..7*3"), "7");
    CHECK_STRING(unfolded("rate", "1e-300..1e300*1e150"), "1e-300 1e-150 1 1e+150 1e+300");
}

/* Every number of these ranges is a short decimal, and comes out as it. */
static void test_ranges_show_no_rounding_noise(void) {
    CHECK_STRING(unfolded("rate", "-0.3..0.3:0.1"), "-0.3 -0.2 -0.1 0 0.1 0.2 0.3");
    static const int ends[] = {1, 3, 10, 100, 1000};
    for (size_t e = 0; e < sizeof ends / sizeof *ends; e++)
        for (int decimals = 1; decimals < 3; decimals++) {
            char text[64], expected[32];
            cli_list list;
            int parts = decimals == 1 ? 10 : 100;
            snprintf(text, sizeof text, "-%d..%d:%s", ends[e], ends[e], parts == 10 ? ".1" : ".01");
            CHECK(read_list("rate", text, &list, NULL) == GS_OK);
            CHECK(list.count == (size_t)(2 * parts * ends[e] + 1));
            for (int i = 0; i < 2 * parts * ends[e]; i++) {
                gs_format_real(expected, (double)(i - parts * ends[e]) / parts);
                CHECK_STRING(cli_list_at(&list, (size_t)i), expected);
            }
            cli_list_free(&list);
        }
}

static void test_a_factor_keeps_its_digits_over_many_steps(void) {
    cli_list list;
    CHECK(read_list("rate", "1e-290..1e290*10", &list, NULL) == GS_OK && list.count == 581);
    for (size_t i = 0; i < list.count; i++) {
        char text[32], expected[32];
        double value;
        snprintf(text, sizeof text, "1e%d", (int)i - 290);
        CHECK(gs_parse_real(text, &value) == GS_TEXT_OK);
        gs_format_real(expected, value);
        CHECK_STRING(cli_list_at(&list, i), expected);
    }
    cli_list_free(&list);
}

static void test_whole_numbers_are_exact_below_2_to_the_53(void) {
    CHECK_STRING(unfolded("seed", "9007199254740989..9007199254740991"),
                 "9007199254740989 9007199254740990 9007199254740991");
    CHECK_STRING(unfolded("seed", "1000000000000001..1000000000000021:10"),
                 "1000000000000001 1000000000000011 1000000000000021");
    static const char *const beyond[] = {"9007199254740993..9007199254740993",
                                         "9007199254740991..9007199254740992", "1..1e16*10",
                                         "18446744073709551614..18446744073709551615"};
    for (size_t i = 0; i < sizeof beyond / sizeof *beyond; i++)
        check_refused("seed", beyond[i],
                      "a range below 9007199254740992, up to which numbers are exact");
}

/* Hit within a billionth of a step, else passed. */
static void test_the_end_is_included_if_it_is_hit(void) {
    CHECK_STRING(unfolded("rate", "0..1:0.3333333333"), "0 0.3333333333 0.6666666666 1");
    CHECK_STRING(unfolded("rate", "0..1:0.33333333"), "0 0.33333333 0.66666666 0.99999999");
    CHECK_STRING(unfolded("rate", "0..1:0.333333333334"), "0 0.333333333334 0.666666666668 1");
    CHECK_STRING(unfolded("rate", "0..1:0.33333334"), "0 0.33333334 0.66666668");
    CHECK_STRING(unfolded("rate", "1..2*1.41421356237"), "1 1.41421356237 2");
    CHECK_STRING(unfolded("rate", "1..2*1.4142136"), "1 1.4142136");
}

static void test_bad_ranges_are_refused(void) {
    static const char *const shapeless[] = {"..",    "1..",    "..5",      "1..x",     "x..5",
                                            "1..5:", "1..5*",  "1..5:1:1", "1..5*2*2", "1..5..9",
                                            "1..5 ", "1..nan", "1..inf",   "1 .. 5"};
    for (size_t i = 0; i < sizeof shapeless / sizeof *shapeless; i++)
        check_refused("rate", shapeless[i], "a range FROM..TO, FROM..TO:STEP or FROM..TO*FACTOR");
    check_refused("count", "20..10", "a range that ascends");
    check_refused("count", "20..10:5", "a range that ascends");
    check_refused("count", "1..5:0", "a step above 0");
    check_refused("count", "1..5:-1", "a step above 0");
    check_refused("rate", "1..5*1", "a factor above 1");
    check_refused("rate", "1..5*-2", "a factor above 1");
    check_refused("rate", "0..5*2", "a range from above 0 with a factor");
    check_refused("rate", "-1..5*2", "a range from above 0 with a factor");
    check_refused("loud", "on..off", "on or off");
    check_message("shape", "round:1..2", "--shape round: expected nothing after the name, got '1'");
    check_message("count", "1..2:0.5",
                  "--count: expected a whole number from 0 to 1e+15, got '1.5'");
}

static void test_bad_items_are_refused(void) {
    static const char *const holes[] = {"", ",", "16,", ",16", "16,,32"};
    for (size_t i = 0; i < sizeof holes / sizeof *holes; i++)
        check_refused("count", holes[i], "values joined by ','");
    check_message("count", "16,x", "--count: expected a whole number from 0 to 1e+15, got 'x'");
    check_message("shape", "round,roun",
                  "--shape: expected one of a number from -9 to 9, round, square, got 'roun' (did "
                  "you mean 'round'?)");
    check_message("shape", "circle,3,round",
                  "--shape: expected every value once, got 'round' twice");
    check_message("rate", "0.1,0.3,1e-1", "--rate: expected every value once, got '0.1' twice");
    check_message("count", "8,1..9", "--count: expected every value once, got '8' twice");
}

static void test_there_are_a_million_values_at_most(void) {
    cli_list list;
    CHECK(read_list("count", "1..1000000", &list, NULL) == GS_OK && list.count == 1000000);
    CHECK_STRING(cli_list_at(&list, 999999), "1000000");
    cli_list_free(&list);
    static const char *const many[] = {"0..1000000",         "1..1e15",        "0..1:1e-300",
                                       "-1e300..1e300:1e-9", "1e300..1.1e300", "1..2*1.0000000001"};
    for (size_t i = 0; i < sizeof many / sizeof *many; i++)
        check_refused("rate", many[i], "at most 1000000 values");
    check_message("count", "0,1..1000000",
                  "--count: expected at most 1000000 values, got '1..1000000'");
    check_message("count", "1..1000000,0", "--count: expected at most 1000000 values, got '0'");
}

static void test_the_one_value_of_a_field_is_a_list(void) {
    knobs k;
    cli_list list;
    CHECK(gs_options_reset(&table, &k, NULL) == GS_OK);
    static const char *const expected[] = {"7", "12", "1", "0.5", "0", "off", ""};
    for (size_t i = 0; i < table.count; i++) {
        CHECK(cli_list_of_one(&list, &rows[i], &k, NULL) == GS_OK && list.count == 1);
        CHECK_STRING(cli_list_at(&list, 0), expected[i]);
        cli_list_free(&list);
    }
    gs_options_release(&table, &k);
}

/* Whether the nth allocation is one that reading the list asks for. */
static bool read_without_memory(const char *name, const char *text, size_t nth) {
    knobs k;
    cli_list list;
    gs_error error = {0};
    CHECK(gs_options_reset(&table, &k, NULL) == GS_OK);
    test_fail_allocation(nth);
    gs_status status = cli_list_read(&list, gs_option_find(&table, name), &k, text, false, &error);
    bool failed = test_allocation_failed();
    test_fail_allocation(0);
    CHECK(status == (failed ? GS_ERR_MEMORY : GS_OK) && status == error.code);
    CHECK((list.count > 0) == (status == GS_OK));
    cli_list_free(&list);
    gs_options_release(&table, &k);
    return failed;
}

static void test_every_allocation_may_fail(void) {
    size_t texts = 1, numbers = 1;
    while (read_without_memory("path", "a,b,c\\,d", texts))
        texts++;
    while (read_without_memory("rate", "1..300,auto", numbers))
        numbers++;
    CHECK_THAT(texts > 4 && numbers > 8, "%zu and %zu allocations", texts, numbers);
}

TEST_MAIN(TEST(test_items_stand_between_commas_as_canonical_texts),
          TEST(test_a_comma_of_a_text_stands_behind_a_backslash), TEST(test_long_texts_are_whole),
          TEST(test_ranges_have_steps), TEST(test_ranges_have_factors),
          TEST(test_ranges_show_no_rounding_noise),
          TEST(test_a_factor_keeps_its_digits_over_many_steps),
          TEST(test_whole_numbers_are_exact_below_2_to_the_53),
          TEST(test_the_end_is_included_if_it_is_hit), TEST(test_bad_ranges_are_refused),
          TEST(test_bad_items_are_refused), TEST(test_there_are_a_million_values_at_most),
          TEST(test_the_one_value_of_a_field_is_a_list), TEST(test_every_allocation_may_fail))
