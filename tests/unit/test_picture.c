/*
 * Pictures: what differs between configurations, which figure shows it, and what is in it.
 */
#include "report/picture.h"

#include "test_gather.h"

/* ---- Logs that are made up ---- */

typedef struct {
    char *text;
    size_t length;
    FILE *file;
    size_t run;
} log_writer;

static void log_begin(log_writer *log, const char *options) {
    *log = (log_writer){0};
    log->file = open_memstream(&log->text, &log->length);
    fprintf(log->file, "run,step,layer,kind,loss,grad_z_log10,theory_grad_log10,%s\n", options);
}

/* A network of so many layers, whose gradient loses `slope` decades a layer, at one step. */
static void log_add(log_writer *log, size_t step, size_t layers, double slope,
                    const char *options) {
    log->run += step == 0;
    for (size_t layer = 1; layer <= layers; layer++)
        fprintf(log->file, "%zu,%zu,%zu,dense,%zu,%g,%g,%s\n", log->run, step, layer, step + 1,
                -slope * (double)(layers - layer), (double)layer, options);
}

typedef struct {
    gs_gather *gather;
    gs_variation *variation;
    gs_picture *picture; /* NULL before picture_of */
} material;

static material material_of(log_writer *log, const char *column) {
    fclose(log->file);
    material m = {.gather = gathered(column, log->text)};
    free(log->text);
    m.variation = gs_variation_new(m.gather, NULL);
    CHECK(m.variation);
    return m;
}

/* A network of two layers for each text of its options, up to NULL. */
static material networks_of(const char *options, const char *const *texts) {
    log_writer log;
    log_begin(&log, options);
    for (; *texts; texts++)
        log_add(&log, 0, 2, 1, *texts);
    return material_of(&log, NULL);
}

static void material_free(material *m) {
    gs_picture_free(m->picture);
    gs_variation_free(m->variation);
    gs_gather_free(m->gather);
}

/* The picture that is chosen. */
static const gs_figure *picture_of(material *m, gs_picture_kind expected) {
    gs_picture_kind kind;
    gs_status status = gs_picture_choose(m->variation, GS_GATHER_WANTED, &kind, &gather_error);
    CHECK_THAT(status == GS_OK, "%s", gather_error.message);
    CHECK_THAT(kind == expected, "kind %d", (int)kind);
    m->picture = gs_picture_new(m->variation, GS_GATHER_WANTED, kind, NULL, NULL);
    return &m->picture->figure;
}

/* ---- What differs ---- */

static const char *name_of(const material *m, size_t config) {
    static gs_line name;
    gs_variation_name(m->variation, config, &name);
    return name.text;
}

static void test_names_hold_only_what_differs(void) {
    static const char *const texts[] = {"2,relu,he-normal,none", "2,relu,he-normal,batch",
                                        "2,tanh,he-normal,batch", NULL};
    material m = networks_of("layers,act,init,norm", texts);
    gs_line line;
    CHECK(m.variation->count == 2);
    CHECK_STRING(name_of(&m, 1), "act relu, norm batch");
    gs_variation_labels(m.variation, &line);
    CHECK_STRING(line.text, "act and norm");
    gs_variation_common(m.variation, &line);
    CHECK_STRING(line.text, "layers 2, init he-normal");
    material_free(&m);
}

static void test_long_names_go_without_what_is_usual(void) {
    static const char *const texts[] = {"sigmoid,xavier-normal,none,preact,none",
                                        "relu,he-normal,none,preact,none",
                                        "relu,he-normal,layer,input,add", NULL};
    material m = networks_of("act,init,norm,norm_at,residual", texts);
    CHECK_STRING(name_of(&m, 0), "act sigmoid");
    CHECK_STRING(name_of(&m, 1), "act relu, init he-normal");
    material_free(&m);
}

static void test_what_follows_from_another_option_is_none(void) {
    static const char *const texts[] = {"64,64,64,adam,0.001", "64,64,64,sgd,0.01",
                                        "32,32,32,sgd,0.01", NULL};
    material m = networks_of("width,inputs,outputs,opt,config_lr", texts);
    CHECK_STRING(name_of(&m, 0), "width 64, opt adam");
    CHECK(m.variation->factors[0].numbers[0] == 32 && m.variation->factors[0].place[0] == 1);
    material_free(&m);
}

