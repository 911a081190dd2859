/*
 * The trainer: what belongs to a step of training, and in which order it comes.
 */
#include "train/trainer.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "net/schedule.h"
#include "train/evaluate.h"

/* ---- State ---- */

static void copy_initial(void *context, size_t index) {
    gs_trainer *trainer = context;
    const gs_engine *engine = &trainer->network->engine;
    const gs_stage *stage = &trainer->network->stages[index];
    const gs_matrix *weight = &stage->dense.weight;
    if (stage->kind != GS_STAGE_DENSE)
        return;
    gs_initial *initial = &trainer->initial[stage->layer - 1];
    memcpy(initial->weight.data, weight->data,
           weight->row_tiles * weight->col_tiles * GS_TILE_SIZE * engine->kernels->size);
    initial->norm = gs_matrix_magnitude(engine, weight);
}

static gs_status keep_initial(gs_trainer *trainer, gs_error *error) {
    gs_network *network = trainer->network;
    trainer->initial = gs_alloc(network->layers, sizeof *trainer->initial, error);
    gs_status status = trainer->initial ? GS_OK : GS_ERR_MEMORY;
    for (size_t i = 0; i < network->stage_count && status == GS_OK; i++) {
        const gs_stage *stage = &network->stages[i];
        const gs_matrix *weight = &stage->dense.weight;
        if (stage->kind == GS_STAGE_DENSE)
            status = gs_matrix_new(&network->engine, weight->rows, weight->cols,
                                   &trainer->initial[stage->layer - 1].weight, error);
    }
    if (status == GS_OK)
        gs_pool_run(network->engine.pool, network->stage_count, copy_initial, trainer);
    return status;
}

static gs_status begin_batches(gs_trainer *trainer, const gs_data *data, gs_error *error) {
    const gs_config *config = trainer->config;
    gs_status status = gs_batches_new(data, config->seed, config->shuffle.index == GS_SHUFFLE_ON,
                                      config->batch, &trainer->batches, error);
    if (status == GS_OK)
        status = gs_data_make_room(config->batch, data->features, &trainer->input, &trainer->labels,
                                   error);
    return status;
}

gs_status gs_trainer_new(gs_network *network, const gs_config *config, const gs_data *data,
                         const gs_data *held_out, gs_trainer *trainer, gs_error *error) {
    *trainer = (gs_trainer){.network = network, .config = config, .held_out = held_out};
    gs_status status = gs_optimizer_new(network, config->opt, &trainer->optimizer, error);
    if (status == GS_OK)
        status = keep_initial(trainer, error);
    if (status == GS_OK && data->examples > 0)
        status = begin_batches(trainer, data, error);
    trainer->steps = gs_alloc(network->layers, sizeof *trainer->steps, error);
    return status == GS_OK && !trainer->steps ? GS_ERR_MEMORY : status;
}

void gs_trainer_free(gs_trainer *trainer) {
    for (size_t i = 0; trainer->initial && i < trainer->network->layers; i++)
        gs_matrix_free(&trainer->initial[i].weight);
    gs_optimizer_free(&trainer->optimizer);
    gs_batches_free(&trainer->batches);
    gs_free(trainer->input);
    gs_free(trainer->labels);
    gs_free(trainer->initial);
    gs_free(trainer->steps);
    *trainer = (gs_trainer){0};
}

uint64_t gs_trainer_steps(const gs_trainer *trainer) {
    return trainer->optimizer.steps;
}

/* ---- A step ---- */

static gs_status take_batch(gs_trainer *trainer, gs_error *error) {
    if (!trainer->input)
        return GS_OK;
    gs_batches_take(&trainer->batches, gs_trainer_steps(trainer), trainer->input, trainer->labels);
    return gs_network_set_batch(trainer->network, trainer->input, NULL, trainer->labels, error);
}

gs_status gs_trainer_pass(gs_trainer *trainer, gs_error *error) {
    gs_status status = take_batch(trainer, error);
    if (status == GS_OK)
        status = gs_network_forward(trainer->network, NULL, error);
    return status == GS_OK ? gs_network_backward(trainer->network, error) : status;
}

bool gs_trainer_is_finite(const gs_trainer *trainer) {
    const gs_network *network = trainer->network;
    return network->nonfinite_layer == 0 &&
           isfinite(gs_signal_magnitude(&network->grad, NULL).sum_squares);
}

