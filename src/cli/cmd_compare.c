/*
 * gradsim compare: the given network, then the same with each known remedy, over all seeds; ranked
 * by how near to 1 the gradient's way from the output to the input leaves its size.
 */
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "cli/job.h"
#include "cli/progress.h"
#include "cli/remedies.h"
#include "flow/measure.h"
#include "report/outcome.h"
#include "report/table.h"

typedef struct {
    const cli_remedy *remedy;
    gs_outcome seeds;
} outcome;

typedef struct {
    cli_job job;
    cli_remedies remedies;
    outcome *outcomes; /* [remedies.count]: in the order of the remedies, then by rank */
} comparison;

/* ---- Measuring ---- */

static gs_status measure_network(const cli_job *job, const gs_config *config, outcome *o,
                                 gs_error *error) {
    gs_summary summary;
    gs_network *network = cli_job_network(job, config, error);
    gs_layer_stats *rows =
        network ? gs_alloc(gs_network_layers(network), sizeof *rows, error) : NULL;
    gs_status status = network && rows ? GS_OK : error->code;
    if (status == GS_OK)
        status = gs_measure_columns(network, 0, rows, &summary, error);
    if (status == GS_OK)
        gs_outcome_add(&o->seeds, &summary, NULL);
    gs_free(rows);
    gs_network_free(network);
    return status;
}

static gs_status measure(comparison *c, gs_error *error) {
    size_t seeds = c->job.config->seeds, of = c->remedies.count * seeds;
    gs_status status = GS_OK;
    cli_progress progress;
    cli_progress_begin(&progress, CLI_PROGRESS_AUTO, 0, of, "network");
    for (size_t i = 0; i < c->remedies.count; i++) {
        gs_config *config = c->remedies.rows[i].config;
        outcome *o = &c->outcomes[i];
        o->remedy = &c->remedies.rows[i];
        for (size_t s = 0; s < seeds && status == GS_OK; s++) {
            if (cli_progress_is_due(&progress, i * seeds + s))
                cli_progress_show(&progress, i * seeds + s, NULL, NULL, 0);
            status = measure_network(&c->job, config, o, error);
            config->seed++;
        }
    }
    cli_progress_clear(&progress);
    return status;
}

/* ---- Ranking ---- */

static double ratio_of(const outcome *o) {
    return gs_outcome_ratio(&o->seeds);
}

static double distance_of(const outcome *o) {
    double ratio = ratio_of(o);
    return isnan(ratio) ? INFINITY : fabs(ratio);
}

static int grade_of(const outcome *o) {
    static const int grades[GS_VERDICTS] = {
        [GS_HEALTHY] = 0, [GS_VANISHING] = 1, [GS_EXPLODING] = 1, [GS_NONFINITE] = 2};
    return grades[o->seeds.verdict];
}

/* By verdict, then by distance; of equals what the table of remedies has first. */
static int compare_outcomes(const void *left, const void *right) {
    const outcome *a = left, *b = right;
    if (grade_of(a) != grade_of(b))
        return grade_of(a) < grade_of(b) ? -1 : 1;
    if (distance_of(a) != distance_of(b))
        return distance_of(a) < distance_of(b) ? -1 : 1;
    return a->remedy < b->remedy ? -1 : 1;
}

static const outcome *find_given(const comparison *c) {
    const outcome *o = c->outcomes;
    while (o->remedy != c->remedies.rows)
        o++;
    return o;
}

/* Gradients that are unrelated at the output already cannot be shattered, but they mend no network
   that is: the share that a verdict asks for must be left of what was there. */
static bool is_mended(const outcome *o, const outcome *given) {
    double needed = gs_shattered_share * gs_sample_mean(&given->seeds.corr_output);
    return o->seeds.verdict == GS_HEALTHY && !gs_outcome_is_shattered(&o->seeds) &&
           (!gs_outcome_is_shattered(&given->seeds) ||
            gs_sample_mean(&o->seeds.corr_input) >= needed);
}

/* The best of those that change the fewest options, or NULL. */
static const outcome *find_least_change(const comparison *c, const outcome *given) {
    const outcome *least = NULL;
    for (const outcome *o = c->outcomes; o < c->outcomes + c->remedies.count; o++)
        if (is_mended(o, given) && (!least || o->remedy->changes < least->remedy->changes))
            least = o;
    return least;
}

static const outcome *find_best_mix(const comparison *c, const outcome *given) {
    for (const outcome *o = c->outcomes; o < c->outcomes + c->remedies.count; o++)
        if (is_mended(o, given) && o->remedy->mix)
            return o;
    return NULL;
}

/* ---- For programs ---- */

enum {
    RANK,
    REMEDY,
    SOURCE,
    CHANGES,
    NETWORKS,
    LEFT_OUT,
    RATIO,
    RATIO_STD,
    DECADES,
    CORR_OUTPUT,
    CORR_INPUT,
    VERDICT,
    HEALTHY,
    SHATTERED,
    COMMAND,
    COLUMNS
};

