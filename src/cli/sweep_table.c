/*
 * What people see of a sweep: a matrix where two options vary and it fits, else a line a point.
 */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "cli/sweep.h"
#include "report/table.h"

enum { LEAST_CELL = 8, LEAST_LOSS = 10 };

typedef struct {
    bool is_there;
    char mark;
    double ratio, loss, accuracy;
} cell;

struct sweep_table {
    const sweep *s;
    FILE *out;
    const gs_option *varied[CLI_GRID_MOST_VARIED];
    int width[CLI_GRID_MOST_VARIED]; /* of their columns */
    size_t count;
    bool trains;
    const gs_option *down, *across; /* of a matrix; NULL: there is a line a point */
    cell *cells;                    /* [values down][values across] */
    uint64_t shown;
};

/* ---- What varies ---- */

static int value_width(const cli_grid *grid, const gs_option *option) {
    size_t width = strlen(option->name);
    for (size_t i = 0; i < cli_grid_values(grid, option); i++) {
        size_t length = strlen(cli_grid_value(grid, option, i));
        width = width < length ? length : width;
    }
    return (int)width;
}

static const char *value_at(const cli_grid *grid, const gs_option *option, uint64_t point) {
    return cli_grid_value(grid, option, cli_grid_place(grid, option, point));
}

static bool has_training(const cli_grid *grid) {
    static const char *const of_training[] = {"steps", "epochs"};
    for (size_t i = 0; i < sizeof of_training / sizeof *of_training; i++) {
        const gs_option *option = gs_option_find(&gs_config_options, of_training[i]);
        for (size_t v = 0; v < cli_grid_values(grid, option); v++)
            if (strcmp(cli_grid_value(grid, option, v), "0") != 0)
                return true;
    }
    return false;
}

/* ---- A matrix ---- */

static int cell_width(const sweep_table *t) {
    int width = value_width(t->s->grid, t->across), least = t->trains ? LEAST_LOSS : LEAST_CELL;
    return width < least ? least : width;
}

static bool fits(sweep_table *t, const gs_option *down, const gs_option *across) {
    t->down = down;
    t->across = across;
    size_t width = (size_t)value_width(t->s->grid, down) +
                   cli_grid_values(t->s->grid, across) * (size_t)(cell_width(t) + 1);
    return width <= GS_LINE_WIDTH;
}

static gs_status lay_out(sweep_table *t, gs_error *error) {
    bool two = t->count == 2 && !cli_grid_same_axis(t->s->grid, t->varied[0], t->varied[1]);
    if (!two || (!fits(t, t->varied[0], t->varied[1]) && !fits(t, t->varied[1], t->varied[0]))) {
        t->down = t->across = NULL;
        return GS_OK;
    }
    size_t cells;
    if (gs_size_multiply(cli_grid_values(t->s->grid, t->down),
                         cli_grid_values(t->s->grid, t->across), &cells))
        t->cells = gs_alloc(cells, sizeof *t->cells, error);
    return t->cells ? GS_OK : GS_ERR_MEMORY;
}

static char mark_of(const gs_outcome *outcome) {
    static const char marks[GS_VERDICTS] = {
        [GS_HEALTHY] = ' ', [GS_VANISHING] = 'v', [GS_EXPLODING] = '^', [GS_NONFINITE] = '!'};
    if (outcome->networks == 0)
        return 'x';
    return gs_outcome_is_shattered(outcome) ? '~' : marks[outcome->verdict];
}

static cell cell_of(const gs_outcome *outcome) {
    double held_out = gs_sample_mean(&outcome->test_accuracy);
    bool failed = outcome->networks == 0;
    return (cell){true, mark_of(outcome), failed ? (double)NAN : gs_outcome_ratio(outcome),
                  gs_sample_mean(&outcome->loss),
                  100 * (isnan(held_out) ? gs_sample_mean(&outcome->accuracy) : held_out)};
}

/* A number and its mark; a line does not end with a blank. NULL is the format of a logarithm. */
static void write_cell(const sweep_table *t, const cell *c, int width, const char *format,
                       double value, bool is_last) {
    bool alarm = c->is_there && c->mark != ' ';
    char number[32] = "";
    if (c->is_there && isnan(value))
        gs_format(number, sizeof number, "-");
    else if (c->is_there && format)
        gs_format(number, sizeof number, format, value);
    else if (c->is_there)
        gs_format_log(number, value);
    gs_alarm_begin(t->out, t->s->style.color, alarm);
    fprintf(t->out, " %*s", width - 1, number);
    if (alarm || !is_last)
        putc(alarm ? c->mark : ' ', t->out);
    gs_alarm_end(t->out, t->s->style.color, alarm);
}

