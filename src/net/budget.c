/*
 * The memory of a network, from its configuration alone.
 */
#include "net/budget.h"

#include <math.h>

#include "base/error.h"
#include "base/machine.h"
#include "base/memory.h"
#include "net/init.h"
#include "net/matrix.h"
#include "net/update.h"

/* ---- Sizes ---- */

/* Bytes of something, unless they overflow. */
typedef struct {
    bool fits;
    size_t bytes;
} extent;

static extent sum_of(extent a, extent b) {
    extent sum = {a.fits && b.fits, 0};
    sum.fits = sum.fits && gs_size_add(a.bytes, b.bytes, &sum.bytes);
    return sum;
}

static extent times(size_t count, extent one) {
    extent all = {one.fits, 0};
    all.fits = all.fits && gs_size_multiply(count, one.bytes, &all.bytes);
    return all;
}

/* With what an arena may lose at the end of a block. */
static extent matrix_extent(const gs_kernels *kernels, size_t rows, size_t cols) {
    extent matrix = {false, 0};
    matrix.fits = gs_matrix_bytes(kernels, rows, cols, &matrix.bytes);
    return sum_of(matrix, (extent){true, 2 * GS_ALIGNMENT});
}

static extent signal_extent(const gs_kernels *kernels, size_t units, size_t batch) {
    extent signal = {false, 0};
    signal.fits = gs_signal_bytes(kernels, units, batch, &signal.bytes);
    return sum_of(signal, (extent){true, 2 * GS_ALIGNMENT});
}

static extent weights_of(const gs_config *config, const gs_kernels *kernels) {
    extent sum = {true, 0};
    for (size_t l = 1; l <= config->layers + config->head; l++)
        sum = sum_of(sum, matrix_extent(kernels, gs_config_units(config, l),
                                        gs_config_units(config, l - 1)));
    return sum;
}

/* What training keeps beside the weights: their gradients, what they were, and moments. */
static extent state_of(const gs_config *config, extent weights) {
    size_t copies = 2;
    for (size_t i = 0; i < GS_MOMENTS; i++)
        copies += gs_update_rule_of(config->opt)->moment[i] != NULL;
    return times(config->steps > 0 ? copies : 0, weights);
}

/* Signals that a layer keeps: what the next weights multiply and the slopes; x where that is
   another; the branch of a skip; what a norm normalised. */
static size_t kept_signals(const gs_config *config) {
    bool norms = config->norm.index != GS_NORM_NONE;
    bool skips = config->residual.index != GS_RESIDUAL_NONE;
    bool another_x = config->order.index == GS_ORDER_ACT_DENSE ||
                     (norms && config->norm_at.index == GS_NORM_AT_INPUT);
    return 2 + another_x + skips + norms;
}

/* Beside those of the layers: the batch, the target, and what passes (network.h). */
enum { OTHER_SIGNALS = 8 };

/* Vectors, names and the like of a layer. */
static extent lists_of(size_t width) {
    enum { STAGES = 4, STAGE_BYTES = 1024, VECTORS = 8 };
    extent vectors = times(VECTORS * sizeof(double), (extent){true, width});
    return sum_of(vectors, (extent){true, (size_t)STAGES * STAGE_BYTES});
}

/* A norm, or an activation, of what comes into a layer is as wide as the layer before. */
static size_t wider_side(const gs_config *config, size_t layer) {
    size_t in = gs_config_units(config, layer - 1), out = gs_config_units(config, layer);
    return in > out ? in : out;
}

/* Whether the signals of a layer are in the memory of those a segment before. */
static bool shares_signals(const gs_config *config, size_t layer, size_t segment) {
    return segment > 0 && layer > segment &&
           gs_config_units(config, layer) == gs_config_units(config, layer - segment) &&
           gs_config_units(config, layer - 1) == gs_config_units(config, layer - segment - 1);
}

/* With the signals of one segment and a checkpoint for each; `segment` 0 is all layers and none. */
static extent signals_of(const gs_config *config, const gs_kernels *kernels, size_t segment) {
    extent widest = signal_extent(kernels, gs_config_widest(config), config->batch);
    extent sum = times(OTHER_SIGNALS, widest);
    for (size_t l = 1; l <= config->layers; l++) {
        size_t units = wider_side(config, l);
        bool is_checkpoint = segment > 0 && l % segment == 0;
        size_t kept = shares_signals(config, l, segment) ? 0 : kept_signals(config);
        sum =
            sum_of(sum, times(kept + is_checkpoint, signal_extent(kernels, units, config->batch)));
        sum = sum_of(sum, lists_of(units));
    }
    return sum;
}

