/*
 * The grid of a sweep: which points there are and in which order, and the exact words with which a
 * sweep is refused. It is part of the program, not of the library.
 */
#include "test.h"

#include <time.h>

#include "cli/args.c"
#include "cli/grid.c"
#include "cli/list.c"
#include "cli/options.c"
#include "cli/terminal.c"
#include "cli/where.c"

/* What args.c calls is not asked for here. */
int cli_fail(const gs_error *error) {
    return error->code == GS_OK ? CLI_DONE : CLI_USAGE;
}
int cli_help(const char *command) {
    return command ? CLI_DONE : CLI_FAILED;
}
int cmd_version(char **arguments) {
    return arguments[0] ? CLI_USAGE : CLI_DONE;
}

/* ---- Grids from arguments ---- */

typedef struct {
    char *zip, *where;
} sweep_options;

static const gs_option sweep_rows[] = {
    {"zip", GS_OPTION_TEXT, offsetof(sweep_options, zip), "A,B", .joined = ';'},
    {"where", GS_OPTION_TEXT, offsetof(sweep_options, where), "EXPR", .joined = 0},
};
static const gs_option_table sweep_table = {sweep_rows, 2};

enum { MOST_ARGUMENTS = 24 };

/* The grid of arguments with '\n' between them. */
static cli_grid *make(const char *line, gs_error *error) {
    char text[4096], *arguments[MOST_ARGUMENTS + 1] = {NULL};
    sweep_options options = {0};
    cli_lists lists;
    cli_grid *grid = NULL;
    snprintf(text, sizeof text, "%s", line);
    size_t count = 0;
    for (char *word = strtok(text, "\n"); word && count < MOST_ARGUMENTS; word = strtok(NULL, "\n"))
        arguments[count++] = word;
    CHECK(cli_lists_new(&lists, error) == GS_OK);
    const cli_target targets[] = {cli_lists_target(&lists), {&sweep_table, &options}};
    if (cli_parse(arguments, targets, 2, 0, error) == GS_OK)
        grid = cli_grid_new(&lists, options.zip, options.where, error);
    cli_lists_free(&lists);
    gs_options_release(&sweep_table, &options);
    return grid;
}

static cli_grid *grid_of(const char *line) {
    gs_error error = {0};
    cli_grid *grid = make(line, &error);
    CHECK_THAT(grid, "%s: %s", line, error.message);
    return grid;
}

static void check_refused(const char *line, const char *message) {
    gs_error error = {0};
    cli_grid *grid = make(line, &error);
    CHECK_THAT(!grid, "%s is refused", line);
    CHECK(error.code == GS_ERR_USAGE);
    CHECK_STRING(error.message, message);
    cli_grid_free(grid);
}

static const char *text_of(const gs_config *config, const gs_option *option) {
    static char text[256];
    gs_option_format(option, config, text, sizeof text);
    return text;
}

/* What varies at a point: "16/relu". Checks that places and the configuration agree. */
static void add_point(gs_line *line, const cli_grid *grid, uint64_t point) {
    const gs_option *varied[CLI_GRID_MOST_VARIED];
    size_t count = cli_grid_varied(grid, varied);
    gs_config *config = cli_grid_config(grid, point, NULL);
    for (size_t i = 0; i < count; i++) {
        const char *text = text_of(config, varied[i]);
        size_t place = cli_grid_place(grid, varied[i], point);
        CHECK_STRING(cli_grid_value(grid, varied[i], place), text);
        gs_line_add(line, i > 0 ? "/%s" : "%s", text);
    }
    gs_config_free(config);
}

/* All points: "16/relu 16/tanh". */
static const char *points_of(const char *arguments) {
    static gs_line line;
    cli_grid *grid = grid_of(arguments);
    line = (gs_line){0};
    for (uint64_t point = 1; grid && point <= cli_grid_points(grid); point++) {
        gs_line_add(&line, point > 1 ? " " : "");
        add_point(&line, grid, point);
    }
    cli_grid_free(grid);
    return line.text;
}

/* ---- Order ---- */

static void test_the_table_orders_axes_and_the_first_is_slowest(void) {
    CHECK_STRING(points_of("--layers\n16,32\n--act\nrelu,tanh"), "16/relu 16/tanh 32/relu 32/tanh");
    CHECK_STRING(points_of("--act\nrelu,tanh\n--layers\n16,32"), "16/relu 16/tanh 32/relu 32/tanh");
    CHECK_STRING(points_of("--seed\n1,2\n--lr=0.1,0.2\n--layers\n3,2"),
                 "3/0.1/1 3/0.1/2 3/0.2/1 3/0.2/2 2/0.1/1 2/0.1/2 2/0.2/1 2/0.2/2");
}

