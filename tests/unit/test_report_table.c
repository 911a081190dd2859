#include "test_record.h"

/* Theory predicts a quarter of a decade more than there is; there is none for a head. */
static sample sample_with_theory(void) {
    sample s = sample_new();
    for (size_t i = 0; i < 3; i++)
        set(&s.stats[i], GS_THEORY_GRAD_LOG10, -0.25 - 4 * (double)(3 - i));
    return s;
}

static void check_written(const sample *s, gs_report_style style, const char *expected) {
    char *text = written(s, style, 1);
    CHECK_STRING(text, expected);
    free(text);
}

static const gs_report_style table = {.format = GS_FORMAT_TABLE};

static void use_locale(const char *all, const char *ctype, const char *lang) {
    setenv("LC_ALL", all, 1);
    setenv("LC_CTYPE", ctype, 1);
    setenv("LANG", lang, 1);
}

#define SUMMARY                                                                                    \
    "loss       1.5\n"                                                                             \
    "gradient   10^-12.00 from output to input, -4 decades a layer\n"                              \
    "verdict    vanishing: the input gets less than 10^-3 of the output's gradient\n"              \
    "float32    keeps the gradient\n"                                                              \
    "bfloat16   keeps the gradient\n"                                                              \
    "float16    loses the gradient at layer 2, where half of dL/da becomes 0\n"

/* Bars from 10^-13 to 10^0: of 18 characters 1 + floor(17 x) at the share x = 1/26, 9/26, 17/26 and
   25/26 of the way. */
static void test_table_is_a_title_a_line_a_layer_and_a_summary(void) {
    sample s = sample_with_theory();
    use_locale("", "", "C");
    check_written(
        &s, table,
        "3 layers x 128, sigmoid, xavier-normal, head, batch 64,\n"
        "  seed 18446744073709551615\n"
        "\n"
        "layer    z std   sat    |dL/dW|     gain log|dL/dz|   theory  10^-13        10^0\n"
        "    1    1.250   33%  10^-400.2 1.00e-04     -12.50   -12.25  #\n"
        "    2    1.250   33%   2.50e-03 1.00e-04      -8.50    -8.25  ######\n"
        "    3    1.250   33%   2.50e-03 1.00e-04      -4.50    -4.25  ############\n"
        " head    1.250     -   2.50e-03 1.00e-04      -0.50        -  #################\n"
        "\n" SUMMARY);
    gs_config_free(s.config);
}

static void test_quiet_table_is_the_summary_of_a_seed_if_there_are_several(void) {
    sample s = sample_with_theory();
    gs_report_style quiet = table;
    quiet.quiet = true;
    check_written(&s, quiet, SUMMARY);
    char *twice = written(&s, quiet, 2);
    CHECK_STRING(twice, SUMMARY "\n" SUMMARY);
    free(twice);
    s.config->seeds = 3; /* the record is the second */
    check_written(&s, quiet, "seed       18446744073709551615\n" SUMMARY);
    gs_config_free(s.config);
}

/* Eighths: 1 + floor(143 x) of them; U+2588 is a whole block, U+258F an eighth. */
static void test_bars_are_blocks_where_the_locale_says_utf8(void) {
    sample s = sample_with_theory();
    use_locale("", "", "C");
    char *plain = written(&s, table, 1);
    static const char *const utf8[][3] = {
        {"C.UTF-8", "C", "C"}, {"", "de_DE.utf8", "C"}, {"", "", "en_US.UTF-8"}};
    for (size_t i = 0; i < 3; i++) {
        use_locale(utf8[i][0], utf8[i][1], utf8[i][2]);
        char *blocks = written(&s, table, 1);
        CHECK(strstr(blocks, "-12.25  \xe2\x96\x8a\n") != NULL); /* 6 eighths */
        CHECK(strstr(blocks, "-8.25  \xe2\x96\x88\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88"
                             "\xe2\x96\x88\xe2\x96\x8e\n") != NULL); /* 50: 6 blocks and 2 */
        free(blocks);
    }
    static const char *const others[][3] = {{"C", "C.UTF-8", "C.UTF-8"}, {"", "", "UTF-8"}};
    for (size_t i = 0; i < 2; i++) {
        use_locale(others[i][0], others[i][1], others[i][2]);
        check_written(&s, table, plain);
    }
    free(plain);
    gs_config_free(s.config);
}

/* Red: a verdict that is not healthy, and then layers whose gradient is past the threshold from
   that of the last. */
