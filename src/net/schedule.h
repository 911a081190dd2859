/*
 * The learning rate over the steps of a run: warm-up, and the table of schedules that follow it.
 */
#ifndef GS_NET_SCHEDULE_H
#define GS_NET_SCHEDULE_H

#include "net/option.h"

extern const gs_family gs_schedule_family;

/* The factor of the learning rate at step t = 1 .. steps: t / warmup for t <= warmup (Goyal 2017),
   then that of a choice of --schedule, where t - warmup - 1 of steps - warmup steps are behind. As
   with the schedulers of PyTorch, the first of these has factor 1, and a schedule that ends in 0
   would reach it with the step after the last. */
double gs_schedule_factor(gs_choice schedule, size_t warmup, size_t t, size_t steps);

#endif
