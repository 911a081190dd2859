/* Logs that are to be continued. The first byte says of which form and up to which step. */
#include "fuzz.h"
#include "report/resume.h"

static long length_of(FILE *file) {
    struct stat info;
    fuzz_check(fstat(fileno(file), &info) == 0, "a file");
    return (long)info.st_size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const gs_report_format formats[] = {GS_FORMAT_CSV, GS_FORMAT_TSV, GS_FORMAT_JSONL};
    if (size == 0)
        return 0;
    const gs_report_style style = {.format = formats[data[0] % 3], .header = data[0] & 64};
    const gs_log_subject subject = {.run = 1, .seed = 1, .rows = 2};
    uint64_t last = data[0] & 15;
    gs_log_end end, again;
    gs_error error = {0};
    fuzz_write("x", NULL, data + 1, size - 1);
    FILE *file = fopen(fuzz_path("x"), "r+b");
    fuzz_check(file != NULL, "a file in /tmp");
    gs_status status = gs_log_find_end(file, style, subject, last, &end, &error);
    fuzz_check(status == error.code, "a code in the error");
    fuzz_check((size_t)length_of(file) == size - 1, "a file that stays as it is");
    if (status == GS_OK) {
        fuzz_check(end.length >= 0 && (size_t)end.length <= size - 1, "an end within the file");
        fuzz_check(!end.has_record || end.step <= last, "no later step");
        fuzz_check(gs_log_cut(file, end, &error) == GS_OK, "a file that can be cut");
        fuzz_check(length_of(file) == end.length, "a file that is cut there");
        status = gs_log_find_end(file, style, subject, last, &again, &error);
        fuzz_check(status == GS_OK && again.length == end.length, "nothing more to cut");
        fuzz_check(again.has_record == end.has_record && again.step == end.step, "the same end");
    }
    fclose(file);
    return 0;
}
