#include "train/data.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "test_files.h"

/* Loading `name` fails with this code and with "PATH" and then `message`. */
static void check_refused(const char *name, gs_status code, const char *format, ...) {
    gs_data data = {.examples = 7};
    gs_error error = {0};
    char expected[1024];
    int length = snprintf(expected, sizeof expected, "%s", path_of(name));
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(expected + length, sizeof expected - (size_t)length, format, arguments);
    va_end(arguments);
    gs_status status = gs_data_load(path_of(name), &data, &error);
    CHECK_STRING(error.message, expected);
    CHECK_THAT(status == code && error.code == code, "%s: code %d", name, (int)status);
    CHECK(data.examples == 0 && !data.values && !data.labels);
}

/* ---- CSV ---- */

static void check_csv_refused(const char *text, const char *message) {
    write_file("x.csv", text, strlen(text));
    check_refused("x.csv", GS_ERR_FORMAT, "%s", message);
}

/* The text holds the examples (1, 2.5) of class 0 and (-3, 4) of class 2. */
static void check_csv_loads(const char *text) {
    gs_data data;
    gs_error error = {0};
    write_file("x.csv", text, strlen(text));
    gs_status status = gs_data_load(path_of("x.csv"), &data, &error);
    CHECK_THAT(status == GS_OK, "'%s': %s", text, error.message);
    if (status != GS_OK)
        return;
    CHECK(data.examples == 2 && data.features == 2 && data.classes == 3);
    CHECK(data.values[0] == 1 && data.values[1] == 2.5);
    CHECK(data.values[2] == -3 && data.values[3] == 4);
    CHECK(data.labels[0] == 0 && data.labels[1] == 2);
    gs_data_free(&data);
    CHECK(data.values == NULL && data.examples == 0);
}

static void test_csv_has_features_and_then_the_label(void) {
    check_csv_loads("1,2.5,0\n-3,4,2\n");
    check_csv_loads("1e0,+2.50,0\n-.3e1,4.,2.0\n");
}

static void test_csv_may_end_lines_as_any_system_does(void) {
    check_csv_loads("1,2.5,0\n-3,4,2");
    check_csv_loads("1,2.5,0\r\n-3,4,2\r\n");
    check_csv_loads("1,2.5,0\n-3,4,2\n\n\r\n \n");
}

static void test_csv_may_have_blanks_and_a_byte_order_mark(void) {
    check_csv_loads("1, 2.5,\t0\n -3 ,4,2 \n");
    check_csv_loads("\xef\xbb\xbf"
                    "1,2.5,0\n-3,4,2\n");
}

static void test_csv_header_is_a_first_line_without_numbers(void) {
    check_csv_loads("a,b,label\n1,2.5,0\n-3,4,2\n");
    check_csv_loads("\"a\",,nan\n1,2.5,0\n-3,4,2\n");
    check_csv_refused("a,2,label\n1,2.5,0\n", ":1: column 1: expected a number, got 'a'");
    check_csv_refused("1,b,0\n1,2.5,0\n", ":1: column 2: expected a number, got 'b'");
    check_csv_refused("a,b,c\nd,e,f\n", ":2: column 1: expected a number, got 'd'");
    check_csv_refused("a,b,label\n", ": has no rows");
}

static void test_csv_errors_name_the_line_and_the_column(void) {
    check_csv_refused("1,2,0\n1,x,0\n", ":2: column 2: expected a number, got 'x'");
    check_csv_refused("1,2,0\n1,2x,0\n", ":2: column 2: expected a number, got '2x'");
    check_csv_refused("1,2,0\n1,,0\n", ":2: column 2: empty cell");
    check_csv_refused("1,2,0\n1,2,\n", ":2: column 3: empty cell");
    check_csv_refused("1,2,0\n1,nan,0\n", ":2: column 2: expected a finite number, got 'nan'");
    check_csv_refused("1,2,0\n-inf,2,0\n", ":2: column 1: expected a finite number, got '-inf'");
    check_csv_refused("1,2,0\n1,1e999,0\n", ":2: column 2: expected a finite number, got '1e999'");
}

