/*
 * Options as data: text in by a row of an option table, canonical text out. Each kind of option has
 * its parser beside its formatter, and the table of kinds at the end holds them.
 */
#include "net/option.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"

/* ---- Names ---- */

static char fold(char c) {
    return c == '_' ? '-' : (char)tolower((unsigned char)c);
}

/* Whether the first `length` characters of `text` are the name. */
static bool same_name(const char *name, const char *text, size_t length) {
    size_t i = 0;
    while (i < length && name[i] && fold(name[i]) == fold(text[i]))
        i++;
    return i == length && !name[i];
}

const gs_name *gs_family_row(const gs_family *family, size_t index) {
    return (const gs_name *)((const char *)family->rows + index * family->stride);
}

/* The name of a row, then its aliases, then NULL; NULL at once for a bare number. */
static const char *row_name(const gs_name *row, size_t index) {
    const size_t aliases = sizeof row->alias / sizeof row->alias[0];
    if (!row->name || index > aliases)
        return NULL;
    return index == 0 ? row->name : row->alias[index - 1];
}

const char *gs_family_name_at(const void *table, size_t index) {
    const gs_family *family = table;
    for (size_t i = 0; i < family->count; i++)
        for (size_t j = 0; row_name(gs_family_row(family, i), j); j++)
            if (index-- == 0)
                return row_name(gs_family_row(family, i), j);
    return NULL;
}

bool gs_family_find(const gs_family *family, const char *text, size_t length, size_t *index) {
    for (*index = 0; *index < family->count; ++*index)
        for (size_t j = 0; row_name(gs_family_row(family, *index), j); j++)
            if (same_name(row_name(gs_family_row(family, *index), j), text, length))
                return true;
    return false;
}

const gs_option *gs_option_find(const gs_option_table *table, const char *name) {
    for (size_t i = 0; i < table->count; i++)
        if (same_name(table->rows[i].name, name, strlen(name)))
            return &table->rows[i];
    return NULL;
}

const char *gs_option_name_at(const void *table, size_t index) {
    const gs_option_table *options = table;
    return index < options->count ? options->rows[index].name : NULL;
}

/* ---- Messages ---- */

enum { SHOWN = 80 }; /* bytes of a refused text: more would push out what was expected */

static const char *ellipsis(const char *text) {
    return strlen(text) > SHOWN ? "..." : "";
}

/* " (did you mean 'sigmoid'?)", or nothing. */
static void suggest(char *text, size_t size, const char *dashes, const char *nearest) {
    text[0] = '\0';
    if (nearest)
        gs_format(text, size, " (did you mean '%s%s'?)", dashes, nearest);
}

gs_status gs_unknown_name(const char *what, const char *dashes, const char *name,
                          gs_name_at *name_at, const void *table, gs_error *error) {
    char suggestion[96];
    suggest(suggestion, sizeof suggestion, dashes, gs_nearest_name(name, name_at, table));
    return gs_fail(error, GS_ERR_USAGE, "unknown %s '%s%.*s%s'%s", what, dashes, SHOWN, name,
                   ellipsis(name), suggestion);
}

gs_status gs_option_refuse(const gs_option *option, const char *expected, const char *text,
                           const char *nearest, gs_error *error) {
    char suggestion[96];
    suggest(suggestion, sizeof suggestion, "", nearest);
    return gs_fail(error, GS_ERR_USAGE, "--%s: expected %s, got '%.*s%s'%s", option->name, expected,
                   SHOWN, text, ellipsis(text), suggestion);
}

/* "a number from 0 to 1e+30", or the one number that there is. */
static int describe_range(char *text, size_t size, const char *noun, double low, double high) {
    char from[32], to[32];
    gs_format_real(from, low);
    gs_format_real(to, high);
    return low == high ? gs_format(text, size, "%s", from)
                       : gs_format(text, size, "%s from %s to %s", noun, from, to);
}

