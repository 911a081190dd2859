/* Options as data: what each kind of option accepts, and the exact words with which it refuses the
 * rest. */
#include "test.h"

#include "base/text.h"
#include "net/option.h"

typedef struct {
    size_t count, workers, room;
    uint64_t seed;
    double rate;
    gs_choice shape, mode;
    bool loud;
    char *path;
    gs_sizes widths;
} knobs;

static const gs_name shape_rows[] = {
    {.minimum = -2, .maximum = 2, .letter = "X"},
    {.name = "round", .alias = {"circle", "ball"}},
    {.name = "leaky-square",
     .parameter = GS_PARAM_OPTIONAL,
     .standard = 0.25,
     .maximum = 1,
     .letter = "A"},
    {.name = "normal", .parameter = GS_PARAM_REQUIRED, .maximum = 9, .letter = "STD"},
    {.name = "1/sqrt(L)"},
};

static const gs_name mode_rows[] = {{.name = "fast"}, {.name = "slow"}};

static const gs_family shapes = GS_FAMILY(shape_rows);
static const gs_family modes = GS_FAMILY(mode_rows);

static const gs_option rows[] = {
    {"count", GS_OPTION_SIZE, offsetof(knobs, count), .standard = "7", .minimum = 1,
     .maximum = 100},
    {"workers", GS_OPTION_SIZE, offsetof(knobs, workers), .standard = "all", .automatic = "all",
     .minimum = 1, .maximum = 8},
    {"seed", GS_OPTION_SEED, offsetof(knobs, seed), .standard = "1"},
    {"learning-rate", GS_OPTION_REAL, offsetof(knobs, rate), .standard = "0.5", .minimum = -1e30,
     .maximum = 1e30},
    {"shape", GS_OPTION_CHOICE, offsetof(knobs, shape), .standard = "0", .family = &shapes},
    {"mode", GS_OPTION_CHOICE, offsetof(knobs, mode), .standard = "auto", .automatic = "auto",
     .family = &modes},
    {"loud", GS_OPTION_FLAG, offsetof(knobs, loud), .help = ""},
    {"path", GS_OPTION_TEXT, offsetof(knobs, path), .value = "PATH"},
    {"room", GS_OPTION_BYTES, offsetof(knobs, room), .standard = "half", .automatic = "half",
     .minimum = 10},
    {"widths", GS_OPTION_SIZES, offsetof(knobs, widths), .standard = "12", .minimum = 1,
     .maximum = 1000},
};
static const gs_option_table table = {rows, sizeof rows / sizeof rows[0]};

static knobs fresh(void) {
    knobs k;
    gs_error error = {0};
    CHECK(gs_options_reset(&table, &k, &error) == GS_OK);
    return k;
}

/* Sets option `name` to `text` and returns its canonical text. */
static const char *canonical(const char *name, const char *text) {
    static char out[128];
    knobs k = fresh();
    gs_error error = {0};
    const gs_option *option = gs_option_find(&table, name);
    gs_status status = gs_option_parse(option, &k, text, &error);
    CHECK_THAT(status == GS_OK, "--%s %s: %s", name, text, error.message);
    CHECK(gs_option_format(option, &k, out, sizeof out) == strlen(out));
    gs_options_release(&table, &k);
    CHECK(!k.widths.at);
    return out;
}

/* Option `name` refuses `text` with `message`, and keeps what it was. */
static void check_refused(const char *name, const char *text, const char *message) {
    knobs k = fresh();
    knobs before;
    memcpy(&before, &k, sizeof k); /* with its padding: the whole is compared */
    gs_error error = {0};
    const gs_option *option = gs_option_find(&table, name);
    CHECK(gs_option_parse(option, &k, text, &error) == GS_ERR_USAGE);
    CHECK(error.code == GS_ERR_USAGE);
    CHECK_STRING(error.message, message);
    CHECK(memcmp(&k, &before, sizeof k) == 0);
    gs_options_release(&table, &k);
}

static void test_bytes_have_binary_units(void) {
    CHECK_STRING(canonical("room", "10"), "10");
    CHECK_STRING(canonical("room", "1536K"), "1536K");
    CHECK_STRING(canonical("room", "2048K"), "2M");
    CHECK_STRING(canonical("room", "1073741824"), "1G");
    CHECK_STRING(canonical("room", "4096G"), "4T");
    CHECK_STRING(canonical("room", "half"), "half");
    knobs k = fresh();
    CHECK(gs_option_parse(gs_option_find(&table, "room"), &k, "3M", NULL) == GS_OK);
    CHECK(k.room == 3 * 1024 * 1024);
    gs_options_release(&table, &k);
    static const char *const bad[] = {"",    "9",   "K",   "1.5G",      "10k",
                                      "1KB", "-1K", "1 K", "16777216T", "99999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char message[256];
        snprintf(message, sizeof message,
                 "--room: expected a number of bytes, or one with K, M, G or T, or half, got '%s'",
                 bad[i]);
        check_refused("room", bad[i], message);
    }
}

