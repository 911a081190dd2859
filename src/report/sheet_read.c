/*
 * Reading sheets: bytes -> rows, whose cells are made in a copy of the row.
 */
#include "report/sheet_read.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"

enum { FIRST_ROOM = 1 << 16 };

struct gs_sheet_reader {
    FILE *file;
    const char *path;
    gs_report_format format;
    char *buffer, *text; /* [room] of the file; [room + 1] of the row, with its cells */
    size_t room;
    size_t begin, end; /* of what is yet to be taken from the buffer */
    bool has_ended;
    uint64_t next_line;
    char *header; /* [header_length] bytes of its line */
    size_t header_length;
    char *names; /* one after another */
    size_t columns;
    const char **name; /* [columns] */
    const char **cell; /* [GS_SHEET_MOST_COLUMNS] */
    size_t count;      /* of the cells of the row, which may have more */
    gs_sheet_line line;
};

gs_status gs_sheet_refuse(const gs_sheet_reader *reader, gs_error *error, const char *format, ...) {
    char why[512];
    va_list arguments;
    va_start(arguments, format);
    gs_format_list(why, sizeof why, format, arguments);
    va_end(arguments);
    return gs_fail(error, GS_ERR_FORMAT, "%s: line %" PRIu64 ": %s", reader->path,
                   reader->line.line, why);
}

/* ---- Bytes -> rows ---- */

static gs_status grow(gs_sheet_reader *r, gs_error *error) {
    size_t room = r->room > 0 ? 2 * r->room : FIRST_ROOM;
    char *buffer = gs_realloc(r->buffer, r->end, room, 1, error);
    if (!buffer)
        return GS_ERR_MEMORY;
    r->buffer = buffer;
    char *text = gs_realloc(r->text, 0, room + 1, 1, error);
    if (!text)
        return GS_ERR_MEMORY;
    r->text = text;
    r->room = room;
    return GS_OK;
}

/* More bytes behind those that are there. */
static gs_status fill(gs_sheet_reader *r, gs_error *error) {
    size_t left = r->end - r->begin;
    if (r->begin > 0)
        memmove(r->buffer, r->buffer + r->begin, left);
    r->begin = 0;
    r->end = left;
    if (r->end == r->room && grow(r, error) != GS_OK)
        return GS_ERR_MEMORY;
    size_t count = fread(r->buffer + r->end, 1, r->room - r->end, r->file);
    if (ferror(r->file))
        return gs_fail(error, GS_ERR_IO, "cannot read '%s': %s", r->path, strerror(errno));
    r->end += count;
    r->has_ended = count == 0;
    return GS_OK;
}

/* A line feed that an odd number of quotes stands before is within a cell. Returns the length of
   the row with its line end, 0 if that is not there yet. */
static size_t row_length(const gs_sheet_reader *r, bool *is_quoted) {
    const char *start = r->buffer + r->begin, *end = r->buffer + r->end, *next = start;
    *is_quoted = false;
    while (next < end) {
        const char *line = next, *feed = memchr(line, '\n', (size_t)(end - line)), *quote = line;
        next = feed ? feed + 1 : end;
        while (r->format == GS_FORMAT_CSV && (quote = memchr(quote, '"', (size_t)(next - quote)))) {
            *is_quoted = !*is_quoted;
            quote++;
        }
        if (feed && !*is_quoted)
            return (size_t)(next - start);
    }
    return 0;
}

static gs_status refuse_torn_row(gs_sheet_reader *r, bool is_quoted, gs_error *error) {
    const char *expected = is_quoted ? "a quote that closes the cell" : "a line end";
    r->line.line = r->next_line;
    if (memchr(r->buffer + r->begin, '\0', r->end - r->begin))
        return gs_sheet_refuse(r, error, "expected text, got a zero byte");
    if (r->has_ended)
        return gs_sheet_refuse(r, error, "expected %s, got the end of the file", expected);
    return gs_sheet_refuse(r, error, "expected %s within %d bytes", expected, GS_SHEET_MOST_BYTES);
}

