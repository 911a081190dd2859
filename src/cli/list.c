/*
 * Lists of values: items between commas -> ranges unfolded -> the option's own parser -> canonical
 * texts, each of which may come once.
 */
#include "cli/list.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

typedef struct {
    const gs_option *option;
    void *scratch;
    cli_list *list;
    size_t starts_room, bytes, bytes_room;
    gs_error *error;
} list_reader;

/* ---- The texts ---- */

void cli_list_free(cli_list *list) {
    gs_free(list->start);
    gs_free(list->bytes);
    *list = (cli_list){0};
}

const char *cli_list_at(const cli_list *list, size_t index) {
    return list->bytes + list->start[index];
}

/* Room for a text of `length` more. */
static gs_status make_room_for(list_reader *r, size_t length) {
    cli_list *list = r->list;
    size_t *start = gs_grow(list->start, list->count, list->count + 1, &r->starts_room,
                            sizeof *start, r->error);
    list->start = start ? start : list->start;
    char *bytes =
        gs_grow(list->bytes, r->bytes, r->bytes + length + 1, &r->bytes_room, 1, r->error);
    list->bytes = bytes ? bytes : list->bytes;
    return start && bytes ? GS_OK : GS_ERR_MEMORY;
}

/* The canonical text of what `base` has. */
static gs_status add_field(list_reader *r, const void *base) {
    enum { USUAL = 63 };
    gs_status status = make_room_for(r, USUAL);
    if (status != GS_OK)
        return status;
    size_t length = gs_option_format(r->option, base, r->list->bytes + r->bytes, USUAL + 1);
    if (length > USUAL) {
        status = make_room_for(r, length);
        if (status != GS_OK)
            return status;
        gs_option_format(r->option, base, r->list->bytes + r->bytes, length + 1);
    }
    r->list->start[r->list->count++] = r->bytes;
    r->bytes += length + 1;
    return GS_OK;
}

static gs_status refuse_count(const list_reader *r, const char *text) {
    char expected[48];
    gs_format(expected, sizeof expected, "at most %d values", CLI_LIST_MOST);
    return gs_option_refuse(r->option, expected, text, NULL, r->error);
}

static gs_status add_value(list_reader *r, const char *text) {
    if (r->list->count == CLI_LIST_MOST)
        return refuse_count(r, text);
    gs_status status = gs_option_parse(r->option, r->scratch, text, r->error);
    return status == GS_OK ? add_field(r, r->scratch) : status;
}

/* ---- Ranges ---- */

typedef struct {
    const char *text;
    int name; /* characters of the name and its colon, 0 if there is none */
    double from, to, by;
    bool factor;
    double step;  /* what the distance to `to` is measured by */
    int exponent; /* decimal, of the largest number */
    size_t index;
    double product, rest; /* FROM FACTOR^index is their sum */
} value_range;

static double range_value(const value_range *range) {
    double value = range->factor ? range->product + range->rest
                                 : fma((double)range->index, range->by, range->from);
    return fabs(value - range->to) <= 1e-9 * range->step ? range->to : value;
}

/* The product is carried with its rounding errors: 1e-290..1e290*10 is powers of 10 to the end. */
static void advance(value_range *range) {
    double product = range->product * range->by;
    range->rest = fma(range->rest, range->by, fma(range->product, range->by, -product));
    range->product = product;
    range->index++;
}

static int decimal_exponent(double value) {
    char text[32];
    gs_format(text, sizeof text, "%.14e", value);
    return atoi(strchr(text, 'e') + 1);
}

/* 15 digits of the largest number in the range: those below are rounding noise, as the 5e-17 that
   stand for the 0 of -0.3..0.3:0.1. */
static double without_noise(const value_range *range, double value) {
    int digits = 15 - range->exponent + decimal_exponent(value);
    double clean = 0;
    char text[32];
    if (digits > 0) {
        gs_format(text, sizeof text, "%.*e", digits - 1, value);
        gs_parse_real(text, &clean);
    }
    return clean;
}

static const double exact = 9007199254740992; /* 2^53: whole numbers are, up to here */

static gs_status add_number(list_reader *r, const value_range *range) {
    char number[32], text[256];
    double value = range_value(range);
    if (!range->factor && value != floor(value))
        value = without_noise(range, value);
    if (value == floor(value) && fabs(value) <= exact)
        gs_format(number, sizeof number, "%.0f", value + 0.0); /* -0 is 0 */
    else
        gs_format_real(number, value);
    gs_format(text, sizeof text, "%.*s%s", range->name, range->text, number);
    return add_value(r, text);
}

static gs_status add_numbers(list_reader *r, value_range range) {
    value_range counted = range;
    while (counted.index <= CLI_LIST_MOST - r->list->count && range_value(&counted) <= range.to)
        advance(&counted);
    if (counted.index > CLI_LIST_MOST - r->list->count)
        return refuse_count(r, range.text);
    gs_status status = GS_OK;
    for (; range.index < counted.index && status == GS_OK; advance(&range))
        status = add_number(r, &range);
    return status;
}

