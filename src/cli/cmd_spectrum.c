/*
 * gradsim spectrum: for every seed the singular values of dx_L/dx_0 for one example, and how near
 * that is to dynamical isometry.
 */
#include <math.h>
#include <stddef.h>

#include "base/error.h"
#include "base/memory.h"
#include "cli/job.h"
#include "flow/jacobian.h"

typedef struct {
    size_t example;
    char *load;
} spectrum_options;

/* clang-format off */
static const gs_option option_rows[] = {
    {"example", GS_OPTION_SIZE, offsetof(spectrum_options, example), "N", "1",
     "whose Jacobian: one of the batch; see gradsim help spectrum",
     .group = "Spectrum", .minimum = 1, .maximum = 1e7},
    {"load", GS_OPTION_TEXT, offsetof(spectrum_options, load), "FILE", NULL,
     "a saved network: one of --save, or any plain MLP (safetensors)", .letter = 0},
};
/* clang-format on */

const gs_option_table cli_spectrum_options = {option_rows,
                                              sizeof option_rows / sizeof option_rows[0]};

typedef struct {
    cli_job job; /* the seed of its configuration is that of the network at hand */
    spectrum_options options;
    gs_report_style style;
    gs_sheet *sheet; /* NULL for a table */
    size_t index;    /* 1, 2, ... over the seeds */
    double *values, *values_log10;
    gs_spectrum spectrum;
} run;

/* ---- For programs ---- */

enum { RUN, SEED, EXAMPLE, INDEX, VALUE, VALUE_LOG10, COLUMNS };

static const char *const column_names[COLUMNS] = {
    [RUN] = "run",
    [SEED] = "seed",
    [EXAMPLE] = "example",
    [INDEX] = "index",
    [VALUE] = "singular_value",
    [VALUE_LOG10] = "singular_value_log10",
};

static gs_status write_rows(run *r, gs_error *error) {
    if (gs_sheet_set_config(r->sheet, r->job.config, error) != GS_OK)
        return GS_ERR_MEMORY;
    gs_cell *cell = gs_sheet_cells(r->sheet);
    cell[RUN] = gs_cell_whole(r->index);
    cell[SEED] = gs_cell_whole(r->job.config->seed);
    cell[EXAMPLE] = gs_cell_whole(r->options.example);
    for (size_t i = 0; i < r->spectrum.count; i++) {
        cell[INDEX] = gs_cell_whole(i + 1);
        cell[VALUE] = gs_cell_real(r->values[i]);
        cell[VALUE_LOG10] = gs_cell_real(r->values_log10[i]);
        gs_sheet_write(r->sheet);
    }
    return GS_OK;
}

/* ---- For people ---- */

enum { BAR_WIDTH = 50, MOST_BINS = 12 };

static void put_number(FILE *out, const char *name, double log, const double *plain) {
    char text[32];
    gs_format(text, sizeof text, "%.4f", fabs(log) < 0.00005 ? 0 : log);
    fprintf(out, "%-11s %12s", name, text);
    if (plain) {
        gs_format(text, sizeof text, "%.6g", *plain);
        fprintf(out, "  %12s", text);
    }
    putc('\n', out);
}

static void write_numbers(const run *r, FILE *out) {
    const gs_spectrum *s = &r->spectrum;
    fprintf(out, "%-11s %12s  %12s\n", "", "log10", "plain");
    put_number(out, "largest", r->values_log10[0], &r->values[0]);
    put_number(out, "median", s->median_log10, NULL);
    put_number(out, "smallest", r->values_log10[s->count - 1], &r->values[s->count - 1]);
    put_number(out, "mean square", s->mean_square_log10, NULL);
    put_number(out, "condition", s->condition_log10, NULL);
}

/* 1, 2 or 5 times a power of ten: so wide that a few bins hold all logarithms. */
static double bin_width(double range) {
    static const double steps[] = {2, 2.5, 2};
    double width = 0.1;
    for (size_t i = 0; range / width > MOST_BINS - 1; i = (i + 1) % 3)
        width *= steps[i];
    return width;
}

/* A line for every bin, named by its middle, the largest first. */
static void write_bins(const run *r, FILE *out) {
    const double *log = r->values_log10;
    size_t rank = r->spectrum.rank, counts[MOST_BINS + 1] = {0}, most = 1;
    double width = bin_width(log[0] - log[rank - 1]), top = floor(log[0] / width + 0.5);
    for (size_t i = 0; i < rank; i++) {
        size_t *count = &counts[(size_t)(top - floor(log[i] / width + 0.5))];
        *count += 1;
        most = *count > most ? *count : most;
    }
    fprintf(out, "\n%-11s %12s\n", "log10 about", "values");
    for (size_t i = 0; i <= (size_t)(top - floor(log[rank - 1] / width + 0.5)); i++) {
        char name[32];
        gs_format(name, sizeof name, "%.10g", (top - (double)i) * width);
        fprintf(out, "%11s %12zu%s", name, counts[i], counts[i] > 0 ? "  " : "");
        size_t length = (counts[i] * BAR_WIDTH + most - 1) / most;
        while (length-- > 0)
            putc('#', out);
        putc('\n', out);
    }
}

