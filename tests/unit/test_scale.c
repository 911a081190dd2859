/* Scales: ticks are round, few, in range and told apart, whatever the range is. */
#include "report/scale.h"

#include "base/text.h"
#include "test.h"

static gs_range range_of(double low, double high) {
    return (gs_range){.low = low, .high = high};
}

static const gs_quantity plain = {.label = "x"};
static const gs_quantity whole = {.label = "layer", .whole = true};
static const gs_quantity decades = {.label = "norm", .decades = true};

static void check_labels(gs_quantity quantity, double low, double high, size_t most,
                         const char *expected) {
    gs_scale scale;
    char all[512] = "", text[40];
    gs_scale_fit(&scale, &quantity, range_of(low, high), most);
    if (quantity.whole)
        gs_scale_add_ends(&scale);
    for (size_t i = 0; i < scale.count; i++) {
        gs_scale_line(&scale, i, text);
        strcat(strcat(all, i > 0 ? " " : ""), text);
    }
    CHECK_STRING(all, expected);
}

static void test_ticks_are_multiples_of_1_2_or_5(void) {
    check_labels(plain, 0, 1, 5, "0 0.2 0.4 0.6 0.8 1.0");
    check_labels(plain, -0.3, 0.3, 6, "-0.3 -0.2 -0.1 0 0.1 0.2 0.3");
    check_labels(plain, 12, 88, 4, "20 40 60 80");
    check_labels(plain, 0, 4000, 4, "0 1000 2000 3000 4000");
    check_labels(plain, 0, 3e9, 3, "0 10^9 2e9 3e9");
    check_labels(plain, 1e-7, 5e-7, 5, "10^-7 2e-7 3e-7 4e-7 5e-7");
}

static void test_whole_numbers_have_whole_ticks_and_their_ends(void) {
    check_labels(whole, 1, 96, 5, "1 20 40 60 80 96");
    check_labels(whole, 1, 3, 10, "1 2 3");
    check_labels(whole, 1, 81, 5, "1 20 40 60 80");
    check_labels(whole, 7, 7, 5, "6 7 8");
    check_labels(whole, 0, 1000, 5, "0 200 400 600 800 1000");
}

static void test_decades_are_powers_of_ten_or_their_parts(void) {
    check_labels(decades, -62.3, -0.5, 7, "10^-60 10^-50 10^-40 10^-30 10^-20 10^-10");
    check_labels(decades, -6300, 0, 7,
                 "10^-6000 10^-5000 10^-4000 10^-3000 10^-2000 10^-1000 10^0");
    check_labels(decades, -2, 0, 8, "0.01 0.02 0.05 0.1 0.2 0.5 1");
    check_labels(decades, -21, -20, 8, "10^-21 2e-21 5e-21 10^-20");
    check_labels(decades, -1, 3, 5, "10^-1 10^0 10^1 10^2 10^3");
}

static void test_what_is_level_spans_a_decade(void) {
    gs_scale scale;
    gs_scale_fit(&scale, &decades, range_of(-3, -3), 6);
    CHECK(scale.low == -3.5 && scale.high == -2.5 && scale.count >= 2);
    gs_scale_fit(&scale, &decades, range_of(0, 0.25), 6);
    CHECK_CLOSE(scale.high - scale.low, 1, 1e-12);
    CHECK_CLOSE(scale.low + scale.high, 0.25, 1e-12);
}

static void check_sound(const gs_quantity *quantity, double low, double high, size_t most) {
    gs_scale scale;
    char text[40], before[40] = "";
    gs_scale_fit(&scale, quantity, range_of(low, high), most);
    CHECK_THAT(isfinite(scale.low) && isfinite(scale.high) && scale.low < scale.high,
               "%g to %g is a scale from %g to %g", low, high, scale.low, scale.high);
    CHECK_THAT(scale.count <= 3 * most + 3 && scale.count <= GS_TICKS_MOST,
               "%g to %g has %zu ticks for %zu", low, high, scale.count, most);
    for (size_t i = 0; i < scale.count; i++) {
        double tick = scale.ticks[i], value = 0;
        gs_scale_line(&scale, i, text);
        CHECK_THAT(tick >= scale.low && tick <= scale.high, "%g to %g has tick %g", low, high,
                   tick);
        CHECK_THAT(i == 0 || tick > scale.ticks[i - 1], "%g to %g: ticks descend", low, high);
        CHECK_THAT(strcmp(text, before) != 0, "%g to %g: two ticks are %s", low, high, text);
        CHECK_THAT(strspn(text, "-0.") < strlen(text) || strcmp(text, "0") == 0,
                   "%g to %g: a tick is %s", low, high, text);
        strcpy(before, text);
        if (quantity->decades || strncmp(text, "10^", 3) == 0)
            continue;
        bool number = gs_parse_real(text, &value) == GS_TEXT_OK;
        CHECK_THAT(number &&
                       fabs(value - tick) <= 1e-6 * (scale.high - scale.low) + 1e-4 * fabs(tick),
                   "%g to %g: the tick at %.17g says %s", low, high, tick, text);
    }
}

