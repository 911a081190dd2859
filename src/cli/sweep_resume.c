/*
 * Going on with a sweep: the rows that are there must be what this sweep would have written, point
 * by point, as far as places, seeds and options tell.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "cli/sweep.h"
#include "report/row.h"
#include "report/sheet_read.h"

typedef struct {
    sweep *s;
    gs_sheet *sheet; /* as this sweep writes it */
    char *header;    /* [header_length], likewise */
    size_t header_length;
    gs_sheet_reader *reader;
    size_t points_column, sweep_column, seed_column, options_column; /* of both kinds of sheets */
    size_t run_column, step_column, layer_column, error_column;      /* of rows of layers */

    uint64_t point; /* at hand; 0 before the first */
    cli_job job;    /* of it */
    sweep_data *borrowed;
    char **texts;                /* of its options */
    uint64_t index, step, layer; /* of the row before, in this point; index 0: there is none */
    bool has_ended;              /* and that was the last row of its network */
    uint64_t behind, length;     /* points that are whole, and their bytes */
} scan;

/* ---- What is expected ---- */

static gs_status make_header(scan *c, gs_error *error) {
    const sweep *s = c->s;
    FILE *memory = open_memstream(&c->header, &c->header_length);
    if (!memory)
        return gs_fail(error, GS_ERR_MEMORY, "no memory for a line of column names");
    c->sheet = s->options.summary ? gs_outcome_sheet_new(memory, s->style, error)
                                  : gs_log_new(memory, s->style, error);
    if (c->sheet)
        gs_sheet_write_header(c->sheet);
    fclose(memory);
    return c->sheet ? GS_OK : GS_ERR_MEMORY;
}

static void end_point(scan *c) {
    if (c->point > 0) {
        gs_free(c->texts);
        sweep_end_job(c->s, &c->job, c->borrowed);
    }
    c->point = 0;
}

static gs_status begin_point(scan *c, uint64_t point, gs_error *error) {
    gs_error why;
    end_point(c);
    sweep_begin_job(c->s, point, &c->job, &c->borrowed, &why); /* the row may be of its failure */
    c->texts = c->job.config ? gs_option_texts(c->job.config, error) : NULL;
    c->point = point;
    c->index = 0;
    c->has_ended = false;
    return c->texts ? GS_OK : gs_fail(error, GS_ERR_MEMORY, "no memory for a point");
}

/* ---- Rows ---- */

static gs_status expect(const scan *c, const gs_sheet_line *row, size_t column,
                        const char *expected, gs_error *error) {
    if (strcmp(row->cells[column], expected) == 0)
        return GS_OK;
    return gs_sheet_refuse(
        c->reader, error, "expected %s '%.80s' at point %" PRIu64 " of this sweep, got '%.80s'",
        gs_sheet_column_name(c->reader, column), expected, c->point, row->cells[column]);
}

static gs_status expect_whole(const scan *c, const gs_sheet_line *row, size_t column,
                              uint64_t expected, gs_error *error) {
    char text[32];
    gs_format(text, sizeof text, "%" PRIu64, expected);
    return expect(c, row, column, text, error);
}

static gs_status check_options(const scan *c, const gs_sheet_line *row, gs_error *error) {
    size_t column = c->options_column;
    gs_status status = GS_OK;
    for (size_t i = 0; i < gs_config_options.count && status == GS_OK; i++)
        if (gs_config_options.rows[i].column)
            status = expect(c, row, column++, c->texts[i], error);
    return status;
}

/* A network that trains may end before its last step, at what is not finite. */
static bool is_finite(const scan *c, const gs_sheet_line *row) {
    for (size_t i = 0; i < c->points_column; i++)
        if (strcmp(row->cells[i], "nan") == 0 || strcmp(row->cells[i], "inf") == 0)
            return false;
    return true;
}

/* Whether a row stands where a row must: layer after layer, logged step after logged step, and after
   the end of a network the next one. */
static bool follows(const scan *c, uint64_t index, uint64_t step, uint64_t layer, bool has_failed) {
    const gs_config *config = c->job.config;
    uint64_t layers = config->layers + config->head;
    uint64_t first = (c->point - 1) * c->s->seeds + 1, next = c->index > 0 ? c->index + 1 : first;
    if (index == next)
        return (c->index == 0 || c->has_ended) && (has_failed || (layer == 1 && step == 0));
    if (index != c->index || has_failed)
        return false;
    if (step == c->step)
        return layer == c->layer + 1;
    return c->layer == layers && layer == 1 && step > c->step && step <= config->steps &&
           run_last_due(&c->job, step - 1) == c->step;
}

