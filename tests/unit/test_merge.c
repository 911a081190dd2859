/*
 * Merging shards: the bytes of one sweep, and everything that is not a shard of it.
 */
#include "test_files.h"

#include "report/merge.h"
#include "report/sheet.h"

/* ---- Sweeps: each point has its own number of layers, and some networks fail ---- */

typedef struct {
    gs_report_format format;
    size_t points, networks, steps;
    bool is_summary;
} sweep;

enum { SIZE = 1 << 16, ROWS = 400, SHARDS = 8 };

/* The rows of a sweep, which stand one after another in `text` behind the header. */
typedef struct {
    char text[SIZE];
    size_t header; /* bytes */
    struct {
        size_t point, begin, end;
    } row[ROWS];
    size_t rows;
} sheet;

static const char *const names[] = {"run",   "step",   "layer",  "note", "point",
                                    "error", "points", "layers", "head"};
static const char *const summary_names[] = {"networks", "point", "points", "note"};

static void put_row(sheet *s, gs_report_format format, size_t point, const char *const *columns,
                    const char *const *cells, size_t count) {
    char *out = s->text + strlen(s->text), *end = out;
    for (size_t i = 0; i < count; i++) {
        const char *cell = cells[i];
        if (format == GS_FORMAT_JSONL)
            end += sprintf(end, "%s\"%s\":\"%s\"", i == 0 ? "{" : ",", columns[i], cell);
        else if (format == GS_FORMAT_CSV && strpbrk(cell, ",\n"))
            end += sprintf(end, "%s\"%s\"", i == 0 ? "" : ",", cell);
        else
            end += sprintf(end, "%s%s", i == 0 ? "" : format == GS_FORMAT_CSV ? "," : "\t", cell);
    }
    strcpy(end, format == GS_FORMAT_JSONL ? "}\n" : "\n");
    if (point == 0)
        s->header = strlen(s->text);
    if (point == 0)
        return;
    s->row[s->rows].point = point;
    s->row[s->rows].begin = (size_t)(out - s->text);
    s->row[s->rows++].end = strlen(s->text);
}

static void put_log_row(sheet *s, const sweep *w, size_t point, size_t run, size_t step,
                        size_t layer) {
    char run_text[24], step_text[24], layer_text[24], point_text[24], points[24], layers[24];
    sprintf(run_text, "%zu", run);
    sprintf(step_text, "%zu", step);
    sprintf(layer_text, layer ? "%zu" : "", layer);
    sprintf(point_text, "%zu", point);
    sprintf(points, "%zu", w->points);
    sprintf(layers, "%zu", 1 + point % 3);
    const char *note = w->format == GS_FORMAT_CSV ? "a,\nb" : "a\\tb";
    const char *cells[] = {run_text, step_text,  layer_text,
                           note,     point_text, layer ? "" : "too much, alas",
                           points,   layers,     point % 2 ? "on" : "off"};
    put_row(s, w->format, point, names, cells, sizeof cells / sizeof *cells);
}

/* Every fourth network fails: every second of these at once, the others at the last step. */
static void put_network(sheet *s, const sweep *w, size_t point, size_t run) {
    size_t rows = 1 + point % 3 + point % 2, steps = run % 4   ? w->steps
                                                     : run % 8 ? 0
                                                               : w->steps - 1;
    for (size_t step = 0; step < steps; step++)
        for (size_t layer = 1; layer <= rows; layer++)
            put_log_row(s, w, point, run, 5 * step, layer);
    if (run % 4 == 0)
        put_log_row(s, w, point, run, 0, 0);
}

static sheet *sheet_of(sweep w) {
    sheet *s = calloc(1, sizeof *s);
    char point_text[24], points[24];
    const char *cells[] = {"3", point_text, points, "x"};
    if (w.format != GS_FORMAT_JSONL && w.is_summary)
        put_row(s, w.format, 0, NULL, summary_names, 4);
    if (w.format != GS_FORMAT_JSONL && !w.is_summary)
        put_row(s, w.format, 0, NULL, names, sizeof names / sizeof *names);
    sprintf(points, "%zu", w.points);
    for (size_t point = 1; point <= w.points; point++) {
        sprintf(point_text, "%zu", point);
        if (w.is_summary)
            put_row(s, w.format, point, summary_names, cells, 4);
        for (size_t i = 1; i <= w.networks && !w.is_summary; i++)
            put_network(s, &w, point, (point - 1) * w.networks + i);
    }
    return s;
}

