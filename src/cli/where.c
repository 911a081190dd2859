/*
 * The expression of --where, by recursive descent:
 *
 *     or        = and { "||" and }
 *     and       = not { "&&" not }
 *     not       = { "!" } ( "(" or ")" | condition )
 *     condition = OPTION ( "==" | "!=" | "<=" | ">=" | "<" | ">" ) VALUE
 */
#include "cli/where.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

enum { DEEPEST = 64 }; /* parentheses in each other */

typedef struct {
    const char *text, *at;
    cli_where *where;
    gs_config *scratch;
    char *word; /* a part of the text */
    size_t depth;
    gs_error *error;
} where_reader;

/* ---- Conditions ---- */

enum { EQUAL, UNEQUAL, AT_MOST, AT_LEAST, BELOW, ABOVE, OPERATIONS };

static const char *const operations[] = {[EQUAL] = "==",    [UNEQUAL] = "!=", [AT_MOST] = "<=",
                                         [AT_LEAST] = ">=", [BELOW] = "<",    [ABOVE] = ">"};

static cli_number whole_number(uint64_t number, bool exists) {
    return (cli_number){exists, 0, (double)number, number};
}

static cli_number number_of_choice(const gs_option *option, gs_choice choice) {
    if (choice.index == GS_CHOICE_AUTO)
        return (cli_number){0};
    const gs_name *row = gs_family_row(option->family, choice.index);
    bool exists = !row->name || row->parameter != GS_PARAM_NONE;
    return (cli_number){exists, choice.index, choice.parameter, 0};
}

static cli_number number_of_field(const gs_option *option, const gs_config *config) {
    const void *field = (const char *)config + option->offset;
    const gs_sizes *sizes = field;
    const size_t *size = field;
    const double *real = field;
    switch (option->kind) {
    case GS_OPTION_SIZE:
    case GS_OPTION_BYTES:
        return whole_number(*size, !option->automatic || *size > 0);
    case GS_OPTION_SIZES:
        return whole_number(sizes->at[0], sizes->count == 1);
    case GS_OPTION_SEED:
        return whole_number(*(const uint64_t *)field, true);
    case GS_OPTION_REAL:
        return (cli_number){!isnan(*real), 0, *real, 0};
    case GS_OPTION_CHOICE:
        return number_of_choice(option, *(const gs_choice *)field);
    default:
        return (cli_number){0};
    }
}

static bool has_text(const cli_condition *condition, const gs_config *config, const char *text) {
    const void *field = (const char *)config + condition->option->offset;
    return condition->text ? strcmp(text, condition->text) == 0
                           : ((const gs_choice *)field)->index == condition->row;
}

bool cli_condition_holds(const cli_condition *condition, const gs_config *config,
                         const char *text) {
    if (condition->operation <= UNEQUAL)
        return has_text(condition, config, text) == (condition->operation == EQUAL);
    cli_number a = number_of_field(condition->option, config), b = condition->number;
    if (!a.exists || a.row != b.row)
        return false;
    bool below = a.real < b.real || (a.real == b.real && a.whole < b.whole);
    bool above = a.real > b.real || (a.real == b.real && a.whole > b.whole);
    switch (condition->operation) {
    case AT_MOST:
        return !above;
    case AT_LEAST:
        return !below;
    case BELOW:
        return below;
    default:
        return above;
    }
}

/* ---- The chain ---- */

/* What the conditions from `first` on end with: `from` becomes `to`. */
static void lead(cli_where *where, size_t first, size_t from, size_t to) {
    for (size_t i = first; i < where->count; i++)
        for (size_t holds = 0; holds < 2; holds++)
            if (where->conditions[i].next[holds] == from)
                where->conditions[i].next[holds] = to;
}

static void negate(cli_where *where, size_t first) {
    const size_t neither = SIZE_MAX - 2;
    lead(where, first, CLI_WHERE_KEEP, neither);
    lead(where, first, CLI_WHERE_LEAVE, CLI_WHERE_KEEP);
    lead(where, first, neither, CLI_WHERE_LEAVE);
}

/* ---- Words ---- */

static void skip_space(where_reader *r) {
    while (isspace((unsigned char)*r->at))
        r->at++;
}

static bool take(where_reader *r, const char *token) {
    skip_space(r);
    bool found = strncmp(r->at, token, strlen(token)) == 0;
    r->at += found ? strlen(token) : 0;
    return found;
}

static gs_status refuse_place(where_reader *r, const char *expected) {
    skip_space(r);
    const char *quote = *r->at ? "'" : "";
    return gs_fail(r->error, GS_ERR_USAGE, "--where: expected %s at character %zu, got %s%.40s%s",
                   expected, (size_t)(r->at - r->text) + 1, quote, *r->at ? r->at : "nothing",
                   quote);
}

static gs_status wrap(where_reader *r, gs_status status) {
    return gs_fail(r->error, status, "--where: %s", r->error ? r->error->message : "");
}

static void take_word(where_reader *r, size_t length) {
    memcpy(r->word, r->at, length);
    r->word[length] = '\0';
    r->at += length;
}

static gs_status take_option(where_reader *r, const gs_option **option) {
    skip_space(r);
    size_t length = 0;
    while (isalnum((unsigned char)r->at[length]) || (r->at[length] && strchr("-_", r->at[length])))
        length++;
    if (length == 0)
        return refuse_place(r, "an option");
    take_word(r, length);
    *option = gs_option_find(&gs_config_options, r->word);
    if (*option)
        return GS_OK;
    gs_unknown_name("option", "", r->word, gs_option_name_at, &gs_config_options, r->error);
    return wrap(r, GS_ERR_USAGE);
}