static void test_csv_rows_have_as_many_cells_as_the_first_line(void) {
    check_csv_refused("1,2,0\n1,2,3,0\n", ":2: expected 3 cells, got 4");
    check_csv_refused("1,2,0\n1,0\n", ":2: expected 3 cells, got 2");
    check_csv_refused("a,b,label\n1,0\n", ":2: expected 3 cells, got 2");
    check_csv_refused("1\n2\n", ":1: expected 2 or more cells, features and a label, got 1");
    check_csv_refused("1,2,0\n\n\n1,2,0\n", ":2: expected a row, got an empty line");
}

static void test_csv_labels_are_classes(void) {
    const char *const bad[] = {"0.5", "-1", "65536", "cat", "nan", "1e300"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[64], message[128];
        snprintf(text, sizeof text, "1,2,0\n1,2,%s\n", bad[i]);
        snprintf(message, sizeof message,
                 ":2: column 3: labels must be classes 0, 1, 2, ... up to 65535, got '%s'", bad[i]);
        check_csv_refused(text, message);
    }
    gs_data data;
    write_file("x.csv", "1,65535", 7);
    CHECK(gs_data_load(path_of("x.csv"), &data, NULL) == GS_OK && data.classes == 65536);
    gs_data_free(&data);
}

static void test_csv_without_rows_is_an_error(void) {
    check_csv_refused("", ": has no rows");
    check_csv_refused("\n\n", ": has no rows");
    check_csv_refused("\xef\xbb\xbf", ": has no rows");
}

static void test_csv_with_nul_bytes_is_an_error(void) {
    write_file("x.csv", "1,2,0\n1\0,2,0\n", 13);
    check_refused("x.csv", GS_ERR_FORMAT, ":2: column 1: expected text, got a NUL byte");
}

static void test_csv_error_shows_the_beginning_of_a_long_cell(void) {
    check_csv_refused(
        "1,2,0\n1,0123456789012345678901234567890123456789,0\n1,"
        "x123456789012345678901234567890123456789,0\n",
        ":3: column 2: expected a number, got 'x123456789012345678901234567890123456789'");
    check_csv_refused(
        "1,2,0\n1,x12345678901234567890123456789012345678\xc3\xa4z,0\n",
        ":2: column 2: expected a number, got 'x12345678901234567890123456789012345678...'");
}

static void test_csv_cell_is_read_up_to_1023_bytes(void) {
    char text[2048];
    int length = snprintf(text, sizeof text, "0.%01021d,1\n", 7);
    write_file("x.csv", text, (size_t)length);
    gs_data data;
    CHECK(gs_data_load(path_of("x.csv"), &data, NULL) == GS_OK && data.values[0] == 0);
    gs_data_free(&data);
    length = snprintf(text, sizeof text, "0.%01022d,1\n", 7);
    write_file("x.csv", text, (size_t)length);
    check_refused("x.csv", GS_ERR_FORMAT,
                  ":1: column 1: expected a number, got a cell of over 1023 bytes");
}

/* Lines and files of more than one buffer, and values that grow over what was allocated first. */
static void test_csv_lines_may_be_as_long_as_they_like(void) {
    enum { COLUMNS = 40000 };
    FILE *file = fopen(path_of("x.csv"), "w");
    for (int row = 0; file && row < 3; row++)
        for (int i = 0; i < COLUMNS; i++)
            fprintf(file, "%d%c", row * COLUMNS + i < COLUMNS * 2 ? i % 1000 : 9,
                    i + 1 < COLUMNS ? ',' : '\n');
    CHECK(file && fclose(file) == 0);
    gs_data data = {0};
    gs_error error = {0};
    gs_status status = gs_data_load(path_of("x.csv"), &data, &error);
    CHECK_THAT(status == GS_OK, "%s", error.message);
    CHECK(data.examples == 3 && data.features == COLUMNS - 1 && data.classes == 1000);
    for (size_t i = 0; status == GS_OK && i < COLUMNS - 1; i++)
        CHECK_THAT(data.values[COLUMNS - 1 + i] == (double)(i % 1000), "column %zu", i);
    gs_data_free(&data);
}