/* ---- Shards ---- */

static char *paths[SHARDS + 1];

static void write_text(size_t index, const char *text, size_t length) {
    char name[32];
    snprintf(name, sizeof name, "%zu", index);
    write_file(name, text, length);
    free(paths[index]);
    paths[index] = strdup(path_of(name));
}

/* Writes the rows that `keeps` says, with the header, as file `index`. */
static void write_rows(const sheet *s, size_t index,
                       bool (*keeps)(size_t row, size_t point, size_t a, size_t b), size_t a,
                       size_t b) {
    static char text[SIZE];
    size_t length = s->header;
    memcpy(text, s->text, length);
    for (size_t i = 0; i < s->rows; i++)
        if (keeps(i, s->row[i].point, a, b)) {
            memcpy(text + length, s->text + s->row[i].begin, s->row[i].end - s->row[i].begin);
            length += s->row[i].end - s->row[i].begin;
        }
    write_text(index, text, length);
}

static bool is_of_shard(size_t row, size_t point, size_t index, size_t count) {
    (void)row;
    return (point - 1) % count == index;
}

static bool is_other_row(size_t row, size_t point, size_t a, size_t b) {
    (void)point;
    return row != a && row != b;
}

static bool is_between(size_t row, size_t point, size_t first, size_t last) {
    (void)row;
    return point >= first && point <= last;
}

/* Merges files 0 to count - 1; `*result` is for free(). */
static gs_status merge_all(size_t count, char **result, gs_merge_gaps *gaps, gs_error *error) {
    size_t length;
    gs_merge *merge;
    FILE *out = open_memstream(result, &length);
    gs_status status = gs_merge_open(paths, count, &merge, error);
    for (bool is_done = false; status == GS_OK && !is_done;)
        status = gs_merge_next(merge, out, &is_done, error);
    if (status == GS_OK)
        *gaps = *gs_merge_missing(merge);
    gs_merge_close(merge);
    fclose(out);
    return status;
}

static void check_merged(size_t count, const char *expected, size_t missing, const char *ranges) {
    char *result;
    gs_merge_gaps gaps = {0};
    gs_error error = {.message = ""};
    gs_status status = merge_all(count, &result, &gaps, &error);
    CHECK_THAT(status == GS_OK, "%s", error.message);
    CHECK(!expected || strcmp(result, expected) == 0);
    CHECK_THAT(gaps.missing == missing, "%d are missing: %s", (int)gaps.missing, gaps.ranges.text);
    CHECK_STRING(gaps.ranges.text, ranges);
    free(result);
}

/* The message is expected behind the folder and a slash. */
static void check_refused(size_t count, const char *expected) {
    char *result;
    gs_merge_gaps gaps;
    gs_error error = {.message = ""};
    gs_status status = merge_all(count, &result, &gaps, &error);
    CHECK_THAT(status == GS_ERR_FORMAT, "%s: %s", expected, result);
    size_t start = strlen(folder) + 1;
    const char *message = strlen(error.message) > start ? error.message + start : "";
    CHECK_THAT(strncmp(message, expected, strlen(expected)) == 0, "'%s', expected '%s'", message,
               expected);
    free(result);
}

static const sweep sweeps[] = {
    {GS_FORMAT_CSV, 11, 3, 1, false},  {GS_FORMAT_TSV, 11, 1, 2, false},
    {GS_FORMAT_JSONL, 7, 2, 3, false}, {GS_FORMAT_CSV, 9, 1, 1, true},
    {GS_FORMAT_JSONL, 5, 2, 1, false}, {GS_FORMAT_TSV, 5, 3, 1, false},
    {GS_FORMAT_JSONL, 9, 1, 1, true},  {GS_FORMAT_TSV, 1, 5, 1, false},
};

enum { SWEEPS = sizeof sweeps / sizeof *sweeps };

/* ---- Tests ---- */

static void test_shards_make_the_bytes_of_the_whole(void) {
    for (size_t k = 0; k < SWEEPS; k++) {
        sheet *s = sheet_of(sweeps[k]);
        for (size_t count = 1; count <= SHARDS && count <= sweeps[k].points; count++) {
            for (size_t i = 0; i < count; i++)
                write_rows(s, count - 1 - i, is_of_shard, i, count);
            check_merged(count, s->text, 0, "");
        }
        free(s);
    }
}