static void test_colors_mark_what_is_past_the_threshold(void) {
    sample s = sample_with_theory();
    gs_report_style color = table;
    color.color = true;
    use_locale("", "", "C");
    char *text = written(&s, color, 1);
    CHECK(strstr(text, "  \033[31m############\033[0m\n") != NULL);
    CHECK(strstr(text, "  #################\n") != NULL);
    CHECK(strstr(text, "\nverdict    \033[31mvanishing\033[0m: ") != NULL);
    free(text);
    s.summary.verdict = GS_HEALTHY;
    s.summary.threshold_log10 = 13;
    text = written(&s, color, 1);
    CHECK(strchr(text, '\033') == NULL);
    free(text);
    s.summary.threshold_log10 = 3;
    text = written(&s, color, 1);
    CHECK(strchr(text, '\033') == NULL);
    free(text);
    gs_config_free(s.config);
}

/* A branch with alpha = 0 gets nothing because it counts for nothing: that is no alarm, whatever
   the verdict is. */
static void test_zeros_by_design_are_no_alarm(void) {
    static const char *const scales[][2] = {{"rezero", "  zero: alpha is 0\n"},
                                            {"0", "  zero: alpha is 0\n"},
                                            {"1", "  \033[31mzero\033[0m\n"}};
    for (size_t i = 0; i < 3; i++) {
        sample s = sample_with_theory();
        gs_report_style color = table;
        color.color = true;
        CHECK(gs_config_set(s.config, "residual", "add", NULL) == GS_OK);
        CHECK(gs_config_set(s.config, "branch-scale", scales[i][0], NULL) == GS_OK);
        set(&s.stats[1], GS_GRAD_Z_LOG10, -INFINITY);
        char *text = written(&s, color, 1);
        CHECK_THAT(strstr(text, scales[i][1]) != NULL, "%s: %s", scales[i][0], text);
        free(text);
        gs_config_free(s.config);
    }
}

static void check_line(const sample *s, const char *expected) {
    char *text = written(s, table, 1);
    CHECK_THAT(strstr(text, expected) != NULL, "expected '%s' in:\n%s", expected, text);
    free(text);
}

static void test_verdict_says_what_it_means(void) {
    sample s = sample_with_theory();
    s.summary.verdict = GS_EXPLODING;
    check_line(&s, "\nverdict    exploding: the input gets more than 10^3 times the output's "
                   "gradient\n");
    s.summary.verdict = GS_HEALTHY;
    check_line(&s, "\nverdict    healthy: the input gets 10^-3 to 10^3 times the output's "
                   "gradient\n");
    s.summary.verdict = GS_NONFINITE;
    check_line(&s, "\nverdict    nonfinite: the gradient is not finite\n");
    s.summary.nonfinite_layer = 2;
    check_line(&s, "\nverdict    nonfinite: the signal is not finite from layer 2 on\n");
    s.summary.nonfinite_layer = 4;
    check_line(&s, "\nverdict    nonfinite: the signal is not finite from the head on\n");
    gs_config_free(s.config);
}

/* ---- Reasons ---- */

static void test_examples_say_how_they_differ(void) {
    sample s = sample_with_theory();
    s.summary.examples = 64;
    s.summary.low_log10 = -13.25;
    s.summary.high_log10 = -11;
    check_line(&s, " a layer\nexamples   52 of 64 get 10^-13.25 to 10^-11.00\nverdict ");
    s.summary.low_log10 = -INFINITY;
    s.summary.silent_examples = 7;
    check_line(&s, "\nexamples   52 of 64 get 0 to 10^-11.00; 7 of 64 get no gradient\nverdict ");
    s.summary.examples = 1;
    check_line(&s, " a layer\nverdict ");
    s.summary.examples = 64;
    s.summary.ratio_log10 = s.summary.high_log10 = -INFINITY;
    check_line(&s, "\ngradient   zero at the input\nverdict ");
    gs_config_free(s.config);
}

/* e = 10^0.4343. The rate is that of half the whole at least. */
static void test_rate_is_left_out_where_the_gradient_does_not_fall_evenly(void) {
    sample s = sample_with_theory();
    s.summary.layers_per_e = -0.1;
    check_line(&s, "\nrate       it falls by e every 0.1 layers\nfloat32 ");
    s.summary.layers_per_e = -0.2171; /* two decades a layer, of four */
    check_line(&s, "\nrate       it falls by e every 0.217 layers\n");
    s.summary.layers_per_e = -0.2172;
    check_line(&s, "gradient\nfloat32 ");
    s.summary.layers_per_e = 0.1;
    check_line(&s, "gradient\nfloat32 ");
    s.summary.verdict = GS_EXPLODING;
    s.summary.decades_per_layer = 4;
    check_line(&s, "\nrate       it grows by e every 0.1 layers\n");
    gs_config_free(s.config);
}

