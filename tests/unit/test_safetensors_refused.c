#include <sys/stat.h>

#include "stored_files.h"

typedef struct {
    const char *header;
    size_t size; /* of the data */
    const char *message;
} refusal;

static void check_message(const char *name, gs_status code, const char *message) {
    gs_error error = {0};
    gs_safetensors *file = (gs_safetensors *)&error;
    CHECK_THAT(gs_safetensors_open(path_of(name), &file, &error) == code, "%s", message);
    CHECK_STRING(error.message, message_of(name, message));
    CHECK(!file && error.code == code);
}

static void check_refusals(const refusal *cases, size_t count) {
    for (size_t i = 0; i < count; i++) {
        write_stored("x", cases[i].header, NULL, cases[i].size);
        check_message("x", GS_ERR_FORMAT, cases[i].message);
        remove_file("x");
    }
}

#define CHECK_REFUSALS(cases) check_refusals(cases, sizeof cases / sizeof *cases)

/* The header of one tensor `w`, from byte 9 on. */
#define W(dtype, shape, offsets)                                                                   \
    "{\"w\":{\"dtype\":" dtype ",\"shape\":" shape ",\"data_offsets\":" offsets "}}"

static void test_header_length_is_held_against_the_file(void) {
    static const struct {
        uint64_t length;
        size_t size;
        const char *message;
    } cases[] = {
        {3, 0,
         "byte 0: expected a safetensors header of 2 bytes at most, the rest of the file, got 3"},
        {UINT64_MAX, 5,
         "byte 0: expected a safetensors header of 7 bytes at most, the rest of the file, got "
         "18446744073709551615"},
        {UINT64_C(1) << 63, 0,
         "byte 0: expected a safetensors header of 2 bytes at most, the rest of the file, got "
         "9223372036854775808"},
        {0, 0, "byte 8: expected '{', got the end of the header"},
        {1, 1, "byte 9: expected a string, got the end of the header"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_claimed("x", cases[i].length, "{}", NULL, cases[i].size);
        check_message("x", GS_ERR_FORMAT, cases[i].message);
        remove_file("x");
    }
}

/* A sparse file: only its length counts. */
static void test_header_over_100_megabytes_is_refused(void) {
    write_claimed("x", 100000001, "{", NULL, 0);
    CHECK(truncate(path_of("x"), 200000000) == 0);
    check_message("x", GS_ERR_FORMAT,
                  "byte 0: expected a safetensors header of 100000000 bytes at most, as the format "
                  "has it, got "
                  "100000001");
    remove_file("x");
}

static void test_short_files_are_refused(void) {
    write_file("x", "", 0);
    check_message("x", GS_ERR_FORMAT, "byte 0: expected 8 bytes, the length of the header, got 0");
    write_file("x", "\2\0\0\0\0\0\0", 7);
    check_message("x", GS_ERR_FORMAT, "byte 0: expected 8 bytes, the length of the header, got 7");
    remove_file("x");
}

static void test_header_must_be_strict_json(void) {
    static const refusal cases[] = {
        {"[]", 0, "byte 8: expected '{', got '['"},
        {" {}", 0, "byte 8: expected '{', got a blank"},
        {"\xef\xbb\xbf{}", 0, "byte 8: expected '{', got byte 0xef"},
        {"{} x", 0, "byte 11: expected nothing more, got 'x'"},
        {"{}}", 0, "byte 10: expected nothing more, got '}'"},
        {"{1:2}", 0, "byte 9: expected a string, got '1'"},
        {"{\"w\" {}}", 0, "byte 13: expected ':', got '{'"},
        {"{\"w\":1}", 0, "byte 13: expected '{', got '1'"},
        {"{\"w\":[]}", 0, "byte 13: expected '{', got '['"},
        {"{\"w\":null}", 0, "byte 13: expected '{', got 'null'"},
        {"{\"w", 0, "byte 11: expected '\"', got the end of the header"},
        {"{\"w\xff\":{}}", 0, "byte 11: expected UTF-8, got byte 0xff"},
        {"{\"\\u0000\":{}}", 0, "byte 10: expected a character, got '\\'"},
        {"{\"\\q\":{}}", 0, "byte 11: expected an escape, got 'q'"},
        {"{\"__metadata__\":{},}", 0, "byte 27: expected a string, got '}'"},
        {"{\"__metadata__\":[]}", 0, "byte 24: expected '{', got '['"},
        {"{\"__metadata__\":{\"a\":1}}", 0, "byte 29: expected a string, got '1'"},
        {"{\"__metadata__\":{\"a\":{}}}", 0, "byte 29: expected a string, got '{'"},
        {W("\"F32\"", "[[1]]", "[0,4]"), 4,
         "byte 37: expected a whole number from 0 to 2^63 - 1, got '['"},
    };
    CHECK_REFUSALS(cases);
}

static void test_nesting_costs_nothing(void) {
    enum { DEPTH = 1000000 };
    char *header = malloc(DEPTH + 1);
    memset(header, '[', DEPTH);
    memcpy(header, "{\"w\":", 5);
    header[DEPTH] = '\0';
    write_stored("x", header, NULL, 0);
    check_message("x", GS_ERR_FORMAT, "byte 13: expected '{', got '['");
    free(header);
    remove_file("x");
}

static void test_names_must_be_unique(void) {
    static const refusal cases[] = {
        {"{\"w\":{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[0,2]},"
         "\"\\u0077\":{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[2,4]}}",
         4, "byte 62: expected each name once, got 'w' again"},
        {"{\"__metadata__\":{\"b\":\"1\",\"a\":\"2\",\"b\":\"1\"}}", 0,
         "byte 41: expected each name once, got 'b' again"},
        {"{\"__metadata__\":{},\"__metadata__\":{}}", 0,
         "byte 27: expected each name once, got '__metadata__' again"},
    };
    CHECK_REFUSALS(cases);
}

static void test_tensor_must_have_its_three_members_once(void) {
    static const refusal cases[] = {
        {"{\"w\":{}}", 0, "byte 9: 'w': expected dtype, got none"},
        {"{\"w\":{\"dtype\":\"F32\",\"shape\":[]}}", 0,
         "byte 9: 'w': expected data_offsets, got none"},
        {"{\"w\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}}", 0,
         "byte 28: 'w': expected dtype, shape and data_offsets once each, got 'dtype' again"},
        {"{\"w\":{\"type\":\"F32\"}}", 0,
         "byte 14: 'w': expected dtype, shape and data_offsets once each, got 'type'"},
    };
    CHECK_REFUSALS(cases);
}

static void test_dtype_must_be_one_that_is_read(void) {
    static const refusal cases[] = {
        {W("\"I64\"", "[1]", "[0,8]"), 8,
         "byte 22: dtype of 'w': expected F64, F32, F16 or BF16, got 'I64'"},
        {W("\"f32\"", "[1]", "[0,4]"), 4,
         "byte 22: dtype of 'w': expected F64, F32, F16 or BF16, got 'f32'"},
        {W("32", "[1]", "[0,4]"), 4, "byte 22: expected a string, got '32'"},
    };
    CHECK_REFUSALS(cases);
}

static void test_shape_must_fit(void) {
    static const refusal cases[] = {
        {W("\"F32\"", "[-1]", "[0,4]"), 4,
         "byte 37: expected a whole number from 0 to 2^63 - 1, got '-1'"},
        {W("\"F32\"", "[1.0]", "[0,4]"), 4,
         "byte 37: expected a whole number from 0 to 2^63 - 1, got '1.0'"},
        {W("\"F32\"", "[9223372036854775808]", "[0,4]"), 4,
         "byte 37: expected a whole number from 0 to 2^63 - 1, got '9223372036854775808'"},
        {W("\"F32\"", "[4294967296,4294967296]", "[0,0]"), 0,
         "byte 48: shape of 'w': expected a number of values below 2^64, got more"},
        {W("\"F32\"", "[1,1,1,1,1,1,1,1,1]", "[0,4]"), 4,
         "byte 53: shape of 'w': expected 8 dimensions at most, got more"},
        {W("\"F64\"", "[2305843009213693952]", "[0,0]"), 0,
         "byte 9: 'w': expected data_offsets that are 2305843009213693952 times 8 bytes apart, as "
         "of F64 [2305843009213693952], got [0,0]"},
        {W("\"F32\"", "[2,3]", "[0,20]"), 20,
         "byte 9: 'w': expected data_offsets that are 6 times 4 bytes apart, as of F32 [2,3], got "
         "[0,20]"},
        {W("\"F16\"", "[]", "[0,0]"), 0,
         "byte 9: 'w': expected data_offsets that are 1 times 2 bytes apart, as of F16 [], got "
         "[0,0]"},
    };
    CHECK_REFUSALS(cases);
}

static void test_offsets_must_be_two_in_order_within_the_file(void) {
    static const refusal cases[] = {
        {W("\"F32\"", "[1]", "[]"), 4, "byte 55: data_offsets of 'w': expected 2 numbers, got 0"},
        {W("\"F32\"", "[1]", "[0]"), 4, "byte 55: data_offsets of 'w': expected 2 numbers, got 1"},
        {W("\"F32\"", "[1]", "[0,4,4]"), 4,
         "byte 55: data_offsets of 'w': expected 2 numbers, got 3"},
        {W("\"F32\"", "[1]", "[4,0]"), 4,
         "byte 55: data_offsets of 'w': expected the end after the begin, got [4,0]"},
        {W("\"F32\"", "[1]", "[0,4.5]"), 4,
         "byte 58: expected a whole number from 0 to 2^63 - 1, got '4.5'"},
        {W("\"F32\"", "[1]", "[-4,0]"), 4,
         "byte 56: expected a whole number from 0 to 2^63 - 1, got '-4'"},
        {W("\"F32\"", "[1]", "[0,4]"), 3,
         "byte 55: data_offsets of 'w': expected an end of 3 at most, the bytes after the header, "
         "got 4"},
        {W("\"F32\"", "[1]", "[9223372036854775803,9223372036854775807]"), 4,
         "byte 55: data_offsets of 'w': expected an end of 4 at most, the bytes after the header, "
         "got 9223372036854775807"},
    };
    CHECK_REFUSALS(cases);
}

#define TWO(a, b)                                                                                  \
    "{\"a\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":" a                                  \
    "},\"b\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":" b "}}"