/* With shards of neighbours too, and what was merged merges on. */
static void test_any_division_of_the_points_will_do(void) {
    sheet *s = sheet_of(sweeps[0]);
    write_rows(s, 0, is_between, 9, 11);
    write_rows(s, 1, is_between, 1, 3);
    write_rows(s, 2, is_between, 4, 8);
    check_merged(3, s->text, 0, "");
    free(s);
}

static void test_missing_points_are_named(void) {
    sheet *s = sheet_of(sweeps[0]);
    write_rows(s, 0, is_between, 2, 3);
    write_rows(s, 1, is_between, 5, 5);
    write_rows(s, 2, is_between, 9, 10);
    check_merged(1, NULL, 9, "1, 4-11");
    check_merged(2, NULL, 8, "1, 4, 6-11");
    check_merged(3, NULL, 6, "1, 4, 6-8, 11");
    write_rows(s, 0, is_between, 1, 10);
    check_merged(1, NULL, 1, "11");
    free(s);
}

static void test_a_shard_without_rows_has_no_points(void) {
    sheet *s = sheet_of(sweeps[0]);
    write_text(0, s->text, s->header);
    write_text(1, s->text, strlen(s->text));
    check_merged(2, s->text, 0, "");
    check_refused(1, "0: line 2: expected a row, got the end of the file");
    write_text(0, "", 0);
    check_merged(2, s->text, 0, "");
    check_refused(1, "0: line 1: expected a header, got the end of the file");
    free(s);
}

static void test_many_gaps_are_cut_short(void) {
    gs_merge_gaps gaps;
    gs_error error;
    char text[SIZE] = "networks,point,points\n", *result;
    for (size_t point = 2; point <= 1000; point += 2)
        sprintf(text + strlen(text), "1,%zu,1000\n", point);
    write_text(0, text, strlen(text));
    CHECK(merge_all(1, &result, &gaps, &error) == GS_OK && gaps.missing == 500);
    CHECK(strncmp(gaps.ranges.text, "1, 3, 5, ", 9) == 0 && gaps.ranges.length < 220);
    CHECK_STRING(gaps.ranges.text + gaps.ranges.length - 5, ", ...");
    free(result);
}

/* Training may end at any step, and so may its log: these are of networks as they are. */
static void test_no_row_of_a_log_may_be_missing(void) {
    for (size_t k = 0; k < SWEEPS; k++) {
        sheet *s = sheet_of(sweeps[k]);
        for (size_t i = 0; i < s->rows && !sweeps[k].is_summary && sweeps[k].steps == 1; i++) {
            char *result;
            gs_merge_gaps gaps;
            gs_error error;
            write_rows(s, 0, is_other_row, i, i);
            gs_status status = merge_all(1, &result, &gaps, &error);
            /* The only row of a point leaves a gap, as does the only error of its only network. */
            bool is_point = status == GS_OK && gaps.missing == 1;
            for (size_t j = 0; j < s->rows; j++)
                is_point &= j == i || s->row[j].point != s->row[i].point;
            bool is_last = sweeps[k].points == 1 && i + 1 == s->rows;
            CHECK_THAT(status == GS_ERR_FORMAT || is_point || is_last, "sweep %zu, row %zu", k, i);
            free(result);
        }
        free(s);
    }
}

/* Where a file is cut between points it has fewer of them, elsewhere it is refused. */
static void test_a_shard_that_is_cut_is_refused(void) {
    for (size_t k = 0; k < SWEEPS; k++) {
        if (sweeps[k].steps > 1 || sweeps[k].points < 3)
            continue;
        sheet *s = sheet_of(sweeps[k]);
        size_t row = 0;
        while (s->row[row].point < 3 && row + 1 < s->rows)
            row++;
        for (size_t length = s->row[row].end; length < strlen(s->text); length++) {
            size_t kept = row;
            char *result;
            gs_merge_gaps gaps;
            gs_error error;
            while (s->row[kept + 1].end <= length)
                kept++;
            bool is_between_points =
                s->row[kept].end == length && s->row[kept + 1].point > s->row[kept].point;
            write_text(0, s->text, length);
            gs_status status = merge_all(1, &result, &gaps, &error);
            if (is_between_points)
                CHECK_THAT(status == GS_OK && gaps.missing == sweeps[k].points - s->row[kept].point,
                           "sweep %zu, %zu bytes: %s", k, length, error.message);
            else
                CHECK_THAT(status == GS_ERR_FORMAT, "sweep %zu, %zu bytes", k, length);
            free(result);
        }
        free(s);
    }
}

