/*
 * Training step by step: the trainer against the optimizer by hand, and checkpoints, after which a
 * run goes on as if it had never stopped.
 */
#include <string.h>

#include "networks.h"
#include "test_files.h"

#include "base/memory.h"
#include "train/load.h"
#include "train/trainer.h"

enum { FEATURES = 5, EXAMPLES = 23, CLASSES = 3 };

static gs_data examples(void) {
    gs_data data = {EXAMPLES, FEATURES, CLASSES,
                    gs_alloc(EXAMPLES * FEATURES, sizeof(double), NULL),
                    gs_alloc(EXAMPLES, sizeof(size_t), NULL)};
    for (size_t i = 0; i < EXAMPLES; i++) {
        double *x = &data.values[i * FEATURES];
        for (size_t j = 0; j < FEATURES; j++)
            x[j] = sin(1.0 + (double)(i * FEATURES + j));
        data.labels[i] = (x[0] > -0.5) + (x[0] > 0.5);
    }
    return data;
}

/* A run of training: what gs_trainer refers to, and itself. */
typedef struct {
    gs_config *config;
    gs_network *network;
    gs_data data, held_out;
    gs_trainer trainer;
} training;

/* With "data" in the options on the examples above, else on the batch that is drawn. */
static void begin(training *t, const char *options) {
    bool with_data = strstr(options, "data=") != NULL;
    *t = (training){.config = config_of(options)};
    if (with_data)
        t->data = examples();
    CHECK_THAT(gs_config_resolve(t->config, t->data.features, t->data.classes, &error) == GS_OK,
               "%s", error.message);
    t->network = gs_network_new(t->config, &error);
    if (!with_data)
        CHECK(gs_network_draw_batch(t->network, &error) == GS_OK);
    CHECK_THAT(gs_trainer_new(t->network, t->config, &t->data, &t->held_out, &t->trainer, &error) ==
                   GS_OK,
               "%s", error.message);
}

static void end(training *t) {
    gs_trainer_free(&t->trainer);
    gs_network_free(t->network);
    gs_data_free(&t->data);
    gs_data_free(&t->held_out);
    gs_config_free(t->config);
}

static void take_step(training *t) {
    CHECK_THAT(gs_trainer_pass(&t->trainer, &error) == GS_OK, "%s", error.message);
    CHECK_THAT(gs_trainer_update(&t->trainer, NULL, &error) == GS_OK, "%s", error.message);
}

typedef struct {
    gs_layer_stats rows[8];
    gs_summary summary;
    gs_training_stats stats;
} at_step;

static at_step measure_step(training *t) {
    at_step m;
    CHECK_THAT(gs_trainer_measure(&t->trainer, GS_ALL_COLUMNS, m.rows, &m.summary, &m.stats,
                                  &error) == GS_OK,
               "%s", error.message);
    return m;
}

static double column(const at_step *m, size_t layer, gs_column name) {
    double value = NAN;
    gs_layer_stats_get(&m->rows[layer - 1], name, &value);
    return value;
}

/* Every parameter of both is the same to the bit. */
static bool same_parameters(const gs_network *a, const gs_network *b) {
    static double x[4096], y[4096];
    gs_tensor tensor;
    for (size_t i = 0; gs_network_tensor(a, i, &tensor); i++) {
        size_t count = tensor.shape[0] * tensor.shape[1];
        if (!strncmp(tensor.name, "layers", 6) && !strstr(tensor.name, ".grad")) {
            read_tensor(a, tensor.name, x, count);
            read_tensor(b, tensor.name, y, count);
            if (memcmp(x, y, count * sizeof *x) != 0)
                return false;
        }
    }
    return true;
}

/* ---- What is said of a step ---- */

static void test_the_update_of_sgd_is_the_rate_times_the_gradient(void) {
    training t;
    begin(&t, "layers=3 width=9 act=tanh batch=6 steps=4 lr=0.25 schedule=linear data=x");
    for (size_t step = 0; step <= 4; step++) {
        at_step m = measure_step(&t);
        double rate = 0.25 * (1 - (double)step / 4);
        CHECK_CLOSE(m.stats.rate, rate, 1e-15);
        for (size_t l = 1; l <= 4; l++)
            CHECK_CLOSE(column(&m, l, GS_UPDATE_RATIO), rate * column(&m, l, GS_GRAD_RATIO), 1e-11);
        if (step < 4)
            take_step(&t);
    }
    end(&t);
}