/* The row to line, whose length is 0 past the last. */
static gs_status take_row(gs_sheet_reader *r, gs_error *error) {
    bool is_quoted;
    gs_status status = GS_OK;
    gs_sheet_line *line = &r->line;
    line->offset += line->length;
    line->line = r->next_line;
    while ((line->length = row_length(r, &is_quoted)) == 0 && !r->has_ended && status == GS_OK) {
        if (r->end - r->begin == GS_SHEET_MOST_BYTES)
            return refuse_torn_row(r, is_quoted, error);
        status = fill(r, error);
    }
    if (status == GS_OK && line->length == 0 && r->end > r->begin)
        return refuse_torn_row(r, is_quoted, error);
    line->bytes = r->buffer + r->begin;
    r->begin += line->length;
    for (const char *end = line->bytes + line->length, *next = line->bytes;
         next < end && (next = memchr(next, '\n', (size_t)(end - next))); next++)
        r->next_line++;
    return status;
}

/* ---- Rows -> cells ---- */

/* Of the row without its line end. */
static size_t content_length(const char *bytes, size_t length) {
    length -= length > 0 && bytes[length - 1] == '\n';
    return length - (length > 0 && bytes[length - 1] == '\r');
}

static void add_cell(gs_sheet_reader *r, const char *text) {
    if (r->count < GS_SHEET_MOST_COLUMNS)
        r->cell[r->count] = text;
    r->count++;
}

static void split_plain(gs_sheet_reader *r, size_t length, char separator) {
    const char *end = r->text + length;
    add_cell(r, r->text);
    for (char *next = r->text; next < end; next++)
        if (*next == separator) {
            *next = '\0';
            add_cell(r, next + 1);
        }
}

/* RFC 4180, section 2. The text of a cell is no longer than what it is made from. */
static gs_status split_quoted(gs_sheet_reader *r, size_t length, gs_error *error) {
    const char *next = r->text, *end = r->text + length;
    char *out = r->text;
    for (bool is_last = false; !is_last; next++) {
        bool is_quoted = next < end && *next == '"';
        add_cell(r, out);
        for (next += is_quoted; next < end && (is_quoted || *next != ','); *out++ = *next++) {
            if (*next == '"' && !is_quoted)
                return gs_sheet_refuse(r, error,
                                       "expected no quote in a cell that begins without one");
            if (*next == '"' && (++next == end || *next != '"'))
                break;
        }
        if (next < end && *next != ',')
            return gs_sheet_refuse(r, error, "expected ',' or a line end behind a quoted cell");
        is_last = next == end;
        *out++ = '\0';
    }
    return GS_OK;
}

static gs_status split_escaped(gs_sheet_reader *r, size_t length, gs_error *error) {
    static const char letters[] = "tnr\\", meanings[] = "\t\n\r\\";
    const char *end = r->text + length;
    char *out = r->text;
    add_cell(r, out);
    for (const char *next = r->text; next < end; next++) {
        char c = *next;
        if (c == '\\') {
            const char *letter = ++next < end ? strchr(letters, *next) : NULL;
            if (!letter)
                return gs_sheet_refuse(r, error, "expected \\t, \\n, \\r or \\\\ for a backslash");
            c = meanings[letter - letters];
        }
        bool is_end = *next == '\t';
        *out++ = is_end ? '\0' : c;
        if (is_end)
            add_cell(r, out);
    }
    *out = '\0';
    return GS_OK;
}

static gs_status refuse_json(const gs_sheet_reader *r, const gs_json_reader *json,
                             gs_error *error) {
    char got[GS_JSON_GOT];
    gs_json_got(json, got);
    return gs_sheet_refuse(r, error, "expected %s, got %s", json->expected, got);
}

/* The cells of the first line are its names. The text of a value ends where the next member begins,
   which has been read by then. */
static gs_status split_members(gs_sheet_reader *r, size_t length, gs_error *error) {
    gs_json_reader json = {.text = r->text, .length = length};
    const char *name, *value;
    size_t size, end = 0;
    gs_json_open(&json, '{');
    while (gs_json_next(&json, '}', r->count == 0)) {
        if (!(name = gs_json_key(&json)) || !gs_json_scalar(&json, &value, &size))
            break;
        if (r->name && r->count == r->columns)
            return gs_sheet_refuse(r, error, "expected %zu members, got '%.80s' after them",
                                   r->columns, name);
        if (r->name && strcmp(name, r->name[r->count]) != 0)
            return gs_sheet_refuse(r, error, "expected the member '%.80s', got '%.80s'",
                                   r->name[r->count], name);
        if (r->count > 0)
            r->text[end] = '\0';
        end = (size_t)(value - r->text) + size;
        add_cell(r, r->name ? value : name);
    }
    if (!gs_json_end(&json))
        return refuse_json(r, &json, error);
    r->text[end] = '\0';
    return GS_OK;
}

