/*
 * gradsim theory: what mean-field theory predicts, layer by layer and as a whole, or with
 * --critical where the edge of chaos lies. No network is built.
 */
#include <math.h>
#include <stddef.h>

#include "base/error.h"
#include "base/memory.h"
#include "cli/job.h"
#include "net/init.h"
#include "theory/phase.h"

typedef struct {
    bool critical;
} theory_options;

/* clang-format off */
static const gs_option option_rows[] = {
    {"critical", GS_OPTION_FLAG, offsetof(theory_options, critical), NULL, NULL,
     "find the edge of chaos: sigma_w for the sigma_b of --bias, or sigma_b for the sigma_w of "
     "--init", .group = "Theory"},
};
/* clang-format on */

const gs_option_table cli_theory_options = {option_rows,
                                            sizeof option_rows / sizeof option_rows[0]};

/* ---- For programs ---- */

enum {
    LAYER,
    KIND,
    Q,
    CORRELATION,
    RATE,
    GRAD,
    RATIO,
    PHASE,
    FIXED_Q,
    FIXED_C,
    CHI,
    XI_Q,
    XI_C,
    XI_GRADIENT,
    COLUMNS
};

static const char *const column_names[COLUMNS] = {
    [LAYER] = "layer",
    [KIND] = "kind",
    [Q] = "q",
    [CORRELATION] = "correlation",
    [RATE] = "rate",
    [GRAD] = "theory_grad_log10",
    [RATIO] = "ratio_log10",
    [PHASE] = "phase",
    [FIXED_Q] = "q_star",
    [FIXED_C] = "c_star",
    [CHI] = "chi",
    [XI_Q] = "xi_q",
    [XI_C] = "xi_c",
    [XI_GRADIENT] = "xi_gradient",
};

static gs_cell known(double value) {
    return isnan(value) ? gs_cell_absent() : gs_cell_real(value);
}

static gs_status write_sheet(const cli_job *job, gs_report_style style, size_t count,
                             const gs_layer_theory *rows, const gs_theory *theory,
                             gs_error *error) {
    gs_sheet *sheet = gs_sheet_new(job->file, style, column_names, COLUMNS, error);
    gs_status status = sheet ? gs_sheet_set_config(sheet, job->config, error) : GS_ERR_MEMORY;
    for (size_t i = 0; status == GS_OK && i < count; i++) {
        gs_cell *cell = gs_sheet_cells(sheet);
        cell[LAYER] = gs_cell_whole(rows[i].layer);
        cell[KIND] = gs_cell_text(rows[i].kind == GS_KIND_HEAD ? "head" : "dense");
        cell[Q] = known(rows[i].q);
        cell[CORRELATION] = known(rows[i].correlation);
        cell[RATE] = known(rows[i].rate);
        cell[GRAD] = known(rows[i].grad_z_log10);
        cell[RATIO] = known(theory->ratio_log10);
        cell[PHASE] = theory->phase == GS_PHASE_NONE ? gs_cell_absent()
                                                     : gs_cell_text(gs_phase_name(theory->phase));
        cell[FIXED_Q] = known(theory->fixed_q);
        cell[FIXED_C] = known(theory->fixed_correlation);
        cell[CHI] = known(theory->chi);
        cell[XI_Q] = known(theory->depth_q);
        cell[XI_C] = known(theory->depth_correlation);
        cell[XI_GRADIENT] = known(theory->depth_gradient);
        gs_sheet_write(sheet);
    }
    gs_sheet_free(sheet);
    return status;
}

/* ---- For people ---- */

static void put(FILE *out, int width, const char *format, double value) {
    char text[32] = "-";
    if (!isnan(value))
        gs_format(text, sizeof text, format, value);
    fprintf(out, " %*s", width, text);
}

static void write_lines(FILE *out, size_t count, const gs_layer_theory *rows) {
    fprintf(out, "layer %14s %12s %12s %12s\n", "q = E z^2", "correlation", "rate", "log|dL/dz|");
    for (size_t i = 0; i < count; i++) {
        if (rows[i].kind == GS_KIND_HEAD)
            fprintf(out, "%5s", "head");
        else
            fprintf(out, "%5zu", rows[i].layer);
        put(out, 14, "%.7g", rows[i].q);
        put(out, 12, "%.7f", rows[i].correlation);
        put(out, 12, "%.7g", rows[i].rate);
        put(out, 12, "%.4f", rows[i].grad_z_log10);
        putc('\n', out);
    }
    putc('\n', out);
}

