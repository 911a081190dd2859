/*
 * The gradient of a sigmoid network beside that of a He-initialised ReLU network, layer by layer:
 * the first vanishes, the second does not.
 *
 *     cc measure.c -o measure $(pkg-config --cflags --libs gradsim)
 */
#include <gradsim.h>
#include <stdio.h>
#include <stdlib.h>

enum { LAYERS = 24 };

static gs_error error;

static void check(gs_status status) {
    if (status == GS_OK)
        return;
    fprintf(stderr, "measure: %s\n", error.message);
    exit(1);
}

/* Every statistic of one network: a row a layer, and a summary. */
static void measure(const char *act, const char *init, gs_layer_stats *rows, gs_summary *summary) {
    gs_config *config = gs_config_new(&error);
    check(config ? GS_OK : error.code);
    check(gs_config_set(config, "layers", "24", &error));
    check(gs_config_set(config, "width", "64", &error));
    check(gs_config_set(config, "act", act, &error));
    check(gs_config_set(config, "init", init, &error));
    gs_network *network = gs_network_new(config, &error);
    check(network ? GS_OK : error.code);
    check(gs_network_draw_batch(network, &error));
    check(gs_measure(network, rows, summary, &error));
    gs_network_free(network);
    gs_config_free(config);
}

/* log10 of the norm of dL/dW, and a bar: 20 marks for 1 or more, one less for every decade below.
 */
static void print_gradient(const gs_layer_stats *row) {
    double decades = 0;
    gs_layer_stats_get(row, GS_GRAD_W_LOG10, &decades);
    int marks = decades > 0 ? 20 : decades > -20 ? 20 + (int)decades : 0;
    printf("   %6.2f %-20.*s", decades, marks, "####################");
}

int main(void) {
    static gs_layer_stats sigmoid[LAYERS], relu[LAYERS];
    gs_summary of_sigmoid = {0}, of_relu = {0};
    measure("sigmoid", "xavier", sigmoid, &of_sigmoid);
    measure("relu", "he", relu, &of_relu);

    printf("log10 of |dL/dW|\n  layer   %-27s   %s\n", "sigmoid, xavier", "relu, he");
    for (size_t l = 0; l < LAYERS; l++) {
        printf("%7zu", sigmoid[l].layer);
        print_gradient(&sigmoid[l]);
        print_gradient(&relu[l]);
        printf("\n");
    }
    printf("verdict   %-27s   %s\n", gs_verdict_name(of_sigmoid.verdict),
           gs_verdict_name(of_relu.verdict));
    return 0;
}
