/*
 * What is written for people of a run of training: a line a step, and what it comes to.
 */
#include "test_record.h"

static const gs_report_style table = {.format = GS_FORMAT_TABLE};

/* What was found in a run of 1000 steps, of which it tells nothing that is not always there. */
static gs_findings findings_of(const gs_training_stats *stats) {
    return (gs_findings){.last_step = 1000,
                         .first_loss = 2.3026,
                         .last_loss = 0.125,
                         .first = stats[0],
                         .last = stats[2],
                         .moving_layers = 2,
                         .layers = 4,
                         .least_layer = 1,
                         .most_layer = 4,
                         .least_moved = 2.125e-8,
                         .most_moved = 0.3125,
                         .first_dead = (double)NAN,
                         .last_dead = (double)NAN,
                         .is_finite = true};
}

typedef struct {
    sample s;
    gs_training_stats stats[3]; /* of steps 0, 500 and 1000 */
    gs_findings findings;
} training;

/* The losses are 2.5, 1.25 and 0.125. The last two layers share the largest gradient; that of the
   second is 2.5 decades below, that of the first 400. */
static training training_new(const char *const options[][2], size_t count) {
    training t = {.s = sample_new()};
    CHECK(gs_config_set(t.s.config, "steps", "1000", NULL) == GS_OK);
    for (size_t i = 0; i < count; i++)
        CHECK_THAT(gs_config_set(t.s.config, options[i][0], options[i][1], NULL) == GS_OK, "--%s",
                   options[i][0]);
    for (size_t i = 0; i < 3; i++)
        t.stats[i] = (gs_training_stats){.accuracy = 0.125 + 0.4 * (double)i,
                                         .test_loss = (double)NAN,
                                         .test_accuracy = (double)NAN,
                                         .rate = 0.01,
                                         .grad_norm_log10 = -1.25 - (double)i,
                                         .grad_norm_clipped_log10 = -2,
                                         .clipped = 0.34};
    set(&t.s.stats[1], GS_GRAD_W_LOG10, -5.1);
    for (size_t i = 0; i < 4; i++)
        set(&t.s.stats[i], GS_MOVED, i == 0 ? 2.125e-8 : 0.1 * (double)i);
    for (size_t i = 0; i < 3; i++)
        set(&t.s.stats[i], GS_DEAD, 0.25 * (double)i);
    t.findings = findings_of(t.stats);
    return t;
}

/* The report of a run for each seed; the caller frees it. */
static char *trained(training *t, gs_report_style style) {
    static const double losses[] = {2.5, 1.25, 0.125};
    char *text = NULL;
    size_t length;
    FILE *file = open_memstream(&text, &length);
    gs_report *report = gs_report_new(file, style, NULL);
    for (size_t run = 1; run <= t->s.config->seeds; run++)
        for (size_t i = 0; i < 3; i++) {
            t->s.training = &t->stats[i];
            t->s.findings = i == 2 ? &t->findings : NULL;
            t->s.summary.loss = losses[i];
            gs_record record = record_of(&t->s);
            record.run = record.seed = run;
            record.step = 500 * i;
            CHECK(gs_report_write(report, &record, NULL) == GS_OK);
        }
    gs_report_free(report);
    fclose(file);
    return text;
}

static void check_holds(training *t, gs_report_style style, const char *expected) {
    char *text = trained(t, style);
    CHECK_THAT(strstr(text, expected) != NULL, "expected '%s' in:\n%s", expected, text);
    for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
        CHECK_THAT(strcspn(line, "\n") <= 80, "%zu columns: %s", strcspn(line, "\n"), line);
    free(text);
}

#define TITLE "3 layers x 128, sigmoid, xavier-normal, head, steps 1000, opt sgd, lr 0.01,\n"

#define LAYERS                                                                                     \
    "layer    z std   sat    |dL/dW|     gain log|dL/dz|    moved  10^-13        10^0\n"           \
    "    1    1.250   33%  10^-400.2 1.00e-04     -12.50 2.12e-08  #\n"                            \
    "    2    1.250   33%   2.50e-03 1.00e-04      -8.50      0.1  ######\n"                       \
    "    3    1.250   33%   2.50e-03 1.00e-04      -4.50      0.2  ############\n"                 \
    " head    1.250     -   2.50e-03 1.00e-04      -0.50      0.3  #################\n"            \
    "\n"

