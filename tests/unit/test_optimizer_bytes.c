/*
 * A step gives the same bytes on every instruction set and any number of threads, and padding stays
 * zero.
 */
#include "optimizers.h"
#include "test_net.h"

/* ---- Kernels: the same bytes on every table ---- */

enum { COUNT = 3 * GS_TILE_SIZE };

typedef struct {
    _Alignas(64) char w[COUNT * 8], g[COUNT * 8], first[COUNT * 8], second[COUNT * 8];
    double sums[2];
} memory;

/* Ordinary numbers, zeros, and a few that are very small or large. */
static void fill(const gs_kernels *k, uint64_t seed, bool positive, char *out) {
    static const double scales[] = {1, 1, 0, 1e-30, 1, 1e-12, 1e12, 1e-38};
    for (size_t i = 0; i < COUNT; i++) {
        double x = test_noise(seed, i) * scales[(i * 7 + seed) % 8];
        k->set(out + i * k->size, positive ? fabs(x) : x);
    }
}

static void run_kernels(const gs_kernels *k, memory *m) {
    memset(m, 0, sizeof *m);
    fill(k, 1, false, m->w), fill(k, 2, false, m->g);
    fill(k, 3, false, m->first), fill(k, 4, true, m->second);
    const gs_update update = {.factor = 0.3,
                              .rate = 0.01,
                              .l1 = 0.1,
                              .l2 = 0.2,
                              .keep = 0.99,
                              .beta1 = 0.9,
                              .beta2 = 0.999,
                              .eps = 1e-8,
                              .correction1 = 1.1,
                              .correction2 = 1.2};
    for (size_t rule = 0; rule < GS_UPDATE_COUNT; rule++)
        k->optimize[rule](&update, COUNT, m->g, m->w, m->first, m->second);
    m->sums[0] = k->squared_distance(COUNT, m->w, m->g);
    double squares[GS_TILE] = {0}, factor[GS_TILE] = {1, 2, 0, 0.3, -1, 5, 1e-5, 1};
    k->tile_row_squares(3, m->w, squares);
    for (size_t i = 0; i < GS_TILE; i++)
        m->sums[1] += squares[i] / (double)(i + 3);
    k->clip_tile_row(3, factor, 0.5, m->g, m->g);
}

static void check_kernels(const gs_engine *engine) {
    static memory ours, portable;
    run_kernels(engine->kernels, &ours);
    run_kernels(test_portable(engine->kernels), &portable);
    CHECK_THAT(memcmp(&ours, &portable, sizeof ours) == 0, "%s", engine->kernels->isa);
}

static void test_kernels_give_the_same_bytes_on_every_table(void) {
    test_on_every_table(check_kernels);
}

static void check_sums(const gs_engine *engine) {
    double *x = test_random(1, 20 * 13), *y = test_random(2, 20 * 13), distance = 0, row[24];
    gs_matrix a = test_matrix_of(engine, 20, 13, x), b = test_matrix_of(engine, 20, 13, y);
    gs_matrix_row_squares(engine, &a, row);
    for (size_t i = 0; i < 20; i++) {
        double squares = 0;
        for (size_t j = i * 13; j < (i + 1) * 13; j++) {
            squares += x[j] * x[j];
            distance += (x[j] - y[j]) * (x[j] - y[j]);
        }
        CHECK_CLOSE(row[i], squares, 16 * 0x1p-53);
    }
    CHECK(row[20] == 0 && row[23] == 0);
    CHECK_CLOSE(gs_magnitude_value(gs_matrix_distance(engine->kernels, &a, &b)), sqrt(distance),
                260 * 0x1p-53);
    gs_matrix_free(&a), gs_matrix_free(&b);
    free(x), free(y);
}

static void test_sums_over_rows_and_matrices_are_right(void) {
    test_on_every_table(check_sums);
}

/* ---- Networks: the same bytes on any number of threads, and zero padding ---- */

/* A few steps; the parameters and the moments follow each other in `values`. Returns how many. */
static size_t train(const char *options, const char *opt, const gs_step_settings *s,
                    double *values) {
    gs_network *network = network_of(options);
    gs_optimizer optimizer = optimizer_of(network, opt);
    size_t count = 0;
    for (size_t t = 0; t < 5; t++) {
        pass(network);
        step(&optimizer, s);
    }
    gs_tensor tensor;
    for (size_t i = 0; gs_network_tensor(network, i, &tensor); i++) {
        size_t size = tensor.shape[0] * tensor.shape[1];
        read_tensor(network, tensor.name, values + count, size);
        count += size;
    }
    for (size_t i = 0; i < optimizer.parameters.count; i++)
        for (size_t m = 0; m < GS_MOMENTS; m++)
            if (optimizer.slots[i].moment[m]) {
                const gs_trainable *item = &optimizer.parameters.items[i];
                gs_optimizer_read_moment(&optimizer, i, m, values + count);
                count += item->weight   ? item->weight->rows * item->weight->cols
                         : item->vector ? item->vector->units
                                        : 1;
            }
    gs_optimizer_free(&optimizer);
    gs_network_free(network);
    return count;
}

enum { MOST_VALUES = 1 << 20 };

