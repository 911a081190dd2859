/* SVG: well-formed whatever the texts hold, and with room between texts. */
#include "test_svg.h"

#include "report/svg_pen.h"

static void test_the_checker_refuses_what_is_not_xml(void) {
    CHECK(is_xml("<a b=\"c\"><d/>&lt;</a>\n"));
    CHECK(!is_xml("<a><b></a>\n"));
    CHECK(!is_xml("<a b=\"<\"/>\n"));
    CHECK(!is_xml("<a>&</a>\n"));
    CHECK(!is_xml("<a>\x01</a>\n"));
    CHECK(!is_xml("<a>\xff</a>\n"));
    CHECK(!is_xml("<a b=c/>\n"));
    CHECK(!is_xml("<a/><b/>\n"));
}

/* ---- Texts do not overlap, and are inside the picture ---- */

typedef struct {
    double left, right, top, bottom;
    char text[64];
} text_box;

static bool has_attribute(const char *tag, const char *text) {
    const char *at = strstr(tag, text), *end = strchr(tag, '>');
    return at && at < end;
}

static gs_pen_font font_of(const char *tag) {
    return has_attribute(tag, "gs-title")                                         ? GS_PEN_TITLE
           : has_attribute(tag, "gs-tick") || has_attribute(tag, "class=\"gs-on") ? GS_PEN_TICK
                                                                                  : GS_PEN_NAME;
}

/* What is read of a text element: tags within and entities taken out. */
static text_box box_of(const char *tag) {
    text_box box;
    size_t length = 0;
    const char *at = strchr(tag, '>') + 1, *end = strstr(at, "</text>");
    const char *title = strstr(at, "<title>");
    for (end = title && title < end ? title : end; at < end && length < 62; at++)
        if (*at == '<')
            at = strchr(at, '>');
        else if (*at == '&') {
            at = strchr(at, ';');
            box.text[length++] = '&';
        } else
            box.text[length++] = *at;
    box.text[length] = '\0';
    /* The widths of the pen have a margin of 6 %; superscripts are smaller. */
    double width = gs_pen_width(font_of(tag), box.text) / 1.06;
    double x = attribute(tag, "x"), y = attribute(tag, "y");
    box.left = x - (has_attribute(tag, "\"middle\"") ? width / 2
                    : has_attribute(tag, "\"end\"")  ? width
                                                     : 0);
    box.right = box.left + width;
    box.top = y - 8;
    box.bottom = y + 1;
    return box;
}

static void check_layout(const gs_figure *figure, double most) {
    static text_box boxes[600];
    char *svg = picture(figure, most);
    size_t count = 0;
    double width = attribute(svg, "width"), height = attribute(svg, "height");
    CHECK_THAT(width <= most && height > 0, "%g is wider than %g", width, most);
    CHECK(is_xml(svg));
    for (const char *at = svg; (at = strstr(at, "<text ")) && count < 600; at++)
        if (strncmp(at - 2, ">\n", 2) == 0 || strncmp(at - 2, "/>", 2) == 0)
            boxes[count++] = box_of(at);
    for (size_t i = 0; i < count; i++) {
        const text_box *a = &boxes[i];
        CHECK_THAT(a->left >= 0 && a->right <= width + 1 && a->top >= 0 && a->bottom <= height,
                   "'%s' of %s is not inside: %g to %g of %g, %g of %g", a->text, figure->title,
                   a->left, a->right, width, a->bottom, height);
        for (size_t j = 0; j < i; j++) {
            const text_box *b = &boxes[j];
            bool apart = a->left >= b->right || b->left >= a->right || a->top >= b->bottom ||
                         b->top >= a->bottom;
            CHECK_THAT(apart, "'%s' and '%s' of %s overlap", a->text, b->text, figure->title);
        }
    }
    free(svg);
}

static void test_texts_of_lines_have_room(void) {
    figure_of_lines all;
    gs_figure *figure = figure_new(&all);
    for (double width = 320; width <= 1000; width += 170)
        for (figure->panel_count = 1; figure->panel_count <= 3; figure->panel_count++) {
            all.series[2].count = figure->panel_count == 1 ? 0 : FIGURE_POINTS;
            check_layout(figure, width);
        }
}

