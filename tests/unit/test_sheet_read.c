/*
 * Reading sheets: those that gs_sheet writes, those that others make of them, and those that are
 * none.
 */
#include "test.h"

#include "net/config.h"
#include "report/sheet_read.h"

static FILE *file_of(const char *bytes, size_t length) {
    FILE *file = length > 0 ? fmemopen((void *)(uintptr_t)bytes, length, "r") : tmpfile();
    CHECK(file);
    return file;
}

/* Rows as "[a|b] [c|d] ", or the message. */
static const char *read_all(const char *bytes, size_t length) {
    static char result[4096];
    gs_error error = {0};
    gs_sheet_reader *reader;
    const gs_sheet_line *line = NULL;
    FILE *file = file_of(bytes, length);
    *result = '\0';
    gs_status status = gs_sheet_open(file, "x", &reader, &error);
    while (status == GS_OK && (status = gs_sheet_next(reader, &line, &error)) == GS_OK && line)
        for (size_t i = 0; i < gs_sheet_columns(reader); i++) {
            strcat(result, i == 0 ? "[" : "|");
            strcat(result, line->cells[i]);
            strcat(result, i + 1 == gs_sheet_columns(reader) ? "] " : "");
        }
    if (status != GS_OK)
        strcpy(result, error.message);
    gs_sheet_close(reader);
    fclose(file);
    return result;
}

static const char *rows_of(const char *text) {
    return read_all(text, strlen(text));
}

/* ---- What is written is read ---- */

enum { OWN = 5, ROWS = 3 };
static const char *const own_names[OWN] = {"whole", "real", "text", "absent", "last"};
static const char hostile[] = "a \"b\"\nc,d\te\\f\r\n\xc3\xa9 {\"x\":1}";
static const char *const reals[ROWS] = {"0.1", "nan", "-inf"};

/* A sheet of three rows; the caller frees it. */
static char *sheet_of(gs_report_format format, size_t *length) {
    char *text = NULL;
    FILE *file = open_memstream(&text, length);
    gs_config *config = gs_config_new(NULL);
    CHECK(gs_config_set(config, "data", hostile, NULL) == GS_OK);
    gs_report_style style = {.format = format, .header = true};
    gs_sheet *sheet = gs_sheet_new(file, style, own_names, OWN, NULL);
    CHECK(gs_sheet_set_config(sheet, config, NULL) == GS_OK);
    const double values[ROWS] = {0.1, NAN, -INFINITY};
    for (size_t i = 0; i < ROWS; i++) {
        gs_cell *cell = gs_sheet_cells(sheet);
        cell[0] = gs_cell_whole(UINT64_MAX - i);
        cell[1] = gs_cell_real(values[i]);
        cell[2] = gs_cell_text(i == 1 ? hostile : "");
        cell[4] = gs_cell_text("\"");
        gs_sheet_write(sheet);
    }
    gs_sheet_free(sheet);
    gs_config_free(config);
    fclose(file);
    return text;
}

static void check_row(const gs_sheet_reader *reader, const gs_sheet_line *line, size_t row) {
    uint64_t whole;
    size_t data;
    CHECK(gs_sheet_whole(reader, 0, &whole, NULL) == GS_OK && whole == UINT64_MAX - row);
    CHECK_STRING(line->cells[1], reals[row]);
    CHECK_STRING(line->cells[2], row == 1 ? hostile : "");
    CHECK_STRING(line->cells[3], "");
    CHECK_STRING(line->cells[4], "\"");
    CHECK(gs_sheet_find(reader, "data", &data));
    CHECK_STRING(line->cells[data], hostile);
}

