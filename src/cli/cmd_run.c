/*
 * gradsim run: options -> data -> for every seed: network -> batch -> measurement -> rows.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "cli/cli.h"
#include "net/config.h"
#include "report/report.h"
#include "train/data.h"
#include "train/safetensors.h"

typedef struct {
    gs_config *config; /* its seed is that of the network at hand */
    cli_output output;
    const char *path; /* of the log; NULL: standard output */
    gs_data data;     /* no examples: the network draws its own */
    FILE *file;       /* opened for the first record: what fails before changes no file */
    gs_report *report;
    bool condition; /* the --fail-on condition held for some network */
} run;

/* ---- Where the rows go ---- */

static gs_status fail_to_write(const run *r, gs_error *error) {
    const char *reason = strerror(errno);
    if (r->path)
        return gs_fail(error, GS_ERR_IO, "cannot write '%s': %s", r->path, reason);
    return gs_fail(error, GS_ERR_IO, "cannot write standard output: %s", reason);
}

static gs_report_format choose_format(const cli_output *output) {
    static const struct {
        const char *ending;
        gs_report_format format;
    } endings[] = {{".csv", GS_FORMAT_CSV}, {".tsv", GS_FORMAT_TSV}, {".jsonl", GS_FORMAT_JSONL}};
    const char *dot = output->output ? strrchr(output->output, '.') : NULL;
    if (output->format.index != GS_CHOICE_AUTO)
        return (gs_report_format)output->format.index;
    for (size_t i = 0; dot && i < sizeof endings / sizeof endings[0]; i++)
        if (strcmp(dot, endings[i].ending) == 0)
            return endings[i].format;
    return GS_FORMAT_TABLE;
}

/* NO_COLOR (no-color.org) counts if it is not empty. */
static bool choose_color(const cli_output *output, FILE *file) {
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    if (output->color.index != CLI_COLOR_AUTO)
        return output->color.index == CLI_COLOR_ALWAYS;
    return !(no_color && no_color[0]) && term && strcmp(term, "dumb") != 0 && isatty(fileno(file));
}

static gs_status open_report(run *r, gs_error *error) {
    r->file = r->path ? fopen(r->path, "w") : stdout;
    if (!r->file)
        return fail_to_write(r, error);
    gs_report_style style = {choose_format(&r->output), !r->output.no_header,
                             choose_color(&r->output, r->file), r->output.quiet};
    r->report = gs_report_new(r->file, style, error);
    return r->report ? GS_OK : GS_ERR_MEMORY;
}

static gs_status close_report(run *r, gs_error *error) {
    gs_status status = GS_OK;
    if (r->report && gs_report_finish(r->report, error) != GS_OK)
        status = fail_to_write(r, error);
    gs_report_free(r->report);
    if (r->file && r->file != stdout && fclose(r->file) != 0 && status == GS_OK)
        status = fail_to_write(r, error);
    return status;
}

/* ---- Writing ---- */

/* An interrupt kills the program at once, but not while it writes to a regular file: a record and a
   saved file are whole or not there. A pipe or a terminal might keep the program waiting for ever,
   and so might opening a FIFO. */
static void hold_interrupts(bool hold) {
    sigset_t interrupts;
    sigemptyset(&interrupts);
    sigaddset(&interrupts, SIGHUP);
    sigaddset(&interrupts, SIGINT);
    sigaddset(&interrupts, SIGTERM);
    pthread_sigmask(hold ? SIG_BLOCK : SIG_UNBLOCK, &interrupts, NULL);
}

static gs_status save_network(const run *r, const gs_network *network, gs_error *error) {
    struct stat info;
    hold_interrupts(stat(r->output.save, &info) != 0 || S_ISREG(info.st_mode));
    gs_status status = gs_safetensors_save(network, r->config, r->output.save, error);
    hold_interrupts(false);
    return status;
}

static gs_status write_rows(const run *r, const gs_record *record, gs_error *error) {
    struct stat info;
    hold_interrupts(fstat(fileno(r->file), &info) == 0 && S_ISREG(info.st_mode));
    gs_status status = gs_report_write(r->report, record, error);
    if (status == GS_ERR_IO)
        fail_to_write(r, error);
    hold_interrupts(false);
    return status;
}

static gs_status write_record(run *r, const gs_network *network, const gs_record *record,
                              gs_error *error) {
    gs_status status = GS_OK;
    if (r->output.save)
        status = save_network(r, network, error);
    if (status == GS_OK && !r->report)
        status = open_report(r, error);
    return status == GS_OK ? write_rows(r, record, error) : status;
}

/* ---- One network ---- */

