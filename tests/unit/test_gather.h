/*
 * For tests of what is gathered: logs in a few columns.
 */
#ifndef GS_TEST_GATHER_H
#define GS_TEST_GATHER_H

#include "report/gather.h"
#include "test.h"

static gs_error gather_error;

/* Add a file to what was gathered; returns whether that went well. */
static inline bool gather_add(gs_gather *gather, const char *name, const char *text) {
    FILE *file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
    CHECK(file);
    gather_error = (gs_error){0};
    gs_status status = gs_gather_file(gather, file, name, &gather_error);
    fclose(file);
    CHECK((status == GS_OK) == (gather_error.message[0] == '\0'));
    return status == GS_OK;
}

/* What a text holds; the caller frees it. */
static inline gs_gather *gathered(const char *column, const char *text) {
    gs_gather *gather = gs_gather_new(column, NULL, NULL, NULL);
    CHECK_THAT(gather_add(gather, "x", text), "%s", gather_error.message);
    return gather;
}

/* The mean of a column, of a configuration at a step and layer. */
static inline double mean_of(const gs_gather *gather, size_t config, uint64_t step, uint64_t layer,
                             size_t column) {
    const gs_cell_place place = {config, step, layer};
    return gs_values_mean(gs_gather_at(gather, place, column));
}

#endif
