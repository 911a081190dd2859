/*
 * The spread over seeds: its sums, and what is written of it.
 */
#include "test_record.h"

#include "report/spread.h"

static void test_moments_are_those_of_a_sample(void) {
    gs_sample m = {0};
    CHECK(isnan(gs_sample_mean(&m)) && isnan(gs_sample_std(&m)));
    gs_sample_add(&m, 3);
    CHECK(gs_sample_mean(&m) == 3 && isnan(gs_sample_std(&m)));
    gs_sample_add(&m, 5);
    CHECK(gs_sample_mean(&m) == 4);
    CHECK_CLOSE(gs_sample_std(&m), sqrt(2), 1e-15);
}

/* Variance 30 about 10^9 + 10: sums of squares of such numbers would have lost it. */
static void test_moments_do_not_cancel(void) {
    static const double values[] = {4, 7, 13, 16};
    gs_sample m = {0};
    for (size_t i = 0; i < 4; i++)
        gs_sample_add(&m, 1e9 + values[i]);
    CHECK(gs_sample_mean(&m) == 1e9 + 10);
    CHECK_CLOSE(gs_sample_std(&m), sqrt(30), 1e-15);
}

static void test_what_is_not_finite_is_left_out(void) {
    gs_sample m = {0};
    gs_sample_add(&m, -INFINITY);
    gs_sample_add(&m, 1);
    gs_sample_add(&m, (double)NAN);
    gs_sample_add(&m, 2);
    gs_sample_add(&m, INFINITY);
    CHECK(m.count == 2 && gs_sample_mean(&m) == 1.5);
}

/* ---- Writing ---- */

/* What stands behind the last of three networks: the first two as in test_record.h but for a ratio
   of 10^-12 and 10^-13, the third healthy, and zero or infinite where a mean would not be. */
static char *spread_of_three(bool quiet) {
    char *text = NULL;
    size_t length;
    FILE *file = open_memstream(&text, &length);
    gs_report_style style = {.format = GS_FORMAT_TABLE, .quiet = quiet};
    gs_report *report = gs_report_new(file, style, NULL);
    sample s = sample_new();
    gs_record record = record_of(&s);
    s.config->seeds = 3;
    for (size_t run = 1; run <= 3; run++) {
        record.run = run;
        record.seed = 10 + run;
        if (run == 2) {
            s.summary.ratio_log10 = -13;
            s.summary.decades_per_layer = -13. / 3;
            s.summary.shattered = true;
            set(&s.stats[1], GS_GRAD_Z_LOG10, -9.5);
        }
        if (run == 3) {
            s.summary.verdict = GS_NONFINITE;
            s.summary.ratio_log10 = s.summary.decades_per_layer = (double)NAN;
            s.summary.shattered = false;
            set(&s.stats[0], GS_GRAD_Z_LOG10, -INFINITY);
            set(&s.stats[1], GS_GRAD_Z_LOG10, (double)NAN);
        }
        CHECK(strstr(text ? text : "", "seeds ") == NULL);
        CHECK(gs_report_write(report, &record, NULL) == GS_OK);
    }
    gs_report_free(report);
    fclose(file);
    gs_config_free(s.config);
    return text;
}

#define TOTALS                                                                                     \
    "log10      -12.50 +- 0.71 from output to input, -4.167 +- 0.24 a layer\n"                     \
    "left out   1 of 3, whose gradient is zero or not finite at an end\n"                          \
    "verdict    vanishing 2 of 3, nonfinite 1 of 3\n"                                              \
    "shattered  1 of 3\n"

static void test_spread_is_written_after_the_last_seed(void) {
    setenv("LC_ALL", "C", 1);
    char *text = spread_of_three(false);
    char *spread = strstr(text, "\n\nseeds ");
    CHECK_STRING(spread, "\n\nseeds      11 to 13: mean +- standard deviation (std) of log10\n\n"
                         "layer log|dL/dW|    std log|dL/dz|    std left out  10^-13        10^0\n"
                         "    1    -400.25   0.00     -12.50   0.00        1  #\n"
                         "    2      -2.60   0.00      -9.00   0.71        1  ######\n"
                         "    3      -2.60   0.00      -4.50   0.00        0  ############\n"
                         " head      -2.60   0.00      -0.50   0.00        0  #################\n"
                         "\n" TOTALS);
    free(text);
}

static void test_quiet_spread_is_the_totals(void) {
    char *text = spread_of_three(true);
    CHECK_STRING(strstr(text, "\n\nseeds "),
                 "\n\nseeds      11 to 13: mean +- standard deviation (std) of log10\n" TOTALS);
    free(text);
}

static void test_programs_get_no_spread(void) {
    sample s = sample_new();
    s.config->seeds = 2; /* and the record is the second */
    gs_report_style style = {.format = GS_FORMAT_JSONL};
    char *text = written(&s, style, 1);
    CHECK(strstr(text, "seeds  ") == NULL);
    size_t lines = 0;
    for (const char *c = text; *c; c++)
        lines += *c == '\n';
    CHECK(lines == 4);
    free(text);
    gs_config_free(s.config);
}

static void test_layers_without_a_value_have_none(void) {
    setenv("LC_ALL", "C", 1);
    sample s = sample_new();
    s.config->seeds = 2;
    for (size_t i = 0; i < 4; i++)
        set(&s.stats[i], GS_GRAD_Z_LOG10, -INFINITY);
    gs_report_style style = {.format = GS_FORMAT_TABLE};
    char *text = written(&s, style, 1);
    CHECK(strstr(text, "\n    3      -2.60      -          -      -        1  none\n") != NULL);
    free(text);
    gs_config_free(s.config);
}

static void test_every_failed_allocation_is_reported(void) {
    sample s = sample_new();
    gs_record record = record_of(&s);
    s.config->seeds = 2;
    gs_report_style style = {.format = GS_FORMAT_TABLE};
    bool failed = true;
    for (size_t nth = 1; failed; nth++) {
        char *text = NULL;
        size_t length;
        gs_error error = {0};
        FILE *file = open_memstream(&text, &length);
        test_fail_allocation(nth);
        gs_report *report = gs_report_new(file, style, &error);
        gs_status status = report ? gs_report_write(report, &record, &error) : error.code;
        failed = test_allocation_failed();
        test_fail_allocation(0);
        CHECK(status == (failed ? GS_ERR_MEMORY : GS_OK));
        gs_report_free(report);
        fclose(file);
        free(text);
        CHECK(nth < 1000);
    }
    gs_config_free(s.config);
}

TEST_MAIN(TEST(test_moments_are_those_of_a_sample), TEST(test_moments_do_not_cancel),
          TEST(test_what_is_not_finite_is_left_out),
          TEST(test_spread_is_written_after_the_last_seed), TEST(test_quiet_spread_is_the_totals),
          TEST(test_programs_get_no_spread), TEST(test_layers_without_a_value_have_none),
          TEST(test_every_failed_allocation_is_reported))