static void test_options_that_walk_together_are_one_factor(void) {
    static const char *const texts[] = {"tanh,xavier-normal,1", "tanh,xavier-normal,2",
                                        "relu,he-normal,1", NULL};
    material m = networks_of("act,init,config_gain", texts);
    CHECK(m.variation->count == 2);
    CHECK_STRING(m.variation->factors[0].label, "act, init");
    CHECK_STRING(m.variation->factors[0].texts[1], "relu, he-normal");
    CHECK_STRING(name_of(&m, 2), "act relu, init he-normal, gain 1");
    material_free(&m);
}

static void test_auto_of_a_failed_network_is_no_value(void) {
    log_writer log;
    log_begin(&log, "error,batch,inputs");
    log_add(&log, 0, 2, 1, ",1,16");
    fputs("2,0,,,,,,no memory,2,auto\n", log.file);
    material m = material_of(&log, NULL);
    CHECK(m.variation->count == 1 && m.variation->told_count == 1);
    CHECK_STRING(m.variation->factors[0].label, "batch");
    material_free(&m);
}

static void test_auto_tells_failed_networks_apart(void) {
    log_writer log;
    log_begin(&log, "error,act,config_lr");
    log_add(&log, 0, 2, 1, ",relu,0.01");
    fputs("2,0,,,,,,no,tanh,auto\n3,0,,,,,,no,tanh,0.01\n", log.file);
    material m = material_of(&log, NULL);
    CHECK(m.variation->option_count == 1 && m.variation->told_count == 2);
    CHECK_STRING(m.gather->options[m.variation->told[1]]->name, "lr");
    material_free(&m);
}

/* ---- Lines ---- */

static void test_a_log_of_few_becomes_lines_with_bands_and_theory(void) {
    log_writer log;
    log_begin(&log, "act");
    log_add(&log, 0, 4, 1, "relu");
    log_add(&log, 0, 4, 2, "relu");
    log_add(&log, 0, 3, 1, "tanh");
    material m = material_of(&log, NULL);
    const gs_figure *figure = picture_of(&m, GS_PICTURE_LAYERS);
    const gs_series *series = figure->panels->series;
    CHECK(figure->kind == GS_FIGURE_LINES && figure->panels->series_count == 2);
    CHECK_STRING(series[0].name, "act relu");
    CHECK(series[0].count == 4 && series[0].x[3] == 4 && series[0].y[0] == -4.5);
    CHECK(series[0].low[0] == -6 && series[0].high[0] == -3 && series[0].theory[1] == 2);
    CHECK(series[1].count == 3 && !series[1].low && !figure->ordered);
    CHECK(figure->y.decades && figure->x.whole);
    CHECK_STRING(figure->band, "least to largest of up to 2 seeds");
    CHECK_STRING(figure->title, "|dL/dz| by layer");
    material_free(&m);
}

static void test_what_some_seeds_lose_is_marked_at_the_edge(void) {
    material m = {.gather = gathered(NULL, "run,layer,grad_z_log10,act\n1,1,-inf,relu\n1,2,0,relu\n"
                                           "2,1,-4,relu\n2,2,0,relu\n3,1,-6,relu\n3,2,0,relu\n")};
    m.variation = gs_variation_new(m.gather, NULL);
    const gs_figure *figure = picture_of(&m, GS_PICTURE_LAYERS);
    const gs_series *series = figure->panels->series;
    CHECK(series->y[0] == -5 && series->edges[0] == -INFINITY && isnan(series->edges[1]));
    CHECK_STRING(figure->edges, "for a seed or more");
    material_free(&m);
}

/* A network whose option is a number, after what stands before it. */
static void log_add_number(log_writer *log, size_t layers, const char *before, double value) {
    char text[32];
    snprintf(text, sizeof text, "%s%g", before, value);
    log_add(log, 0, layers, 1, text);
}

static void test_steps_of_one_number_are_ordered(void) {
    log_writer log;
    log_begin(&log, "layers");
    for (size_t layers = 16; layers > 0; layers--)
        log_add_number(&log, layers, "", (double)layers);
    material m = material_of(&log, NULL);
    const gs_figure *figure = picture_of(&m, GS_PICTURE_LAYERS);
    CHECK(figure->ordered);
    for (size_t i = 0; i < 16; i++)
        CHECK(figure->panels->series[i].count == i + 1);
    material_free(&m);
}

