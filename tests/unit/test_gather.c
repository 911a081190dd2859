/*
 * Gathering: rows of logs and summaries become configurations with their means and ranges, in memory
 * that does not grow with the rows.
 */
#include "test_gather.h"

#define HEADER "run,step,layer,kind,loss,grad_z_log10,theory_grad_log10,error,layers,act\n"

static const char two_seeds[] = HEADER "1,0,1,dense,2,-4,-3,,2,relu\n"
                                       "1,0,2,dense,2,-2,-1,,2,relu\n"
                                       "2,0,1,dense,4,-8,-3,,2,relu\n"
                                       "2,0,2,dense,4,-4,-1,,2,relu\n"
                                       "3,0,1,dense,1,-1,,,2,tanh\n"
                                       "3,0,2,dense,1,0,,,2,tanh\n";

static void test_seeds_of_a_configuration_are_one(void) {
    gs_gather *gather = gathered(NULL, two_seeds);
    CHECK(gather->config_count == 2 && !gather->is_summary);
    CHECK(gather->configs[0].networks == 2 && gather->configs[1].networks == 1);
    CHECK(gather->configs[0].layers == 2 && gather->configs[0].last == 2);
    CHECK(mean_of(gather, 0, 0, 1, GS_GATHER_WANTED) == -6);
    CHECK(mean_of(gather, 0, 0, 2, GS_GATHER_THEORY) == -1);
    CHECK(mean_of(gather, 1, 0, 1, GS_GATHER_WANTED) == -1);
    CHECK(isnan(mean_of(gather, 1, 0, 1, GS_GATHER_THEORY)));
    const gs_values *values = gs_gather_at(gather, (gs_cell_place){0, 0, 1}, GS_GATHER_WANTED);
    CHECK(values->low == -8 && values->high == -4);
    gs_gather_free(gather);
}

static void test_options_of_the_table_alone_make_a_configuration(void) {
    gs_gather *gather = gathered(NULL, two_seeds);
    CHECK(gather->option_count == 2);
    CHECK_STRING(gather->options[0]->name, "layers");
    CHECK_STRING(gather->configs[1].texts[1], "tanh");
    gs_gather_free(gather);
}

static void test_seeds_come_together_wherever_they_are(void) {
    static const char others[] = HEADER "7,0,1,dense,3,-3,,,2,tanh\n7,0,2,dense,3,0,,,2,tanh\n"
                                        "8,0,1,dense,3,-3,,,2,relu\n8,0,2,dense,3,0,,,2,relu\n";
    gs_gather *gather = gathered(NULL, two_seeds);
    CHECK(gather_add(gather, "y", others));
    CHECK(gather->config_count == 2);
    CHECK(gather->configs[0].networks == 3 && gather->configs[1].networks == 2);
    CHECK(mean_of(gather, 0, 0, 1, GS_GATHER_WANTED) == -5);
    gs_gather_free(gather);
}

static void test_what_is_of_the_network_counts_once_a_network(void) {
    gs_gather *gather = gathered("loss", two_seeds);
    CHECK(gather->scope[GS_GATHER_WANTED] == GS_OF_STEP);
    CHECK(gs_gather_value(gather, 0, GS_GATHER_WANTED) == 3);
    const gs_values *values = gs_gather_at(gather, (gs_cell_place){0, 0, 0}, GS_GATHER_WANTED);
    CHECK(values->count == 2);
    gs_gather_free(gather);
}

static void test_a_logarithm_comes_to_its_change_end_to_end(void) {
    gs_gather *gather = gathered(NULL, two_seeds);
    CHECK(gs_gather_value(gather, 0, GS_GATHER_WANTED) == -3); /* (-4 - 8) / 2 - (-2 - 4) / 2 */
    CHECK(gs_gather_verdict(gather, 0) == GS_VANISHING);       /* one of them is */
    gs_gather_free(gather);
}

static void test_the_head_is_apart_and_other_columns_are_averaged(void) {
    static const char text[] =
        "run,step,layer,kind,grad_z_log10,dead,act\n1,0,1,dense,-9,0.5,relu\n"
        "1,0,2,dense,-2,0.25,relu\n1,0,3,head,5,1,relu\n";
    gs_gather *gather = gathered(NULL, text);
    CHECK(gather->configs[0].layers == 2 && gather->configs[0].last == 3);
    CHECK(gs_gather_value(gather, 0, GS_GATHER_WANTED) == -7);
    CHECK(gs_gather_verdict(gather, 0) == GS_VANISHING);
    gs_gather_free(gather);
    gather = gathered("dead", text);
    CHECK(gs_gather_value(gather, 0, GS_GATHER_WANTED) == 0.375);
    gs_gather_free(gather);
}