static void test_moved_is_the_distance_from_the_first_weights(void) {
    training t;
    double before[81], after[81], distance = 0, norm = 0;
    begin(&t, "layers=3 width=9 act=relu batch=6 steps=9 lr=0.1");
    read_layer(t.network, 2, "weight", before, 81);
    at_step m = measure_step(&t);
    CHECK(column(&m, 2, GS_MOVED) == 0);
    for (size_t step = 0; step < 5; step++)
        take_step(&t);
    m = measure_step(&t);
    read_layer(t.network, 2, "weight", after, 81);
    for (size_t i = 0; i < 81; i++) {
        distance += (after[i] - before[i]) * (after[i] - before[i]);
        norm += before[i] * before[i];
    }
    CHECK(distance > 0);
    CHECK_CLOSE(column(&m, 2, GS_MOVED), sqrt(distance / norm), 1e-13);
    end(&t);
}

/* From the first weights the update leads where they have moved then, a max-norm and all. */
static void test_the_first_update_is_the_first_move(void) {
    static const char *const runs[] = {
        "layers=3 width=9 act=tanh batch=6 steps=9 opt=momentum lr=0.1 max-norm=0.6 data=x",
        "layers=2 width=40 act=relu batch=6 steps=9 opt=adam lr=0.01 max-norm=1 dtype=f32",
        "layers=3 width=9 act=tanh batch=6 steps=9 opt=nesterov l2=0.1 clip=value:0.001 data=x",
    };
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        training t;
        begin(&t, runs[i]);
        at_step before = measure_step(&t);
        take_step(&t);
        at_step after = measure_step(&t);
        for (size_t l = 1; l <= 2; l++)
            CHECK_CLOSE(column(&before, l, GS_UPDATE_RATIO), column(&after, l, GS_MOVED), 1e-6);
        end(&t);
    }
}

/* Trying an update, which a measurement does, changes nothing. */
static void test_measuring_changes_nothing(void) {
    static const char *const runs[] = {
        "layers=3 width=9 act=tanh batch=6 steps=9 opt=adam clip=norm:0.01 data=x",
        "layers=3 width=9 act=relu batch=6 steps=9 opt=momentum l1=0.01 clip=agc:0.1 data=x",
        ("layers=3 width=9 act=relu batch=6 steps=9 opt=rmsprop max-norm=0.5 norm=layer "
         "residual=add branch-scale=rezero dtype=f32"),
    };
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        training plain, watched;
        begin(&plain, runs[i]);
        begin(&watched, runs[i]);
        for (size_t step = 0; step < 6; step++) {
            take_step(&plain);
            measure_step(&watched);
            take_step(&watched);
        }
        CHECK(same_parameters(plain.network, watched.network));
        end(&plain);
        end(&watched);
    }
}

static void test_clipped_updates_are_counted(void) {
    training t;
    begin(&t, "layers=2 width=9 act=relu batch=6 steps=8 clip=norm:1e-9");
    take_step(&t);
    at_step m = measure_step(&t);
    CHECK(m.stats.clipped == 1);
    CHECK_CLOSE(m.stats.grad_norm_clipped_log10, -9, 1e-12);
    CHECK(m.stats.grad_norm_log10 > -9);
    end(&t);
    begin(&t, "layers=2 width=9 act=relu batch=6 steps=8 clip=norm:1e9");
    m = measure_step(&t);
    CHECK(m.stats.clipped == 0 && m.stats.grad_norm_clipped_log10 == m.stats.grad_norm_log10);
    end(&t);
}

/* Each epoch sees every example that fills a batch, once. */
static void test_training_falls_on_what_it_can_learn(void) {
    training t;
    begin(&t, "layers=2 width=16 act=tanh batch=7 steps=300 opt=adam lr=0.01 data=x");
    double first = measure_step(&t).summary.loss;
    for (size_t step = 0; step < 300; step++)
        take_step(&t);
    at_step m = measure_step(&t);
    CHECK(m.summary.loss < 0.1 * first);
    CHECK(m.stats.accuracy == 1);
    end(&t);
}

static void test_what_is_not_finite_is_seen(void) {
    training t;
    begin(&t, "layers=2 width=9 act=tanh batch=6 steps=8");
    CHECK(gs_trainer_pass(&t.trainer, &error) == GS_OK && gs_trainer_is_finite(&t.trainer));
    double bad[81] = {NAN};
    write_layer(t.network, 2, "weight", bad, 81);
    CHECK(gs_trainer_pass(&t.trainer, &error) == GS_OK && !gs_trainer_is_finite(&t.trainer));
    end(&t);
}

/* ---- Checkpoints ---- */

static void save(training *t, const char *name) {
    CHECK_THAT(gs_checkpoint_save(&t->trainer, path_of(name), &error) == GS_OK, "%s",
               error.message);
}

