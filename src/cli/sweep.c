/*
 * Running the networks of a sweep: side by side, their results in order.
 */
#include "cli/sweep.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/ordered.h"
#include "kernels/kernels.h"
#include "net/budget.h"

/* What became of one network. */
typedef struct {
    gs_config *config; /* resolved, if it could be */
    char *rows;        /* for free(); NULL: there are none */
    size_t length;
    bool is_lost; /* not even a row that says so could be made */
    gs_status status;
    gs_error why;
    int interrupted;
    bool condition;
    gs_summary summary;
    gs_training_stats training;
} result;

uint64_t sweep_point(const sweep *s, uint64_t place) {
    return s->first + place * s->stride;
}

static uint64_t point_of(const sweep *s, uint64_t task) {
    return sweep_point(s, s->behind + task / s->seeds);
}

/* ---- Shares of the machine ---- */

static size_t share_of_memory(const sweep *s) {
    size_t share = s->memory / s->jobs;
    return share > 0 ? share : 1;
}

/* Whether a network fits, or is as fast as it can be, only if it has all memory. */
static bool needs_all_memory(const sweep *s, const gs_config *config) {
    struct gs_config shared = *config;
    const gs_kernels *kernels;
    gs_budget budget;
    gs_error error;
    shared.memory = share_of_memory(s);
    if (s->jobs == 1 || gs_kernels_get((gs_dtype)config->dtype.index, &kernels, &error) != GS_OK)
        return false;
    bool must_stream = config->weights.index == GS_WEIGHTS_STREAMED;
    return gs_budget_plan(&shared, kernels, &budget, &error) != GS_OK || budget.segment > 0 ||
           (budget.weights != SIZE_MAX && !must_stream);
}

static bool is_alone(void *context, uint64_t task) {
    sweep *s = context;
    uint64_t point = point_of(s, task);
    if (s->jobs > 1 && s->planned != point) {
        cli_job job;
        sweep_data *borrowed;
        gs_error error;
        s->needs_all = sweep_begin_job(s, point, &job, &borrowed, &error) == GS_OK &&
                       needs_all_memory(s, job.config);
        s->planned = point;
        sweep_end_job(s, &job, borrowed);
    }
    return s->needs_all;
}

/* Whether threads that wait for each other in every layer would gain little: two are less than 1.6
   times as fast as one on products of fewer multiplications. */
static bool is_small(const gs_config *config) {
    double widest = (double)gs_config_widest(config);
    return widest * widest * (double)config->batch < 1 << 23;
}

/* Small networks have a thread each; others share what is idle. */
static size_t threads_for(const sweep *s, uint64_t task, bool alone, const gs_config *config) {
    uint64_t left = (s->count - s->behind) * s->seeds - task;
    size_t beside = alone ? 1 : left < s->jobs ? (size_t)left : s->jobs;
    if (s->threads > 0)
        return s->threads;
    bool has_one = s->processors <= beside || (is_small(config) && !alone);
    return has_one ? 1 : s->processors / beside;
}

static void take_share(const sweep *s, uint64_t task, bool alone, gs_config *config) {
    config->threads = threads_for(s, task, alone, config);
    if (!alone)
        config->memory = share_of_memory(s);
}

/* ---- A network ---- */

static gs_layer_theory *copy_of(const gs_layer_theory *rows, size_t count, gs_error *error) {
    gs_layer_theory *copy = gs_alloc(count, sizeof *copy, error);
    if (copy)
        memcpy(copy, rows, count * sizeof *copy);
    return copy;
}

/* The prediction for a point is made by the first of its networks that comes. */
static gs_status share_theory(sweep *s, run *r, gs_error *error) {
    const gs_config *config = r->job.config;
    size_t rows = config->layers + config->head;
    gs_status status = GS_OK;
    if (!(r->columns >> GS_THEORY_GRAD_LOG10 & 1) || config->data)
        return GS_OK;
    sweep_theory *shared = &s->theory[r->point % (s->jobs + 1)];
    pthread_mutex_lock(&shared->mutex);
    if (shared->point == r->point) {
        r->theory = copy_of(shared->rows, rows, error);
        status = r->theory ? GS_OK : GS_ERR_MEMORY;
    } else {
        status = run_predict(r, error);
        gs_free(shared->rows);
        shared->rows = status == GS_OK ? copy_of(r->theory, rows, error) : NULL;
        shared->point = shared->rows ? r->point : 0;
    }
    pthread_mutex_unlock(&shared->mutex);
    return status;
}