static const char *number_of(const gs_name *row) {
    return row->whole ? "a whole number" : "a number";
}

static int describe_row(char *text, size_t size, const gs_name *row) {
    if (!row->name)
        return describe_range(text, size, number_of(row), row->minimum, row->maximum);
    bool required = row->parameter == GS_PARAM_REQUIRED;
    return gs_format(text, size, "%s%s%s", row->name, required ? ":" : "",
                     required ? row->letter : "");
}

/* "sigmoid, normal:STD, a number from 0 to 1". */
static void describe_family(char *text, size_t size, const gs_family *family) {
    size_t length = 0;
    for (size_t i = 0; i < family->count && length < size; i++) {
        if (i > 0)
            length += (size_t)gs_format(text + length, size - length, ", ");
        if (length < size)
            length += (size_t)describe_row(text + length, size - length, gs_family_row(family, i));
    }
}

/* ---- Numbers ---- */

static gs_status refuse_number(const gs_option *option, const char *noun, const char *text,
                               gs_error *error) {
    char expected[128];
    int length = describe_range(expected, sizeof expected, noun, option->minimum, option->maximum);
    if (option->automatic)
        gs_format(expected + length, sizeof expected - (size_t)length, ", or %s",
                  option->automatic);
    return gs_option_refuse(option, expected, text, NULL, error);
}

static gs_status parse_size(const gs_option *option, void *field, const char *text,
                            gs_error *error) {
    uint64_t number = 0;
    bool automatic = option->automatic && strcmp(text, option->automatic) == 0;
    if (!automatic && (gs_parse_size(text, &number) != GS_TEXT_OK ||
                       (double)number < option->minimum || (double)number > option->maximum))
        return refuse_number(option, "a whole number", text, error);
    *(size_t *)field = (size_t)number;
    return GS_OK;
}

static int format_size(const gs_option *option, const void *field, char *text, size_t size) {
    size_t number = *(const size_t *)field;
    return option->automatic && number == 0 ? gs_format(text, size, "%s", option->automatic)
                                            : gs_format(text, size, "%zu", number);
}

/* The digits at *text, which is then behind them. */
static bool take_size(const gs_option *option, const char **text, size_t *size) {
    double number = **text >= '0' && **text <= '9' ? 0 : (double)NAN;
    for (; **text >= '0' && **text <= '9'; ++*text)
        number = 10 * number + (**text - '0');
    if (!(number >= option->minimum && number <= option->maximum))
        return false;
    *size = (size_t)number;
    return true;
}

static bool take_sizes(const gs_option *option, const char *text, const gs_sizes *sizes) {
    bool taken = true;
    for (size_t i = 0; i < sizes->count && taken; i++) {
        taken = take_size(option, &text, &sizes->at[i]);
        taken = taken && *text == (i + 1 < sizes->count ? '-' : '\0');
        text++;
    }
    return taken;
}

static gs_status refuse_sizes(const gs_option *option, const char *text, gs_error *error) {
    char range[64], expected[128];
    describe_range(range, sizeof range, "a whole number", option->minimum, option->maximum);
    gs_format(expected, sizeof expected, "%s, or one for each layer joined by '-'", range);
    return gs_option_refuse(option, expected, text, NULL, error);
}

static gs_status parse_sizes(const gs_option *option, void *field, const char *text,
                             gs_error *error) {
    gs_sizes *sizes = field, parsed = {.count = 1};
    for (const char *c = text; *c; c++)
        parsed.count += *c == '-';
    parsed.at = gs_alloc(parsed.count, sizeof *parsed.at, error);
    if (!parsed.at)
        return GS_ERR_MEMORY;
    if (!take_sizes(option, text, &parsed)) {
        gs_free(parsed.at);
        return refuse_sizes(option, text, error);
    }
    gs_free(sizes->at);
    *sizes = parsed;
    return GS_OK;
}

