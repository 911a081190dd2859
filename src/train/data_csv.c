/*
 * Examples from comma-separated text, read cell by cell: however long the lines, only their numbers
 * are kept.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "train/data.h"

enum { BUFFER_SIZE = 1 << 16, CELL_MAX = 1023, SHOWN_MAX = 40, LABEL_MAX = 65535 };

typedef struct {
    const char *path;
    FILE *file;
    gs_error *error;
    size_t line, column; /* of the cell that was read last, from 1 */
    size_t empty_line;   /* the first one, 0 if none: only the end of the file may follow */
    size_t columns;      /* cells in every row; 0 before the first line */
    size_t rows;
    double *values; /* [rows, columns], and what has been read of the next row */
    size_t count, capacity;
    char cell[CELL_MAX + 1]; /* its text, without blanks around it */
    int end;                 /* what stands after it: ',', '\n' or EOF */
    size_t position, filled;
    unsigned char buffer[BUFFER_SIZE];
} csv_reader;

static gs_status refuse_line(const csv_reader *csv, size_t line, const char *why) {
    return gs_fail(csv->error, GS_ERR_FORMAT, "%s:%zu: %s", csv->path, line, why);
}

static gs_status refuse_cell(const csv_reader *csv, const char *why, gs_error *error) {
    return gs_fail(error, GS_ERR_FORMAT, "%s:%zu: column %zu: %s", csv->path, csv->line,
                   csv->column, why);
}

/* ---- Bytes and cells ---- */

static gs_status fill_buffer(csv_reader *csv) {
    csv->position = 0;
    csv->filled = fread(csv->buffer, 1, BUFFER_SIZE, csv->file);
    if (ferror(csv->file))
        return gs_fail(csv->error, GS_ERR_IO, "%s: %s", csv->path, strerror(errno));
    return GS_OK;
}

static bool begins_with(const csv_reader *csv, const char *bytes, size_t count) {
    return csv->filled >= count && memcmp(csv->buffer, bytes, count) == 0;
}

/* Tells the files that are likely to be given by mistake, and passes over a byte order mark. */
static gs_status read_beginning(csv_reader *csv) {
    gs_status status = fill_buffer(csv);
    if (status == GS_OK && begins_with(csv, "\x1f\x8b", 2))
        return gs_fail(csv->error, GS_ERR_FORMAT, "%s: is gzip-compressed: unpack it with gunzip",
                       csv->path);
    if (status == GS_OK && begins_with(csv, "\0\0\x08", 3))
        return gs_fail(csv->error, GS_ERR_FORMAT,
                       "%s: is an IDX file: expected the folder that holds it", csv->path);
    if (begins_with(csv, "\xef\xbb\xbf", 3))
        csv->position = 3;
    return status;
}

/* The next byte, or EOF, to *byte. */
static gs_status read_byte(csv_reader *csv, int *byte) {
    gs_status status = GS_OK;
    /* A buffer that was not filled was the last one: a terminal must not be asked again. */
    if (csv->position == csv->filled && csv->filled == BUFFER_SIZE)
        status = fill_buffer(csv);
    *byte = csv->position < csv->filled ? csv->buffer[csv->position++] : EOF;
    return status;
}

static bool is_blank(int byte) {
    return byte == ' ' || byte == '\t' || byte == '\r';
}

static gs_status read_cell(csv_reader *csv) {
    size_t length = 0;
    int byte;
    csv->column++;
    for (;;) {
        gs_status status = read_byte(csv, &byte);
        if (status != GS_OK)
            return status;
        if (byte == ',' || byte == '\n' || byte == EOF)
            break;
        if (byte == '\0')
            return refuse_cell(csv, "expected text, got a NUL byte", csv->error);
        if (length == CELL_MAX)
            return refuse_cell(csv, "expected a number, got a cell of over 1023 bytes", csv->error);
        if (length > 0 || !is_blank(byte))
            csv->cell[length++] = (char)byte;
    }
    while (length > 0 && is_blank(csv->cell[length - 1]))
        length--;
    csv->cell[length] = '\0';
    csv->end = byte;
    return GS_OK;
}

/* ---- Numbers ---- */

static gs_text_status parse_cell(const char *cell, double *value) {
    uint64_t whole;
    /* Most cells of most files are small whole numbers, and those are quick to read. */
    if (gs_parse_size(cell, &whole) == GS_TEXT_OK && whole <= LABEL_MAX) {
        *value = (double)whole;
        return GS_TEXT_OK;
    }
    return gs_parse_real(cell, value);
}

/* Cuts a long cell, between two characters of UTF-8, to what a message can show. */
static const char *shorten(char *cell) {
    size_t length = SHOWN_MAX;
    if (strlen(cell) > SHOWN_MAX) {
        while (length > 0 && ((unsigned char)cell[length] & 0xc0) == 0x80)
            length--;
        memcpy(cell + length, "...", sizeof "...");
    }
    return cell;
}

