/*
 * Drawn weights that are kept for other networks: the bytes of drawing, and nothing that was not
 * asked for.
 */
#include "net/weight_cache.h"

#include <pthread.h>

#include "net/init.h"
#include "net/network.h"
#include "net/parameters.h"
#include "networks.h"

enum { PLENTY = 1 << 24 };

static const gs_kernels *kernels_of(gs_dtype dtype) {
    const gs_kernels *kernels = NULL;
    CHECK(gs_kernels_get(dtype, &kernels, &error) == GS_OK);
    return kernels;
}

static gs_weight_cache *cache_of(size_t bytes) {
    gs_weight_cache *cache = gs_weight_cache_new(bytes, &error);
    CHECK(cache != NULL);
    return cache;
}

static gs_matrix matrix_of(const gs_engine *engine, size_t rows, size_t cols) {
    gs_matrix matrix;
    CHECK(gs_matrix_new(engine, rows, cols, &matrix, &error) == GS_OK);
    return matrix;
}

static bool lends(gs_weight_cache *cache, const gs_engine *engine, gs_weight_origin origin,
                  size_t rows, size_t cols) {
    gs_matrix matrix = matrix_of(engine, rows, cols);
    bool lent = gs_weight_cache_lend(cache, engine->kernels, &origin, &matrix);
    gs_matrix_free(&matrix);
    return lent;
}

static void draw_and_keep(gs_weight_cache *cache, const gs_engine *engine,
                          const gs_weight_origin *origin, gs_matrix *matrix) {
    CHECK(!gs_weight_cache_lend(cache, engine->kernels, origin, matrix));
    CHECK(gs_init_weight(engine, origin->init, origin->gain, origin->seed, origin->layer, matrix,
                         &error) == GS_OK);
    gs_weight_cache_keep(cache, matrix);
}

static bool is_same(const measured *a, const measured *b) {
    return memcmp(a->rows, b->rows, sizeof a->rows) == 0 && a->summary.loss == b->summary.loss;
}

static void check_recalled(const char *options, gs_weight_cache *cache) {
    gs_config *config = config_of(options);
    gs_network *drawn = gs_network_new(config, &error);
    gs_network *first = gs_network_new_cached(config, cache, &error);
    gs_network *second = gs_network_new_cached(config, cache, &error);
    gs_network *const networks[] = {drawn, first, second};
    measured m[3];
    for (size_t i = 0; i < 3; i++) {
        CHECK(networks[i] && gs_network_draw_batch(networks[i], &error) == GS_OK);
        m[i] = measure(networks[i]);
        CHECK_THAT(is_same(&m[i], &m[0]), "network %zu of %s", i, options);
        gs_network_free(networks[i]);
    }
    gs_config_free(config);
}

/* The second network recalls what the first has drawn, exponents and all, and a later one of
   another activation what both have in common. */
static void test_networks_are_those_without_a_cache(void) {
    gs_weight_cache *cache = cache_of(PLENTY);
    check_recalled("layers=5 width=20 batch=9 act=relu", cache);
    check_recalled("layers=7 width=20 batch=9 act=sigmoid norm=batch", cache);
    check_recalled("layers=5 width=20-33-7-20-20 batch=9 init=orthogonal dtype=f32", cache);
    check_recalled("layers=5 width=20-33-7-20-20 batch=9 init=orthogonal dtype=f64", cache);
    check_recalled("layers=3 width=20 batch=9 init=he gain=1e15", cache);
    check_recalled("layers=3 width=20 batch=9 weights=streamed", cache);
    gs_weight_cache_free(cache);
    check_recalled("layers=3 width=20 batch=9", NULL);
}