static void test_what_is_not_finite_stands_where_most_are_not(void) {
    gs_gather *gather = gathered(NULL, "run,layer,grad_z_log10,act\n1,1,-inf,relu\n1,2,-1,relu\n"
                                       "2,1,nan,tanh\n2,2,-1,tanh\n3,1,-5,tanh\n3,2,-1,tanh\n"
                                       "4,1,-6,tanh\n4,2,-1,tanh\n"
                                       "5,1,nan,mish\n5,2,-1,mish\n6,1,-5,mish\n6,2,-1,mish\n");
    CHECK(gs_gather_value(gather, 0, GS_GATHER_WANTED) == -INFINITY);
    CHECK(gs_gather_verdict(gather, 0) == GS_VANISHING);
    CHECK(gs_gather_value(gather, 1, GS_GATHER_WANTED) == -4.5);
    CHECK(gs_gather_verdict(gather, 1) == GS_VANISHING);
    CHECK(isnan(gs_gather_value(gather, 2, GS_GATHER_WANTED))); /* of equals the worse */
    CHECK(gs_gather_verdict(gather, 2) == GS_NONFINITE);
    CHECK(gs_gather_others(gather, GS_GATHER_WANTED, false) == 1);
    gs_gather_free(gather);
}

static void test_the_verdict_is_that_of_most_networks(void) {
    gs_gather *gather = gathered(NULL, "run,layer,grad_z_log10,act\n1,1,-inf,relu\n1,2,0,relu\n"
                                       "2,1,-inf,relu\n2,2,0,relu\n3,1,0,relu\n3,2,0,relu\n"
                                       "4,1,-9,tanh\n4,2,0,tanh\n5,1,0,tanh\n5,2,0,tanh\n"
                                       "6,1,0,tanh\n6,2,0,tanh\n");
    CHECK(gs_gather_verdict(gather, 0) == GS_VANISHING);
    CHECK(gs_gather_value(gather, 0, GS_GATHER_WANTED) == -INFINITY);
    CHECK(gs_gather_verdict(gather, 1) == GS_HEALTHY);
    CHECK(gs_gather_value(gather, 1, GS_GATHER_WANTED) == -3);
    gs_gather_free(gather);
}

/* A training stops where it is no longer finite. */
static void test_what_diverged_still_counts_at_later_steps(void) {
    gs_gather *gather = gathered(NULL, "run,step,layer,grad_z_log10,act\n1,0,1,-1,relu\n"
                                       "1,1,1,-2,relu\n2,0,1,nan,relu\n3,0,1,nan,relu\n");
    const gs_cell_place last = {0, 1, 1};
    CHECK(mean_of(gather, 0, 1, 1, GS_GATHER_WANTED) == -2);
    CHECK(isnan(gs_gather_most(gather, last, GS_GATHER_WANTED)));
    CHECK(gather->configs[0].networks == 3 && gs_gather_verdict(gather, 0) == GS_NONFINITE);
    CHECK(gs_gather_others(gather, GS_GATHER_WANTED, false) == 2);
    gs_gather_free(gather);
}

static void test_networks_are_counted_in_any_order(void) {
    static const char *const texts[] = {
        /* Logs of one network each, joined. */
        "run,seed,layer,grad_z_log10,layers\n1,1,1,-2,2\n1,1,2,0,2\n1,2,1,-1,2\n1,2,2,0,2\n",
        "run,seed,layer,grad_z_log10,layers\n1,1,1,-2,2\n1,2,1,-1,2\n1,1,2,0,2\n1,2,2,0,2\n",
        "run,seed,layer,grad_z_log10,layers\n1,1,2,0,2\n1,2,2,0,2\n1,1,1,-2,2\n1,2,1,-1,2\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        gs_gather *gather = gathered(NULL, texts[i]);
        CHECK(gather->configs[0].networks == 2 && gather->is_mixed == (i > 0));
        CHECK(gs_gather_value(gather, 0, GS_GATHER_WANTED) == -1.5);
        CHECK(gs_gather_verdict(gather, 0) == GS_HEALTHY);
        gs_gather_free(gather);
    }
}

