/*
 * Scales and their ticks.
 */
#include "report/scale.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* Between these, sums and quotients are neither infinite nor denormal. */
static double clamp(double value) {
    return fabs(value) < 1e-300 ? 0 : fmin(fmax(value, -1e300), 1e300);
}

/* 10^n, correctly rounded whatever n is. */
static double power_of_ten(int n) {
    char text[16];
    double value = 0;
    gs_format(text, sizeof text, "1e%d", n);
    gs_parse_real(text, &value);
    return value;
}

/* digit x 10^exponent >= width: the least with a digit of 1, 2 or 5. */
typedef struct {
    int digit, exponent;
} round_number;

static round_number round_up(double width) {
    char text[32];
    gs_format(text, sizeof text, "%.5e", width);
    int exponent = atoi(strchr(text, 'e') + 1);
    double lead = width / power_of_ten(exponent);
    static const int digits[] = {1, 2, 5};
    for (size_t i = 0; i < 3; i++)
        if (lead <= digits[i] * (1 + 1e-9))
            return (round_number){digits[i], exponent};
    return (round_number){1, exponent + 1};
}

static double step_value(round_number step) {
    return step.digit * power_of_ten(step.exponent);
}

static void add_tick(gs_scale *scale, double tick, int digit) {
    if (scale->count < GS_TICKS_MOST && tick >= scale->low && tick <= scale->high) {
        scale->ticks[scale->count] = tick;
        scale->digits[scale->count++] = (unsigned char)digit;
    }
}

/* Multiples of a step. A tick that should be an end of the scale is that end. */
static void add_multiples(gs_scale *scale, double step) {
    double slack = 1e-9 * step;
    double first = floor((scale->low - slack) / step) + 1;
    for (size_t i = 0; i <= GS_TICKS_MOST; i++) {
        double tick = (first + (double)i) * step;
        if (fabs(tick - scale->low) <= slack)
            tick = scale->low;
        if (fabs(tick - scale->high) <= slack)
            tick = scale->high;
        add_tick(scale, fabs(tick) <= slack ? 0 : tick, 1);
    }
}

/* Plain decimals as long as they are short. */
static void fit_numbers(gs_scale *scale, bool whole, size_t most) {
    round_number step = round_up((scale->high - scale->low) / (double)most);
    double largest = fmax(fabs(scale->low), fabs(scale->high));
    if (whole && step.exponent < 0)
        step = (round_number){1, 0};
    add_multiples(scale, step_value(step));
    int least = largest >= 0.01 ? -9 : -4;
    bool plain = largest <= 1e6 && step.exponent >= least;
    scale->labels = plain ? GS_LABELS_DECIMAL : GS_LABELS_EXPONENT;
    scale->last_digit = step.exponent;
}

/* Where whole decades would be too few: 1, 2 and 5 times each power of ten. */
static void add_parts_of_decades(gs_scale *scale) {
    static const double logs[] = {0, 0.30102999566398120, 0.69897000433601880};
    static const int digits[] = {1, 2, 5};
    for (double decade = floor(scale->low); decade <= scale->high; decade++)
        for (size_t i = 0; i < 3; i++)
            add_tick(scale, decade + logs[i], digits[i]);
    scale->labels = GS_LABELS_PARTS;
}

static void fit_decades(gs_scale *scale, size_t most) {
    if (3 * (scale->high - scale->low) <= (double)most && fabs(scale->high) < 1e6) {
        add_parts_of_decades(scale);
        return;
    }
    fit_numbers(scale, true, most);
    scale->labels = GS_LABELS_POWER;
}

/* A width of nothing, or of what rounding leaves, is nothing in the middle. */
static void widen(gs_scale *scale, const gs_quantity *quantity) {
    double largest = fmax(fabs(scale->low), fabs(scale->high));
    double least = quantity->decades ? 1 : 1e-9 * largest;
    double half = largest > 0 ? largest / 2 : 1;
    if (quantity->decades || quantity->whole)
        half = fmax(quantity->decades ? 0.5 : 1, 1e-9 * largest);
    if (scale->high - scale->low < least || scale->high == scale->low) {
        double middle = scale->low / 2 + scale->high / 2;
        scale->low = middle - half;
        scale->high = middle + half;
    }
}

void gs_scale_fit(gs_scale *scale, const gs_quantity *quantity, gs_range range, size_t most) {
    bool is_empty = !(range.low <= range.high);
    *scale = (gs_scale){.low = is_empty ? 0 : clamp(range.low),
                        .high = is_empty ? 1 : clamp(range.high)};
    most = most < 2 ? 2 : most > 20 ? 20 : most;
    widen(scale, quantity);
    for (; scale->count < 2 && most <= 20; most++) {
        scale->count = 0;
        if (quantity->decades)
            fit_decades(scale, most);
        else
            fit_numbers(scale, quantity->whole, most);
    }
}