static void test_what_a_sheet_writes_is_read(void) {
    for (gs_report_format format = GS_FORMAT_CSV; format <= GS_FORMAT_JSONL; format++) {
        size_t length, at, row = 0, column;
        char *text = sheet_of(format, &length);
        FILE *file = file_of(text, length);
        gs_sheet_reader *reader;
        const gs_sheet_line *line;
        CHECK(gs_sheet_open(file, "x", &reader, NULL) == GS_OK);
        CHECK(gs_sheet_format(reader) == format && !gs_sheet_find(reader, "none", &column));
        CHECK_STRING(gs_sheet_column_name(reader, 2), "text");
        const char *header = gs_sheet_header(reader, &at);
        CHECK((at == 0) == (format == GS_FORMAT_JSONL));
        CHECK(at == 0 || memcmp(header, text, at) == 0);
        while (gs_sheet_next(reader, &line, NULL) == GS_OK && line) {
            check_row(reader, line, row++);
            CHECK(line->offset == at && memcmp(line->bytes, text + at, line->length) == 0);
            uint64_t number = 1;
            for (size_t i = 0; i < at; i++)
                number += text[i] == '\n';
            CHECK(line->line == number);
            at += line->length;
        }
        CHECK(row == ROWS && at == length);
        gs_sheet_close(reader);
        fclose(file);
        free(text);
    }
}

/* Wherever a sheet is cut off, the rows before are read, and a torn one is refused with its line. */
static void test_a_sheet_that_is_cut_anywhere_is_read_up_to_there(void) {
    for (gs_report_format format = GS_FORMAT_CSV; format <= GS_FORMAT_JSONL; format++) {
        size_t whole_length, ends[ROWS + 1], rows = 0;
        char *text = sheet_of(format, &whole_length), expected[64];
        gs_sheet_reader *reader;
        const gs_sheet_line *line;
        FILE *file = file_of(text, whole_length);
        CHECK(gs_sheet_open(file, "x", &reader, NULL) == GS_OK);
        gs_sheet_header(reader, &ends[0]);
        uint64_t lines[ROWS + 1] = {0};
        while (gs_sheet_next(reader, &line, NULL) == GS_OK && line) {
            lines[rows++] = line->line;
            ends[rows] = line->offset + line->length;
        }
        gs_sheet_close(reader);
        fclose(file);
        for (size_t length = ends[0] + 1; length < whole_length; length++) {
            size_t kept = 0;
            gs_error error;
            gs_status status = GS_OK;
            file = file_of(text, length);
            if (gs_sheet_open(file, "x", &reader, &error) != GS_OK)
                status = error.code;
            for (rows = 0; status == GS_OK; rows++)
                if ((status = gs_sheet_next(reader, &line, &error)) != GS_OK || !line)
                    break;
            while (ends[kept + 1] <= length)
                kept++;
            CHECK_THAT(rows == kept, "%zu bytes: %zu rows", length, rows);
            snprintf(expected, sizeof expected, "x: line %d: expected a", (int)lines[kept]);
            CHECK_THAT(length == ends[kept]
                           ? status == GS_OK
                           : status == GS_ERR_FORMAT && strstr(error.message, expected) &&
                                 strstr(error.message, "got the end of the file"),
                       "%zu bytes: %s", length, error.message);
            gs_sheet_close(reader);
            fclose(file);
        }
        free(text);
    }
}

/* ---- What others write ---- */

static void test_csv_of_others_is_read(void) {
    CHECK_STRING(rows_of("a,b\n1,2\n,\n"), "[1|2] [|] ");
    CHECK_STRING(rows_of("\xef\xbb\xbf"
                         "a,b\r\n1,2\r\n,x\r\n"),
                 "[1|2] [|x] ");
    CHECK_STRING(rows_of("\"a\",\"b, \"\"c\"\"\"\n\"1\",\"\"\n\"x\r\ny\",\"\"\"\"\n"),
                 "[1|] [x\r\ny|\"] ");
    CHECK_STRING(rows_of("a\n\n1\n"), "[] [1] ");
    CHECK_STRING(rows_of(",a\n0,1\n"), "[0|1] "); /* pandas names its index so */
    CHECK_STRING(rows_of("a\tb,c\n1\t\"\n\\t\\\\\t\\r\n"), "[1|\"] [\t\\|\r] ");
    CHECK_STRING(rows_of("{\"a\": 1, \"b\": null}\n{ \"a\" :\"\\u00e9\", \"b\":-1e+3 }\r\n"),
                 "[1|] [\xc3\xa9|-1e+3] ");
}

static void test_files_behind_each_other_are_one_sheet(void) {
    CHECK_STRING(rows_of("a,b\n1,2\na,b\n3,4\na,b\na,b\r\n"), "[1|2] [3|4] ");
    CHECK_STRING(rows_of("a,b\n1,2\na,b\n3\n"),
                 "x: line 4: expected 2 cells, as line 1 has, got 1");
    CHECK_STRING(rows_of("a\tb\na\tb\n1\t2\n"), "[1|2] ");
    CHECK_STRING(rows_of("{\"a\":\"a\"}\n{\"a\":\"a\"}\n"), "[a] [a] ");
}