static void test_more_steps_of_one_number_are_a_line(void) {
    log_writer log;
    log_begin(&log, "config_gain");
    for (size_t i = 0; i < 20; i++)
        log_add_number(&log, 3, "", 2 - 0.1 * (double)i);
    material m = material_of(&log, NULL);
    const gs_figure *figure = picture_of(&m, GS_PICTURE_NUMBER);
    const gs_series *series = figure->panels->series;
    CHECK(series->count == 20 && series->x[0] == 0.1 && series->x[19] == 2 && series->y[5] == -2);
    CHECK_STRING(figure->x.label, "gain");
    CHECK(!figure->x.decades);
    material_free(&m);
}

static void test_powers_are_drawn_by_their_logarithm(void) {
    log_writer log;
    log_begin(&log, "config_lr");
    static const char *const rates[] = {"0.0001", "0.001", "0.01", "0.1"};
    for (size_t i = 0; i < 4; i++)
        log_add(&log, 0, 3, 1, rates[i]);
    material m = material_of(&log, "loss");
    const gs_figure *figure = picture_of(&m, GS_PICTURE_NUMBER);
    CHECK(figure->x.decades && figure->panels->series->x[0] == -4);
    material_free(&m);
}

static void test_what_failed_takes_no_place_of_another(void) {
    log_writer log;
    log_begin(&log, "error,config_lr");
    for (size_t i = 0; i < 20; i++)
        log_add_number(&log, 3, ",", 0.1 * (double)(i + 1));
    fputs("21,0,,,,,,no memory,auto\n", log.file);
    material m = material_of(&log, NULL);
    const gs_figure *figure = picture_of(&m, GS_PICTURE_NUMBER);
    for (size_t i = 0; i < 20; i++)
        CHECK(figure->panels->series->y[i] == -2);
    material_free(&m);
}

static void test_theory_is_that_of_one_column_alone(void) {
    static const char *const columns[] = {"grad_z_log10", "grad_w_log10"};
    for (size_t i = 0; i < 2; i++) {
        material m = {.gather = gathered(columns[i],
                                         "layer,grad_z_log10,grad_w_log10,theory_grad_log10,act\n"
                                         "1,-2,-3,-2.5,relu\n2,-1,-2,-1.5,relu\n")};
        m.variation = gs_variation_new(m.gather, NULL);
        const gs_figure *figure = picture_of(&m, GS_PICTURE_LAYERS);
        CHECK(!figure->panels->series->theory == (i == 1));
        material_free(&m);
    }
}

static void test_what_diverged_has_no_axes(void) {
    material m = {.gather = gathered(NULL, "step,layer,grad_z_log10,act\n"
                                           "0,1,nan,relu\n1,1,nan,relu\n")};
    m.variation = gs_variation_new(m.gather, NULL);
    gs_picture_kind kind;
    CHECK(gs_picture_choose(m.variation, GS_GATHER_WANTED, &kind, &gather_error) != GS_OK);
    CHECK_STRING(gather_error.message, "column 'grad_z_log10': expected finite numbers, got none");
    material_free(&m);
}

/* ---- Maps ---- */

static void test_training_becomes_a_map_a_configuration(void) {
    log_writer log;
    log_begin(&log, "act");
    for (size_t step = 0; step < 3; step++)
        log_add(&log, step, 4, 1 + (double)step, "relu");
    log_add(&log, 0, 2, 1, "tanh");
    material m = material_of(&log, NULL);
    const gs_figure *figure = picture_of(&m, GS_PICTURE_TRAINING);
    CHECK(figure->kind == GS_FIGURE_MAP && figure->panel_count == 2 && figure->upward);
    CHECK(figure->columns.count == 3 && figure->rows.count == 4 && figure->rows.numbers[3] == 4);
    CHECK(figure->panels[0].values[0] == -3 && figure->panels[0].values[2] == -9);
    CHECK(figure->panels[1].values[3] == 0 && isnan(figure->panels[1].values[1]));
    CHECK_STRING(figure->panels[1].title, "act tanh");
    material_free(&m);
}