static void test_failed_networks_are_counted_and_left_out(void) {
    gs_gather *gather = gathered(NULL, HEADER "1,0,1,dense,2,-4,-3,,1,relu\n"
                                              "2,0,,,,,,no memory,1,relu\n"
                                              "3,0,,,,,,no room,1,tanh\n");
    CHECK(gather->failed == 2 && gather->config_count == 2);
    CHECK(gather->configs[0].networks == 1 && gather->configs[0].failed == 1);
    CHECK_STRING(gather->configs[1].error, "no room");
    CHECK(gs_gather_verdict(gather, 1) == GS_VERDICTS);
    gs_gather_free(gather);
}

static void test_summaries_have_a_row_a_configuration(void) {
    gs_gather *gather =
        gathered(NULL, "point,networks,failed,ratio_log10_mean,verdict,error,act\n"
                       "1,3,1,-2.5,nonfinite,no memory,relu\n2,4,0,-7,vanishing,,tanh\n");
    CHECK(gather->is_summary && gather->config_count == 2 && gather->failed == 1);
    CHECK(gather->configs[0].networks == 3 && gather->scope[GS_GATHER_WANTED] == GS_OF_POINT);
    CHECK(gs_gather_value(gather, 1, GS_GATHER_WANTED) == -7);
    CHECK(gs_gather_verdict(gather, 0) == GS_NONFINITE);
    CHECK(gs_gather_verdict(gather, 1) == GS_VANISHING);
    gs_gather_free(gather);
}

static void test_summaries_of_one_configuration_weigh_by_their_networks(void) {
    gs_gather *gather = gathered(
        NULL, "point,networks,ratio_log10_mean,verdict,healthy,vanishing,exploding,nonfinite,act\n"
              "1,3,-2,healthy,3,0,0,0,relu\n1,9,-6,vanishing,2,7,0,0,relu\n");
    CHECK(gs_gather_value(gather, 0, GS_GATHER_WANTED) == -5);
    CHECK(gather->configs[0].networks == 12 && gather->configs[0].verdicts[GS_HEALTHY] == 5);
    CHECK(gs_gather_verdict(gather, 0) == GS_VANISHING);
    gs_gather_free(gather);
}

static void test_gradients_alone_have_a_verdict(void) {
    static const char text[] = "run,layer,grad_z_log10,weight_gain,grad_norm_log10,act\n"
                               "1,1,-4,1,-1,relu\n";
    static const char *const columns[] = {"grad_z_log10", "weight_gain", "grad_norm_log10"};
    for (size_t i = 0; i < 3; i++) {
        gs_gather *gather = gathered(columns[i], text);
        CHECK(gs_is_gradient(gather, GS_GATHER_WANTED) == (i == 0));
        gs_gather_free(gather);
    }
}

/* ---- Limits ---- */

/* A log of a network of one layer at so many steps, where the value is the step. */
static char *steps_log(size_t count) {
    size_t length;
    char *text = NULL;
    FILE *file = open_memstream(&text, &length);
    fputs("run,step,layer,grad_z_log10,act\n", file);
    for (size_t i = 0; i < count; i++)
        fprintf(file, "1,%zu,1,%zu,relu\n", i, i);
    fclose(file);
    return text;
}

static void test_many_steps_become_fewer_and_nothing_is_lost(void) {
    enum { STEPS = 10000 };
    char *text = steps_log(STEPS);
    gs_gather *gather = gathered(NULL, text);
    size_t count, values = 0;
    const uint64_t *steps = gs_gather_steps(gather, GS_GATHER_WANTED, &count);
    CHECK(count == 625 && steps[1] == 16); /* 2^4 of them are one */
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        const gs_values *v =
            gs_gather_at(gather, (gs_cell_place){0, steps[i], 1}, GS_GATHER_WANTED);
        CHECK(v->low == (double)steps[i] && v->high == (double)steps[i] + 15);
        CHECK_CLOSE(v->mean, (double)steps[i] + 7.5, 1e-15);
        values += (size_t)v->count;
        sum += v->mean * v->count;
    }
    CHECK(values == STEPS);
    CHECK_CLOSE(sum, STEPS * (STEPS - 1.0) / 2, 1e-14);
    CHECK(mean_of(gather, 0, 17, 1, GS_GATHER_WANTED) == 23.5);
    CHECK(mean_of(gather, 0, STEPS - 1, 1, GS_GATHER_WANTED) == STEPS - 1);
    gs_gather_free(gather);
    free(text);
}

