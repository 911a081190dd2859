/*
 * The configuration of a run, and the one table that describes it (config.c).
 */
#ifndef GS_NET_CONFIG_H
#define GS_NET_CONFIG_H

#include "net/option.h"

/* Rows of the small families, in the order of their tables in config.c. */
enum { GS_ORDER_DENSE_ACT, GS_ORDER_ACT_DENSE };
enum { GS_BIAS_CONSTANT, GS_BIAS_NORMAL };
enum { GS_NORM_NONE, GS_NORM_BATCH, GS_NORM_LAYER, GS_NORM_RMS };
enum { GS_NORM_AT_INPUT, GS_NORM_AT_PREACT, GS_NORM_AT_POSTACT, GS_NORM_AT_OUTPUT };
enum { GS_RESIDUAL_NONE, GS_RESIDUAL_ADD, GS_RESIDUAL_POST_ACT };
enum { GS_BRANCH_NUMBER, GS_BRANCH_INVERSE_SQRT_DEPTH, GS_BRANCH_INVERSE_DEPTH, GS_BRANCH_REZERO };
enum { GS_INPUT_NORMAL, GS_INPUT_CONSTANT };
enum { GS_LOSS_MSE, GS_LOSS_CE, GS_LOSS_SUM, GS_LOSS_RANDOM };
enum { GS_CLIP_NONE, GS_CLIP_VALUE, GS_CLIP_NORM, GS_CLIP_LAYER, GS_CLIP_AGC };
enum { GS_SCALE_NONE, GS_SCALE_UNIT, GS_SCALE_STANDARD };
enum { GS_SHUFFLE_ON, GS_SHUFFLE_OFF };
enum { GS_LOG_EVERY_N, GS_LOG_SPACED };
enum { GS_WEIGHTS_STORED, GS_WEIGHTS_STREAMED };

struct gs_config {
    size_t layers;
    gs_sizes width;         /* of each layer below a head, or one number for all */
    size_t inputs, outputs; /* 0: derived */
    gs_choice act, init;
    double gain;
    gs_choice bias, order;
    bool head;
    gs_choice norm, norm_at;
    double norm_eps;
    gs_choice residual;
    size_t skip;
    gs_choice branch_scale;
    size_t batch;
    gs_choice input;
    char *data;
    gs_choice data_scale;
    gs_choice loss; /* GS_CHOICE_AUTO: ce with data, else mse */
    gs_choice shuffle;
    char *test_data;
    double test_share;
    gs_choice clip;
    size_t steps, epochs;
    gs_choice opt;
    double rate; /* of learning; nan: that of the optimizer */
    double beta1, beta2, rho, eps, l1, l2, max_norm;
    bool grad_normalize;
    size_t warmup;
    gs_choice schedule;
    gs_choice log_every; /* GS_CHOICE_AUTO: as the format likes it */
    uint64_t seed;
    size_t seeds;
    gs_choice dtype;   /* index is gs_dtype */
    size_t threads;    /* 0: all that this process may use */
    gs_choice weights; /* GS_CHOICE_AUTO: stored as far as they fit */
    size_t memory;     /* bytes; 0: half of what is available */
};

extern const gs_option_table gs_config_options;

/* Fill in what is derived (inputs, outputs, head, loss), from the data if any: `features` and
   `classes` are 0 without. What is resolved already stays. Errors: GS_ERR_USAGE where options
   contradict each other or the data; the configuration is then unchanged. */
gs_status gs_config_resolve(gs_config *config, size_t features, size_t classes, gs_error *error);

/* Units of a layer, 1 to `layers`, as --width has them. */
size_t gs_config_width(const gs_config *config, size_t layer);

/* Units of x_l in a resolved configuration: 0 is the input, and layers + 1 the head. The last layer
   without a head gives the outputs. */
size_t gs_config_units(const gs_config *config, size_t layer);

/* The most units of any signal of a resolved configuration. */
size_t gs_config_widest(const gs_config *config);

/* Whether there is a skip in a resolved configuration: there is none between different widths. */
bool gs_config_has_skip(const gs_config *config);

#endif
