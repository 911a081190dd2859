/* Optimizers and steps for tests, from their options. */
#ifndef GS_TEST_OPTIMIZERS_H
#define GS_TEST_OPTIMIZERS_H

#include "networks.h"

#include "train/optimizer.h"

static inline gs_choice choice_of(const gs_family *family, const char *text) {
    const gs_option row = {.name = "choice", .kind = GS_OPTION_CHOICE, .family = family};
    gs_choice choice = {0, 0};
    CHECK_THAT(gs_option_parse(&row, &choice, text, &error) == GS_OK, "%s", error.message);
    return choice;
}

static inline gs_optimizer optimizer_of(gs_network *network, const char *opt) {
    gs_optimizer optimizer;
    gs_choice choice = choice_of(&gs_optimizer_family, opt);
    CHECK_THAT(gs_optimizer_new(network, choice, &optimizer, &error) == GS_OK, "%s", error.message);
    return optimizer;
}

static inline gs_step_settings settings_of(double rate, const char *clip) {
    const gs_option *row = gs_option_find(&gs_config_options, "clip");
    return (gs_step_settings){.rate = rate,
                              .beta1 = 0.9,
                              .beta2 = 0.999,
                              .rho = 0.99,
                              .eps = 1e-8,
                              .clip = choice_of(row->family, clip)};
}

static inline void pass(gs_network *network) {
    CHECK(gs_network_forward(network, NULL, &error) == GS_OK);
    CHECK_THAT(gs_network_backward(network, &error) == GS_OK, "%s", error.message);
}

static inline void step(gs_optimizer *optimizer, const gs_step_settings *settings) {
    CHECK_THAT(gs_optimizer_step(optimizer, settings, NULL, &error) == GS_OK, "%s", error.message);
}

#endif