static void test_what_differs_is_not_recalled(void) {
    const gs_engine engine = {.kernels = kernels_of(GS_F64)}, f32 = {.kernels = kernels_of(GS_F32)};
    const gs_weight_origin origin = {{0, 1}, 2, 3, 4};
    gs_weight_cache *cache = cache_of(PLENTY);
    gs_matrix matrix = matrix_of(&engine, 20, 30);
    CHECK(!lends(cache, &engine, origin, 20, 30));
    draw_and_keep(cache, &engine, &origin, &matrix);
    CHECK(lends(cache, &engine, origin, 20, 30));
    CHECK(!lends(cache, &engine, origin, 30, 20));
    CHECK(!lends(cache, &engine, origin, 20, 31));
    CHECK(!lends(cache, &f32, origin, 20, 30));
    CHECK(!lends(cache, &engine, (gs_weight_origin){{1, 1}, 2, 3, 4}, 20, 30));
    CHECK(!lends(cache, &engine, (gs_weight_origin){{0, 2}, 2, 3, 4}, 20, 30));
    CHECK(!lends(cache, &engine, (gs_weight_origin){{0, 1}, 1, 3, 4}, 20, 30));
    CHECK(!lends(cache, &engine, (gs_weight_origin){{0, 1}, 2, 4, 4}, 20, 30));
    CHECK(!lends(cache, &engine, (gs_weight_origin){{0, 1}, 2, 3, 5}, 20, 30));
    gs_matrix_free(&matrix);
    gs_weight_cache_free(cache);
}

static void test_singular_values_are_of_weights_as_drawn(void) {
    const gs_engine engine = {.kernels = kernels_of(GS_F64)};
    const gs_weight_origin origin = {{0, 1}, 1, 1, 1};
    gs_weight_cache *cache = cache_of(PLENTY);
    gs_matrix first = matrix_of(&engine, 10, 10), second = matrix_of(&engine, 10, 10);
    double sigma = 0;
    CHECK(!gs_weight_cache_recall_sigma(&first, &sigma));
    draw_and_keep(cache, &engine, &origin, &first);
    CHECK(!gs_weight_cache_recall_sigma(&first, &sigma));
    gs_weight_cache_keep_sigma(&first, 7);
    CHECK(gs_weight_cache_lend(cache, engine.kernels, &origin, &second));
    CHECK(gs_weight_cache_recall_sigma(&second, &sigma) && sigma == 7);
    gs_matrix_own(engine.kernels, &second);
    CHECK(!gs_weight_cache_recall_sigma(&second, &sigma));
    gs_matrix_free(&first);
    gs_matrix_free(&second);
    gs_weight_cache_free(cache);
}

/* Weights are written to after they were copied, and outlive their slot. */
static void test_others_do_not_see_what_is_written(void) {
    const gs_engine engine = {.kernels = kernels_of(GS_F64)};
    const gs_weight_origin origin = {{0, 1}, 1, 1, 1};
    gs_weight_cache *cache = cache_of(PLENTY);
    gs_matrix writer = matrix_of(&engine, 8, 8), reader = matrix_of(&engine, 8, 8);
    double drawn[64], zeros[64] = {0}, values[64];
    draw_and_keep(cache, &engine, &origin, &writer);
    gs_matrix_read(&engine, &writer, drawn);
    CHECK(gs_weight_cache_lend(cache, engine.kernels, &origin, &reader));
    gs_weight_cache_free(cache);
    CHECK(writer.data == reader.data);
    gs_matrix_write(&engine, zeros, &writer);
    gs_matrix_read(&engine, &writer, values);
    CHECK(memcmp(values, zeros, sizeof values) == 0);
    gs_matrix_read(&engine, &reader, values);
    CHECK(memcmp(values, drawn, sizeof values) == 0 && values[0] != 0);
    gs_matrix_free(&writer);
    gs_matrix_free(&reader);
}

/* A network that is trained leaves alone what another has on loan. */
static void test_training_leaves_the_cache_alone(void) {
    gs_weight_cache *cache = cache_of(PLENTY);
    gs_config *config = config_of("layers=5 width=20 batch=9 act=relu");
    gs_network *network = gs_network_new_cached(config, cache, &error);
    gs_parameters parameters;
    CHECK(gs_parameters_new(network, &parameters, &error) == GS_OK);
    for (size_t i = 0; i < parameters.count; i++)
        memset(parameters.items[i].values, 0, GS_TILE_SIZE * sizeof(double));
    gs_parameters_free(&parameters);
    gs_network_free(network);
    gs_config_free(config);
    check_recalled("layers=5 width=20 batch=9 act=relu", cache);
    gs_weight_cache_free(cache);
}

