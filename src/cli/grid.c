/*
 * The grid: a point is a number in mixed radix, whose digits are places in the lists of values.
 * Where points are left out, they are counted by the block, so that any one of them is found again
 * by a look at its block.
 */
#include "cli/grid.h"

#include <string.h>

#include "base/error.h"
#include "base/lookup.h"
#include "base/memory.h"
#include "cli/list.h"
#include "cli/where.h"

enum { BLOCK = 256 };

typedef struct {
    cli_list values;
    size_t group;    /* of --zip, from 1; 0: none */
    uint32_t stride; /* points from one value to the next, in the grid without --where */
} grid_option;

struct cli_grid {
    grid_option *options; /* [gs_config_options.count] */
    gs_config *base;      /* with the options that have one value */
    char name[17];
    uint32_t all;     /* points without --where */
    cli_where where;  /* no conditions: all points stay */
    bool **holds;     /* [conditions][values of its option], in one block */
    uint32_t *before; /* [blocks + 1] points that stay before each block */
};

static size_t index_of(const gs_option *option) {
    return (size_t)(option - gs_config_options.rows);
}

static const grid_option *options_of(const cli_grid *grid, const gs_option *option) {
    return &grid->options[index_of(option)];
}

/* ---- Lists as they come on the command line ---- */

gs_status cli_lists_new(cli_lists *lists, gs_error *error) {
    size_t count = gs_config_options.count;
    lists->rows = gs_alloc(count, sizeof *lists->rows, error);
    lists->texts = lists->rows ? gs_alloc(count, sizeof *lists->texts, error) : NULL;
    if (!lists->texts) {
        gs_free(lists->rows);
        *lists = (cli_lists){0};
        return GS_ERR_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        const gs_option *option = &gs_config_options.rows[i];
        lists->rows[i] = (gs_option){.name = option->name,
                                     .kind = GS_OPTION_TEXT,
                                     .offset = i * sizeof *lists->texts,
                                     .value = option->value,
                                     .letter = option->letter};
    }
    lists->table = (gs_option_table){lists->rows, count};
    return GS_OK;
}

void cli_lists_free(cli_lists *lists) {
    gs_options_release(&lists->table, lists->texts);
    gs_free(lists->rows);
    gs_free(lists->texts);
    *lists = (cli_lists){0};
}

cli_target cli_lists_target(cli_lists *lists) {
    return (cli_target){&lists->table, lists->texts};
}

/* ---- Values ---- */

/* What says how a sweep is run is the same for all of it. */
static bool takes_a_list(const gs_option *option) {
    static const char *const single[] = {"seeds", "threads", "memory", NULL};
    return !gs_is_among(option->name, single);
}

static gs_status read_values(cli_grid *grid, const gs_option *option, const char *text,
                             gs_error *error) {
    cli_list *values = &grid->options[index_of(option)].values;
    if (!text)
        return cli_list_of_one(values, option, grid->base, error);
    gs_status status = cli_list_read(values, option, grid->base, text, true, error);
    if (status == GS_OK && values->count > 1 && !takes_a_list(option))
        return gs_option_refuse(option, "one value", text, NULL, error);
    return status;
}

/* ---- Axes ---- */

typedef struct {
    cli_grid *grid;
    char *const *texts;
    size_t group, members;   /* so far, and in the last group */
    const gs_option *option; /* the one before */
    gs_error *error;
} zip_reader;

static gs_status zip_option(zip_reader *r, const char *name) {
    const gs_option *option = gs_option_find(&gs_config_options, name), *before = r->option;
    if (!option) {
        gs_unknown_name("option", "", name, gs_option_name_at, &gs_config_options, r->error);
        return gs_fail(r->error, GS_ERR_USAGE, "--zip: %s", r->error ? r->error->message : "");
    }
    grid_option *own = &r->grid->options[index_of(option)];
    if (!r->texts[index_of(option)])
        return gs_fail(r->error, GS_ERR_USAGE, "--zip: expected values of --%s, got none",
                       option->name);
    if (own->group > 0)
        return gs_fail(r->error, GS_ERR_USAGE, "--zip: expected every option once, got '%s' twice",
                       option->name);
    size_t count = own->values.count;
    size_t expected = r->members > 0 ? options_of(r->grid, before)->values.count : count;
    if (count != expected)
        return gs_fail(r->error, GS_ERR_USAGE,
                       "--zip: expected as many values of --%s as of --%s, %zu, got %zu",
                       option->name, before->name, expected, count);
    own->group = r->group;
    r->option = option;
    r->members++;
    return GS_OK;
}

