/*
 * Whole runs: the same bytes on every instruction set, with any number of threads and the second
 * time as the first; and memory that runs out at every allocation in turn.
 */
#include "test_net.h"

#include "net/network.h"

static gs_error error;

enum { MOST_ROWS = 40, MOST_OPTIONS = 16 };

/* Everything that a run leaves. */
typedef struct {
    gs_layer_stats rows[MOST_ROWS];
    gs_summary summary;
} run_result;

typedef const char *const options[MOST_OPTIONS][2];

/* Every kind of stage, loss and clipping, with odd sizes; the large ones are shared between
 * threads. */
static options runs[] = {
    {{"layers", "3"}, {"width", "130"}, {"batch", "33"}, {"act", "tanh"}},
    {{"layers", "3"},
     {"width", "130"},
     {"batch", "70"},
     {"act", "gelu"},
     {"norm", "batch"},
     {"residual", "add"},
     {"clip", "norm:0.1"}},
    {{"layers", "2"},
     {"width", "130"},
     {"inputs", "9"},
     {"outputs", "5"},
     {"batch", "17"},
     {"act", "relu"},
     {"loss", "ce"},
     {"norm", "layer"},
     {"norm-at", "input"},
     {"clip", "agc:0.01"},
     {"bias", "normal:0.1"}},
    {{"layers", "4"},
     {"width", "7"},
     {"outputs", "3"},
     {"batch", "33"},
     {"act", "selu"},
     {"loss", "sum"},
     {"norm", "rms"},
     {"norm-at", "output"},
     {"residual", "add"},
     {"order", "act-dense"},
     {"head", "on"},
     {"clip", "value:1e-3"}},
    {{"layers", "5"},
     {"width", "9"},
     {"inputs", "130"},
     {"batch", "15"},
     {"act", "mish"},
     {"loss", "random"},
     {"residual", "post-act"},
     {"skip", "2"},
     {"branch-scale", "1/L"},
     {"norm", "batch"},
     {"norm-at", "postact"},
     {"clip", "layer:0.1"}},
    {{"layers", "3"}, {"width", "1"}, {"batch", "1"}, {"act", "elu"}, {"init", "identity"}},
    {{"layers", "7"},
     {"width", "8"},
     {"batch", "16"},
     {"act", "sigmoid"},
     {"init", "orthogonal"},
     {"residual", "add"},
     {"branch-scale", "rezero"}},
    /* The first layer has no skip, the others keep what goes into one. */
    {{"layers", "7"},
     {"width", "9"},
     {"inputs", "4"},
     {"batch", "5"},
     {"act", "relu"},
     {"norm", "layer"},
     {"norm-at", "output"},
     {"residual", "add"},
     {"branch-scale", "rezero"}},
    {{"layers", "3"}, {"width", "40"}, {"batch", "16"}, {"act", "relu"}, {"order", "act-dense"}},
    /* Signals that have to be brought to size after every layer. */
    {{"layers", "8"},
     {"width", "40"},
     {"batch", "20"},
     {"act", "mish"},
     {"order", "act-dense"},
     {"bias", "1e-300"},
     {"init", "normal:1e-30"}},
    {{"layers", "5"}, {"width", "17"}, {"batch", "9"}, {"act", "elu"}, {"init", "constant:1e15"}},
    {{"layers", "12"},
     {"width", "20-130-9-20-33-20-130-9-20-33-20-20"},
     {"batch", "33"},
     {"act", "tanh"},
     {"norm", "layer"},
     {"norm-at", "input"},
     {"residual", "add"},
     {"skip", "2"}},
    {{"layers", "40"},
     {"width", "20-20-20-20-20-20-20-20-20-20-20-20-20-20-20-20-20-20-20-9-20-20-20-20-20-20-20-20-"
               "20-20-20-20-20-20-20-20-20-20-20-20"},
     {"batch", "70"},
     {"act", "relu"},
     {"init", "he"},
     {"norm", "batch"},
     {"order", "act-dense"}},
};
enum { RUNS = sizeof runs / sizeof *runs };

static gs_config *configure(options o, const char *dtype, const char *threads) {
    gs_config *config = gs_config_new(&error);
    for (size_t i = 0; i < MOST_OPTIONS && o[i][0]; i++)
        CHECK_THAT(gs_config_set(config, o[i][0], o[i][1], &error) == GS_OK, "%s", error.message);
    CHECK(gs_config_set(config, "dtype", dtype, &error) == GS_OK);
    CHECK(gs_config_set(config, "threads", threads, &error) == GS_OK);
    return config;
}

