/*
 * Going on with a log: what is kept of a file, and which files are left alone.
 */
#include "test_record.h"

#include "report/resume.h"

enum { ROWS = 4 }; /* of a record of test_record.h */

static const gs_log_subject subject = {.run = 2, .seed = UINT64_MAX, .rows = ROWS};

/* A log of steps 0, 5, 10, 15 and so on; the caller frees it. */
static char *log_of(gs_report_style style, size_t records) {
    char *text = NULL;
    size_t length;
    sample s = sample_new();
    gs_record record = record_of(&s);
    gs_config_set(s.config, "data", "a \"b\"\nc,d\te", NULL);
    FILE *file = open_memstream(&text, &length);
    gs_report *report = gs_report_new(file, style, NULL);
    for (size_t i = 0; i < records; i++) {
        record.step = 5 * i;
        gs_report_write(report, &record, NULL);
    }
    gs_report_free(report);
    fclose(file);
    gs_config_free(s.config);
    return text;
}

/* A file of `length` bytes of `text`: always the same, as making thousands of them takes seconds. */
static FILE *file_of(const char *text, size_t length) {
    static FILE *file;
    if (!file)
        file = tmpfile();
    CHECK(file && fseek(file, 0, SEEK_SET) == 0 && ftruncate(fileno(file), 0) == 0);
    CHECK(fwrite(text, 1, length, file) == length && fflush(file) == 0);
    return file;
}

static void read_back(FILE *file, char *text, size_t size) {
    CHECK(fflush(file) == 0);
    ssize_t length = pread(fileno(file), text, size - 1, 0);
    CHECK(length >= 0);
    text[length > 0 ? length : 0] = '\0';
}

/* Cut a file of `length` bytes of `text` behind step `last`, and go on where it ends. */
static gs_log_end continued(const char *text, size_t length, gs_report_style style, uint64_t last,
                            const char *more, char *result, size_t size) {
    gs_log_end end;
    gs_error error = {0};
    FILE *file = file_of(text, length);
    gs_status status = gs_log_find_end(file, style, subject, last, &end, &error);
    CHECK_THAT(status == GS_OK, "%zu bytes: %s", length, error.message);
    read_back(file, result, size);
    CHECK_THAT(strlen(result) == length, "%zu bytes are cut too soon", length);
    CHECK(gs_log_cut(file, end, &error) == GS_OK);
    fputs(more, file);
    read_back(file, result, size);
    return end;
}

static const gs_report_style styles[] = {{.format = GS_FORMAT_CSV, .header = true},
                                         {.format = GS_FORMAT_CSV},
                                         {.format = GS_FORMAT_TSV, .header = true},
                                         {.format = GS_FORMAT_JSONL, .header = true}};

enum { STYLES = sizeof styles / sizeof *styles, SIZE = 1 << 16 };

/* Wherever a log of three records is cut off, going on behind the last whole one gives the log. */
static void test_a_log_that_is_cut_anywhere_ends_with_a_whole_record(void) {
    static char result[SIZE];
    for (size_t f = 0; f < STYLES; f++) {
        char *parts[4], *whole = log_of(styles[f], 3);
        size_t ends[4];
        for (size_t i = 0; i < 4; i++) {
            parts[i] = log_of(styles[f], i);
            ends[i] = strlen(parts[i]);
        }
        size_t header =
            styles[f].header && styles[f].format != GS_FORMAT_JSONL ? strcspn(whole, "\n") + 1 : 0;
        for (size_t length = 0; length <= ends[3]; length++) {
            size_t records = (length >= ends[1]) + (length >= ends[2]) + (length >= ends[3]);
            size_t kept = records > 0 ? ends[records] : length >= header ? header : 0;
            gs_log_end end =
                continued(whole, length, styles[f], 100, whole + kept, result, sizeof result);
            CHECK_THAT(strcmp(result, whole) == 0, "style %zu, %zu bytes", f, length);
            CHECK_THAT((size_t)end.length == kept && end.has_record == (records > 0) &&
                           end.step == (records > 0 ? 5 * (records - 1) : 0),
                       "style %zu, %zu bytes: step %llu", f, length, (unsigned long long)end.step);
        }
        for (size_t i = 0; i < 4; i++)
            free(parts[i]);
        free(whole);
    }
}

