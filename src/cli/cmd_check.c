/*
 * gradsim check: is this build right on this machine? Small networks with every value of every
 * option go through three tests: backward against differences, every kernel table against the
 * portable one, and several threads against one.
 */
#include <string.h>

#include "base/error.h"
#include "cli/check.h"
#include "cli/cli.h"
#include "kernels/kernels.h"
#include "net/config.h"

/* The values of the options in a row are combined with each other. */
static const char *const products[][4] = {
    {"act", "order"},
    {"norm", "norm-at", "order"},
    {"residual", "branch-scale", "order"},
    {"residual", "skip"},
    {"loss", "head"},
    {"init"},
    {"bias", "input"},
    {"clip"},
};
enum { PRODUCTS = sizeof products / sizeof products[0] };

/* Sizes are no multiples of anything: tiles and panels have edges. */
static const check_setting small[] = {
    {"layers", "3"}, {"width", "6"},         {"inputs", "5"},  {"outputs", "4"}, {"batch", "7"},
    {"act", "tanh"}, {"bias", "normal:0.5"}, {"threads", "1"}, {NULL, NULL},
};
static const check_setting medium[] = {
    {"layers", "3"}, {"width", "27"},        {"inputs", "21"}, {"outputs", "11"},
    {"batch", "37"}, {"bias", "normal:0.5"}, {NULL, NULL},
};

/* Wide enough that threads share the work. */
static const check_setting large[] = {
    {"layers", "2"},     {"width", "150"},       {"batch", "1060"},
    {"residual", "add"}, {"bias", "normal:0.5"}, {NULL, NULL},
};

/* ---- Networks ---- */

gs_network *check_build(const gs_config *config, gs_error *error) {
    gs_network *network = gs_network_new(config, error);
    if (network && gs_network_draw_batch(network, error) != GS_OK) {
        gs_network_free(network);
        return NULL;
    }
    return network;
}

/* The text of the value at `index` of those that are tried; false past the last. */
static bool value_at(const gs_option *option, size_t index, char *text, size_t size) {
    if (!option->family) {
        bool flag = option->kind == GS_OPTION_FLAG;
        gs_format(text, size, "%s", flag ? (index ? "on" : "off") : (index ? "2" : "1"));
        return index < 2;
    }
    if (index >= option->family->count)
        return false;
    const gs_name *row = gs_family_row(option->family, index);
    gs_format(text, size, "%s%s", row->name ? row->name : "0.5",
              row->parameter == GS_PARAM_REQUIRED ? ":0.5" : "");
    return true;
}

typedef struct {
    check_network *check;
    void *context;
    size_t *count;
    char name[256]; /* "act tanh, order act-dense" */
} visit;

/* Set the first of `options` to each of its values, and the others for each of these. */
static gs_status visit_options(visit *v, const char *const *options, const gs_config *config,
                               gs_error *error) {
    if (!*options) {
        gs_config resolved = *config;
        if (gs_config_resolve(&resolved, 0, 0, NULL) != GS_OK)
            return GS_OK;
        ++*v->count;
        gs_status status = v->check(v->context, config, error);
        return status == GS_OK ? GS_OK : gs_fail(error, status, "%s: %s", v->name, error->message);
    }
    const gs_option *option = gs_option_find(&gs_config_options, *options);
    gs_status status = GS_OK;
    char value[64];
    size_t length = strlen(v->name);
    for (size_t i = 0; status == GS_OK && value_at(option, i, value, sizeof value); i++) {
        gs_config varied = *config;
        gs_format(v->name + length, sizeof v->name - length, "%s%s %s", length > 0 ? ", " : "",
                  *options, value);
        status = gs_option_parse(option, &varied, value, error);
        if (status == GS_OK)
            status = visit_options(v, options + 1, &varied, error);
    }
    v->name[length] = '\0';
    return status;
}

gs_status check_networks(const char *const *options, const check_setting *settings,
                         check_network *check, void *context, size_t *count, gs_error *error) {
    visit v = {check, context, count, ""};
    gs_config *config = gs_config_new(error);
    gs_status status = config ? GS_OK : GS_ERR_MEMORY;
    for (; status == GS_OK && settings->option; settings++)
        status = gs_config_set(config, settings->option, settings->value, error);
    if (status == GS_OK)
        status = visit_options(&v, options, config, error);
    gs_config_free(config);
    return status;
}

/* ---- The checks ---- */

typedef struct {
    size_t passed, failed;
} tally;

static void report(tally *t, const char *name, size_t networks, gs_status status,
                   const gs_error *error) {
    if (status == GS_OK) {
        t->passed++;
        printf("ok - %s, %zu networks\n", name, networks);
    } else {
        t->failed++;
        printf("not ok - %s # %s\n", name, error->message);
    }
    fflush(stdout);
}

static void check_all_gradients(tally *t) {
    for (size_t i = 0; i < PRODUCTS; i++) {
        gs_line name = {0};
        double largest = 0;
        size_t networks = 0;
        gs_error error;
        gs_status status =
            check_networks(products[i], small, check_gradients, &largest, &networks, &error);
        gs_line_add(&name, "gradients:");
        for (const char *const *option = products[i]; *option; option++)
            gs_line_add(&name, " %s", *option);
        gs_line_add(&name, ", error %.1e", largest);
        report(t, name.text, networks, status, &error);
    }
}

static void check_ways_agree(tally *t, const char *name, const check_setting *settings,
                             const char *const (*rows)[4], size_t count, check_ways ways) {
    size_t networks = 0;
    gs_error error;
    gs_status status = GS_OK;
    for (size_t i = 0; i < count && status == GS_OK; i++)
        status = check_networks(rows[i], settings, check_same_bytes, &ways, &networks, &error);
    report(t, name, networks, status, &error);
}

static const char *const dtype_names[] = {[GS_F64] = "f64", [GS_F32] = "f32"};

static void check_kernels(tally *t) {
    for (size_t i = 0; gs_kernels_at(i); i++) {
        const gs_kernels *kernels = gs_kernels_at(i);
        const char *dtype = dtype_names[kernels->dtype];
        char name[128];
        if (strcmp(kernels->isa, "portable") == 0)
            continue;
        gs_format(name, sizeof name, "same bytes: %s and portable, %s", kernels->isa, dtype);
        check_ways_agree(t, name, medium, products, PRODUCTS,
                         (check_ways){{"portable", kernels->isa}, {"1", "1"}, dtype});
    }
}

static void check_threads(tally *t, const char *isa) {
    static const char *const several[] = {"2", "3"};
    static const char *const norms[][4] = {{"norm"}};
    for (size_t i = 0; i < 2 * sizeof several / sizeof several[0]; i++) {
        const char *dtype = dtype_names[i % 2], *threads = several[i / 2];
        char name[128];
        gs_format(name, sizeof name, "same bytes: 1 thread and %s, %s", threads, dtype);
        check_ways_agree(t, name, large, norms, 1, (check_ways){{isa, isa}, {"1", threads}, dtype});
    }
}

int cmd_check(char **arguments) {
    tally t = {0, 0};
    const gs_kernels *kernels;
    gs_error error;
    int status;
    if (!cli_begin("check", arguments, NULL, 0, 0, &status))
        return status;
    if (gs_kernels_get(GS_F64, &kernels, &error) != GS_OK)
        return cli_fail(&error);
    check_all_gradients(&t);
    check_threads(&t, kernels->isa);
    check_kernels(&t);
    printf("%zu passed, %zu failed\n", t.passed, t.failed);
    return t.failed == 0 ? CLI_DONE : CLI_FAILED;
}