/* ---- Refused, each with its file and line ---- */

static const char header[] = "run,step,layer,point,points,error,layers,head\n";

/* A file of two layers a network. */
static void write_log(size_t index, const char *rows) {
    char text[1024];
    sprintf(text, "%s%s", header, rows);
    write_text(index, text, strlen(text));
}

#define ROW(run, step, layer, point, points) run "," step "," layer "," point "," points ",,2,off\n"
#define TWO(run, step, point, points)                                                              \
    ROW(run, step, "1", point, points) ROW(run, step, "2", point, points)

static void test_rows_that_make_no_point_are_refused(void) {
    static const struct {
        const char *rows, *message;
    } refused[] = {
        {TWO("1", "0", "2", "9"), "0: line 2: expected a run after 1 for point 2, got run 1"},
        {TWO("0", "0", "2", "9"), "0: line 2: expected a run after 1 for point 2, got run 0"},
        {TWO("2", "0", "1", "9"), "0: line 2: expected run 1 for point 1, after 0 for each point"},
        {TWO("1", "0", "1", "9") TWO("3", "0", "2", "9"),
         "0: line 4: expected run 2 for point 2, after 1 for each point before it, got run 3"},
        {TWO("6", "0", "3", "9"),
         "0: line 2: expected run 5 for point 3, after 2 for each point before it, got run 6"},
        {TWO("5", "0", "3", "9"),
         "0: line 4: expected run 6, to make point 3 whole, got the end of the file"},
        {TWO("3", "0", "2", "9") TWO("5", "0", "3", "9"),
         "0: line 4: expected run 4, to make point 2 whole, got point 3"},
        {TWO("1", "0", "1", "9") TWO("2", "0", "1", "9") TWO("3", "0", "2", "9"),
         "0: line 8: expected run 4, to make point 2 whole, got the end of the file"},
        {ROW("1", "0", "1", "1", "9"),
         "0: line 3: expected layer 2 of run 1, to make point 1 whole, got the end of the file"},
        {ROW("1", "0", "2", "1", "9"),
         "0: line 2: expected layer 1 of run 1 at step 0, got layer 2 of run 1 at step 0"},
        {TWO("1", "0", "1", "9") ROW("1", "0", "3", "1", "9"),
         "0: line 4: expected run 2, or run 1 after step 0, got run 1 at step 0"},
        {TWO("1", "5", "1", "9") TWO("1", "4", "1", "9"),
         "0: line 4: expected run 2, or run 1 after step 5, got run 1 at step 4"},
        {TWO("1", "5", "1", "9") TWO("3", "0", "1", "9"), "0: line 4: expected run 2, got run 3"},
        {ROW("1", "0", "1", "1", "9") ROW("1", "1", "2", "1", "9"),
         "0: line 3: expected layer 2 of run 1 at step 0, got layer 2 of run 1 at step 1"},
        {ROW("1", "0", "1", "1", "9") ROW("2", "0", "2", "1", "9"),
         "0: line 3: expected layer 2 of run 1 at step 0, got layer 2 of run 2 at step 0"},
        {ROW("1", "0", "1", "1", "9") "1,0,,1,9,no memory,2,off\n",
         "0: line 3: expected layer 2 of run 1 at step 0, got the error of run 1"},
        {"1,0,,1,9,no memory,2,off\n" TWO("1", "1", "1", "9"),
         "0: line 3: expected run 2, got run 1"},
        {"1,0,,1,9,a,2,off\n1,0,,1,9,b,2,off\n", "0: line 3: expected run 2, got run 1"},
        {TWO("1", "0", "0", "9"), "0: line 2: expected a point from 1 to 9, got 0"},
        {TWO("1", "0", "10", "9"), "0: line 2: expected a point from 1 to 9, got 10"},
        {TWO("1", "0", "1", "9") TWO("2", "0", "2", "8"),
         "0: line 4: expected one of 9 points, got one of 8"},
        {TWO("3", "0", "3", "9") TWO("2", "0", "2", "9"),
         "0: line 4: expected no point before 3, got 2"},
        {TWO("1", "0", "x", "9"), "0: line 2: column 'point': expected a whole number, got 'x'"},
        {TWO("", "0", "1", "9"), "0: line 2: column 'run': expected a whole number, got ''"},
        {TWO("1", "0", "1", "9") "1,1,2\n", "0: line 4: expected 8 cells, as line 1 has, got 3"},
        {"1,0,1,1,9,,0,off\n", "0: line 2: column 'layers': expected at least 1, got 0"},
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        write_log(0, refused[i].rows);
        check_refused(1, refused[i].message);
    }
}