static run_result measure(gs_network *network) {
    run_result result;
    memset(&result, 0, sizeof result);
    CHECK(gs_network_layers(network) <= MOST_ROWS);
    CHECK_THAT(gs_measure(network, result.rows, &result.summary, &error) == GS_OK, "%s",
               error.message);
    return result;
}

static run_result run(options o, const char *dtype, const char *threads, const char *isa) {
    gs_config *config = configure(o, dtype, threads);
    setenv("GRADSIM_ISA", isa, 1);
    gs_network *network = gs_network_new(config, &error);
    unsetenv("GRADSIM_ISA");
    CHECK_THAT(network && gs_network_draw_batch(network, &error) == GS_OK, "%s", error.message);
    run_result result = measure(network);
    gs_network_free(network);
    gs_config_free(config);
    return result;
}

/* Names the first column that differs. */
static void check_same(const run_result *a, const run_result *b, const char *how, size_t number) {
    CHECK_THAT(memcmp(&a->summary.loss, &b->summary.loss, sizeof(double)) == 0,
               "run %zu %s: loss %.17g, %.17g", number, how, a->summary.loss, b->summary.loss);
    for (size_t l = 0; l < MOST_ROWS; l++)
        for (size_t c = 0; c < GS_COLUMN_COUNT; c++)
            CHECK_THAT(memcmp(&a->rows[l].value[c], &b->rows[l].value[c], sizeof(double)) == 0,
                       "run %zu %s: %s of layer %zu is %.17g and %.17g", number, how,
                       gs_column_name(c), l + 1, a->rows[l].value[c], b->rows[l].value[c]);
    CHECK(memcmp(a->rows, b->rows, sizeof a->rows) == 0);
    CHECK(memcmp(&a->summary.ratio_log10, &b->summary.ratio_log10, sizeof(double)) == 0);
}

static void test_runs_are_the_same_bytes_on_every_instruction_set(void) {
    for (size_t i = 0; i < RUNS; i++)
        for (size_t table = 0; gs_kernels_at(table); table++) {
            const gs_kernels *k = gs_kernels_at(table);
            const char *dtype = k->dtype == GS_F64 ? "f64" : "f32";
            run_result a = run(runs[i], dtype, "1", k->isa),
                       b = run(runs[i], dtype, "1", "portable");
            check_same(&a, &b, k->isa, i);
        }
}

static void test_runs_are_the_same_bytes_with_any_number_of_threads(void) {
    for (size_t i = 0; i < RUNS; i++) {
        const char *dtype = i % 2 ? "f32" : "f64";
        run_result one = run(runs[i], dtype, "1", ""), two = run(runs[i], dtype, "2", "");
        run_result three = run(runs[i], dtype, "3", "");
        check_same(&one, &two, "with 2 threads", i);
        check_same(&one, &three, "with 3 threads", i);
    }
}

/* The network of `config` in the least memory that it can be built in, to a tenth. */
static gs_network *network_in_little_memory(gs_config *config) {
    for (double bytes = 1000; bytes < 1e9; bytes *= 1.1) {
        char text[32];
        snprintf(text, sizeof text, "%.0f", bytes);
        CHECK(gs_config_set(config, "memory", text, &error) == GS_OK);
        gs_network *network = gs_network_new(config, &error);
        if (network)
            return network;
        CHECK(error.code == GS_ERR_MEMORY && strstr(error.message, "--memory"));
    }
    return NULL;
}

/* Weights that are made by tile, and signals that are made again between checkpoints. */
static void test_runs_are_the_same_bytes_in_little_memory(void) {
    size_t with_checkpoints = 0, streamed = 0;
    for (size_t i = 0; i < RUNS; i++) {
        const char *dtype = i % 2 ? "f32" : "f64";
        run_result usual = run(runs[i], dtype, "1", "");
        gs_config *config = configure(runs[i], dtype, "2");
        gs_network *network = network_in_little_memory(config);
        CHECK_THAT(network && gs_network_draw_batch(network, &error) == GS_OK, "%s", error.message);
        run_result little = measure(network), again = measure(network);
        check_same(&usual, &little, "in little memory", i);
        check_same(&usual, &again, "in little memory again", i);
        with_checkpoints += network->segment > 0;
        for (size_t j = 0; j < network->stage_count; j++)
            streamed +=
                network->stages[j].kind == GS_STAGE_DENSE && !network->stages[j].dense.weight.data;
        gs_network_free(network);
        gs_config_free(config);
    }
    CHECK_THAT(with_checkpoints >= 3 && streamed >= 10, "%zu networks with checkpoints, %zu layers",
               with_checkpoints, streamed);
}

