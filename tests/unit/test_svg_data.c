/* SVG: true to the data. */
#include "test_svg.h"

#include "report/palette.h"

/* The data of the first path of a class. */
static const char *path_of(const char *svg, const char *class) {
    char pattern[64];
    snprintf(pattern, sizeof pattern, "<path class=\"%s\" d=\"", class);
    const char *at = strstr(svg, pattern);
    return at ? at + strlen(pattern) : svg + strlen(svg);
}

static size_t read_path(const char *at, double (*points)[2], size_t most) {
    size_t count = 0;
    while (count < most && *at != '"') {
        at += strspn(at, "M ");
        char *end;
        points[count][0] = strtod(at, &end);
        points[count++][1] = strtod(end + 1, &end);
        at = end;
    }
    return count;
}

static void read_numbers(const char *svg, const char *name, double *numbers, size_t count) {
    char pattern[32];
    snprintf(pattern, sizeof pattern, " %s=\"", name);
    char *at = strstr(svg, pattern);
    CHECK(at);
    at = at ? at + strlen(pattern) : (char *)svg;
    for (size_t i = 0; i < count; i++)
        numbers[i] = strtod(at, &at);
}

static void test_a_page_can_read_the_values_off_a_line(void) {
    figure_of_lines all;
    static double points[FIGURE_POINTS + 1][2];
    double box[4], x[2], y[2];
    figure_new(&all);
    all.panels[0].series_count = 1;
    all.series[0].theory = NULL;
    char *svg = picture(&all.figure, 0);
    read_numbers(svg, "data-box", box, 4);
    read_numbers(svg, "data-x", x, 2);
    read_numbers(svg, "data-y", y, 2);
    CHECK(y[0] < all.low[0] && y[1] > all.high[FIGURE_POINTS - 1]); /* the band is inside */
    CHECK(read_path(path_of(svg, "gs-line"), points, FIGURE_POINTS + 1) == FIGURE_POINTS);
    for (size_t i = 0; i < FIGURE_POINTS; i++) {
        double at_x = x[0] + (points[i][0] - box[0]) / box[2] * (x[1] - x[0]);
        double at_y = y[1] - (points[i][1] - box[1]) / box[3] * (y[1] - y[0]);
        /* Two decimals of a pixel. */
        CHECK(fabs(at_x - all.x[i]) <= 0.006 / box[2] * (x[1] - x[0]));
        CHECK(fabs(at_y - all.y[0][i]) <= 0.006 / box[3] * (y[1] - y[0]));
    }
    free(svg);
}

static void test_many_points_are_thinned_but_not_their_extremes(void) {
    enum { MANY = 10000 };
    static double x[MANY], y[MANY], points[MANY][2];
    double box[4];
    for (size_t i = 0; i < MANY; i++) {
        x[i] = (double)i;
        y[i] = (double)(i % 3);
    }
    y[4321] = 1000;
    y[7777] = -1000;
    gs_series series = {.name = "loss", .count = MANY, .x = x, .y = y, .low = y, .high = y};
    gs_panel panel = {.series_count = 1, .series = &series};
    gs_figure figure = {.kind = GS_FIGURE_LINES, .panel_count = 1, .panels = &panel};
    char *svg = picture(&figure, 0);
    size_t count = read_path(path_of(svg, "gs-line"), points, MANY);
    double low = INFINITY, high = -INFINITY;
    read_numbers(svg, "data-box", box, 4);
    for (size_t i = 0; i < count; i++) {
        low = fmin(low, points[i][1]);
        high = fmax(high, points[i][1]);
    }
    CHECK_THAT((double)count <= 4 * (box[2] + 1), "%zu points", count);
    CHECK_CLOSE(high - low, box[3] / 1.06, 1e-3); /* the scale has a margin of 3 % a side */
    CHECK(strlen(svg) < 120000);
    free(svg);
}

/* The picture of one series. */
static char *picture_of(figure_of_lines *all, size_t series) {
    all->panels[0].series = &all->series[series];
    all->panels[0].series_count = 1;
    return picture(&all->figure, 0);
}

static size_t pieces_of(const char *path) {
    size_t pieces = 0;
    for (; *path && *path != '"'; path++)
        pieces += *path == 'M';
    return pieces;
}

static void test_what_is_not_finite_is_marked_and_gaps_are_gaps(void) {
    figure_of_lines all;
    figure_new(&all);
    char *svg = picture_of(&all, 2);
    CHECK(pieces_of(path_of(svg, "gs-edge")) > 2);
    CHECK(strstr(svg, "exactly 0") && !strstr(svg, "infinite"));
    /* Points 30 to 59 without the multiples of 7: 35, 42, 49, 56. */
    CHECK(pieces_of(path_of(svg, "gs-line")) == 5);
    free(svg);
    svg = picture_of(&all, 1);
    CHECK(strstr(svg, "infinite") && !strstr(svg, "exactly 0"));
    free(svg);
}

static void test_what_some_seeds_lose_is_marked_below_their_line(void) {
    figure_of_lines all;
    double edges[FIGURE_POINTS];
    figure_new(&all);
    for (size_t i = 0; i < FIGURE_POINTS; i++)
        edges[i] = i < 3 ? -INFINITY : (double)NAN;
    all.series[0].edges = edges;
    all.figure.edges = "for some";
    char *svg = picture_of(&all, 0);
    CHECK(pieces_of(path_of(svg, "gs-edge")) > 0 && count_of(svg, "exactly 0 for some") == 1);
    CHECK(pieces_of(path_of(svg, "gs-line")) == 1);
    free(svg);
}

