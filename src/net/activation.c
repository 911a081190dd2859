/*
 * Activations: the formulas stand in the table below, their code in kernels/activation.h.
 */
#include "net/activation.h"

#include <math.h>

static const gs_activation activations[] = {
    {{.name = "linear", .alias = {"identity", "none"}, .help = "z"}, GS_ACT_LINEAR, 1, true, true},
    {{.name = "sigmoid", .alias = {"logistic"}, .help = "1 / (1 + exp(-z))"},
     GS_ACT_SIGMOID,
     0.25,
     false,
     false},
    {{.name = "tanh", .help = "tanh z"}, GS_ACT_TANH, 1, false, true},
    {{.name = "relu", .help = "max(z, 0)"}, GS_ACT_RELU, 1, true, true},
    {{.name = "leaky-relu",
      .alias = {"leaky", "lrelu"},
      .parameter = GS_PARAM_OPTIONAL,
      .standard = 0.01,
      .minimum = -1e3,
      .maximum = 1e3,
      .letter = "A",
      .help = "z if z > 0, else A z"},
     GS_ACT_LEAKY_RELU,
     1,
     true,
     true},
    {{.name = "prelu",
      .parameter = GS_PARAM_OPTIONAL,
      .standard = 0.25,
      .minimum = -1e3,
      .maximum = 1e3,
      .letter = "A",
      .help = "z if z > 0, else A z; A is where training would start"},
     GS_ACT_LEAKY_RELU,
     1,
     true,
     true},
    {{.name = "elu",
      .parameter = GS_PARAM_OPTIONAL,
      .standard = 1,
      .minimum = 0,
      .maximum = 1e3,
      .letter = "A",
      .help = "z if z > 0, else A (exp(z) - 1)"},
     GS_ACT_ELU,
     1,
     false,
     true},
    {{.name = "selu", .help = "1.0507 elu(z) with A = 1.67326 (Klambauer 2017)"},
     GS_ACT_SELU,
     1.0507009873554804934 * 1.6732632423543772848,
     false,
     true},
    {{.name = "silu", .alias = {"swish"}, .help = "z sigmoid(z)"},
     GS_ACT_SILU,
     1.0998393201288668,
     false,
     true},
    {{.name = "gelu", .help = "z Phi(z), Phi the normal distribution function (erf form)"},
     GS_ACT_GELU,
     1.1289041451851547,
     false,
     true},
    {{.name = "gelu-tanh", .help = "z (1 + tanh(sqrt(2/pi) (z + 0.044715 z^3))) / 2"},
     GS_ACT_GELU_TANH,
     1.1289930686587720,
     false,
     true},
    {{.name = "softplus", .help = "log(1 + exp(z))"}, GS_ACT_SOFTPLUS, 1, false, false},
    {{.name = "mish", .help = "z tanh(log(1 + exp(z)))"},
     GS_ACT_MISH,
     1.0884981612517277,
     false,
     true},
};

const gs_family gs_activation_family = GS_FAMILY(activations);

double gs_activation_largest_slope(gs_choice act) {
    const gs_activation *row = &activations[act.index];
    bool sided = row->kernel == GS_ACT_LEAKY_RELU || row->kernel == GS_ACT_ELU;
    double side = fabs(act.parameter); /* the slope for z < 0, or its limit at 0 */
    return sided && side > 1 ? side : row->largest_slope;
}

static void ride(void *context, const gs_signal *z, gs_block block) {
    const gs_activation_job *job = context;
    const gs_kernels *k = job->kernels;
    k->activation[job->kernel](job->parameter, block.cells, (const char *)z->data + block.offset,
                               (char *)job->a->data + block.offset,
                               (char *)job->slope->data + block.offset);
    gs_signal_finish_block(k, job->a, block);
    gs_signal_finish_block(k, job->slope, block);
}

/* Below this exponent phi(z) = phi'(0) z to the last bit, mantissas being at most 2^200 (f32:
 * 2^20). */
static bool is_tiny(const gs_engine *engine, const gs_signal *z) {
    return z->exponent < (engine->kernels->dtype == GS_F64 ? -300 : -60);
}

static gs_activation_job job_of(const gs_engine *engine, gs_activation_kernel kernel,
                                double parameter, gs_signal *a, gs_signal *slope) {
    return (gs_activation_job){.kernels = engine->kernels,
                               .kernel = kernel,
                               .parameter = parameter,
                               .a = a,
                               .slope = slope};
}