static void test_sizes_are_one_or_more_joined_by_dashes(void) {
    CHECK_STRING(canonical("widths", "1"), "1");
    CHECK_STRING(canonical("widths", "5-6-7"), "5-6-7");
    CHECK_STRING(canonical("widths", "0005-01000"), "5-1000");
    CHECK_STRING(canonical("widths", "8-8"), "8-8");
    static const char *const bad[] = {"",
                                      "-",
                                      "-5",
                                      "5-",
                                      "5--6",
                                      "0",
                                      "5-0",
                                      "1001",
                                      "x",
                                      "5-x",
                                      "5-6x",
                                      "+5",
                                      "5 6",
                                      " 5",
                                      "5,6",
                                      "1e2",
                                      "5-6-",
                                      "5.0",
                                      "99999999999999999999-1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char message[256];
        snprintf(message, sizeof message,
                 "--widths: expected a whole number from 1 to 1000, or one for each layer joined "
                 "by '-', got '%s'",
                 bad[i]);
        check_refused("widths", bad[i], message);
    }
}

static void test_sizes_may_be_very_many(void) {
    enum { COUNT = 100000 };
    knobs k = fresh();
    char *text = malloc(4 * COUNT), *back = malloc(4 * COUNT);
    for (size_t i = 0; i < COUNT; i++)
        memcpy(text + 4 * i, i + 1 < COUNT ? "123-" : "123", 4);
    CHECK(gs_option_parse(gs_option_find(&table, "widths"), &k, text, NULL) == GS_OK);
    CHECK(k.widths.count == COUNT && k.widths.at[COUNT - 1] == 123);
    CHECK(gs_option_format(gs_option_find(&table, "widths"), &k, NULL, 0) == 4 * COUNT - 1);
    CHECK(gs_option_format(gs_option_find(&table, "widths"), &k, back, 4 * COUNT) == 4 * COUNT - 1);
    CHECK_STRING(back, text);
    CHECK(gs_option_format(gs_option_find(&table, "widths"), &k, back, 6) == 4 * COUNT - 1);
    CHECK_STRING(back, "123-1");
    text[4 * COUNT - 5] = 'x';
    gs_error error;
    CHECK(gs_option_parse(gs_option_find(&table, "widths"), &k, text, &error) == GS_ERR_USAGE);
    CHECK(strlen(error.message) < 256 && k.widths.count == COUNT);
    test_fail_allocation(1);
    CHECK(gs_option_parse(gs_option_find(&table, "widths"), &k, "5", &error) == GS_ERR_MEMORY);
    CHECK(k.widths.count == COUNT);
    gs_options_release(&table, &k);
    free(text), free(back);
}

static void test_reset_sets_every_default(void) {
    knobs k = fresh();
    CHECK(k.count == 7 && k.workers == 0 && k.seed == 1 && k.rate == 0.5);
    CHECK(k.shape.index == 0 && k.shape.parameter == 0 && k.mode.index == GS_CHOICE_AUTO);
    CHECK(!k.loud && !k.path);
    CHECK(k.widths.count == 1 && k.widths.at[0] == 12);
    gs_options_release(&table, &k);
}

static void test_reset_reports_a_default_that_does_not_parse(void) {
    const gs_option bad = {"count", GS_OPTION_SIZE, offsetof(knobs, count), .standard = "many",
                           .maximum = 1};
    const gs_option_table one = {&bad, 1};
    knobs k;
    CHECK(gs_options_reset(&one, &k, NULL) == GS_ERR_USAGE);
}

static void test_names_ignore_case_and_kind_of_dash(void) {
    CHECK(gs_option_find(&table, "learning_rate") == &rows[3]);
    CHECK_STRING(canonical("shape", "LEAKY_SQUARE:1"), "leaky-square:1");
    CHECK_STRING(canonical("shape", "1/SQRT(l)"), "1/sqrt(L)");
}

static void test_names_are_never_abbreviated(void) {
    CHECK(!gs_option_find(&table, "learning"));
    CHECK(!gs_option_find(&table, "counts"));
    CHECK(!gs_option_find(&table, ""));
}

