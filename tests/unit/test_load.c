#include "train/load.h"

#include "stored_files.h"
#include "train/safetensors.h"

/* ---- Our own files ---- */

static void copy_tensor(const gs_safetensors *file, const char *name, gs_network *network) {
    double values[512];
    const gs_stored_tensor *stored = gs_safetensors_find(file, name);
    CHECK(stored && stored->count <= 512);
    CHECK(gs_safetensors_read(file, stored, values, NULL) == GS_OK);
    CHECK(gs_network_write(network, name, values, stored->count, NULL) == GS_OK);
}

/* Of a network with another seed, loaded, on the batch that was saved: the same loss to the bit. */
static void check_loaded_again(const char *options) {
    gs_error error = {0};
    gs_config *config = resolved_of(options), *other = resolved_of(options), *loaded;
    CHECK(gs_config_set(other, "seed", "12345", NULL) == GS_OK);
    gs_network *network = network_with(config), *fresh = network_with(other), *whole;
    double loss, other_loss, whole_loss;
    char text[64], expected[64];
    CHECK(gs_safetensors_save(network, config, NULL, path_of("x"), NULL) == GS_OK);
    gs_safetensors *file = open_stored("x");
    CHECK(gs_safetensors_is_own(file));
    CHECK_THAT(gs_network_load(fresh, file, &error) == GS_OK, "%s", error.message);
    copy_tensor(file, "input", fresh);
    if (gs_safetensors_find(file, "target"))
        copy_tensor(file, "target", fresh);
    CHECK(gs_network_forward(network, &loss, NULL) == GS_OK);
    CHECK(gs_network_forward(fresh, &other_loss, NULL) == GS_OK);
    CHECK_THAT(loss == other_loss, "%s: %.17g and %.17g", options, loss, other_loss);

    /* The file alone is enough. */
    loaded = gs_config_new(NULL);
    CHECK_THAT(gs_config_load(loaded, file, &error) == GS_OK, "%s", error.message);
    for (size_t i = 0; i < gs_config_options.count; i++) {
        const gs_option *option = &gs_config_options.rows[i];
        gs_option_format(option, loaded, text, sizeof text);
        gs_option_format(option, config, expected, sizeof expected);
        CHECK_THAT(strcmp(text, expected) == 0, "--%s is %s, not %s", option->name, text, expected);
    }
    whole = network_with(loaded);
    CHECK_THAT(gs_network_load(whole, file, &error) == GS_OK, "%s", error.message);
    CHECK(gs_network_forward(whole, &whole_loss, NULL) == GS_OK && loss == whole_loss);
    gs_safetensors_close(file);
    gs_network_free(network);
    gs_network_free(fresh);
    gs_network_free(whole);
    gs_config_free(config);
    gs_config_free(other);
    gs_config_free(loaded);
    remove_file("x");
}

static void test_saved_network_is_loaded_to_the_bit(void) {
    check_loaded_again("layers=3 width=5 inputs=2 batch=4 seed=9");
    check_loaded_again("layers=2 width=5 outputs=3 batch=4 loss=ce norm=batch bias=normal:1");
    check_loaded_again("layers=3 width=5 batch=4 act=relu dtype=f32 norm=layer norm-at=output");
    check_loaded_again("layers=4 width=7 batch=3 residual=add branch-scale=rezero norm=rms");
    check_loaded_again("layers=4 width=7-5-5-6 batch=3 residual=add branch-scale=rezero norm=rms");
    check_loaded_again("layers=3 width=9-4-8 batch=3 norm=batch norm-at=input head=on outputs=2");
}