#define SUMMARY                                                                                    \
    "loss       0.125\n"                                                                           \
    "gradient   10^-12.00 from output to input, -4 decades a layer\n"                              \
    "verdict    vanishing: the input gets less than 10^-3 of the output's gradient\n"              \
    "float32    keeps the gradient\n"                                                              \
    "bfloat16   keeps the gradient\n"                                                              \
    "float16    loses the gradient at layer 2, where half of dL/da becomes 0\n"

#define FOUND                                                                                      \
    "trained    1000 steps: loss 2.3 to 0.125\n"                                                   \
    "depth      2 of 4 layers, the head among them, moved by more than a tenth of\n"               \
    "           what the head did (0.31); layer 1 moved 2.1e-08\n"

/* Without labels there is no accuracy. */
static training training_of_mse(void) {
    training t = training_new(NULL, 0);
    for (size_t i = 0; i < 3; i++)
        t.stats[i].accuracy = (double)NAN;
    t.findings = findings_of(t.stats);
    return t;
}

static void test_training_is_a_line_a_step_and_then_what_it_comes_to(void) {
    setenv("LC_ALL", "C", 1);
    training t = training_of_mse();
    char *text = trained(&t, table);
    CHECK_STRING(text, TITLE "  batch 64, seed 1\n"
                             "\n"
                             "step     loss  log|g|  |dL/dW|, input to output\n"
                             "   0   2.5000   -1.25  .200\n"
                             " 500   1.2500   -2.25  .200\n"
                             "1000   0.1250   -3.25  .200\n"
                             "\n" LAYERS SUMMARY FOUND);
    free(text);
    gs_config_free(t.s.config);
}

static void test_strips_are_blocks_where_the_locale_says_utf8(void) {
    setenv("LC_ALL", "C.UTF-8", 1);
    training t = training_of_mse();
    char *text = trained(&t, table);
    CHECK(strstr(text, "  -1.25  \xc2\xb7\xe2\x96\x86\xe2\x96\x88\xe2\x96\x88\n") != NULL);
    free(text);
    setenv("LC_ALL", "C", 1);
    gs_config_free(t.s.config);
}

static void test_strips_are_red_unless_the_verdict_is_healthy(void) {
    gs_report_style color = table;
    color.color = true;
    training t = training_of_mse();
    char *text = trained(&t, color);
    CHECK(strstr(text, "  -1.25  \033[31m.200\033[0m\n") != NULL);
    free(text);
    t.s.summary.verdict = GS_HEALTHY;
    check_holds(&t, color, "  -1.25  .200\n");
    gs_config_free(t.s.config);
}

static void test_quiet_training_is_its_end(void) {
    gs_report_style quiet = table;
    quiet.quiet = true;
    training t = training_of_mse();
    char *text = trained(&t, quiet);
    CHECK_STRING(text, SUMMARY FOUND);
    free(text);
    t.s.config->seeds = 2;
    text = trained(&t, quiet);
    CHECK_STRING(text, "seed       1\n" SUMMARY FOUND "\nseed       2\n" SUMMARY FOUND
                       "\nseeds      1 to 2: mean +- standard deviation (std) of log10\n"
                       "log10      -12.00 +- 0 from output to input, -4 +- 0 a layer\n"
                       "verdict    vanishing 2 of 2\n");
    free(text);
    gs_config_free(t.s.config);
}

/* Of each run the last step counts for their spread. */
static void test_every_seed_has_a_run_of_its_own(void) {
    training t = training_of_mse();
    t.s.config->seeds = 2;
    char *text = trained(&t, table);
    char *second = strstr(text, "\n\n3 layers x 128");
    CHECK(second && strncmp(text, TITLE "  batch 64, seed 1\n", strlen(TITLE) + 19) == 0);
    CHECK(strstr(second, TITLE "  batch 64, seed 2\n\nstep ") != NULL);
    CHECK(strstr(second, "layer 1 moved 2.1e-08\n\nseeds      1 to 2: mean") != NULL);
    CHECK(strstr(second, "\nverdict    vanishing 2 of 2\n") != NULL);
    free(text);
    gs_config_free(t.s.config);
}