static void test_steps_after_the_last_are_cut(void) {
    static char result[SIZE];
    for (size_t f = 0; f < STYLES; f++) {
        char *whole = log_of(styles[f], 4), *two = log_of(styles[f], 2);
        for (uint64_t last = 5; last < 10; last++) {
            gs_log_end end =
                continued(whole, strlen(whole), styles[f], last, "more\n", result, sizeof result);
            CHECK(strncmp(result, two, strlen(two)) == 0);
            CHECK_STRING(result + strlen(two), "more\n");
            CHECK(end.has_record && end.step == 5 && (size_t)end.length == strlen(two));
        }
        free(two);
        free(whole);
    }
}

/* What is cut away need be no log. */
static void test_what_follows_a_later_step_is_not_looked_at(void) {
    static char result[SIZE];
    char *whole = log_of(styles[1], 3), *one = log_of(styles[1], 1);
    strcat(strcpy(result, whole), "no row\n");
    size_t length = strlen(result);
    char *text = strdup(result);
    gs_log_end end = continued(text, length, styles[1], 3, "", result, sizeof result);
    CHECK_STRING(result, one);
    CHECK(end.has_record && end.step == 0);
    free(text);
    free(whole);
    free(one);
}

static void test_a_missing_layer_before_a_later_step_cuts_its_record(void) {
    static char text[SIZE], result[SIZE];
    const gs_report_style tsv = {.format = GS_FORMAT_TSV};
    char *whole = log_of(tsv, 3), *one = log_of(tsv, 1);
    char *last_of_two = strstr(whole, "\t5\t4\thead");
    for (; last_of_two[-1] != '\n'; last_of_two--)
        continue;
    snprintf(text, sizeof text, "%.*s%s", (int)(last_of_two - whole), whole,
             strchr(last_of_two, '\n') + 1);
    gs_log_end end = continued(text, strlen(text), tsv, 5, "", result, sizeof result);
    CHECK_STRING(result, one);
    CHECK(end.has_record && end.step == 0);
    free(whole);
    free(one);
}

static void test_an_empty_file_wants_its_header(void) {
    char result[8];
    for (size_t f = 0; f < STYLES; f++) {
        gs_log_end end = continued("", 0, styles[f], 7, "", result, sizeof result);
        CHECK(end.length == 0 && !end.has_record);
    }
}

/* ---- Refused ---- */

static void check_refused(const char *text, gs_report_style style, uint64_t last,
                          const char *expected) {
    static char result[SIZE];
    gs_log_end end;
    gs_error error = {0};
    FILE *file = file_of(text, strlen(text));
    CHECK(gs_log_find_end(file, style, subject, last, &end, &error) == GS_ERR_FORMAT);
    CHECK_THAT(strncmp(error.message, expected, strlen(expected)) == 0, "'%s', expected '%s'",
               error.message, expected);
    read_back(file, result, sizeof result);
    CHECK_STRING(result, text);
}

static void test_a_foreign_header_is_refused(void) {
    static char text[SIZE];
    char *whole = log_of(styles[0], 1);
    check_refused("name,value\n1,2\n", styles[0], 9, "line 1: expected the header of a log");
    check_refused("notes without an end", styles[0], 9, "line 1: expected the header");
    check_refused(strchr(whole, '\n') + 1, styles[0], 9, "line 1: expected the header");
    check_refused(whole, styles[2], 9, "line 1: expected the header");
    check_refused(whole, styles[1], 9, "line 1: expected a row of a log");
    snprintf(text, sizeof text, "%.*s,more\n", (int)strcspn(whole, "\n"), whole);
    check_refused(text, styles[0], 9, "line 1: expected the header");
    free(whole);
}

/* Lines are counted as an editor does: in CSV the quoted path takes two. */
static void test_lines_that_are_no_rows_are_refused(void) {
    static const char *const foreign[] = {"no row\n",
                                          "\n",
                                          "2,18446744073709551615,5,1,dense,1.5\n",
                                          "no row",
                                          "2;3",
                                          "2,18446744073709551616,5,1,dense\n",
                                          "2,18446744073709551615,-5,1,dense\n"};
    static char text[SIZE];
    char *one = log_of(styles[0], 1);
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
        snprintf(text, sizeof text, "%s%s", one, foreign[i]);
        check_refused(text, styles[0], 9, "line 10: expected a row of a log");
    }
    free(one);
    one = log_of(styles[3], 1);
    static const char *const objects[] = {
        "{\"run\":2,\"seed\":18446744073709551615,\"step\":5,\"layer\":1,\"kind\":\"dense\"\n",
        "{\"run\":2,\"seed\":18446744073709551615,\"step\":5,\"kind\":\"dense\"}\n", "{}\n"};
    for (size_t i = 0; i < sizeof objects / sizeof *objects; i++) {
        snprintf(text, sizeof text, "%s%s", one, objects[i]);
        check_refused(text, styles[3], 9, "line 5: expected a row of a log");
    }
    free(one);
}