/* A 32-bit file into a 64-bit network, which holds every value of it. */
static void test_element_types_may_differ(void) {
    gs_config *config = resolved_of("layers=1 width=3 inputs=2 batch=2 dtype=f32");
    gs_config *wide = resolved_of("layers=1 width=3 inputs=2 batch=2");
    gs_network *network = network_with(config), *other = network_with(wide);
    double values[6], expected[6];
    CHECK(gs_safetensors_save(network, config, NULL, path_of("x"), NULL) == GS_OK);
    gs_safetensors *file = open_stored("x");
    CHECK(gs_network_load(other, file, NULL) == GS_OK);
    CHECK(gs_network_read(network, "layers.1.weight", expected, 6, NULL) == GS_OK);
    CHECK(gs_network_read(other, "layers.1.weight", values, 6, NULL) == GS_OK);
    CHECK(memcmp(values, expected, sizeof values) == 0);
    gs_safetensors_close(file);
    gs_network_free(network);
    gs_network_free(other);
    gs_config_free(config);
    gs_config_free(wide);
    remove_file("x");
}

/* ---- Someone else's MLP ---- */

enum { MOST_HEADER = 4096, MOST_DATA = 1 << 22 };

typedef struct {
    char header[MOST_HEADER];
    unsigned char data[MOST_DATA];
    size_t length, size;
} maker;

/* The values of a tensor are 1, 2, 3 ... and a hundred more with each tensor. */
static void add_tensor(maker *m, const char *name, size_t rank, size_t rows, size_t cols) {
    size_t begin = m->size, count = rank == 1 ? rows : rows * cols;
    const char *shape = rank == 1 ? "%s\"%s\":{\"dtype\":\"F32\",\"shape\":[%zu],"
                                  : "%s\"%s\":{\"dtype\":\"F32\",\"shape\":[%zu,%zu%s],";
    static size_t made;
    made = m->length == 0 ? 0 : made + 1;
    for (size_t i = 0; i < count; i++, m->size += 4) {
        float value = (float)(100 * made + i + 1);
        uint32_t bits;
        memcpy(&bits, &value, sizeof bits);
        for (size_t k = 0; k < 4; k++)
            m->data[m->size + k] = (unsigned char)(bits >> 8 * k);
    }
    m->length +=
        (size_t)snprintf(m->header + m->length, MOST_HEADER - m->length, shape,
                         m->length == 0 ? "{" : ",", name, rows, cols, rank > 2 ? ",1,1" : "");
    m->length += (size_t)snprintf(m->header + m->length, MOST_HEADER - m->length,
                                  "\"data_offsets\":[%zu,%zu]}", begin, m->size);
}

/* "0.weight 4 3 0.bias 4": names, each with its shape; "x 2 2 1 1" has 4 dimensions. */
static gs_safetensors *file_of(const char *tensors) {
    static maker m;
    char line[1024], *rest = line;
    m = (maker){.length = 0};
    snprintf(line, sizeof line, "%s", tensors);
    for (char *name = strtok_r(rest, " ", &rest); name;) {
        size_t rank = 0, shape[4] = {0};
        char *word;
        while ((word = strtok_r(rest, " ", &rest)) && *word >= '0' && *word <= '9' &&
               !strchr(word, '.'))
            shape[rank++ % 4] = strtoul(word, NULL, 10);
        add_tensor(&m, name, rank, shape[0], shape[1]);
        name = word;
    }
    snprintf(m.header + m.length, MOST_HEADER - m.length, "}");
    write_stored("x", m.header, m.data, m.size);
    return open_stored("x");
}

static void check_option(const gs_config *config, const char *name, const char *expected) {
    char text[64];
    CHECK(gs_config_get(config, name, text, sizeof text, NULL) == GS_OK);
    CHECK_STRING(text, expected);
}