static void test_a_sheet_without_rows_is_one(void) {
    CHECK_STRING(rows_of("a,b\n"), "");
    CHECK_STRING(rows_of("a\n"), "");
}

/* ---- Rows of every length ---- */

/* Row i is i, a comma, and letters, some of them more than a buffer. */
static void test_rows_do_not_depend_on_where_a_buffer_ends(void) {
    enum { COUNT = 700 };
    static char cell[400000], number[16];
    FILE *file = tmpfile();
    gs_sheet_reader *reader;
    const gs_sheet_line *line;
    uint64_t offset;
    fputs("i,text\n", file);
    for (size_t i = 0; i < COUNT; i++) {
        size_t length = i % 100 == 99 ? 50000 * (i / 100 + 1) : i * 7919 % 1000;
        memset(cell, 'a' + (int)(i % 26), length);
        cell[length] = '\0';
        fprintf(file, i % 3 == 0 ? "%zu,\"%s\n\"\n" : "%zu,%s\n", i, cell);
    }
    offset = (uint64_t)ftell(file);
    rewind(file);
    CHECK(gs_sheet_open(file, "x", &reader, NULL) == GS_OK);
    for (size_t i = 0; i < COUNT; i++) {
        CHECK(gs_sheet_next(reader, &line, NULL) == GS_OK && line);
        snprintf(number, sizeof number, "%zu", i);
        size_t length = i % 100 == 99 ? 50000 * (i / 100 + 1) : i * 7919 % 1000;
        const char *text = line->cells[1];
        CHECK_STRING(line->cells[0], number);
        CHECK_THAT(strlen(text) == length + (i % 3 == 0), "row %zu: %zu", i, strlen(text));
        CHECK(line->line == 2 + i + (i + 2) / 3);
        for (size_t k = 0; k < length; k++)
            CHECK_THAT(text[k] == 'a' + (int)(i % 26), "row %zu, byte %zu", i, k);
    }
    CHECK(line->offset + line->length == offset);
    CHECK(gs_sheet_next(reader, &line, NULL) == GS_OK && !line);
    gs_sheet_close(reader);
    fclose(file);
}

static void test_a_row_has_a_longest_length(void) {
    char *text = malloc(GS_SHEET_MOST_BYTES + 3);
    memset(text, 'x', GS_SHEET_MOST_BYTES + 3);
    memcpy(text, "a\n", 2);
    gs_sheet_reader *reader;
    const gs_sheet_line *line;
    gs_error error;
    for (size_t excess = 0; excess < 2; excess++) {
        size_t length = GS_SHEET_MOST_BYTES + excess;
        memcpy(text + 1 + length, "\n", 1);
        FILE *file = file_of(text, 2 + length);
        CHECK(gs_sheet_open(file, "x", &reader, NULL) == GS_OK);
        gs_status status = gs_sheet_next(reader, &line, &error);
        CHECK(status == (excess ? GS_ERR_FORMAT : GS_OK));
        text[1 + length] = 'x';
        gs_sheet_close(reader);
        fclose(file);
    }
    CHECK_STRING(error.message, "x: line 2: expected a line end within 1048576 bytes");
    text[2] = '"';
    FILE *file = file_of(text, GS_SHEET_MOST_BYTES + 3);
    CHECK(gs_sheet_open(file, "x", &reader, NULL) == GS_OK);
    CHECK(gs_sheet_next(reader, &line, &error) == GS_ERR_FORMAT);
    CHECK_STRING(error.message,
                 "x: line 2: expected a quote that closes the cell within 1048576 bytes");
    gs_sheet_close(reader);
    fclose(file);
    free(text);
}

/* ---- What is refused ---- */

