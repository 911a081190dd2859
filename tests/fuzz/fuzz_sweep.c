/*
 * What a sweep is asked for: lists of values, --zip and --where, one a line after the option's name
 * and "=". They are part of the program, not of the library.
 */
#include "fuzz.h"

#include "cli/grid.c"
#include "cli/list.c"
#include "cli/where.c"

typedef struct {
    cli_lists lists;
    const char *zip, *where;
} request;

static void take_line(request *r, char *line) {
    char *value = strchr(line, '=');
    if (!value || !value[1])
        return;
    *value++ = '\0';
    const gs_option *option = gs_option_find(&r->lists.table, line);
    if (strcmp(line, "zip") == 0)
        r->zip = value;
    else if (strcmp(line, "where") == 0)
        r->where = value;
    else if (option)
        fuzz_check(gs_option_parse(option, r->lists.texts, value, NULL) == GS_OK, "a text");
}

static void check_point(const cli_grid *grid, uint64_t point) {
    gs_config *config = cli_grid_config(grid, point, NULL);
    fuzz_check(config != NULL, "a configuration");
    for (size_t i = 0; i < gs_config_options.count; i++) {
        const gs_option *option = &gs_config_options.rows[i];
        const char *expected = cli_grid_value(grid, option, cli_grid_place(grid, option, point));
        size_t length = gs_option_format(option, config, NULL, 0);
        char *text = malloc(length + 1);
        fuzz_check(text != NULL, "memory");
        gs_option_format(option, config, text, length + 1);
        fuzz_check(strcmp(text, expected) == 0, "the values of the point's places");
        free(text);
    }
    gs_config_free(config);
}

static void make_grid_of(const request *r) {
    gs_error error = {0};
    cli_grid *grid = cli_grid_new(&r->lists, r->zip, r->where, &error);
    fuzz_check((grid != NULL) == (error.code == GS_OK), "an error if there is no grid");
    if (grid) {
        uint64_t points = cli_grid_points(grid);
        fuzz_check(points >= 1 && points <= CLI_GRID_MOST, "points");
        check_point(grid, 1);
        check_point(grid, (points + 1) / 2);
        check_point(grid, points);
    }
    cli_grid_free(grid);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    request r = {.zip = NULL};
    char *text = malloc(size + 1), *rest = NULL;
    fuzz_check(text && cli_lists_new(&r.lists, NULL) == GS_OK, "memory");
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        take_line(&r, line);
    make_grid_of(&r);
    cli_lists_free(&r.lists);
    free(text);
    return 0;
}