static gs_status refuse_place(const scan *c, uint64_t index, uint64_t step, uint64_t layer,
                              gs_error *error) {
    gs_line expected = {0};
    if (c->index == 0)
        gs_line_add(&expected, "the first row of point %" PRIu64, c->point);
    else
        gs_line_add(&expected,
                    "what follows run %" PRIu64 ", step %" PRIu64 ", layer %" PRIu64
                    " in this sweep",
                    c->index, c->step, c->layer);
    return gs_sheet_refuse(c->reader, error,
                           "expected %s, got run %" PRIu64 ", step %" PRIu64 ", layer %" PRIu64,
                           expected.text, index, step, layer);
}

static gs_status check_network(scan *c, const gs_sheet_line *row, gs_error *error) {
    const gs_config *config = c->job.config;
    uint64_t index, step = 0, layer = 0, first = (c->point - 1) * c->s->seeds + 1;
    bool has_failed = row->cells[c->error_column][0] != '\0';
    gs_status status = gs_sheet_whole(c->reader, c->run_column, &index, error);
    if (status == GS_OK && !has_failed)
        status = gs_sheet_whole(c->reader, c->step_column, &step, error);
    if (status == GS_OK && !has_failed)
        status = gs_sheet_whole(c->reader, c->layer_column, &layer, error);
    if (status == GS_OK && !follows(c, index, step, layer, has_failed))
        return refuse_place(c, index, step, layer, error);
    c->index = index;
    c->step = step;
    c->layer = layer;
    c->has_ended = has_failed || (layer == config->layers + config->head &&
                                  (step == config->steps || !is_finite(c, row)));
    return status == GS_OK
               ? expect_whole(c, row, c->seed_column, config->seed + (index - first), error)
               : status;
}

static bool is_point_whole(const scan *c) {
    return c->s->options.summary || (c->has_ended && c->index == c->point * c->s->seeds);
}

static gs_status check_row(scan *c, const gs_sheet_line *row, uint64_t point, gs_error *error) {
    gs_status status = GS_OK;
    bool has_next = c->point == 0 || is_point_whole(c), is_summary = c->s->options.summary;
    if (point != c->point || is_summary) {
        uint64_t place = c->point > 0 ? c->behind + 1 : 0, next = sweep_point(c->s, place);
        if (!has_next || place >= c->s->count || point != next)
            return gs_sheet_refuse(
                c->reader, error, "expected %s point %" PRIu64 " of this sweep, got point %" PRIu64,
                has_next ? "the beginning of" : "all of", has_next ? next : c->point, point);
        c->behind = place;
        c->length = row->offset;
        status = begin_point(c, point, error);
    }
    if (status == GS_OK)
        status = expect_whole(c, row, c->points_column, cli_grid_points(c->s->grid), error);
    if (status == GS_OK)
        status = check_options(c, row, error);
    if (status == GS_OK && !is_summary)
        status = check_network(c, row, error);
    else if (status == GS_OK)
        status = expect_whole(c, row, c->seed_column, c->job.config->seed, error);
    if (status == GS_OK && strcmp(row->cells[c->sweep_column], cli_grid_name(c->s->grid)) != 0)
        return gs_sheet_refuse(
            c->reader, error,
            "expected a row of this sweep, got one of another, in which --steps, "
            "--log-every, --seeds or the like differ");
    return status;
}

/* ---- The file ---- */