static void test_every_range_has_a_sound_scale(void) {
    static const double ends[] = {0,     1e-300, 5e-324, 1e-17,  0.1,  1,     1.0000001, 2.5,    7,
                                  99.99, 100,    1e5,    123456, 1e17, 1e200, 1e300,     1.7e308};
    enum { ENDS = sizeof ends / sizeof *ends };
    const gs_quantity *kinds[] = {&plain, &whole, &decades};
    for (size_t i = 0; i < 2 * ENDS; i++)
        for (size_t j = 0; j < 2 * ENDS; j++) {
            double a = i < ENDS ? ends[i] : -ends[i - ENDS];
            double b = j < ENDS ? ends[j] : -ends[j - ENDS];
            for (size_t kind = 0; kind < 3; kind++)
                for (size_t most = 2; most <= 20 && a <= b; most += 6)
                    check_sound(kinds[kind], a, b, most);
        }
}

static void test_ordinary_ranges_have_two_ticks_or_more(void) {
    uint64_t state = 1;
    for (size_t i = 0; i < 3000; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        double low = (double)(int64_t)(state >> 20) * 1e-10;
        state = state * 6364136223846793005u + 1442695040888963407u;
        double high = low + (double)(state >> 30) * 1e-8;
        gs_scale scale;
        gs_scale_fit(&scale, i % 2 ? &plain : &decades, range_of(low, high), 2 + i % 19);
        CHECK_THAT(scale.count >= 2, "%.17g to %.17g has %zu ticks", low, high, scale.count);
    }
}

static void test_nothing_is_a_scale_from_0_to_1(void) {
    gs_scale scale;
    gs_scale_fit(&scale, &plain, range_of(NAN, NAN), 5);
    CHECK(scale.low == 0 && scale.high == 1 && scale.count > 1);
}

static void test_the_place_of_a_value(void) {
    gs_scale scale;
    gs_scale_fit(&scale, &plain, range_of(-1, 3), 5);
    CHECK(gs_scale_share(&scale, -1) == 0 && gs_scale_share(&scale, 3) == 1);
    CHECK(gs_scale_share(&scale, 0) == 0.25);
    gs_scale_pad(&scale, 0.5);
    CHECK(scale.low == -3 && scale.high == 5 && gs_scale_share(&scale, 1) == 0.5);
    CHECK(isfinite(gs_scale_share(&scale, 1.7e308)));
}

static void test_cells_have_few_digits_and_no_negative_zero(void) {
    char text[32];
    gs_format_cell(text, -12.345, 60);
    CHECK_STRING(text, "-12.3");
    gs_format_cell(text, -0.04, 60);
    CHECK_STRING(text, "0.0");
    gs_format_cell(text, 1.005, 3);
    CHECK_STRING(text, "1.00");
    gs_format_cell(text, 1234.5, 2000);
    CHECK_STRING(text, "1234");
    gs_format_cell(text, 1.25e-7, 2e-7);
    CHECK_STRING(text, "1.2e-07");
    gs_format_cell(text, 0, 0);
    CHECK_STRING(text, "0.00");
}

TEST_MAIN(TEST(test_ticks_are_multiples_of_1_2_or_5),
          TEST(test_whole_numbers_have_whole_ticks_and_their_ends),
          TEST(test_decades_are_powers_of_ten_or_their_parts),
          TEST(test_what_is_level_spans_a_decade), TEST(test_every_range_has_a_sound_scale),
          TEST(test_ordinary_ranges_have_two_ticks_or_more),
          TEST(test_nothing_is_a_scale_from_0_to_1), TEST(test_the_place_of_a_value),
          TEST(test_cells_have_few_digits_and_no_negative_zero))
