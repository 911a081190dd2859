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

typedef struct {
    double loss;
    double ratio_log10;       /* log10 of norm dL/dx_0 over norm dL/dx_L         */
    double decades_per_layer; /* ratio_log10 / L                                 */
    double threshold_log10;   /* vanishing below minus this, exploding above it  */
    gs_verdict verdict;
    size_t nonfinite_layer; /* first layer whose forward signal is not finite, 0 if none */
    gs_format_range f32, f16, bf16;
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

#ifdef __GNUC__
#pragma GCC visibility pop
#endif

#ifdef __cplusplus
}
#endif
#endif
