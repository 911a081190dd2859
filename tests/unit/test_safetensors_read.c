#include "train/safetensors_read.h"

#include "stored_files.h"
#include "train/safetensors.h"

/* ---- What is read ---- */

static void check_tensor(const gs_stored_tensor *tensor, const char *name, gs_stored_dtype dtype,
                         const char *shape, size_t count) {
    char text[GS_SHAPE_TEXT];
    CHECK_STRING(tensor->name, name);
    gs_stored_shape(tensor, text);
    CHECK_STRING(text, shape);
    CHECK(tensor->dtype == dtype && tensor->count == count);
}

/* Tensors stand in the file in any order, with empty ones and blanks between. */
static void test_header_gives_names_shapes_and_metadata(void) {
    write_stored("x",
                 "{ \"b\":{\"shape\":[2,1], \"data_offsets\":[2,10],\"dtype\":\"F32\"},"
                 "\"__metadata__\":{\"format\":\"pt\",\"a\\u00e4\":\"\"},"
                 "\"a\":{\"dtype\":\"BF16\",\"shape\":[],\"data_offsets\":[0,2]},"
                 "\"empty\":{\"dtype\":\"F64\",\"shape\":[3,0],\"data_offsets\":[10,10]},"
                 "\"\":{\"dtype\":\"F16\",\"shape\":[1,1,1,1,1,1,1,2],\"data_offsets\":[10,14]}"
                 "}  ",
                 NULL, 14);
    gs_safetensors *file = open_stored("x");
    size_t count;
    const gs_stored_tensor *tensors = gs_safetensors_tensors(file, &count);
    CHECK(count == 4);
    check_tensor(&tensors[0], "", GS_STORED_F16, "[1,1,1,1,1,1,1,2]", 2);
    check_tensor(&tensors[1], "a", GS_STORED_BF16, "[]", 1);
    check_tensor(&tensors[2], "b", GS_STORED_F32, "[2,1]", 2);
    check_tensor(&tensors[3], "empty", GS_STORED_F64, "[3,0]", 0);
    CHECK(tensors[2].begin == 2 && tensors[2].end == 10 && tensors[2].position == 10);
    CHECK(gs_safetensors_find(file, "b") == &tensors[2] && !gs_safetensors_find(file, "c"));
    CHECK_STRING(gs_safetensors_metadata(file, "format"), "pt");
    CHECK_STRING(gs_safetensors_metadata(file, "a\xc3\xa4"), "");
    CHECK(!gs_safetensors_metadata(file, "b"));
    CHECK_STRING(gs_safetensors_path(file), path_of("x"));
    gs_safetensors_close(file);
    gs_safetensors_close(NULL);
    remove_file("x");
}

static void test_file_without_tensors_is_read(void) {
    write_stored("x", "{}", NULL, 0);
    gs_safetensors *file = open_stored("x");
    size_t count;
    gs_safetensors_tensors(file, &count);
    CHECK(count == 0 && !gs_safetensors_find(file, "") && !gs_safetensors_metadata(file, ""));
    gs_safetensors_close(file);
    remove_file("x");
}

static void check_values(const char *dtype, const void *bytes, size_t size, const double *expected,
                         size_t count) {
    char header[256];
    double values[64];
    gs_error error = {0};
    snprintf(header, sizeof header,
             "{\"x\":{\"dtype\":\"%s\",\"shape\":[%zu],\"data_offsets\":[0,%zu]}}", dtype, count,
             size);
    write_stored("x", header, bytes, size);
    gs_safetensors *file = open_stored("x");
    const gs_stored_tensor *x = gs_safetensors_find(file, "x");
    CHECK(count <= 64 && gs_safetensors_read(file, x, values, &error) == GS_OK);
    for (size_t i = 0; i < count && i < 64; i++) {
        bool same = values[i] == expected[i] && !signbit(values[i]) == !signbit(expected[i]);
        CHECK_THAT(same || (isnan(values[i]) && isnan(expected[i])), "%s, value %zu is %a", dtype,
                   i, values[i]);
    }
    gs_safetensors_close(file);
    remove_file("x");
}