static void test_the_newest_step_is_kept_whatever_comes_first(void) {
    static const uint64_t steps[] = {3, 7, 5, 7, 1};
    gs_cells *cells = gs_cells_new(1, true, NULL);
    for (size_t i = 0; i < 5; i++)
        CHECK(gs_cells_add(cells, (gs_cell_place){0, steps[i], 1}, 0, (double)i, 1, NULL) == GS_OK);
    CHECK(gs_cells_at(cells, (gs_cell_place){0, 7, 1}, 0)->mean == 2);
    CHECK(!gs_cells_at(cells, (gs_cell_place){0, 5, 1}, 0));
    gs_cells_free(cells);
}

static void test_more_configurations_than_the_limit_are_refused(void) {
    size_t length;
    char *text = NULL;
    FILE *file = open_memstream(&text, &length);
    fputs("run,layer,grad_z_log10,config_gain\n", file);
    for (size_t i = 0; i <= GS_GATHER_CONFIGS; i++)
        fprintf(file, "%zu,1,0,%zu\n", i, i);
    fclose(file);
    gs_gather *gather = gs_gather_new(NULL, NULL, NULL, NULL);
    CHECK(!gather_add(gather, "x", text));
    CHECK(gather_error.code == GS_ERR_UNSUPPORTED);
    CHECK_STRING(gather_error.message,
                 "x: expected at most 10000 configurations: leave some out with --where");
    gs_gather_free(gather);
    free(text);
}

static void test_more_values_than_the_limit_are_refused(void) {
    gs_cells *cells = gs_cells_new(GS_CELLS_VALUES / 128, false, NULL);
    gs_status status = GS_OK;
    size_t layer = 0;
    while (status == GS_OK)
        status = gs_cells_add(cells, (gs_cell_place){0, 0, ++layer}, 0, 1, 1, &gather_error);
    CHECK(layer == 129 && status == GS_ERR_UNSUPPORTED);
    gs_cells_free(cells);
    cells = gs_cells_new(GS_CELLS_VALUES / 128, false, NULL);
    for (uint64_t step = 0; step < 1000; step++)
        CHECK(gs_cells_add(cells, (gs_cell_place){0, step, 1}, 0, 1, 1, NULL) == GS_OK);
    gs_cells_steps(cells, &layer);
    CHECK(layer <= 128);
    gs_cells_free(cells);
}

/* ---- What is refused ---- */

static void refuses(const char *column, const char *text, gs_status code, const char *message) {
    gs_gather *gather = gs_gather_new(column, NULL, NULL, NULL);
    CHECK(!gather_add(gather, "x", text));
    CHECK_THAT(gather_error.code == code, "%s", gather_error.message);
    CHECK_STRING(gather_error.message, message);
    gs_gather_free(gather);
}

static void test_foreign_columns_are_refused(void) {
    refuses(NULL, "a,b\n1,2\n", GS_ERR_FORMAT,
            "x: line 1: expected the columns of a log (layer, grad_z_log10, ...) or of a summary "
            "(point, ratio_log10_mean, ...), got 'a' and others");
    refuses("los", HEADER, GS_ERR_USAGE, "x: unknown column 'los' (did you mean 'loss'?)");
}

