/*
 * The table of optimizers.
 */
#include "net/update.h"

#define MOMENTUM                                                                                   \
    .parameter = GS_PARAM_OPTIONAL, .standard = 0.9, .minimum = 0, .maximum = 1, .letter = "B"

static const gs_update_rule rules[] = {
    {{.name = "sgd", .help = "w -= lr g"}, .kernel = GS_UPDATE_SGD, .rate = 0.01},
    {{.name = "momentum",
      .alias = {"heavy-ball"},
      MOMENTUM,
      .help = "m = B m + g; w -= lr m (Polyak 1964)"},
     .kernel = GS_UPDATE_MOMENTUM,
     .moment = {"momentum_buffer"},
     .rate = 0.01},
    {{.name = "nesterov",
      .alias = {"nag"},
      MOMENTUM,
      .help = "m = B m + g; w -= lr (g + B m) (Sutskever 2013)"},
     .kernel = GS_UPDATE_NESTEROV,
     .moment = {"momentum_buffer"},
     .rate = 0.01},
    {{.name = "rmsprop",
      .help = "v = rho v + (1 - rho) g^2; w -= lr g / (sqrt(v) + eps) (Hinton 2012)"},
     .kernel = GS_UPDATE_RMSPROP,
     .moment = {NULL, "square_avg"},
     .rate = 0.01},
    {{.name = "adam",
      .help = "m, v: means of g and g^2, each over 1 - beta^t; w -= lr m / (sqrt(v) + eps) "
              "(Kingma 2015)"},
     .kernel = GS_UPDATE_ADAM,
     .moment = {"exp_avg", "exp_avg_sq"},
     .rate = 0.001},
    {{.name = "adamw", .help = "adam, and --l2 as w *= 1 - lr l2 instead (Loshchilov 2019)"},
     .kernel = GS_UPDATE_ADAM,
     .moment = {"exp_avg", "exp_avg_sq"},
     .decoupled = true,
     .rate = 0.001},
};

const gs_family gs_optimizer_family = GS_FAMILY(rules);

const gs_update_rule *gs_update_rule_of(gs_choice opt) {
    return &rules[opt.index];
}
