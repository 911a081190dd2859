/* The sheet of a sweep, point by point. */
#include "report/points.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

/* Where a log stands within a point. */
typedef struct {
    uint64_t run, step, layer;
    uint64_t layers; /* of this network: at the last of them a record is whole */
    bool has_failed; /* the network ends with its error */
} place;

/* ---- Rows ---- */

/* The next row, of which only the point is known. */
static gs_status peek(gs_point_reader *r, gs_error *error) {
    uint64_t before = r->point, points = r->points;
    gs_status status = gs_sheet_next(r->sheet, &r->line, error);
    if (status != GS_OK || !r->line)
        return status;
    status = gs_sheet_whole(r->sheet, r->column.point, &r->point, error);
    if (status == GS_OK)
        status = gs_sheet_whole(r->sheet, r->column.points, &r->points, error);
    if (status == GS_OK && !r->is_summary)
        status = gs_sheet_whole(r->sheet, r->column.run, &r->run, error);
    if (status != GS_OK)
        return status;
    if (points > 0 && r->points != points)
        return gs_sheet_refuse(r->sheet, error,
                               "expected one of %" PRIu64 " points, got one of "
                               "%" PRIu64,
                               points, r->points);
    char sweep[sizeof r->sweep];
    bool has_name = r->column.sweep != SIZE_MAX;
    gs_format(sweep, sizeof sweep, "%s", has_name ? r->line->cells[r->column.sweep] : "");
    if (points > 0 && strcmp(sweep, r->sweep) != 0)
        return gs_sheet_refuse(r->sheet, error, "expected a row of the sweep '%s', got one of '%s'",
                               r->sweep, sweep);
    memcpy(r->sweep, sweep, sizeof sweep);
    if (r->point == 0 || r->point > r->points)
        return gs_sheet_refuse(r->sheet, error,
                               "expected a point from 1 to %" PRIu64 ", got %" PRIu64, r->points,
                               r->point);
    if (r->point < before)
        return gs_sheet_refuse(r->sheet, error,
                               "expected no point before %" PRIu64 ", got %" PRIu64, before,
                               r->point);
    return GS_OK;
}

static gs_status count_layers(const gs_point_reader *r, uint64_t *layers, gs_error *error) {
    gs_status status = gs_sheet_whole(r->sheet, r->column.layers, layers, error);
    *layers += strcmp(r->line->cells[r->column.head], "on") == 0;
    if (status == GS_OK && *layers == 0)
        return gs_sheet_refuse(r->sheet, error, "column 'layers': expected at least 1, got 0");
    return status;
}

static bool is_whole(const place *at) {
    return at->has_failed || at->layer == at->layers;
}

/* A network begins, or another step of the last one if that has not failed. */
static gs_status begin_record(const gs_point_reader *r, const place *at, const place *next,
                              gs_error *error) {
    bool goes_on = next->run == at->run && at->layers > 0 && !at->has_failed;
    if (next->run == at->run + 1 || (goes_on && (next->has_failed || next->step > at->step)))
        return GS_OK;
    if (goes_on)
        return gs_sheet_refuse(r->sheet, error,
                               "expected run %" PRIu64 ", or run %" PRIu64 " after step %" PRIu64
                               ", got run %" PRIu64 " at step %" PRIu64,
                               at->run + 1, at->run, at->step, next->run, next->step);
    return gs_sheet_refuse(r->sheet, error, "expected run %" PRIu64 ", got run %" PRIu64,
                           at->run + 1, next->run);
}

/* Take the row to `at`. */
static gs_status follow(const gs_point_reader *r, place *at, gs_error *error) {
    place next = {.run = r->run, .layers = at->layers};
    next.has_failed = r->line->cells[r->column.error][0] != '\0';
    gs_status status = GS_OK;
    if (!next.has_failed)
        status = gs_sheet_whole(r->sheet, r->column.step, &next.step, error);
    if (status == GS_OK && !next.has_failed)
        status = gs_sheet_whole(r->sheet, r->column.layer, &next.layer, error);
    bool begins = is_whole(at);
    if (status == GS_OK && begins)
        status = begin_record(r, at, &next, error);
    if (status == GS_OK && begins)
        status = count_layers(r, &next.layers, error);
    if (status != GS_OK)
        return status;
    uint64_t layer = begins ? 1 : at->layer + 1;
    bool is_next = begins || (next.run == at->run && next.step == at->step);
    if (next.has_failed ? begins : is_next && next.layer == layer) {
        *at = next;
        return GS_OK;
    }
    gs_line got = {0};
    if (next.has_failed)
        gs_line_add(&got, "the error of run %" PRIu64, next.run);
    else
        gs_line_add(&got, "layer %" PRIu64 " of run %" PRIu64 " at step %" PRIu64, next.layer,
                    next.run, next.step);
    return gs_sheet_refuse(
        r->sheet, error,
        "expected layer %" PRIu64 " of run %" PRIu64 " at step %" PRIu64 ", got %s", layer,
        begins ? next.run : at->run, begins ? next.step : at->step, got.text);
}