static void test_no_steps_are_no_training(void) {
    training t = training_of_mse();
    t.s.config->steps = 0;
    t.s.training = &t.stats[0];
    char *text = written(&t.s, table, 1);
    CHECK(strstr(text, " theory ") && !strstr(text, "moved") && !strstr(text, "steps"));
    free(text);
    gs_config_free(t.s.config);
}

/* ---- Columns ---- */

static void test_columns_are_those_that_the_options_fill(void) {
    static const struct {
        const char *options[5][2];
        size_t count;
        const char *expected;
    } known[] = {
        {{{"data", "x.csv"}},
         1,
         "step     loss    acc  log|g|  |dL/dW|, input to output\n"
         "   0   2.5000  12.5%   -1.25  .200\n"},
        {{{"data", "x.csv"}, {"test-share", "0.5"}},
         2,
         "step     loss    acc held out    acc  log|g|  |dL/dW|, input to output\n"
         "   0   2.5000  12.5%        -      -   -1.25  .200\n"},
        {{{"loss", "ce"}, {"act", "relu"}},
         2,
         "step     loss    acc  log|g| dead  |dL/dW|, input to output\n"
         "   0   2.5000  12.5%   -1.25  25%  .200\n"},
        {{{"act", "leaky-relu:0"}}, 1, "step     loss  log|g| dead  |dL/dW|, input to output\n"},
        {{{"act", "leaky-relu"}}, 1, "step     loss  log|g|  |dL/dW|, input to output\n"},
        {{{"clip", "norm:1"}},
         1,
         "step     loss  log|g| clip to clips  |dL/dW|, input to output\n"
         "   0   2.5000   -1.25   -2.00   34%  .200\n"},
        {{{"schedule", "cosine"}},
         1,
         "step     loss       lr  log|g|  |dL/dW|, input to output\n"
         "   0   2.5000     0.01   -1.25  .200\n"},
        {{{"warmup", "5"}}, 1, "step     loss       lr  log|g|  |dL/dW|, input to output\n"},
        {{{"steps", "1000000"}},
         1,
         "   step     loss  log|g|  |dL/dW|, input to output\n"
         "      0   2.5000   -1.25  .200\n"},
        /* Where there is no room for all of them, some make room for the strip. */
        {{{"data", "x.csv"},
          {"test-data", "y.csv"},
          {"act", "relu"},
          {"clip", "norm:1"},
          {"schedule", "cosine"}},
         5,
         "step     loss    acc held out    acc  log|g| clip to clips dead  |dL/dW|\n"
         "   0   2.5000  12.5%        -      -   -1.25   -2.00   34%  25%  .200\n"},
        {{{"data", "x.csv"},
          {"test-data", "y.csv"},
          {"act", "relu"},
          {"clip", "norm:1"},
          {"steps", "1000000000000000"}},
         5,
         "            step     loss    acc held out    acc  log|g| clips dead  |dL/dW|\n"
         "               0   2.5000  12.5%        -      -   -1.25   34%  25%  .200\n"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        training t = training_new(known[i].options, known[i].count);
        check_holds(&t, table, known[i].expected);
        gs_config_free(t.s.config);
    }
}

/* Cells keep their widths, so lines stay below one another and within 80 columns. */
static void test_numbers_fit_their_columns(void) {
    static const struct {
        double number;
        const char *loss, *rate;
    } known[] = {{0, "0.0000", "0"},
                 {123.456, "123.4560", "123"},
                 {1234.5, "1.23e+03", "1.23e+03"},
                 {0.01, "0.0100", "0.01"},
                 {0.00123, "1.23e-03", "0.00123"},
                 {1.25e-10, "1.25e-10", "1.25e-10"},
                 {-1.5e-100, "-2e-100", "-2e-100"},
                 {-999.9999, "-1.0e+03", "-1e+03"},
                 {1.25e-300, "1.2e-300", "1.2e-300"},
                 {NAN, "-", "-"},
                 {INFINITY, "inf", "inf"}};
    const char *const options[][2] = {
        {"data", "x.csv"}, {"test-share", "0.5"}, {"schedule", "cosine"}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        char expected[64];
        training t = training_new(options, 3);
        t.stats[0].test_loss = t.stats[0].rate = known[i].number;
        snprintf(expected, sizeof expected, "   0   2.5000  12.5%% %8s      - %8s   -1.25  .200\n",
                 known[i].loss, known[i].rate);
        check_holds(&t, table, expected);
        gs_config_free(t.s.config);
    }
}

static void test_logarithms_fit_their_columns(void) {
    static const double logs[] = {-0.001, -400.25, -6300.25, -600618.5, -6006185.3, -INFINITY, NAN};
    static const char *const expected[] = {"   0.00", "-400.25", "-6300.2", "-600618",
                                           " -6e+06", "   -inf", "      -"};
    for (size_t i = 0; i < sizeof logs / sizeof *logs; i++) {
        char line[64];
        training t = training_of_mse();
        t.stats[0].grad_norm_log10 = logs[i];
        snprintf(line, sizeof line, "   0   2.5000 %s  .200\n", expected[i]);
        check_holds(&t, table, line);
        gs_config_free(t.s.config);
    }
}

static void test_strips_show_what_is_zero_or_not_finite(void) {
    training t = training_of_mse();
    set(&t.s.stats[0], GS_GRAD_W_LOG10, -INFINITY);
    set(&t.s.stats[1], GS_GRAD_W_LOG10, (double)NAN);
    check_holds(&t, table, "   0   2.5000   -1.25  z!00\n");
    gs_config_free(t.s.config);
}

/* ---- What was found ---- */

static void test_accuracies_are_told_where_there_are_labels(void) {
    const char *const options[][2] = {{"data", "x.csv"}, {"test-share", "0.5"}};
    training t = training_new(options, 2);
    t.findings.last.test_loss = 0.25;
    check_holds(&t, table,
                "\ntrained    1000 steps: loss 2.3 to 0.125, accuracy 12.5% to 92.5%\n"
                "held out   loss 0.25\n"
                "depth ");
    t.findings.last.test_accuracy = 0.93456;
    check_holds(&t, table, "\nheld out   loss 0.25, accuracy 93.5%\ndepth ");
    gs_config_free(t.s.config);
}

static void test_spans_say_what_is_missing(void) {
    training t = training_of_mse();
    t.findings.last_step = 57;
    check_holds(&t, table, "\ntrained    57 of 1000 steps: loss");
    t.findings.first_step = 50;
    check_holds(&t, table, "\ntrained    steps 50 to 57 of 1000: loss");
    t.findings.last_step = 1000;
    check_holds(&t, table, "\ntrained    steps 50 to 1000: loss");
    t.findings.first_step = 0;
    t.findings.last_step = t.s.config->steps = 1;
    check_holds(&t, table, "\ntrained    1 step: loss");
    gs_config_free(t.s.config);
}

static void test_a_plateau_is_told(void) {
    training t = training_of_mse();
    t.findings.has_plateau = true;
    t.findings.plateau_first = 5;
    t.findings.plateau_last = 420;
    t.findings.plateau_loss = 2.3026;
    check_holds(&t, table,
                "\nplateau    steps 5 to 420 at a loss of 2.3, while the gradient "
                "vanishes\ndepth ");
    gs_config_free(t.s.config);
}

static void test_depth_is_of_layers_that_moved(void) {
    training t = training_of_mse();
    t.findings.moving_layers = 0;
    check_holds(&t, table, "\ndepth      no layer moved\n");
    t.findings.layers = 0;
    char *text = trained(&t, table);
    CHECK(strstr(text, "\ndepth") == NULL);
    free(text);
    gs_config_free(t.s.config);
}

static void test_dead_units_are_told(void) {
    training t = training_of_mse();
    t.findings.first_dead = 0.031;
    t.findings.last_dead = 0.125;
    check_holds(&t, table, "\ndead       12.5% of the units, 3.1% at the start\n");
    t.findings.dead_layer = 3;
    t.findings.dead_share = 0.45;
    check_holds(&t, table, "\ndead       12.5% of the units, 3.1% at the start; layer 3: 45%\n");
    gs_config_free(t.s.config);
}

static void test_clipping_is_told_where_it_is_on(void) {
    const char *const options[][2] = {{"clip", "agc:0.01"}};
    training t = training_new(options, 1);
    check_holds(&t, table, "\nclipped    34% of the updates\n");
    gs_config_free(t.s.config);
}

static void test_where_numbers_ceased_to_be_finite_is_told_in_red(void) {
    gs_report_style color = table;
    color.color = true;
    training t = training_of_mse();
    t.findings.is_finite = false;
    t.findings.nonfinite_step = 57;
    check_holds(&t, table, "\nstopped    step 57: the gradient is not finite\n");
    t.findings.nonfinite_layer = 2;
    check_holds(&t, table, "\nstopped    step 57: the signal is not finite from layer 2 on\n");
    t.findings.nonfinite_layer = 4;
    t.findings.last_loss = (double)NAN;
    check_holds(&t, table, "\ntrained    1000 steps: loss 2.3 to nan\n");
    t.s.summary.verdict = GS_HEALTHY;
    check_holds(&t, color,
                "\nstopped    \033[31mstep 57\033[0m: the signal is not finite from the "
                "head on\n");
    gs_config_free(t.s.config);
}

/* ---- Titles and columns ---- */

static void test_title_says_how_it_is_trained(void) {
    const char *const options[][2] = {
        {"opt", "adamw"},   {"l2", "0.1"},      {"warmup", "5"},
        {"lr", "0.002"},    {"data", "x.csv"},  {"schedule", "linear"},
        {"shuffle", "off"}, {"log-every", "7"}, {"test-share", "0.2"}};
    training t = training_new(options, sizeof options / sizeof *options);
    check_holds(&t, table,
                "3 layers x 128, sigmoid, xavier-normal, head, data x.csv, loss mse, shuffle off,\n"
                "  test-share 0.2, steps 1000, opt adamw, lr 0.002, l2 0.1, warmup 5,\n"
                "  schedule linear, batch 64, seed 1\n\n");
    gs_config_free(t.s.config);
}

static void test_a_report_needs_what_it_shows(void) {
    uint64_t diagnosed = (uint64_t)1 << GS_MOVED | (uint64_t)1 << GS_DEAD;
    uint64_t shown = gs_report_columns(GS_FORMAT_TABLE, false);
    CHECK(gs_report_columns(GS_FORMAT_TABLE, true) == diagnosed);
    CHECK((shown & diagnosed) == diagnosed && (shown >> GS_GRAD_W_LOG10 & 1));
    CHECK(gs_report_columns(GS_FORMAT_CSV, true) == GS_ALL_COLUMNS);
}

static gs_status train_to_nowhere(training *t) {
    FILE *file = fopen("/dev/null", "w");
    gs_report *report = gs_report_new(file, table, NULL);
    gs_record record = record_of(&t->s);
    gs_status status = report ? gs_report_write(report, &record, NULL) : GS_ERR_MEMORY;
    gs_report_free(report);
    fclose(file);
    return status;
}

static void test_every_allocation_may_fail(void) {
    training t = training_of_mse();
    t.s.training = &t.stats[2];
    t.s.findings = &t.findings;
    bool failed = true;
    for (size_t nth = 1; failed; nth++) {
        test_fail_allocation(nth);
        gs_status status = train_to_nowhere(&t);
        failed = test_allocation_failed();
        test_fail_allocation(0);
        CHECK_THAT(status == (failed ? GS_ERR_MEMORY : GS_OK), "allocation %zu", nth);
    }
    gs_config_free(t.s.config);
}

TEST_MAIN(TEST(test_training_is_a_line_a_step_and_then_what_it_comes_to),
          TEST(test_strips_are_blocks_where_the_locale_says_utf8),
          TEST(test_strips_are_red_unless_the_verdict_is_healthy),
          TEST(test_quiet_training_is_its_end), TEST(test_every_seed_has_a_run_of_its_own),
          TEST(test_no_steps_are_no_training), TEST(test_columns_are_those_that_the_options_fill),
          TEST(test_numbers_fit_their_columns), TEST(test_logarithms_fit_their_columns),
          TEST(test_strips_show_what_is_zero_or_not_finite),
          TEST(test_accuracies_are_told_where_there_are_labels),
          TEST(test_spans_say_what_is_missing), TEST(test_a_plateau_is_told),
          TEST(test_depth_is_of_layers_that_moved), TEST(test_dead_units_are_told),
          TEST(test_clipping_is_told_where_it_is_on),
          TEST(test_where_numbers_ceased_to_be_finite_is_told_in_red),
          TEST(test_title_says_how_it_is_trained), TEST(test_a_report_needs_what_it_shows),
          TEST(test_every_allocation_may_fail))