static void test_sizes_are_whole_numbers_in_their_range(void) {
    CHECK_STRING(canonical("count", "1"), "1");
    CHECK_STRING(canonical("count", "0100"), "100");
    static const char *const bad[] = {"0",
                                      "101",
                                      "-1",
                                      "+1",
                                      "1.5",
                                      "1e1",
                                      "abc",
                                      "",
                                      " 1",
                                      "1 ",
                                      "1x",
                                      "nan",
                                      "inf",
                                      "0x10",
                                      "all",
                                      "auto",
                                      "99999999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char message[128];
        snprintf(message, sizeof message,
                 "--count: expected a whole number from 1 to 100, got '%s'", bad[i]);
        check_refused("count", bad[i], message);
    }
}

static void test_an_automatic_size_is_a_word(void) {
    CHECK_STRING(canonical("workers", "all"), "all");
    CHECK_STRING(canonical("workers", "3"), "3");
    check_refused("workers", "0",
                  "--workers: expected a whole number from 1 to 8, or all, got '0'");
}

static void test_seeds_have_all_64_bits(void) {
    CHECK_STRING(canonical("seed", "18446744073709551615"), "18446744073709551615");
    check_refused("seed", "18446744073709551616",
                  "--seed: expected a whole number from 0 to 18446744073709551615, got "
                  "'18446744073709551616'");
}

static void test_reals_keep_every_bit(void) {
    CHECK_STRING(canonical("learning-rate", "1e-5"), "1e-05");
    CHECK_STRING(canonical("learning-rate", "0.1"), "0.1");
    CHECK_STRING(canonical("learning-rate", "0.30000000000000004"), "0.30000000000000004");
    CHECK_STRING(canonical("learning-rate", "-0"), "0");
}

static void test_reals_are_finite_and_in_their_range(void) {
    static const char *const bad[] = {"nan", "inf", "-inf", "1e31", "-1e31", "1e999", "",
                                      "x",   "1x",  "1,5",  " 1",   "1 ",    "0x1p3"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char message[128];
        snprintf(message, sizeof message,
                 "--learning-rate: expected a number from -1e+30 to 1e+30, got '%s'", bad[i]);
        check_refused("learning-rate", bad[i], message);
    }
}

static void test_a_choice_is_a_name_an_alias_or_a_bare_number(void) {
    CHECK_STRING(canonical("shape", "round"), "round");
    CHECK_STRING(canonical("shape", "ball"), "round");
    CHECK_STRING(canonical("shape", "-1.5"), "-1.5");
}

static void test_a_parameter_has_a_default_unless_it_is_required(void) {
    CHECK_STRING(canonical("shape", "leaky-square"), "leaky-square:0.25");
    CHECK_STRING(canonical("shape", "leaky-square:0.5"), "leaky-square:0.5");
    CHECK_STRING(canonical("shape", "normal:2"), "normal:2");
    check_refused("shape", "normal",
                  "--shape normal: expected a number from 0 to 9 after ':', got ''");
}

static void test_a_bad_parameter_is_named(void) {
    check_refused("shape", "leaky-square:x",
                  "--shape leaky-square: expected a number from 0 to 1 after ':', got 'x'");
    check_refused("shape", "leaky-square:",
                  "--shape leaky-square: expected a number from 0 to 1 after ':', got ''");
    check_refused("shape", "leaky-square:1.5",
                  "--shape leaky-square: expected a number from 0 to 1 after ':', got '1.5'");
    check_refused("shape", "normal:1:2",
                  "--shape normal: expected a number from 0 to 9 after ':', got '1:2'");
    check_refused("shape", "round:1", "--shape round: expected nothing after the name, got '1'");
}

static void test_an_unknown_name_lists_them_and_suggests_the_nearest(void) {
    check_refused("mode", "quick", "--mode: expected one of fast, slow, auto, got 'quick'");
    check_refused("mode", "fsat",
                  "--mode: expected one of fast, slow, auto, got 'fsat' (did you mean 'fast'?)");
    check_refused("mode", "", "--mode: expected one of fast, slow, auto, got ''");
    check_refused(
        "shape", "cirle:3",
        "--shape: expected one of a number from -2 to 2, round, leaky-square, normal:STD, "
        "1/sqrt(L), got 'cirle:3' (did you mean 'circle'?)");
    check_refused(
        "shape", "3",
        "--shape: expected one of a number from -2 to 2, round, leaky-square, normal:STD, "
        "1/sqrt(L), got '3'");
}

static void test_an_automatic_choice_is_a_word(void) {
    CHECK_STRING(canonical("mode", "auto"), "auto");
    CHECK_STRING(canonical("mode", "slow"), "slow");
}