/* Names stand at the ends of lines, whatever heights those have. */
static void test_names_at_the_ends_of_lines_have_room(void) {
    static double x[2] = {1, 96}, y[8][2];
    static const char *const names[] = {"a", "bb", "ccc", "dd", "eeeee", "ff", "g", "hhhhh"};
    gs_series series[8];
    gs_panel panel = {.series = series};
    uint64_t state = 7;
    for (size_t round = 0; round < 40; round++) {
        panel.series_count = 1 + round % 8;
        for (size_t s = 0; s < 8; s++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            y[s][0] = 0;
            y[s][1] = -(double)(state >> 60) * (round % 3 == 0 ? 0.2 : 4);
            series[s] = (gs_series){.name = names[s], .count = 2, .x = x, .y = y[s]};
            series[s].theory = round % 2 == 0 ? y[s] : NULL;
        }
        gs_figure figure = {.kind = GS_FIGURE_LINES,
                            .title = "Ends",
                            .panel_count = 1,
                            .panels = &panel,
                            .x = {.label = "layers", .whole = true},
                            .y = {.label = "ratio", .decades = true},
                            .dashed = "theory"};
        check_layout(&figure, 700);
    }
}

static void test_texts_of_maps_have_room(void) {
    figure_of_map all;
    gs_figure *figure = map_new(&all);
    for (double width = 340; width <= 1000; width += 110)
        check_layout(figure, width);
    figure->value.decades = true;
    check_layout(figure, 340);
}

static void test_texts_of_large_maps_have_room(void) {
    enum { ROWS = 300, COLUMNS = 30 };
    static double values[ROWS * COLUMNS];
    static char names[ROWS][24];
    const char *rows[ROWS], *columns[COLUMNS], *outer[COLUMNS];
    for (size_t i = 0; i < ROWS; i++) {
        snprintf(names[i], sizeof names[i], "value number %zu", i);
        rows[i] = names[i];
    }
    for (size_t i = 0; i < COLUMNS; i++) {
        columns[i] = names[i];
        outer[i] = i < 10 ? "a" : "a longer name than most";
    }
    gs_head row_heads[] = {{"act", rows}}, column_heads[] = {{"norm", outer}, {"init", columns}};
    gs_panel panels[] = {{.title = "one", .values = values}, {.title = "two", .values = values}};
    gs_figure figure = {.kind = GS_FIGURE_MAP,
                        .title = "Large",
                        .panels = panels,
                        .columns = {.count = COLUMNS, .levels = 2, .heads = column_heads},
                        .rows = {.count = ROWS, .levels = 1, .heads = row_heads},
                        .value = {.label = "ratio"}};
    for (figure.panel_count = 1; figure.panel_count <= 2; figure.panel_count++)
        for (double width = 400; width <= 1000; width += 200)
            check_layout(&figure, width);
}

static void test_long_texts_are_cut_where_they_must_be(void) {
    static char text[601];
    figure_of_lines all;
    gs_figure *figure = figure_new(&all);
    for (size_t i = 0; i < sizeof text - 1; i++)
        text[i] = i % 9 == 8 ? ' ' : 'm';
    figure->title = figure->subtitle = figure->x.label = figure->y.label = text;
    figure->dashed = figure->band = text;
    all.panels[0].title = all.panels[1].title = all.series[0].name = text;
    for (figure->panel_count = 1; figure->panel_count <= 2; figure->panel_count++)
        check_layout(figure, 760);
}

/* ---- Hostile and awkward figures ---- */

static void check_hostile(const gs_figure *figure) {
    char *svg = picture(figure, 0);
    CHECK_THAT(is_xml(svg), "not well-formed: %.60s", figure->title);
    CHECK(!strstr(svg, "<script"));
    CHECK_THAT(strlen(svg) < 200000, "%zu bytes", strlen(svg));
    free(svg);
}