/* The number at `offset` of each cell. */
static void write_matrix(const sweep_table *t, const char *title, const char *format,
                         size_t offset) {
    const cli_grid *grid = t->s->grid;
    size_t rows = cli_grid_values(grid, t->down), columns = cli_grid_values(grid, t->across);
    int head = value_width(grid, t->down), width = cell_width(t);
    fprintf(t->out, "%s, %s down, %s across\n%*s", title, t->down->name, t->across->name, head, "");
    for (size_t j = 0; j < columns; j++)
        fprintf(t->out, "%*s%s", width, cli_grid_value(grid, t->across, j),
                j + 1 < columns ? " " : "");
    for (size_t i = 0; i < rows; i++) {
        fprintf(t->out, "\n%*s", head, cli_grid_value(grid, t->down, i));
        for (size_t j = 0; j < columns; j++) {
            const cell *c = &t->cells[i * columns + j];
            double value;
            memcpy(&value, (const char *)c + offset, sizeof value);
            write_cell(t, c, width, format, value, j + 1 == columns);
        }
    }
    fputs("\n\n", t->out);
}

static void write_matrices(const sweep_table *t) {
    bool has_labels = false;
    size_t cells = cli_grid_values(t->s->grid, t->down) * cli_grid_values(t->s->grid, t->across);
    for (size_t i = 0; i < cells; i++)
        has_labels |= t->cells[i].is_there && !isnan(t->cells[i].accuracy);
    write_matrix(t, "log10 |dL/dx_0| / |dL/dx_L|", NULL, offsetof(cell, ratio));
    if (t->trains)
        write_matrix(t, "loss", "%.3g", offsetof(cell, loss));
    if (t->trains && has_labels)
        write_matrix(t, "accuracy in %", "%.1f", offsetof(cell, accuracy));
    fputs("v vanishing, ^ exploding, ~ shattered, ! not finite, x failed\n", t->out);
}

/* ---- A line a point ---- */

static void write_varied(const sweep_table *t, const char *const *values, const char *first) {
    fprintf(t->out, "%7s", first);
    for (size_t i = 0; i < t->count; i++)
        fprintf(t->out, "  %*s", t->width[i], values[i]);
}

static void write_head(const sweep_table *t) {
    const char *names[CLI_GRID_MOST_VARIED];
    for (size_t i = 0; i < t->count; i++)
        names[i] = t->varied[i]->name;
    write_varied(t, names, "point");
    fprintf(t->out, "%9s%s  a layer%s  verdict\n", "log10", t->s->seeds > 1 ? "    std" : "",
            t->trains ? "      loss    acc" : "");
}

static void write_line(const sweep_table *t, const gs_point *point) {
    const char *values[CLI_GRID_MOST_VARIED];
    const gs_outcome *outcome = point->outcome;
    const cell c = cell_of(outcome);
    char number[32], text[32] = "-";
    for (size_t i = 0; i < t->count; i++)
        values[i] = value_at(t->s->grid, t->varied[i], point->point);
    gs_format(number, sizeof number, "%llu", (unsigned long long)point->point);
    write_varied(t, values, number);
    gs_put_log(t->out, 8, c.ratio);
    if (t->s->seeds > 1)
        gs_put_log(t->out, 6, gs_sample_std(&outcome->ratio));
    if (!isnan(c.ratio))
        gs_format(text, sizeof text, "%.4f", c.ratio / (double)point->config->layers);
    fprintf(t->out, " %8s", text);
    if (t->trains) {
        char accuracy[32] = "-";
        if (!isnan(c.accuracy))
            gs_format(accuracy, sizeof accuracy, "%.1f%%", c.accuracy);
        gs_format(text, sizeof text, isnan(c.loss) ? "-" : "%.4g", c.loss);
        fprintf(t->out, " %9s %6s", text, accuracy);
    }
    gs_alarm_begin(t->out, t->s->style.color, c.mark != ' ');
    fprintf(t->out, "  %s", gs_outcome_name(outcome));
    gs_alarm_end(t->out, t->s->style.color, c.mark != ' ');
    fprintf(t->out, "%s%s\n", point->error ? ": " : "", point->error ? point->error : "");
}

/* ---- Tables ---- */

sweep_table *sweep_table_new(const sweep *s, gs_error *error) {
    sweep_table *t = gs_alloc(1, sizeof *t, error);
    if (!t)
        return NULL;
    t->s = s;
    t->out = s->job.file;
    t->count = cli_grid_varied(s->grid, t->varied);
    for (size_t i = 0; i < t->count; i++)
        t->width[i] = value_width(s->grid, t->varied[i]);
    t->trains = has_training(s->grid);
    if (lay_out(t, error) == GS_OK)
        return t;
    sweep_table_free(t);
    return NULL;
}

void sweep_table_free(sweep_table *table) {
    if (table)
        gs_free(table->cells);
    gs_free(table);
}

void sweep_table_add(sweep_table *table, const gs_point *point) {
    if (table->cells) {
        size_t i = cli_grid_place(table->s->grid, table->down, point->point);
        size_t j = cli_grid_place(table->s->grid, table->across, point->point);
        table->cells[i * cli_grid_values(table->s->grid, table->across) + j] =
            cell_of(point->outcome);
    } else {
        if (table->shown == 0)
            write_head(table);
        write_line(table, point);
    }
    table->shown++;
}

void sweep_table_finish(sweep_table *table) {
    if (table->cells && table->shown > 0)
        write_matrices(table);
}