static void test_csv_is_read_from_a_pipe(void) {
    const char *path = path_of("pipe");
    CHECK(mkfifo(path, 0600) == 0);
    pid_t child = fork();
    if (child == 0) {
        int pipe = open(path, O_WRONLY);
        bool written = write(pipe, "1,2,0\n", 6) == 6 && write(pipe, "3,4,1\n", 6) == 6;
        _exit(written ? 0 : 1);
    }
    gs_data data = {0};
    CHECK(gs_data_load(path, &data, NULL) == GS_OK && data.examples == 2 && data.values[2] == 3);
    gs_data_free(&data);
    CHECK(waitpid(child, NULL, 0) == child);
    remove_file("pipe");
}

static void test_files_that_cannot_be_read_are_named_with_the_reason(void) {
    check_refused("nothing", GS_ERR_IO, ": %s", strerror(ENOENT));
    CHECK(symlink("loop", path_of("loop")) == 0);
    check_refused("loop", GS_ERR_IO, ": %s", strerror(ELOOP));
    remove_file("loop");
    gs_data data;
    gs_error error = {0};
    CHECK(gs_data_load_csv(folder, &data, &error) == GS_ERR_IO);
    CHECK_THAT(strstr(error.message, strerror(EISDIR)) != NULL, "%s", error.message);
}

static void test_file_without_permission_is_an_error(void) {
    if (geteuid() == 0)
        SKIP("root may read everything");
    write_file("x.csv", "1,0\n", 4);
    CHECK(chmod(path_of("x.csv"), 0) == 0);
    check_refused("x.csv", GS_ERR_IO, ": %s", strerror(EACCES));
    remove_file("x.csv");
}

static void test_files_given_by_mistake_are_told(void) {
    write_file("x.csv", "\x1f\x8b\x08\0", 4);
    check_refused("x.csv", GS_ERR_FORMAT, ": is gzip-compressed: unpack it with gunzip");
    write_file("x.csv", "\0\0\x08\x03", 4);
    check_refused("x.csv", GS_ERR_FORMAT, ": is an IDX file: expected the folder that holds it");
}

/* ---- IDX: 3 images of 2 x 2 unless a test says otherwise ---- */

#define IMAGES "train-images-idx3-ubyte"
#define LABELS "train-labels-idx1-ubyte"

static const unsigned char images[28] = {0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 2, 0,   0,
                                         0, 2, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 128, 255};
static const unsigned char labels[11] = {0, 0, 8, 1, 0, 0, 0, 3, 4, 0, 1};

static void write_idx(const char *images_name, const char *labels_name) {
    write_file(images_name, images, sizeof images);
    write_file(labels_name, labels, sizeof labels);
}

/* Loading the folder with these bytes as the images (or labels) is refused with `message`. */
static void check_idx_refused(const char *name, const unsigned char *bytes, size_t size,
                              const char *message) {
    write_idx(IMAGES, LABELS);
    write_file(name, bytes, size);
    check_refused("", GS_ERR_FORMAT, "%s%s", name, message);
    remove_file(IMAGES);
    remove_file(LABELS);
}

static void check_idx_loads(void) {
    gs_data data = {0};
    gs_error error = {0};
    gs_status status = gs_data_load(folder, &data, &error);
    CHECK_THAT(status == GS_OK, "%s", error.message);
    CHECK(data.examples == 3 && data.features == 4 && data.classes == 5);
    for (size_t i = 0; status == GS_OK && i < 12; i++)
        CHECK(data.values[i] == (i < 10 ? (double)i : i == 10 ? 128 : 255));
    CHECK(status == GS_OK && data.labels[0] == 4 && data.labels[1] == 0 && data.labels[2] == 1);
    gs_data_free(&data);
}

