/* Sheets, read row by row, and merged with nothing. */
#include "fuzz.h"
#include "report/merge.h"
#include "report/sheet_read.h"

static void check_row(const gs_sheet_reader *reader, const gs_sheet_line *line, const uint8_t *data,
                      size_t size) {
    size_t total = 0;
    double value;
    bool is_there;
    fuzz_check(line->offset + line->length <= size, "a row within the file");
    fuzz_check(memcmp(line->bytes, data + line->offset, line->length) == 0, "its bytes");
    fuzz_check(line->bytes[line->length - 1] == '\n', "a line end");
    for (size_t i = 0; i < gs_sheet_columns(reader); i++) {
        total += strlen(line->cells[i]);
        gs_sheet_real(reader, i, &value, &is_there, NULL);
    }
    fuzz_check(total < line->length, "no more text than there is");
}

static void read_rows(FILE *file, const uint8_t *data, size_t size) {
    gs_error error = {0};
    gs_sheet_reader *reader;
    const gs_sheet_line *line = NULL;
    uint64_t end = 0, number = 0;
    gs_status status = gs_sheet_open(file, "x", &reader, &error);
    fuzz_check((status == GS_OK) == (reader != NULL), "a reader if and only if it is a sheet");
    while (status == GS_OK && (status = gs_sheet_next(reader, &line, &error)) == GS_OK && line) {
        fuzz_check(line->offset >= end && line->line > number, "rows behind each other");
        end = line->offset + line->length;
        number = line->line;
        check_row(reader, line, data, size);
    }
    fuzz_check(status == error.code, "a code in the error");
    fuzz_check(status == GS_OK || strncmp(error.message, "x: ", 3) == 0, "the name of the file");
    gs_sheet_close(reader);
}

/* A log that merges with nothing stays as it is, but for a byte order mark and repeated headers. */
static void merge(size_t size) {
    char *paths[] = {(char *)(uintptr_t)fuzz_path("x"), NULL}, *result;
    gs_error error = {0};
    gs_merge *merge;
    size_t length;
    FILE *out = open_memstream(&result, &length);
    gs_status status = gs_merge_open(paths, 1, &merge, &error);
    for (bool is_done = false; status == GS_OK && !is_done;)
        status = gs_merge_next(merge, out, &is_done, &error);
    fclose(out);
    fuzz_check(status == error.code, "a code in the error");
    fuzz_check(length <= size, "no more than there is");
    if (status == GS_OK)
        fuzz_check(gs_merge_missing(merge)->missing < gs_merge_missing(merge)->points, "a point");
    gs_merge_close(merge);
    free(result);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_write("x", NULL, data, size);
    FILE *file = fopen(fuzz_path("x"), "rb");
    fuzz_check(file != NULL, "a file in /tmp");
    read_rows(file, data, size);
    fclose(file);
    merge(size);
    return 0;
}