static void test_a_flag_is_on_or_off(void) {
    CHECK_STRING(canonical("loud", "on"), "on");
    CHECK_STRING(canonical("loud", "off"), "off");
    check_refused("loud", "yes", "--loud: expected on or off, got 'yes'");
}

static void test_the_last_text_is_kept_and_an_empty_one_refused(void) {
    knobs k = fresh();
    gs_error error = {0};
    CHECK(gs_option_parse(&rows[7], &k, "first", &error) == GS_OK);
    CHECK(gs_option_parse(&rows[7], &k, "second", &error) == GS_OK);
    CHECK_STRING(k.path, "second");
    CHECK(gs_option_parse(&rows[7], &k, "", &error) == GS_ERR_USAGE);
    CHECK_STRING(error.message, "--path: expected PATH, got ''");
    CHECK_STRING(k.path, "second");
    gs_options_release(&table, &k);
    CHECK(!k.path);
}

static void test_text_survives_a_failed_allocation(void) {
    knobs k = fresh();
    gs_error error = {0};
    CHECK(gs_option_parse(&rows[7], &k, "first", &error) == GS_OK);
    test_fail_allocation(1);
    CHECK(gs_option_parse(&rows[7], &k, "second", &error) == GS_ERR_MEMORY);
    CHECK_STRING(k.path, "first");
    gs_options_release(&table, &k);
}

static void test_control_characters_and_long_texts_are_made_harmless(void) {
    check_refused("mode", "a\033[31m\n", "--mode: expected one of fast, slow, auto, got 'a?[31m?'");
    char text[500], message[200];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    snprintf(message, sizeof message, "--mode: expected one of fast, slow, auto, got '%.80s...'",
             text);
    check_refused("mode", text, message);
}

static void test_format_says_what_it_needs_and_never_overruns(void) {
    knobs k = fresh();
    char text[4] = "abc";
    k.shape = (gs_choice){2, 0.5};
    CHECK(gs_option_format(&rows[4], &k, text, sizeof text) == strlen("leaky-square:0.5"));
    CHECK_STRING(text, "lea");
    gs_options_release(&table, &k);
}

static void test_every_alias_of_a_family_can_be_suggested(void) {
    static const char *const names[] = {"round",        "circle", "ball",
                                        "leaky-square", "normal", "1/sqrt(L)"};
    size_t count = sizeof names / sizeof names[0];
    for (size_t i = 0; i < count; i++)
        CHECK_STRING(gs_family_name_at(&shapes, i), names[i]);
    CHECK(!gs_family_name_at(&shapes, count));
    CHECK(!gs_option_name_at(&table, table.count));
}

static void test_an_unknown_name_keeps_its_dashes(void) {
    gs_error error;
    CHECK(gs_unknown_name("option", "--", "shpae", gs_option_name_at, &table, &error) ==
          GS_ERR_USAGE);
    CHECK_STRING(error.message, "unknown option '--shpae' (did you mean '--shape'?)");
    gs_unknown_name("topic", "", "zzz", gs_option_name_at, &table, &error);
    CHECK_STRING(error.message, "unknown topic 'zzz'");
}

TEST_MAIN(TEST(test_bytes_have_binary_units), TEST(test_sizes_are_one_or_more_joined_by_dashes),
          TEST(test_sizes_may_be_very_many), TEST(test_reset_sets_every_default),
          TEST(test_reset_reports_a_default_that_does_not_parse),
          TEST(test_names_ignore_case_and_kind_of_dash), TEST(test_names_are_never_abbreviated),
          TEST(test_sizes_are_whole_numbers_in_their_range), TEST(test_an_automatic_size_is_a_word),
          TEST(test_seeds_have_all_64_bits), TEST(test_reals_keep_every_bit),
          TEST(test_reals_are_finite_and_in_their_range),
          TEST(test_a_choice_is_a_name_an_alias_or_a_bare_number),
          TEST(test_a_parameter_has_a_default_unless_it_is_required),
          TEST(test_a_bad_parameter_is_named),
          TEST(test_an_unknown_name_lists_them_and_suggests_the_nearest),
          TEST(test_an_automatic_choice_is_a_word), TEST(test_a_flag_is_on_or_off),
          TEST(test_the_last_text_is_kept_and_an_empty_one_refused),
          TEST(test_text_survives_a_failed_allocation),
          TEST(test_control_characters_and_long_texts_are_made_harmless),
          TEST(test_format_says_what_it_needs_and_never_overruns),
          TEST(test_every_alias_of_a_family_can_be_suggested),
          TEST(test_an_unknown_name_keeps_its_dashes))