static const char *const column_names[COLUMNS] = {
    [RANK] = "rank",
    [REMEDY] = "remedy",
    [SOURCE] = "source",
    [CHANGES] = "changes",
    [NETWORKS] = "networks",
    [LEFT_OUT] = "left_out",
    [RATIO] = "ratio_log10_mean",
    [RATIO_STD] = "ratio_log10_std",
    [DECADES] = "decades_per_layer",
    [CORR_OUTPUT] = "grad_corr_output",
    [CORR_INPUT] = "grad_corr_input",
    [VERDICT] = "verdict",
    [HEALTHY] = "healthy",
    [SHATTERED] = "shattered",
    [COMMAND] = "command",
};

static gs_cell known(double value) {
    return isnan(value) ? gs_cell_absent() : gs_cell_real(value);
}

static void fill_row(gs_cell *cell, const outcome *o, size_t rank, const char *command) {
    const cli_remedy *remedy = o->remedy;
    cell[RANK] = gs_cell_whole(rank);
    cell[REMEDY] = gs_cell_text(remedy->name);
    cell[SOURCE] = remedy->source ? gs_cell_text(remedy->source) : gs_cell_absent();
    cell[CHANGES] = gs_cell_whole(remedy->changes);
    cell[NETWORKS] = gs_cell_whole(o->seeds.networks);
    cell[LEFT_OUT] = gs_cell_whole(o->seeds.networks - o->seeds.ratio.count);
    cell[RATIO] = gs_cell_real(ratio_of(o));
    cell[RATIO_STD] = known(gs_sample_std(&o->seeds.ratio));
    cell[DECADES] = gs_cell_real(ratio_of(o) / (double)remedy->config->layers);
    cell[CORR_OUTPUT] = known(gs_sample_mean(&o->seeds.corr_output));
    cell[CORR_INPUT] = known(gs_sample_mean(&o->seeds.corr_input));
    cell[VERDICT] = gs_cell_text(gs_verdict_name(o->seeds.verdict));
    cell[HEALTHY] = gs_cell_whole(o->seeds.verdicts[GS_HEALTHY]);
    cell[SHATTERED] = gs_cell_whole(o->seeds.shattered);
    cell[COMMAND] = gs_cell_text(command);
}

static gs_status write_row(const comparison *c, size_t index, gs_sheet *sheet, gs_error *error) {
    const outcome *o = &c->outcomes[index];
    char *command = NULL;
    size_t length;
    FILE *memory = open_memstream(&command, &length);
    if (memory)
        cli_remedy_write_command(memory, &c->remedies, o->remedy, 0);
    bool written = memory && fclose(memory) == 0;
    gs_status status = written ? gs_sheet_set_config(sheet, o->remedy->config, error)
                               : gs_fail(error, GS_ERR_MEMORY, "no memory for a command");
    if (status == GS_OK) {
        fill_row(gs_sheet_cells(sheet), o, index + 1, command);
        gs_sheet_write(sheet);
    }
    free(command);
    return status;
}

static gs_status write_sheet(const comparison *c, gs_report_style style, gs_error *error) {
    gs_sheet *sheet = gs_sheet_new(c->job.file, style, column_names, COLUMNS, error);
    gs_status status = sheet ? GS_OK : GS_ERR_MEMORY;
    for (size_t i = 0; i < c->remedies.count && status == GS_OK; i++)
        status = write_row(c, i, sheet, error);
    gs_sheet_free(sheet);
    return status;
}

/* ---- For people: the table ---- */

static void format_name(char *text, size_t size, const cli_remedy *remedy) {
    const char *source = remedy->source;
    gs_format(text, size, "%s%s%s%s", remedy->name, source ? " (" : "", source ? source : "",
              source ? ")" : "");
}

static void write_line(FILE *out, const comparison *c, size_t index, bool color) {
    const outcome *o = &c->outcomes[index];
    double a_layer = ratio_of(o) / (double)o->remedy->config->layers;
    char name[64], decades[32] = "-";
    format_name(name, sizeof name, o->remedy);
    if (!isnan(a_layer))
        gs_format(decades, sizeof decades, "%.4f", fabs(a_layer) < 0.00005 ? 0 : a_layer);
    fprintf(out, "%4zu %c%-33s", index + 1, o->remedy == c->remedies.rows ? '>' : ' ', name);
    gs_put_log(out, 8, ratio_of(o));
    if (o->seeds.networks > 1)
        gs_put_log(out, 5, gs_sample_std(&o->seeds.ratio));
    fprintf(out, " %8s", decades);
    gs_put_log(out, 5, gs_sample_mean(&o->seeds.corr_input));
    fputs("  ", out);
    gs_alarm_begin(out, color, o->seeds.verdict != GS_HEALTHY);
    fputs(gs_outcome_name(&o->seeds), out);
    gs_alarm_end(out, color, o->seeds.verdict != GS_HEALTHY);
    putc('\n', out);
}

