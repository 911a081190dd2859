#include "test_record.h"

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
    sample s = sample_new();
    use_locale("", "", "C");
    check_written(
        &s, table,
        "3 layers x 128, sigmoid, xavier-normal, head, batch 64,\n"
        "  seed 18446744073709551615\n"
        "\n"
        "layer    z std    a std   sat    |dL/dW|     gain log|dL/dz|  10^-13        10^0\n"
        "    1    1.250    0.125   33%  10^-400.2 1.00e-04     -12.50  #\n"
        "    2    1.250    0.125   33%   2.50e-03 1.00e-04      -8.50  ######\n"
        "    3    1.250    0.125   33%   2.50e-03 1.00e-04      -4.50  ############\n"
        " head    1.250        -     -   2.50e-03 1.00e-04      -0.50  #################\n"
        "\n" SUMMARY);
    gs_config_free(s.config);
}

static void test_quiet_table_is_the_summary_of_a_seed_if_there_are_several(void) {
    sample s = sample_new();
    gs_report_style quiet = table;
    quiet.quiet = true;
    check_written(&s, quiet, SUMMARY);
    char *twice = written(&s, quiet, 2);
    CHECK_STRING(twice, SUMMARY "\n" SUMMARY);
    free(twice);
    s.config->seeds = 2;
    check_written(&s, quiet, "seed       18446744073709551615\n" SUMMARY);
    gs_config_free(s.config);
}

/* Eighths: 1 + floor(143 x) of them; U+2588 is a whole block, U+258F an eighth. */
static void test_bars_are_blocks_where_the_locale_says_utf8(void) {
    sample s = sample_new();
    use_locale("", "", "C");
    char *plain = written(&s, table, 1);
    static const char *const utf8[][3] = {
        {"C.UTF-8", "C", "C"}, {"", "de_DE.utf8", "C"}, {"", "", "en_US.UTF-8"}};
    for (size_t i = 0; i < 3; i++) {
        use_locale(utf8[i][0], utf8[i][1], utf8[i][2]);
        char *blocks = written(&s, table, 1);
        CHECK(strstr(blocks, "-12.50  \xe2\x96\x8a\n") != NULL); /* 6 eighths */
        CHECK(strstr(blocks, "-8.50  \xe2\x96\x88\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88"
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

/* Red: the verdict, and layers whose gradient is past the threshold from that of the last. */
static void test_colors_mark_what_is_past_the_threshold(void) {
    sample s = sample_new();
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
    gs_config_free(s.config);
}

static void check_line(const sample *s, const char *expected) {
    char *text = written(s, table, 1);
    CHECK_THAT(strstr(text, expected) != NULL, "expected '%s' in:\n%s", expected, text);
    free(text);
}

static void test_verdict_says_what_it_means(void) {
    sample s = sample_new();
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

static void test_layers_that_are_zero_or_not_finite_say_so(void) {
    sample s = sample_new();
    use_locale("", "", "C");
    set(&s.stats[0], GS_GRAD_W, 0);
    set(&s.stats[0], GS_GRAD_W_LOG10, -INFINITY);
    set(&s.stats[0], GS_GRAD_Z_LOG10, -INFINITY);
    set(&s.stats[1], GS_Z_STD, NAN);
    set(&s.stats[1], GS_GRAD_W, INFINITY);
    set(&s.stats[1], GS_GRAD_W_LOG10, INFINITY);
    set(&s.stats[1], GS_GRAD_Z_LOG10, NAN);
    s.summary.ratio_log10 = -INFINITY;
    check_line(&s, "33%          0 1.00e-04       -inf  zero\n");
    check_line(&s, "    2      nan    0.125   33%        inf 1.00e-04        nan  not finite\n");
    check_line(&s, "\ngradient   zero at the input\n");
    s.summary.ratio_log10 = NAN;
    check_line(&s, "\ngradient   zero at the output: the loss does not change with it\n");
    s.summary.verdict = GS_NONFINITE;
    check_line(&s, "\ngradient   not finite at the input\n");
    gs_config_free(s.config);
}

static void test_norms_too_large_for_a_double_are_powers_of_ten(void) {
    sample s = sample_new();
    set(&s.stats[2], GS_GRAD_W, INFINITY);
    set(&s.stats[2], GS_GRAD_W_LOG10, 6300.04);
    check_line(&s, " 33%  10^6300.0 ");
    gs_config_free(s.config);
}

/* Wide cells push the others on, but there is a blank before each. */
static void test_cells_never_touch(void) {
    sample s = sample_new();
    use_locale("", "", "C");
    set(&s.stats[0], GS_GRAD_W, 0);
    set(&s.stats[0], GS_GRAD_W_LOG10, -6006186.1);
    set(&s.stats[0], GS_GRAD_Z_LOG10, -6006185.3);
    set(&s.stats[0], GS_Z_STD, -1.5e-100);
    set(&s.stats[1], GS_GRAD_Z_LOG10, 6006185.3);
    check_line(&s, "\n    1 -1.5e-100    0.125   33% 10^-6006186.1 1.00e-04 -6006185.30  #\n");
    check_line(&s, " log|dL/dz|  10^-6006186 10^6006186\n");
    gs_config_free(s.config);
}

/* Gradients that hardly differ have bars that hardly differ, and no -0 is seen. */
static void test_scale_spans_three_decades_at_least(void) {
    sample s = sample_new();
    use_locale("", "", "C");
    for (size_t i = 0; i < 4; i++)
        set(&s.stats[i], GS_GRAD_Z_LOG10, -0.001 - 0.02 * (double)i);
    s.summary.ratio_log10 = -0.001;
    check_line(&s, "  10^-3         10^0\n");
    check_line(&s, "       0.00  #################\n");
    check_line(&s, "      -0.06  #################\n");
    check_line(&s, "\ngradient   10^0.00 from output to input");
    gs_config_free(s.config);
}

static void test_title_names_what_is_not_usual_in_lines_of_80(void) {
    sample s = sample_new();
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
          TEST(test_colors_mark_what_is_past_the_threshold), TEST(test_verdict_says_what_it_means),
          TEST(test_layers_that_are_zero_or_not_finite_say_so),
          TEST(test_norms_too_large_for_a_double_are_powers_of_ten), TEST(test_cells_never_touch),
          TEST(test_scale_spans_three_decades_at_least),
          TEST(test_title_names_what_is_not_usual_in_lines_of_80))