static gs_step_settings settings_of(const gs_trainer *trainer) {
    const gs_config *config = trainer->config;
    double factor = gs_schedule_factor(config->schedule, config->warmup,
                                       gs_trainer_steps(trainer) + 1, config->steps);
    return (gs_step_settings){.rate = config->rate * factor,
                              .beta1 = config->beta1,
                              .beta2 = config->beta2,
                              .rho = config->rho,
                              .eps = config->eps,
                              .l1 = config->l1,
                              .l2 = config->l2,
                              .max_norm = config->max_norm,
                              .clip = config->clip,
                              .grad_normalize = config->grad_normalize};
}

gs_status gs_trainer_update(gs_trainer *trainer, gs_layer_step *steps, gs_error *error) {
    gs_step_settings settings = settings_of(trainer);
    gs_step_stats stats = {.layers = steps};
    gs_status status = gs_optimizer_step(&trainer->optimizer, &settings, &stats, error);
    trainer->clipped += status == GS_OK && stats.is_clipped;
    return status;
}

/* ---- A step that is measured ---- */

typedef struct {
    const gs_trainer *trainer;
    gs_layer_stats *rows;
} movement;

static void set_movement(void *context, size_t index) {
    const movement *m = context;
    const gs_trainer *trainer = m->trainer;
    const gs_stage *stage = &trainer->network->stages[index];
    if (stage->kind != GS_STAGE_DENSE)
        return;
    const gs_initial *initial = &trainer->initial[stage->layer - 1];
    const gs_layer_step *step = &trainer->steps[stage->layer - 1];
    gs_layer_stats *row = &m->rows[stage->layer - 1];
    gs_magnitude moved = gs_matrix_distance(trainer->network->engine.kernels, &stage->dense.weight,
                                            &initial->weight);
    gs_stats_set_ratio(row, GS_MOVED, moved, initial->norm);
    gs_stats_set_ratio(row, GS_UPDATE_RATIO, step->step, step->weight);
    if (trainer->config->grad_normalize) {
        gs_stats_set_ratio(row, GS_CLIP_SCALE, step->after, step->before);
        gs_stats_set(row, GS_GRAD_CLIPPED_LOG10, gs_magnitude_log10(step->after));
    }
}

/* Try the update, for what is said of it. */
static gs_status add_update(gs_trainer *trainer, gs_layer_stats *rows, gs_training_stats *stats,
                            gs_error *error) {
    gs_step_settings settings = settings_of(trainer);
    gs_step_stats step = {.layers = trainer->steps};
    gs_status status = gs_optimizer_try(&trainer->optimizer, &settings, &step, error);
    if (status != GS_OK)
        return status;
    gs_pool_run(trainer->network->engine.pool, trainer->network->stage_count, set_movement,
                &(movement){trainer, rows});
    stats->rate = settings.rate;
    stats->grad_norm_log10 = gs_magnitude_log10(step.before);
    stats->grad_norm_clipped_log10 = gs_magnitude_log10(step.after);
    stats->clipped =
        (double)(trainer->clipped + step.is_clipped) / ((double)gs_trainer_steps(trainer) + 1);
    return GS_OK;
}

gs_status gs_trainer_measure(gs_trainer *trainer, uint64_t columns, gs_layer_stats *rows,
                             gs_summary *summary, gs_training_stats *stats, gs_error *error) {
    gs_status status = GS_OK;
    stats->test_loss = stats->test_accuracy = NAN;
    if (trainer->held_out->examples > 0)
        status = gs_network_evaluate(trainer->network, trainer->held_out, &stats->test_loss,
                                     &stats->test_accuracy, error);
    if (status == GS_OK)
        status = take_batch(trainer, error);
    if (status == GS_OK)
        status = gs_measure_columns(trainer->network, columns, rows, summary, error);
    if (status != GS_OK)
        return status;
    if (isnan(stats->test_loss))
        stats->test_accuracy = NAN;
    bool is_finite = trainer->network->nonfinite_layer == 0;
    stats->accuracy = is_finite ? gs_batch_accuracy(trainer->network, trainer->labels) : NAN;
    return add_update(trainer, rows, stats, error);
}