static gs_layer_gain gain_of(size_t first, size_t last, double slope, double weights) {
    gs_layer_gain gain = {first, last, slope * weights, {slope, weights, NAN, NAN}, 0};
    return gain;
}

static void test_reasons_name_layers_and_factors(void) {
    sample s = sample_with_theory();
    s.summary.typical = gain_of(0, 0, 0.25, 1.04);
    s.summary.typical_layers = 3;
    s.summary.layers_alike = true;
    check_line(&s, "\nwhy        every layer passes on 0.26: activation slope 0.25, weights 1\n");
    s.summary.layers_alike = false;
    check_line(&s, "\nwhy        the typical layer passes on 0.26: activation slope 0.25, "
                   "weights 1\n");
    s.summary.typical_layers = 0;
    s.summary.worst_count = 2;
    s.summary.worst[0] = gain_of(3, 3, 0.5, 1e-9);
    s.summary.worst[0].cause = GS_PART_WEIGHTS;
    s.summary.worst[1] = gain_of(1, 2, NAN, NAN);
    s.summary.worst[1].gain = s.summary.worst[1].factor[GS_PART_BLOCK] = 0;
    s.summary.worst[1].cause = GS_PART_BLOCK;
    check_line(&s, "of the output's gradient\n"
                   "worst      layer 3 passes on 5e-10: weights 1e-09, activation slope 0.5\n"
                   "           the block of layers 1 to 2 passes on 0: skip and branch 0\n"
                   "float32 ");
    gs_config_free(s.config);
}

static void test_factors_that_do_not_fit_have_a_line_of_their_own(void) {
    sample s = sample_with_theory();
    s.summary.worst_count = 1;
    s.summary.worst[0] = gain_of(3, 3, 1.5e-3, 1e-9);
    s.summary.worst[0].factor[GS_PART_NORM] = 1.25;
    check_line(&s, "\nworst      layer 3 passes on 1.5e-12:\n"
                   "           activation slope 0.0015, weights 1e-09, norm 1.2\n");
    gs_config_free(s.config);
}

static void test_healthy_gradients_need_no_reason(void) {
    sample s = sample_with_theory();
    s.summary.verdict = GS_HEALTHY;
    s.summary.layers_per_e = -0.1;
    s.summary.typical_layers = s.summary.worst_count = 1;
    check_line(&s, "the output's gradient\nfloat32 ");
    gs_config_free(s.config);
}

static void test_shattered_gradients_are_said_beside_any_verdict(void) {
    sample s = sample_with_theory();
    s.summary.verdict = GS_HEALTHY;
    s.summary.shattered = true;
    s.summary.corr_output = 0.97;
    s.summary.corr_input = 0.004;
    s.summary.corr_layers_per_e = 6.125;
    check_line(&s,
               "\nshattered  two examples' gradients correlate 0.97 at the output, 0.004 at the\n"
               "           input: that falls by e every 6.12 layers\nfloat32 ");
    gs_config_free(s.config);
}

/* ---- Cells ---- */

static void test_layers_that_are_zero_or_not_finite_say_so(void) {
    sample s = sample_with_theory();
    use_locale("", "", "C");
    set(&s.stats[0], GS_GRAD_W, 0);
    set(&s.stats[0], GS_GRAD_W_LOG10, -INFINITY);
    set(&s.stats[0], GS_GRAD_Z_LOG10, -INFINITY);
    set(&s.stats[1], GS_Z_STD, NAN);
    set(&s.stats[1], GS_GRAD_W, INFINITY);
    set(&s.stats[1], GS_GRAD_W_LOG10, INFINITY);
    set(&s.stats[1], GS_GRAD_Z_LOG10, NAN);
    s.summary.ratio_log10 = -INFINITY;
    check_line(&s, "33%          0 1.00e-04       -inf   -12.25  zero\n");
    check_line(&s, "    2      nan   33%        inf 1.00e-04        nan    -8.25  not finite\n");
    check_line(&s, "\ngradient   zero at the input\n");
    s.summary.ratio_log10 = NAN;
    check_line(&s, "\ngradient   zero at the output: the loss does not change with it\n");
    s.summary.verdict = GS_NONFINITE;
    check_line(&s, "\ngradient   not finite at the input\n");
    gs_config_free(s.config);
}

