#include "train/safetensors.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/json.h"
#include "net/config.h"
#include "test_files.h"
#include "test_json.h"

/* ---- A network with gradients, and a file read back ---- */

static gs_config *config;

/* Two layers of 3 units on 2 inputs and a head; the caller frees it, and `config`. */
static gs_network *network_of(const char *dtype) {
    static const char *const options[][2] = {{"layers", "2"}, {"width", "3"},      {"inputs", "2"},
                                             {"batch", "4"},  {"norm", "layer"},   {"loss", "ce"},
                                             {"seed", "77"},  {"bias", "normal:1"}};
    config = gs_config_new(NULL);
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        CHECK(gs_config_set(config, options[i][0], options[i][1], NULL) == GS_OK);
    CHECK(gs_config_set(config, "dtype", dtype, NULL) == GS_OK);
    CHECK(gs_config_resolve(config, 0, 0, NULL) == GS_OK);
    gs_network *network = gs_network_new(config, NULL);
    double loss;
    CHECK(network && gs_network_draw_batch(network, NULL) == GS_OK);
    CHECK(gs_network_keep_gradients(network, NULL) == GS_OK);
    CHECK(gs_network_forward(network, &loss, NULL) == GS_OK);
    CHECK(gs_network_backward(network, NULL) == GS_OK);
    return network;
}

static void free_network(gs_network *network) {
    gs_network_free(network);
    gs_config_free(config);
}

/* The whole file, terminated; the caller frees it. */
static char *read_whole(const char *path, size_t *size) {
    char *bytes = NULL;
    FILE *in = fopen(path, "rb"), *out = open_memstream(&bytes, size);
    for (int c; in && (c = getc(in)) != EOF;)
        putc(c, out);
    CHECK_THAT(in != NULL, "reading %s", path);
    if (in)
        fclose(in);
    fclose(out);
    return bytes;
}

static uint64_t little_endian(const char *bytes, size_t count) {
    uint64_t value = 0;
    for (size_t i = count; i > 0; i--)
        value = value << 8 | (unsigned char)bytes[i - 1];
    return value;
}

static double value_at(const char *bytes, bool wide) {
    uint64_t bits = little_endian(bytes, wide ? 8 : 4);
    uint32_t narrow_bits = (uint32_t)bits;
    double value;
    float narrow;
    memcpy(&value, &bits, sizeof value);
    memcpy(&narrow, &narrow_bits, sizeof narrow);
    return wide ? value : (double)narrow;
}

static size_t count_files(void) {
    size_t count = 0;
    DIR *entries = opendir(folder);
    while (entries && readdir(entries))
        count++;
    closedir(entries);
    return count - 2; /* . and .. */
}

/* ---- The format ---- */

static void check_tensor(const gs_network *network, const gs_tensor *tensor, const char *header,
                         const char *data, size_t *offset, bool wide) {
    char entry[256], member[64], expected[64];
    size_t count = tensor->shape[0] * (tensor->rank > 1 ? tensor->shape[1] : 1);
    size_t end = *offset + count * (wide ? 8 : 4);
    json_member(header, tensor->name, entry, sizeof entry);
    CHECK_STRING(json_member(entry, "dtype", member, sizeof member), wide ? "\"F64\"" : "\"F32\"");
    if (tensor->rank > 1)
        snprintf(expected, sizeof expected, "[%zu,%zu]", tensor->shape[0], tensor->shape[1]);
    else
        snprintf(expected, sizeof expected, "[%zu]", tensor->shape[0]);
    CHECK_STRING(json_member(entry, "shape", member, sizeof member), expected);
    snprintf(expected, sizeof expected, "[%zu,%zu]", *offset, end);
    CHECK_STRING(json_member(entry, "data_offsets", member, sizeof member), expected);
    double values[64];
    CHECK(count <= 64 && gs_network_read(network, tensor->name, values, count, NULL) == GS_OK);
    /* Of a float32 network the sums over a batch are kept in double, and rounded for the file. */
    for (size_t i = 0; i < count && i < 64; i++) {
        double expected_value = wide ? values[i] : (double)(float)values[i];
        CHECK_THAT(value_at(data + *offset + i * (wide ? 8 : 4), wide) == expected_value,
                   "%s, value %zu", tensor->name, i);
    }
    *offset = end;
}

