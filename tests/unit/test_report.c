#include <errno.h>

#include "test_json.h"
#include "test_record.h"

/* Cell `index` of line `line`, where neither has quotes. */
static const char *cell_of(const char *text, size_t line, size_t index, char separator, char *out) {
    for (; line > 0; line--)
        text = strchr(text, '\n') + 1;
    const char stops[] = {separator, '\n', '\0'};
    for (; index > 0; index--)
        text += strcspn(text, stops) + (text[strcspn(text, stops)] == separator);
    snprintf(out, 128, "%.*s", (int)strcspn(text, stops), text);
    return out;
}

/* ---- CSV and TSV ---- */

#define MEASURED                                                                                   \
    "run,seed,step,layer,kind,loss,z_mean,z_std,a_mean,a_std,saturated,zero,dead,w_norm,"          \
    "w_sigma_max,grad_w,grad_w_log10,grad_b_log10,grad_z_log10,weight_gain,act_gain,gain,"         \
    "grad_ratio,update_ratio,clip_scale,grad_clipped_log10,grad_snr,grad_corr,f32_zero,f16_zero,"  \
    "bf16_zero,theory_grad_log10,moved,accuracy,test_loss,test_accuracy,lr,grad_norm_log10,"       \
    "grad_norm_clipped_log10,clipped,point,points,sweep,error,layers,width,"

enum { FIRST_OF_STEP = 6 + GS_COLUMN_COUNT, FIRST_OPTION = FIRST_OF_STEP + 11 };

static const gs_report_style csv = {.format = GS_FORMAT_CSV, .header = true};
static const gs_report_style tsv = {.format = GS_FORMAT_TSV, .header = true};
static const gs_report_style jsonl = {.format = GS_FORMAT_JSONL, .header = true};

static void test_csv_is_a_header_and_a_line_a_layer(void) {
    static const char *const expected[] = {
        MEASURED,
        "2,18446744073709551615,0,1,dense,1.5,,1.25,,0.125,0.333333333333333,,,,,0,-400.25,,-12.5,"
        ",,0.0001,,,,,,,,,,,,,,,,,,,4,5,,,3,128,",
        "2,18446744073709551615,0,2,dense,1.5,,1.25,,0.125,0.333333333333333,,,,,0.0025,"
        "-2.60205999132796,,-8.5,,,0.0001,,,,,,,,,,,,,,,,,,,4,5,,,3,128,",
        "2,18446744073709551615,0,3,dense,1.5,,1.25,,0.125,0.333333333333333,,,,,0.0025,"
        "-2.60205999132796,,-4.5,,,0.0001,,,,,,,,,,,,,,,,,,,4,5,,,3,128,",
        "2,18446744073709551615,0,4,head,1.5,,1.25,,,,,,,,0.0025,-2.60205999132796,,-0.5,,,0.0001,"
        ",,,,,,,,,,,,,,,,,,4,5,,,3,128,"};
    sample s = sample_new();
    char *text = written(&s, csv, 1), *line = text;
    for (size_t i = 0; i < 5; i++) {
        CHECK_THAT(strncmp(line, expected[i], strlen(expected[i])) == 0, "line %zu: %s", i, line);
        line = strchr(line, '\n') + 1;
    }
    CHECK_STRING(line, "");
    free(text);
    gs_config_free(s.config);
}

/* What follows the measurements is every option that is a column, and nothing is called twice. */
static void test_columns_are_measurements_and_then_the_configuration(void) {
    sample s = sample_new();
    char *text = written(&s, csv, 1), name[128], value[128], option_value[128];
    size_t index = FIRST_OPTION;
    for (size_t i = 0; i < gs_config_options.count; i++) {
        const gs_option *option = &gs_config_options.rows[i];
        if (!option->column)
            continue;
        cell_of(text, 0, index, ',', name);
        cell_of(text, 1, index++, ',', value);
        gs_option_format(option, s.config, option_value, sizeof option_value);
        CHECK_STRING(value, option_value);
        bool prefixed = strcmp(option->name, "loss") == 0 || strcmp(option->name, "gain") == 0 ||
                        strcmp(option->name, "lr") == 0;
        CHECK_THAT(gs_option_find(&gs_config_options, name + (prefixed ? 7 : 0)) == option,
                   "column %s for option %s", name, option->name);
        CHECK_THAT(!strchr(name, '-') && !strncmp(name, "config_", 7) == prefixed, "%s", name);
    }
    CHECK_STRING(cell_of(text, 0, index, ',', name), "");
    free(text);
    gs_config_free(s.config);
}