/* Layers 3 -> 4 -> 4 -> 2: which tensor, by its first value, became which. */
static void check_chain(const char *tensors, const double *first_weight, const double *first_bias) {
    static const char *const names[] = {"layers.1.", "layers.2.", "head."};
    static const size_t outputs[] = {4, 4, 2}, inputs[] = {3, 4, 4};
    gs_error error = {0};
    gs_config *config = gs_config_new(NULL);
    gs_safetensors *file = file_of(tensors);
    CHECK_THAT(gs_config_load(config, file, &error) == GS_OK, "%s", error.message);
    check_option(config, "layers", "2");
    check_option(config, "width", "4");
    check_option(config, "inputs", "3");
    check_option(config, "outputs", "2");
    check_option(config, "head", "on");
    gs_network *network = gs_network_new(config, NULL);
    CHECK_THAT(gs_network_load(network, file, &error) == GS_OK, "%s", error.message);
    for (size_t l = 0; l < 3; l++) {
        char name[32];
        double values[16];
        size_t count = outputs[l] * inputs[l];
        snprintf(name, sizeof name, "%sweight", names[l]);
        CHECK(gs_network_read(network, name, values, count, NULL) == GS_OK);
        for (size_t i = 0; i < count; i++)
            CHECK_THAT(values[i] == first_weight[l] + (double)i, "%s: %s", tensors, name);
        snprintf(name, sizeof name, "%sbias", names[l]);
        CHECK(gs_network_read(network, name, values, outputs[l], NULL) == GS_OK);
        for (size_t i = 0; i < outputs[l]; i++)
            CHECK_THAT(values[i] == (first_bias[l] > 0 ? first_bias[l] + (double)i : 0), "%s: %s",
                       tensors, name);
    }
    gs_network_free(network);
    gs_safetensors_close(file);
    gs_config_free(config);
    remove_file("x");
}

static void test_names_of_pytorch_are_put_in_order(void) {
    check_chain("0.weight 4 3 0.bias 4 2.weight 4 4 2.bias 4 10.weight 2 4 10.bias 2",
                (double[]){1, 201, 401}, (double[]){101, 301, 501});
    check_chain("fc10.weight 2 4 fc10.bias 2 fc9.bias 4 fc9.weight 4 4 fc1.weight 4 3",
                (double[]){401, 301, 1}, (double[]){0, 201, 101});
    check_chain("net.0.weight 4 3 net.2.weight 4 4 net.4.weight 2 4", (double[]){1, 101, 201},
                (double[]){0, 0, 0});
}

/* The first and the last value of every layer of 784 -> 512 -> 256 -> 10. */
static void test_layers_may_have_widths_of_their_own(void) {
    static const char *const names[] = {"layers.1.weight", "layers.2.weight", "head.weight"};
    static const size_t sizes[] = {784, 512, 256, 10};
    static double values[784 * 512];
    gs_error error = {0};
    gs_config *config = gs_config_new(NULL);
    gs_safetensors *file = file_of("0.weight 512 784 0.bias 512 2.weight 256 512 2.bias 256 "
                                   "4.weight 10 256 4.bias 10");
    CHECK_THAT(gs_config_load(config, file, &error) == GS_OK, "%s", error.message);
    check_option(config, "layers", "2");
    check_option(config, "width", "512-256");
    check_option(config, "inputs", "784");
    check_option(config, "outputs", "10");
    check_option(config, "head", "on");
    gs_network *network = network_with(config);
    CHECK_THAT(gs_network_load(network, file, &error) == GS_OK, "%s", error.message);
    for (size_t l = 0; l < 3; l++) {
        size_t count = sizes[l] * sizes[l + 1];
        CHECK(gs_network_read(network, names[l], values, count, NULL) == GS_OK);
        CHECK(values[0] == 200 * (double)l + 1 &&
              values[count - 1] == 200 * (double)l + (double)count);
    }
    gs_network_free(network);
    gs_safetensors_close(file);
    gs_config_free(config);
    remove_file("x");
}

/* Numbers longer than any integer, and zeros before them. */
static void test_numbers_in_names_are_compared_as_numbers(void) {
    check_chain("n.99999999999999999999.weight 4 4 n.100000000000000000000.weight 2 4 "
                "n.0007.weight 4 3",
                (double[]){201, 1, 101}, (double[]){0, 0, 0});
}

static void test_chain_begins_where_the_shapes_do(void) {
    check_chain("head.weight 2 4 head.bias 2 layers.0.weight 4 3 layers.1.weight 4 4",
                (double[]){201, 301, 1}, (double[]){0, 0, 101});
    check_chain("hidden.0.weight 4 4 hidden.1.weight 2 4 input.weight 4 3", (double[]){201, 1, 101},
                (double[]){0, 0, 0});
}

/* ---- What is refused ---- */

