#include "base/json.h"

#include "test.h"

/* A reader of a copy of `text`, which stays until the next call. */
static gs_json_reader reader_of(const char *text) {
    static char copy[512];
    snprintf(copy, sizeof copy, "%s", text);
    return (gs_json_reader){.text = copy, .length = strlen(copy)};
}

static void check_stopped(const gs_json_reader *json, size_t at, const char *expected,
                          const char *got) {
    char text[GS_JSON_GOT];
    CHECK_STRING(json->expected, expected);
    CHECK_THAT(json->at == at, "stopped at %zu, expected %zu", json->at, at);
    gs_json_got(json, text);
    CHECK_STRING(text, got);
}

static void test_objects_and_arrays_are_read_in_order(void) {
    gs_json_reader json = reader_of(" { \"a\" : [1, 20,\t300] ,\n\"b\":[ ] , \"c\":{} } ");
    uint64_t value = 0, sum = 0;
    CHECK(gs_json_open(&json, '{') && json.start == 1);
    CHECK(gs_json_next(&json, '}', true));
    CHECK_STRING(gs_json_key(&json), "a");
    CHECK(json.start == 3 && gs_json_open(&json, '['));
    for (bool first = true; gs_json_next(&json, ']', first); first = false) {
        CHECK(gs_json_whole(&json, &value));
        sum += value;
    }
    CHECK(sum == 321 && gs_json_next(&json, '}', false));
    CHECK_STRING(gs_json_key(&json), "b");
    CHECK(gs_json_open(&json, '[') && !gs_json_next(&json, ']', true));
    CHECK(gs_json_next(&json, '}', false));
    CHECK_STRING(gs_json_key(&json), "c");
    CHECK(gs_json_open(&json, '{') && !gs_json_next(&json, '}', true));
    CHECK(!gs_json_next(&json, '}', false) && gs_json_end(&json) && !json.expected);
}

static void test_strings_are_decoded(void) {
    static const char *const pairs[][2] = {
        {"\"\"", ""},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
        {"\"\\u0041\\u00e4\\u20AC\\uD83D\\ude00\"", "A\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"},
        {"\"\\uffff\\u0001\"", "\xef\xbf\xbf\x01"},
        {"\"\xc3\xa4\xf4\x8f\xbf\xbf\x7f\"", "\xc3\xa4\xf4\x8f\xbf\xbf\x7f"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        gs_json_reader json = reader_of(pairs[i][0]);
        CHECK_STRING(gs_json_text(&json), pairs[i][1]);
        CHECK(gs_json_end(&json));
    }
}

static void test_string_that_is_none_is_refused_where_it_is_wrong(void) {
    static const struct {
        const char *text;
        size_t at;
        const char *expected, *got;
    } cases[] = {
        {"x", 0, "a string", "'x'"},
        {"\"ab", 3, "'\"'", "the end"},
        {"\"a\nb\"", 2, "an escape", "byte 0x0a"},
        {"\"\\x\"", 2, "an escape", "'x'"},
        {"\"\\", 2, "an escape", "the end"},
        {"\"\\u12g4\"", 5, "a hexadecimal digit", "'g4'"},
        {"\"\\u12", 5, "a hexadecimal digit", "the end"},
        {"\"\\u0000\"", 1, "a character", "'\\'"},
        {"\"\\udc00\"", 1, "a character", "'\\'"},
        {"\"\\ud800\"", 7, "the second half of a surrogate pair", "'\"'"},
        {"\"\\ud800\\u0041\"", 7, "the second half of a surrogate pair", "'\\'"},
        {"\"\xff\"", 1, "UTF-8", "byte 0xff"},
        {"\"\xc0\x80\"", 1, "UTF-8", "byte 0xc0"},
        {"\"\xed\xa0\x80\"", 1, "UTF-8", "byte 0xed"},
        {"\"\xf4\x90\x80\x80\"", 1, "UTF-8", "byte 0xf4"},
        {"\"\xe2\x82", 1, "UTF-8", "byte 0xe2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gs_json_reader json = reader_of(cases[i].text);
        CHECK(!gs_json_text(&json));
        check_stopped(&json, cases[i].at, cases[i].expected, cases[i].got);
    }
}

static void test_whole_numbers_end_below_2_to_the_63(void) {
    static const char *const refused[] = {"9223372036854775808",
                                          "18446744073709551616",
                                          "-1",
                                          "-0",
                                          "1.0",
                                          "1e3",
                                          "01",
                                          "+1",
                                          "0x10",
                                          "NaN",
                                          "1a",
                                          ".5",
                                          "",
                                          "\"1\""};
    uint64_t value = 7;
    gs_json_reader json = reader_of("9223372036854775807");
    CHECK(gs_json_whole(&json, &value) && value == INT64_MAX);
    json = reader_of("0");
    CHECK(gs_json_whole(&json, &value) && value == 0);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        json = reader_of(refused[i]);
        CHECK_THAT(!gs_json_whole(&json, &value) && value == 0, "'%s'", refused[i]);
        CHECK_STRING(json.expected, "a whole number from 0 to 2^63 - 1");
    }
    json = reader_of("123456789012345678901234567890123456789012345678");
    CHECK(!gs_json_whole(&json, &value));
    check_stopped(&json, 0, json.expected, "'1234567890123456789012345678901234...'");
}

static void test_commas_and_brackets_must_match(void) {
    static const struct {
        const char *text;
        size_t at;
        const char *expected, *got;
    } cases[] = {
        {"[1 2]", 3, "',' or ']'", "'2'"},
        {"[1,]", 3, "a whole number from 0 to 2^63 - 1", "']'"},
        {"[,1]", 1, "a whole number from 0 to 2^63 - 1", "','"},
        {"[1}", 2, "',' or ']'", "'}'"},
        {"[1", 2, "',' or ']'", "the end"},
        {"{", 0, "'['", "'{'"},
        {"[1]]", 3, "nothing more", "']'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gs_json_reader json = reader_of(cases[i].text);
        uint64_t value;
        gs_json_open(&json, '[');
        for (bool first = true; gs_json_next(&json, ']', first); first = false)
            gs_json_whole(&json, &value);
        CHECK(!gs_json_end(&json));
        check_stopped(&json, cases[i].at, cases[i].expected, cases[i].got);
    }
    gs_json_reader json = reader_of("\"a\" 1");
    CHECK(!gs_json_key(&json));
    check_stopped(&json, 4, "':'", "'1'");
}

static void test_nothing_is_read_after_a_failure(void) {
    gs_json_reader json = reader_of("x[\"a\":1]");
    uint64_t value;
    CHECK(!gs_json_open(&json, '{'));
    CHECK(!gs_json_open(&json, '[') && !gs_json_text(&json) && !gs_json_key(&json));
    CHECK(!gs_json_whole(&json, &value) && !gs_json_next(&json, ']', true) && !gs_json_end(&json));
    check_stopped(&json, 0, "'{'", "'x'");
}

TEST_MAIN(TEST(test_objects_and_arrays_are_read_in_order), TEST(test_strings_are_decoded),
          TEST(test_string_that_is_none_is_refused_where_it_is_wrong),
          TEST(test_whole_numbers_end_below_2_to_the_63), TEST(test_commas_and_brackets_must_match),
          TEST(test_nothing_is_read_after_a_failure))
