/* Merging sheets of sweeps. */
#include "report/merge.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "report/points.h"

struct gs_merge {
    gs_point_reader *shards; /* [count] */
    size_t count;
    const gs_point_reader *first; /* that is not empty: the others are to be like it */
    uint64_t networks;            /* of a point, 0 as long as that is not known */
    uint64_t last;                /* point that was written */
    const char *sweep;            /* of all, once there are points */
    gs_merge_gaps gaps;
};

/* ---- Do they belong together? ---- */

static gs_status check_columns(const gs_point_reader *first, const gs_point_reader *shard,
                               gs_error *error) {
    size_t wanted = gs_sheet_columns(first->sheet), columns = gs_sheet_columns(shard->sheet), i;
    for (i = 0; i < wanted && i < columns; i++)
        if (strcmp(gs_sheet_column_name(first->sheet, i), gs_sheet_column_name(shard->sheet, i)))
            break;
    if (i == wanted && i == columns)
        return GS_OK;
    return gs_fail(error, GS_ERR_FORMAT,
                   "%s: line 1: expected the columns of '%s', got another in place %zu: '%.60s' "
                   "where that has '%.60s'",
                   shard->path, first->path, i + 1,
                   i < columns ? gs_sheet_column_name(shard->sheet, i) : "",
                   i < wanted ? gs_sheet_column_name(first->sheet, i) : "");
}

static gs_status check_shard(const gs_point_reader *first, const gs_point_reader *shard,
                             gs_error *error) {
    static const char *const forms[] = {
        [GS_FORMAT_CSV] = "csv", [GS_FORMAT_TSV] = "tsv", [GS_FORMAT_JSONL] = "jsonl"};
    gs_report_format wanted = gs_sheet_format(first->sheet);
    gs_report_format format = gs_sheet_format(shard->sheet);
    if (format != wanted)
        return gs_fail(error, GS_ERR_FORMAT, "%s: line 1: expected %s, as '%s' is, got %s",
                       shard->path, forms[wanted], first->path, forms[format]);
    return check_columns(first, shard, error);
}

/* A shard without rows does not say how many points there are. */
static gs_status take_points(gs_merge *merge, const gs_point_reader *shard, gs_error *error) {
    if (!shard->line)
        return GS_OK;
    if (merge->gaps.points > 0 && shard->points != merge->gaps.points)
        return gs_sheet_refuse(shard->sheet, error,
                               "expected one of the %" PRIu64
                               " points that the files before it have, got one of %" PRIu64,
                               merge->gaps.points, shard->points);
    if (merge->gaps.points > 0 && strcmp(shard->sweep, merge->sweep) != 0)
        return gs_sheet_refuse(shard->sheet, error,
                               "expected a row of the sweep '%s' as in the files before it, got "
                               "one of '%s'",
                               merge->sweep, shard->sweep);
    merge->gaps.points = shard->points;
    merge->sweep = shard->sweep;
    return GS_OK;
}

/* ---- Files ---- */

static gs_status open_all(gs_merge *merge, char *const *paths, gs_error *error) {
    gs_status status = GS_OK;
    for (size_t i = 0; i < merge->count && status == GS_OK; i++) {
        gs_point_reader *shard = &merge->shards[i];
        status = gs_points_open(shard, paths[i], error);
        if (status == GS_OK && !merge->first && shard->sheet)
            merge->first = shard;
        if (status == GS_OK && shard->sheet)
            status = check_shard(merge->first, shard, error);
        if (status == GS_OK)
            status = take_points(merge, shard, error);
    }
    if (status == GS_OK && merge->gaps.points == 0)
        return gs_fail(error, GS_ERR_FORMAT, "%s: line %d: expected a %s, got the end of the file",
                       paths[0], merge->shards[0].sheet ? 2 : 1,
                       merge->shards[0].sheet ? "row" : "header");
    return status;
}

gs_status gs_merge_open(char *const *paths, size_t count, gs_merge **merge, gs_error *error) {
    gs_merge *opened = *merge = gs_alloc(1, sizeof **merge, error);
    if (opened)
        opened->shards = gs_alloc(count, sizeof *opened->shards, error);
    if (!opened || !opened->shards) {
        gs_merge_close(opened);
        *merge = NULL;
        return GS_ERR_MEMORY;
    }
    opened->count = count;
    gs_status status = open_all(opened, paths, error);
    if (status != GS_OK) {
        gs_merge_close(opened);
        *merge = NULL;
    }
    return status;
}

void gs_merge_close(gs_merge *merge) {
    for (size_t i = 0; merge && i < merge->count; i++)
        gs_points_close(&merge->shards[i]);
    if (merge)
        gs_free(merge->shards);
    gs_free(merge);
}

/* ---- Points ---- */

/* Points `from` to `to`, if there are any. */
static void add_gap(gs_merge_gaps *gaps, uint64_t from, uint64_t to) {
    enum { MOST = 200 };
    if (from > to)
        return;
    gaps->missing += to - from + 1;
    if (gaps->ranges.length > MOST)
        return;
    gs_line_add(&gaps->ranges, "%s%" PRIu64, gaps->ranges.length > 0 ? ", " : "", from);
    if (from < to)
        gs_line_add(&gaps->ranges, "-%" PRIu64, to);
    if (gaps->ranges.length > MOST)
        gs_line_add(&gaps->ranges, ", ...");
}

static gs_status refuse_twice(const gs_point_reader *a, const gs_point_reader *b, gs_error *error) {
    return gs_sheet_refuse(b->sheet, error,
                           "expected each point in one file, got %" PRIu64
                           ", which '%.200s' has in line %" PRIu64,
                           b->point, a->path, a->line->line);
}

/* The shard whose point comes next; NULL if no shard has one. */
static gs_status find_next(gs_merge *merge, gs_point_reader **next, gs_error *error) {
    *next = NULL;
    for (gs_point_reader *s = merge->shards; s < merge->shards + merge->count; s++) {
        if (s->line && *next && s->point == (*next)->point)
            return refuse_twice(*next, s, error);
        if (s->line && (!*next || s->point < (*next)->point))
            *next = s;
    }
    return GS_OK;
}

static void write_header(const gs_merge *merge, FILE *out) {
    size_t length;
    const char *header = gs_sheet_header(merge->first->sheet, &length);
    if (length > 0)
        gs_points_write_line(out, header, length);
}

gs_status gs_merge_next(gs_merge *merge, FILE *out, bool *is_done, gs_error *error) {
    gs_point_reader *next;
    gs_status status = find_next(merge, &next, error);
    *is_done = status == GS_OK && !next;
    if (*is_done) {
        add_gap(&merge->gaps, merge->last + 1, merge->gaps.points);
        merge->last = merge->gaps.points;
    }
    if (status != GS_OK || *is_done)
        return status;
    if (merge->last == 0)
        write_header(merge, out);
    add_gap(&merge->gaps, merge->last + 1, next->point - 1);
    merge->last = next->point;
    return gs_points_copy(next, out, &merge->networks, error);
}

const gs_merge_gaps *gs_merge_missing(const gs_merge *merge) {
    return &merge->gaps;
}