/* Every row of a step says the same of it. */
static void test_rows_of_training_tell_of_the_whole_step(void) {
    static const char *const expected[] = {"0.75", "", "", "0.5", "-inf", "-1.25", "0"};
    sample s = sample_new();
    gs_training_stats stats = {.accuracy = 0.75,
                               .test_loss = (double)NAN,
                               .test_accuracy = (double)NAN,
                               .rate = 0.5,
                               .grad_norm_log10 = -INFINITY,
                               .grad_norm_clipped_log10 = -1.25,
                               .clipped = 0};
    set(&s.stats[3], GS_MOVED, 0.0625);
    s.training = &stats;
    char *text = written(&s, csv, 1), cell[128];
    CHECK_STRING(cell_of(text, 0, FIRST_OF_STEP + 6, ',', cell), "clipped");
    for (size_t line = 1; line <= 4; line++)
        for (size_t i = 0; i < 7; i++)
            CHECK_STRING(cell_of(text, line, FIRST_OF_STEP + i, ',', cell), expected[i]);
    CHECK_STRING(cell_of(text, 4, FIRST_OF_STEP - 1, ',', cell), "0.0625");
    free(text);
    gs_config_free(s.config);
}

static void test_columns_are_the_same_for_every_run(void) {
    sample s = sample_new();
    char *plain = written(&s, csv, 1);
    gs_config_set(s.config, "data", "x.csv", NULL);
    gs_config_set(s.config, "norm", "layer", NULL);
    set(&s.stats[0], GS_DEAD, 0);
    char *other = written(&s, csv, 1);
    size_t header = strcspn(plain, "\n");
    CHECK(strncmp(plain, other, header + 1) == 0);
    free(plain);
    free(other);
    gs_config_free(s.config);
}

static void test_header_stands_once_or_not_at_all(void) {
    sample s = sample_new();
    char *twice = written(&s, csv, 2);
    CHECK(strncmp(twice, "run,", 4) == 0 && strstr(twice + 4, "\nrun,") == NULL);
    gs_report_style bare = csv;
    bare.header = false;
    char *headless = written(&s, bare, 2);
    CHECK_STRING(headless, twice + strcspn(twice, "\n") + 1);
    free(twice);
    free(headless);
    gs_config_free(s.config);
}

static void test_tsv_is_csv_with_tabs(void) {
    sample s = sample_new();
    char *commas = written(&s, csv, 1), *tabs = written(&s, tsv, 1);
    for (char *c = commas; (c = strchr(c, ','));)
        *c = '\t';
    CHECK_STRING(tabs, commas);
    free(commas);
    free(tabs);
    gs_config_free(s.config);
}

/* The cell of --data in the last line, which is followed by data_scale and so by ",standard". */
static void check_data_cell(gs_report_style style, const char *path, const char *expected) {
    sample s = sample_new();
    gs_config_set(s.config, "data", path, NULL);
    char *text = written(&s, style, 1);
    char separator = style.format == GS_FORMAT_CSV ? ',' : '\t', pattern[128];
    snprintf(pattern, sizeof pattern, "%cnormal:1%c%s%cstandard", separator, separator, expected,
             separator);
    CHECK_THAT(strstr(text, pattern) != NULL, "expected %s in %s", pattern, text);
    free(text);
    gs_config_free(s.config);
}

static void test_csv_quotes_where_it_must(void) {
    check_data_cell(csv, "a b;c\td", "a b;c\td");
    check_data_cell(csv, "a,b", "\"a,b\"");
    check_data_cell(csv, "a\"b", "\"a\"\"b\"");
    check_data_cell(csv, "a\nb", "\"a\nb\"");
    check_data_cell(csv, "a\rb", "\"a\rb\"");
}

static void test_tsv_escapes_what_would_end_a_cell(void) {
    check_data_cell(tsv, "a,\"b", "a,\"b");
    check_data_cell(tsv, "a\tb\nc\rd\\e", "a\\tb\\nc\\rd\\\\e");
}

/* ---- JSON lines ---- */

static void check_member(const char *line, const char *key, const char *expected) {
    char value[128];
    json_member(line, key, value, sizeof value);
    CHECK_THAT(strcmp(value, expected) == 0, "%s is %s, expected %s", key, value, expected);
}

static void test_jsonl_is_one_object_a_line(void) {
    sample s = sample_new();
    char *text = written(&s, jsonl, 2);
    size_t lines = 0;
    for (const char *line = text; *line; line++, lines++) {
        CHECK(*line == '{');
        line = json_end(line);
        CHECK(line && *line == '\n');
        if (!line)
            break;
    }
    CHECK_THAT(lines == 8, "%zu lines", lines);
    free(text);
    gs_config_free(s.config);
}

static void test_jsonl_has_numbers_strings_and_null(void) {
    sample s = sample_new();
    char *text = written(&s, jsonl, 1);
    check_member(text, "seed", "18446744073709551615");
    check_member(text, "kind", "\"dense\"");
    check_member(text, "loss", "1.5");
    check_member(text, "z_mean", "null");
    check_member(text, "saturated", "0.333333333333333");
    check_member(text, "layers", "3");
    check_member(text, "config_gain", "1");
    check_member(text, "norm_eps", "1e-05");
    check_member(text, "act", "\"sigmoid\"");
    check_member(text, "bias", "\"0\"");
    check_member(text, "head", "\"on\"");
    check_member(text, "data", "null");
    check_member(text, "config_loss", "\"mse\"");
    free(text);
    gs_config_free(s.config);
}