static void test_files_that_do_not_belong_together_are_refused(void) {
    write_log(0, TWO("1", "0", "1", "3"));
    write_log(1, TWO("2", "0", "2", "3") TWO("3", "0", "3", "3"));
    check_merged(2, NULL, 0, "");
    write_log(2, TWO("3", "0", "3", "3"));
    check_refused(3, "2: line 2: expected each point in one file, got 3, which '");
    write_log(1, TWO("2", "0", "2", "4"));
    check_refused(2, "1: line 2: expected one of the 3 points that the files before it have, got "
                     "one of 4");
    write_log(1, TWO("3", "0", "2", "3") TWO("4", "0", "2", "3"));
    check_refused(2, "1: line 2: expected run 2 for point 2, after 1 for each point before it, got "
                     "run 3");
    static const struct {
        const char *text, *message;
    } others[] = {
        {"step,run,layer,point,points,error,layers,head\n", "1: line 1: expected the columns of '"},
        {"run,step,layer,point,points,error,layers,head,more\n",
         "1: line 1: expected the columns of '"},
        {"run\tstep\tlayer\tpoint\tpoints\terror\tlayers\thead\n", "1: line 1: expected csv, as '"},
        {"run,step,layer,kind\n", "1: line 1: expected a column 'point', got 'run' and others"},
        {"point,points,run,step,layer,layers\n",
         "1: line 1: expected a column 'error', got 'point'"},
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        write_text(1, others[i].text, strlen(others[i].text));
        check_refused(2, others[i].message);
    }
    static const char summary[] = "networks,point,points\n1,1,3\n1,2,3\n1,2,3\n";
    write_text(0, summary, strlen(summary));
    check_refused(1, "0: line 4: expected a point after 2, got it again");
}

static void test_a_file_that_is_not_there_is_an_error(void) {
    gs_merge *merge;
    gs_error error;
    char *missing[] = {"/nowhere/x.csv"};
    CHECK(gs_merge_open(missing, 1, &merge, &error) == GS_ERR_IO && !merge);
    CHECK_STRING(error.message, "cannot read '/nowhere/x.csv': No such file or directory");
}

static void test_every_allocation_may_fail(void) {
    bool failed = true;
    write_log(0, TWO("1", "0", "1", "2"));
    write_log(1, TWO("2", "0", "2", "2"));
    for (size_t nth = 1; failed; nth++) {
        char *result;
        gs_merge_gaps gaps;
        gs_error error;
        test_fail_allocation(nth);
        gs_status status = merge_all(2, &result, &gaps, &error);
        failed = test_allocation_failed();
        test_fail_allocation(0);
        CHECK_THAT(status == (failed ? GS_ERR_MEMORY : GS_OK), "allocation %zu", nth);
        free(result);
    }
}

TEST_MAIN_WITH_FOLDER(
    TEST(test_shards_make_the_bytes_of_the_whole), TEST(test_any_division_of_the_points_will_do),
    TEST(test_missing_points_are_named), TEST(test_a_shard_without_rows_has_no_points),
    TEST(test_many_gaps_are_cut_short), TEST(test_no_row_of_a_log_may_be_missing),
    TEST(test_a_shard_that_is_cut_is_refused), TEST(test_rows_that_make_no_point_are_refused),
    TEST(test_files_that_do_not_belong_together_are_refused),
    TEST(test_a_file_that_is_not_there_is_an_error), TEST(test_every_allocation_may_fail))