static gs_status open_memory(run *r, size_t rows, gs_error *error) {
    (void)r;
    (void)rows;
    (void)error;
    return GS_OK;
}

static gs_status write_memory(run *r, const gs_record *record, gs_error *error) {
    return r->report ? gs_report_write(r->report, record, error) : GS_OK;
}

static const run_sink to_memory = {false, open_memory, write_memory};

/* Begin the rows of a network, unless there are to be none. */
static gs_status open_rows(const sweep *s, run *r, bool header, result *done, gs_error *error) {
    gs_report_style style = s->style;
    if (s->sheet || s->table)
        return GS_OK;
    style.header &= header;
    r->job.file = open_memstream(&done->rows, &done->length);
    r->report = r->job.file ? gs_report_new(r->job.file, style, error) : NULL;
    if (!r->job.file)
        return gs_fail(error, GS_ERR_MEMORY, "no memory for the rows of a network");
    return r->report ? GS_OK : GS_ERR_MEMORY;
}

static void close_rows(run *r) {
    gs_report_free(r->report);
    if (r->job.file)
        fclose(r->job.file);
    r->report = NULL;
    r->job.file = NULL;
}

/* In place of its rows, those of a network that failed on the way among them. */
static void write_failure(const sweep *s, run *r, bool header, result *done) {
    gs_error error;
    close_rows(r);
    free(done->rows);
    done->rows = NULL;
    gs_status status = open_rows(s, r, header, done, &error);
    if (status == GS_OK && r->report) {
        const gs_record record = run_record(r, 0, 0, NULL, NULL, NULL);
        status = gs_report_write_error(r->report, &record, done->why.message, &error);
    }
    done->is_lost = status != GS_OK;
}

/* A summary asks for the last step alone, and rows for what they always do. */
static void prepare(const sweep *s, run *r, uint64_t task, bool alone) {
    gs_config *config = r->job.config;
    bool has_rows = !s->sheet && !s->table;
    take_share(s, task, alone, config);
    r->columns = has_rows ? GS_ALL_COLUMNS : 0;
    if (!has_rows)
        config->log_every = (gs_choice){GS_LOG_EVERY_N, 1e15};
}

static void run_task(sweep *s, uint64_t task, bool alone, result *done) {
    uint64_t point = point_of(s, task);
    bool header = task == 0 && s->behind == 0;
    sweep_data *borrowed;
    run r = {.sink = &to_memory,
             .options = {.fail_on = s->options.fail_on, .progress = {CLI_PROGRESS_NEVER, 0}},
             .point = point,
             .points = cli_grid_points(s->grid),
             .sweep = cli_grid_name(s->grid),
             .index = (point - 1) * s->seeds + task % s->seeds + 1};
    done->status = sweep_begin_job(s, point, &r.job, &borrowed, &done->why);
    if (r.job.config)
        r.job.config->seed += task % s->seeds;
    if (done->status == GS_OK)
        prepare(s, &r, task, alone);
    if (done->status == GS_OK)
        done->status = open_rows(s, &r, header, done, &done->why);
    if (done->status == GS_OK)
        done->status = share_theory(s, &r, &done->why);
    if (done->status == GS_OK)
        done->status = run_network(&r, &done->why);
    if (done->status != GS_OK && r.job.config)
        write_failure(s, &r, header, done);
    close_rows(&r);
    done->interrupted = r.interrupted;
    done->condition = r.condition;
    done->summary = r.summary;
    done->training = r.training;
    done->config = r.job.config;
    r.job.config = NULL;
    gs_free(r.theory);
    sweep_end_job(s, &r.job, borrowed);
}

static void *work(void *context, uint64_t task, bool alone) {
    sweep *s = context;
    gs_error error;
    result *done = gs_alloc(1, sizeof *done, &error);
    if (done && !(done->interrupted = cli_interrupted()))
        run_task(s, task, alone, done);
    return done;
}

