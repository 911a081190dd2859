/*
 * Jobs: from arguments to networks with their batch, and the file that the results go to.
 */
#include "cli/job.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "flow/measure.h"
#include "train/load.h"
#include "train/trainer.h"

/* ---- Options ---- */

static gs_status reset(cli_job *job, gs_error *error) {
    job->config = gs_config_new(error);
    gs_status status = job->config ? GS_OK : GS_ERR_MEMORY;
    if (status == GS_OK)
        status = gs_options_reset(&cli_output_options, &job->output, error);
    if (status == GS_OK && job->own.table)
        status = gs_options_reset(job->own.table, job->own.base, error);
    return status;
}

static void release(cli_job *job) {
    gs_data_free(&job->data);
    gs_data_free(&job->held_out);
    gs_safetensors_close(job->saved);
    gs_options_release(&cli_output_options, &job->output);
    if (job->own.table)
        gs_options_release(job->own.table, job->own.base);
    gs_config_free(job->config);
}

static bool begin(cli_job *job, const char *command, char **arguments, cli_target own,
                  cli_lists *lists, int *status) {
    gs_error error;
    *job = (cli_job){.own = own, .arguments = arguments};
    if (reset(job, &error) != GS_OK) {
        *status = cli_fail(&error);
        release(job);
        return false;
    }
    const cli_target network = {&gs_config_options, job->config};
    const cli_target targets[] = {
        lists ? cli_lists_target(lists) : network, {&cli_output_options, &job->output}, own};
    if (!cli_begin(command, arguments, targets, own.table ? 3 : 2, 0, status)) {
        release(job);
        return false;
    }
    job->path = cli_output_path(job->output.output);
    return true;
}

bool cli_job_begin(cli_job *job, const char *command, char **arguments, cli_target own,
                   int *status) {
    return begin(job, command, arguments, own, NULL, status);
}

bool cli_job_begin_lists(cli_job *job, const char *command, char **arguments, cli_target own,
                         cli_lists *lists, int *status) {
    return begin(job, command, arguments, own, lists, status);
}

/* ---- What is there: a saved network, data ---- */

/* The arguments once more, over what the file says of the network. */
static gs_status parse_again(cli_job *job, gs_config *config, gs_error *error) {
    cli_general general;
    const cli_target targets[] = {{&gs_config_options, config},
                                  {&cli_output_options, &job->output},
                                  {&cli_general_options, &general},
                                  job->own};
    size_t steps = config->steps, unsaid = SIZE_MAX;
    config->steps = unsaid;
    if (!gs_safetensors_is_own(job->saved))
        config->act.index = GS_CHOICE_AUTO;
    gs_status status = cli_parse(job->arguments, targets, job->own.table ? 4 : 3, 0, error);
    if (config->steps == unsaid)
        config->steps = job->trains && config->epochs == 0 ? steps : 0;
    job->path = job->path ? job->output.output : NULL;
    if (status == GS_OK && config->act.index == GS_CHOICE_AUTO)
        return gs_fail(error, GS_ERR_USAGE,
                       "--act: expected one with --load '%s', which does not say it",
                       gs_safetensors_path(job->saved));
    return status;
}

static gs_status take_saved_options(cli_job *job, gs_error *error) {
    gs_config *config = gs_config_new(error), *before = job->config;
    gs_status status = config ? gs_config_load(config, job->saved, error) : GS_ERR_MEMORY;
    if (status == GS_OK)
        status = parse_again(job, config, error);
    if (status == GS_OK) {
        job->config = config;
        config = before;
    }
    gs_config_free(config);
    return status;
}

static gs_status open_saved(cli_job *job, const char *path, gs_error *error) {
    gs_status status = gs_safetensors_open(path, &job->saved, error);
    if (status == GS_OK)
        status = gs_checkpoint_step(job->saved, &job->is_checkpoint, &job->step, error);
    if (status == GS_OK)
        status = take_saved_options(job, error);
    return status;
}

/* The seed decides what is held out, and which batch comes next. */
static gs_status check_seed(const cli_job *job, gs_error *error) {
    const char *text = gs_safetensors_metadata(job->saved, "seed");
    uint64_t saved;
    if (gs_parse_size(text, &saved) == GS_TEXT_OK && saved == job->config->seed)
        return GS_OK;
    return gs_fail(error, GS_ERR_USAGE,
                   "--seed: expected %.80s, that of '%s', to go on, got '%llu'", text,
                   gs_safetensors_path(job->saved), (unsigned long long)job->config->seed);
}

static gs_status check_command(const cli_job *job, gs_error *error) {
    size_t steps = job->config->steps;
    if (job->trains || (steps == 0 && job->config->epochs == 0))
        return GS_OK;
    return gs_fail(error, GS_ERR_USAGE, "--%s: expected none, for this command does not train",
                   steps > 0 ? "steps" : "epochs");
}