static int format_sizes(const gs_option *option, const void *field, char *text, size_t size) {
    const gs_sizes *sizes = field;
    size_t length = 0;
    (void)option;
    for (size_t i = 0; i < sizes->count; i++) {
        bool fits = length < size;
        length += (size_t)gs_format(fits ? text + length : NULL, fits ? size - length : 0,
                                    i > 0 ? "-%zu" : "%zu", sizes->at[i]);
    }
    return (int)length;
}

static const char byte_units[] = "KMGT";

/* "512M" is 512 * 1024^2. False for what is no such text or does not fit. */
static bool parse_byte_count(const char *text, size_t *bytes) {
    char digits[32];
    size_t length = strlen(text);
    const char *unit = length > 0 ? strchr(byte_units, text[length - 1]) : NULL;
    uint64_t number;
    if (length - (unit != NULL) >= sizeof digits)
        return false;
    gs_format(digits, sizeof digits, "%.*s", (int)(length - (unit != NULL)), text);
    if (gs_parse_size(digits, &number) != GS_TEXT_OK || number > SIZE_MAX)
        return false;
    *bytes = (size_t)number;
    for (size_t i = 0; unit && i <= (size_t)(unit - byte_units); i++)
        if (!gs_size_multiply(*bytes, 1024, bytes))
            return false;
    return true;
}

static gs_status parse_bytes(const gs_option *option, void *field, const char *text,
                             gs_error *error) {
    size_t bytes = 0;
    bool automatic = option->automatic && strcmp(text, option->automatic) == 0;
    if (!automatic && (!parse_byte_count(text, &bytes) || (double)bytes < option->minimum)) {
        char expected[96];
        gs_format(expected, sizeof expected, "a number of bytes, or one with K, M, G or T%s%s",
                  option->automatic ? ", or " : "", option->automatic ? option->automatic : "");
        return gs_option_refuse(option, expected, text, NULL, error);
    }
    *(size_t *)field = bytes;
    return GS_OK;
}

static int format_bytes(const gs_option *option, const void *field, char *text, size_t size) {
    size_t bytes = *(const size_t *)field, unit = 0;
    if (option->automatic && bytes == 0)
        return gs_format(text, size, "%s", option->automatic);
    for (; byte_units[unit] && bytes > 0 && bytes % 1024 == 0; unit++)
        bytes /= 1024;
    return unit == 0 ? gs_format(text, size, "%zu", bytes)
                     : gs_format(text, size, "%zu%c", bytes, byte_units[unit - 1]);
}

static gs_status parse_seed(const gs_option *option, void *field, const char *text,
                            gs_error *error) {
    uint64_t seed;
    if (gs_parse_size(text, &seed) != GS_TEXT_OK)
        return gs_option_refuse(option, "a whole number from 0 to 18446744073709551615", text, NULL,
                                error);
    *(uint64_t *)field = seed;
    return GS_OK;
}

static int format_seed(const gs_option *option, const void *field, char *text, size_t size) {
    (void)option;
    return gs_format(text, size, "%llu", (unsigned long long)*(const uint64_t *)field);
}

static bool parse_real_within(const char *text, double minimum, double maximum, double *value) {
    double number;
    if (gs_parse_real(text, &number) != GS_TEXT_OK || number < minimum || number > maximum)
        return false;
    *value = number;
    return true;
}

static bool parse_parameter(const char *text, const gs_name *row, double *value) {
    double number;
    if (!parse_real_within(text, row->minimum, row->maximum, &number) ||
        (row->whole && number != floor(number)))
        return false;
    *value = number;
    return true;
}

/* 15 digits where they parse to the same number, else 17, which always do. */
static int print_real(char *text, size_t size, double value) {
    char digits[32];
    double back;
    gs_format_real(digits, value);
    bool same = gs_parse_real(digits, &back) == GS_TEXT_OK && back == value;
    return same ? gs_format(text, size, "%s", digits) : gs_format(text, size, "%.17g", value);
}