static void test_the_loss_of_training_becomes_lines_over_steps(void) {
    log_writer log;
    log_begin(&log, "act");
    for (size_t step = 0; step < 3; step++)
        log_add(&log, step, 4, 1, "relu");
    material m = material_of(&log, "loss");
    const gs_figure *figure = picture_of(&m, GS_PICTURE_STEPS);
    const gs_series *series = figure->panels->series;
    CHECK(series->count == 3 && series->x[2] == 2 && series->y[2] == 3 && !series->theory);
    CHECK(!figure->y.decades);
    material_free(&m);
}

static void test_steps_that_are_spread_as_powers_are_drawn_by_their_logarithm(void) {
    static const size_t steps[] = {0, 1, 2, 5, 10, 20, 50, 100};
    log_writer log;
    log_begin(&log, "act");
    for (size_t i = 0; i < 8; i++)
        log_add(&log, steps[i], 1, 1, "relu");
    material m = material_of(&log, "loss");
    const gs_figure *figure = picture_of(&m, GS_PICTURE_STEPS);
    const gs_series *series = figure->panels->series;
    CHECK(figure->x.decades && series->count == 7);
    CHECK(series->x[0] == 0 && series->x[6] == 2 && series->y[6] == 101);
    CHECK_STRING(figure->x.label, "step (0 is left out)");
    material_free(&m);
}

/* A sweep: 3 depths x 4 activations x 3 inits x 2 norms. */
static void log_sweep(log_writer *log, const char *left_out) {
    static const char *const acts[] = {"sigmoid", "tanh", "relu", "gelu"};
    static const char *const inits[] = {"xavier-normal", "he-normal", "orthogonal:1"};
    static const char *const norms[] = {"none", "batch"};
    log_begin(log, "layers,act,init,norm");
    for (size_t i = 0; i < 72; i++) {
        char text[80];
        snprintf(text, sizeof text, "%zu,%s,%s,%s", i / 24 + 1, acts[i / 6 % 4], inits[i / 2 % 3],
                 norms[i % 2]);
        if (!left_out || !strstr(text, left_out))
            log_add(log, 0, i / 24 + 1, (double)(i % 2) * 4, text);
    }
}

static void test_many_become_a_map_that_is_nearest_to_a_square(void) {
    log_writer log;
    log_sweep(&log, NULL);
    material m = material_of(&log, NULL);
    const gs_figure *figure = picture_of(&m, GS_PICTURE_OPTIONS);
    CHECK(figure->rows.count == 12 && figure->columns.count == 6 && figure->diverging);
    CHECK(figure->rows.levels == 2 && figure->columns.levels == 2);
    CHECK_STRING(figure->rows.heads[0].label, "layers");
    CHECK_STRING(figure->rows.heads[1].texts[5], "tanh");
    CHECK_STRING(figure->columns.heads[0].texts[2], "he-normal");
    CHECK_STRING(figure->columns.heads[1].texts[5], "batch");
    CHECK(figure->panels->values[0] == 0 && figure->panels->values[8 * 6 + 1] == -8);
    CHECK(figure->panels->outlined[0] && !figure->panels->outlined[8 * 6 + 1]);
    CHECK_STRING(figure->outline, "healthy");
    material_free(&m);
}

static void test_what_was_left_out_has_no_value(void) {
    log_writer log;
    log_sweep(&log, "2,tanh,he-normal,none");
    material m = material_of(&log, NULL);
    const gs_figure *figure = picture_of(&m, GS_PICTURE_OPTIONS);
    CHECK(isnan(figure->panels->values[5 * 6 + 2]));
    CHECK_STRING(figure->missing, "left out");
    material_free(&m);
}

static void test_rows_and_columns_without_any_value_are_not_there(void) {
    log_writer log;
    log_sweep(&log, "tanh,he-normal");
    material m = material_of(&log, NULL);
    const gs_figure *figure = picture_of(&m, GS_PICTURE_OPTIONS);
    CHECK(figure->rows.count == 12 && figure->columns.count == 6);
    material_free(&m);
    log_sweep(&log, "3,");
    m = material_of(&log, NULL);
    figure = picture_of(&m, GS_PICTURE_OPTIONS);
    CHECK(figure->rows.count * figure->columns.count == 48);
    material_free(&m);
}

