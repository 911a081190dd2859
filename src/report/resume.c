/*
 * Going on with a log: it is read as a stream of characters, of which nothing is kept but where the
 * last whole record ends. What follows is cut off when the caller has agreed.
 */
#include "report/resume.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "report/row.h"

typedef struct {
    FILE *file;
    gs_report_format format;
    const gs_row *columns;
    int next; /* the character that is yet to be taken, or EOF */
    off_t position;
    uint64_t line; /* from 1 */
} reader;

typedef struct {
    uint64_t run, seed, step, layer;
} indices;

/* ---- Characters ---- */

static void advance(reader *r) {
    r->position++;
    r->line += r->next == '\n';
    r->next = getc_unlocked(r->file);
}

static bool take(reader *r, const char *text) {
    for (; *text && r->next == (unsigned char)*text; text++)
        advance(r);
    return !*text;
}

static bool take_number(reader *r, uint64_t *number) {
    bool is_number = false;
    for (*number = 0; r->next >= '0' && r->next <= '9'; advance(r)) {
        uint64_t digit = (uint64_t)(r->next - '0');
        if (*number > (UINT64_MAX - digit) / 10)
            return false;
        *number = 10 * *number + digit;
        is_number = true;
    }
    return is_number;
}

static const char *separator_of(const reader *r) {
    return r->format == GS_FORMAT_TSV ? "\t" : ",";
}

/* ---- Lines: each takes one with its end, and is false where another character came, which is then
   the next one, or the end of the file ---- */

static bool take_header(reader *r) {
    for (size_t i = 0; i < r->columns->count; i++)
        if ((i > 0 && !take(r, separator_of(r))) || !take(r, r->columns->name[i]))
            return false;
    return take(r, "\n");
}

/* The rest of a row of cells, of which some are taken: a line feed between quotes is in a cell. */
static bool take_cells(reader *r, size_t taken) {
    bool is_quoted = false;
    for (; r->next != EOF && (is_quoted || r->next != '\n'); advance(r)) {
        if (r->format == GS_FORMAT_CSV && r->next == '"')
            is_quoted = !is_quoted;
        taken += !is_quoted && r->next == separator_of(r)[0];
    }
    return taken == r->columns->count && take(r, "\n");
}

static bool take_members(reader *r) {
    int last = 0;
    for (; r->next != EOF && r->next != '\n'; advance(r))
        last = r->next;
    return last == '}' && take(r, "\n");
}

/* {"run":1,"seed":1,"step":0,"layer":1,... or 1,1,0,1,... */
static bool take_row(reader *r, indices *found) {
    uint64_t *numbers[] = {&found->run, &found->seed, &found->step, &found->layer};
    enum { NUMBERS = sizeof numbers / sizeof *numbers };
    bool is_json = r->format == GS_FORMAT_JSONL;
    for (size_t i = 0; i < NUMBERS; i++) {
        if (is_json &&
            !(take(r, i == 0 ? "{\"" : ",\"") && take(r, r->columns->name[i]) && take(r, "\":")))
            return false;
        if (!is_json && i > 0 && !take(r, separator_of(r)))
            return false;
        if (!take_number(r, numbers[i]))
            return false;
    }
    if (!take(r, is_json ? ",\"" : separator_of(r)))
        return false;
    return is_json ? take_members(r) : take_cells(r, NUMBERS + 1);
}

/* ---- Records ---- */

typedef struct {
    gs_log_subject subject;
    uint64_t last;
    gs_log_end *end;
    size_t rows;     /* beyond it: of a record that is not whole yet */
    uint64_t step;   /* and its step */
    bool has_passed; /* a row of a later step than the last */
} scan;