/* ---- Points ---- */

/* The networks of all points are counted on: those of point p are from (p - 1) networks + 1 on. */
static gs_status begin_point(const gs_point_reader *r, uint64_t *networks, gs_error *error) {
    uint64_t before = r->point - 1;
    if (*networks == 0 && r->run > 0 && before > 0)
        *networks = (r->run - 1) / before;
    if (before > 0 && *networks == 0)
        return gs_sheet_refuse(r->sheet, error,
                               "expected a run after %" PRIu64 " for point %" PRIu64
                               ", got run %" PRIu64,
                               before, r->point, r->run);
    if (r->run == before * *networks + 1)
        return GS_OK;
    return gs_sheet_refuse(r->sheet, error,
                           "expected run %" PRIu64 " for point %" PRIu64 ", after %" PRIu64
                           " for each point before it, got run %" PRIu64,
                           before * *networks + 1, r->point, *networks, r->run);
}

static gs_status end_point(const gs_point_reader *r, const place *at, uint64_t point,
                           uint64_t *networks, gs_error *error) {
    char got[64], expected[96];
    if (*networks == 0)
        *networks = at->run;
    if (is_whole(at) && at->run == point * *networks)
        return GS_OK;
    if (is_whole(at))
        gs_format(expected, sizeof expected, "run %" PRIu64, at->run + 1);
    else
        gs_format(expected, sizeof expected, "layer %" PRIu64 " of run %" PRIu64, at->layer + 1,
                  at->run);
    gs_format(got, sizeof got, r->line ? "point %" PRIu64 : "the end of the file", r->point);
    return gs_sheet_refuse(r->sheet, error, "expected %s, to make point %" PRIu64 " whole, got %s",
                           expected, point, got);
}

void gs_points_write_line(FILE *out, const char *bytes, size_t length) {
    bool is_foreign = length > 1 && bytes[length - 2] == '\r';
    fwrite(bytes, 1, length - 1 - is_foreign, out);
    putc('\n', out);
}

gs_status gs_points_copy(gs_point_reader *reader, FILE *out, uint64_t *networks, gs_error *error) {
    uint64_t point = reader->point;
    place at = {.run = reader->run - 1};
    gs_status status = reader->is_summary ? GS_OK : begin_point(reader, networks, error);
    while (status == GS_OK && reader->line && reader->point == point) {
        if (!reader->is_summary)
            status = follow(reader, &at, error);
        if (status == GS_OK && out)
            gs_points_write_line(out, reader->line->bytes, reader->line->length);
        if (status == GS_OK)
            status = peek(reader, error);
        if (status == GS_OK && reader->is_summary && reader->line && reader->point == point)
            return gs_sheet_refuse(reader->sheet, error,
                                   "expected a point after %" PRIu64 ", got it again", point);
    }
    if (status == GS_OK && !reader->is_summary)
        status = end_point(reader, &at, point, networks, error);
    return status;
}

/* ---- The file ---- */

static gs_status find_columns(gs_point_reader *r, gs_error *error) {
    const struct {
        const char *name;
        size_t *column;
    } needed[] = {{"point", &r->column.point},   {"points", &r->column.points},
                  {"run", &r->column.run},       {"step", &r->column.step},
                  {"layer", &r->column.layer},   {"error", &r->column.error},
                  {"layers", &r->column.layers}, {"head", &r->column.head}};
    enum { NEEDED = sizeof needed / sizeof *needed, OF_SUMMARY = 2 };
    size_t unused;
    gs_status status = GS_OK;
    r->is_summary =
        !gs_sheet_find(r->sheet, "layer", &unused) && gs_sheet_find(r->sheet, "networks", &unused);
    if (!gs_sheet_find(r->sheet, "sweep", &r->column.sweep))
        r->column.sweep = SIZE_MAX;
    for (size_t i = 0; i < (r->is_summary ? OF_SUMMARY : NEEDED) && status == GS_OK; i++)
        status = gs_sheet_require(r->sheet, needed[i].name, needed[i].column, error);
    return status;
}

/* Of a file that cannot be read too, there is more to say. */
static bool is_empty(FILE *file) {
    int first = getc(file);
    ungetc(first, file);
    return first == EOF && !ferror(file);
}

gs_status gs_points_open(gs_point_reader *reader, const char *path, gs_error *error) {
    *reader = (gs_point_reader){.file = fopen(path, "rb"), .path = path};
    if (!reader->file)
        return gs_fail(error, GS_ERR_IO, "cannot read '%s': %s", path, strerror(errno));
    if (is_empty(reader->file))
        return GS_OK;
    gs_status status = gs_sheet_open(reader->file, path, &reader->sheet, error);
    if (status == GS_OK)
        status = find_columns(reader, error);
    if (status == GS_OK)
        status = peek(reader, error);
    if (status != GS_OK)
        gs_points_close(reader);
    return status;
}

void gs_points_close(gs_point_reader *reader) {
    gs_sheet_close(reader->sheet);
    if (reader->file)
        fclose(reader->file);
    *reader = (gs_point_reader){0};
}