/* How many values lie within a factor of 2 of 10^centre. */
static size_t count_near(const run *r, double centre) {
    static const double log10_of_2 = 0.30102999566398119521;
    size_t count = 0;
    for (size_t i = 0; i < r->spectrum.count; i++)
        count += fabs(r->values_log10[i] - centre) <= log10_of_2;
    return count;
}

static void write_verdict(const run *r, FILE *out) {
    const double *log = r->values_log10;
    size_t count = r->spectrum.count, near = count_near(r, 0);
    double middle = (log[0] + log[count - 1]) / 2;
    fputs("\ndynamical isometry: ", out);
    if (near == count)
        fputs("yes, all are within a factor of 2 of 1\n", out);
    else if (count_near(r, middle) == count)
        fprintf(out, "up to scale, all are within a factor of 2 of 10^%.4f\n", middle);
    else
        fprintf(out, "no, %zu of %zu are within a factor of 2 of 1\n", near, count);
}

static gs_status write_table(const run *r, gs_error *error) {
    const gs_spectrum *s = &r->spectrum;
    const gs_config *config = r->job.config;
    FILE *out = r->job.file;
    if (r->index > 1)
        putc('\n', out);
    if (!r->style.quiet && gs_title_write(out, config, config->seed, 0, error) != GS_OK)
        return GS_ERR_MEMORY;
    if (r->style.quiet && config->seeds > 1)
        fprintf(out, "seed       %llu\n", (unsigned long long)config->seed);
    fprintf(out, "%zu singular value%s of dx_%zu/dx_0, example %zu", s->count,
            s->count == 1 ? "" : "s", config->layers, r->options.example);
    if (s->rank < s->count && s->nonfinite_layer == 0)
        fprintf(out, "; %zu %s exactly 0", s->count - s->rank,
                s->count - s->rank == 1 ? "is" : "are");
    fputs("\n\n", out);
    if (isnan(s->mean_square_log10)) {
        fprintf(out, "not finite, from layer %zu on\n", s->nonfinite_layer);
        return GS_OK;
    }
    write_numbers(r, out);
    if (s->rank > 0 && !r->style.quiet)
        write_bins(r, out);
    write_verdict(r, out);
    return GS_OK;
}

/* ---- The command ---- */

static gs_status open_output(run *r, gs_error *error) {
    gs_status status = cli_job_open(&r->job, "w", &r->style, error);
    if (status == GS_OK && r->style.format != GS_FORMAT_TABLE) {
        r->sheet = gs_sheet_new(r->job.file, r->style, column_names, COLUMNS, error);
        status = r->sheet ? GS_OK : GS_ERR_MEMORY;
    }
    return status;
}

static gs_status write_one(run *r, gs_error *error) {
    cli_job_hold_interrupts(&r->job);
    gs_status status = r->sheet ? write_rows(r, error) : write_table(r, error);
    if (status == GS_OK && gs_file_finish(r->job.file, error) != GS_OK)
        status = cli_job_fail(&r->job, error);
    cli_hold_interrupts(false);
    return status;
}

static gs_status measure(run *r, gs_network *network, gs_error *error) {
    size_t count = gs_network_spectrum_size(network);
    r->values = gs_alloc(count, sizeof *r->values, error);
    r->values_log10 = r->values ? gs_alloc(count, sizeof *r->values_log10, error) : NULL;
    gs_status status = GS_ERR_MEMORY;
    if (r->values_log10)
        status = gs_measure_spectrum(network, r->options.example - 1, r->values, r->values_log10,
                                     &r->spectrum, error);
    if (status == GS_OK && !r->job.file)
        status = open_output(r, error);
    if (status == GS_OK)
        status = write_one(r, error);
    gs_free(r->values);
    gs_free(r->values_log10);
    return status;
}

static gs_status run_seeds(run *r, gs_error *error) {
    gs_config *config = r->job.config;
    gs_status status = gs_spectrum_check(config, r->options.example - 1, error);
    for (r->index = 1; r->index <= config->seeds && status == GS_OK; r->index++) {
        gs_network *network = cli_job_network(&r->job, config, error);
        status = network ? measure(r, network, error) : error->code;
        gs_network_free(network);
        config->seed++;
    }
    return status;
}

int cmd_spectrum(char **arguments) {
    run r = {0};
    gs_error error;
    int exit_status;
    if (!cli_job_begin(&r.job, "spectrum", arguments,
                       (cli_target){&cli_spectrum_options, &r.options}, &exit_status))
        return exit_status;
    gs_status status = cli_job_load(&r.job, r.options.load, &error);
    if (status == GS_OK)
        status = run_seeds(&r, &error);
    gs_sheet_free(r.sheet);
    return cli_job_end(&r.job, status, &error, CLI_DONE);
}
