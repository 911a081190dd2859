/*
 * gradsim: what happens to the gradient on its way back through a deep network.
 *
 * From simple to advanced: configure a network and measure it (sections 1 to 4), step through
 * forward and backward by hand (5), use the building blocks alone (6).
 *
 *     gs_error error;
 *     gs_config *config = gs_config_new(&error);
 *     gs_config_set(config, "act", "tanh", &error);
 *     gs_network *network = gs_network_new(config, &error);
 *     gs_network_draw_batch(network, &error);
 *     gs_measure(network, rows, &summary, &error);
 *
 * Rules for every function: arrays are row-major double, whatever the element type of the network;
 * a function that can fail returns gs_status or NULL and fills `error` (which may be NULL); what a
 * `_new` function returned is given back to the `_free` function of the same name, which takes NULL
 * too, as no other function does unless it says so. The library never prints, never exits and keeps
 * no global state; two threads may use two objects at once, but not the same one.
 */
#ifndef GRADSIM_H
#define GRADSIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifdef __GNUC__
#pragma GCC visibility push(default)
#endif

/* ---- 1. Errors ---- */

typedef enum {
    GS_OK,
    GS_ERR_USAGE,      /* a bad name or value                             */
    GS_ERR_MEMORY,     /* memory that cannot be had, or a size overflows  */
    GS_ERR_IO,         /* a file cannot be opened, read or written        */
    GS_ERR_FORMAT,     /* a file is not what it should be                 */
    GS_ERR_UNSUPPORTED /* this machine cannot do it                      */
} gs_status;

typedef struct {
    gs_status code;
    char message[1024]; /* one line: what, where, what was expected, what came */
} gs_error;

#define GS_VERSION "0.1.0"

/* GS_VERSION of the library that is linked. */
const char *gs_version(void);

/* ---- 2. Configuration ---- */

typedef enum { GS_F64, GS_F32 } gs_dtype;

typedef struct gs_config gs_config;

/* A configuration with every option at its default: `gradsim --layers 96 --act sigmoid`. */
gs_config *gs_config_new(gs_error *error);
gs_config *gs_config_copy(const gs_config *config, gs_error *error);
void gs_config_free(gs_config *config);

/* Set the option `name` (as on the command line, without the dashes) from its text.
   Errors: GS_ERR_USAGE for an unknown name or a bad value; the configuration is then unchanged. */
gs_status gs_config_set(gs_config *config, const char *name, const char *value, gs_error *error);

/* The canonical text of an option, to `text` of `size` bytes, always terminated.
   Errors: GS_ERR_USAGE for an unknown name or a text that does not fit. */
gs_status gs_config_get(const gs_config *config, const char *name, char *text, size_t size,
                        gs_error *error);

/* ---- 3. Statistics: one row a layer; the columns are those of the log ---- */

typedef enum {
    GS_Z_MEAN, /* of z over units and batch */
    GS_Z_STD,
    GS_A_MEAN, /* of the activation, likewise */
    GS_A_STD,
    GS_SATURATED,          /* share of |phi'(z)| below a tenth of its largest */
    GS_ZERO,               /* share of phi'(z) = 0 */
    GS_DEAD,               /* share of units with phi'(z) = 0 on the whole batch */
    GS_W_NORM,             /* Frobenius norm of W */
    GS_W_SIGMA_MAX,        /* largest singular value of W */
    GS_GRAD_W,             /* Frobenius norm of dL/dW; 0 or inf where it does not fit */
    GS_GRAD_W_LOG10,       /* its log10, which always fits */
    GS_GRAD_B_LOG10,       /* log10 of the norm of dL/db */
    GS_GRAD_Z_LOG10,       /* log10 of the norm of dL/dz over the batch */
    GS_WEIGHT_GAIN,        /* factor of the backward signal at the weights */
    GS_ACT_GAIN,           /* and at the activation */
    GS_GAIN,               /* and of both */
    GS_GRAD_RATIO,         /* norm of dL/dW over norm of W */
    GS_UPDATE_RATIO,       /* norm of the step over norm of W */
    GS_CLIP_SCALE,         /* factor that clipping applied to dL/dW */
    GS_GRAD_CLIPPED_LOG10, /* log10 of its norm after that */
    GS_GRAD_SNR,           /* norm of the mean gradient over its standard error */
    GS_GRAD_CORR,          /* mean cosine between two examples' gradients */
    GS_F32_ZERO,           /* share of dL/da that is zero in float32 */
    GS_F16_ZERO,           /* in float16 */
    GS_BF16_ZERO,          /* in bfloat16 */
    GS_THEORY_GRAD_LOG10,  /* predicted GS_GRAD_Z_LOG10 */
    GS_MOVED,              /* norm of W - W_0 over norm of W_0, W_0 as training began */
    GS_COLUMN_COUNT
} gs_column;