static void test_idx_folder_is_images_and_labels(void) {
    write_idx(IMAGES, LABELS);
    check_idx_loads();
    remove_file(IMAGES);
    remove_file(LABELS);
}

static void test_idx_names_may_have_a_dot(void) {
    write_idx("train-images.idx3-ubyte", "train-labels.idx1-ubyte");
    check_idx_loads();
    remove_file("train-images.idx3-ubyte");
    remove_file("train-labels.idx1-ubyte");
}

static void test_idx_test_set_counts_only_without_a_training_set(void) {
    write_idx("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte");
    check_idx_loads();
    write_file(IMAGES, "", 0);
    check_refused("", GS_ERR_FORMAT, ": expected train-labels-idx1-ubyte beside " IMAGES);
    remove_file(IMAGES);
    write_file(LABELS, "", 0);
    check_refused("", GS_ERR_FORMAT, ": expected train-images-idx3-ubyte beside " LABELS);
    remove_file(LABELS);
    remove_file("t10k-images-idx3-ubyte");
    remove_file("t10k-labels-idx1-ubyte");
}

static void test_folder_without_idx_files_says_what_was_looked_for(void) {
    check_refused(
        "", GS_ERR_FORMAT,
        ": has no IDX files: expected train-images-idx3-ubyte and train-labels-idx1-ubyte, "
        "or t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte");
}

static void test_compressed_idx_is_told_by_its_contents(void) {
    check_idx_refused(IMAGES, (const unsigned char *)"\x1f\x8b\x08", 3,
                      ": is gzip-compressed: unpack it with gunzip");
    write_file(IMAGES ".gz", "\x1f\x8b\x08", 3);
    write_file(LABELS ".gz", "\x1f\x8b\x08", 3);
    check_refused("", GS_ERR_FORMAT, "%s", IMAGES ".gz: is gzip-compressed: unpack it with gunzip");
    write_idx(IMAGES, LABELS);
    check_idx_loads();
    remove_file(IMAGES);
    remove_file(LABELS);
    remove_file(IMAGES ".gz");
    remove_file(LABELS ".gz");
}

static void test_idx_magic_says_unsigned_bytes_and_the_rank(void) {
    unsigned char bytes[28];
    memcpy(bytes, images, sizeof bytes);
    bytes[2] = 0x0d;
    check_idx_refused(IMAGES, bytes, sizeof bytes,
                      ": expected an IDX file of images that begins with 00 00 08 03 (unsigned "
                      "bytes, 3 dimensions), got 00 00 0d 03 (32-bit floats, 3 dimensions)");
    check_idx_refused(LABELS, images, sizeof images,
                      ": expected an IDX file of labels that begins with 00 00 08 01 (unsigned "
                      "bytes, 1 dimension), got 00 00 08 03 (unsigned bytes, 3 dimensions)");
    check_idx_refused(IMAGES, (const unsigned char *)"\x89PNG", 4,
                      ": expected an IDX file of images that begins with 00 00 08 03 (unsigned "
                      "bytes, 3 dimensions), got 89 50 4e 47 (not IDX)");
}

static void test_idx_of_another_length_than_its_header_says_is_refused(void) {
    unsigned char longer[29] = {0};
    memcpy(longer, images, sizeof images);
    check_idx_refused(IMAGES, images, 27, ": ends after 27 bytes, expected 28");
    check_idx_refused(IMAGES, images, 15, ": ends after 15 bytes, expected 16");
    check_idx_refused(IMAGES, images, 3, ": ends after 3 bytes, expected 16");
    check_idx_refused(LABELS, labels, 0, ": ends after 0 bytes, expected 8");
    check_idx_refused(IMAGES, longer, 29, ": goes on after byte 28, where it should end");
}

