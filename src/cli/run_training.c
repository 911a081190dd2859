/*
 * gradsim run with --steps: step by step, with a record of those that are to be logged, checkpoints,
 * and an end wherever an interrupt or a number that is not finite puts it.
 */
#include <math.h>
#include <stdio.h>

#include "base/error.h"
#include "base/machine.h"
#include "base/memory.h"
#include "base/text.h"
#include "cli/progress.h"
#include "cli/run.h"
#include "train/evaluate.h"
#include "train/trainer.h"

typedef struct {
    run *run;
    gs_trainer trainer;
    gs_diagnosis diagnosis;
    cli_progress progress;
    gs_layer_stats *rows; /* [layers] */
    gs_layer_step *steps; /* [layers]: for the progress line */
    double *magnitudes;   /* [layers]: likewise */
    gs_summary summary;   /* of the step that was measured last */
    gs_training_stats stats;
    double saved; /* seconds: when the last checkpoint was complete */
    double save_took;
} training;

/* ---- Records ---- */

uint64_t run_last_due(const cli_job *job, uint64_t step) {
    gs_choice every = job->config->log_every;
    uint64_t unit = 1;
    if (every.index == GS_CHOICE_AUTO)
        every = cli_job_format(job) == GS_FORMAT_TABLE ? (gs_choice){GS_LOG_SPACED, 0}
                                                       : (gs_choice){GS_LOG_EVERY_N, 1};
    if (every.index == GS_LOG_EVERY_N)
        return step - step % (uint64_t)every.parameter;
    while (step / unit >= 10)
        unit *= 10;
    uint64_t first = step / unit; /* digit */
    return unit * (first >= 5 ? 5 : first >= 2 ? 2 : first);
}

static bool is_logged(const run *r, uint64_t step) {
    return r->has_logged && step <= r->logged;
}

/* In a table also the first step of a run that goes on, and the last of one that is interrupted. */
static bool is_due(const run *r, uint64_t step) {
    bool due = run_last_due(&r->job, step) == step || step == r->job.config->steps;
    if (cli_job_format(&r->job) == GS_FORMAT_TABLE)
        return due || step == r->job.step || r->interrupted;
    return due && !is_logged(r, step);
}

static gs_status measure(training *t, gs_error *error) {
    run *r = t->run;
    uint64_t step = gs_trainer_steps(&t->trainer);
    size_t rows = gs_network_layers(t->trainer.network);
    gs_status status =
        gs_trainer_measure(&t->trainer, r->columns, t->rows, &t->summary, &t->stats, error);
    if (status == GS_OK && step == 0)
        status = run_add_theory(r, rows, t->rows, error);
    return status;
}

static gs_status write(training *t, bool is_last, gs_error *error) {
    gs_findings findings;
    if (is_last)
        findings = gs_diagnosis_find(&t->diagnosis);
    gs_record record =
        run_record(t->run, gs_trainer_steps(&t->trainer), gs_network_layers(t->trainer.network),
                   t->rows, &t->summary, &t->stats);
    record.findings = is_last ? &findings : NULL;
    cli_progress_hide(&t->progress, t->run->job.file);
    gs_status status = t->run->sink->write(t->run, &record, error);
    cli_progress_restore(&t->progress);
    return status;
}

/* ---- Checkpoints ---- */

static bool is_save_due(const training *t) {
    const run_options *options = &t->run->options;
    uint64_t step = gs_trainer_steps(&t->trainer);
    if (!options->save || step == t->run->job.step)
        return false;
    if (options->save_every > 0)
        return step % options->save_every == 0;
    return gs_monotonic_seconds() - t->saved >= fmax(1, 20 * t->save_took);
}

static gs_status save(training *t, gs_error *error) {
    double start = gs_monotonic_seconds();
    run_hold_for_save(t->run);
    gs_status status = gs_checkpoint_save(&t->trainer, t->run->options.save, error);
    cli_hold_interrupts(false);
    t->saved = gs_monotonic_seconds();
    t->save_took = t->saved - start;
    return status;
}

/* ---- Progress ---- */

/* `steps` [layers]: what the gradients came to; NULL: not known. */
static void show_progress(training *t, uint64_t step, const gs_layer_step *steps) {
    const gs_network *network = t->trainer.network;
    size_t layers = gs_network_layers(network);
    double loss = network->loss_value;
    double accuracy = gs_batch_accuracy(network, t->trainer.labels);
    gs_line line = {0};
    gs_line_add(&line, "loss %.4g", isnan(loss) ? (double)NAN : loss);
    if (!isnan(accuracy))
        gs_line_add(&line, "  accuracy %.0f%%", 100 * accuracy);
    for (size_t i = 0; steps && i < layers; i++)
        t->magnitudes[i] = gs_magnitude_log10(steps[i].before);
    cli_progress_show(&t->progress, step, line.text, steps ? t->magnitudes : NULL, layers);
}