static void write_head(FILE *out, const gs_config *given) {
    if (given->seeds > 1)
        fprintf(out, "seeds %llu to %llu: mean, and standard deviation (std)\n\n",
                (unsigned long long)given->seed,
                (unsigned long long)(given->seed + given->seeds - 1));
    fprintf(out, "rank  %-33s %8s%s %8s %5s  verdict\n", "network", "log10",
            given->seeds > 1 ? "   std" : "", "a layer", "corr");
}

static void write_legend(FILE *out) {
    fputs("\nlog10      of the gradient at the input over that at the output\n"
          "corr       of two examples' gradients at the input, the mean cosine\n"
          "shattered  healthy in size, but two examples' gradients that agree at the\n"
          "           output do not at the input\n"
          "clipping   acts on dL/dW, for the step: what reaches a layer stays as it is\n"
          "ReZero     begins with branches of 0: nothing is changed where there is a skip\n",
          out);
}

static void write_commands(FILE *out, const comparison *c) {
    fputs("\nrank  command\n", out);
    for (size_t i = 0; i < c->remedies.count; i++) {
        fprintf(out, "%4zu  ", i + 1);
        cli_remedy_write_command(out, &c->remedies, c->outcomes[i].remedy, 6);
        putc('\n', out);
    }
    putc('\n', out);
}

/* ---- For people: what mends it ---- */

static void format_ratio(char out[48], const outcome *o) {
    char text[32];
    gs_format_log(text, ratio_of(o));
    gs_format(out, 48, isfinite(ratio_of(o)) ? "10^%s" : "%s",
              ratio_of(o) == -INFINITY ? "0" : text);
}

static void write_candidate(FILE *out, const comparison *c, const char *label, const outcome *o) {
    char name[64], ratio[48];
    format_name(name, sizeof name, o->remedy);
    format_ratio(ratio, o);
    fprintf(out, "%-11s%s: %s, %s\n%11s", label, name, gs_outcome_name(&o->seeds), ratio, "");
    cli_remedy_write_command(out, &c->remedies, o->remedy, 11);
    putc('\n', out);
}

static const char *describe_state(const outcome *o) {
    if (gs_outcome_is_shattered(&o->seeds))
        return "healthy in size, but shattered";
    return o->seeds.verdict == GS_HEALTHY ? "healthy as it is" : gs_verdict_name(o->seeds.verdict);
}

static void write_result(FILE *out, const comparison *c) {
    const outcome *given = find_given(c);
    const outcome *least = find_least_change(c, given), *mix = find_best_mix(c, given);
    char ratio[48];
    format_ratio(ratio, given);
    fprintf(out, "result     this network is %s: %s, rank %zu of %zu\n", describe_state(given),
            ratio, (size_t)(given - c->outcomes) + 1, c->remedies.count);
    if (least == given)
        return;
    if (least)
        write_candidate(out, c, "mended by", least);
    else
        fputs("           nothing here mends it\n", out);
    if (mix)
        write_candidate(out, c, "best mix", mix);
}

static gs_status write_text(const comparison *c, gs_report_style style, gs_error *error) {
    FILE *out = c->job.file;
    const gs_config *given = c->job.config;
    gs_status status = GS_OK;
    if (!style.quiet)
        status = given->seeds > 1 ? gs_network_title_write(out, given, error)
                                  : gs_title_write(out, given, given->seed, 0, error);
    if (status != GS_OK)
        return status;
    if (!style.quiet) {
        write_head(out, given);
        for (size_t i = 0; i < c->remedies.count; i++)
            write_line(out, c, i, style.color);
        write_legend(out);
        write_commands(out, c);
    }
    write_result(out, c);
    return GS_OK;
}

/* ---- The command ---- */

static gs_status compare(comparison *c, const gs_config *given, gs_error *error) {
    gs_report_style style;
    gs_status status = cli_remedies_new(given, &c->job.data, &c->remedies, error);
    if (status == GS_OK) {
        c->outcomes = gs_alloc(c->remedies.count, sizeof *c->outcomes, error);
        status = c->outcomes ? measure(c, error) : GS_ERR_MEMORY;
    }
    if (status == GS_OK) {
        qsort(c->outcomes, c->remedies.count, sizeof *c->outcomes, compare_outcomes);
        status = cli_job_open(&c->job, "w", &style, error);
    }
    if (status == GS_OK)
        status = (style.format == GS_FORMAT_TABLE ? write_text : write_sheet)(c, style, error);
    gs_free(c->outcomes);
    cli_remedies_free(&c->remedies);
    return status;
}

int cmd_compare(char **arguments) {
    comparison c = {0};
    gs_error error;
    int exit_status;
    if (!cli_job_begin(&c.job, "compare", arguments, (cli_target){NULL, NULL}, &exit_status))
        return exit_status;
    gs_config *given = gs_config_copy(c.job.config, &error); /* as typed, for the commands */
    gs_status status = given ? cli_job_load(&c.job, NULL, &error) : GS_ERR_MEMORY;
    if (status == GS_OK)
        status = compare(&c, given, &error);
    gs_config_free(given);
    return cli_job_end(&c.job, status, &error, CLI_DONE);
}