static void test_threads_and_instruction_sets_change_no_byte(void) {
    static const char *const clips[] = {"none", "value:0.001", "norm:0.1", "layer:0.1", "agc:0.01"};
    static const char *const opts[] = {"sgd", "momentum", "nesterov", "rmsprop", "adamw"};
    static const char shape[] = "layers=4 width=130 batch=20 act=relu norm=rms residual=add "
                                "branch-scale=rezero bias=0.1";
    double *one = test_numbers(MOST_VALUES), *other = test_numbers(MOST_VALUES);
    for (size_t i = 0; i < 10; i++) {
        const char *dtype = i % 2 ? "f32" : "f64";
        gs_step_settings s = settings_of(0.01, clips[i / 2]);
        char options[256];
        s.l1 = 1e-4, s.l2 = 1e-3, s.max_norm = 1, s.grad_normalize = i % 3 == 0;
        setenv("GRADSIM_ISA", "portable", 1);
        snprintf(options, sizeof options, "%s dtype=%s threads=1", shape, dtype);
        size_t count = train(options, opts[i / 2], &s, one);
        CHECK(count > 0 && count < MOST_VALUES);
        unsetenv("GRADSIM_ISA");
        for (size_t threads = 1; threads <= 5; threads += 2) {
            snprintf(options, sizeof options, "%s dtype=%s threads=%zu", shape, dtype, threads);
            CHECK(train(options, opts[i / 2], &s, other) == count);
            CHECK_THAT(memcmp(one, other, count * sizeof *one) == 0, "%s, %s, %zu threads",
                       opts[i / 2], clips[i / 2], threads);
        }
    }
    free(one), free(other);
}

/* What is said of a step that is not taken: so many rows of tiles and chunks that threads share
   them, and weights that a max-norm holds. */
static void test_threads_change_no_byte_of_what_a_trial_says(void) {
    enum { LAYERS = 3 };
    static const char *const opts[] = {"sgd", "momentum", "nesterov", "rmsprop", "adamw"};
    gs_layer_step one[LAYERS], other[LAYERS];
    for (size_t i = 0; i < 10; i++)
        for (size_t threads = 1; threads <= 3; threads++) {
            char options[128];
            snprintf(options, sizeof options, "layers=3 width=130 batch=4 dtype=%s threads=%zu",
                     i % 2 ? "f32" : "f64", threads);
            gs_network *network = network_of(options);
            gs_optimizer optimizer = optimizer_of(network, opts[i / 2]);
            gs_step_settings s = settings_of(0.01, "none");
            gs_step_stats stats = {.layers = threads == 1 ? one : other};
            s.max_norm = 0.9;
            pass(network);
            CHECK(gs_optimizer_try(&optimizer, &s, &stats, &error) == GS_OK);
            CHECK(one[LAYERS - 1].step.sum_squares > 0);
            CHECK_THAT(threads == 1 || memcmp(one, other, sizeof one) == 0, "%s, %zu threads",
                       opts[i / 2], threads);
            gs_optimizer_free(&optimizer);
            gs_network_free(network);
        }
}

static bool has_zero_padding(const gs_kernels *k, const gs_matrix *matrix) {
    for (size_t i = 0; i < matrix->row_tiles * GS_TILE; i++)
        for (size_t j = 0; j < matrix->col_tiles * GS_TILE; j++)
            if ((i >= matrix->rows || j >= matrix->cols) &&
                k->get(gs_matrix_element(k, matrix, i, j)) != 0)
                return false;
    return true;
}

/* Without eps the rule of padding would be 0 / 0, and a gradient of 2^5000 is 0 times infinity. */
static void check_padding(const char *dtype, const char *opt, int64_t exponent, const char *clip) {
    char options[128];
    snprintf(options, sizeof options, "layers=2 width=11 inputs=5 batch=3 dtype=%s", dtype);
    gs_network *network = network_of(options);
    gs_optimizer optimizer = optimizer_of(network, opt);
    gs_step_settings s = settings_of(0.01, clip);
    s.eps = 0, s.l1 = 0.1, s.l2 = 0.1;
    for (size_t t = 0; t < 3; t++) {
        pass(network);
        for (size_t i = 0; i < network->stage_count; i++)
            if (network->stages[i].kind == GS_STAGE_DENSE)
                network->stages[i].dense.grad.exponent += exponent;
        step(&optimizer, &s);
    }
    for (size_t i = 0; i < optimizer.parameters.count; i++) {
        const gs_trainable *item = &optimizer.parameters.items[i];
        if (!item->weight)
            continue;
        CHECK(has_zero_padding(network->engine.kernels, item->weight));
        for (size_t m = 0; m < GS_MOMENTS; m++) {
            gs_matrix moment = *item->weight;
            moment.data = optimizer.slots[i].moment[m];
            CHECK_THAT(!moment.data || has_zero_padding(network->engine.kernels, &moment),
                       "%s of %s, exponent %d, clip %s", opt, dtype, (int)exponent, clip);
        }
    }
    gs_optimizer_free(&optimizer);
    gs_network_free(network);
}

static void test_padding_stays_zero(void) {
    static const char *const opts[] = {"sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw"};
    static const char *const clips[] = {"none", "value:0.1", "norm:0.1", "layer:0.1", "agc:0.1"};
    for (size_t i = 0; i < 6; i++)
        for (size_t c = 0; c < 5; c++) {
            check_padding("f64", opts[i], 0, clips[c]);
            check_padding("f32", opts[i], 0, clips[c]);
            check_padding("f32", opts[i], -400, clips[c]);
            if (c > 0)
                check_padding("f64", opts[i], 5000, clips[c]);
        }
}

TEST_MAIN(TEST(test_kernels_give_the_same_bytes_on_every_table),
          TEST(test_sums_over_rows_and_matrices_are_right),
          TEST(test_threads_and_instruction_sets_change_no_byte),
          TEST(test_threads_change_no_byte_of_what_a_trial_says), TEST(test_padding_stays_zero))