static gs_status zip(cli_grid *grid, char *const *texts, const char *zips, gs_error *error) {
    zip_reader r = {grid, texts, 1, 0, NULL, error};
    gs_status status = GS_OK;
    for (const char *at = zips; at && status == GS_OK;) {
        char name[96];
        int length = (int)strcspn(at, ",;");
        gs_format(name, sizeof name, "%.*s", length, at);
        at += length;
        status = zip_option(&r, name);
        if (status == GS_OK && *at != ',' && r.members < 2)
            return gs_fail(error, GS_ERR_USAGE,
                           "--zip: expected options joined by ',', got '%.80s' alone", name);
        if (*at != ',') {
            r.group++;
            r.members = 0;
        }
        at = *at ? at + 1 : NULL;
    }
    return status;
}

/* The first option of the axis that option `i` is on. */
static size_t leader_of(const cli_grid *grid, size_t i) {
    size_t group = grid->options[i].group;
    for (size_t j = 0; j < i && group > 0; j++)
        if (grid->options[j].group == group)
            return j;
    return i;
}

static gs_status refuse_points(const cli_grid *grid, double points, gs_error *error) {
    gs_line line = {0};
    const char *joint = "";
    for (size_t i = 0; i < gs_config_options.count; i++)
        if (grid->options[i].values.count > 1 && leader_of(grid, i) == i) {
            gs_line_add(&line, "%s%zu of --%s", joint, grid->options[i].values.count,
                        gs_config_options.rows[i].name);
            joint = " times ";
        }
    return gs_fail(error, GS_ERR_USAGE, "expected at most %d points, got %.15g: %s", CLI_GRID_MOST,
                   points, line.text);
}

static gs_status lay_out(cli_grid *grid, gs_error *error) {
    double points = 1;
    for (size_t i = gs_config_options.count; i-- > 0;)
        if (leader_of(grid, i) == i) {
            grid->options[i].stride = points <= CLI_GRID_MOST ? (uint32_t)points : 1;
            points *= (double)grid->options[i].values.count;
        }
    if (points > CLI_GRID_MOST)
        return refuse_points(grid, points, error);
    for (size_t i = 0; i < gs_config_options.count; i++)
        grid->options[i].stride = grid->options[leader_of(grid, i)].stride;
    grid->all = (uint32_t)points;
    return GS_OK;
}

static size_t place_at(const grid_option *option, uint32_t index) {
    return index / option->stride % (uint32_t)option->values.count;
}

/* ---- The points that stay ---- */

/* One block of memory for all conditions. */
static gs_status make_tables(cli_grid *grid, gs_error *error) {
    const cli_where *where = &grid->where;
    size_t bytes = 0;
    for (size_t i = 0; i < where->count; i++)
        bytes += options_of(grid, where->conditions[i].option)->values.count * sizeof(bool);
    grid->holds = gs_alloc(where->count, sizeof *grid->holds, error);
    bool *table = grid->holds ? gs_alloc(bytes, 1, error) : NULL;
    for (size_t i = 0; i < where->count && table; i++) {
        grid->holds[i] = table;
        table += options_of(grid, where->conditions[i].option)->values.count;
    }
    return table ? GS_OK : GS_ERR_MEMORY;
}

static gs_status ask_of_value(cli_grid *grid, const gs_option *option, size_t place,
                              gs_error *error) {
    const char *text = cli_grid_value(grid, option, place);
    gs_status status = text[0] ? gs_option_parse(option, grid->base, text, error) : GS_OK;
    for (size_t i = 0; i < grid->where.count && status == GS_OK; i++) {
        const cli_condition *condition = &grid->where.conditions[i];
        if (condition->option == option)
            grid->holds[i][place] = cli_condition_holds(condition, grid->base, text);
    }
    return status;
}