/* "q*         0.50554: E z^2 comes closer by e every 1.6 layers" */
static void write_limit(FILE *out, const char *name, double value, const char *what, double depth) {
    fprintf(out, "%-11s%.9g: %s ", name, value, what);
    if (isinf(depth))
        fputs("slower than any exponential\n", out);
    else
        fprintf(out, "by e every %.4g layers\n", depth);
}

static void write_phase(FILE *out, const gs_theory *theory) {
    static const char *const meanings[] = {
        [GS_PHASE_ORDERED] = "gradients vanish, examples become alike",
        [GS_PHASE_CRITICAL] = "gradients keep their size",
        [GS_PHASE_CHAOTIC] = "gradients explode, examples come apart",
    };
    fprintf(out, "phase      %s: %s\n", gs_phase_name(theory->phase), meanings[theory->phase]);
    write_limit(out, "chi", theory->chi, "the squared gradient changes", theory->depth_gradient);
    if (isinf(theory->fixed_q)) {
        fputs("q*         inf: E z^2 grows without bound\n", out);
        return;
    }
    write_limit(out, "q*", theory->fixed_q, "E z^2 comes closer", theory->depth_q);
    if (!isnan(theory->fixed_correlation))
        write_limit(out, "c*", theory->fixed_correlation, "the correlation comes closer",
                    theory->depth_correlation);
}

static gs_status write_text(const cli_job *job, gs_report_style style, size_t count,
                            const gs_layer_theory *rows, const gs_theory *theory, gs_error *error) {
    gs_status status = style.quiet ? GS_OK : gs_network_title_write(job->file, job->config, error);
    if (status != GS_OK)
        return status;
    if (!style.quiet)
        write_lines(job->file, count, rows);
    if (theory->missing[0])
        fprintf(job->file, "gradient   no theory: %s\n", theory->missing);
    else if (isfinite(theory->ratio_log10))
        fprintf(job->file, "gradient   10^%.4f from output to input, %.4g decades a layer\n",
                theory->ratio_log10, theory->decades_per_layer);
    else
        fputs("gradient   zero\n", job->file);
    if (theory->phase != GS_PHASE_NONE)
        write_phase(job->file, theory);
    return GS_OK;
}

/* ---- The prediction ---- */

static gs_status predict(cli_job *job, gs_error *error) {
    const gs_config *config = job->config;
    gs_input_moments moments;
    gs_theory theory;
    gs_report_style style;
    size_t count = config->layers + config->head;
    gs_layer_theory *rows = gs_alloc(count, sizeof *rows, error);
    gs_status status = rows ? cli_job_moments(job, config, &moments, error) : GS_ERR_MEMORY;
    if (status == GS_OK)
        status = gs_predict(config, config->data ? &moments : NULL, true, rows, &theory, error);
    if (status == GS_OK)
        status = cli_job_open(job, "w", &style, error);
    if (status == GS_OK)
        status = (style.format == GS_FORMAT_TABLE ? write_text : write_sheet)(job, style, count,
                                                                              rows, &theory, error);
    gs_free(rows);
    return status;
}

/* ---- The edge of chaos ---- */

enum { POINTS = 16 };

static const char *const point_names[] = {"sigma_w",  "sigma_b", "sigma_w2",
                                          "sigma_b2", "q_star",  "q_slope"};
enum { POINT_COLUMNS = sizeof point_names / sizeof point_names[0] };

static gs_status write_points(const cli_job *job, gs_report_style style, size_t count,
                              const gs_critical_point *points, gs_error *error) {
    gs_sheet *sheet = gs_sheet_new(job->file, style, point_names, POINT_COLUMNS, error);
    gs_status status = sheet ? gs_sheet_set_config(sheet, job->config, error) : GS_ERR_MEMORY;
    for (size_t i = 0; status == GS_OK && i < count; i++) {
        const gs_critical_point *p = &points[i];
        const double values[POINT_COLUMNS] = {
            p->sigma_w, p->sigma_b, p->sigma_w * p->sigma_w, p->sigma_b * p->sigma_b,
            p->fixed_q, p->slope};
        for (size_t j = 0; j < POINT_COLUMNS; j++)
            gs_sheet_cells(sheet)[j] = known(values[j]);
        gs_sheet_write(sheet);
    }
    gs_sheet_free(sheet);
    return status;
}