typedef enum { GS_KIND_DENSE, GS_KIND_HEAD } gs_layer_kind;

typedef struct {
    size_t layer; /* 1 is next to the input */
    gs_layer_kind kind;
    uint64_t present; /* bit c is set where column c has a value (which may be nan: not finite) */
    double value[GS_COLUMN_COUNT];
} gs_layer_stats;

/* The name of a column in the log, and a value if it is present. */
const char *gs_column_name(gs_column column);
bool gs_layer_stats_get(const gs_layer_stats *stats, gs_column column, double *value);

typedef enum { GS_HEALTHY, GS_VANISHING, GS_EXPLODING, GS_NONFINITE } gs_verdict;

/* Where a format would lose the gradient on its way back: the layer nearest the output at which
   half of dL/da or more becomes zero in it, and the one at which the root mean square of dL/da is
   more than its largest number. 0: nowhere. */
typedef struct {
    size_t underflow, overflow;
} gs_format_range;

/* What a layer does to the gradient: the norm of dL/dx_{l-1} over that of dL/dx_l, over the whole
   batch, is the product of these factors. */
typedef enum {
    GS_PART_ACTIVATION, /* its slope                                      */
    GS_PART_WEIGHTS,
    GS_PART_NORM,
    GS_PART_BLOCK, /* a skip and the branch that it goes round, as one */
    GS_PART_COUNT
} gs_gain_part;

const char *gs_gain_part_name(gs_gain_part part);

typedef struct {
    size_t first, last; /* the layer, or the layers of a block that a skip goes round */
    double gain;
    double factor[GS_PART_COUNT]; /* nan: there is none */
    gs_gain_part cause;           /* the one that is most to blame */
} gs_layer_gain;

enum { GS_WORST_LAYERS = 3 };

/* The way of the gradient from x_L to x_0. Norms of single examples decide, so that one that is
   badly classified does not: r_b = |dL/dx_0,b| / |dL/dx_L,b|, over the examples b whose dL/dx_L is
   not exactly 0. An example whose gradient falls so far behind the largest that the element type
   does not hold both counts as 0. */
typedef struct {
    double loss;
    double ratio_log10;       /* the median of log10 r_b; -inf: most examples get nothing, nan: no
                                 example has a gradient, or it is not finite                   */
    double low_log10;         /* the least and the largest of log10 r_b, when a tenth of the   */
    double high_log10;        /* examples (rounded down) is left out at each end               */
    size_t examples;          /* that have a gradient at the output                            */
    size_t silent_examples;   /* of these, that get exactly none at the input                  */
    double decades_per_layer; /* ratio_log10 / L                                               */
    double layers_per_e;      /* over which it typically grows by e, or falls if it is negative */
    double threshold_log10;   /* vanishing below minus this, exploding above it                */
    gs_verdict verdict;
    size_t nonfinite_layer; /* first layer whose forward signal is not finite, 0 if none */
    gs_format_range f32, f16, bf16;

    /* If it vanishes or explodes: what the typical layer does (the median of each number), and for
       how many layers or blocks it stands, 0 if they are not to blame; and the layers that do
       more to it than others, the worst first. */
    gs_layer_gain typical;
    size_t typical_layers;
    bool layers_alike; /* every gain is within a factor of 2 of the typical one */
    gs_layer_gain worst[GS_WORST_LAYERS];
    size_t worst_count;

    /* Mean cosine between two examples' dL/dx_L, and dL/dx_0; nan if there are no two. Shattered
       (Balduzzi et al. 2017): examples agree at the output and no more at the input, however large
       their gradients are. The correlation falls by e over so many layers; 0 if not shattered. */
    double corr_output, corr_input;
    bool shattered;
    double corr_layers_per_e;
} gs_summary;