static void test_one_value_of_each_option_is_one_point(void) {
    cli_grid *grid = grid_of("--layers=3\n--act\nrelu\n--act\ntanh\n--width\n8-4-2");
    const gs_option *varied[CLI_GRID_MOST_VARIED];
    CHECK(gs_config_options.count < CLI_GRID_MOST_VARIED);
    CHECK(cli_grid_points(grid) == 1 && cli_grid_varied(grid, varied) == 0);
    gs_config *config = cli_grid_config(grid, 1, NULL);
    CHECK_STRING(text_of(config, gs_option_find(&gs_config_options, "layers")), "3");
    CHECK_STRING(text_of(config, gs_option_find(&gs_config_options, "act")), "tanh");
    CHECK_STRING(text_of(config, gs_option_find(&gs_config_options, "width")), "8-4-2");
    gs_config_free(config);
    cli_grid_free(grid);
    grid = grid_of("");
    CHECK(cli_grid_points(grid) == 1);
    gs_config *standard = gs_config_new(NULL);
    config = cli_grid_config(grid, 1, NULL);
    for (size_t i = 0; i < gs_config_options.count; i++) {
        const gs_option *option = &gs_config_options.rows[i];
        char text[256];
        snprintf(text, sizeof text, "%s", text_of(standard, option));
        CHECK_STRING(text_of(config, option), text);
        CHECK(cli_grid_values(grid, option) == 1);
        CHECK_STRING(cli_grid_value(grid, option, 0), text);
    }
    gs_config_free(standard);
    gs_config_free(config);
    cli_grid_free(grid);
}

static void test_flags_are_lists_too(void) {
    CHECK_STRING(points_of("--head\n--layers\n2,3"), "2 3");
    CHECK_STRING(points_of("--head=on,off\n--layers\n2,3"), "2/on 2/off 3/on 3/off");
    cli_grid *grid = grid_of("--grad-normalize\n--data=a\\,b");
    gs_config *config = cli_grid_config(grid, 1, NULL);
    CHECK(config->grad_normalize && !config->head);
    CHECK_STRING(config->data, "a,b");
    gs_config_free(config);
    cli_grid_free(grid);
    check_refused("--head=yes", "--head: expected on or off, got 'yes'");
    check_refused("--head=", "--head: expected a value, got ''");
    check_refused("--layers=", "--layers: expected N, got ''");
    check_refused("--layers", "--layers: expected a value after it");
}

static void test_texts_may_be_lists(void) {
    CHECK_STRING(points_of("--data\na,../b..c,x\\,y"), "a ../b..c x,y");
    CHECK_STRING(points_of("--data\na,b\n--where\ndata!=b"), "a");
}

/* ---- Options that walk together ---- */

static void test_zipped_options_are_one_axis_at_the_first_of_them(void) {
    CHECK_STRING(points_of("--layers\n1..3\n--act\nrelu,tanh,elu\n--zip\nact,layers"),
                 "1/relu 2/tanh 3/elu:1");
    CHECK_STRING(points_of("--layers\n1,2\n--act\nrelu,tanh\n--lr\n.1,.2\n--zip\nlr,layers"),
                 "1/relu/0.1 1/tanh/0.1 2/relu/0.2 2/tanh/0.2");
    CHECK_STRING(points_of("--layers\n1,2\n--act\nrelu,tanh\n--lr\n.1,.2\n--zip=lr,act"),
                 "1/relu/0.1 1/tanh/0.2 2/relu/0.1 2/tanh/0.2");
    CHECK_STRING(points_of("--layers=1\n--act=relu\n--zip=layers,act\n--lr=1,2"), "1 2");
}

static void test_several_zips_are_several_axes(void) {
    const char *const expected =
        "1/2/relu/0.5 1/2/tanh/0.6 1/2/elu:1/0.7 2/3/relu/0.5 2/3/tanh/0.6 2/3/elu:1/0.7";
    const char *const lists = "--layers=1,2\n--width=2,3\n--act=relu,tanh,elu\n--lr=.5,.6,.7\n";
    char line[256];
    snprintf(line, sizeof line, "%s--zip\nwidth,layers\n--zip=act,lr", lists);
    CHECK_STRING(points_of(line), expected);
    cli_grid *grid = grid_of(line);
    const gs_option *varied[CLI_GRID_MOST_VARIED];
    CHECK(cli_grid_varied(grid, varied) == 4);
    for (size_t i = 0; i < 4; i++)
        for (size_t j = 0; j < 4; j++)
            CHECK(cli_grid_same_axis(grid, varied[i], varied[j]) == (i / 2 == j / 2));
    cli_grid_free(grid);
    snprintf(line, sizeof line, "%s--zip\nact,lr;layers,width", lists);
    CHECK_STRING(points_of(line), expected);
}