/* The last cell of a line is a label. */
static gs_status check_cell(csv_reader *csv, gs_text_status text, double value, gs_error *error) {
    const char *expected = NULL;
    if (text == GS_TEXT_EMPTY)
        return refuse_cell(csv, "empty cell", error);
    if (csv->end != ',' &&
        !(text == GS_TEXT_OK && value >= 0 && value <= LABEL_MAX && value == floor(value)))
        expected = "labels must be classes 0, 1, 2, ... up to 65535";
    else if (text == GS_TEXT_NOT_FINITE || text == GS_TEXT_TOO_LARGE)
        expected = "expected a finite number";
    else if (text != GS_TEXT_OK)
        expected = "expected a number";
    if (!expected)
        return GS_OK;
    return gs_fail(error, GS_ERR_FORMAT, "%s:%zu: column %zu: %s, got '%s'", csv->path, csv->line,
                   csv->column, expected, shorten(csv->cell));
}

static gs_status append(csv_reader *csv, double value) {
    double *values = gs_grow(csv->values, csv->count, csv->count + 1, &csv->capacity,
                             sizeof *values, csv->error);
    if (!values)
        return GS_ERR_MEMORY;
    csv->values = values;
    values[csv->count++] = value;
    return GS_OK;
}

/* ---- Lines ---- */

/* Reads a line and keeps its numbers. The first refused cell ends it, with its message in
   `refusal`, except in the first line: whether that is a header shows at its end, by `numbers`
   being 0. */
static gs_status read_line(csv_reader *csv, size_t *numbers, gs_error *refusal) {
    refusal->code = GS_OK;
    *numbers = 0;
    csv->line++;
    csv->column = 0;
    do {
        double value = 0;
        gs_status status = read_cell(csv);
        if (status != GS_OK)
            return status;
        gs_text_status text = parse_cell(csv->cell, &value);
        *numbers += text == GS_TEXT_OK;
        if (refusal->code == GS_OK)
            check_cell(csv, text, value, refusal);
        if (refusal->code == GS_OK && (status = append(csv, value)) != GS_OK)
            return status;
    } while (csv->end == ',' && (refusal->code == GS_OK || csv->columns == 0));
    return GS_OK;
}

/* Judges the line that was read: an empty line, the header, a row, or an error. */
static gs_status take_line(csv_reader *csv, size_t numbers, const gs_error *refusal) {
    bool first = csv->columns == 0;
    if (csv->column == 1 && csv->cell[0] == '\0' && csv->end != ',') {
        if (csv->empty_line == 0 && csv->end != EOF)
            csv->empty_line = csv->line;
        return GS_OK;
    }
    if (csv->empty_line > 0)
        return refuse_line(csv, csv->empty_line, "expected a row, got an empty line");
    bool header = first && numbers == 0;
    if (refusal->code != GS_OK && !header)
        return gs_fail(csv->error, refusal->code, "%s", refusal->message);
    if (first)
        csv->columns = csv->column;
    if (csv->columns < 2)
        return refuse_line(csv, csv->line, "expected 2 or more cells, features and a label, got 1");
    if (csv->column != csv->columns)
        return gs_fail(csv->error, GS_ERR_FORMAT, "%s:%zu: expected %zu cells, got %zu", csv->path,
                       csv->line, csv->columns, csv->column);
    csv->rows += !header;
    return GS_OK;
}

/* Parts the rows into features and labels. */
static gs_status split_rows(const csv_reader *csv, gs_data *data) {
    data->examples = csv->rows;
    data->features = csv->columns - 1;
    data->values = gs_alloc(csv->rows * data->features, sizeof *data->values, csv->error);
    data->labels = gs_alloc(csv->rows, sizeof *data->labels, csv->error);
    if (!data->values || !data->labels)
        return GS_ERR_MEMORY;
    for (size_t i = 0; i < csv->rows; i++) {
        const double *row = csv->values + i * csv->columns;
        memcpy(data->values + i * data->features, row, data->features * sizeof *row);
        data->labels[i] = (size_t)row[data->features];
        if (data->classes <= data->labels[i])
            data->classes = data->labels[i] + 1;
    }
    return GS_OK;
}

static gs_status read_file(csv_reader *csv, gs_data *data) {
    gs_error refusal;
    size_t numbers;
    gs_status status = read_beginning(csv);
    for (csv->end = '\n'; status == GS_OK && csv->end != EOF;) {
        status = read_line(csv, &numbers, &refusal);
        if (status == GS_OK)
            status = take_line(csv, numbers, &refusal);
    }
    if (status == GS_OK && csv->rows == 0)
        status = gs_fail(csv->error, GS_ERR_FORMAT, "%s: has no rows", csv->path);
    return status == GS_OK ? split_rows(csv, data) : status;
}

gs_status gs_data_load_csv(const char *path, gs_data *data, gs_error *error) {
    *data = (gs_data){0};
    csv_reader csv = {.path = path, .error = error, .file = fopen(path, "rb")};
    if (!csv.file)
        return gs_fail(error, GS_ERR_IO, "%s: %s", path, strerror(errno));
    gs_status status = read_file(&csv, data);
    fclose(csv.file);
    gs_free(csv.values);
    if (status != GS_OK)
        gs_data_free(data);
    return status;
}
