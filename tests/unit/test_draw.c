/* Figures in a terminal: no wider than asked for, no byte that the terminal would obey. */
#include "report/draw.h"

#include "test_figure.h"

static char *drawing(const gs_figure *figure, gs_draw_style style) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    gs_error error;
    CHECK(gs_draw_write(out, figure, style, &error) == GS_OK);
    fclose(out);
    return text;
}

static const gs_draw_style styles[] = {
    {.width = 80},
    {.width = 80, .unicode = true},
    {.width = 80, .color = true},
    {.width = 80, .unicode = true, .color = true},
    {.width = 41},
    {.width = 200, .unicode = true, .color = true},
};
enum { STYLES = sizeof styles / sizeof *styles };

/* The end of a colour code, ESC [ digits and semicolons m; NULL if it is none. */
static const char *code_end(const char *at) {
    if (at[1] != '[')
        return NULL;
    at += 2;
    at += strspn(at, "0123456789;");
    return *at == 'm' ? at + 1 : NULL;
}

static void check_sound(const gs_figure *figure, gs_draw_style style) {
    char *text = drawing(figure, style);
    size_t column = 0;
    bool plain = true;
    for (const char *at = text; *at;) {
        unsigned char byte = (unsigned char)*at;
        CHECK_THAT(style.unicode || byte < 0x80, "byte %02x where there is only ASCII", byte);
        if (byte == 0x1b) {
            const char *end = style.color ? code_end(at) : NULL;
            CHECK_THAT(end, "an escape that is no colour in %.40s", text);
            if (!end)
                break;
            plain = strncmp(at, "\033[0m", 4) == 0;
            at = end;
            continue;
        }
        CHECK_THAT(byte == '\n' || (byte >= 0x20 && byte != 0x7f), "control %02x", byte);
        CHECK_THAT(byte != '\n' || plain, "a line ends in colour in %.40s", text);
        CHECK_THAT(byte != '\n' || at == text || at[-1] != ' ' || style.color,
                   "a line ends in a space in %.40s", text);
        column = byte == '\n' ? 0 : column + ((byte & 0xc0) != 0x80);
        CHECK_THAT(column <= style.width, "a line of %.40s is wider than %zu", text, style.width);
        at++;
    }
    CHECK(strlen(text) < 100000);
    free(text);
}

static void test_lines_are_no_wider_than_asked_for(void) {
    figure_of_lines lines;
    figure_of_map cells;
    gs_figure *figures[] = {figure_new(&lines), map_new(&cells)};
    for (size_t i = 0; i < STYLES; i++)
        for (size_t panels = 0; panels <= 2; panels++)
            for (size_t f = 0; f < 2; f++) {
                figures[f]->panel_count = panels;
                check_sound(figures[f], styles[i]);
            }
}

static void test_hostile_texts_stay_texts(void) {
    for (size_t i = 0; i < HOSTILE_TEXTS * STYLES; i++) {
        const char *text = hostile_text(i / STYLES), *texts[] = {text, text, text, text};
        figure_of_lines lines;
        gs_figure *figure = figure_new(&lines);
        figure->title = figure->subtitle = figure->x.label = figure->y.label = text;
        figure->dashed = lines.panels[0].title = lines.series[0].name = text;
        check_sound(figure, styles[i % STYLES]);
        figure_of_map cells;
        figure = map_new(&cells);
        figure->title = figure->value.label = figure->missing = figure->outline = text;
        cells.columns[0] = cells.columns[1] = cells.rows[0] = (gs_head){text, texts};
        check_sound(figure, styles[i % STYLES]);
    }
}

static void test_texts_that_are_absent_are_left_out(void) {
    const char *const none[] = {NULL, NULL, NULL, NULL};
    figure_of_lines lines;
    gs_figure *figure = figure_new(&lines);
    figure->title = figure->subtitle = figure->x.label = figure->y.label = NULL;
    figure->dashed = lines.panels[0].title = lines.series[0].name = NULL;
    check_sound(figure, styles[0]);
    figure_of_map cells;
    figure = map_new(&cells);
    figure->title = figure->value.label = figure->missing = figure->outline = NULL;
    cells.columns[0] = cells.columns[1] = cells.rows[0] = (gs_head){NULL, none};
    check_sound(figure, styles[0]);
}