static void test_what_is_no_sheet_is_refused(void) {
    static const struct {
        const char *text, *message;
    } refused[] = {
        {"", "x: expected a line of column names, got an empty file"},
        {"\xef\xbb\xbf", "x: expected a line of column names, got an empty file"},
        {"a,b", "x: line 1: expected a line end, got the end of the file"},
        {"a,\"b", "x: line 1: expected a quote that closes the cell, got the end of the file"},
        {"1,1,0\n", "x: line 1: expected a header of column names, got '1'"},
        {"a,b,a\n", "x: line 1: expected each column once, got 'a' twice"},
        {"a,\x1f\x8b\n", "x: line 1: expected column names, got the byte 0x1f"},
        {"a,b\n1\n", "x: line 2: expected 2 cells, as line 1 has, got 1"},
        {"a,b\n\n", "x: line 2: expected 2 cells, as line 1 has, got 1"},
        {"a,b\n1,2\n1,2,3\n", "x: line 3: expected 2 cells, as line 1 has, got 3"},
        {"a,b\n\"x\ny\",2\n1\n", "x: line 4: expected 2 cells, as line 1 has, got 1"},
        {"a,b\n1,2", "x: line 2: expected a line end, got the end of the file"},
        {"a,b\n1,\"2\n",
         "x: line 2: expected a quote that closes the cell, got the end of the file"},
        {"a,b\n1,2\"\"\n", "x: line 2: expected no quote in a cell that begins without one"},
        {"a,b\n1,\"2\"3\n", "x: line 2: expected ',' or a line end behind a quoted cell"},
        {"a\tb\n1\t\\x\n", "x: line 2: expected \\t, \\n, \\r or \\\\ for a backslash"},
        {"a\tb\n1\t\\\n", "x: line 2: expected \\t, \\n, \\r or \\\\ for a backslash"},
        {"{}\n", "x: line 1: expected column names, got none"},
        {"\n", "x: line 1: expected column names, got none"},
        {"\"\"\r\na\n", "x: line 1: expected column names, got none"},
        {"{\"a\":[]}\n", "x: line 1: expected a string, a number or null, got '['"},
        {"{\"a\":01}\n", "x: line 1: expected a string, a number or null, got '01'"},
        {"{\"a\":true}\n", "x: line 1: expected a string, a number or null, got 'true'"},
        {"{\"a\":1x}\n", "x: line 1: expected ',' or '}', got 'x'"},
        {"{\"a\":1,\"a\":2}\n", "x: line 1: expected each column once, got 'a' twice"},
        {"{\"a\":1}\n{\"b\":1}\n", "x: line 2: expected the member 'a', got 'b'"},
        {"{\"a\":1}\n{\"a\":1,\"b\":1}\n", "x: line 2: expected 1 members, got 'b' after them"},
        {"{\"a\":1}\n{}\n", "x: line 2: expected 1 cells, as line 1 has, got 0"},
        {"{\"a\":1}\n\n", "x: line 2: expected '{', got the end"},
        {"{\"a\":1}\n{\"a\":1} 2\n", "x: line 2: expected nothing more, got '2'"},
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        CHECK_STRING(rows_of(refused[i].text), refused[i].message);
}

static void test_zero_bytes_are_refused_wherever_they_are(void) {
    const char *const message = "expected text, got a zero byte";
    CHECK(strstr(read_all("a\0b\n1\n", 6), message));
    CHECK(strstr(read_all("a,b\n1,\0\n", 8), message));
    CHECK(strstr(read_all("a,b\n1,2\n\0\0\0", 11), message)); /* as a power failure leaves */
    CHECK(strstr(read_all("\xff\xfe"
                          "a\0,\0b\0\n\0",
                          10),
                 message)); /* UTF-16 */
    CHECK(strstr(read_all("{\"a\":\0}\n", 8), message));
}

static void test_too_many_columns_are_refused(void) {
    char *text = malloc(8 * GS_SHEET_MOST_COLUMNS), *end = text;
    for (int i = 0; i < GS_SHEET_MOST_COLUMNS; i++)
        end += sprintf(end, "c%d,", i);
    strcpy(end - 1, "\n");
    CHECK_STRING(rows_of(text), "");
    strcpy(end - 1, ",x\n");
    CHECK_STRING(rows_of(text), "x: line 1: expected at most 4096 columns, got 4097");
    free(text);
}

static void test_a_column_that_is_needed_is_asked_for(void) {
    gs_sheet_reader *reader;
    gs_error error;
    size_t column = 9;
    FILE *file = file_of("a,b\n", 4);
    CHECK(gs_sheet_open(file, "x", &reader, NULL) == GS_OK);
    CHECK(gs_sheet_require(reader, "b", &column, &error) == GS_OK && column == 1);
    CHECK(gs_sheet_require(reader, "c", &column, &error) == GS_ERR_FORMAT);
    CHECK_STRING(error.message, "x: line 1: expected a column 'c', got 'a' and others");
    gs_sheet_close(reader);
    fclose(file);
}

/* ---- Numbers ---- */

static void test_cells_are_read_as_numbers(void) {
    static const char text[] = "r\n1.5\n\nnan\ninf\n-inf\n-1e-3\nabc\n1x\n1e999\n12\n";
    static const double values[] = {1.5, NAN, NAN, INFINITY, -INFINITY, -1e-3};
    enum { GOOD = sizeof values / sizeof *values };
    gs_sheet_reader *reader;
    const gs_sheet_line *line;
    gs_error error;
    FILE *file = file_of(text, strlen(text));
    CHECK(gs_sheet_open(file, "x", &reader, NULL) == GS_OK);
    for (size_t i = 0; i < GOOD + 3; i++) {
        double value;
        bool is_there;
        uint64_t whole;
        CHECK(gs_sheet_next(reader, &line, NULL) == GS_OK && line);
        gs_status status = gs_sheet_real(reader, 0, &value, &is_there, &error);
        CHECK((status == GS_OK) == (i < GOOD));
        CHECK(i >= GOOD ||
              (is_there == (i != 1) && (value == values[i] || (isnan(value) && isnan(values[i])))));
        CHECK(gs_sheet_whole(reader, 0, &whole, NULL) == GS_ERR_FORMAT);
    }
    CHECK_STRING(error.message, "x: line 10: column 'r': expected a number, got '1e999'");
    uint64_t whole;
    CHECK(gs_sheet_next(reader, &line, NULL) == GS_OK);
    CHECK(gs_sheet_whole(reader, 0, &whole, NULL) == GS_OK && whole == 12);
    gs_sheet_close(reader);
    fclose(file);
}

/* ---- Other errors ---- */

static void test_a_file_that_cannot_be_read_is_an_error(void) {
    gs_sheet_reader *reader;
    gs_error error;
    FILE *file = fopen("/", "r");
    CHECK(file && gs_sheet_open(file, "/", &reader, &error) == GS_ERR_IO && !reader);
    CHECK_STRING(error.message, "cannot read '/': Is a directory");
    fclose(file);
}

static void test_every_allocation_may_fail(void) {
    static char text[200000];
    bool failed = true;
    memset(text, 'x', sizeof text);
    memcpy(text, "a\n", 2);
    text[sizeof text - 1] = '\n';
    for (size_t nth = 1; failed; nth++) {
        gs_sheet_reader *reader;
        const gs_sheet_line *line;
        FILE *file = file_of(text, sizeof text);
        test_fail_allocation(nth);
        gs_status status = gs_sheet_open(file, "x", &reader, NULL);
        CHECK((status == GS_OK) == (reader != NULL));
        if (status == GS_OK)
            status = gs_sheet_next(reader, &line, NULL);
        failed = test_allocation_failed();
        test_fail_allocation(0);
        CHECK_THAT(status == (failed ? GS_ERR_MEMORY : GS_OK), "allocation %zu", nth);
        gs_sheet_close(reader);
        fclose(file);
    }
}

TEST_MAIN(TEST(test_what_a_sheet_writes_is_read),
          TEST(test_a_sheet_that_is_cut_anywhere_is_read_up_to_there),
          TEST(test_csv_of_others_is_read), TEST(test_files_behind_each_other_are_one_sheet),
          TEST(test_a_sheet_without_rows_is_one),
          TEST(test_rows_do_not_depend_on_where_a_buffer_ends),
          TEST(test_a_row_has_a_longest_length), TEST(test_what_is_no_sheet_is_refused),
          TEST(test_zero_bytes_are_refused_wherever_they_are),
          TEST(test_too_many_columns_are_refused), TEST(test_a_column_that_is_needed_is_asked_for),
          TEST(test_cells_are_read_as_numbers), TEST(test_a_file_that_cannot_be_read_is_an_error),
          TEST(test_every_allocation_may_fail))