static gs_status check_columns(scan *c, gs_error *error) {
    const gs_row *expected = gs_sheet_row(c->sheet);
    for (size_t i = 0; i < expected->count; i++)
        if (i >= gs_sheet_columns(c->reader) ||
            strcmp(gs_sheet_column_name(c->reader, i), expected->name[i]) != 0)
            return gs_fail(error, GS_ERR_FORMAT,
                           "%s: line 1: expected column %zu to be '%s', as this sweep writes it",
                           c->s->job.path, i + 1, expected->name[i]);
    size_t length;
    const char *header = gs_sheet_header(c->reader, &length);
    if (length != c->header_length || (length > 0 && memcmp(header, c->header, length) != 0))
        return gs_fail(error, GS_ERR_FORMAT,
                       "%s: line 1: expected the column names as this sweep writes them",
                       c->s->job.path);
    c->options_column = expected->count;
    for (size_t i = 0; i < gs_config_options.count; i++)
        c->options_column -= gs_config_options.rows[i].column;
    const struct {
        const char *name;
        size_t *column;
    } wanted[] = {{"points", &c->points_column}, {"sweep", &c->sweep_column},
                  {"seed", &c->seed_column},     {"run", &c->run_column},
                  {"step", &c->step_column},     {"layer", &c->layer_column},
                  {"error", &c->error_column}};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        gs_sheet_find(c->reader, wanted[i].name, wanted[i].column);
    return GS_OK;
}

static gs_status read_rows(scan *c, gs_error *error) {
    const gs_sheet_line *row = NULL;
    uint64_t point, end = c->header_length;
    size_t column;
    gs_status status = gs_sheet_require(c->reader, "point", &column, error);
    while (status == GS_OK) {
        status = gs_sheet_next(c->reader, &row, error);
        if (status != GS_OK && gs_sheet_is_torn(c->reader))
            return GS_OK;
        if (status != GS_OK || !row)
            break;
        if (row->offset != end || (row->length > 1 && row->bytes[row->length - 2] == '\r'))
            return gs_sheet_refuse(c->reader, error, "expected a row as this sweep writes it");
        status = gs_sheet_whole(c->reader, column, &point, error);
        if (status == GS_OK)
            status = check_row(c, row, point, error);
        end = row->offset + row->length;
    }
    if (status == GS_OK && c->point > 0 && is_point_whole(c)) {
        c->behind++;
        c->length = end;
    }
    return status;
}

/* A file that ends within its first line holds nothing yet: within the header, or in JSON lines,
   which have none, within a row. */
static bool is_fresh(const scan *c, FILE *file) {
    bool has_header = c->header_length > 0;
    gs_line first = {0};
    if (!has_header)
        gs_line_add(&first, "{\"%s\":%" PRIu64 ",\"%s\":", gs_sheet_row(c->sheet)->name[0],
                    c->s->options.summary ? c->s->first : (c->s->first - 1) * c->s->seeds + 1,
                    gs_sheet_row(c->sheet)->name[1]);
    const char *expected = has_header ? c->header : first.text;
    size_t length = has_header ? c->header_length : first.length, matched = 0;
    int byte;
    rewind(file);
    while ((byte = getc(file)) != EOF && matched < length &&
           byte == (unsigned char)expected[matched])
        matched++;
    while (!has_header && matched == length && byte != EOF && byte != '\n')
        byte = getc(file);
    bool is_fresh = byte == EOF && !ferror(file);
    rewind(file);
    return is_fresh;
}

static gs_status scan_file(scan *c, gs_error *error) {
    const sweep *s = c->s;
    gs_status status = make_header(c, error);
    if (status != GS_OK || is_fresh(c, s->job.file))
        return status;
    status = gs_sheet_open(s->job.file, s->job.path, &c->reader, error);
    if (status == GS_OK)
        status = check_columns(c, error);
    if (status == GS_OK)
        status = read_rows(c, error);
    return status;
}

static gs_status cut(const sweep *s, uint64_t length, gs_error *error) {
    off_t end = (off_t)length;
    if (fseeko(s->job.file, end, SEEK_SET) == 0 && ftruncate(fileno(s->job.file), end) == 0)
        return GS_OK;
    return gs_fail(error, GS_ERR_IO, "cannot cut '%s': %s", s->job.path, strerror(errno));
}

gs_status sweep_resume(sweep *s, gs_error *error) {
    scan c = {.s = s};
    gs_status status = cli_job_open(&s->job, "r+", &s->style, error);
    if (status == GS_OK)
        status = scan_file(&c, error);
    if (status == GS_OK)
        status = cut(s, c.behind > 0 ? c.length : 0, error);
    s->behind = c.behind;
    s->style.header &= c.behind == 0;
    end_point(&c);
    gs_sheet_close(c.reader);
    gs_sheet_free(c.sheet);
    free(c.header);
    return status;
}