static void test_jsonl_has_strings_for_what_is_not_finite(void) {
    sample s = sample_new();
    set(&s.stats[0], GS_Z_MEAN, NAN);
    set(&s.stats[0], GS_A_MEAN, INFINITY);
    set(&s.stats[0], GS_GRAD_B_LOG10, -INFINITY);
    char *text = written(&s, jsonl, 1);
    check_member(text, "z_mean", "\"nan\"");
    check_member(text, "a_mean", "\"inf\"");
    check_member(text, "grad_b_log10", "\"-inf\"");
    free(text);
    char *commas = written(&s, csv, 1), cell[128];
    CHECK_STRING(cell_of(commas, 1, 6, ',', cell), "nan");
    CHECK_STRING(cell_of(commas, 1, 8, ',', cell), "inf");
    free(commas);
    gs_config_free(s.config);
}

static void test_jsonl_escapes_strings_and_mends_what_is_not_utf8(void) {
    static const struct {
        const char *path, *json;
    } known[] = {
        {"a\"b\\c/d", "\"a\\\"b\\\\c/d\""},
        {"a\tb\nc\x01", "\"a\\u0009b\\u000ac\\u0001\""},
        {"\xc3\xa4 \xe2\x82\xac \xf0\x9f\x8e\x93", "\"\xc3\xa4 \xe2\x82\xac \xf0\x9f\x8e\x93\""},
        {"\xff\xc3", "\"\\ufffd\\ufffd\""},                      /* no first byte; cut short */
        {"\xc0\xaf", "\"\\ufffd\\ufffd\""},                      /* overlong */
        {"\xe0\x80\xaf", "\"\\ufffd\\ufffd\\ufffd\""},           /* overlong */
        {"\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""},           /* a surrogate */
        {"\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""} /* past U+10FFFF */
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        sample s = sample_new();
        gs_config_set(s.config, "data", known[i].path, NULL);
        char *text = written(&s, jsonl, 1);
        CHECK(json_end(text) != NULL);
        check_member(text, "data", known[i].json);
        free(text);
        gs_config_free(s.config);
    }
}

/* ---- Errors ---- */

static void test_full_disk_is_an_error(void) {
    sample s = sample_new();
    for (int format = GS_FORMAT_TABLE; format <= GS_FORMAT_JSONL; format++) {
        FILE *full = fopen("/dev/full", "w");
        if (!full)
            SKIP("there is no /dev/full");
        gs_report *report =
            gs_report_new(full, (gs_report_style){.format = (gs_report_format)format}, NULL);
        gs_record record = record_of(&s);
        gs_error error = {0};
        CHECK(gs_report_write(report, &record, &error) == GS_ERR_IO && errno == ENOSPC);
        CHECK(error.code == GS_ERR_IO);
        CHECK_STRING(error.message, "cannot write: No space left on device");
        gs_report_free(report);
        fclose(full);
    }
    gs_config_free(s.config);
}

static gs_status report_to_nowhere(const sample *s, gs_report_format format) {
    FILE *file = fopen("/dev/null", "w");
    gs_report *report = gs_report_new(file, (gs_report_style){.format = format}, NULL);
    gs_record record = record_of(s);
    gs_status status = report ? gs_report_write(report, &record, NULL) : GS_ERR_MEMORY;
    gs_report_free(report);
    fclose(file);
    return status;
}

static void test_every_allocation_may_fail(void) {
    sample s = sample_new();
    for (int format = GS_FORMAT_TABLE; format <= GS_FORMAT_JSONL; format++) {
        bool failed = true;
        for (size_t n = 1; failed; n++) {
            test_fail_allocation(n);
            gs_status status = report_to_nowhere(&s, (gs_report_format)format);
            failed = test_allocation_failed();
            test_fail_allocation(0);
            CHECK_THAT(status == (failed ? GS_ERR_MEMORY : GS_OK), "format %d, allocation %zu",
                       format, n);
        }
    }
    gs_config_free(s.config);
}

TEST_MAIN(TEST(test_csv_is_a_header_and_a_line_a_layer),
          TEST(test_columns_are_measurements_and_then_the_configuration),
          TEST(test_rows_of_training_tell_of_the_whole_step),
          TEST(test_columns_are_the_same_for_every_run),
          TEST(test_header_stands_once_or_not_at_all), TEST(test_tsv_is_csv_with_tabs),
          TEST(test_csv_quotes_where_it_must), TEST(test_tsv_escapes_what_would_end_a_cell),
          TEST(test_jsonl_is_one_object_a_line), TEST(test_jsonl_has_numbers_strings_and_null),
          TEST(test_jsonl_has_strings_for_what_is_not_finite),
          TEST(test_jsonl_escapes_strings_and_mends_what_is_not_utf8),
          TEST(test_full_disk_is_an_error), TEST(test_every_allocation_may_fail))