static gs_status check_subject(const scan *s, const indices *row, uint64_t line, gs_error *error) {
    const gs_log_subject *subject = &s->subject;
    if (row->run == subject->run && row->seed == subject->seed)
        return GS_OK;
    return gs_fail(error, GS_ERR_FORMAT,
                   "line %" PRIu64 ": expected run %zu with seed %" PRIu64 ", got run %" PRIu64
                   " with seed %" PRIu64,
                   line, subject->run, subject->seed, row->run, row->seed);
}

static gs_status check_place(const scan *s, const indices *row, uint64_t line, gs_error *error) {
    uint64_t step = s->rows > 0 ? s->step : row->step;
    if (row->step != step || row->layer != s->rows + 1)
        return gs_fail(error, GS_ERR_FORMAT,
                       "line %" PRIu64 ": expected layer %zu of step %" PRIu64
                       ", got layer %" PRIu64 " of step %" PRIu64,
                       line, s->rows + 1, step, row->layer, row->step);
    if (s->end->has_record && step <= s->end->step)
        return gs_fail(error, GS_ERR_FORMAT,
                       "line %" PRIu64 ": expected a step after %" PRIu64 ", got %" PRIu64, line,
                       s->end->step, step);
    return GS_OK;
}

static gs_status add_row(scan *s, const reader *r, const indices *row, uint64_t line,
                         gs_error *error) {
    gs_status status = check_subject(s, row, line, error);
    s->has_passed = row->step > s->last;
    if (status == GS_OK && !s->has_passed)
        status = check_place(s, row, line, error);
    if (status != GS_OK || s->has_passed)
        return status;
    s->step = row->step;
    if (++s->rows < s->subject.rows)
        return GS_OK;
    s->rows = 0;
    s->end->length = r->position;
    s->end->has_record = true;
    s->end->step = row->step;
    return GS_OK;
}

/* A line that ends too early is no error at the end of the file, where its writer was stopped. */
static gs_status refuse_line(const reader *r, uint64_t line, const char *expected,
                             gs_error *error) {
    if (ferror(r->file))
        return gs_fail(error, GS_ERR_IO, "cannot read: %s", strerror(errno));
    if (r->next == EOF)
        return GS_OK;
    return gs_fail(error, GS_ERR_FORMAT,
                   "line %" PRIu64 ": expected %s of a log of this form and version, with %zu "
                   "columns",
                   line, expected, r->columns->count);
}

static gs_status read_log(reader *r, bool has_header, scan *s, gs_error *error) {
    gs_status status = GS_OK;
    r->next = getc_unlocked(r->file);
    if (has_header && !take_header(r))
        return refuse_line(r, 1, "the header", error);
    s->end->length = r->position;
    while (status == GS_OK && !s->has_passed && r->next != EOF) {
        indices row;
        uint64_t line = r->line;
        if (!take_row(r, &row))
            return refuse_line(r, line, "a row", error);
        status = add_row(s, r, &row, line, error);
    }
    return status == GS_OK && ferror(r->file) ? refuse_line(r, r->line, "a row", error) : status;
}

/* ---- The file ---- */

gs_status gs_log_find_end(FILE *file, gs_report_style style, gs_log_subject subject, uint64_t last,
                          gs_log_end *end, gs_error *error) {
    gs_sheet *sheet = gs_log_new(file, style, error);
    if (!sheet)
        return GS_ERR_MEMORY;
    bool has_header = style.header && style.format != GS_FORMAT_JSONL;
    reader r = {.file = file, .format = style.format, .columns = gs_sheet_row(sheet), .line = 1};
    scan s = {.subject = subject, .last = last, .end = end};
    *end = (gs_log_end){0};
    rewind(file);
    gs_status status = read_log(&r, has_header, &s, error);
    gs_sheet_free(sheet);
    return status;
}

gs_status gs_log_cut(FILE *file, gs_log_end end, gs_error *error) {
    if (fseeko(file, end.length, SEEK_SET) == 0 && ftruncate(fileno(file), end.length) == 0)
        return GS_OK;
    return gs_fail(error, GS_ERR_IO, "cannot cut: %s", strerror(errno));
}