static void check_no_mlp(const char *tensors, const char *message) {
    gs_error error = {0};
    gs_config *config = gs_config_new(NULL);
    gs_safetensors *file = file_of(tensors);
    CHECK_THAT(gs_config_load(config, file, &error) == GS_ERR_FORMAT, "%s", tensors);
    CHECK_STRING(error.message, message_of("x", message));
    check_option(config, "layers", "96");
    check_option(config, "width", "128");
    gs_safetensors_close(file);
    gs_config_free(config);
    remove_file("x");
}

static void test_what_is_no_plain_mlp_is_refused_by_name(void) {
    check_no_mlp("0.weight 4 3 1.weight 4 1.bias 4 2.weight 2 4",
                 "'1.bias': expected the weight [outputs, inputs] of a dense layer beside it, got "
                 "[4]");
    check_no_mlp("0.weight 4 3 1.weight 4 2.weight 2 4",
                 "'1.weight': expected the weight [outputs, inputs] of a dense layer, got [4]");
    check_no_mlp("conv1.weight 8 3 1 1 fc.weight 2 8",
                 "'conv1.weight': expected the weight [outputs, inputs] of a dense layer, got "
                 "[8,3,1,1]");
    check_no_mlp("0.weight 4 3 1.running_mean 4 2.weight 2 4",
                 "'1.running_mean': expected names that end in .weight and .bias, as of dense "
                 "layers alone, got [4]");
    check_no_mlp("0.weight 4 3 0.bias 3 2.weight 2 4",
                 "'0.bias': expected one number for each output of its weight, got [3]");
    check_no_mlp("0.weight 4 3 0.bias 4 1 2.weight 2 4",
                 "'0.bias': expected one number for each output of its weight, got [4,1]");
    check_no_mlp("0.weight 4 3 1.weight 0 4 2.weight 2 0",
                 "'1.weight': expected one output and one input or more, got [0,4]");
    check_no_mlp("0.weight 4 3", "expected the weights of 2 dense layers or more, got 1");
    check_no_mlp("weight 4 3 bias 4",
                 "'bias': expected names that end in .weight and .bias, as of dense layers alone, "
                 "got [4]");
}

static void test_file_without_tensors_is_no_mlp(void) {
    gs_error error = {0};
    gs_config *config = gs_config_new(NULL);
    write_stored("x", "{}", NULL, 0);
    gs_safetensors *file = open_stored("x");
    CHECK(gs_config_load(config, file, &error) == GS_ERR_FORMAT);
    CHECK_STRING(error.message,
                 message_of("x", "expected the weights of 2 dense layers or more, got 0"));
    gs_safetensors_close(file);
    gs_config_free(config);
    remove_file("x");
}

static void test_layers_that_do_not_follow_each_other_are_named(void) {
    check_no_mlp("0.weight 4 3 2.weight 5 5 4.weight 2 4",
                 "'2.weight': expected 4 inputs, the outputs of '0.weight', got 5");
}

static void test_option_that_is_none_is_named(void) {
    gs_error error = {0};
    gs_config *config = gs_config_new(NULL);
    write_stored("x", "{\"__metadata__\":{\"layers\":\"3\",\"seed\":\"1\",\"act\":\"sine\"}}", NULL,
                 0);
    gs_safetensors *file = open_stored("x");
    CHECK(gs_config_load(config, file, &error) == GS_ERR_FORMAT);
    CHECK(strncmp(error.message, message_of("x", "__metadata__: --act: expected one of linear, "),
                  strlen(path_of("x")) + 40) == 0);
    check_option(config, "layers", "96");
    gs_safetensors_close(file);
    gs_config_free(config);
    remove_file("x");
}

/* Loads `file` into the network of `options`, where nothing may change. */
static void check_unloaded(gs_safetensors *file, const char *options, const char *message) {
    gs_error error = {0};
    gs_config *config = resolved_of(options);
    gs_network *network = network_with(config);
    double before, after;
    CHECK(gs_network_forward(network, &before, NULL) == GS_OK);
    CHECK_THAT(gs_network_load(network, file, &error) == GS_ERR_USAGE, "%s", message);
    CHECK_STRING(error.message, message_of("x", message));
    CHECK(gs_network_forward(network, &after, NULL) == GS_OK && before == after);
    gs_network_free(network);
    gs_config_free(config);
}