static void test_figures_of_nothing_are_drawn(void) {
    figure_of_lines lines;
    gs_figure *figure = figure_new(&lines);
    lines.panels[0].series += 3;
    lines.panels[0].series_count = 1;
    check_sound(figure, styles[1]);
    lines.panels[0].series_count = 0;
    check_sound(figure, styles[1]);
    figure_of_map cells;
    figure = map_new(&cells);
    for (size_t i = 0; i < 12; i++)
        cells.values[i] = NAN;
    check_sound(figure, styles[1]);
    figure->rows.count = 0;
    check_sound(figure, styles[1]);
    figure->columns.count = 0;
    check_sound(figure, styles[1]);
}

static void test_a_line_in_ascii(void) {
    static const double x[] = {1, 2, 3, 4}, y[] = {-INFINITY, -30, -15, 0}, theory[] = {0, 0, 0, 0};
    gs_series series = {.name = "tanh", .count = 4, .x = x, .y = y, .theory = theory};
    gs_panel panel = {.series_count = 1, .series = &series};
    gs_figure figure = {.kind = GS_FIGURE_LINES,
                        .title = "Title",
                        .panel_count = 1,
                        .panels = &panel,
                        .x = {.label = "layer", .whole = true},
                        .y = {.label = "norm \xe2\x88\x82", .decades = true},
                        .dashed = "theory"};
    static const char expected[] = "Title\n"
                                   "\n"
                                   "norm d\n"
                                   "  10^0 +. . . . . . . . . . . . . . . .o\n"
                                   "       |                              o\n"
                                   "       |                             o\n"
                                   " 10^-5 +                            o\n"
                                   "       |                           o\n"
                                   "       |                          o\n"
                                   "10^-10 +                         o\n";
    char *text = drawing(&figure, (gs_draw_style){.width = 41});
    text[strlen(expected)] = '\0';
    CHECK_STRING(text, expected);
    free(text);
    text = drawing(&figure, (gs_draw_style){.width = 41});
    CHECK(strstr(text, "\n        1         2          3         4\n"));
    CHECK(strstr(text, "o tanh   . theory   v exactly 0\n"));
    CHECK(strstr(text, "10^-30 +v         o\n"));
    free(text);
}

static void test_ticks_stand_above_the_middle_of_their_texts(void) {
    static const double x[] = {0, 20000}, y[] = {0, 1};
    gs_series series = {.count = 2, .x = x, .y = y};
    gs_panel panel = {.series_count = 1, .series = &series};
    gs_figure figure = {.kind = GS_FIGURE_LINES, .panel_count = 1, .panels = &panel};
    char *text = drawing(&figure, (gs_draw_style){.width = 80});
    const char *axis = strstr(text, "\n    ++-"), *labels = axis ? strchr(axis + 1, '\n') : NULL;
    const char *label = labels ? strstr(labels, " 10000") : NULL;
    CHECK(label && axis[label + 3 - labels] == '+');
    free(text);
}

static void test_one_line_is_drawn_in_braille(void) {
    static const double x[] = {1, 2}, y[] = {0, 0};
    gs_series series = {.count = 2, .x = x, .y = y};
    gs_panel panel = {.series_count = 1, .series = &series};
    gs_figure figure = {.kind = GS_FIGURE_LINES, .panel_count = 1, .panels = &panel};
    char *text = drawing(&figure, (gs_draw_style){.width = 80, .unicode = true});
    CHECK(strstr(text, "\xe2\xa0\x89\xe2\xa0\x89") || strstr(text, "\xe2\xa0\x92\xe2\xa0\x92") ||
          strstr(text, "\xe2\xa0\xa4\xe2\xa0\xa4") || strstr(text, "\xe2\xa3\x80\xe2\xa3\x80"));
    free(text);
}