const char *gs_verdict_name(gs_verdict verdict);

/* ---- 4. Networks ---- */

typedef struct gs_network gs_network;

/* Build the network and draw its weights. The configuration is copied. Data files are the command
   line's to load: with "data" set, "inputs" and "outputs" must be too. Errors: GS_ERR_USAGE for
   options that contradict each other; GS_ERR_MEMORY; GS_ERR_UNSUPPORTED or GS_ERR_USAGE for a value
   of GRADSIM_ISA that this machine cannot run. */
gs_network *gs_network_new(const gs_config *config, gs_error *error);
void gs_network_free(gs_network *network);

/* Rows of statistics: dense layers, and the head if there is one. */
size_t gs_network_layers(const gs_network *network);
size_t gs_network_inputs(const gs_network *network);
size_t gs_network_outputs(const gs_network *network);
size_t gs_network_batch(const gs_network *network);

/* Draw the batch that the configuration asks for: --input, and targets N(0,1) or random classes.
   Errors: GS_ERR_USAGE with --data, whose examples are the caller's to load and to set. */
gs_status gs_network_draw_batch(gs_network *network, gs_error *error);

/* Use this batch instead: input [batch, inputs]; and for mse a target [batch, outputs] or labels,
   for one-hot rows; for ce labels [batch], below outputs. The arrays are copied; any may be NULL,
   and what is there stays. Errors: GS_ERR_USAGE for a label that is no class, a target where the
   loss has none, or both a target and labels. */
gs_status gs_network_set_batch(gs_network *network, const double *input, const double *target,
                               const size_t *labels, gs_error *error);

/* Forward, backward and every statistic of the log: rows[gs_network_layers(network)].
   Errors: GS_ERR_USAGE without a batch; GS_ERR_MEMORY. */
gs_status gs_measure(gs_network *network, gs_layer_stats *rows, gs_summary *summary,
                     gs_error *error);

/* The same where only some columns are wanted, bit c for column c: those that cost more than the
   passes (w_norm, grad_ratio, and above all w_sigma_max) are left out if they are not. */
#define GS_ALL_COLUMNS (((uint64_t)1 << GS_COLUMN_COUNT) - 1)
gs_status gs_measure_columns(gs_network *network, uint64_t columns, gs_layer_stats *rows,
                             gs_summary *summary, gs_error *error);

/* The singular values of the Jacobian dx_L/dx_0 of one example, x_L being the output of the last
   layer and not that of a head. The other examples count only as far as a batch norm makes them:
   its means and variances are held as they are for this batch. */
typedef struct {
    size_t count;             /* of values: the least of inputs and units of x_L         */
    size_t rank;              /* of these, that are not exactly 0                        */
    double mean_square_log10; /* log10 of the mean of their squares                      */
    double median_log10;      /* the median of log10                                     */
    double condition_log10;   /* log10 of the largest over the smallest; nan if all are 0 */
    size_t nonfinite_layer;   /* as in gs_summary; then every number is nan              */
} gs_spectrum;

enum { GS_MOST_SPECTRUM = 1024 };

size_t gs_network_spectrum_size(const gs_network *network);

/* Every singular value of `example` (from 0), largest first: plain (0 or inf where it does not fit)
   and log10 (-inf for exactly 0), [gs_network_spectrum_size(network)] each. They are right to about
   1e-12 relative, times the condition of single weight matrices but not that of their product. A
   value that rounding in one layer alone decides, below some 1e-14 of what the layer lets through
   there, is 0.
   Errors: GS_ERR_USAGE without a batch, for an example that it does not have, and for more than
   GS_MOST_SPECTRUM inputs or units of x_L; GS_ERR_MEMORY. */
gs_status gs_measure_spectrum(gs_network *network, size_t example, double *values,
                              double *values_log10, gs_spectrum *spectrum, gs_error *error);

