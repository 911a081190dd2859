/* Networks for tests, from a configuration of "name", "value" pairs, NULL past the last. */
#ifndef GS_TEST_CONFIGURED_H
#define GS_TEST_CONFIGURED_H

#include "test_net.h"

static gs_error error;

static inline gs_config *configure(const char *const options[][2]) {
    gs_config *config = gs_config_new(&error);
    for (size_t i = 0; options[i][0]; i++)
        CHECK_THAT(gs_config_set(config, options[i][0], options[i][1], &error) == GS_OK, "%s",
                   error.message);
    return config;
}

/* The network of a configuration, with its batch drawn. */
static inline gs_network *network_of(const char *const options[][2]) {
    gs_config *config = configure(options);
    gs_network *network = gs_network_new(config, &error);
    CHECK_THAT(network && gs_network_draw_batch(network, &error) == GS_OK, "%s", error.message);
    gs_config_free(config);
    return network;
}

static inline double *tensor_values(const gs_network *network, const char *name, size_t count) {
    double *values = test_numbers(count);
    CHECK_THAT(gs_network_read(network, name, values, count, &error) == GS_OK, "%s", error.message);
    return values;
}

#endif