static void test_norms_too_large_for_a_double_are_powers_of_ten(void) {
    sample s = sample_with_theory();
    set(&s.stats[2], GS_GRAD_W, INFINITY);
    set(&s.stats[2], GS_GRAD_W_LOG10, 6300.04);
    check_line(&s, " 33%  10^6300.0 ");
    gs_config_free(s.config);
}

/* Wide cells push the others on, but there is a blank before each. */
static void test_cells_never_touch(void) {
    sample s = sample_with_theory();
    use_locale("", "", "C");
    set(&s.stats[0], GS_GRAD_W, 0);
    set(&s.stats[0], GS_GRAD_W_LOG10, -6006186.1);
    set(&s.stats[0], GS_GRAD_Z_LOG10, -6006185.3);
    set(&s.stats[0], GS_THEORY_GRAD_LOG10, -6006185.3);
    set(&s.stats[0], GS_Z_STD, -1.5e-100);
    set(&s.stats[1], GS_GRAD_Z_LOG10, 6006185.3);
    check_line(&s, "\n    1 -1.5e-100   33% 10^-6006186.1 1.00e-04 -6006185.30 -6006185.30  #\n");
    check_line(&s, "   theory  10^-6006186 10^6006186\n");
    gs_config_free(s.config);
}

/* Gradients that hardly differ have bars that hardly differ, and no -0 is seen. */
static void test_scale_spans_three_decades_at_least(void) {
    sample s = sample_with_theory();
    use_locale("", "", "C");
    for (size_t i = 0; i < 4; i++)
        set(&s.stats[i], GS_GRAD_Z_LOG10, -0.001 - 0.02 * (double)i);
    s.summary.ratio_log10 = -0.001;
    check_line(&s, "  10^-3         10^0\n");
    check_line(&s, "       0.00   -12.25  #################\n");
    check_line(&s, "      -0.06        -  #################\n");
    check_line(&s, "\ngradient   10^0.00 from output to input");
    gs_config_free(s.config);
}

static void test_title_names_what_is_not_usual_in_lines_of_80(void) {
    sample s = sample_with_theory();
    const char *const set_to[][2] = {{"layers", "1"},        {"act", "leaky-relu:0.2"},
                                     {"norm", "layer"},      {"residual", "add"},
                                     {"width", "64"},        {"data", "a\033[1m/digits.csv"},
                                     {"branch-scale", "1/L"}};
    for (size_t i = 0; i < sizeof set_to / sizeof *set_to; i++)
        CHECK(gs_config_set(s.config, set_to[i][0], set_to[i][1], NULL) == GS_OK);
    s.config->inputs = s.config->outputs = 64;
    gs_record record = record_of(&s);
    record.seed = 7;
    record.step = 100;
    char *text = NULL;
    size_t length;
    FILE *file = open_memstream(&text, &length);
    gs_report *report = gs_report_new(file, table, NULL);
    CHECK(gs_report_write(report, &record, NULL) == GS_OK);
    gs_report_free(report);
    fclose(file);
    *strstr(text, "\n\n") = '\0';
    CHECK_STRING(text,
                 "1 layer x 64, leaky-relu:0.2, xavier-normal, head, norm layer, residual add,\n"
                 "  branch-scale 1/L, data a?[1m/digits.csv, loss mse, batch 64, seed 7, step 100");
    free(text);
    gs_config_free(s.config);
}

TEST_MAIN(TEST(test_table_is_a_title_a_line_a_layer_and_a_summary),
          TEST(test_quiet_table_is_the_summary_of_a_seed_if_there_are_several),
          TEST(test_bars_are_blocks_where_the_locale_says_utf8),
          TEST(test_colors_mark_what_is_past_the_threshold),
          TEST(test_zeros_by_design_are_no_alarm), TEST(test_verdict_says_what_it_means),
          TEST(test_examples_say_how_they_differ),
          TEST(test_rate_is_left_out_where_the_gradient_does_not_fall_evenly),
          TEST(test_reasons_name_layers_and_factors),
          TEST(test_factors_that_do_not_fit_have_a_line_of_their_own),
          TEST(test_healthy_gradients_need_no_reason),
          TEST(test_shattered_gradients_are_said_beside_any_verdict),
          TEST(test_layers_that_are_zero_or_not_finite_say_so),
          TEST(test_norms_too_large_for_a_double_are_powers_of_ten), TEST(test_cells_never_touch),
          TEST(test_scale_spans_three_decades_at_least),
          TEST(test_title_names_what_is_not_usual_in_lines_of_80))
