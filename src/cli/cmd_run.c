/*
 * gradsim run: for every seed: network -> measurement -> rows.
 */
#include <math.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/memory.h"
#include "cli/progress.h"
#include "cli/run.h"
#include "flow/measure.h"
#include "report/resume.h"
#include "train/evaluate.h"
#include "train/safetensors.h"

static const gs_name fail_on_rows[] = {
    {.name = "never", .help = "the verdict does not change the exit status"},
    {.name = "vanishing", .help = "exit with status 3 if a network's gradient vanishes"},
    {.name = "exploding", .help = "exit with status 3 if a network's gradient explodes"},
    {.name = "nonfinite", .help = "exit with status 3 if a network's numbers are not finite"},
};

const gs_family cli_fail_on = GS_FAMILY(fail_on_rows);

/* clang-format off */
static const gs_option option_rows[] = {
    {"fail-on", GS_OPTION_CHOICE, offsetof(run_options, fail_on), "VERDICT", "never",
     "exit with status 3 on this verdict", .group = "Output of run", .family = &cli_fail_on},
    {"save", GS_OPTION_TEXT, offsetof(run_options, save), "FILE", NULL,
     "save the batch, the network and its gradients (safetensors), and what training goes on from",
     .letter = 0},
    {"save-every", GS_OPTION_SIZE, offsetof(run_options, save_every), "N", "auto",
     "save after every N steps too, by default about every second",
     .minimum = 1, .maximum = 1e15, .automatic = "auto"},
    {"load", GS_OPTION_TEXT, offsetof(run_options, load), "FILE", NULL,
     "a saved network: one of --save, to go on from, or any plain MLP (safetensors)", .letter = 0},
    {"progress", GS_OPTION_CHOICE, offsetof(run_options, progress), "HOW", "auto",
     "how training shows where it is, on standard error", .family = &cli_progress_modes},
};
/* clang-format on */

const gs_option_table cli_run_options = {option_rows, sizeof option_rows / sizeof option_rows[0]};

/* ---- Writing ---- */

/* Before hours of training, and before a log is touched. */
static gs_status try_save(const run *r, gs_error *error) {
    cli_hold_interrupts(true);
    gs_status status = r->options.save ? gs_safetensors_try(r->options.save, error) : GS_OK;
    cli_hold_interrupts(false);
    return status;
}

/* A log that is there is continued by the run that goes on from a checkpoint. */
static bool continues_log(const run *r) {
    struct stat info;
    return r->job.is_checkpoint && r->job.config->steps > 0 && r->job.path &&
           cli_job_format(&r->job) != GS_FORMAT_TABLE && stat(r->job.path, &info) == 0 &&
           S_ISREG(info.st_mode) && info.st_size > 0;
}

/* A last step that was logged although it was not due is not there in a run that never stopped. A
   log that is refused stays as it is, torn or not. */
static gs_status find_end(run *r, gs_report_style *style, size_t rows, gs_error *error) {
    const gs_log_subject subject = {1, r->job.config->seed, rows};
    gs_log_end end;
    gs_error why;
    uint64_t due = run_last_due(&r->job, r->job.step);
    uint64_t last = r->job.step > due ? r->job.step - 1 : due;
    gs_status status = gs_log_find_end(r->job.file, *style, subject, last, &end, &why);
    if (status == GS_OK && (end.has_record ? end.step < due : end.length > 0))
        return gs_fail(error, GS_ERR_FORMAT,
                       "%s: expected a log up to step %llu, where '%s' goes on, got one that ends "
                       "before it",
                       r->job.path, (unsigned long long)due, gs_safetensors_path(r->job.saved));
    if (status == GS_OK)
        status = gs_log_cut(r->job.file, end, &why);
    if (status != GS_OK)
        return gs_fail(error, status, "%s: %s", r->job.path, why.message);
    style->header &= end.length == 0;
    r->has_logged = end.has_record;
    r->logged = end.step;
    return GS_OK;
}