static void test_damaged_rows_are_refused(void) {
    static const struct {
        const char *text, *message;
    } files[] = {
        {"layer,grad_z_log10\n1,0.5\n2,x\n",
         "x: line 3: column 'grad_z_log10': expected a number, got 'x'"},
        {"layer,grad_z_log10\n0,0.5\n", "x: line 2: column 'layer': expected 1 or more, got 0"},
        {"layer,grad_z_log10,layers\n1,0.5,2\n4,0.5,2\n",
         "x: line 3: column 'layer': expected at most 3, got 4"},
        {"layer,grad_z_log10\n100000000,0.5\n",
         "x: line 2: column 'layer': expected at most 2097152, got 100000000"},
        {"layer,step,grad_z_log10\n1,1000000000000001,0\n",
         "x: line 2: column 'step': expected at most 1000000000000000, got 1000000000000001"},
        {"layer,grad_z_log10\n1,0.5", "x: line 2: expected a line end, got the end of the file"},
        /* Networks that were cut short. */
        {"run,layer,grad_z_log10,layers\n1,1,0,3\n1,2,0,3\n",
         "x: line 4: expected layer 3 of 3, got the end of the file"},
        {"run,layer,grad_z_log10,layers\n1,1,0,2\n2,1,0,2\n2,2,0,2\n",
         "x: line 3: expected layer 2 of 2, got layer 1"},
        {"run,layer,grad_z_log10,layers,head\n1,1,0,2,on\n1,2,0,2,on\n",
         "x: line 4: expected layer 3 of 3, got the end of the file"},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        refuses(NULL, files[i].text, GS_ERR_FORMAT, files[i].message);
}

static void test_files_of_other_columns_are_refused(void) {
    gs_gather *gather = gathered(NULL, two_seeds);
    CHECK(!gather_add(gather, "y", "layer,grad_z_log10,layers\n"));
    CHECK_STRING(gather_error.message, "y: line 1: expected a column 'act', as 'x' has, got none");
    CHECK(!gather_add(gather, "y", "layer,grad_z_log10,layers,act,init\n"));
    CHECK_STRING(gather_error.message, "y: line 1: expected no column 'init', as 'x' has, got one");
    CHECK(!gather_add(gather, "y", "point,grad_z_log10,layers,act\n"));
    CHECK_STRING(gather_error.message, "y: line 1: expected a log, as 'x' is, got a summary");
    gs_gather_free(gather);
}

static gs_status keeps_relu(void *context, const gs_gather *gather, const char *const *texts,
                            bool *keeps, gs_error *error) {
    (void)gather, (void)error;
    ++*(size_t *)context;
    *keeps = strcmp(texts[1], "relu") == 0;
    return GS_OK;
}

static void test_a_filter_is_asked_once_as_long_as_a_configuration_lasts(void) {
    size_t asked = 0;
    gs_gather *gather = gs_gather_new(NULL, keeps_relu, &asked, NULL);
    CHECK(gather_add(gather, "x", two_seeds));
    CHECK(asked == 2 && gather->config_count == 1 && gather->configs[0].networks == 2);
    gs_gather_free(gather);
}

static void test_every_failed_allocation_is_survived(void) {
    size_t nth = 0;
    do {
        test_fail_allocation(++nth);
        gs_gather *gather = gs_gather_new(NULL, NULL, NULL, &gather_error);
        if (gather && !gather_add(gather, "x", two_seeds))
            CHECK(gather_error.code == GS_ERR_MEMORY);
        gs_gather_free(gather);
    } while (test_allocation_failed());
    test_fail_allocation(0);
    CHECK(nth > 8);
}

TEST_MAIN(TEST(test_seeds_of_a_configuration_are_one),
          TEST(test_options_of_the_table_alone_make_a_configuration),
          TEST(test_seeds_come_together_wherever_they_are),
          TEST(test_what_is_of_the_network_counts_once_a_network),
          TEST(test_a_logarithm_comes_to_its_change_end_to_end),
          TEST(test_the_head_is_apart_and_other_columns_are_averaged),
          TEST(test_what_is_not_finite_stands_where_most_are_not),
          TEST(test_the_verdict_is_that_of_most_networks),
          TEST(test_what_diverged_still_counts_at_later_steps),
          TEST(test_networks_are_counted_in_any_order),
          TEST(test_summaries_of_one_configuration_weigh_by_their_networks),
          TEST(test_gradients_alone_have_a_verdict),
          TEST(test_failed_networks_are_counted_and_left_out),
          TEST(test_summaries_have_a_row_a_configuration),
          TEST(test_many_steps_become_fewer_and_nothing_is_lost),
          TEST(test_the_newest_step_is_kept_whatever_comes_first),
          TEST(test_more_configurations_than_the_limit_are_refused),
          TEST(test_more_values_than_the_limit_are_refused), TEST(test_foreign_columns_are_refused),
          TEST(test_damaged_rows_are_refused), TEST(test_files_of_other_columns_are_refused),
          TEST(test_a_filter_is_asked_once_as_long_as_a_configuration_lasts),
          TEST(test_every_failed_allocation_is_survived))
