/*
 * gradsim sweep: lists of options -> grid -> points -> networks side by side -> rows in order.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/machine.h"
#include "base/memory.h"
#include "cli/sweep.h"

/* clang-format off */
static const gs_option option_rows[] = {
    {"zip", GS_OPTION_TEXT, offsetof(sweep_options, zip), "OPT,OPT", NULL,
     "options whose lists walk together; may come again for others", .group = "Sweep",
     .joined = ';'},
    {"where", GS_OPTION_TEXT, offsetof(sweep_options, where), "EXPR", NULL,
     "leave out all other points: 'layers>=64 || act==relu'", .letter = 0},
    {"summary", GS_OPTION_FLAG, offsetof(sweep_options, summary), NULL, NULL,
     "one row a point instead of one a layer a network", .letter = 0},
    {"dry-run", GS_OPTION_FLAG, offsetof(sweep_options, dry_run), NULL, NULL,
     "list the points and what they cost, and run none", .letter = 0},
    {"jobs", GS_OPTION_SIZE, offsetof(sweep_options, jobs), "N", "auto",
     "networks side by side, by default one a processor; the results do not depend on it",
     .minimum = 1, .maximum = 4096, .automatic = "auto"},
    {"shard", GS_OPTION_TEXT, offsetof(sweep_options, shard), "I/N", NULL,
     "run points I, I + N, I + 2 N, ... alone; gradsim merge joins them", .letter = 0},
    {"resume", GS_OPTION_FLAG, offsetof(sweep_options, resume), NULL, NULL,
     "keep the whole points that FILE has already, and run the others", .letter = 0},
    {"fail-on", GS_OPTION_CHOICE, offsetof(sweep_options, fail_on), "VERDICT", "never",
     "exit with status 3 on this verdict", .family = &cli_fail_on},
    {"progress", GS_OPTION_CHOICE, offsetof(sweep_options, progress), "HOW", "auto",
     "how it shows where it is, on standard error", .family = &cli_progress_modes},
};
/* clang-format on */

const gs_option_table cli_sweep_options = {option_rows, sizeof option_rows / sizeof option_rows[0]};

/* ---- What is to be done ---- */

/* "I/N" */
static gs_status choose_shard(sweep *s, gs_error *error) {
    const char *text = s->options.shard;
    const char *slash = text ? strchr(text, '/') : NULL;
    char digits[32];
    uint64_t points = cli_grid_points(s->grid);
    s->first = s->stride = 1;
    if (slash)
        gs_format(digits, sizeof digits, "%.*s", (int)(slash - text), text);
    if (text && !(slash && slash - text < (ptrdiff_t)sizeof digits &&
                  gs_parse_size(digits, &s->first) == GS_TEXT_OK &&
                  gs_parse_size(slash + 1, &s->stride) == GS_TEXT_OK && s->first >= 1 &&
                  s->first <= s->stride))
        return gs_fail(error, GS_ERR_USAGE, "--shard: expected I/N with I from 1 to N, got '%.80s'",
                       text);
    s->count = points < s->first ? 0 : (points - s->first) / s->stride + 1;
    return GS_OK;
}

static const gs_option *option(const char *name) {
    return gs_option_find(&gs_config_options, name);
}

/* Files that are not there are found before anything is written. */
static gs_status check_files(const sweep *s, gs_error *error) {
    static const char *const of_files[] = {"data", "test-data"};
    const char *output = s->job.path ? s->job.path : "/dev/stdout";
    for (size_t i = 0; i < sizeof of_files / sizeof *of_files; i++)
        for (size_t v = 0; v < cli_grid_values(s->grid, option(of_files[i])); v++) {
            const char *path = cli_grid_value(s->grid, option(of_files[i]), v);
            if (!*path)
                continue;
            if (cli_same_file(output, path))
                return cli_refuse_same_file("output", output, of_files[i], error);
            if (access(path, R_OK) != 0)
                return gs_fail(error, GS_ERR_IO, "cannot open '%s': %s", path, strerror(errno));
        }
    return GS_OK;
}

/* What all points have alike. */
static gs_status share_machine(sweep *s, gs_error *error) {
    gs_config *config = cli_grid_config(s->grid, 1, error);
    if (!config)
        return GS_ERR_MEMORY;
    size_t available = gs_memory_available();
    s->seeds = config->seeds;
    s->threads = config->threads;
    s->memory = config->memory > 0      ? config->memory
                : available == SIZE_MAX ? available
                                        : available / 2;
    s->processors = gs_cpus_available();
    size_t threads = s->threads > 0 ? s->threads : 1;
    s->jobs = s->processors > threads ? s->processors / threads : 1;
    if (s->options.jobs > 0)
        s->jobs = s->options.jobs;
    gs_config_free(config);
    return GS_OK;
}