/* Steps that are behind a checkpoint cannot be taken back. */
static gs_status check_steps(const cli_job *job, gs_error *error) {
    size_t steps = job->config->steps;
    if (steps > 0 && steps < job->step)
        return gs_fail(error, GS_ERR_USAGE,
                       "--steps: expected 0, or at least the %llu that are behind '%s', got '%zu'",
                       (unsigned long long)job->step, gs_safetensors_path(job->saved), steps);
    if (job->is_checkpoint && steps > 0)
        return check_seed(job, error);
    return GS_OK;
}

static gs_status check_files(const cli_job *job, gs_error *error) {
    const gs_config *config = job->config;
    const char *output = job->path ? job->path : "/dev/stdout";
    if (cli_same_file(output, config->data))
        return cli_refuse_same_file("output", output, "data", error);
    if (cli_same_file(output, config->test_data))
        return cli_refuse_same_file("output", output, "test-data", error);
    if (job->saved && cli_same_file(output, gs_safetensors_path(job->saved)))
        return cli_refuse_same_file("output", output, "load", error);
    return GS_OK;
}

/* What --epochs comes to. */
static gs_status count_steps(cli_job *job, gs_error *error) {
    gs_config *config = job->config;
    gs_status status = gs_data_check_batch(&job->data, config->batch, error);
    size_t in_epoch = job->data.examples / config->batch;
    double most = gs_option_find(&gs_config_options, "steps")->maximum;
    if (status == GS_OK && (!gs_size_multiply(config->epochs, in_epoch, &config->steps) ||
                            (double)config->steps > most))
        return gs_fail(error, GS_ERR_USAGE, "--epochs: expected fewer, got '%zu'", config->epochs);
    if (status == GS_OK)
        config->epochs = 0;
    return status;
}

gs_status cli_job_load_data(const gs_config *config, gs_data *data, gs_data *held_out,
                            gs_error *error) {
    bool shuffle = config->shuffle.index == GS_SHUFFLE_ON;
    gs_status status = gs_data_load(config->data, data, error);
    if (status == GS_OK && config->test_data)
        status = gs_data_load_test(config->test_data, data, config->data, config->outputs, held_out,
                                   error);
    else if (status == GS_OK)
        status = gs_data_split(data, config->test_share, shuffle, config->seed, held_out, error);
    if (status == GS_OK)
        gs_data_scale(data, held_out, config->data_scale.index);
    return status;
}

/* An option that contradicts another may be one that the saved file brought. */
static gs_status resolve(cli_job *job, gs_error *error) {
    gs_error why;
    gs_status status = gs_config_resolve(job->config, job->data.features, job->data.classes, &why);
    if (status != GS_OK && job->saved)
        return gs_fail(error, status, "%s (of the options and '%s')", why.message,
                       gs_safetensors_path(job->saved));
    return status == GS_OK ? status : gs_fail(error, status, "%s", why.message);
}

gs_status cli_job_load(cli_job *job, const char *saved, gs_error *error) {
    gs_status status = saved ? open_saved(job, saved, error) : GS_OK;
    if (status == GS_OK)
        status = check_command(job, error);
    if (status == GS_OK)
        status = check_files(job, error);
    if (status == GS_OK && job->config->data && job->data.examples == 0)
        status = cli_job_load_data(job->config, &job->data, &job->held_out, error);
    if (status == GS_OK && job->config->data && job->config->steps == 0 && job->config->epochs > 0)
        status = count_steps(job, error);
    if (status == GS_OK)
        status = check_steps(job, error);
    return status == GS_OK ? resolve(job, error) : status;
}

/* ---- Networks ---- */

/* Examples from the data, those of the step that a checkpoint is of: input [batch, features] and
   labels [batch], for gs_free. */
static gs_status draw_examples(const cli_job *job, const gs_config *config, double **input,
                               size_t **labels, gs_error *error) {
    gs_status status = gs_data_make_room(config->batch, job->data.features, input, labels, error);
    if (status == GS_OK)
        status = gs_data_batch(&job->data, config->seed, config->shuffle.index == GS_SHUFFLE_ON,
                               config->batch, job->step, *input, *labels, error);
    return status;
}

static gs_status set_batch(const cli_job *job, const gs_config *config, gs_network *network,
                           gs_error *error) {
    double *input;
    size_t *labels;
    gs_status status = draw_examples(job, config, &input, &labels, error);
    if (status == GS_OK)
        status = gs_network_set_batch(network, input, NULL, labels, error);
    gs_free(input);
    gs_free(labels);
    return status;
}