static gs_status open_log(run *r, size_t rows, gs_error *error) {
    gs_report_style style;
    bool continues = continues_log(r);
    if (r->report)
        return GS_OK;
    gs_status status = cli_job_open(&r->job, continues ? "r+" : "w", &style, error);
    if (status == GS_OK && continues)
        status = find_end(r, &style, rows, error);
    if (status == GS_OK)
        r->report = gs_report_new(r->job.file, style, error);
    return status == GS_OK && !r->report ? GS_ERR_MEMORY : status;
}

static gs_status write_log(run *r, const gs_record *record, gs_error *error) {
    cli_job_hold_interrupts(&r->job);
    gs_status status = gs_report_write(r->report, record, error);
    if (status == GS_ERR_IO)
        cli_job_fail(&r->job, error);
    cli_hold_interrupts(false);
    return status;
}

static const run_sink log_file = {true, open_log, write_log};

/* ---- The command ---- */

static gs_status run_seeds(run *r, gs_error *error) {
    gs_config *config = r->job.config;
    gs_status status = GS_OK;
    for (r->index = 1; r->index <= config->seeds && status == GS_OK && !r->interrupted;
         r->index++) {
        status = run_network(r, error);
        config->seed++;
    }
    return status;
}

/* What is written to one file would be lost to the other. */
static gs_status refuse_contradictions(const run *r, gs_error *error) {
    const gs_config *config = r->job.config;
    const char *save = r->options.save, *output = r->job.path ? r->job.path : "/dev/stdout";
    if (save && config->seeds > 1)
        return gs_fail(error, GS_ERR_USAGE, "--seeds: expected 1 with --save, got '%zu'",
                       config->seeds);
    if (cli_same_file(save, output))
        return cli_refuse_same_file("save", save, "output", error);
    if (cli_same_file(save, config->data))
        return cli_refuse_same_file("save", save, "data", error);
    if (cli_same_file(save, config->test_data))
        return cli_refuse_same_file("save", save, "test-data", error);
    if (r->options.load && config->seeds > 1)
        return gs_fail(error, GS_ERR_USAGE, "--seeds: expected 1 with --load, got '%zu'",
                       config->seeds);
    if (r->job.is_checkpoint && config->steps == 0 && cli_same_file(save, r->options.load))
        return gs_fail(error, GS_ERR_USAGE,
                       "--save: expected another file than that of --load with --steps 0, which "
                       "saves no training, got '%s'",
                       save);
    if (r->options.save_every > 0 && !save)
        return gs_fail(error, GS_ERR_USAGE, "--save-every: expected --save with it");
    return GS_OK;
}

/* Those that are shown; a table of training has no room for theory. */
static uint64_t columns_of(const run *r) {
    gs_report_format format = cli_job_format(&r->job);
    uint64_t theory = (uint64_t)1 << GS_THEORY_GRAD_LOG10;
    bool is_shown = format != GS_FORMAT_TABLE || r->job.config->steps == 0;
    return gs_report_columns(format, r->job.output.quiet) & ~(is_shown ? 0 : theory);
}

int cmd_run(char **arguments) {
    run r = {.sink = &log_file, .point = 1, .points = 1};
    gs_error error;
    int exit_status;
    const cli_target own = {&cli_run_options, &r.options};
    if (!cli_job_begin(&r.job, "run", arguments, own, &exit_status))
        return exit_status;
    r.job.trains = true;
    gs_status status = cli_job_load(&r.job, r.options.load, &error);
    if (status == GS_OK)
        status = refuse_contradictions(&r, &error);
    if (status == GS_OK)
        status = try_save(&r, &error);
    r.columns = columns_of(&r);
    if (status == GS_OK)
        status = run_seeds(&r, &error);
    gs_report_free(r.report);
    gs_free(r.theory);
    exit_status = cli_job_end(&r.job, status, &error, r.condition ? CLI_CONDITION : CLI_DONE);
    return r.interrupted && status == GS_OK ? cli_die_of(r.interrupted) : exit_status;
}
