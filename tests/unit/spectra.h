/* Spectra for tests: of networks, and of lines of options as networks.h has them. */
#ifndef GS_TEST_SPECTRA_H
#define GS_TEST_SPECTRA_H

#include "networks.h"

enum { MOST = 128 };

typedef struct {
    gs_spectrum summary;
    double plain[MOST], log10[MOST];
} spectrum;

static inline spectrum spectrum_of(gs_network *network, size_t example) {
    spectrum s = {.summary = {0}};
    CHECK(gs_network_spectrum_size(network) <= MOST);
    CHECK_THAT(gs_measure_spectrum(network, example, s.plain, s.log10, &s.summary, &error) == GS_OK,
               "%s", error.message);
    return s;
}

static inline spectrum spectrum_of_options(const char *options) {
    gs_network *network = network_of(options);
    spectrum s = spectrum_of(network, 0);
    gs_network_free(network);
    return s;
}

/* Of logarithms: `tolerance` is relative to the value that they are of. */
static inline void check_logs(const char *what, const spectrum *s, size_t count,
                              const double *expected, double tolerance) {
    CHECK_THAT(s->summary.count == count, "%s: %zu values", what, s->summary.count);
    for (size_t i = 0; i < count; i++) {
        double allowed = tolerance / log(10) + 0x1p-52 * fabs(expected[i]);
        CHECK_THAT(fabs(s->log10[i] - expected[i]) <= allowed ||
                       (isinf(expected[i]) && s->log10[i] == expected[i]),
                   "%s: value %zu is 10^%.17g, expected 10^%.17g", what, i, s->log10[i],
                   expected[i]);
    }
}

static inline void write_weight(gs_network *network, size_t layer, const double *w, size_t count) {
    write_layer(network, layer, "weight", w, count);
}

#endif