/* How many of 1,000 matrices of 512 bytes a cache of so many bytes still has. */
static size_t count_kept(size_t bytes) {
    const gs_engine engine = {.kernels = kernels_of(GS_F64)};
    gs_weight_cache *cache = cache_of(bytes);
    gs_weight_origin origin = {{0, 1}, 1, 1, 0};
    size_t kept = 0;
    for (; origin.layer < 1000; origin.layer++) {
        gs_matrix matrix = matrix_of(&engine, 8, 8);
        draw_and_keep(cache, &engine, &origin, &matrix);
        gs_matrix_free(&matrix);
    }
    for (origin.layer = 0; origin.layer < 1000; origin.layer++)
        kept += lends(cache, &engine, origin, 8, 8);
    gs_weight_cache_free(cache);
    return kept;
}

static void test_memory_is_bounded(void) {
    size_t none = count_kept(0), few = count_kept(64 * 512), most = count_kept(PLENTY);
    CHECK(none == 0);
    CHECK_THAT(few > 32 && few <= 64, "%zu", few);
    CHECK_THAT(most > 900, "%zu", most); /* two of one slot take turns */
}

static void test_without_memory_nothing_is_kept(void) {
    const gs_engine engine = {.kernels = kernels_of(GS_F64)};
    const gs_weight_origin origin = {{0, 1}, 1, 1, 1};
    gs_weight_cache *cache = cache_of(PLENTY);
    gs_matrix matrix = matrix_of(&engine, 10, 10);
    test_fail_allocation(1);
    draw_and_keep(cache, &engine, &origin, &matrix);
    CHECK(!lends(cache, &engine, origin, 10, 10));
    test_fail_allocation(1);
    CHECK(gs_weight_cache_new(PLENTY, &error) == NULL && error.code == GS_ERR_MEMORY);
    gs_matrix_free(&matrix);
    gs_weight_cache_free(cache);
}

enum { THREADS = 4 };

typedef struct {
    gs_weight_cache *cache;
    gs_config *config;
    gs_status status;
    measured measured;
} builder;

static void *build_networks(void *context) {
    builder *b = context;
    gs_error why;
    for (size_t i = 0; i < 10 && b->status == GS_OK; i++) {
        gs_network *network = gs_network_new_cached(b->config, b->cache, &why);
        b->status = network ? gs_network_draw_batch(network, &why) : why.code;
        if (b->status == GS_OK)
            b->status = gs_measure(network, b->measured.rows, &b->measured.summary, &why);
        gs_network_free(network);
    }
    return NULL;
}

/* With room for few, so that slots are emptied all the time. */
static void test_threads_share_a_cache(void) {
    static builder builders[THREADS], alone;
    pthread_t threads[THREADS];
    gs_weight_cache *cache = cache_of((size_t)16 * 2048 * 3);
    gs_config *config = config_of("layers=30 width=9 batch=5 threads=1");
    for (size_t i = 0; i < THREADS; i++) {
        builders[i] = (builder){.cache = cache, .config = config};
        CHECK(pthread_create(&threads[i], NULL, build_networks, &builders[i]) == 0);
    }
    for (size_t i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    alone = (builder){.config = config};
    build_networks(&alone);
    for (size_t i = 0; i < THREADS; i++)
        CHECK(builders[i].status == GS_OK && is_same(&builders[i].measured, &alone.measured));
    gs_config_free(config);
    gs_weight_cache_free(cache);
}

TEST_MAIN(TEST(test_networks_are_those_without_a_cache), TEST(test_what_differs_is_not_recalled),
          TEST(test_singular_values_are_of_weights_as_drawn),
          TEST(test_others_do_not_see_what_is_written), TEST(test_training_leaves_the_cache_alone),
          TEST(test_memory_is_bounded), TEST(test_without_memory_nothing_is_kept),
          TEST(test_threads_share_a_cache))
