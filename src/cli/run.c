/*
 * One network: built, and measured as it is or trained.
 */
#include "cli/run.h"

#include <math.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/memory.h"
#include "flow/measure.h"
#include "train/evaluate.h"
#include "train/safetensors.h"

void run_hold_for_save(const run *r) {
    struct stat info;
    cli_hold_interrupts(stat(r->options.save, &info) != 0 || S_ISREG(info.st_mode));
}

static gs_status save_network(const run *r, const gs_network *network, gs_error *error) {
    run_hold_for_save(r);
    gs_status status = gs_safetensors_save(network, r->job.config, NULL, r->options.save, error);
    cli_hold_interrupts(false);
    return status;
}

/* One prediction does for all seeds, unless they draw different examples from data. */
gs_status run_predict(run *r, gs_error *error) {
    const gs_config *config = r->job.config;
    size_t count = config->layers + config->head;
    gs_input_moments moments;
    if (r->theory && !config->data)
        return GS_OK;
    if (!r->theory)
        r->theory = gs_alloc(count, sizeof *r->theory, error);
    gs_status status =
        r->theory ? cli_job_moments(&r->job, config, &moments, error) : GS_ERR_MEMORY;
    if (status == GS_OK)
        status = gs_predict(config, config->data ? &moments : NULL, false, r->theory, NULL, error);
    return status;
}

gs_status run_add_theory(run *r, size_t rows, gs_layer_stats *stats, gs_error *error) {
    if (!(r->columns >> GS_THEORY_GRAD_LOG10 & 1) || r->job.saved)
        return GS_OK;
    gs_status status = run_predict(r, error);
    for (size_t i = 0; status == GS_OK && i < rows; i++)
        if (!isnan(r->theory[i].grad_z_log10))
            gs_stats_set(&stats[i], GS_THEORY_GRAD_LOG10, r->theory[i].grad_z_log10);
    return status;
}

void run_judge(run *r, const gs_summary *summary, const gs_training_stats *training) {
    size_t verdict = (size_t)summary->verdict;
    r->condition |= verdict != GS_HEALTHY && verdict == r->options.fail_on.index;
    r->summary = *summary;
    r->training = *training;
}

gs_record run_record(const run *r, uint64_t step, size_t rows, const gs_layer_stats *stats,
                     const gs_summary *summary, const gs_training_stats *training) {
    return (gs_record){.point = r->point,
                       .points = r->points,
                       .sweep = r->sweep,
                       .run = r->index,
                       .seed = r->job.config->seed,
                       .step = step,
                       .config = r->job.config,
                       .rows = rows,
                       .stats = stats,
                       .summary = summary,
                       .training = training};
}

/* What a network as it is has of a step of training. */
static gs_status evaluate(const run *r, gs_network *network, gs_training_stats *training,
                          gs_error *error) {
    *training = (gs_training_stats){NAN, NAN, NAN, NAN, NAN, NAN, NAN};
    training->accuracy = gs_batch_accuracy(network, NULL);
    if (r->job.held_out.examples == 0)
        return GS_OK;
    return gs_network_evaluate(network, &r->job.held_out, &training->test_loss,
                               &training->test_accuracy, error);
}

static gs_status write_measured(run *r, gs_network *network, const gs_layer_stats *stats,
                                const gs_summary *summary, gs_training_stats *training,
                                gs_error *error) {
    size_t rows = gs_network_layers(network);
    gs_status status = r->options.save ? save_network(r, network, error) : GS_OK;
    if (status == GS_OK)
        status = evaluate(r, network, training, error);
    if (status == GS_OK)
        status = r->sink->open(r, rows, error);
    if (status == GS_OK) {
        const gs_record record = run_record(r, r->job.step, rows, stats, summary, training);
        status = r->sink->write(r, &record, error);
    }
    return status;
}

static gs_status measure(run *r, gs_network *network, gs_error *error) {
    gs_summary summary;
    gs_training_stats training;
    size_t rows = gs_network_layers(network);
    gs_layer_stats *stats = gs_alloc(rows, sizeof *stats, error);
    gs_status status = stats ? GS_OK : GS_ERR_MEMORY;
    if (status == GS_OK && r->options.save)
        status = gs_network_keep_gradients(network, error);
    if (status == GS_OK)
        status = gs_measure_columns(network, r->columns, stats, &summary, error);
    if (status == GS_OK)
        status = run_add_theory(r, rows, stats, error);
    if (status == GS_OK)
        status = write_measured(r, network, stats, &summary, &training, error);
    if (status == GS_OK)
        run_judge(r, &summary, &training);
    gs_free(stats);
    return status;
}

gs_status run_network(run *r, gs_error *error) {
    gs_network *network = cli_job_network(&r->job, r->job.config, error);
    if (!network)
        return error->code;
    gs_status status =
        r->job.config->steps > 0 ? run_training(r, network, error) : measure(r, network, error);
    gs_network_free(network);
    return status;
}