/* Table 3.5 of IEEE 754: the largest, the least normal and the least subnormal of each format. */
static void test_values_of_every_dtype_are_exact(void) {
    static const unsigned char f64[] = {0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 1, 0, 0, 0, 0, 0, 0, 0x80};
    static const unsigned char f32[] = {0,    0,    0xc0, 0xbf, 1,    0,    0, 0, 0xff, 0xff,
                                        0x7f, 0x7f, 0,    0,    0x80, 0xff, 0, 0, 0xc0, 0x7f};
    static const unsigned char f16[] = {0, 0x3c, 1, 0,    0xff, 0x03, 0, 0x04, 0xff, 0x7b,
                                        0, 0xfc, 0, 0x80, 0,    0x7c, 1, 0x7e, 0x55, 0x35};
    static const unsigned char bf16[] = {0x80, 0x3f, 1,    0, 0x7f, 0,    0x80, 0,    0x7f,
                                         0x7f, 0x80, 0xff, 0, 0x80, 0xc0, 0x7f, 0x49, 0x40};
    const double max_f32 = 0x1.fffffep127;
    check_values("F64", f64, sizeof f64, (double[]){1.5, -0x1p-1074}, 2);
    check_values("F32", f32, sizeof f32, (double[]){-1.5, 0x1p-149, max_f32, -INFINITY, NAN}, 5);
    check_values("F16", f16, sizeof f16,
                 (double[]){1, 0x1p-24, 0x3ffp-24, 0x1p-14, 65504, -INFINITY, -0.0, INFINITY, NAN,
                            1365.0 / 4096},
                 10);
    check_values(
        "BF16", bf16, sizeof bf16,
        (double[]){1, 0x1p-133, 0x7fp-133, 0x1p-126, 0x1.fep127, -INFINITY, -0.0, NAN, 3.140625},
        9);
}

/* More than one read of the file. */
static void test_large_tensor_is_read_whole(void) {
    enum { COUNT = 5000 };
    double *values = calloc(COUNT + 1, sizeof *values), *back = calloc(COUNT, sizeof *back);
    unsigned char *bytes = calloc(COUNT + 1, 8);
    for (size_t i = 0; i < COUNT; i++) {
        uint64_t bits;
        values[i] = sqrt((double)i) - 7;
        memcpy(&bits, &values[i], sizeof bits);
        for (size_t k = 0; k < 8; k++)
            bytes[8 * i + k] = (unsigned char)(bits >> 8 * k);
    }
    write_stored("x", "{\"x\":{\"dtype\":\"F64\",\"shape\":[50,100],\"data_offsets\":[0,40000]}}",
                 bytes, 40000);
    gs_safetensors *file = open_stored("x");
    CHECK(gs_safetensors_read(file, gs_safetensors_find(file, "x"), back, NULL) == GS_OK);
    CHECK(memcmp(values, back, COUNT * sizeof *back) == 0);
    gs_safetensors_close(file);
    free(values);
    free(back);
    free(bytes);
    remove_file("x");
}

/* ---- What was written is read ---- */

static void check_round_trip(const char *options) {
    gs_config *config = resolved_of(options);
    gs_network *network = network_with(config);
    gs_error error = {0};
    gs_tensor tensor;
    double expected[512], values[512];
    size_t count = 0, stored;
    CHECK_THAT(gs_safetensors_save(network, config, NULL, path_of("x"), &error) == GS_OK, "%s",
               error.message);
    gs_safetensors *file = open_stored("x");
    for (; gs_network_tensor(network, count, &tensor); count++) {
        const gs_stored_tensor *x = gs_safetensors_find(file, tensor.name);
        CHECK_THAT(x != NULL, "%s is missing", tensor.name);
        if (!x)
            break;
        bool same = x->rank == tensor.rank && x->shape[0] == tensor.shape[0] && x->count <= 512 &&
                    (x->rank == 1 || x->shape[1] == tensor.shape[1]);
        CHECK_THAT(same, "%s", tensor.name);
        CHECK(gs_network_read(network, tensor.name, expected, x->count, NULL) == GS_OK);
        CHECK(gs_safetensors_read(file, x, values, NULL) == GS_OK);
        for (size_t i = 0; i < x->count; i++) {
            double wanted = x->dtype == GS_STORED_F32 ? (double)(float)expected[i] : expected[i];
            CHECK_THAT(values[i] == wanted, "%s of %s, value %zu", tensor.name, options, i);
        }
    }
    gs_safetensors_tensors(file, &stored);
    CHECK(count > 4 && stored == count);
    for (size_t i = 0; i < gs_config_options.count; i++) {
        char text[64];
        const gs_option *option = &gs_config_options.rows[i];
        gs_option_format(option, config, text, sizeof text);
        if (option->column)
            CHECK_STRING(gs_safetensors_metadata(file, option->name), text);
    }
    gs_safetensors_close(file);
    gs_network_free(network);
    gs_config_free(config);
    remove_file("x");
}

static void test_saved_networks_are_read_back_to_the_bit(void) {
    check_round_trip("layers=3 width=5 inputs=2 batch=4");
    check_round_trip("layers=2 width=5 outputs=3 batch=4 loss=ce norm=batch dtype=f32");
    check_round_trip("layers=4 width=7 batch=3 residual=add branch-scale=rezero norm=rms");
    check_round_trip("layers=2 width=9 batch=3 loss=random act=relu bias=normal:1 dtype=f32");
}

TEST_MAIN_WITH_FOLDER(TEST(test_header_gives_names_shapes_and_metadata),
                      TEST(test_file_without_tensors_is_read),
                      TEST(test_values_of_every_dtype_are_exact),
                      TEST(test_large_tensor_is_read_whole),
                      TEST(test_saved_networks_are_read_back_to_the_bit))