static void test_lines_that_run_together_are_both_seen(void) {
    static const double x[] = {1, 50}, y[] = {-5, -5};
    gs_series series[] = {{.name = "a", .count = 2, .x = x, .y = y},
                          {.name = "b", .count = 2, .x = x, .y = y}};
    gs_panel panel = {.series_count = 2, .series = series};
    gs_figure figure = {.kind = GS_FIGURE_LINES, .panel_count = 1, .panels = &panel};
    char *text = drawing(&figure, (gs_draw_style){.width = 80});
    CHECK(strstr(text, "xoxoxoxoxoxo"));
    free(text);
}

static void test_a_small_map_is_a_table(void) {
    figure_of_map all;
    char *text = drawing(map_new(&all), (gs_draw_style){.width = 80});
    static const char expected[] = "Depth\n"
                                   "\n"
                                   "log10 of the ratio\n"
                                   "   norm none            batch\n"
                                   "   init  xavier      he  xavier      he\n"
                                   "    act\n"
                                   "sigmoid   -60.2   -48.5     0.2*    0.0*\n"
                                   "   tanh    -1.5*    1.8*    4.2       -\n"
                                   "   relu   -15.0    -0.5*    8.5     inf\n"
                                   "\n"
                                   "- not finite   * healthy\n";
    CHECK_STRING(text, expected);
    free(text);
}

static void test_a_column_is_as_wide_as_its_widest_number(void) {
    static const char *const letters[] = {"a", "b", "c", "d"};
    figure_of_map all;
    gs_figure *figure = map_new(&all);
    all.columns[1].texts = letters;
    char *text = drawing(figure, (gs_draw_style){.width = 80});
    CHECK(strstr(text, "\nsigmoid -60.2 -48.5   0.2*  0.0*\n"));
    CHECK(strstr(text, "\n   relu -15.0  -0.5*  8.5   inf\n"));
    free(text);
    all.outlined[0] = true; /* the sign must not touch the number after it */
    text = drawing(figure, (gs_draw_style){.width = 80});
    CHECK(strstr(text, "\nsigmoid  -60.2* -48.5    0.2*   0.0*\n"));
    free(text);
}

static void test_a_map_that_is_too_wide_is_split_between_its_groups(void) {
    figure_of_map all;
    gs_figure *figure = map_new(&all);
    figure->value.decades = true;
    all.columns[0].label = "a long label";
    char *text = drawing(figure, (gs_draw_style){.width = 40});
    static const char expected[] = "Depth\n"
                                   "\n"
                                   "log10 of the ratio\n"
                                   "a long label none\n"
                                   "        init  xavier      he\n"
                                   "         act\n"
                                   "     sigmoid   -60.2   -48.5\n"
                                   "        tanh    -1.5*    1.8*\n"
                                   "        relu   -15.0    -0.5*\n"
                                   "\n"
                                   "a long label batch\n"
                                   "        init  xavier      he\n"
                                   "         act\n"
                                   "     sigmoid     0.2*    0.0*\n"
                                   "        tanh     4.2       -\n"
                                   "        relu     8.5     inf\n"
                                   "\n"
                                   "numbers: log10   - not finite\n"
                                   "* healthy\n";
    CHECK_STRING(text, expected);
    free(text);
}