static void test_idx_counts_agree(void) {
    static const unsigned char two[10] = {0, 0, 8, 1, 0, 0, 0, 2, 4, 0};
    check_idx_refused(LABELS, two, sizeof two, ": expected 3 labels, one an image, got 2");
}

static void test_idx_without_images_is_refused(void) {
    static const unsigned char none[16] = {0, 0, 8, 3, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 2};
    check_idx_refused(IMAGES, none, sizeof none, ": holds no images");
}

/* No allocation is tried: the sizes are held against the length of the file first. */
static void test_idx_header_that_claims_too_much_is_refused(void) {
    unsigned char bytes[28];
    memcpy(bytes, images, sizeof bytes);
    memset(bytes + 4, 0xff, 12);
    check_idx_refused(IMAGES, bytes, sizeof bytes, ": the sizes in its header overflow");
    memset(bytes + 12, 0, 3);
    bytes[15] = 1;
    check_idx_refused(IMAGES, bytes, sizeof bytes,
                      ": ends after 28 bytes, expected 18446744065119617041");
}

static void test_idx_that_is_no_regular_file_is_refused(void) {
    CHECK(mkdir(path_of(IMAGES), 0700) == 0);
    check_refused("", GS_ERR_FORMAT, "%s", IMAGES ": is not a regular file");
    remove_file(IMAGES);
}

/* ---- Examples to test on ---- */

/* Of three features and classes 0 to 2. */
static const gs_data trained_on = {.examples = 1, .features = 3, .classes = 3};

static gs_status load_test(const char *text, size_t outputs, gs_data *data, gs_error *error) {
    write_file("x.csv", text, strlen(text));
    return gs_data_load_test(path_of("x.csv"), &trained_on, "train.csv", outputs, data, error);
}

static void test_examples_to_test_on_have_the_same_features(void) {
    gs_data data;
    gs_error error = {0};
    char expected[600];
    CHECK(load_test("1,2,3,0\n4,5,6,2\n", 0, &data, &error) == GS_OK);
    CHECK(data.examples == 2 && data.features == 3);
    gs_data_free(&data);
    CHECK(load_test("1,2,0\n", 0, &data, &error) == GS_ERR_USAGE);
    snprintf(expected, sizeof expected,
             "--test-data: expected 3 features, those of 'train.csv', got 2 in '%s'",
             path_of("x.csv"));
    CHECK_STRING(error.message, expected);
    CHECK(data.examples == 0 && !data.values);
    CHECK(load_test("1,2,\n", 0, &data, &error) == GS_ERR_FORMAT);
}

static void test_examples_to_test_on_have_no_other_classes(void) {
    static const char text[] = "1,2,3,0\n4,5,6,3\n";
    gs_data data;
    gs_error error = {0};
    char expected[600];
    CHECK(load_test(text, 4, &data, &error) == GS_OK && data.labels[1] == 3);
    gs_data_free(&data);
    for (size_t outputs = 0; outputs <= 3; outputs += 3) {
        CHECK(load_test(text, outputs, &data, &error) == GS_ERR_USAGE);
        snprintf(expected, sizeof expected,
                 "--test-data: expected classes below 3, or more --outputs, got 3 in example 2 of "
                 "'%s'",
                 path_of("x.csv"));
        CHECK_STRING(error.message, expected);
        CHECK(data.examples == 0 && !data.labels);
    }
}