static void test_hostile_texts_stay_texts(void) {
    for (size_t i = 0; i < HOSTILE_TEXTS; i++) {
        const char *text = hostile_text(i), *texts[] = {text, text, text, text};
        figure_of_lines lines;
        gs_figure *figure = figure_new(&lines);
        figure->title = figure->subtitle = figure->x.label = figure->y.label = text;
        figure->dashed = figure->band = text;
        lines.panels[0].title = lines.panels[1].title = lines.series[0].name = text;
        figure->panel_count = 2;
        check_hostile(figure);
        figure_of_map cells;
        figure = map_new(&cells);
        figure->title = figure->value.label = figure->missing = figure->outline = text;
        cells.columns[0] = cells.columns[1] = cells.rows[0] = (gs_head){text, texts};
        check_hostile(figure);
    }
}

static void test_texts_that_are_absent_are_left_out(void) {
    figure_of_lines lines;
    gs_figure *figure = figure_new(&lines);
    figure->title = figure->subtitle = figure->x.label = figure->y.label = NULL;
    figure->dashed = figure->band = lines.panels[0].title = lines.series[0].name = NULL;
    check_hostile(figure);
    figure_of_map cells;
    const char *const none[] = {NULL, NULL, NULL, NULL};
    figure = map_new(&cells);
    figure->title = figure->value.label = figure->missing = figure->outline = NULL;
    cells.columns[0] = cells.columns[1] = cells.rows[0] = (gs_head){NULL, none};
    check_hostile(figure);
}

static void test_figures_of_nothing_are_drawn(void) {
    figure_of_lines lines;
    gs_figure *figure = figure_new(&lines);
    lines.panels[0].series += 3; /* all nan */
    lines.panels[0].series_count = 1;
    check_hostile(figure);
    lines.panels[0].series_count = 0;
    check_hostile(figure);
    figure->panel_count = 0;
    check_hostile(figure);
    figure_of_map cells;
    figure = map_new(&cells);
    for (size_t i = 0; i < 12; i++)
        cells.values[i] = NAN;
    check_hostile(figure);
    figure->rows.count = 0;
    check_hostile(figure);
    figure->columns.count = 0;
    check_hostile(figure);
    figure->panel_count = 0;
    check_hostile(figure);
}

/* ---- The document ---- */

static void test_a_picture_in_a_page_has_no_style_of_its_own(void) {
    figure_of_lines all;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    gs_error error;
    gs_svg_write(out, figure_new(&all), (gs_svg_style){.inside = true}, &error);
    fclose(out);
    CHECK(is_xml(text) && !strstr(text, "<style>") && !strstr(text, " id="));
    free(text);
    out = open_memstream(&text, &size);
    gs_svg_write_rules(out);
    fclose(out);
    CHECK(strstr(text, ".gs-line{") && count_of(text, "{") == count_of(text, "}"));
    CHECK(!strpbrk(text, "<&"));
    free(text);
}

static void test_every_allocation_may_fail(void) {
    figure_of_lines lines;
    figure_of_map cells;
    const gs_figure *figures[] = {figure_new(&lines), map_new(&cells)};
    for (size_t i = 0; i < 2; i++)
        for (size_t nth = 1, failed = 1; failed; nth++) {
            gs_error error = {0};
            FILE *out = fopen("/dev/null", "w");
            test_fail_allocation(nth);
            gs_status status = gs_svg_write(out, figures[i], (gs_svg_style){0}, &error);
            failed = test_allocation_failed();
            test_fail_allocation(0);
            CHECK(status == (failed ? GS_ERR_MEMORY : GS_OK));
            CHECK(!failed || error.code == GS_ERR_MEMORY);
            fclose(out);
        }
}

TEST_MAIN(TEST(test_the_checker_refuses_what_is_not_xml), TEST(test_texts_of_lines_have_room),
          TEST(test_names_at_the_ends_of_lines_have_room), TEST(test_texts_of_maps_have_room),
          TEST(test_texts_of_large_maps_have_room),
          TEST(test_long_texts_are_cut_where_they_must_be), TEST(test_hostile_texts_stay_texts),
          TEST(test_texts_that_are_absent_are_left_out), TEST(test_figures_of_nothing_are_drawn),
          TEST(test_a_picture_in_a_page_has_no_style_of_its_own),
          TEST(test_every_allocation_may_fail))