static bool take_number(const char *text, size_t length, double *number) {
    char digits[64];
    if (length >= sizeof digits)
        return false;
    gs_format(digits, sizeof digits, "%.*s", (int)length, text);
    return gs_parse_real(digits, number) == GS_TEXT_OK;
}

/* "NAME:FROM..TO:STEP" with `dots` where the two dots are. */
static bool split_range(const char *text, const char *dots, value_range *range) {
    const char *from = dots, *to = dots + 2;
    while (from > text && from[-1] != ':')
        from--;
    const char *by = to + strcspn(to, ":*");
    *range = (value_range){.text = text, .name = (int)(from - text)};
    range->factor = *by == '*';
    range->by = 1;
    return from - text < 200 && take_number(from, (size_t)(dots - from), &range->from) &&
           take_number(to, (size_t)(by - to), &range->to) &&
           (!*by || take_number(by + 1, strlen(by + 1), &range->by));
}

static gs_status add_range(list_reader *r, const char *text, const char *dots) {
    value_range range;
    const char *expected = NULL;
    if (!split_range(text, dots, &range))
        expected = "a range FROM..TO, FROM..TO:STEP or FROM..TO*FACTOR";
    else if (range.from > range.to)
        expected = "a range that ascends";
    else if (range.factor && range.by <= 1)
        expected = "a factor above 1";
    else if (range.by <= 0)
        expected = "a step above 0";
    else if (range.factor && range.from <= 0)
        expected = "a range from above 0 with a factor";
    else if (r->option->kind == GS_OPTION_SEED && range.to >= exact)
        expected = "a range below 9007199254740992, up to which numbers are exact";
    if (expected)
        return gs_option_refuse(r->option, expected, text, NULL, r->error);
    range.product = range.from;
    range.exponent = decimal_exponent(fabs(range.from) > fabs(range.to) ? range.from : range.to);
    range.step = range.factor ? range.to - range.to / range.by : range.by;
    return add_numbers(r, range);
}

/* ---- Lists ---- */

static gs_status add_item(list_reader *r, const char *item) {
    bool has_ranges = r->option->kind != GS_OPTION_TEXT && r->option->kind != GS_OPTION_FLAG;
    const char *dots = has_ranges ? strstr(item, "..") : NULL;
    return dots ? add_range(r, item, dots) : add_value(r, item);
}

/* The item at `text`, with the commas that are its own; returns where the next one begins, NULL if
   there is none. */
static const char *take_item(const char *text, char *item) {
    for (; *text && *text != ','; text++) {
        if (text[0] == '\\' && text[1] == ',')
            text++;
        *item++ = *text;
    }
    *item = '\0';
    return *text ? text + 1 : NULL;
}

static gs_status add_items(list_reader *r, const char *text, char *item) {
    gs_status status = GS_OK;
    for (const char *next = text; next && status == GS_OK;) {
        next = take_item(next, item);
        status = item[0]
                     ? add_item(r, item)
                     : gs_option_refuse(r->option, "values joined by ','", text, NULL, r->error);
    }
    return status;
}

static int compare_texts(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

gs_status cli_list_refuse_repeats(const cli_list *list, const gs_option *option, gs_error *error) {
    const char **texts = gs_alloc(list->count, sizeof *texts, error);
    if (!texts)
        return GS_ERR_MEMORY;
    for (size_t i = 0; i < list->count; i++)
        texts[i] = cli_list_at(list, i);
    qsort(texts, list->count, sizeof *texts, compare_texts);
    gs_status status = GS_OK;
    for (size_t i = 1; i < list->count && status == GS_OK; i++)
        if (strcmp(texts[i - 1], texts[i]) == 0)
            status =
                gs_fail(error, GS_ERR_USAGE, "--%s: expected every value once, got '%.80s' twice",
                        option->name, texts[i]);
    gs_free(texts);
    return status;
}

gs_status cli_list_read(cli_list *list, const gs_option *option, void *scratch, const char *text,
                        bool may_repeat, gs_error *error) {
    *list = (cli_list){0};
    list_reader r = {.option = option, .scratch = scratch, .list = list, .error = error};
    char *item = gs_alloc(strlen(text) + 1, 1, error);
    gs_status status = item ? add_items(&r, text, item) : GS_ERR_MEMORY;
    if (status == GS_OK && !may_repeat)
        status = cli_list_refuse_repeats(list, option, error);
    gs_free(item);
    if (status != GS_OK)
        cli_list_free(list);
    return status;
}

gs_status cli_list_of_one(cli_list *list, const gs_option *option, const void *base,
                          gs_error *error) {
    *list = (cli_list){0};
    list_reader r = {.option = option, .list = list, .error = error};
    gs_status status = add_field(&r, base);
    if (status != GS_OK)
        cli_list_free(list);
    return status;
}