static gs_status parse_real(const gs_option *option, void *field, const char *text,
                            gs_error *error) {
    bool automatic = option->automatic && strcmp(text, option->automatic) == 0;
    if (automatic)
        *(double *)field = NAN;
    else if (!parse_real_within(text, option->minimum, option->maximum, field))
        return refuse_number(option, "a number", text, error);
    return GS_OK;
}

static int format_real(const gs_option *option, const void *field, char *text, size_t size) {
    double number = *(const double *)field;
    if (isnan(number))
        return gs_format(text, size, "%s", option->automatic);
    return print_real(text, size, number);
}

/* ---- Choices ---- */

static gs_status refuse_choice(const gs_option *option, const char *text, gs_error *error) {
    char expected[640] = "one of ";
    size_t length = strlen(expected);
    describe_family(expected + length, sizeof expected - length, option->family);
    length = strlen(expected);
    if (option->automatic)
        gs_format(expected + length, sizeof expected - length, ", %s", option->automatic);
    char name[64]; /* what stands before the parameter; no name is longer */
    gs_format(name, sizeof name, "%.*s", (int)strcspn(text, ":"), text);
    const char *nearest = gs_nearest_name(name, gs_family_name_at, option->family);
    return gs_option_refuse(option, expected, text, nearest, error);
}

static gs_status refuse_parameter(const gs_option *option, const gs_name *row,
                                  const char *parameter, gs_error *error) {
    gs_option named = *option; /* the message is about "--act leaky-relu" */
    char name[96], expected[128];
    gs_format(name, sizeof name, "%s %s", option->name, row->name);
    named.name = name;
    if (row->parameter == GS_PARAM_NONE)
        return gs_option_refuse(&named, "nothing after the name", parameter, NULL, error);
    int length =
        describe_range(expected, sizeof expected, number_of(row), row->minimum, row->maximum);
    gs_format(expected + length, sizeof expected - (size_t)length, " after ':'");
    return gs_option_refuse(&named, expected, parameter, NULL, error);
}

static bool parse_bare_number(const gs_family *family, const char *text, gs_choice *choice) {
    for (choice->index = 0; choice->index < family->count; choice->index++) {
        const gs_name *row = gs_family_row(family, choice->index);
        if (!row->name && parse_parameter(text, row, &choice->parameter))
            return true;
    }
    return false;
}

static gs_status parse_choice(const gs_option *option, void *field, const char *text,
                              gs_error *error) {
    gs_choice choice = {GS_CHOICE_AUTO, 0};
    size_t length = strcspn(text, ":");
    bool automatic = option->automatic && strcmp(text, option->automatic) == 0;
    if (!automatic && gs_family_find(option->family, text, length, &choice.index)) {
        const gs_name *row = gs_family_row(option->family, choice.index);
        const char *parameter = text[length] ? text + length + 1 : "";
        bool wanted = text[length] || row->parameter == GS_PARAM_REQUIRED;
        choice.parameter = row->standard;
        if (wanted && (row->parameter == GS_PARAM_NONE ||
                       !parse_parameter(parameter, row, &choice.parameter)))
            return refuse_parameter(option, row, parameter, error);
    } else if (!automatic && !parse_bare_number(option->family, text, &choice)) {
        return refuse_choice(option, text, error);
    }
    *(gs_choice *)field = choice;
    return GS_OK;
}

static int format_choice(const gs_option *option, const void *field, char *text, size_t size) {
    const gs_choice *choice = field;
    if (choice->index == GS_CHOICE_AUTO)
        return gs_format(text, size, "%s", option->automatic);
    const gs_name *row = gs_family_row(option->family, choice->index);
    char parameter[32];
    print_real(parameter, sizeof parameter, choice->parameter);
    if (!row->name)
        return gs_format(text, size, "%s", parameter);
    bool plain = row->parameter == GS_PARAM_NONE;
    return gs_format(text, size, "%s%s%s", row->name, plain ? "" : ":", plain ? "" : parameter);
}