static void test_tensors_must_cover_the_data(void) {
    static const refusal cases[] = {
        {TWO("[0,4]", "[2,6]"), 6,
         "byte 62: data_offsets of 'b': expected a begin of 4, after a, got 2"},
        {TWO("[4,8]", "[4,8]"), 8,
         "byte 9: data_offsets of 'a': expected a begin of 0, after the header, got 4"},
        {TWO("[0,4]", "[0,4]"), 4,
         "byte 62: data_offsets of 'b': expected a begin of 4, after a, got 0"},
        {TWO("[6,10]", "[0,4]"), 10,
         "byte 9: data_offsets of 'a': expected a begin of 4, after b, got 6"},
        {TWO("[4,8]", "[0,4]"), 11, "byte 123: expected the end of the file, got 3 more bytes"},
        {"{}", 1, "byte 10: expected the end of the file, got 1 more bytes"},
    };
    CHECK_REFUSALS(cases);
}

static void test_long_names_leave_room_for_what_was_expected(void) {
    char header[1024], name[513];
    for (size_t i = 0; i < 256; i++)
        memcpy(name + 2 * i, "\xc3\xa4", 3);
    memmove(name + 1, name, 512);
    name[0] = 'x'; /* and now a cut at 60 bytes would go through a character */
    name[511] = '\0';
    snprintf(header, sizeof header, "{\"%s\":{\"dtype\":\"U8\"}}", name);
    write_stored("x", header, NULL, 0);
    char message[256];
    snprintf(message, sizeof message,
             "byte 532: dtype of '%.59s': expected F64, F32, F16 or BF16, got 'U8'", name);
    check_message("x", GS_ERR_FORMAT, message);
    remove_file("x");
}