static void check_file_holds_every_tensor(const char *dtype) {
    gs_network *network = network_of(dtype);
    bool wide = strcmp(dtype, "f64") == 0;
    const char *path = path_of("x.safetensors");
    gs_error error = {0};
    CHECK_THAT(gs_safetensors_save(network, config, NULL, path, &error) == GS_OK, "%s",
               error.message);
    size_t size, index = 0, offset = 0;
    char *bytes = read_whole(path, &size);
    uint64_t length = little_endian(bytes, 8);
    CHECK(size > 8 && length % 8 == 0 && length <= size - 8);
    char *header = strndup(bytes + 8, length);
    const char *end = json_end(header);
    CHECK(end && strspn(end, " ") == strlen(end) && strlen(end) < 8);
    gs_tensor tensor;
    for (; gs_network_tensor(network, index, &tensor); index++)
        check_tensor(network, &tensor, header, bytes + 8 + length, &offset, wide);
    /* input, target; weight and bias of 3 dense layers and 2 norms, and the gradients */
    CHECK_THAT(index == 2 + 2 * (3 + 2) * 2, "%zu tensors", index);
    CHECK(8 + length + offset == size);
    free(header);
    free(bytes);
    free_network(network);
    remove_file("x.safetensors");
}

static void test_file_holds_every_tensor_in_order(void) {
    check_file_holds_every_tensor("f64");
    check_file_holds_every_tensor("f32");
}

static void test_values_are_little_endian(void) {
    gs_network *network = network_of("f64");
    const double values[8] = {-2, 1.5};
    CHECK(gs_network_write(network, "input", values, 8, NULL) == GS_OK);
    CHECK(gs_safetensors_save(network, config, NULL, path_of("x"), NULL) == GS_OK);
    size_t size;
    char *bytes = read_whole(path_of("x"), &size);
    const char *input = bytes + 8 + little_endian(bytes, 8); /* the first tensor */
    CHECK(memcmp(input, "\0\0\0\0\0\0\0\xc0\0\0\0\0\0\0\xf8\x3f", 16) == 0);
    free(bytes);
    free_network(network);
    remove_file("x");
}

/* The sign and the payload of a nan depend on the machine that made it; in the file it has none. */
static void check_nan_is_stored_as(const char *dtype, const char *expected, size_t size) {
    gs_network *network = network_of(dtype);
    const uint64_t signed_bits = 0xfff8000000000000, payload_bits = 0x7ff8123400000000;
    double values[8] = {0};
    memcpy(&values[0], &signed_bits, sizeof values[0]);
    memcpy(&values[1], &payload_bits, sizeof values[1]);
    CHECK(gs_network_write(network, "input", values, 8, NULL) == GS_OK);
    CHECK(gs_safetensors_save(network, config, NULL, path_of("x"), NULL) == GS_OK);
    size_t whole;
    char *bytes = read_whole(path_of("x"), &whole);
    const char *input = bytes + 8 + little_endian(bytes, 8);
    CHECK(memcmp(input, expected, size) == 0 && memcmp(input + size, expected, size) == 0);
    free(bytes);
    free_network(network);
    remove_file("x");
}

static void test_every_nan_is_the_same_bytes(void) {
    check_nan_is_stored_as("f64", "\0\0\0\0\0\0\xf8\x7f", 8);
    check_nan_is_stored_as("f32", "\0\0\xc0\x7f", 4);
}