/* ---- Flags and text ---- */

static gs_status parse_flag(const gs_option *option, void *field, const char *text,
                            gs_error *error) {
    bool on = strcmp(text, "on") == 0;
    if (!on && strcmp(text, "off") != 0)
        return gs_option_refuse(option, "on or off", text, NULL, error);
    *(bool *)field = on;
    return GS_OK;
}

static int format_flag(const gs_option *option, const void *field, char *text, size_t size) {
    (void)option;
    return gs_format(text, size, "%s", *(const bool *)field ? "on" : "off");
}

static gs_status parse_text(const gs_option *option, void *field, const char *text,
                            gs_error *error) {
    const char *held = *(char *const *)field, *value = option->value ? option->value : "a value";
    size_t before = option->joined && held ? strlen(held) + 1 : 0; /* with what joins them */
    if (!text[0])
        return gs_option_refuse(option, value, text, NULL, error);
    char *copy = gs_alloc(before + strlen(text) + 1, 1, error);
    if (!copy)
        return GS_ERR_MEMORY;
    if (before > 0)
        gs_format(copy, before + 1, "%s%c", held, option->joined);
    strcpy(copy + before, text);
    gs_free(*(char **)field);
    *(char **)field = copy;
    return GS_OK;
}

static int format_text(const gs_option *option, const void *field, char *text, size_t size) {
    (void)option;
    const char *held = *(char *const *)field;
    return gs_format(text, size, "%s", held ? held : "");
}

/* ---- Every kind of option ---- */

static const struct {
    gs_status (*parse)(const gs_option *option, void *field, const char *text, gs_error *error);
    int (*format)(const gs_option *option, const void *field, char *text, size_t size);
} kinds[] = {
    [GS_OPTION_SIZE] = {parse_size, format_size},
    [GS_OPTION_SIZES] = {parse_sizes, format_sizes},
    [GS_OPTION_BYTES] = {parse_bytes, format_bytes},
    [GS_OPTION_SEED] = {parse_seed, format_seed},
    [GS_OPTION_REAL] = {parse_real, format_real},
    [GS_OPTION_CHOICE] = {parse_choice, format_choice},
    [GS_OPTION_FLAG] = {parse_flag, format_flag},
    [GS_OPTION_TEXT] = {parse_text, format_text},
};

gs_status gs_option_parse(const gs_option *option, void *base, const char *text, gs_error *error) {
    return kinds[option->kind].parse(option, (char *)base + option->offset, text, error);
}

size_t gs_option_format(const gs_option *option, const void *base, char *text, size_t size) {
    const void *field = (const char *)base + option->offset;
    return (size_t)kinds[option->kind].format(option, field, text, size);
}

gs_status gs_options_reset(const gs_option_table *table, void *base, gs_error *error) {
    for (size_t i = 0; i < table->count; i++) {
        const gs_option *option = &table->rows[i];
        void *field = (char *)base + option->offset;
        if (option->kind == GS_OPTION_TEXT)
            *(char **)field = NULL;
        else if (option->kind == GS_OPTION_SIZES)
            *(gs_sizes *)field = (gs_sizes){0};
        else if (option->kind == GS_OPTION_FLAG)
            *(bool *)field = false;
        gs_status status =
            option->standard ? gs_option_parse(option, base, option->standard, error) : GS_OK;
        if (status != GS_OK)
            return status;
    }
    return GS_OK;
}

void gs_options_release(const gs_option_table *table, void *base) {
    for (size_t i = 0; i < table->count; i++) {
        void *field = (char *)base + table->rows[i].offset;
        if (table->rows[i].kind == GS_OPTION_TEXT) {
            gs_free(*(char **)field);
            *(char **)field = NULL;
        } else if (table->rows[i].kind == GS_OPTION_SIZES) {
            gs_free(((gs_sizes *)field)->at);
            *(gs_sizes *)field = (gs_sizes){0};
        }
    }
}