static void test_what_is_no_regular_file_is_refused(void) {
    gs_error error = {0};
    gs_safetensors *file;
    check_message(".", GS_ERR_FORMAT, "byte 0: expected a regular file, got a folder");
    CHECK(mkfifo(path_of("pipe"), 0600) == 0);
    check_message("pipe", GS_ERR_FORMAT, "byte 0: expected a regular file, got a pipe");
    CHECK(gs_safetensors_open("/dev/null", &file, &error) == GS_ERR_FORMAT);
    CHECK_STRING(error.message, "/dev/null: byte 0: expected a regular file, got a device");
    check_message("none", GS_ERR_IO, strerror(ENOENT));
    remove_file("pipe");
}

static void test_file_that_becomes_shorter_is_refused(void) {
    write_stored("x", W("\"F64\"", "[2]", "[0,16]"), NULL, 16);
    gs_safetensors *file = open_stored("x");
    double values[2];
    gs_error error = {0};
    CHECK(truncate(path_of("x"), 70) == 0);
    CHECK(gs_safetensors_read(file, gs_safetensors_find(file, "w"), values, &error) ==
          GS_ERR_FORMAT);
    CHECK_STRING(error.message, message_of("x", "byte 70: expected 9 more bytes, got the end"));
    gs_safetensors_close(file);
    remove_file("x");
}

static void test_every_allocation_may_fail(void) {
    write_stored("x", TWO("[0,4]", "[4,8]"), NULL, 8);
    bool failed = true;
    for (size_t n = 1; failed; n++) {
        gs_error error = {0};
        gs_safetensors *file;
        test_fail_allocation(n);
        gs_status status = gs_safetensors_open(path_of("x"), &file, &error);
        failed = test_allocation_failed();
        test_fail_allocation(0);
        CHECK_THAT(status == (failed ? GS_ERR_MEMORY : GS_OK), "allocation %zu", n);
        CHECK((file == NULL) == failed && error.code == status);
        gs_safetensors_close(file);
    }
    remove_file("x");
}

TEST_MAIN_WITH_FOLDER(TEST(test_header_length_is_held_against_the_file),
                      TEST(test_header_over_100_megabytes_is_refused),
                      TEST(test_short_files_are_refused), TEST(test_header_must_be_strict_json),
                      TEST(test_nesting_costs_nothing), TEST(test_names_must_be_unique),
                      TEST(test_tensor_must_have_its_three_members_once),
                      TEST(test_dtype_must_be_one_that_is_read), TEST(test_shape_must_fit),
                      TEST(test_offsets_must_be_two_in_order_within_the_file),
                      TEST(test_tensors_must_cover_the_data),
                      TEST(test_long_names_leave_room_for_what_was_expected),
                      TEST(test_what_is_no_regular_file_is_refused),
                      TEST(test_file_that_becomes_shorter_is_refused),
                      TEST(test_every_allocation_may_fail))
