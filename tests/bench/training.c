/*
 * A step of training: the batch is there, forward, backward, the update.
 */
#include <math.h>

#include "bench.h"
#include "train/trainer.h"

static void training_step(void *context) {
    gs_trainer *trainer = context;
    gs_error error = {0};
    bench_must(gs_trainer_pass(trainer, &error) == GS_OK &&
                   gs_trainer_update(trainer, NULL, &error) == GS_OK,
               error.message);
}

/* The work is that of the three products alone: forward, and two backward. At such a rate the
   network stays what it is, whatever the number of steps. */
void bench_training(const char *opt, bench_shape shape, gs_dtype dtype, size_t threads,
                    double budget) {
    const char *const options[] = {"act", "relu", "init", "he", "opt", opt, "lr", "1e-9", NULL};
    const gs_data none = {0};
    gs_trainer trainer;
    gs_error error = {0};
    gs_network *network = bench_network(shape, options, dtype, threads);
    bench_must(gs_trainer_new(network, network->config, &none, &none, &trainer, &error) == GS_OK,
               error.message);
    double flops = 6 * (double)shape.layers * (double)(shape.width * shape.width * shape.batch);
    bench_runner runners[] = {bench_peak(&network->engine),
                              bench_gradsim(threads, flops, training_step, &trainer)};
    bench_race(runners, 2, budget);
    bench_must(isfinite(network->loss_value), "training: the loss is not finite");
    for (size_t i = 0; i < 2; i++)
        bench_print((bench_row){"training", opt, "flop", shape, dtype}, &runners[i], 1);
    gs_trainer_free(&trainer);
    gs_network_free(network);
}