static void test_bad_zips_are_refused(void) {
    const char *const lists = "--layers=1,2\n--act=relu,tanh\n--lr=1,2,3\n--zip\n";
    static const struct {
        const char *zip, *message;
    } cases[] = {
        {"layers", "expected options joined by ',', got 'layers' alone"},
        {"layers;act", "expected options joined by ',', got 'layers' alone"},
        {"layers,act;lr", "expected options joined by ',', got 'lr' alone"},
        {"layers,act,layers", "expected every option once, got 'layers' twice"},
        {"layers,layers", "expected every option once, got 'layers' twice"},
        {"lr,act", "expected as many values of --act as of --lr, 3, got 2"},
        {"layers,act\n--zip\nact,lr", "expected every option once, got 'act' twice"},
        {"layers,lr", "expected as many values of --lr as of --layers, 2, got 3"},
        {"layers,width", "expected values of --width, got none"},
        {"layers,lyers", "unknown option 'lyers' (did you mean 'layers'?)"},
        {"layers,", "unknown option ''"},
        {"layers,act;", "unknown option ''"},
        {",", "unknown option ''"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char line[256], message[256];
        snprintf(line, sizeof line, "%s%s", lists, cases[i].zip);
        snprintf(message, sizeof message, "--zip: %s", cases[i].message);
        check_refused(line, message);
    }
}

/* ---- Points that are left out ---- */

static void test_where_numbers_the_points_that_stay(void) {
    CHECK_STRING(points_of("--layers\n1..4\n--act\nrelu,tanh\n--where\nlayers>2||act==ReLU"),
                 "1/relu 2/relu 3/relu 3/tanh 4/relu 4/tanh");
    CHECK_STRING(points_of("--layers\n1..3\n--where=width==128&&skip<2"), "1 2 3");
    CHECK_STRING(points_of("--layers=1..3\n--act=relu,tanh,elu\n--zip=layers,act\n"
                           "--where=layers==2||act==elu"),
                 "2/tanh 3/elu:1");
    CHECK_STRING(points_of("--clip\nnone,norm:1,norm:5,value:1\n--where\nclip==norm"),
                 "norm:1 norm:5");
    CHECK_STRING(points_of("--lr\nauto,.1,.2\n--where\nlr<=.1"), "0.1");
    CHECK_STRING(points_of("--layers\n1,2\n--where\nlayers==1\n--where\nlayers==2"), "2");
    check_refused("--layers=1..3\n--act=relu,tanh\n--where=layers>3",
                  "--where: expected to leave points, got none of 6");
    check_refused("--layers\n1..3\n--where\nlayers>",
                  "--where: expected a value at character 8, got nothing");
}

/* Across the blocks in which they are counted, in any order. */
static void test_any_point_is_found_again(void) {
    for (size_t layers = 250; layers < 1030; layers += layers < 260 ? 1 : 250) {
        char line[128], message[128];
        snprintf(line, sizeof line, "--layers=1..%zu\n--seed=0..9\n--where=layers>=255&&seed!=3",
                 layers);
        if (layers < 255) {
            snprintf(message, sizeof message, "--where: expected to leave points, got none of %zu",
                     10 * layers);
            check_refused(line, message);
            continue;
        }
        cli_grid *grid = grid_of(line);
        uint64_t points = cli_grid_points(grid);
        CHECK(points == (layers - 254) * 9);
        for (uint64_t i = 0; i < points; i++) {
            uint64_t point = 1 + i * 7919 % points;
            gs_config *config = cli_grid_config(grid, point, NULL);
            CHECK(config->layers == 255 + (point - 1) / 9);
            CHECK(config->seed == (point - 1) % 9 + ((point - 1) % 9 >= 3));
            gs_config_free(config);
        }
        cli_grid_free(grid);
    }
}

/* ---- How much ---- */

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void test_ten_million_points_are_counted_in_a_moment(void) {
    double start = seconds();
    cli_grid *grid = grid_of("--layers=1..1000\n--seed=1..1000\n--act=relu,tanh\n--batch=2..6\n"
                             "--where=layers>500&&!(seed<=10||act==tanh&&batch>=4)||skip>1");
    CHECK(cli_grid_points(grid) == (uint64_t)500 * 990 * (5 + 2));
    /* 0.2 s on one core of 2020, and tens of times that under a sanitizer of a busy machine */
    CHECK_THAT(seconds() - start < 20, "it took %g s", seconds() - start);
    gs_config *config = cli_grid_config(grid, cli_grid_points(grid), NULL);
    CHECK(config->layers == 1000 && config->seed == 1000 && config->batch == 3);
    gs_config_free(config);
    cli_grid_free(grid);
}

static void test_more_than_ten_million_points_are_refused(void) {
    check_refused("--layers=1..1000\n--seed=1..10001\n--skip=1",
                  "expected at most 10000000 points, got 10001000: 1000 of --layers times 10001 of "
                  "--seed");
    check_refused("--layers=1..1000000\n--width=1..1000000\n--seed=1..1000000\n--batch=1..1000000\n"
                  "--where=layers==1",
                  "expected at most 10000000 points, got 1e+24: 1000000 of --layers times 1000000 "
                  "of --width times 1000000 of --batch times 1000000 of --seed");
    check_refused("--layers=1..4000\n--seed=1..4000\n--act=relu,elu\n--bias=0,1\n--zip=bias,act",
                  "expected at most 10000000 points, got 32000000: 4000 of --layers times 2 of "
                  "--act times 4000 of --seed");
    check_refused("--layers=1..1000000000000",
                  "--layers: expected at most 1000000 values, got '1..1000000000000'");
}

static void test_what_runs_a_sweep_has_one_value(void) {
    check_refused("--seeds=1,2", "--seeds: expected one value, got '1,2'");
    check_refused("--threads\n1..4", "--threads: expected one value, got '1..4'");
    check_refused("--memory\n1G,half", "--memory: expected one value, got '1G,half'");
    cli_grid *grid = grid_of("--seeds=4\n--threads=2\n--memory=1G\n--layers=2,3");
    gs_config *config = cli_grid_config(grid, 2, NULL);
    CHECK(config->seeds == 4 && config->threads == 2 && config->memory == (size_t)1 << 30);
    gs_config_free(config);
    cli_grid_free(grid);
}

static void test_every_allocation_may_fail(void) {
    cli_lists lists;
    CHECK(cli_lists_new(&lists, NULL) == GS_OK);
    for (size_t i = 0; i < gs_config_options.count; i++) {
        const char *name = gs_config_options.rows[i].name;
        const char *text = strcmp(name, "layers") == 0  ? "1..3"
                           : strcmp(name, "data") == 0  ? "a,b"
                           : strcmp(name, "width") == 0 ? "4,5-6"
                                                        : NULL;
        if (text)
            CHECK(gs_option_parse(&lists.rows[i], lists.texts, text, NULL) == GS_OK);
    }
    size_t nth = 1;
    for (bool failed = true; failed; nth++) {
        gs_error error = {0};
        test_fail_allocation(nth);
        cli_grid *grid = cli_grid_new(&lists, "width,data", "layers!=2&&data!=a", &error);
        gs_config *config = grid ? cli_grid_config(grid, 2, &error) : NULL;
        failed = test_allocation_failed();
        test_fail_allocation(0);
        CHECK(failed == !config && (!failed || error.code == GS_ERR_MEMORY));
        gs_config_free(config);
        cli_grid_free(grid);
    }
    CHECK_THAT(nth > 100, "%zu allocations", nth);
    cli_lists_free(&lists);
    for (size_t i = 1; i < 3; i++) {
        test_fail_allocation(i);
        CHECK(cli_lists_new(&lists, NULL) == GS_ERR_MEMORY);
        test_fail_allocation(0);
    }
}

TEST_MAIN(TEST(test_the_table_orders_axes_and_the_first_is_slowest),
          TEST(test_one_value_of_each_option_is_one_point), TEST(test_flags_are_lists_too),
          TEST(test_texts_may_be_lists),
          TEST(test_zipped_options_are_one_axis_at_the_first_of_them),
          TEST(test_several_zips_are_several_axes), TEST(test_bad_zips_are_refused),
          TEST(test_where_numbers_the_points_that_stay), TEST(test_any_point_is_found_again),
          TEST(test_ten_million_points_are_counted_in_a_moment),
          TEST(test_more_than_ten_million_points_are_refused),
          TEST(test_what_runs_a_sweep_has_one_value), TEST(test_every_allocation_may_fail))
