/*
 * The table of learning-rate schedules.
 */
#include "net/schedule.h"

#include "kernels/kernels.h"

typedef struct {
    gs_name name;
    /* the factor after `done` of `all` steps, done < all */
    double (*factor)(double parameter, double done, double all);
} gs_schedule;

static double constant(double parameter, double done, double all) {
    (void)parameter, (void)done, (void)all;
    return 1;
}

static double linear(double parameter, double done, double all) {
    (void)parameter;
    return (all - done) / all;
}

static double cosine(double parameter, double done, double all) {
    (void)parameter;
    return 0.5 * (1 + gs_cos2pi(0.5 * (done / all)));
}

/* Once it is 0 it stays so. */
static double step(double every, double done, double all) {
    double factor = 1;
    (void)all;
    for (double next = every; next <= done && factor > 0; next += every)
        factor /= 10;
    return factor;
}

static const gs_schedule schedules[] = {
    {{.name = "constant", .help = "lr after the warm-up"}, constant},
    {{.name = "linear", .help = "lr (1 - t/N), t of N steps after the warm-up done"}, linear},
    {{.name = "cosine", .help = "lr (1 + cos(pi t/N)) / 2, likewise (Loshchilov 2017)"}, cosine},
    {{.name = "step",
      .parameter = GS_PARAM_REQUIRED,
      .standard = 1,
      .minimum = 1,
      .maximum = 1e15,
      .whole = true,
      .letter = "EVERY",
      .help = "a tenth of it after every EVERY steps"},
     step},
};

const gs_family gs_schedule_family = GS_FAMILY(schedules);

double gs_schedule_factor(gs_choice schedule, size_t warmup, size_t t, size_t steps) {
    if (t <= warmup)
        return (double)t / (double)warmup;
    if (steps <= warmup)
        return 1;
    return schedules[schedule.index].factor(schedule.parameter, (double)(t - warmup - 1),
                                            (double)(steps - warmup));
}