static gs_status ask_of_values(cli_grid *grid, gs_error *error) {
    gs_status status = GS_OK;
    for (size_t i = 0; i < gs_config_options.count; i++) {
        const gs_option *option = &gs_config_options.rows[i];
        bool asked = false;
        for (size_t j = 0; j < grid->where.count; j++)
            asked |= grid->where.conditions[j].option == option;
        for (size_t j = 0; asked && j < cli_grid_values(grid, option) && status == GS_OK; j++)
            status = ask_of_value(grid, option, j, error);
    }
    return status;
}

static bool stays(const cli_grid *grid, uint32_t index) {
    size_t at = grid->where.count > 0 ? 0 : CLI_WHERE_KEEP;
    while (at < grid->where.count) {
        const cli_condition *condition = &grid->where.conditions[at];
        size_t place = place_at(options_of(grid, condition->option), index);
        at = condition->next[grid->holds[at][place]];
    }
    return at == CLI_WHERE_KEEP;
}

static gs_status count_points(cli_grid *grid, gs_error *error) {
    size_t blocks = (grid->all + BLOCK - 1) / BLOCK;
    grid->before = gs_alloc(blocks + 1, sizeof *grid->before, error);
    if (!grid->before)
        return GS_ERR_MEMORY;
    for (uint32_t i = 0; i < grid->all; i++)
        grid->before[i / BLOCK + 1] += stays(grid, i);
    for (size_t i = 0; i < blocks; i++)
        grid->before[i + 1] += grid->before[i];
    if (grid->before[blocks] == 0)
        return gs_fail(error, GS_ERR_USAGE, "--where: expected to leave points, got none of %lu",
                       (unsigned long)grid->all);
    return GS_OK;
}

static gs_status leave_out(cli_grid *grid, const char *where, gs_error *error) {
    gs_status status = cli_where_read(&grid->where, grid->base, where, error);
    if (status == GS_OK)
        status = make_tables(grid, error);
    if (status == GS_OK)
        status = ask_of_values(grid, error);
    if (status == GS_OK)
        status = count_points(grid, error);
    return status;
}

/* The place of point 1, 2, ... in the grid without --where, from 0. */
static uint32_t index_of_point(const cli_grid *grid, uint64_t point) {
    if (grid->where.count == 0)
        return (uint32_t)(point - 1);
    uint32_t low = 0, high = (grid->all + BLOCK - 1) / BLOCK - 1;
    while (low < high) { /* the block is among these */
        uint32_t middle = low + (high - low) / 2;
        if (grid->before[middle + 1] >= point)
            high = middle;
        else
            low = middle + 1;
    }
    uint64_t seen = grid->before[low];
    uint32_t index = low * BLOCK;
    while ((seen += stays(grid, index)) < point)
        index++;
    return index;
}

/* ---- The grid ---- */

/* The base serves the readers as a scratch, and has its one value of each option in the end. */
static gs_status settle_base(cli_grid *grid, gs_error *error) {
    gs_config_free(grid->base);
    grid->base = gs_config_new(error);
    gs_status status = grid->base ? GS_OK : GS_ERR_MEMORY;
    for (size_t i = 0; i < gs_config_options.count && status == GS_OK; i++) {
        const char *text = cli_list_at(&grid->options[i].values, 0);
        if (text[0])
            status = gs_option_parse(&gs_config_options.rows[i], grid->base, text, error);
    }
    return status;
}

/* With the zero at its end, so that texts stay apart. */
static uint64_t mix(uint64_t hash, const char *text) {
    return gs_hash(hash, text, strlen(text) + 1);
}

/* What no result depends on is no part of the name. */
static void name_grid(cli_grid *grid, const char *zips, const char *where) {
    static const char *const apart[] = {"threads", "memory", NULL};
    uint64_t hash = mix(mix(0, zips ? zips : ""), where ? where : "");
    for (size_t i = 0; i < gs_config_options.count; i++) {
        const char *name = gs_config_options.rows[i].name;
        const cli_list *values = &grid->options[i].values;
        if (gs_is_among(name, apart))
            continue;
        hash = mix(hash, name);
        for (size_t v = 0; v < values->count; v++)
            hash = mix(hash, cli_list_at(values, v));
    }
    gs_format(grid->name, sizeof grid->name, "%016llx", (unsigned long long)hash);
}

