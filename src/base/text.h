/*
 * Text: strict parsing and fixed-digit printing of numbers, lines that grow, and the nearest name to
 * a mistyped one. Nothing here depends on the locale, so a host program's setlocale changes neither
 * input nor output.
 */
#ifndef GS_BASE_TEXT_H
#define GS_BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    GS_TEXT_OK,
    GS_TEXT_EMPTY,
    GS_TEXT_NOT_A_NUMBER, /* does not begin as a number: "many", " 1", "-1" for a size */
    GS_TEXT_TRAILING,     /* a number, and then something else: "1x", "1 ", "1.5" for a size */
    GS_TEXT_NOT_FINITE,   /* nan, inf or infinity, in any case and with any sign */
    GS_TEXT_TOO_LARGE     /* more than the type can hold */
} gs_text_status;

/* Parses a size: decimal digits and nothing else. *value changes only on GS_TEXT_OK. */
gs_text_status gs_parse_size(const char *text, uint64_t *value);

/* Parses a decimal real, [+-] digits [. digits] [e [+-] digits], correctly rounded. What is too
   small for a double becomes 0. *value changes only on GS_TEXT_OK. */
gs_text_status gs_parse_real(const char *text, double *value);

/* Prints 15 significant digits as %.15g does; "nan" whatever its sign, "inf", "-inf", and -0 is
   "0". */
void gs_format_real(char out[32], double value);

/* snprintf and vsnprintf in the C locale: at most `size` bytes, terminated; returns the length that
   the whole text has. */
int gs_format(char *out, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int gs_format_list(char *out, size_t size, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));

/* A line that grows; {0} is empty. What does not fit is cut, so that length is always strlen(text). */
typedef struct {
    char text[512];
    size_t length;
} gs_line;

void gs_line_add(gs_line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The fewest insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`,
   where no part is edited twice (optimal string alignment; Damerau 1964). A text longer than 63
   bytes is no name: for it the answer is the longer length. */
size_t gs_edit_distance(const char *a, const char *b);

/* Whether it is one of these, NULL past the last. */
bool gs_is_among(const char *name, const char *const *names);

/* The name at `index` of some table, NULL past the last. */
typedef const char *gs_name_at(const void *table, size_t index);

/* The name in `table` that is nearest to `given`, the first of several, or NULL if none is near: if
   the distance is over a third of given's length (but 1 is near), or all of it. */
const char *gs_nearest_name(const char *given, gs_name_at *name_at, const void *table);

#endif