/* The set of 3 examples to train on, and a set of 1 to test on. */
static void test_a_folder_with_both_sets_is_trained_and_tested_on(void) {
    static const unsigned char image[] = {0, 0, 8, 3, 0, 0, 0, 1, 0, 0,
                                          0, 2, 0, 0, 0, 2, 9, 8, 7, 6};
    static const unsigned char label[] = {0, 0, 8, 1, 0, 0, 0, 1, 2};
    gs_data data, test;
    gs_error error = {0};
    write_idx(IMAGES, LABELS);
    CHECK(gs_data_load(folder, &data, &error) == GS_OK && data.examples == 3);
    CHECK(gs_data_load_test(folder, &data, folder, 0, &test, &error) == GS_ERR_USAGE);
    CHECK_THAT(strstr(error.message, "expected other examples"), "%s", error.message);
    write_file("t10k-images-idx3-ubyte", image, sizeof image);
    write_file("t10k-labels-idx1-ubyte", label, sizeof label);
    CHECK(gs_data_load_test(folder, &data, folder, 0, &test, &error) == GS_OK);
    CHECK(test.examples == 1 && test.values && test.values[0] == 9 && test.labels[0] == 2);
    gs_data_free(&data);
    gs_data_free(&test);
    remove_file(IMAGES);
    remove_file(LABELS);
    remove_file("t10k-images-idx3-ubyte");
    remove_file("t10k-labels-idx1-ubyte");
}

/* ---- Memory ---- */

static void check_every_allocation_may_fail(const char *path) {
    bool failed = true;
    for (size_t n = 1; failed; n++) {
        gs_data data;
        gs_error error = {0};
        test_fail_allocation(n);
        gs_status status = gs_data_load(path, &data, &error);
        failed = test_allocation_failed();
        test_fail_allocation(0);
        CHECK_THAT(status == (failed ? GS_ERR_MEMORY : GS_OK), "allocation %zu: %s", n,
                   error.message);
        CHECK(!failed || (data.examples == 0 && error.code == GS_ERR_MEMORY));
        gs_data_free(&data);
    }
}

static void test_every_allocation_of_loading_may_fail(void) {
    write_idx(IMAGES, LABELS);
    check_every_allocation_may_fail(folder);
    remove_file(IMAGES);
    remove_file(LABELS);
    check_every_allocation_may_fail("examples/data/digits.csv");
}

TEST_MAIN_WITH_FOLDER(
    TEST(test_csv_has_features_and_then_the_label), TEST(test_csv_may_end_lines_as_any_system_does),
    TEST(test_csv_may_have_blanks_and_a_byte_order_mark),
    TEST(test_csv_header_is_a_first_line_without_numbers),
    TEST(test_csv_errors_name_the_line_and_the_column),
    TEST(test_csv_rows_have_as_many_cells_as_the_first_line), TEST(test_csv_labels_are_classes),
    TEST(test_csv_without_rows_is_an_error), TEST(test_csv_with_nul_bytes_is_an_error),
    TEST(test_csv_error_shows_the_beginning_of_a_long_cell),
    TEST(test_csv_cell_is_read_up_to_1023_bytes), TEST(test_csv_lines_may_be_as_long_as_they_like),
    TEST(test_csv_is_read_from_a_pipe),
    TEST(test_files_that_cannot_be_read_are_named_with_the_reason),
    TEST(test_file_without_permission_is_an_error), TEST(test_files_given_by_mistake_are_told),
    TEST(test_idx_folder_is_images_and_labels), TEST(test_idx_names_may_have_a_dot),
    TEST(test_idx_test_set_counts_only_without_a_training_set),
    TEST(test_folder_without_idx_files_says_what_was_looked_for),
    TEST(test_compressed_idx_is_told_by_its_contents),
    TEST(test_idx_magic_says_unsigned_bytes_and_the_rank),
    TEST(test_idx_of_another_length_than_its_header_says_is_refused), TEST(test_idx_counts_agree),
    TEST(test_idx_without_images_is_refused), TEST(test_idx_header_that_claims_too_much_is_refused),
    TEST(test_idx_that_is_no_regular_file_is_refused),
    TEST(test_examples_to_test_on_have_the_same_features),
    TEST(test_examples_to_test_on_have_no_other_classes),
    TEST(test_a_folder_with_both_sets_is_trained_and_tested_on),
    TEST(test_every_allocation_of_loading_may_fail))