static void test_a_single_point_is_seen(void) {
    figure_of_lines all;
    figure_new(&all);
    char *svg = picture_of(&all, 4);
    CHECK(pieces_of(path_of(svg, "gs-points")) == 1);
    free(svg);
}

static void test_a_name_looks_alike_in_every_panel(void) {
    figure_of_lines all;
    gs_figure *figure = figure_new(&all);
    gs_series other[] = {all.series[1], all.series[0]};
    all.panels[1].series = other;
    all.panels[1].series_count = 2;
    figure->panel_count = 2;
    char *svg = picture(figure, 0);
    CHECK(count_of(svg, "data-series=\"0\" data-name=\"sigmoid\"") == 2);
    CHECK(count_of(svg, "data-series=\"1\" data-name=\"relu, he\"") == 2);
    CHECK(count_of(svg, "class=\"gs-legend gs-c1\" data-series=\"1\"") == 1);
    free(svg);
}

static void test_a_page_can_read_the_values_of_a_map(void) {
    figure_of_map all;
    double values[12], columns[4], rows[3], cell[2];
    char *svg = picture(map_new(&all), 0);
    read_numbers(svg, "data-values", values, 12);
    read_numbers(svg, "data-columns", columns, 4);
    read_numbers(svg, "data-rows", rows, 3);
    read_numbers(svg, "data-cell", cell, 2);
    for (size_t i = 0; i < 12; i++)
        CHECK_CLOSE(values[i], all.values[i], 1e-3);
    CHECK(columns[1] == columns[0] + cell[0] && columns[2] > columns[1] + cell[0]);
    CHECK(rows[1] == rows[0] + cell[1] && rows[2] == rows[1] + cell[1]);
    CHECK(strstr(
        svg,
        "data-column-names=\"norm none, init xavier&#10;norm none, init he&#10;norm batch, init "));
    CHECK(strstr(svg, "not finite") && strstr(svg, "healthy"));
    free(svg);
}

static void test_names_of_levels_stand_to_the_left_of_their_texts(void) {
    figure_of_map all;
    double box[4];
    char long_name[] = "a name that is wider than its column";
    const char *names[] = {long_name, "he", "xavier", "he"};
    gs_figure *figure = map_new(&all);
    for (size_t slanted = 0; slanted < 2; slanted++) {
        all.columns[1].texts = slanted ? names : all.columns[1].texts;
        char *svg = picture(figure, 400);
        const char *init = strstr(svg, ">init</text>"), *norm = strstr(svg, ">norm</text>");
        read_numbers(svg, "data-box", box, 4);
        CHECK((count_of(svg, "rotate(-45)") == 4) == slanted);
        for (size_t i = 0; init && norm && i < 2; i++) {
            const char *tag = i == 0 ? init : norm;
            while (*tag != '<')
                tag--;
            CHECK(attribute(tag, "x") < box[0] && attribute(tag, "y") > box[1] + box[3]);
        }
        CHECK(init && norm);
        free(svg);
    }
}

static void test_numbers_that_are_logarithms_are_called_that(void) {
    figure_of_map all;
    gs_figure *figure = map_new(&all);
    char *svg = picture(figure, 0);
    CHECK(!strstr(svg, "numbers: log10"));
    free(svg);
    figure->value.decades = true;
    svg = picture(figure, 0);
    CHECK(count_of(svg, "numbers: log10") == 1);
    free(svg);
}

static void test_zero_is_neutral_and_signs_have_hues(void) {
    gs_color zero = gs_palette_signed(0), low = gs_palette_signed(-1), high = gs_palette_signed(1);
    CHECK(zero.red == zero.blue && zero.red > 0xf0);
    CHECK(low.blue > low.red && high.red > high.blue);
    double values[] = {0, -30};
    figure_of_map all;
    gs_figure *figure = map_new(&all);
    all.panels[0] = (gs_panel){.values = values};
    figure->columns.count = 2;
    figure->rows.count = 1;
    char *svg = picture(figure, 0);
    CHECK(strstr(svg, "<path fill=\"#f7f7f7\"") && strstr(svg, "<path fill=\"#053061\""));
    free(svg);
}

static void test_a_large_map_is_thinned_but_not_what_is_not_finite(void) {
    enum { ROWS = 500, COLUMNS = 2000 };
    static double values[ROWS * COLUMNS];
    values[123 * COLUMNS + 1234] = INFINITY;
    gs_panel panel = {.values = values};
    gs_figure figure = {.kind = GS_FIGURE_MAP,
                        .panel_count = 1,
                        .panels = &panel,
                        .columns = {.count = COLUMNS},
                        .rows = {.count = ROWS}};
    char *svg = picture(&figure, 0);
    CHECK(strlen(svg) < 500000);
    CHECK(count_of(strstr(svg, "data-values"), "inf\"") + count_of(svg, " inf ") >= 1);
    free(svg);
}

TEST_MAIN(TEST(test_a_page_can_read_the_values_off_a_line),
          TEST(test_many_points_are_thinned_but_not_their_extremes),
          TEST(test_what_is_not_finite_is_marked_and_gaps_are_gaps),
          TEST(test_what_some_seeds_lose_is_marked_below_their_line),
          TEST(test_a_single_point_is_seen), TEST(test_a_name_looks_alike_in_every_panel),
          TEST(test_a_page_can_read_the_values_of_a_map),
          TEST(test_names_of_levels_stand_to_the_left_of_their_texts),
          TEST(test_numbers_that_are_logarithms_are_called_that),
          TEST(test_zero_is_neutral_and_signs_have_hues),
          TEST(test_a_large_map_is_thinned_but_not_what_is_not_finite))