void gs_scale_add_ends(gs_scale *scale) {
    size_t n = scale->count;
    if (n < 2 || n + 2 > GS_TICKS_MOST || scale->low != floor(scale->low) ||
        scale->high != floor(scale->high))
        return;
    double room = 0.6 * (scale->ticks[1] - scale->ticks[0]);
    if (scale->high - scale->ticks[n - 1] >= room)
        add_tick(scale, scale->high, 1);
    if (scale->ticks[0] - scale->low >= room) {
        memmove(scale->ticks + 1, scale->ticks, scale->count * sizeof *scale->ticks);
        scale->ticks[0] = scale->low;
        scale->count++;
    }
}

void gs_scale_pad(gs_scale *scale, double share) {
    double margin = share * (scale->high - scale->low);
    scale->low -= margin;
    scale->high += margin;
}

double gs_scale_share(const gs_scale *scale, double value) {
    return (clamp(value) - scale->low) / (scale->high - scale->low);
}

/* ---- Texts ---- */

static int exponent_of(double value) {
    char text[32];
    gs_format(text, sizeof text, "%.15e", value);
    return atoi(strchr(text, 'e') + 1);
}

/* 1 is not written: 10^20. */
static gs_tick_text with_exponent(double value, int last_digit) {
    gs_tick_text text = {"", ""};
    char digits[40];
    int decimals = exponent_of(value) - last_digit;
    gs_format(digits, sizeof digits, "%.*e",
              decimals < 0    ? 0
              : decimals > 15 ? 15
                              : decimals,
              value);
    char *end = strchr(digits, 'e');
    gs_format(text.exponent, sizeof text.exponent, "%d", atoi(end + 1));
    while (decimals > 0 && end[-1] == '0')
        end--;
    end -= end[-1] == '.';
    if (end - digits != 1 || *digits != '1')
        gs_format(text.plain, sizeof text.plain, "%.*s", (int)(end - digits), digits);
    return text;
}

static gs_tick_text part_text(const gs_scale *scale, size_t tick) {
    gs_tick_text text = {"", ""};
    int digit = scale->digits[tick], decade = (int)floor(scale->ticks[tick] + 1e-6);
    if (scale->low >= -4 && scale->high <= 6)
        gs_format(text.plain, sizeof text.plain, "%.7g", digit * power_of_ten(decade));
    else {
        gs_format(text.exponent, sizeof text.exponent, "%d", decade);
        if (digit > 1)
            gs_format(text.plain, sizeof text.plain, "%d", digit);
    }
    return text;
}

gs_tick_text gs_scale_text(const gs_scale *scale, size_t tick) {
    gs_tick_text text = {"", ""};
    double value = scale->ticks[tick];
    if (scale->labels == GS_LABELS_POWER)
        gs_format(text.exponent, sizeof text.exponent, "%.15g", value);
    else if (scale->labels == GS_LABELS_PARTS)
        text = part_text(scale, tick);
    else if (value == 0)
        strcpy(text.plain, "0");
    else if (scale->labels == GS_LABELS_EXPONENT)
        text = with_exponent(value, scale->last_digit);
    else
        gs_format(text.plain, sizeof text.plain, "%.*f",
                  scale->last_digit < 0 ? -scale->last_digit : 0, value);
    return text;
}

void gs_scale_line(const gs_scale *scale, size_t tick, char out[40]) {
    gs_tick_text text = gs_scale_text(scale, tick);
    if (!*text.exponent)
        strcpy(out, text.plain);
    else if (*text.plain)
        gs_format(out, 40, "%se%s", text.plain, text.exponent);
    else
        gs_format(out, 40, "10^%s", text.exponent);
}

void gs_drop_sign_of_zero(char *text) {
    if (*text == '-' && strspn(text + 1, "0.") == strlen(text + 1))
        memmove(text, text + 1, strlen(text));
}

void gs_format_cell(char out[32], double value, double largest) {
    int decimals = largest < 9.995 ? 2 : largest < 99.95 ? 1 : 0;
    if (largest >= 1e6 || (largest > 0 && largest < 0.01))
        gs_format(out, 32, "%.1e", value);
    else
        gs_format(out, 32, "%.*f", decimals, value);
    gs_drop_sign_of_zero(out);
}