static void apply(const gs_engine *engine, gs_activation_kernel kernel, double parameter,
                  const gs_signal *z, gs_signal *a, gs_signal *slope) {
    gs_activation_job job = job_of(engine, kernel, parameter, a, slope);
    a->exponent = z->exponent;
    slope->exponent = 0;
    gs_signal_tell(engine, z, &(gs_rider){.task = ride, .context = &job});
}

bool gs_activation_begin_ride(const gs_engine *engine, gs_choice act, int64_t exponent,
                              gs_signal *z, gs_signal *a, gs_signal *slope,
                              gs_activation_job *job) {
    const gs_activation *row = &activations[act.index];
    if (!row->homogeneous && exponent != 0)
        return false;
    *job = job_of(engine, row->kernel, act.parameter, a, slope);
    job->rider = (gs_rider){ride, job, z->riders, {a, slope}};
    z->riders = &job->rider;
    a->exponent = exponent;
    slope->exponent = 0;
    return true;
}

void gs_activation_end_ride(const gs_engine *engine, gs_activation_job *job, gs_signal *z) {
    z->riders = job->rider.next;
    gs_signal_normalise(engine, job->slope);
}

/* phi'(0-) and phi'(0+), as the kernel has them for the smallest values on either side. */
static void slopes_at_zero(const gs_kernels *kernels, gs_activation_kernel kernel, double parameter,
                           double *left, double *right) {
    _Alignas(64) char z[GS_PANEL_BYTES] = {0}, slope[GS_PANEL_BYTES];
    double tiny = ldexp(1, -100);
    kernels->set(z, -tiny);
    kernels->set(z + kernels->size, tiny);
    kernels->activation[kernel](parameter, kernels->panel, z, z, slope);
    *left = kernels->get(slope);
    *right = kernels->get(slope + kernels->size);
}

/* For tiny z: phi(z) = phi'(0+) z or phi'(0-) z, which is leaky-relu times phi'(0+). */
static void apply_linearised(const gs_engine *engine, const gs_activation *row, double parameter,
                             const gs_signal *z, gs_signal *a, gs_signal *slope) {
    double right, left;
    slopes_at_zero(engine->kernels, row->kernel, parameter, &left, &right);
    apply(engine, GS_ACT_LEAKY_RELU, left / right, z, a, slope);
    gs_signal_scale(engine, right, a, a);
    gs_signal_scale(engine, right, slope, slope);
}

void gs_activation_forward(const gs_engine *engine, gs_choice act, const gs_signal *z, gs_signal *a,
                           gs_signal *slope) {
    const gs_activation *row = &activations[act.index];
    if (row->homogeneous || z->exponent == 0) {
        apply(engine, row->kernel, act.parameter, z, a, slope);
    } else if (row->through_zero && is_tiny(engine, z)) {
        apply_linearised(engine, row, act.parameter, z, a, slope);
    } else {
        gs_signal_set_exponent(engine, z, 0, a);
        apply(engine, row->kernel, act.parameter, a, a, slope);
    }
    gs_signal_normalise(engine, slope); /* where all units are saturated, all slopes are small */
}

static void ride_back(void *context, const gs_signal *grad_a, gs_block block) {
    const gs_slope_job *job = context;
    job->kernels->multiply(block.cells, (const char *)grad_a->data + block.offset,
                           (const char *)job->slope->data + block.offset,
                           (char *)job->grad_z->data + block.offset);
    gs_signal_finish_block(job->kernels, job->grad_z, block);
}

void gs_activation_backward(const gs_engine *engine, const gs_signal *slope,
                            const gs_signal *grad_a, gs_signal *grad_z) {
    gs_slope_job job = {.kernels = engine->kernels, .slope = slope, .grad_z = grad_z};
    grad_z->exponent = grad_a->exponent + slope->exponent;
    gs_signal_tell(engine, grad_a, &(gs_rider){.task = ride_back, .context = &job});
}

void gs_activation_begin_ride_back(const gs_engine *engine, const gs_signal *slope,
                                   gs_signal *grad_a, gs_signal *grad_z, gs_slope_job *job) {
    *job = (gs_slope_job){
        engine->kernels, slope, grad_z, {ride_back, job, grad_a->riders, {slope, NULL}}};
    grad_a->riders = &job->rider;
}

void gs_activation_end_ride_back(gs_slope_job *job, gs_signal *grad_a) {
    grad_a->riders = job->rider.next;
    job->grad_z->exponent = grad_a->exponent + job->slope->exponent;
}