static void test_saved_network_must_have_the_same_parameters(void) {
    gs_config *config = resolved_of("layers=3 width=5 inputs=2 batch=2");
    gs_network *network = network_with(config);
    CHECK(gs_safetensors_save(network, config, NULL, path_of("x"), NULL) == GS_OK);
    gs_safetensors *file = open_stored("x");
    check_unloaded(file, "layers=4 width=5 inputs=2 batch=2",
                   "'layers.4.weight': expected this parameter of the network, got none");
    check_unloaded(file, "layers=2 width=5 inputs=2 batch=2",
                   "'layers.3.bias': expected parameters of this network alone, got another");
    check_unloaded(file, "layers=3 width=5 inputs=3 batch=2",
                   "'layers.1.weight': expected [5,3], got [5,2]");
    check_unloaded(file, "layers=3 width=5 inputs=2 outputs=4 batch=2",
                   "'layers.3.weight': expected [4,5], got [5,5]");
    check_unloaded(file, "layers=3 width=5 inputs=2 batch=2 norm=layer",
                   "'layers.1.norm.weight': expected this parameter of the network, got none");
    check_unloaded(file, "layers=3 width=5 inputs=2 batch=2 weights=streamed",
                   "'layers.1.weight': expected --weights stored to load it, got streamed");
    gs_safetensors_close(file);
    gs_network_free(network);
    gs_config_free(config);
    remove_file("x");
}

static void test_plain_mlp_must_be_what_the_network_is(void) {
    gs_safetensors *file = file_of("0.weight 4 3 2.weight 4 4 4.weight 2 4");
    check_unloaded(file, "layers=3 width=4 inputs=3 outputs=2 head=on batch=2",
                   "expected 4 dense layers, got 3");
    check_unloaded(file, "layers=2 width=4 inputs=3 outputs=3 head=on batch=2",
                   "'4.weight': expected [3,4], got [2,4]");
    check_unloaded(file, "layers=2 width=4 inputs=3 outputs=2 head=on batch=2 norm=batch",
                   "'layers.1.norm.weight': expected this parameter of the network, got a "
                   "plain MLP of dense layers");
    gs_safetensors_close(file);
    remove_file("x");
}

static void test_every_allocation_may_fail(void) {
    gs_config *config = resolved_of("layers=2 width=4 inputs=3 outputs=2 head=on batch=2");
    gs_network *network = network_with(config);
    gs_safetensors *file = file_of("0.weight 4 3 2.weight 4 4 4.weight 2 4");
    bool failed = true;
    for (size_t n = 1; failed; n++) {
        gs_error error = {0};
        test_fail_allocation(n);
        gs_status status = gs_config_load(config, file, &error);
        if (status == GS_OK)
            status = gs_network_load(network, file, &error);
        failed = test_allocation_failed();
        test_fail_allocation(0);
        CHECK_THAT(status == (failed ? GS_ERR_MEMORY : GS_OK), "allocation %zu", n);
        CHECK(error.code == status);
    }
    gs_safetensors_close(file);
    gs_network_free(network);
    gs_config_free(config);
    remove_file("x");
}

TEST_MAIN_WITH_FOLDER(
    TEST(test_saved_network_is_loaded_to_the_bit), TEST(test_element_types_may_differ),
    TEST(test_names_of_pytorch_are_put_in_order),
    TEST(test_numbers_in_names_are_compared_as_numbers),
    TEST(test_chain_begins_where_the_shapes_do), TEST(test_layers_may_have_widths_of_their_own),
    TEST(test_what_is_no_plain_mlp_is_refused_by_name), TEST(test_file_without_tensors_is_no_mlp),
    TEST(test_layers_that_do_not_follow_each_other_are_named),
    TEST(test_option_that_is_none_is_named), TEST(test_saved_network_must_have_the_same_parameters),
    TEST(test_plain_mlp_must_be_what_the_network_is), TEST(test_every_allocation_may_fail))