static gs_status update(training *t, gs_error *error) {
    uint64_t step = gs_trainer_steps(&t->trainer);
    bool show = cli_progress_is_due(&t->progress, step);
    gs_status status = gs_trainer_update(&t->trainer, show ? t->steps : NULL, error);
    if (status == GS_OK && show)
        show_progress(t, step, t->steps);
    return status;
}

/* ---- The loop ---- */

/* Step t without the update that ends it. `*is_last`: none follows. */
static gs_status report_step(training *t, bool *is_last, gs_error *error) {
    run *r = t->run;
    uint64_t step = gs_trainer_steps(&t->trainer), steps = r->job.config->steps;
    if (step < steps)
        r->interrupted = cli_interrupted(); /* after the last step there is nothing to stop */
    bool due = is_due(r, step), measured = due || step == r->job.step || step == steps;
    gs_status status = measured ? measure(t, error) : gs_trainer_pass(&t->trainer, error);
    bool is_finite = status == GS_OK && gs_trainer_is_finite(&t->trainer);
    if (status == GS_OK && !is_finite && !due) {
        due = !is_logged(r, step);
        status = measured ? GS_OK : measure(t, error);
        measured = true;
    }
    if (status != GS_OK)
        return status;
    gs_diagnosis_step(&t->diagnosis, step, t->trainer.network->loss_value);
    if (measured)
        gs_diagnosis_measured(&t->diagnosis, r->job.config, step, t->rows,
                              gs_network_layers(t->trainer.network), &t->summary, &t->stats);
    *is_last = step == steps || !is_finite || r->interrupted;
    if (due)
        status = write(t, *is_last, error);
    if (status == GS_OK && *is_last && measured)
        run_judge(r, &t->summary, &t->stats);
    if (status == GS_OK && is_finite && (*is_last ? r->options.save != NULL : is_save_due(t)))
        status = save(t, error);
    return status;
}

static gs_status train(training *t, gs_error *error) {
    bool is_last = false;
    gs_status status = GS_OK;
    while (status == GS_OK && !is_last) {
        status = report_step(t, &is_last, error);
        if (status == GS_OK && !is_last)
            status = update(t, error);
    }
    if (status == GS_OK && cli_progress_is_due(&t->progress, gs_trainer_steps(&t->trainer)))
        show_progress(t, gs_trainer_steps(&t->trainer), NULL);
    return status;
}

/* ---- The whole ---- */

static gs_status begin(training *t, gs_network *network, gs_error *error) {
    run *r = t->run;
    size_t layers = gs_network_layers(network);
    gs_status status =
        gs_trainer_new(network, r->job.config, &r->job.data, &r->job.held_out, &t->trainer, error);
    if (status == GS_OK && r->job.is_checkpoint)
        status = gs_checkpoint_load(&t->trainer, r->job.saved, error);
    t->rows = gs_alloc(layers, sizeof *t->rows, error);
    t->steps = gs_alloc(layers, sizeof *t->steps, error);
    t->magnitudes = gs_alloc(layers, sizeof *t->magnitudes, error);
    if (status == GS_OK && (!t->rows || !t->steps || !t->magnitudes))
        status = GS_ERR_MEMORY;
    if (status == GS_OK)
        status = r->sink->open(r, layers, error);
    /* What is before a checkpoint was logged before, unless nothing comes after it. */
    if (status == GS_OK && r->job.is_checkpoint && !r->has_logged &&
        r->job.step < r->job.config->steps) {
        r->has_logged = true;
        r->logged = r->job.step;
    }
    return status;
}

/* What is left unsaid by a log that ends before the last step. */
static void say_end(const training *t) {
    uint64_t step = gs_trainer_steps(&t->trainer);
    const char *save = t->run->options.save;
    if (t->run->interrupted)
        fprintf(stderr, "gradsim: interrupted at step %llu%s%s%s\n", (unsigned long long)step,
                save ? "; to go on: --load '" : "", save ? save : "", save ? "'" : "");
    else if (!gs_trainer_is_finite(&t->trainer))
        fprintf(stderr, "gradsim: stopped at step %llu, where a number is not finite%s\n",
                (unsigned long long)step, save ? "; that step is not saved" : "");
}

gs_status run_training(run *r, gs_network *network, gs_error *error) {
    training t = {.run = r, .saved = gs_monotonic_seconds()};
    gs_status status = begin(&t, network, error);
    if (status == GS_OK) {
        cli_catch_interrupts();
        cli_progress_begin(&t.progress, (cli_progress_mode)r->options.progress.index, r->job.step,
                           r->job.config->steps, "step");
        status = train(&t, error);
        cli_progress_clear(&t.progress);
        if (status == GS_OK && r->sink->tells)
            say_end(&t);
    }
    gs_trainer_free(&t.trainer);
    gs_free(t.rows);
    gs_free(t.steps);
    gs_free(t.magnitudes);
    return status;
}