/* A new run with the options, which goes on from the file. */
static gs_status resume(training *t, const char *options, const char *name) {
    gs_safetensors *file = NULL;
    bool is_checkpoint = false;
    uint64_t step;
    begin(t, options);
    gs_status status = gs_safetensors_open(path_of(name), &file, &error);
    CHECK_THAT(status == GS_OK, "%s", error.message);
    if (status == GS_OK)
        status = gs_checkpoint_step(file, &is_checkpoint, &step, &error);
    if (status == GS_OK)
        status = gs_network_load(t->network, file, &error);
    if (status == GS_OK)
        status = gs_checkpoint_load(&t->trainer, file, &error);
    gs_safetensors_close(file);
    CHECK(status != GS_OK || (is_checkpoint && step == gs_trainer_steps(&t->trainer)));
    return status;
}

static size_t size_of_file(const char *name) {
    FILE *file = fopen(path_of(name), "rb");
    CHECK(file && fseek(file, 0, SEEK_END) == 0);
    size_t size = (size_t)ftell(file);
    fclose(file);
    return size;
}

static bool same_files(const char *a, const char *b) {
    size_t size = size_of_file(a);
    FILE *x = fopen(path_of(a), "rb"), *y = fopen(path_of(b), "rb");
    bool same = size == size_of_file(b);
    for (size_t i = 0; i < size && same; i++)
        same = getc(x) == getc(y);
    fclose(x);
    fclose(y);
    return same;
}

static void test_a_run_that_goes_on_ends_in_the_same_bytes(void) {
    static const char *const runs[] = {
        "layers=3 width=9 act=relu batch=6 steps=12 data=x",
        "layers=3 width=9 act=relu batch=6 steps=12 opt=momentum clip=norm:0.3 data=x",
        "layers=3 width=9 act=tanh batch=6 steps=12 opt=nesterov:0.5 shuffle=off data=x",
        "layers=3 width=9 act=tanh batch=6 steps=12 opt=rmsprop warmup=3 schedule=cosine data=x",
        "layers=3 width=9 act=gelu batch=6 steps=12 opt=adam norm=batch data=x",
        ("layers=3 width=9 act=relu batch=6 steps=12 opt=adamw l2=0.1 residual=add "
         "branch-scale=rezero norm=layer dtype=f32"),
    };
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        training straight, stopped, resumed;
        begin(&straight, runs[i]);
        begin(&stopped, runs[i]);
        for (size_t step = 0; step < 12; step++) {
            take_step(&straight);
            if (step < 5)
                take_step(&stopped);
        }
        CHECK(gs_trainer_pass(&stopped.trainer, &error) == GS_OK);
        save(&stopped, "half");
        CHECK_THAT(resume(&resumed, runs[i], "half") == GS_OK, "%s", error.message);
        for (size_t step = 5; step < 12; step++)
            take_step(&resumed);
        CHECK(same_parameters(straight.network, resumed.network));
        at_step a = measure_step(&straight), b = measure_step(&resumed);
        CHECK(memcmp(&a.stats, &b.stats, sizeof a.stats) == 0);
        CHECK(column(&a, 2, GS_MOVED) == column(&b, 2, GS_MOVED));
        save(&straight, "a");
        save(&resumed, "b");
        CHECK_THAT(same_files("a", "b"), "%s", runs[i]);
        end(&straight);
        end(&stopped);
        end(&resumed);
    }
}

static void test_a_checkpoint_of_another_optimizer_is_refused(void) {
    training t, other;
    begin(&t, "layers=2 width=9 batch=6 steps=12 opt=adam");
    take_step(&t);
    CHECK(gs_trainer_pass(&t.trainer, &error) == GS_OK);
    save(&t, "adam");
    CHECK(resume(&other, "layers=2 width=9 batch=6 steps=12 opt=sgd", "adam") == GS_ERR_USAGE);
    CHECK_THAT(strstr(error.message, "--opt: expected adam"), "%s", error.message);
    end(&other);
    end(&t);
}

TEST_MAIN_WITH_FOLDER(TEST(test_the_update_of_sgd_is_the_rate_times_the_gradient),
                      TEST(test_moved_is_the_distance_from_the_first_weights),
                      TEST(test_the_first_update_is_the_first_move),
                      TEST(test_measuring_changes_nothing), TEST(test_clipped_updates_are_counted),
                      TEST(test_training_falls_on_what_it_can_learn),
                      TEST(test_what_is_not_finite_is_seen),
                      TEST(test_a_run_that_goes_on_ends_in_the_same_bytes),
                      TEST(test_a_checkpoint_of_another_optimizer_is_refused))