/* ---- What cannot be drawn ---- */

static void test_too_many_cells_are_refused_with_what_differs(void) {
    log_writer log;
    log_begin(&log, "config_gain,act");
    for (size_t i = 0; i < 5000; i++) {
        char text[32];
        snprintf(text, sizeof text, "%zu,%s", i + 1, i % 2 == 0 ? "relu" : "tanh");
        log_add(&log, 0, 1, 1, text);
    }
    material m = material_of(&log, NULL);
    gs_picture_kind kind;
    CHECK(gs_picture_choose(m.variation, GS_GATHER_WANTED, &kind, &gather_error) ==
          GS_ERR_UNSUPPORTED);
    CHECK_STRING(gather_error.message, "expected at most 4096 cells in one picture, got 10000, as "
                                       "act and gain differ: leave some out with --where");
    material_free(&m);
}

static void check_refused(const char *column, const char *row, const char *message) {
    log_writer log;
    log_begin(&log, "error,dead,act");
    fputs(row, log.file);
    material m = material_of(&log, column);
    gs_picture_kind kind;
    CHECK(gs_picture_choose(m.variation, GS_GATHER_WANTED, &kind, &gather_error) != GS_OK);
    CHECK_STRING(gather_error.message, message);
    material_free(&m);
}

static void test_nothing_to_draw_is_refused(void) {
    check_refused(NULL, "", "expected rows, got none");
    check_refused("dead", "1,0,1,dense,2,-1,,,,relu\n",
                  "column 'dead': expected numbers, got empty cells");
    check_refused(NULL, "1,0,,,,,,no memory,,relu\n", "nothing was measured: no memory");
    check_refused("loss", "1,0,1,dense,2,-1,,,,relu\n",
                  "column 'loss': expected several steps or configurations, got one number");
}

static void test_every_failed_allocation_is_survived(void) {
    log_writer log;
    log_sweep(&log, NULL);
    material m = material_of(&log, NULL);
    size_t nth = 0;
    do {
        gs_picture_kind kind = GS_PICTURE_OPTIONS;
        test_fail_allocation(++nth);
        gather_error = (gs_error){0};
        gs_variation *variation = gs_variation_new(m.gather, &gather_error);
        gs_picture *picture =
            variation ? gs_picture_new(variation, GS_GATHER_WANTED, kind, NULL, &gather_error)
                      : NULL;
        CHECK(picture || gather_error.code == GS_ERR_MEMORY || !test_allocation_failed());
        gs_picture_free(picture);
        gs_variation_free(variation);
    } while (test_allocation_failed());
    test_fail_allocation(0);
    material_free(&m);
}

TEST_MAIN(TEST(test_names_hold_only_what_differs), TEST(test_long_names_go_without_what_is_usual),
          TEST(test_what_follows_from_another_option_is_none),
          TEST(test_options_that_walk_together_are_one_factor),
          TEST(test_auto_of_a_failed_network_is_no_value),
          TEST(test_auto_tells_failed_networks_apart),
          TEST(test_a_log_of_few_becomes_lines_with_bands_and_theory),
          TEST(test_what_some_seeds_lose_is_marked_at_the_edge),
          TEST(test_steps_of_one_number_are_ordered),
          TEST(test_more_steps_of_one_number_are_a_line),
          TEST(test_powers_are_drawn_by_their_logarithm),
          TEST(test_what_failed_takes_no_place_of_another),
          TEST(test_theory_is_that_of_one_column_alone), TEST(test_what_diverged_has_no_axes),
          TEST(test_training_becomes_a_map_a_configuration),
          TEST(test_the_loss_of_training_becomes_lines_over_steps),
          TEST(test_steps_that_are_spread_as_powers_are_drawn_by_their_logarithm),
          TEST(test_many_become_a_map_that_is_nearest_to_a_square),
          TEST(test_what_was_left_out_has_no_value),
          TEST(test_rows_and_columns_without_any_value_are_not_there),
          TEST(test_too_many_cells_are_refused_with_what_differs),
          TEST(test_nothing_to_draw_is_refused), TEST(test_every_failed_allocation_is_survived))