static gs_status split(gs_sheet_reader *r, gs_error *error) {
    const char *bytes = r->line.bytes;
    size_t length = content_length(bytes, r->line.length);
    memcpy(r->text, bytes, length);
    r->text[length] = '\0';
    r->count = 0;
    if (memchr(bytes, '\0', length))
        return gs_sheet_refuse(r, error, "expected text, got a zero byte");
    if (r->format == GS_FORMAT_JSONL)
        return split_members(r, length, error);
    if (r->format == GS_FORMAT_CSV && memchr(bytes, '"', length))
        return split_quoted(r, length, error);
    if (r->format == GS_FORMAT_TSV && memchr(bytes, '\\', length))
        return split_escaped(r, length, error);
    split_plain(r, length, r->format == GS_FORMAT_TSV ? '\t' : ',');
    return GS_OK;
}

/* ---- The header ---- */

/* By the first byte, and by which separator comes first. */
static gs_report_format find_format(const char *next, const char *end) {
    if (next < end && *next == '{')
        return GS_FORMAT_JSONL;
    while (next < end && !strchr(",\t\n", *next))
        next++;
    return next < end && *next == '\t' ? GS_FORMAT_TSV : GS_FORMAT_CSV;
}

static gs_status check_names(const gs_sheet_reader *r, gs_error *error) {
    double number;
    if (r->count == 0 || (r->count == 1 && !r->cell[0][0]))
        return gs_sheet_refuse(r, error, "expected column names, got none");
    if (r->count > GS_SHEET_MOST_COLUMNS)
        return gs_sheet_refuse(r, error, "expected at most %d columns, got %zu",
                               GS_SHEET_MOST_COLUMNS, r->count);
    if (gs_parse_real(r->cell[0], &number) == GS_TEXT_OK)
        return gs_sheet_refuse(r, error, "expected a header of column names, got '%.60s'",
                               r->cell[0]);
    for (size_t i = 0; i < r->count; i++) {
        for (const char *c = r->cell[i]; *c; c++)
            if ((unsigned char)*c < 0x20)
                return gs_sheet_refuse(r, error, "expected column names, got the byte 0x%02x", *c);
        for (size_t j = 0; j < i; j++)
            if (strcmp(r->cell[i], r->cell[j]) == 0)
                return gs_sheet_refuse(r, error, "expected each column once, got '%.80s' twice",
                                       r->cell[i]);
    }
    return GS_OK;
}

static gs_status keep_names(gs_sheet_reader *r, gs_error *error) {
    size_t size = 0;
    for (size_t i = 0; i < r->count; i++)
        size += strlen(r->cell[i]) + 1;
    r->names = gs_alloc(size, 1, error);
    r->name = r->names ? gs_alloc(r->count, sizeof *r->name, error) : NULL;
    if (!r->name)
        return GS_ERR_MEMORY;
    r->columns = r->count;
    char *next = r->names;
    for (size_t i = 0; i < r->count; i++) {
        r->name[i] = strcpy(next, r->cell[i]);
        next += strlen(next) + 1;
    }
    return GS_OK;
}

static gs_status keep_header(gs_sheet_reader *r, gs_error *error) {
    r->header = gs_alloc(r->line.length, 1, error);
    if (!r->header)
        return GS_ERR_MEMORY;
    memcpy(r->header, r->line.bytes, r->line.length);
    r->header_length = r->line.length;
    return GS_OK;
}

/* JSON lines have their names in the first row, which is yet to be taken as one. */
static void take_back(gs_sheet_reader *r) {
    r->begin -= r->line.length;
    r->line.length = 0;
    r->next_line = 1;
}

static gs_status read_names(gs_sheet_reader *r, gs_error *error) {
    gs_status status = fill(r, error);
    if (status == GS_OK && r->end >= 3 && memcmp(r->buffer, "\xef\xbb\xbf", 3) == 0)
        r->begin = r->line.offset = 3; /* a byte order mark */
    if (status == GS_OK) {
        r->format = find_format(r->buffer + r->begin, r->buffer + r->end);
        status = take_row(r, error);
    }
    if (status == GS_OK && r->line.length == 0)
        return gs_fail(error, GS_ERR_FORMAT,
                       "%s: expected a line of column names, got an empty file", r->path);
    if (status == GS_OK)
        status = split(r, error);
    if (status == GS_OK)
        status = check_names(r, error);
    if (status == GS_OK)
        status = keep_names(r, error);
    if (status != GS_OK || r->format != GS_FORMAT_JSONL)
        return status == GS_OK ? keep_header(r, error) : status;
    take_back(r);
    return GS_OK;
}

