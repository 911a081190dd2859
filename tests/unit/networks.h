/* Networks for tests: made from a line of options, written to, measured and read. */
#ifndef GS_TEST_NETWORKS_H
#define GS_TEST_NETWORKS_H

#include "configs.h"

static gs_error error;

/* A network with a drawn batch that keeps its gradients. */
static inline gs_network *network_of(const char *options) {
    gs_config *config = config_of(options);
    gs_network *network = gs_network_new(config, &error);
    gs_config_free(config);
    if (!network) { /* the rest of the test has nothing to stand on */
        printf("not ok - network of %s # %s\n", options, error.message);
        exit(1);
    }
    CHECK(gs_network_draw_batch(network, &error) == GS_OK);
    CHECK(gs_network_keep_gradients(network, &error) == GS_OK);
    return network;
}

static inline void write_tensor(gs_network *network, const char *name, const double *values,
                                size_t count) {
    CHECK_THAT(gs_network_write(network, name, values, count, &error) == GS_OK, "%s",
               error.message);
}

static inline void read_tensor(const gs_network *network, const char *name, double *values,
                               size_t count) {
    CHECK_THAT(gs_network_read(network, name, values, count, &error) == GS_OK, "%s", error.message);
}

/* The same for "layers.<l>.NAME", or "head.NAME" past the last layer. */
typedef struct {
    char text[64];
} tensor_name;

static inline tensor_name name_of(const gs_network *network, size_t layer, const char *name) {
    tensor_name made;
    gs_tensor tensor;
    snprintf(made.text, sizeof made.text, "layers.%zu.%s", layer, name);
    for (size_t i = 0; gs_network_tensor(network, i, &tensor); i++)
        if (strcmp(tensor.name, made.text) == 0)
            return made;
    snprintf(made.text, sizeof made.text, "head.%s", name);
    return made;
}

static inline void write_layer(gs_network *network, size_t layer, const char *name,
                               const double *values, size_t count) {
    write_tensor(network, name_of(network, layer, name).text, values, count);
}

static inline void read_layer(const gs_network *network, size_t layer, const char *name,
                              double *values, size_t count) {
    read_tensor(network, name_of(network, layer, name).text, values, count);
}

/* ---- What was measured ---- */

enum { MOST_LAYERS = 128 };

typedef struct {
    gs_layer_stats rows[MOST_LAYERS];
    gs_summary summary;
} measured;

static inline measured measure(gs_network *network) {
    measured m = {.summary = {.loss = (double)NAN}};
    CHECK(gs_network_layers(network) <= MOST_LAYERS);
    CHECK_THAT(gs_measure(network, m.rows, &m.summary, &error) == GS_OK, "%s", error.message);
    return m;
}

static inline measured measure_options(const char *options) {
    gs_network *network = network_of(options);
    measured m = measure(network);
    gs_network_free(network);
    return m;
}

/* A column of a layer, which must be there. */
static inline double at(const measured *m, size_t layer, gs_column column) {
    double value = (double)NAN;
    CHECK_THAT(gs_layer_stats_get(&m->rows[layer - 1], column, &value), "layer %zu has no %s",
               layer, gs_column_name(column));
    return value;
}

#endif