/* A value without quotes may have parentheses of its own: 1/sqrt(L). */
static size_t bare_length(const char *text) {
    size_t length = 0, open = 0;
    for (; text[length] && !isspace((unsigned char)text[length]) && !strchr("&|", text[length]);
         length++) {
        if (text[length] == ')' && open-- == 0)
            break;
        open += text[length] == '(';
    }
    return length;
}

static gs_status take_value(where_reader *r) {
    skip_space(r);
    char quote = *r->at;
    if (quote == '\'' || quote == '"') {
        const char *end = strchr(r->at + 1, quote);
        if (!end)
            return refuse_place(r, "a value with a quote behind it");
        r->at++;
        take_word(r, (size_t)(end - r->at));
        r->at++;
        return GS_OK;
    }
    size_t length = bare_length(r->at);
    if (length == 0)
        return refuse_place(r, "a value");
    take_word(r, length);
    return GS_OK;
}

/* ---- The grammar ---- */

/* Any clip:C is "clip", and leaky-relu:0.3 is a "leaky-relu". */
static bool names_any(const cli_condition *condition, const char *value, size_t *row) {
    const gs_option *option = condition->option;
    return option->kind == GS_OPTION_CHOICE && condition->operation <= UNEQUAL &&
           gs_family_find(option->family, value, strlen(value), row) &&
           gs_family_row(option->family, *row)->parameter != GS_PARAM_NONE;
}

static gs_status set_value(where_reader *r, cli_condition *condition) {
    const gs_option *option = condition->option;
    if (names_any(condition, r->word, &condition->row))
        return GS_OK;
    gs_status status = gs_option_parse(option, r->scratch, r->word, r->error);
    if (status != GS_OK)
        return wrap(r, status);
    condition->number = number_of_field(option, r->scratch);
    if (condition->operation > UNEQUAL && !condition->number.exists)
        return gs_fail(r->error, GS_ERR_USAGE,
                       "--where: expected == or != before '%.80s', which --%s does not order, got "
                       "'%s' before character %zu",
                       r->word, option->name, operations[condition->operation],
                       (size_t)(r->at - r->text) + 1);
    size_t length = gs_option_format(option, r->scratch, NULL, 0);
    condition->text = gs_alloc(length + 1, 1, r->error);
    if (!condition->text)
        return GS_ERR_MEMORY;
    gs_option_format(option, r->scratch, condition->text, length + 1);
    return GS_OK;
}

static gs_status read_condition(where_reader *r) {
    cli_condition *condition = &r->where->conditions[r->where->count];
    *condition = (cli_condition){.next = {CLI_WHERE_LEAVE, CLI_WHERE_KEEP}};
    gs_status status = take_option(r, &condition->option);
    if (status != GS_OK)
        return status;
    while (condition->operation < OPERATIONS && !take(r, operations[condition->operation]))
        condition->operation++;
    if (condition->operation == OPERATIONS)
        return refuse_place(r, "==, !=, <, <=, > or >=");
    status = take_value(r);
    if (status == GS_OK)
        status = set_value(r, condition);
    r->where->count += status == GS_OK;
    return status;
}

static gs_status read_or(where_reader *r);

static gs_status read_not(where_reader *r) {
    size_t first = r->where->count, negations = 0;
    while (take(r, "!"))
        negations++;
    gs_status status;
    if (!take(r, "(")) {
        status = read_condition(r);
    } else if (r->depth++ == DEEPEST) {
        status = refuse_place(r, "fewer parentheses");
    } else {
        status = read_or(r);
        if (status == GS_OK && !take(r, ")"))
            status = refuse_place(r, "&&, || or )");
        r->depth--;
    }
    if (negations % 2 == 1)
        negate(r->where, first);
    return status;
}

/* What one part does not decide, and so ends with `open`, is asked of the next. */
static gs_status read_joined(where_reader *r, gs_status (*read_part)(where_reader *r),
                             const char *joint, size_t open) {
    size_t first = r->where->count;
    gs_status status = read_part(r);
    while (status == GS_OK && take(r, joint)) {
        lead(r->where, first, open, r->where->count);
        first = r->where->count;
        status = read_part(r);
    }
    return status;
}

static gs_status read_and(where_reader *r) {
    return read_joined(r, read_not, "&&", CLI_WHERE_KEEP);
}

static gs_status read_or(where_reader *r) {
    return read_joined(r, read_and, "||", CLI_WHERE_LEAVE);
}

gs_status cli_where_read(cli_where *where, gs_config *scratch, const char *text, gs_error *error) {
    const size_t shortest = 4; /* characters of a condition: l1>0 */
    size_t length = strlen(text);
    *where = (cli_where){0};
    where_reader r = {text, text, where, scratch, NULL, 0, error};
    where->conditions = gs_alloc(length / shortest + 1, sizeof *where->conditions, error);
    r.word = where->conditions ? gs_alloc(length + 1, 1, error) : NULL;
    gs_status status = r.word ? read_or(&r) : GS_ERR_MEMORY;
    skip_space(&r);
    if (status == GS_OK && *r.at)
        status = refuse_place(&r, "&& or ||");
    gs_free(r.word);
    if (status != GS_OK)
        cli_where_free(where);
    return status;
}

void cli_where_free(cli_where *where) {
    for (size_t i = 0; i < where->count; i++)
        gs_free(where->conditions[i].text);
    gs_free(where->conditions);
    *where = (cli_where){0};
}
