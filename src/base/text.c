/* Text in the C locale: numbers in, numbers and lines out, names compared. */
#include "base/text.h"

#include <locale.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The C locale for this thread, and back. Neither glibc nor musl allocates for it; should newlocale
   fail all the same, the thread keeps the locale that it has. */
typedef struct {
    locale_t c;
    locale_t before;
} c_locale;

static c_locale enter_c_locale(void) {
    c_locale scope = {.c = newlocale(LC_ALL_MASK, "C", (locale_t)0)};
    if (scope.c)
        scope.before = uselocale(scope.c);
    return scope;
}

static void leave_c_locale(c_locale scope) {
    if (!scope.c)
        return;
    uselocale(scope.before);
    freelocale(scope.c);
}

/* ---- Parsing ---- */

static const char *skip_digits(const char *text) {
    while (*text >= '0' && *text <= '9')
        text++;
    return text;
}

gs_text_status gs_parse_size(const char *text, uint64_t *value) {
    const char *end = skip_digits(text);
    if (!*text)
        return GS_TEXT_EMPTY;
    if (end == text)
        return GS_TEXT_NOT_A_NUMBER;
    if (*end)
        return GS_TEXT_TRAILING;
    uint64_t sum = 0;
    for (; text < end; text++) {
        unsigned digit = (unsigned)(*text - '0');
        if (sum > (UINT64_MAX - digit) / 10)
            return GS_TEXT_TOO_LARGE;
        sum = 10 * sum + digit;
    }
    *value = sum;
    return GS_TEXT_OK;
}

/* The end of the decimal real at the start of `text`; `text` itself if there is none. */
static const char *skip_real(const char *text) {
    const char *start = *text == '+' || *text == '-' ? text + 1 : text;
    const char *end = skip_digits(start);
    bool digits = end > start;
    if (*end == '.') {
        const char *fraction = end + 1;
        end = skip_digits(fraction);
        digits = digits || end > fraction;
    }
    if (!digits)
        return text;
    if (*end == 'e' || *end == 'E') {
        const char *exponent = end[1] == '+' || end[1] == '-' ? end + 2 : end + 1;
        const char *after = skip_digits(exponent);
        if (after > exponent)
            end = after;
    }
    return end;
}

static bool names_no_finite_number(const char *text) {
    if (*text == '+' || *text == '-')
        text++;
    return strcasecmp(text, "nan") == 0 || strcasecmp(text, "inf") == 0 ||
           strcasecmp(text, "infinity") == 0;
}

gs_text_status gs_parse_real(const char *text, double *value) {
    const char *end = skip_real(text);
    if (!*text)
        return GS_TEXT_EMPTY;
    if (names_no_finite_number(text))
        return GS_TEXT_NOT_FINITE;
    if (end == text)
        return GS_TEXT_NOT_A_NUMBER;
    if (*end)
        return GS_TEXT_TRAILING;
    c_locale scope = enter_c_locale();
    double parsed = strtod(text, NULL);
    leave_c_locale(scope);
    if (isinf(parsed))
        return GS_TEXT_TOO_LARGE;
    *value = parsed;
    return GS_TEXT_OK;
}

/* ---- Printing ---- */

int gs_format_list(char *out, size_t size, const char *format, va_list arguments) {
    c_locale scope = enter_c_locale();
    int length = vsnprintf(out, size, format, arguments);
    leave_c_locale(scope);
    return length;
}

int gs_format(char *out, size_t size, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = gs_format_list(out, size, format, arguments);
    va_end(arguments);
    return length;
}

void gs_format_real(char out[32], double value) {
    if (isnan(value))
        strcpy(out, "nan");
    else if (value == 0)
        strcpy(out, "0");
    else
        gs_format(out, 32, "%.15g", value);
}

void gs_line_add(gs_line *line, const char *format, ...) {
    char *end = line->text + line->length;
    va_list arguments;
    va_start(arguments, format);
    gs_format_list(end, sizeof line->text - line->length, format, arguments);
    va_end(arguments);
    line->length += strlen(end);
}

/* ---- Names ---- */

enum { LONGEST_NAME = 63 };

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

size_t gs_edit_distance(const char *a, const char *b) {
    size_t rows = strlen(a), columns = strlen(b);
    if (rows > LONGEST_NAME || columns > LONGEST_NAME)
        return rows > columns ? rows : columns;
    /* distance[i % 3][j] is the distance between the first i bytes of a and the first j of b; a
       swap looks two rows back. */
    size_t distance[3][LONGEST_NAME + 1] = {{0}};
    for (size_t j = 0; j <= columns; j++)
        distance[0][j] = j;
    for (size_t i = 1; i <= rows; i++) {
        size_t *row = distance[i % 3];
        const size_t *above = distance[(i + 2) % 3], *two_above = distance[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= columns; j++) {
            size_t replaced = above[j - 1] + (a[i - 1] != b[j - 1]);
            row[j] = smaller(replaced, smaller(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = smaller(row[j], two_above[j - 2] + 1);
        }
    }
    return distance[rows % 3][columns];
}

bool gs_is_among(const char *name, const char *const *names) {
    while (*names && strcmp(name, *names) != 0)
        names++;
    return *names;
}

const char *gs_nearest_name(const char *given, gs_name_at *name_at, const void *table) {
    size_t length = strlen(given);
    size_t limit = length >= 6 ? length / 3 : 1;
    /* An edit of every letter leaves nothing of what was given. */
    size_t bound = smaller(limit + 1, length > 0 ? length : 1);
    const char *nearest = NULL;
    const char *name;
    for (size_t i = 0; (name = name_at(table, i)); i++) {
        size_t distance = gs_edit_distance(given, name);
        if (distance < bound) {
            bound = distance;
            nearest = name;
        }
    }
    return nearest;
}