gs_status gs_sheet_open(FILE *file, const char *path, gs_sheet_reader **reader, gs_error *error) {
    gs_sheet_reader *r = *reader = gs_alloc(1, sizeof *r, error);
    if (!r)
        return GS_ERR_MEMORY;
    r->file = file;
    r->path = path;
    r->next_line = 1;
    r->cell = gs_alloc(GS_SHEET_MOST_COLUMNS, sizeof *r->cell, error);
    r->line.cells = r->cell;
    gs_status status = r->cell ? grow(r, error) : GS_ERR_MEMORY;
    if (status == GS_OK)
        status = read_names(r, error);
    if (status != GS_OK) {
        gs_sheet_close(r);
        *reader = NULL;
    }
    return status;
}

void gs_sheet_close(gs_sheet_reader *reader) {
    if (reader) {
        gs_free(reader->buffer);
        gs_free(reader->text);
        gs_free(reader->header);
        gs_free(reader->names);
        gs_free(reader->name);
        gs_free(reader->cell);
    }
    gs_free(reader);
}

/* ---- What is asked for ---- */

gs_report_format gs_sheet_format(const gs_sheet_reader *reader) {
    return reader->format;
}

const char *gs_sheet_header(const gs_sheet_reader *reader, size_t *length) {
    *length = reader->header_length;
    return reader->header;
}

size_t gs_sheet_columns(const gs_sheet_reader *reader) {
    return reader->columns;
}

const char *gs_sheet_column_name(const gs_sheet_reader *reader, size_t column) {
    return reader->name[column];
}

bool gs_sheet_find(const gs_sheet_reader *reader, const char *name, size_t *column) {
    for (size_t i = 0; i < reader->columns; i++)
        if (strcmp(reader->name[i], name) == 0) {
            *column = i;
            return true;
        }
    return false;
}

gs_status gs_sheet_require(const gs_sheet_reader *reader, const char *name, size_t *column,
                           gs_error *error) {
    if (gs_sheet_find(reader, name, column))
        return GS_OK;
    return gs_fail(error, GS_ERR_FORMAT, "%s: line 1: expected a column '%s', got '%.60s'%s",
                   reader->path, name, reader->name[0],
                   reader->columns > 1 ? " and others" : " alone");
}

bool gs_sheet_is_torn(const gs_sheet_reader *reader) {
    return reader->has_ended && reader->line.length == 0 && reader->end > reader->begin;
}

static bool is_header_again(const gs_sheet_reader *r) {
    size_t length = content_length(r->line.bytes, r->line.length);
    return r->header_length > 0 && length == content_length(r->header, r->header_length) &&
           memcmp(r->line.bytes, r->header, length) == 0;
}

gs_status gs_sheet_next(gs_sheet_reader *reader, const gs_sheet_line **line, gs_error *error) {
    gs_status status;
    *line = NULL;
    do
        status = take_row(reader, error);
    while (status == GS_OK && is_header_again(reader));
    if (status != GS_OK || reader->line.length == 0)
        return status;
    status = split(reader, error);
    if (status == GS_OK && reader->count != reader->columns)
        return gs_sheet_refuse(reader, error, "expected %zu cells, as line 1 has, got %zu",
                               reader->columns, reader->count);
    *line = status == GS_OK ? &reader->line : NULL;
    return status;
}

gs_status gs_sheet_whole(const gs_sheet_reader *reader, size_t column, uint64_t *value,
                         gs_error *error) {
    if (gs_parse_size(reader->cell[column], value) == GS_TEXT_OK)
        return GS_OK;
    return gs_sheet_refuse(reader, error, "column '%.60s': expected a whole number, got '%.60s'",
                           reader->name[column], reader->cell[column]);
}

gs_status gs_sheet_real(const gs_sheet_reader *reader, size_t column, double *value, bool *is_there,
                        gs_error *error) {
    static const struct {
        const char *text;
        double value;
    } others[] = {{"", NAN}, {"nan", NAN}, {"inf", INFINITY}, {"-inf", -INFINITY}};
    const char *text = reader->cell[column];
    *is_there = *text != '\0';
    if (gs_parse_real(text, value) == GS_TEXT_OK)
        return GS_OK;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcmp(text, others[i].text) == 0) {
            *value = others[i].value;
            return GS_OK;
        }
    return gs_sheet_refuse(reader, error, "column '%.60s': expected a number, got '%.60s'",
                           reader->name[column], text);
}
