/*
 * A strip: one character a column, by decades below the largest.
 */
#include "test.h"

#include "report/strip.h"

static char text[1024];

static const char *strip(const double *log10s, size_t count, size_t columns, bool unicode) {
    size_t length = gs_strip_write(text, sizeof text, log10s, count, columns, unicode);
    CHECK(length == strlen(text));
    return text;
}

static const double decades[] = {-5,  -5.99, -6,        -7,          -8,      -9,
                                 -10, -11,   -12,       -12.99,      -13,     -14,
                                 -15, -300,  -INFINITY, (double)NAN, INFINITY};
enum { DECADES = sizeof decades / sizeof *decades };

static void test_ascii_counts_decades_below_the_largest(void) {
    CHECK_STRING(strip(decades, DECADES, DECADES, false), "001234567789..z!!");
}

static void test_a_block_of_unicode_loses_an_eighth_a_decade(void) {
    CHECK_STRING(strip(decades, DECADES, DECADES, true), "██▇▆▅▄▃▂▁▁····0!!");
}

static void test_there_are_no_more_columns_than_layers(void) {
    CHECK_STRING(strip(decades + 2, 3, 80, false), "012");
    CHECK_STRING(strip(decades, DECADES, 0, false), "");
    CHECK_STRING(strip(decades, 0, 80, false), "");
}

/* Layers 1, 2 | 3, 4 | 5, 6, 7: means -1, -3, -8. */
static void test_a_column_is_the_mean_of_its_layers(void) {
    const double values[] = {0, -2, -2.5, -3.5, -7, -8, -9};
    CHECK_STRING(strip(values, 7, 3, false), "027");
}

static void test_every_layer_is_in_one_column(void) {
    for (size_t count = 1; count < 40; count++)
        for (size_t columns = 1; columns <= count; columns++) {
            size_t layers_in[40] = {0};
            for (size_t layer = 0; layer < count; layer++) {
                double values[40] = {0};
                values[layer] = -INFINITY;
                const char *mark = strchr(strip(values, count, columns, false), 'z');
                CHECK(mark && mark == strrchr(text, 'z') && strlen(text) == columns);
                if (mark)
                    layers_in[mark - text]++;
            }
            for (size_t c = 0; c < columns; c++)
                CHECK(layers_in[c] >= count / columns && layers_in[c] <= count / columns + 1);
        }
}

static void test_the_worst_layer_marks_its_column(void) {
    const double values[] = {3, -INFINITY, -1, -1, -2, (double)NAN, -INFINITY, INFINITY};
    CHECK_STRING(strip(values, 8, 4, false), "z0!!");
}

static void test_a_strip_without_a_number_is_marks_alone(void) {
    const double values[] = {-INFINITY, (double)NAN};
    CHECK_STRING(strip(values, 2, 2, false), "z!");
    CHECK_STRING(strip(values, 2, 2, true), "0!");
}

static void test_characters_that_do_not_fit_are_left_out_whole(void) {
    const double values[] = {0, -1, -9};
    CHECK(gs_strip_write(text, 6, values, 3, 3, true) == 8);
    CHECK_STRING(text, "█");
    CHECK(gs_strip_write(text, 8, values, 3, 3, true) == 8);
    CHECK_STRING(text, "█▇");
    CHECK(gs_strip_write(text, 1, values, 3, 3, true) == 8);
    CHECK_STRING(text, "");
    CHECK(gs_strip_write(NULL, 0, values, 3, 3, true) == 8);
}

TEST_MAIN(TEST(test_ascii_counts_decades_below_the_largest),
          TEST(test_a_block_of_unicode_loses_an_eighth_a_decade),
          TEST(test_there_are_no_more_columns_than_layers),
          TEST(test_a_column_is_the_mean_of_its_layers), TEST(test_every_layer_is_in_one_column),
          TEST(test_the_worst_layer_marks_its_column),
          TEST(test_a_strip_without_a_number_is_marks_alone),
          TEST(test_characters_that_do_not_fit_are_left_out_whole))