/* ---- 5. Step by step ---- */

/* One pass over the batch; `loss` may be NULL. Errors: GS_ERR_USAGE without a batch, or without the
   target or labels that the loss needs. */
gs_status gs_network_forward(gs_network *network, double *loss, gs_error *error);

/* The pass back, once after each forward, with nothing set or written between. Errors: GS_ERR_USAGE
   without a forward; GS_ERR_MEMORY. */
gs_status gs_network_backward(gs_network *network, gs_error *error);

/* A tensor, named as in a --save file: "layers.3.weight", "layers.3.weight.grad", "input" ... */
typedef struct {
    char name[64];
    size_t rank; /* 1 or 2 */
    size_t shape[2];
} gs_tensor;

/* The tensors of a network in the order of a --save file; false past the last. Gradients are there
   after gs_network_backward() on a network that keeps them (gs_network_keep_gradients). */
bool gs_network_tensor(const gs_network *network, size_t index, gs_tensor *tensor);
gs_status gs_network_read(const gs_network *network, const char *name, double *values, size_t count,
                          gs_error *error);

/* Weights can be written where they are stored: with "weights" set to "stored", or as `auto` finds
   room. Errors: GS_ERR_USAGE for them elsewhere, for a gradient, and as gs_network_read(). */
gs_status gs_network_write(gs_network *network, const char *name, const double *values,
                           size_t count, gs_error *error);

/* Form and keep every gradient matrix in the next backward pass. Without it gs_measure() takes
   norms from Gram matrices, which costs less. */
gs_status gs_network_keep_gradients(gs_network *network, gs_error *error);

/* ---- 6. Building blocks ---- */

/* A dense layer, an activation or a norm by itself: the code that networks are made of, in f64 and
   on the thread of its caller. A `_new` function makes one, gs_module_free() takes it back. */
typedef struct gs_module gs_module;

/* y = W x + b with W [outputs, inputs] and b [outputs]. `init` is as in --init ("he",
   "orthogonal:1.5"); W is drawn as that of layer 1 in a network with this seed, and b is 0.
   Parameters: weight, bias. (Backward: Rumelhart, Hinton and Williams 1986.)
   Errors: GS_ERR_USAGE for a bad `init` or a size of 0; GS_ERR_MEMORY. */
gs_module *gs_module_new_dense(size_t inputs, size_t outputs, const char *init, uint64_t seed,
                               gs_error *error);

/* y = phi(x) for each of `units` numbers; `act` is as in --act ("tanh", "leaky-relu:0.2").
   No parameters. Errors: as above, for `act`. */
gs_module *gs_module_new_activation(size_t units, const char *act, gs_error *error);

/* y = scale (x - mean) / sqrt(variance + eps) + shift, with biased variance: of a unit over the
   batch ("batch": Ioffe and Szegedy 2015, in training), of an example over the units ("layer": Ba,
   Kiros and Hinton 2016), or that with a mean of 0 ("rms": Zhang and Sennrich 2019). Parameters:
   weight, the scale, 1 at first, and bias, the shift, 0 at first; both [units].
   Errors: as above, for `norm`, and for an eps outside [0, 1]. */
gs_module *gs_module_new_norm(size_t units, const char *norm, double eps, gs_error *error);

void gs_module_free(gs_module *module);

/* y [batch, outputs] from x [batch, inputs]; y may be x. The batch may be another each time.
   Errors: GS_ERR_USAGE for a batch of 0, or of 1 for a batch norm; GS_ERR_MEMORY. The parameters
   stay as they are, but after an error there is nothing that backward could start from. */
gs_status gs_module_forward(gs_module *module, size_t batch, const double *x, double *y,
                            gs_error *error);

/* grad_x = dL/dx [batch, inputs] from grad_y = dL/dy [batch, outputs], at the x of the last forward
   and the parameters that it had; grad_x may be grad_y. The gradients of the parameters, summed
   over the batch, replace those of the last backward. Errors: GS_ERR_USAGE without a forward
   before; GS_ERR_MEMORY. */
