/*
 * Activations: the table of them, and the stage that applies one to a signal, forward and backward.
 */
#ifndef GS_NET_ACTIVATION_H
#define GS_NET_ACTIVATION_H

#include "kernels/kernels.h"
#include "net/option.h"
#include "net/signal.h"

typedef struct {
    gs_name name;
    gs_activation_kernel kernel;
    double
        largest_slope; /* sup |phi'| for the default parameter; see gs_activation_largest_slope */
    bool homogeneous;  /* phi(c z) = c phi(z) for c > 0: keeps a signal's exponent */
    bool through_zero; /* phi(0) = 0: for tiny z it acts as leaky-relu with its two slopes at 0 */
} gs_activation;

extern const gs_family gs_activation_family;

/* sup |phi'(z)| over z, for a choice of gs_activation_family with its parameter. */
double gs_activation_largest_slope(gs_choice act);

/* a = phi(z), slope = phi'(z). `a` takes the exponent of z where phi is homogeneous, else 0: then z
   is brought to its true scale first, and what overflows there is inf. `a` and `slope` have the
   shape of z. */
void gs_activation_forward(const gs_engine *engine, gs_choice act, const gs_signal *z, gs_signal *a,
                           gs_signal *slope);

/* The same on each block of z as it is made: begin before z is made and when the exponent that it
   will have is known, end after. False, and nothing is begun, where a and slope cannot be had block
   by block. `job` must live as long. */
typedef struct {
    const gs_kernels *kernels;
    gs_activation_kernel kernel;
    double parameter;
    gs_signal *a, *slope;
    gs_rider rider;
} gs_activation_job;

bool gs_activation_begin_ride(const gs_engine *engine, gs_choice act, int64_t exponent,
                              gs_signal *z, gs_signal *a, gs_signal *slope, gs_activation_job *job);
void gs_activation_end_ride(const gs_engine *engine, gs_activation_job *job, gs_signal *z);

/* dL/dz = dL/da * phi'(z), elementwise; in place (grad_z may be grad_a). */
void gs_activation_backward(const gs_engine *engine, const gs_signal *slope,
                            const gs_signal *grad_a, gs_signal *grad_z);

/* The same on each block of grad_a as it is made; grad_z is another signal. */
typedef struct {
    const gs_kernels *kernels;
    const gs_signal *slope;
    gs_signal *grad_z;
    gs_rider rider;
} gs_slope_job;

void gs_activation_begin_ride_back(const gs_engine *engine, const gs_signal *slope,
                                   gs_signal *grad_a, gs_signal *grad_z, gs_slope_job *job);
void gs_activation_end_ride_back(gs_slope_job *job, gs_signal *grad_a);

#endif