static void test_metadata_is_the_configuration(void) {
    gs_network *network = network_of("f64");
    CHECK(gs_config_set(config, "data", "a\"b\\\xff", NULL) == GS_OK);
    CHECK(gs_safetensors_save(network, config, NULL, path_of("x"), NULL) == GS_OK);
    size_t size;
    char *bytes = read_whole(path_of("x"), &size);
    char metadata[4096], value[128], text[128], expected[160];
    json_member(bytes + 8, "__metadata__", metadata, sizeof metadata);
    for (size_t i = 0; i < gs_config_options.count; i++) {
        const gs_option *option = &gs_config_options.rows[i];
        bool there = option->column || option->saved;
        gs_option_format(option, config, text, sizeof text);
        snprintf(expected, sizeof expected, "\"%s\"", text);
        if (option->kind == GS_OPTION_TEXT)
            strcpy(expected, text[0] ? "\"a\\\"b\\\\\\ufffd\"" : "\"\"");
        CHECK_STRING(json_member(metadata, option->name, value, sizeof value),
                     there ? expected : "");
    }
    free(bytes);
    free_network(network);
    remove_file("x");
}

static void test_json_string_only_counts_without_a_file(void) {
    FILE *null = fopen("/dev/null", "w");
    const char *text = "a\"\n\xc3\xa4\xff";
    CHECK(gs_json_string(NULL, text) == strlen("\"a\\\"\\u000a\xc3\xa4\\ufffd\""));
    CHECK(gs_json_string(null, text) == gs_json_string(NULL, text));
    fclose(null);
}

/* ---- The file ---- */

static void test_file_replaces_another_and_leaves_nothing_beside_it(void) {
    gs_network *network = network_of("f64");
    write_file("x", "something else", 14);
    CHECK(gs_safetensors_save(network, config, NULL, path_of("x"), NULL) == GS_OK);
    size_t size;
    char *bytes = read_whole(path_of("x"), &size);
    CHECK(size > 1000 && bytes[8] == '{');
    CHECK(count_files() == 1);
    free(bytes);
    free_network(network);
    remove_file("x");
}

static void test_file_without_a_folder_is_in_this_one(void) {
    gs_network *network = network_of("f64");
    char *here = getcwd(NULL, 0);
    CHECK(chdir(folder) == 0);
    CHECK(gs_safetensors_save(network, config, NULL, "x", NULL) == GS_OK);
    CHECK(chdir(here) == 0);
    free(here);
    free_network(network);
    remove_file("x");
}

static void test_mode_of_the_file_follows_the_umask(void) {
    gs_network *network = network_of("f64");
    mode_t mask = umask(027);
    struct stat info = {0};
    CHECK(gs_safetensors_save(network, config, NULL, path_of("x"), NULL) == GS_OK);
    CHECK(stat(path_of("x"), &info) == 0 && (info.st_mode & 0777) == 0640);
    umask(mask);
    free_network(network);
    remove_file("x");
}

/* What the link leads to is a new file in the end: the old one is not written to. */
static void test_link_stays_and_its_target_is_replaced(void) {
    gs_network *network = network_of("f64");
    struct stat link, old, file;
    write_file("x", "", 0);
    CHECK(symlink("x", path_of("link")) == 0 && stat(path_of("x"), &old) == 0);
    FILE *kept = fopen(path_of("x"), "rb");
    CHECK(gs_safetensors_save(network, config, NULL, path_of("link"), NULL) == GS_OK);
    CHECK(lstat(path_of("link"), &link) == 0 && S_ISLNK(link.st_mode));
    CHECK(stat(path_of("x"), &file) == 0 && file.st_size > 1000 && file.st_ino != old.st_ino);
    CHECK(kept && getc(kept) == EOF);
    CHECK(count_files() == 2);
    if (kept)
        fclose(kept);
    free_network(network);
    remove_file("link");
    remove_file("x");
}

static void test_link_to_nothing_makes_its_target(void) {
    gs_network *network = network_of("f64");
    struct stat file;
    CHECK(symlink("x", path_of("link")) == 0);
    CHECK(gs_safetensors_save(network, config, NULL, path_of("link"), NULL) == GS_OK);
    CHECK(lstat(path_of("x"), &file) == 0 && S_ISREG(file.st_mode) && file.st_size > 1000);
    free_network(network);
    remove_file("link");
    remove_file("x");
}