/* Means over eighths of the sorted examples; where there are fewer, they are taken again. */
static void group(size_t batch, double *squares, gs_input_moments *moments) {
    gs_sort(squares, batch);
    for (size_t g = 0; g < GS_INPUT_GROUPS; g++) {
        size_t first = g * batch / GS_INPUT_GROUPS, end = (g + 1) * batch / GS_INPUT_GROUPS;
        end += end == first;
        double sum = 0;
        for (size_t b = first; b < end; b++)
            sum += squares[b];
        moments->squares[g] = sum / (double)(end - first);
    }
}

/* The sum over pairs a != b of x_a x_b is (sum x)^2 - sum x^2. `squares` is room for [batch]. */
static void take_moments(const double *input, size_t batch, size_t features, double *squares,
                         gs_input_moments *moments) {
    double sum = 0, total = 0, squared_sums = 0;
    memset(squares, 0, batch * sizeof *squares);
    for (size_t f = 0; f < features; f++) {
        double of_feature = 0;
        for (size_t b = 0; b < batch; b++) {
            double x = input[b * features + f];
            of_feature += x;
            squares[b] += x * x / (double)features;
            total += x * x;
        }
        sum += of_feature;
        squared_sums += of_feature * of_feature;
    }
    double count = (double)batch * (double)features, pairs = count * ((double)batch - 1);
    moments->mean = sum / count;
    moments->product = batch > 1 ? (squared_sums - total) / pairs : 0;
    group(batch, squares, moments);
}

gs_status cli_job_moments(const cli_job *job, const gs_config *config, gs_input_moments *moments,
                          gs_error *error) {
    double *input;
    size_t *labels;
    if (job->data.examples == 0)
        return GS_OK;
    gs_status status = draw_examples(job, config, &input, &labels, error);
    double *squares = status == GS_OK ? gs_alloc(config->batch, sizeof *squares, error) : NULL;
    if (squares)
        take_moments(input, config->batch, job->data.features, squares, moments);
    else if (status == GS_OK)
        status = GS_ERR_MEMORY;
    gs_free(squares);
    gs_free(input);
    gs_free(labels);
    return status;
}

gs_network *cli_job_network(const cli_job *job, const gs_config *config, gs_error *error) {
    gs_network *network = gs_network_new_cached(config, job->weights, error);
    if (!network)
        return NULL;
    gs_status status = job->data.examples > 0 ? set_batch(job, config, network, error)
                                              : gs_network_draw_batch(network, error);
    if (status == GS_OK && job->saved)
        status = gs_network_load(network, job->saved, error);
    if (status == GS_OK)
        return network;
    gs_network_free(network);
    return NULL;
}

/* ---- The file of the results ---- */

gs_report_format cli_job_format(const cli_job *job) {
    static const struct {
        const char *ending;
        gs_report_format format;
    } endings[] = {{".csv", GS_FORMAT_CSV}, {".tsv", GS_FORMAT_TSV}, {".jsonl", GS_FORMAT_JSONL}};
    const char *dot = job->output.output ? strrchr(job->output.output, '.') : NULL;
    if (job->output.format.index != GS_CHOICE_AUTO)
        return (gs_report_format)job->output.format.index;
    for (size_t i = 0; dot && i < sizeof endings / sizeof endings[0]; i++)
        if (strcmp(dot, endings[i].ending) == 0)
            return endings[i].format;
    return GS_FORMAT_TABLE;
}

gs_status cli_job_open(cli_job *job, const char *mode, gs_report_style *style, gs_error *error) {
    job->file = job->path ? fopen(job->path, mode) : stdout;
    if (!job->file)
        return cli_job_fail(job, error);
    *style = (gs_report_style){cli_job_format(job), !job->output.no_header,
                               cli_use_color(job->output.color, job->file), job->output.quiet};
    return GS_OK;
}

void cli_job_hold_interrupts(const cli_job *job) {
    struct stat info;
    cli_hold_interrupts(fstat(fileno(job->file), &info) == 0 && S_ISREG(info.st_mode));
}

gs_status cli_job_fail(const cli_job *job, gs_error *error) {
    return cli_fail_to_write(job->path, strerror(errno), error);
}

int cli_job_end(cli_job *job, gs_status status, const gs_error *error, int done) {
    gs_error late;
    gs_status closed = GS_OK;
    if (job->file && gs_file_finish(job->file, &late) != GS_OK)
        closed = cli_job_fail(job, &late);
    if (job->file && job->file != stdout && fclose(job->file) != 0 && closed == GS_OK)
        closed = cli_job_fail(job, &late);
    release(job);
    if (status != GS_OK)
        return cli_fail(error);
    return closed == GS_OK ? done : cli_fail(&late);
}