/* Layers of a segment so that segments and checkpoints together take least, in whole skips; 0 if
   that is least. At least two: a layer is made while what the one before made is read. */
static size_t best_segment(const gs_config *config, const gs_kernels *kernels) {
    size_t layers = (size_t)ceil(sqrt((double)config->layers / (double)kept_signals(config)));
    layers = layers < 2 ? 2 : layers;
    layers = (layers + config->skip - 1) / config->skip * config->skip;
    extent all = signals_of(config, kernels, 0), some = signals_of(config, kernels, layers);
    bool is_less = some.fits && (!all.fits || some.bytes < all.bytes);
    return layers < config->layers && is_less ? layers : 0;
}

/* ---- Limits ---- */

/* Below this it is not worth the microseconds to ask the system. */
static const size_t small_network = (size_t)64 << 20;

static bool fits(extent need, size_t limit) {
    return need.fits && need.bytes <= limit;
}

/* Many small blocks can be promised by the system and not be there when they are used: ask once,
 * for all. */
static gs_status require(const char *what, extent need, size_t limit, const char *limit_name,
                         gs_error *error) {
    char needed[32] = "more than can be addressed", had[32];
    if (fits(need, limit))
        return GS_OK;
    if (need.fits)
        gs_format_bytes(needed, (double)need.bytes);
    gs_format_bytes(had, (double)limit);
    return gs_fail(error, GS_ERR_MEMORY, "%s needs %s, and %s %s", what, needed, had, limit_name);
}

static size_t available_for(extent need) {
    return need.fits && need.bytes < small_network ? SIZE_MAX : gs_memory_available();
}

/* What a network should take: --memory, or half of what is available. */
static size_t share_of(const gs_config *config, size_t available) {
    size_t share = config->memory > 0 ? config->memory : available / 2;
    if (config->memory == 0 && available == SIZE_MAX)
        return SIZE_MAX;
    return share < available ? share : available;
}

/* What must be there at once, within the system's limit and within that of --memory. */
static gs_status require_both(const gs_config *config, const char *what, extent need,
                              size_t available, gs_error *error) {
    gs_status status = require(what, need, available, "is available", error);
    if (status == GS_OK && config->memory > 0)
        status = require(what, need, config->memory, "is what --memory allows", error);
    return status;
}

gs_status gs_budget_plan(const gs_config *config, const gs_kernels *kernels, gs_budget *budget,
                         gs_error *error) {
    bool can_stream = gs_init_can_stream(config->init) && config->steps == 0;
    bool streamed = config->weights.index == GS_WEIGHTS_STREAMED;
    bool automatic = config->weights.index == GS_CHOICE_AUTO && can_stream;
    extent weights = weights_of(config, kernels), signals = signals_of(config, kernels, 0);
    extent stored = sum_of(weights, state_of(config, weights));
    size_t available = available_for(sum_of(stored, signals));
    size_t share = share_of(config, available);
    extent at_once = streamed || automatic ? signals : sum_of(stored, signals);
    *budget = (gs_budget){0};
    if (!fits(at_once, share)) {
        budget->segment = best_segment(config, kernels);
        signals = signals_of(config, kernels, budget->segment);
    }
    extent all = sum_of(weights, signals);
    if (streamed || (automatic && !fits(all, share))) {
        budget->weights = !streamed && fits(signals, share) ? share - signals.bytes : 0;
        budget->total = signals.bytes + budget->weights;
        return require_both(config, "the network without its weights", signals, available, error);
    }
    *budget = (gs_budget){SIZE_MAX, budget->segment, sum_of(stored, signals).bytes};
    return require_both(config, config->steps > 0 ? "training the network" : "the network",
                        sum_of(stored, signals), available, error);
}

gs_status gs_budget_allows_gradients(const gs_config *config, const gs_kernels *kernels,
                                     gs_error *error) {
    extent weights = weights_of(config, kernels);
    return require("keeping all gradients", weights, available_for(weights), "is available", error);
}

/* Forward and backward multiply by W once each. A step of training forms dL/dW; without, two Gram
   matrices over the batch, which are symmetric, take its place. */
double gs_budget_flops(const gs_config *config) {
    double batch = (double)config->batch, pass = 0;
    for (size_t l = 1; l <= config->layers + config->head; l++) {
        double in = (double)gs_config_units(config, l - 1),
               out = (double)gs_config_units(config, l);
        pass += 4 * in * out * batch;
        pass += config->steps > 0 ? 2 * in * out * batch : (in + out) * batch * batch;
    }
    return pass * ((double)config->steps + 1);
}