static void test_streamed_weights_are_read_but_not_written(void) {
    gs_config *config = configure(runs[0], "f64", "1");
    double *values[2];
    for (size_t i = 0; i < 2; i++) {
        values[i] = test_numbers(130 * 130);
        CHECK(gs_config_set(config, "weights", i ? "streamed" : "stored", &error) == GS_OK);
        gs_network *network = gs_network_new(config, &error);
        CHECK(gs_network_read(network, "layers.2.weight", values[i], 130 * 130, &error) == GS_OK);
        gs_status expected = i ? GS_ERR_USAGE : GS_OK;
        CHECK(gs_network_write(network, "layers.2.weight", values[i], 130 * 130, &error) ==
              expected);
        gs_network_free(network);
    }
    CHECK_STRING(error.message, "layers.2.weight: expected --weights stored to write it");
    CHECK(memcmp(values[0], values[1], 130 * 130 * sizeof(double)) == 0);
    free(values[0]), free(values[1]);
    gs_config_free(config);
}

/* Mantissas that do not fit before they are brought to size leave no trace: f32 is as f64. */
static void test_factors_at_the_edge_of_f32_lose_no_gradient(void) {
    options edges[] = {
        {{"layers", "3"}, {"act", "relu"}, {"gain", "1e-15"}, {"init", "uniform:1e-16"}},
        {{"layers", "3"},
         {"act", "leaky-relu:1000"},
         {"gain", "1e15"},
         {"init", "normal:1e15"},
         {"input", "normal:2e5"}},
    };
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) {
        run_result in_f64 = run(edges[i], "f64", "1", ""), in_f32 = run(edges[i], "f32", "1", "");
        CHECK_CLOSE(in_f32.summary.ratio_log10, in_f64.summary.ratio_log10, 1e-6);
        CHECK_CLOSE(in_f32.rows[0].value[GS_Z_STD], in_f64.rows[0].value[GS_Z_STD], 1e-5);
    }
}

/* sigmoid(z - 500) is e^-500 e^z to the last bit, for z from layer 1 of the same network. */
static void test_deviation_of_tiny_activations_is_not_zero(void) {
    options o = {{"layers", "2"}, {"width", "8"}, {"act", "sigmoid"}, {"bias", "-500"}};
    run_result r = run(o, "f64", "1", "");
    double mean = r.rows[0].value[GS_A_MEAN], std = r.rows[0].value[GS_A_STD];
    CHECK_THAT(mean > 1e-218 && mean < 1e-215 && std > 0.1 * mean && std < 10 * mean,
               "mean %g, deviation %g", mean, std);
}

/* What was not finite in one pass is not there in the next. */
static void test_network_recovers_from_a_batch_that_is_not_finite(void) {
    options o = {{"layers", "3"}, {"width", "67"}, {"batch", "5"}, {"act", "tanh"}};
    gs_config *config = configure(o, "f64", "1");
    gs_network *network = gs_network_new(config, &error);
    double *values = test_random(1, 67 * 5), *bad = test_random(1, 67 * 5);
    bad[3] = INFINITY;
    CHECK(gs_network_draw_batch(network, &error) == GS_OK);
    CHECK(gs_network_set_batch(network, values, NULL, NULL, &error) == GS_OK);
    run_result before = measure(network);
    CHECK(gs_network_set_batch(network, bad, NULL, NULL, &error) == GS_OK);
    CHECK(measure(network).summary.verdict == GS_NONFINITE);
    CHECK(gs_network_set_batch(network, values, NULL, NULL, &error) == GS_OK);
    run_result after = measure(network);
    check_same(&before, &after, "after one that was not finite", 0);
    gs_network_free(network);
    gs_config_free(config);
    free(values), free(bad);
}

/* Nothing of a pass is left in the memory of the next, whose signals have other shapes on the way.
 */