static void drop(void *context, void *dropped) {
    result *done = dropped;
    (void)context;
    if (done) {
        free(done->rows);
        gs_config_free(done->config);
    }
    gs_free(done);
}

/* ---- Results, in order ---- */

static gs_status keep_rows(sweep *s, const result *done, gs_error *error) {
    bool has_rows = done->rows && done->length > 0 && !done->is_lost;
    if (s->sheet || s->table)
        return GS_OK;
    char *rows = has_rows ? realloc(s->rows, s->rows_length + done->length) : NULL;
    if (!rows)
        return gs_fail(error, GS_ERR_MEMORY, "no memory for the rows of a point");
    memcpy(rows + s->rows_length, done->rows, done->length);
    s->rows = rows;
    s->rows_length += done->length;
    return GS_OK;
}

static void add_network(sweep *s, uint64_t point, const result *done) {
    if (done->status == GS_OK) {
        gs_outcome_add(&s->outcome, &done->summary, &done->training);
    } else {
        if (s->outcome.failed++ == 0)
            s->why = done->why;
        s->contradictions += done->status == GS_ERR_USAGE;
        if (s->failed++ == 0) {
            s->failure = done->why;
            s->failed_point = point;
        }
    }
    s->condition |= done->condition;
}

/* A point goes to the file as a whole: an interrupt waits. */
static gs_status write_point(sweep *s, uint64_t number, gs_config *config, gs_error *error) {
    gs_status status = GS_OK;
    config->seed -= s->seeds - 1;
    const gs_point point = {.point = number,
                            .points = cli_grid_points(s->grid),
                            .sweep = cli_grid_name(s->grid),
                            .seed = config->seed,
                            .config = config,
                            .outcome = &s->outcome,
                            .error = s->outcome.failed > 0 ? s->why.message : NULL};
    cli_progress_hide(&s->progress, s->job.file);
    cli_job_hold_interrupts(&s->job);
    if (s->table)
        sweep_table_add(s->table, &point);
    else if (s->sheet)
        status = gs_outcome_sheet_write(s->sheet, &point, error);
    else
        fwrite(s->rows, 1, s->rows_length, s->job.file);
    if (status == GS_OK && gs_file_finish(s->job.file, error) != GS_OK)
        status = cli_job_fail(&s->job, error);
    cli_hold_interrupts(false);
    cli_progress_restore(&s->progress);
    s->rows_length = 0;
    s->outcome = (gs_outcome){0};
    return status;
}

static bool take(void *context, uint64_t task, void *taken) {
    sweep *s = context;
    result *done = taken;
    uint64_t point = point_of(s, task);
    if (done && done->interrupted)
        s->interrupted = done->interrupted;
    else if (!done || !done->config)
        s->status = gs_fail(s->error, GS_ERR_MEMORY, "no memory for a network");
    else
        s->status = keep_rows(s, done, s->error);
    bool goes_on = s->status == GS_OK && !s->interrupted;
    if (goes_on) {
        add_network(s, point, done);
        if (task % s->seeds == s->seeds - 1)
            s->status = write_point(s, point, done->config, s->error);
        uint64_t networks = s->behind * s->seeds + task + 1;
        if (cli_progress_is_due(&s->progress, networks))
            cli_progress_show(&s->progress, networks, NULL, NULL, 0);
    }
    drop(s, done);
    return goes_on && s->status == GS_OK;
}

gs_status sweep_run(sweep *s, gs_error *error) {
    static const gs_ordered_calls calls = {work, take, drop, is_alone};
    uint64_t tasks = (s->count - s->behind) * s->seeds;
    s->status = GS_OK;
    s->error = error;
    cli_catch_interrupts();
    cli_progress_begin(&s->progress, (cli_progress_mode)s->options.progress.index,
                       s->behind * s->seeds, s->count * s->seeds, "network");
    gs_status status = gs_ordered_run(&calls, s, tasks, s->jobs, error);
    cli_progress_clear(&s->progress);
    free(s->rows);
    return status == GS_OK ? s->status : status;
}