static gs_status refuse_contradictions(const sweep *s, gs_error *error) {
    gs_report_format format = cli_job_format(&s->job);
    if (s->options.resume && (!s->job.path || format == GS_FORMAT_TABLE))
        return gs_fail(error, GS_ERR_USAGE,
                       "--resume: expected -o with a file of csv, tsv or jsonl to go on with");
    struct stat info;
    if (s->options.resume && stat(s->job.path, &info) == 0 && !S_ISREG(info.st_mode))
        return gs_fail(error, GS_ERR_USAGE, "--resume: expected a file to go on with, got '%s'",
                       s->job.path);
    if (s->options.resume && s->options.dry_run)
        return gs_fail(error, GS_ERR_USAGE, "--resume: expected none with --dry-run");
    return GS_OK;
}

static gs_status plan(sweep *s, gs_error *error) {
    s->grid = cli_grid_new(&s->lists, s->options.zip, s->options.where, error);
    gs_status status = s->grid ? GS_OK : error->code;
    if (status == GS_OK)
        status = choose_shard(s, error);
    if (status == GS_OK)
        status = check_files(s, error);
    if (status == GS_OK)
        status = refuse_contradictions(s, error);
    if (status == GS_OK)
        status = share_machine(s, error);
    return status == GS_OK ? sweep_share(s, error) : status;
}

/* ---- The command ---- */

static gs_status open_results(sweep *s, gs_error *error) {
    gs_status status = s->options.resume && access(s->job.path, F_OK) == 0
                           ? sweep_resume(s, error)
                           : cli_job_open(&s->job, "w", &s->style, error);
    if (status != GS_OK)
        return status;
    if (s->style.format == GS_FORMAT_TABLE)
        return (s->table = sweep_table_new(s, error)) ? GS_OK : GS_ERR_MEMORY;
    if (s->options.summary)
        return (s->sheet = gs_outcome_sheet_new(s->job.file, s->style, error)) ? GS_OK
                                                                               : GS_ERR_MEMORY;
    return GS_OK;
}

static gs_status run_points(sweep *s, gs_error *error) {
    gs_status status = open_results(s, error);
    if (status == GS_OK)
        status = sweep_run(s, error);
    if (s->table)
        sweep_table_finish(s->table);
    sweep_table_free(s->table);
    gs_sheet_free(s->sheet);
    return status;
}

/* Options that contradict each other are a result, unless there is no other; what else befell a
   network might not elsewhere. */
static gs_status report_failures(const sweep *s, gs_error *error) {
    unsigned long long networks = (s->count - s->behind) * s->seeds, failed = s->failed;
    if (failed == 0 || s->interrupted)
        return GS_OK;
    gs_status status =
        gs_fail(error, GS_ERR_MEMORY, "%llu of %llu networks failed, the first at point %llu: %s",
                failed, networks, (unsigned long long)s->failed_point, s->failure.message);
    if (s->contradictions < failed || failed == networks)
        return status;
    fflush(s->job.file);
    fprintf(stderr, "gradsim: %s\n", error->message);
    return GS_OK;
}

int cmd_sweep(char **arguments) {
    sweep s = {0};
    gs_error error;
    int exit_status;
    const cli_target own = {&cli_sweep_options, &s.options};
    if (cli_lists_new(&s.lists, &error) != GS_OK)
        return cli_fail(&error);
    if (!cli_job_begin_lists(&s.job, "sweep", arguments, own, &s.lists, &exit_status)) {
        cli_lists_free(&s.lists);
        return exit_status;
    }
    gs_status status = plan(&s, &error);
    if (status == GS_OK)
        status = (s.options.dry_run ? sweep_list : run_points)(&s, &error);
    if (status == GS_OK)
        status = report_failures(&s, &error);
    sweep_free_shares(&s);
    cli_grid_free(s.grid);
    cli_lists_free(&s.lists);
    exit_status = cli_job_end(&s.job, status, &error, s.condition ? CLI_CONDITION : CLI_DONE);
    return s.interrupted && status == GS_OK ? cli_die_of(s.interrupted) : exit_status;
}