gs_status gs_module_backward(gs_module *module, const double *grad_y, double *grad_x,
                             gs_error *error);

/* Parameters by name, and their gradients: "weight", "bias", "weight.grad", "bias.grad" (0 before
   the first backward, and not to be written). `count` is the number of values.
   Errors: GS_ERR_USAGE for a name that is not there or another count; nothing is changed then. */
gs_status gs_module_read(const gs_module *module, const char *name, double *values, size_t count,
                         gs_error *error);
gs_status gs_module_write(gs_module *module, const char *name, const double *values, size_t count,
                          gs_error *error);

/* ---- 7. Theory: what mean-field theory predicts, without a network ---- */

typedef enum {
    GS_PHASE_NONE,     /* a norm, skips or weights that no such phases are known of */
    GS_PHASE_ORDERED,  /* chi < 1: gradients vanish, examples become alike */
    GS_PHASE_CRITICAL, /* chi = 1: the edge of chaos */
    GS_PHASE_CHAOTIC   /* chi > 1: gradients explode, examples become strangers */
} gs_phase;

/* A layer. A number that theory does not give is nan. */
typedef struct {
    size_t layer; /* 1 is next to the input */
    gs_layer_kind kind;
    double q;            /* E z^2 over units and examples */
    double correlation;  /* E z z' of one unit and two examples, over q */
    double rate;         /* squared norm of dL/dx_{l-1} over that of dL/dx_l */
    double grad_z_log10; /* predicted GS_GRAD_Z_LOG10 */
} gs_layer_theory;

typedef struct {
    char missing[128];        /* why there is no theory; empty if there is */
    double ratio_log10;       /* log10 of norm dL/dx_0 over norm dL/dx_L */
    double decades_per_layer; /* ratio_log10 / L */
    /* Of inner layers repeated for ever, in a plain network, else nan: */
    gs_phase phase;
    double fixed_q;           /* q*; inf where it grows without bound */
    double fixed_correlation; /* c* */
    double chi;               /* squared gain of the gradient at q* */
    double depth_q;           /* xi_q and xi_c: layers over which the distance from q* and c* */
    double depth_correlation; /* falls by e; inf where it does not */
    double depth_gradient;    /* layers over which the squared gradient changes by e */
} gs_theory;

const char *gs_phase_name(gs_phase phase);

/* Moments of the input of a batch: E x; E x^2 of every eighth of the examples, ordered by it; and
   E x x' of one feature and two examples. */
enum { GS_INPUT_GROUPS = 8 };
typedef struct {
    double mean, squares[GS_INPUT_GROUPS], product;
} gs_input_moments;

/* The prediction for a configuration: layers[layers, and the head if there is one], and a summary
   of it; either may be NULL. `input` is needed with data, else NULL: that of --input. Without
   `thorough` correlations are computed where gradients need them alone, and no phase is.
   Gradients are those of the mean square over all draws of the weights (Poole 2016, Schoenholz
   2017, Yang 2019, and Stein's lemma for what a loss has in common with its output).
   Errors: as gs_network_new(), and GS_ERR_MEMORY. */
gs_status gs_predict(const gs_config *config, const gs_input_moments *input, bool thorough,
                     gs_layer_theory *layers, gs_theory *theory, gs_error *error);

/* A point of the edge of chaos: weights of variance sigma_w^2 / fan_in, biases of sigma_b^2 and the
   q* of z that they keep, with chi = 1 there. */
typedef struct {
    double sigma_w, sigma_b, fixed_q;
    double slope; /* of the map of q at q*: it is approached below 1, left above */
} gs_critical_point;

/* The points of the edge of chaos of an activation (as in --act) with this sigma_b, or, where
   `sigma_b` is nan, with this sigma_w: at most `room`, by ascending q*, which is nan where every q
   is kept. `*count` is 0 where there
   is none. Errors: GS_ERR_USAGE for `act`; GS_ERR_MEMORY. */
gs_status gs_find_critical(const char *act, double sigma_w, double sigma_b, size_t room,
                           gs_critical_point *points, size_t *count, gs_error *error);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif

#ifdef __cplusplus
}
#endif
#endif