static const char *describe_slope(double slope) {
    if (fabs(slope - 1) < 1e-6)
        return "which the variance comes to or leaves slower than any exponential";
    return slope < 1 ? "which the variance comes to" : "which the variance leaves";
}

static void print_points(FILE *out, const char *act, size_t count,
                         const gs_critical_point *points) {
    fprintf(out, "%s: where a plain network keeps the size of its gradient\n\n", act);
    if (count == 0)
        fputs("nowhere: no variance of z is kept with chi = 1\n", out);
    for (size_t i = 0; i < count; i++) {
        const gs_critical_point *p = &points[i];
        char sigma_w[32], sigma_b[32];
        gs_format_real(sigma_w, p->sigma_w);
        gs_format_real(sigma_b, p->sigma_b);
        fprintf(out, "sigma_w^2  %.9g\nsigma_b^2  %.9g\n", p->sigma_w * p->sigma_w,
                p->sigma_b * p->sigma_b);
        if (isnan(p->fixed_q))
            fputs("q*         any: every variance of z is kept\n", out);
        else
            fprintf(out, "q*         %.9g, %s\n", p->fixed_q, describe_slope(p->slope));
        fprintf(out, "           gradsim --act %s --init scaled:%s --bias normal:%s\n", act,
                sigma_w, sigma_b);
    }
}

static gs_status is_init_given(const gs_config *config, bool *given, gs_error *error) {
    gs_config *usual = gs_config_new(error);
    if (!usual)
        return GS_ERR_MEMORY;
    *given = config->init.index != usual->init.index || config->gain != usual->gain;
    gs_config_free(usual);
    return GS_OK;
}

static gs_status find_critical(cli_job *job, gs_error *error) {
    const gs_config *config = job->config;
    bool has_bias = config->bias.parameter != 0, drawn = config->bias.index == GS_BIAS_NORMAL;
    bool has_init;
    gs_weight_kind weights = gs_init_law(config->init, config->gain, 1, 1).kind;
    double sigma_w = sqrt(gs_inner_sigma_w2(config));
    gs_critical_point points[POINTS];
    gs_report_style style;
    size_t count;
    char act[64];
    gs_status status = is_init_given(config, &has_init, error);
    if (status != GS_OK)
        return status;
    if (has_bias && !drawn)
        return gs_fail(error, GS_ERR_USAGE, "--critical: expected --bias normal:STD or none");
    if (has_bias && has_init)
        return gs_fail(error, GS_ERR_USAGE,
                       "--critical: expected --bias or --init, and finds the other, got both");
    if (weights != GS_WEIGHTS_INDEPENDENT && weights != GS_WEIGHTS_ORTHOGONAL)
        return gs_fail(error, GS_ERR_USAGE, "--critical: expected random weights");
    if (has_init && isnan(sigma_w))
        return gs_fail(error, GS_ERR_USAGE,
                       "--critical: expected one --width, or an --init of the same sigma_w in all "
                       "layers");
    status = gs_config_get(config, "act", act, sizeof act, error);
    if (status == GS_OK)
        status = gs_find_critical(act, sigma_w, has_init ? NAN : fabs(config->bias.parameter),
                                  POINTS, points, &count, error);
    if (status == GS_OK)
        status = cli_job_open(job, "w", &style, error);
    if (status == GS_OK && style.format != GS_FORMAT_TABLE)
        status = write_points(job, style, count, points, error);
    else if (status == GS_OK)
        print_points(job->file, act, count, points);
    return status;
}

int cmd_theory(char **arguments) {
    cli_job job;
    theory_options options;
    gs_error error;
    int exit_status;
    if (!cli_job_begin(&job, "theory", arguments, (cli_target){&cli_theory_options, &options},
                       &exit_status))
        return exit_status;
    gs_status status = cli_job_load(&job, NULL, &error);
    if (status == GS_OK)
        status = options.critical ? find_critical(&job, &error) : predict(&job, &error);
    return cli_job_end(&job, status, &error, CLI_DONE);
}
