/*
 * gradsim run: for every seed: network -> measurement -> rows.
 */
#include <math.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/memory.h"
#include "cli/job.h"
#include "flow/measure.h"
#include "report/report.h"
#include "train/safetensors.h"

typedef struct {
    gs_choice fail_on; /* index is gs_verdict; GS_HEALTHY: never */
    char *save;
} run_options;

static const gs_name fail_on_rows[] = {
    {.name = "never", .help = "the verdict does not change the exit status"},
    {.name = "vanishing", .help = "exit with status 3 if a network's gradient vanishes"},
    {.name = "exploding", .help = "exit with status 3 if a network's gradient explodes"},
    {.name = "nonfinite", .help = "exit with status 3 if a network's numbers are not finite"},
};

static const gs_family conditions = GS_FAMILY(fail_on_rows);

/* clang-format off */
static const gs_option option_rows[] = {
    {"fail-on", GS_OPTION_CHOICE, offsetof(run_options, fail_on), "VERDICT", "never",
     "exit with status 3 on this verdict", .group = "Output of run", .family = &conditions},
    {"save", GS_OPTION_TEXT, offsetof(run_options, save), "FILE", NULL,
     "save the batch, the network and its gradients (safetensors)", .letter = 0},
};
/* clang-format on */

const gs_option_table cli_run_options = {option_rows, sizeof option_rows / sizeof option_rows[0]};

typedef struct {
    cli_job job; /* the seed of its configuration is that of the network at hand */
    run_options options;
    gs_report *report;
    gs_layer_theory *theory; /* NULL until it is predicted */
    bool condition;          /* that of --fail-on held for some network */
} run;

/* ---- Writing ---- */

static gs_status save_network(const run *r, const gs_network *network, gs_error *error) {
    struct stat info;
    cli_hold_interrupts(stat(r->options.save, &info) != 0 || S_ISREG(info.st_mode));
    gs_status status = gs_safetensors_save(network, r->job.config, r->options.save, error);
    cli_hold_interrupts(false);
    return status;
}

static gs_status open_report(run *r, gs_error *error) {
    gs_report_style style;
    gs_status status = cli_job_open(&r->job, &style, error);
    if (status == GS_OK)
        r->report = gs_report_new(r->job.file, style, error);
    return status == GS_OK && !r->report ? GS_ERR_MEMORY : status;
}

static gs_status write_rows(const run *r, const gs_record *record, gs_error *error) {
    cli_job_hold_interrupts(&r->job);
    gs_status status = gs_report_write(r->report, record, error);
    if (status == GS_ERR_IO)
        cli_job_fail(&r->job, error);
    cli_hold_interrupts(false);
    return status;
}

static gs_status write_record(run *r, const gs_network *network, const gs_record *record,
                              gs_error *error) {
    gs_status status = GS_OK;
    if (r->options.save)
        status = save_network(r, network, error);
    if (status == GS_OK && !r->report)
        status = open_report(r, error);
    return status == GS_OK ? write_rows(r, record, error) : status;
}

/* ---- One network ---- */

/* One prediction does for all seeds, unless they draw different examples from data. */
static gs_status predict(run *r, size_t count, gs_error *error) {
    const gs_config *config = r->job.config;
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

static gs_status add_theory(run *r, size_t count, gs_layer_stats *stats, gs_error *error) {
    gs_status status = predict(r, count, error);
    for (size_t i = 0; status == GS_OK && i < count; i++)
        if (!isnan(r->theory[i].grad_z_log10))
            gs_stats_set(&stats[i], GS_THEORY_GRAD_LOG10, r->theory[i].grad_z_log10);
    return status;
}

static gs_status measure(run *r, size_t index, gs_network *network, gs_error *error) {
    gs_config *config = r->job.config;
    gs_summary summary;
    size_t rows = gs_network_layers(network);
    uint64_t columns = gs_report_columns(cli_job_format(&r->job), r->job.output.quiet);
    gs_layer_stats *stats = gs_alloc(rows, sizeof *stats, error);
    gs_status status = stats ? GS_OK : GS_ERR_MEMORY;
    if (status == GS_OK && r->options.save)
        status = gs_network_keep_gradients(network, error);
    if (status == GS_OK)
        status = gs_measure_columns(network, columns, stats, &summary, error);
    if (status == GS_OK && columns >> GS_THEORY_GRAD_LOG10 & 1)
        status = add_theory(r, rows, stats, error);
    if (status == GS_OK) {
        gs_record record = {index, config->seed, 0, config, rows, stats, &summary};
        status = write_record(r, network, &record, error);
        size_t verdict = (size_t)summary.verdict;
        r->condition |= verdict != GS_HEALTHY && verdict == r->options.fail_on.index;
    }
    gs_free(stats);
    return status;
}

static gs_status run_seeds(run *r, gs_error *error) {
    gs_config *config = r->job.config;
    gs_status status = GS_OK;
    for (size_t i = 1; i <= config->seeds && status == GS_OK; i++) {
        gs_network *network = cli_job_network(&r->job, config, error);
        status = network ? measure(r, i, network, error) : error->code;
        gs_network_free(network);
        config->seed++;
    }
    return status;
}

/* ---- The command ---- */

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
    return GS_OK;
}

int cmd_run(char **arguments) {
    run r = {0};
    gs_error error;
    int exit_status;
    const cli_target own = {&cli_run_options, &r.options};
    if (!cli_job_begin(&r.job, "run", arguments, own, &exit_status))
        return exit_status;
    gs_status status = refuse_contradictions(&r, &error);
    if (status == GS_OK)
        status = cli_job_load(&r.job, &error);
    if (status == GS_OK)
        status = run_seeds(&r, &error);
    gs_report_free(r.report);
    gs_free(r.theory);
    return cli_job_end(&r.job, status, &error, r.condition ? CLI_CONDITION : CLI_DONE);
}
