/*
 * gradsim sweep --dry-run: the points, and what each would cost.
 */
#include <stddef.h>

#include "base/error.h"
#include "base/memory.h"
#include "cli/sweep.h"
#include "net/budget.h"

enum { POINT, POINTS, NETWORKS, GFLOP, BYTES, ERROR, COLUMNS };

static const char *const column_names[COLUMNS] = {
    [POINT] = "point", [POINTS] = "points", [NETWORKS] = "networks",
    [GFLOP] = "gflop", [BYTES] = "bytes",   [ERROR] = "error",
};

typedef struct {
    double gflop; /* of all its networks */
    size_t bytes; /* of one */
    gs_status status;
    gs_error why;
} cost;

static cost cost_of(sweep *s, const cli_job *job) {
    cost c = {0};
    gs_budget budget;
    const gs_kernels *kernels;
    c.status = gs_kernels_get((gs_dtype)job->config->dtype.index, &kernels, &c.why);
    if (c.status == GS_OK)
        c.status = gs_budget_plan(job->config, kernels, &budget, &c.why);
    if (c.status == GS_OK) {
        c.gflop = 1e-9 * gs_budget_flops(job->config) * (double)s->seeds;
        c.bytes = budget.total;
    }
    return c;
}

static void write_text(const sweep *s, uint64_t point, const cost *c) {
    const gs_option *varied[CLI_GRID_MOST_VARIED];
    size_t count = cli_grid_varied(s->grid, varied);
    char bytes[32];
    gs_format_bytes(bytes, (double)c->bytes);
    if (c->status == GS_OK)
        fprintf(s->job.file, "%7llu %12.4g  %9s ", (unsigned long long)point, c->gflop, bytes);
    else
        fprintf(s->job.file, "%7llu %12s  %9s ", (unsigned long long)point, "-", "-");
    for (size_t i = 0; i < count; i++)
        fprintf(s->job.file, " --%s %s", varied[i]->name,
                cli_grid_value(s->grid, varied[i], cli_grid_place(s->grid, varied[i], point)));
    fprintf(s->job.file, "%s%s\n", c->status == GS_OK ? "" : "  # ",
            c->status == GS_OK ? "" : c->why.message);
}

static gs_status write_row(const sweep *s, uint64_t point, const gs_config *config, const cost *c,
                           gs_error *error) {
    gs_status status = gs_sheet_set_config(s->sheet, config, error);
    gs_cell *cell = gs_sheet_cells(s->sheet);
    bool is_known = c->status == GS_OK;
    cell[POINT] = gs_cell_whole(point);
    cell[POINTS] = gs_cell_whole(cli_grid_points(s->grid));
    cell[NETWORKS] = gs_cell_whole(s->seeds);
    cell[GFLOP] = is_known ? gs_cell_real(c->gflop) : gs_cell_absent();
    cell[BYTES] = is_known ? gs_cell_whole(c->bytes) : gs_cell_absent();
    cell[ERROR] = is_known ? gs_cell_absent() : gs_cell_text(c->why.message);
    if (status == GS_OK)
        gs_sheet_write(s->sheet);
    return status;
}

static gs_status list_point(sweep *s, uint64_t point, double *gflop, gs_error *error) {
    cli_job job;
    sweep_data *borrowed;
    cost c = {0};
    gs_status status = sweep_begin_job(s, point, &job, &borrowed, &c.why);
    c.status = status;
    if (!job.config)
        return gs_fail(error, status, "%s", c.why.message);
    if (status == GS_OK)
        c = cost_of(s, &job);
    *gflop += c.gflop;
    status = GS_OK;
    if (s->sheet)
        status = write_row(s, point, job.config, &c, error);
    else
        write_text(s, point, &c);
    sweep_end_job(s, &job, borrowed);
    if (status == GS_OK && ferror(s->job.file))
        status = cli_job_fail(&s->job, error);
    return status;
}

gs_status sweep_list(sweep *s, gs_error *error) {
    double gflop = 0;
    gs_status status = cli_job_open(&s->job, "w", &s->style, error);
    if (status == GS_OK && s->style.format != GS_FORMAT_TABLE) {
        s->sheet = gs_sheet_new(s->job.file, s->style, column_names, COLUMNS, error);
        status = s->sheet ? GS_OK : GS_ERR_MEMORY;
    }
    if (status == GS_OK && !s->sheet)
        fprintf(s->job.file, "  point        GFLOP     memory  options\n");
    for (uint64_t i = 0; status == GS_OK && i < s->count; i++)
        status = list_point(s, sweep_point(s, i), &gflop, error);
    if (status == GS_OK && !s->sheet)
        fprintf(s->job.file, "\n%llu points, %llu networks, %.4g GFLOP\n",
                (unsigned long long)s->count, (unsigned long long)(s->count * s->seeds), gflop);
    gs_sheet_free(s->sheet);
    s->sheet = NULL;
    return status;
}