/* A group that is wider than the screen is split between those within, and named in each part. */
static void test_every_block_of_a_wide_map_has_all_heads(void) {
    enum { COLUMNS = 24 };
    static double values[COLUMNS];
    const char *texts[3][COLUMNS];
    for (size_t i = 0; i < COLUMNS; i++) {
        static const char *const names[3][2] = {
            {"adam", "sgd"}, {"none", "batch"}, {"he", "lecun"}};
        const size_t lengths[3] = {COLUMNS / 2, 4, 1};
        for (size_t k = 0; k < 3; k++)
            texts[k][i] = names[k][i / lengths[k] % 2];
        values[i] = (double)i / COLUMNS;
    }
    gs_head heads[] = {{"opt", texts[0]}, {"norm", texts[1]}, {"init", texts[2]}};
    gs_panel panel = {.values = values};
    gs_figure figure = {.kind = GS_FIGURE_MAP,
                        .panel_count = 1,
                        .panels = &panel,
                        .columns = {.count = COLUMNS, .levels = 3, .heads = heads},
                        .rows = {.count = 1}};
    for (size_t i = 0; i < STYLES; i++)
        check_sound(&figure, styles[i]);
    char *text = drawing(&figure, (gs_draw_style){.width = 60});
    static const char expected[] = " opt adam\n"
                                   "norm none                    batch\n"
                                   "init    he lecun    he lecun    he lecun    he lecun\n"
                                   "      0.00  0.04  0.08  0.12  0.17  0.21  0.25  0.29\n"
                                   "\n"
                                   " opt adam\n"
                                   "norm none\n"
                                   "init    he lecun    he lecun\n"
                                   "      0.33  0.38  0.42  0.46\n"
                                   "\n"
                                   " opt sgd\n";
    text[strlen(expected)] = '\0';
    CHECK_STRING(text, expected);
    free(text);
}

static void test_a_wide_map_is_drawn_in_steps(void) {
    enum { STEPS = 300, LAYERS = 48 };
    static double values[LAYERS * STEPS], steps[STEPS], layers[LAYERS];
    for (size_t i = 0; i < LAYERS * STEPS; i++) {
        steps[i % STEPS] = (double)(i % STEPS) * 10;
        layers[i / STEPS] = (double)(i / STEPS) + 1;
        values[i] = (double)(i / STEPS);
    }
    values[7] = INFINITY;
    values[30 * STEPS + 7] = -INFINITY;
    gs_panel panel = {.values = values};
    gs_figure figure = {.kind = GS_FIGURE_MAP,
                        .panel_count = 1,
                        .panels = &panel,
                        .columns = {.count = STEPS, .label = "step", .numbers = steps},
                        .rows = {.count = LAYERS, .label = "layer", .numbers = layers},
                        .upward = true,
                        .value = {.label = "norm", .decades = true}};
    for (size_t i = 0; i < STYLES; i++)
        check_sound(&figure, styles[i]);
    char *text = drawing(&figure, (gs_draw_style){.width = 80});
    CHECK(strstr(text, "@@@@@@@@@@") < strstr(text, "\n   20 "));
    CHECK(strstr(text, "\n   20 ") < strstr(text, "10 "));
    CHECK(strstr(text, " .!....") && strstr(text, " *0***"));
    CHECK(strstr(text, "10^0.0 .:-=+*#@ 10^47.0   0 exactly 0   ! infinite\n"));
    free(text);
}

static void test_every_allocation_may_fail(void) {
    figure_of_lines lines;
    const gs_figure *figure = figure_new(&lines);
    for (size_t nth = 1, failed = 1; failed; nth++) {
        gs_error error = {0};
        FILE *out = fopen("/dev/null", "w");
        test_fail_allocation(nth);
        gs_status status = gs_draw_write(out, figure, (gs_draw_style){0}, &error);
        failed = test_allocation_failed();
        test_fail_allocation(0);
        CHECK(status == (failed ? GS_ERR_MEMORY : GS_OK));
        fclose(out);
    }
}

TEST_MAIN(TEST(test_lines_are_no_wider_than_asked_for), TEST(test_hostile_texts_stay_texts),
          TEST(test_texts_that_are_absent_are_left_out), TEST(test_figures_of_nothing_are_drawn),
          TEST(test_a_line_in_ascii), TEST(test_ticks_stand_above_the_middle_of_their_texts),
          TEST(test_one_line_is_drawn_in_braille), TEST(test_lines_that_run_together_are_both_seen),
          TEST(test_a_small_map_is_a_table), TEST(test_a_column_is_as_wide_as_its_widest_number),
          TEST(test_a_map_that_is_too_wide_is_split_between_its_groups),
          TEST(test_every_block_of_a_wide_map_has_all_heads),
          TEST(test_a_wide_map_is_drawn_in_steps), TEST(test_every_allocation_may_fail))