static void test_second_run_of_a_network_is_the_first(void) {
    for (size_t i = 0; i < RUNS; i++) {
        gs_config *config = configure(runs[i], i % 2 ? "f64" : "f32", "2");
        gs_network *network = gs_network_new(config, &error);
        CHECK(gs_network_draw_batch(network, &error) == GS_OK);
        run_result first = measure(network), second = measure(network);
        check_same(&first, &second, "again", i);
        CHECK(gs_network_draw_batch(network, &error) == GS_OK);
        second = measure(network);
        check_same(&first, &second, "drawn again", i);
        gs_network_free(network);
        gs_config_free(config);
    }
}

/* A network that forms its gradients measures the same norms from them, to the error of Gram
 * matrices. */
static void test_kept_gradients_change_no_norm(void) {
    for (size_t i = 0; i < RUNS; i++) {
        gs_config *config = configure(runs[i], "f64", "1");
        gs_network *network = gs_network_new(config, &error);
        CHECK(gs_network_draw_batch(network, &error) == GS_OK);
        run_result without = measure(network);
        CHECK(gs_network_keep_gradients(network, &error) == GS_OK);
        run_result with = measure(network);
        for (size_t l = 0; l < gs_network_layers(network); l++)
            CHECK_CLOSE(with.rows[l].value[GS_GRAD_W], without.rows[l].value[GS_GRAD_W], 1e-11);
        gs_network_free(network);
        gs_config_free(config);
    }
}

/* ---- Memory ---- */

/* Builds, draws and measures with allocation `nth` failing. */
static gs_status run_out_of_memory(const gs_config *config, size_t nth) {
    gs_layer_stats rows[MOST_ROWS];
    gs_summary summary;
    error = (gs_error){GS_OK, ""};
    test_fail_allocation(nth);
    gs_network *network = gs_network_new(config, &error);
    gs_status status = network ? gs_network_draw_batch(network, &error) : error.code;
    if (status == GS_OK)
        status = gs_measure(network, rows, &summary, &error);
    gs_network_free(network);
    return status;
}

static void check_every_allocation(options o, const char *dtype) {
    gs_config *config = configure(o, dtype, "1");
    gs_status status = GS_ERR_MEMORY;
    size_t nth = 0;
    while (status == GS_ERR_MEMORY && nth < 1000) {
        status = run_out_of_memory(config, ++nth);
        CHECK_THAT((status == GS_ERR_MEMORY) == test_allocation_failed(),
                   "allocation %zu: status %d", nth, (int)status);
        CHECK_THAT(status != GS_ERR_MEMORY || error.message[0], "allocation %zu: no message", nth);
    }
    test_fail_allocation(0);
    CHECK_THAT(status == GS_OK && nth > 20, "after %zu allocations: %s", nth, error.message);
    gs_config_free(config);
}

static void test_every_allocation_that_fails_is_reported(void) {
    for (size_t i = 0; i < RUNS; i++)
        check_every_allocation(runs[i], i % 2 ? "f32" : "f64");
}

/* What could not be kept is not taken for kept, and the next attempt can succeed. */
static void test_network_is_whole_after_gradients_could_not_be_kept(void) {
    gs_config *config = configure(runs[0], "f64", "1");
    gs_network *network = gs_network_new(config, &error);
    CHECK(gs_network_draw_batch(network, &error) == GS_OK);
    run_result before = measure(network);
    test_fail_allocation(2);
    CHECK(gs_network_keep_gradients(network, &error) == GS_ERR_MEMORY);
    run_result after = measure(network);
    check_same(&before, &after, "after a failure", 0);
    CHECK(gs_network_keep_gradients(network, &error) == GS_OK);
    after = measure(network);
    CHECK_CLOSE(after.rows[0].value[GS_GRAD_W], before.rows[0].value[GS_GRAD_W], 1e-11);
    gs_network_free(network);
    gs_config_free(config);
}

TEST_MAIN(TEST(test_runs_are_the_same_bytes_on_every_instruction_set),
          TEST(test_runs_are_the_same_bytes_with_any_number_of_threads),
          TEST(test_runs_are_the_same_bytes_in_little_memory),
          TEST(test_factors_at_the_edge_of_f32_lose_no_gradient),
          TEST(test_deviation_of_tiny_activations_is_not_zero),
          TEST(test_network_recovers_from_a_batch_that_is_not_finite),
          TEST(test_streamed_weights_are_read_but_not_written),
          TEST(test_second_run_of_a_network_is_the_first), TEST(test_kept_gradients_change_no_norm),
          TEST(test_every_allocation_that_fails_is_reported),
          TEST(test_network_is_whole_after_gradients_could_not_be_kept))