/* Lists that walk together may say a value again: it is the pair that counts. */
static gs_status refuse_repeats(const cli_grid *grid, gs_error *error) {
    gs_status status = GS_OK;
    for (size_t i = 0; i < gs_config_options.count && status == GS_OK; i++)
        if (grid->options[i].group == 0)
            status = cli_list_refuse_repeats(&grid->options[i].values, &gs_config_options.rows[i],
                                             error);
    return status;
}

static gs_status make_grid(cli_grid *grid, char *const *texts, const char *zips, const char *where,
                           gs_error *error) {
    size_t count = gs_config_options.count;
    grid->base = gs_config_new(error);
    grid->options = grid->base ? gs_alloc(count, sizeof *grid->options, error) : NULL;
    gs_status status = grid->options ? GS_OK : GS_ERR_MEMORY;
    for (size_t i = 0; i < count && status == GS_OK; i++)
        status = read_values(grid, &gs_config_options.rows[i], texts[i], error);
    if (status == GS_OK)
        status = zip(grid, texts, zips, error);
    if (status == GS_OK)
        status = refuse_repeats(grid, error);
    if (status == GS_OK)
        status = lay_out(grid, error);
    if (status == GS_OK && where)
        status = leave_out(grid, where, error);
    if (status == GS_OK)
        name_grid(grid, zips, where);
    if (status == GS_OK)
        status = settle_base(grid, error);
    return status;
}

cli_grid *cli_grid_new(const cli_lists *lists, const char *zips, const char *where,
                       gs_error *error) {
    cli_grid *grid = gs_alloc(1, sizeof *grid, error);
    if (!grid || make_grid(grid, lists->texts, zips, where, error) == GS_OK)
        return grid;
    cli_grid_free(grid);
    return NULL;
}

void cli_grid_free(cli_grid *grid) {
    if (!grid)
        return;
    for (size_t i = 0; i < gs_config_options.count && grid->options; i++)
        cli_list_free(&grid->options[i].values);
    gs_free(grid->options);
    gs_config_free(grid->base);
    if (grid->holds && grid->where.count > 0)
        gs_free(grid->holds[0]);
    gs_free(grid->holds);
    gs_free(grid->before);
    cli_where_free(&grid->where);
    gs_free(grid);
}

const char *cli_grid_name(const cli_grid *grid) {
    return grid->name;
}

uint64_t cli_grid_points(const cli_grid *grid) {
    return grid->where.count > 0 ? grid->before[(grid->all + BLOCK - 1) / BLOCK] : grid->all;
}

size_t cli_grid_varied(const cli_grid *grid, const gs_option *options[CLI_GRID_MOST_VARIED]) {
    size_t count = 0;
    for (size_t i = 0; i < gs_config_options.count && count < CLI_GRID_MOST_VARIED; i++)
        if (grid->options[i].values.count > 1)
            options[count++] = &gs_config_options.rows[i];
    return count;
}

bool cli_grid_same_axis(const cli_grid *grid, const gs_option *a, const gs_option *b) {
    return leader_of(grid, index_of(a)) == leader_of(grid, index_of(b));
}

size_t cli_grid_values(const cli_grid *grid, const gs_option *option) {
    return options_of(grid, option)->values.count;
}

const char *cli_grid_value(const cli_grid *grid, const gs_option *option, size_t place) {
    return cli_list_at(&options_of(grid, option)->values, place);
}

size_t cli_grid_place(const cli_grid *grid, const gs_option *option, uint64_t point) {
    return place_at(options_of(grid, option), index_of_point(grid, point));
}

gs_config *cli_grid_config(const cli_grid *grid, uint64_t point, gs_error *error) {
    uint32_t index = index_of_point(grid, point);
    gs_config *config = gs_config_copy(grid->base, error);
    gs_status status = config ? GS_OK : GS_ERR_MEMORY;
    for (size_t i = 0; i < gs_config_options.count && status == GS_OK; i++) {
        const cli_list *values = &grid->options[i].values;
        size_t place = place_at(&grid->options[i], index);
        if (place > 0) /* the base has the first */
            status = gs_option_parse(&gs_config_options.rows[i], config, cli_list_at(values, place),
                                     error);
    }
    if (status == GS_OK)
        return config;
    gs_config_free(config);
    return NULL;
}