static void test_rows_out_of_their_order_are_refused(void) {
    static char text[SIZE];
    const gs_report_style tsv = {.format = GS_FORMAT_TSV};
    char *one = log_of(tsv, 1), *three = log_of(tsv, 3), *two = log_of(tsv, 2);
    snprintf(text, sizeof text, "%s%s", three, two + strlen(one));
    check_refused(text, tsv, 99, "line 13: expected a step after 10, got 5");
    snprintf(text, sizeof text, "%s%s", one, one);
    check_refused(text, tsv, 99, "line 5: expected a step after 0, got 0");
    char *second = strchr(one, '\n') + 1, *third = strchr(second, '\n') + 1;
    snprintf(text, sizeof text, "%.*s%s", (int)(second - one), one, third);
    check_refused(text, tsv, 99, "line 2: expected layer 2 of step 0, got layer 3 of step 0");
    snprintf(text, sizeof text, "%.*s%s", (int)(third - one), one, two + strlen(one));
    check_refused(text, tsv, 99, "line 3: expected layer 3 of step 0, got layer 1 of step 5");
    free(one);
    free(two);
    free(three);
}

static void test_the_log_of_another_seed_is_refused(void) {
    char *one = log_of(styles[1], 1), *seed = strstr(one, "18446744073709551615");
    seed[19] = '4';
    check_refused(one, styles[1], 99,
                  "line 1: expected run 2 with seed 18446744073709551615, got run 2 with seed "
                  "18446744073709551614");
    free(one);
}

/* ---- Other errors ---- */

static void test_a_file_that_cannot_be_cut_is_an_error(void) {
    char *one = log_of(styles[1], 1), name[] = "/tmp/gradsim-test-XXXXXX";
    int descriptor = mkstemp(name);
    CHECK(descriptor >= 0 && write(descriptor, one, strlen(one)) == (ssize_t)strlen(one));
    gs_log_end end;
    gs_error error = {0};
    FILE *file = fopen(name, "r");
    CHECK(gs_log_find_end(file, styles[1], subject, 99, &end, &error) == GS_OK);
    CHECK(gs_log_cut(file, end, &error) == GS_ERR_IO);
    CHECK_THAT(strncmp(error.message, "cannot cut: ", 12) == 0, "%s", error.message);
    fclose(file);
    file = fopen(name, "w");
    CHECK(gs_log_find_end(file, styles[1], subject, 99, &end, &error) == GS_ERR_IO);
    CHECK_STRING(error.message, "cannot read: Bad file descriptor");
    fclose(file);
    close(descriptor);
    unlink(name);
    free(one);
}

static void test_every_allocation_may_fail(void) {
    char *one = log_of(styles[0], 1);
    FILE *file = file_of(one, strlen(one));
    bool failed = true;
    for (size_t nth = 1; failed; nth++) {
        gs_log_end end;
        test_fail_allocation(nth);
        gs_status status = gs_log_find_end(file, styles[0], subject, 99, &end, NULL);
        failed = test_allocation_failed();
        test_fail_allocation(0);
        CHECK_THAT(status == (failed ? GS_ERR_MEMORY : GS_OK), "allocation %zu", nth);
    }
    free(one);
}

TEST_MAIN(TEST(test_a_log_that_is_cut_anywhere_ends_with_a_whole_record),
          TEST(test_steps_after_the_last_are_cut),
          TEST(test_what_follows_a_later_step_is_not_looked_at),
          TEST(test_a_missing_layer_before_a_later_step_cuts_its_record),
          TEST(test_an_empty_file_wants_its_header), TEST(test_a_foreign_header_is_refused),
          TEST(test_lines_that_are_no_rows_are_refused),
          TEST(test_rows_out_of_their_order_are_refused),
          TEST(test_the_log_of_another_seed_is_refused),
          TEST(test_a_file_that_cannot_be_cut_is_an_error), TEST(test_every_allocation_may_fail))
