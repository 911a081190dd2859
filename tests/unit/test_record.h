/*
 * A record made by hand for the tests of reports: three layers and a head, whose gradient falls by
 * four decades a layer.
 */
#ifndef GS_TEST_RECORD_H
#define GS_TEST_RECORD_H

#include "net/config.h"
#include "report/report.h"
#include "test.h"

typedef struct {
    gs_config *config;
    gs_layer_stats stats[4];
    gs_summary summary;
    const gs_training_stats *training; /* NULL, as what is found, in a new one */
    const gs_findings *findings;
} sample;

static inline void set(gs_layer_stats *stats, gs_column column, double value) {
    stats->present |= (uint64_t)1 << column;
    stats->value[column] = value;
}

static inline sample sample_new(void) {
    sample s = {.config = gs_config_new(NULL)};
    gs_config_set(s.config, "layers", "3", NULL);
    gs_config_set(s.config, "head", "on", NULL);
    gs_config_resolve(s.config, 0, 0, NULL);
    for (size_t i = 0; i < 4; i++) {
        gs_layer_stats *stats = &s.stats[i];
        stats->layer = i + 1;
        stats->kind = i == 3 ? GS_KIND_HEAD : GS_KIND_DENSE;
        set(stats, GS_Z_STD, 1.25);
        set(stats, GS_GRAD_W, i == 0 ? 0 : 2.5e-3);
        set(stats, GS_GRAD_W_LOG10, i == 0 ? -400.25 : -2.60205999132796);
        set(stats, GS_GAIN, 1e-4);
        set(stats, GS_GRAD_Z_LOG10, -0.5 - 4 * (double)(3 - i));
        if (i < 3) {
            set(stats, GS_A_STD, 0.125);
            set(stats, GS_SATURATED, 1. / 3);
        }
    }
    s.summary = (gs_summary){.loss = 1.5,
                             .ratio_log10 = -12,
                             .decades_per_layer = -4,
                             .threshold_log10 = 3,
                             .verdict = GS_VANISHING,
                             .f16 = {.underflow = 2}};
    return s;
}

static inline gs_record record_of(const sample *s) {
    return (gs_record){.point = 4,
                       .points = 5,
                       .run = 2,
                       .seed = UINT64_MAX,
                       .config = s->config,
                       .rows = 4,
                       .stats = s->stats,
                       .summary = &s->summary,
                       .training = s->training,
                       .findings = s->findings};
}

/* What a report of `count` times this record is; the caller frees it. */
static inline char *written(const sample *s, gs_report_style style, size_t count) {
    char *text = NULL;
    size_t length;
    FILE *file = open_memstream(&text, &length);
    gs_report *report = gs_report_new(file, style, NULL);
    gs_record record = record_of(s);
    gs_error error = {0};
    for (size_t i = 0; i < count; i++)
        CHECK_THAT(gs_report_write(report, &record, &error) == GS_OK, "%s", error.message);
    CHECK(gs_report_finish(report, NULL) == GS_OK);
    gs_report_free(report);
    CHECK(fclose(file) == 0);
    return text;
}

#endif