static gs_status fill_batch(const run *r, gs_network *network, gs_error *error) {
    if (r->data.examples == 0)
        return gs_network_draw_batch(network, error);
    size_t count, batch = r->config->batch;
    if (!gs_size_multiply(batch, r->data.features, &count))
        return gs_fail(error, GS_ERR_MEMORY, "--batch: expected fewer examples, got '%zu'", batch);
    double *input = gs_alloc(count, sizeof *input, error);
    size_t *labels = gs_alloc(batch, sizeof *labels, error);
    gs_status status = GS_ERR_MEMORY;
    if (input && labels)
        status = gs_data_batch(&r->data, r->config->seed, batch, input, labels, error);
    if (status == GS_OK)
        status = gs_network_set_batch(network, input, NULL, labels, error);
    gs_free(input);
    gs_free(labels);
    return status;
}

static gs_status measure(run *r, size_t index, gs_network *network, gs_error *error) {
    gs_summary summary;
    size_t rows = gs_network_layers(network);
    gs_layer_stats *stats = gs_alloc(rows, sizeof *stats, error);
    gs_status status = stats ? fill_batch(r, network, error) : GS_ERR_MEMORY;
    if (status == GS_OK && r->output.save)
        status = gs_network_keep_gradients(network, error);
    if (status == GS_OK)
        status = gs_measure_columns(network, gs_report_columns(choose_format(&r->output)), stats,
                                    &summary, error);
    if (status == GS_OK) {
        gs_record record = {index, r->config->seed, 0, r->config, rows, stats, &summary};
        status = write_record(r, network, &record, error);
        size_t verdict = (size_t)summary.verdict;
        r->condition |= verdict != GS_HEALTHY && verdict == r->output.fail_on.index;
    }
    gs_free(stats);
    return status;
}

static gs_status run_seeds(run *r, gs_error *error) {
    gs_status status = GS_OK;
    for (size_t i = 1; i <= r->config->seeds && status == GS_OK; i++) {
        gs_network *network = gs_network_new(r->config, error);
        status = network ? measure(r, i, network, error) : error->code;
        gs_network_free(network);
        r->config->seed++;
    }
    return status;
}

/* ---- The command ---- */

/* What is written to one would be lost to the other. */
static gs_status refuse_same_files(const run *r, gs_error *error) {
    const char *output = r->path ? r->path : "/dev/stdout";
    const struct {
        const char *option, *path, *other, *other_path;
    } pairs[] = {{"save", r->output.save, "output", output},
                 {"save", r->output.save, "data", r->config->data},
                 {"output", output, "data", r->config->data}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        if (cli_same_file(pairs[i].path, pairs[i].other_path))
            return gs_fail(error, GS_ERR_USAGE,
                           "--%s: expected another file than that of --%s, got '%s'",
                           pairs[i].option, pairs[i].other, pairs[i].path);
    return GS_OK;
}

static gs_status prepare(run *r, gs_error *error) {
    const char *output = r->output.output;
    r->path = output && strcmp(output, "-") != 0 ? output : NULL;
    if (r->output.save && r->config->seeds > 1)
        return gs_fail(error, GS_ERR_USAGE, "--seeds: expected 1 with --save, got '%zu'",
                       r->config->seeds);
    gs_status status = refuse_same_files(r, error);
    if (status == GS_OK && r->config->data)
        status = gs_data_load(r->config->data, &r->data, error);
    if (status == GS_OK)
        gs_data_scale(&r->data, r->config->data_scale.index);
    if (status == GS_OK)
        status = gs_config_resolve(r->config, r->data.features, r->data.classes, error);
    return status;
}

static int run_and_close(run *r) {
    gs_error error, late;
    gs_status status = prepare(r, &error);
    if (status == GS_OK)
        status = run_seeds(r, &error);
    gs_status closed = close_report(r, &late);
    if (status != GS_OK)
        return cli_fail(&error);
    if (closed != GS_OK)
        return cli_fail(&late);
    return r->condition ? CLI_CONDITION : CLI_DONE;
}

int cmd_run(char **arguments) {
    run r = {0};
    gs_error error;
    int status = CLI_FAILED;
    r.config = gs_config_new(&error);
    if (!r.config || gs_options_reset(&cli_output_options, &r.output, &error) != GS_OK)
        return cli_fail(&error);
    const cli_target targets[] = {{&gs_config_options, r.config}, {&cli_output_options, &r.output}};
    if (cli_begin(arguments, targets, 2, NULL, &status))
        status = run_and_close(&r);
    gs_data_free(&r.data);
    gs_options_release(&cli_output_options, &r.output);
    gs_config_free(r.config);
    return status;
}