static void test_pipe_gets_the_same_bytes_as_a_file(void) {
    gs_network *network = network_of("f64");
    CHECK(mkfifo(path_of("pipe"), 0600) == 0);
    CHECK(gs_safetensors_save(network, config, NULL, path_of("file"), NULL) == GS_OK);
    pid_t child = fork();
    if (child == 0) {
        gs_status status = gs_safetensors_save(network, config, NULL, path_of("pipe"), NULL);
        _exit(status == GS_OK ? 0 : 1);
    }
    size_t piped_size, size;
    int status = 1;
    char *piped = read_whole(path_of("pipe"), &piped_size);
    char *bytes = read_whole(path_of("file"), &size);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(piped_size == size && memcmp(piped, bytes, size) == 0);
    free(piped);
    free(bytes);
    free_network(network);
    remove_file("pipe");
    remove_file("file");
}

/* ---- Errors ---- */

static void check_refused(const gs_network *network, const char *path, int reason) {
    gs_error error = {0};
    char expected[512];
    snprintf(expected, sizeof expected, "%s: %s", path, strerror(reason));
    CHECK(gs_safetensors_save(network, config, NULL, path, &error) == GS_ERR_IO);
    CHECK_STRING(error.message, expected);
    CHECK(error.code == GS_ERR_IO);
}

static void test_file_that_cannot_be_made_is_named_with_the_reason(void) {
    gs_network *network = network_of("f64");
    check_refused(network, path_of("no/x"), ENOENT);
    check_refused(network, folder, EISDIR);
    check_refused(network, "/dev/full", ENOSPC);
    CHECK(count_files() == 0);
    free_network(network);
}

static void test_file_that_is_write_protected_is_not_replaced(void) {
    if (geteuid() == 0)
        SKIP("root may write everything");
    gs_network *network = network_of("f64");
    write_file("x", "", 0);
    CHECK(chmod(path_of("x"), 0400) == 0);
    check_refused(network, path_of("x"), EACCES);
    free_network(network);
    remove_file("x");
}

/* What was there stays, and nothing is left beside it. */
static void test_every_allocation_may_fail(void) {
    gs_network *network = network_of("f64");
    write_file("x", "old", 3);
    bool failed = true;
    for (size_t n = 1; failed; n++) {
        gs_error error = {0};
        char expected[512];
        test_fail_allocation(n);
        gs_status status = gs_safetensors_save(network, config, NULL, path_of("x"), &error);
        failed = test_allocation_failed();
        test_fail_allocation(0);
        snprintf(expected, sizeof expected, "%s: cannot allocate", path_of("x"));
        struct stat info = {0};
        CHECK(stat(path_of("x"), &info) == 0 && (info.st_size == 3) == failed);
        CHECK_THAT(status == (failed ? GS_ERR_MEMORY : GS_OK), "allocation %zu", n);
        CHECK(!failed || strncmp(error.message, expected, strlen(expected)) == 0);
        CHECK(count_files() == 1);
    }
    free_network(network);
    remove_file("x");
}

TEST_MAIN_WITH_FOLDER(
    TEST(test_file_holds_every_tensor_in_order), TEST(test_values_are_little_endian),
    TEST(test_every_nan_is_the_same_bytes), TEST(test_metadata_is_the_configuration),
    TEST(test_json_string_only_counts_without_a_file),
    TEST(test_file_replaces_another_and_leaves_nothing_beside_it),
    TEST(test_file_without_a_folder_is_in_this_one), TEST(test_mode_of_the_file_follows_the_umask),
    TEST(test_link_stays_and_its_target_is_replaced), TEST(test_link_to_nothing_makes_its_target),
    TEST(test_pipe_gets_the_same_bytes_as_a_file),
    TEST(test_file_that_cannot_be_made_is_named_with_the_reason),
    TEST(test_file_that_is_write_protected_is_not_replaced), TEST(test_every_allocation_may_fail))
