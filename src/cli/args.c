/*
 * Arguments: --name value, --name=value, -l value, -lvalue, flags, and what stands after "--".
 */
#include <string.h>

#include "base/error.h"
#include "cli/cli.h"

typedef struct {
    const cli_target *targets;
    size_t count;
    char **operands; /* where the next one goes: what stands there has been read */
    size_t room;     /* how many more are taken */
    char **next;     /* the argument that comes next */
    gs_error *error;
} parser;

/* ---- Finding an option among the tables ---- */

static const gs_option *find_long(const parser *p, const char *name, void **base) {
    for (size_t i = 0; i < p->count; i++) {
        const gs_option *option = gs_option_find(p->targets[i].table, name);
        *base = p->targets[i].base;
        if (option)
            return option;
    }
    return NULL;
}

static const gs_option *find_letter(const parser *p, char letter, void **base) {
    for (size_t i = 0; i < p->count; i++)
        for (size_t j = 0; j < p->targets[i].table->count; j++)
            if (p->targets[i].table->rows[j].letter == letter) {
                *base = p->targets[i].base;
                return &p->targets[i].table->rows[j];
            }
    return NULL;
}

static const char *long_name_at(const void *table, size_t index) {
    const parser *p = table;
    for (size_t i = 0; i < p->count; i++) {
        const gs_option_table *options = p->targets[i].table;
        if (index < options->count)
            return options->rows[index].name;
        index -= options->count;
    }
    return NULL;
}

/* ---- Parsing ---- */

/* The value is what stands behind the name, or the next argument. */
static gs_status parse_value(parser *p, const gs_option *option, void *base, const char *attached) {
    if (!attached && !*p->next)
        return gs_fail(p->error, GS_ERR_USAGE, "--%s: expected a value after it", option->name);
    gs_status status = gs_option_parse(option, base, attached ? attached : *p->next++, p->error);
    if (status != GS_OK && option->kind == GS_OPTION_SIZE && option->minimum == option->maximum)
        gs_fail(p->error, status, "%s (%s)", p->error->message, option->help); /* why only that */
    return status;
}

static gs_status parse_long(parser *p, const char *text) {
    char name[96]; /* longer than any name: a longer text is none, and is cut in the message */
    const char *equals = strchr(text, '=');
    size_t length = equals ? (size_t)(equals - text) : strlen(text);
    gs_format(name, sizeof name, "%.*s", (int)(length < sizeof name ? length : sizeof name), text);
    void *base;
    const gs_option *option = find_long(p, name, &base);
    if (!option)
        return gs_unknown_name("option", "--", name, long_name_at, p, p->error);
    if (!option->value)
        return gs_option_parse(option, base, equals ? equals + 1 : "on", p->error);
    return parse_value(p, option, base, equals ? equals + 1 : NULL);
}

/* Letters of flags may stand together; the first that takes a value takes the rest. */
static gs_status parse_letters(parser *p, const char *letters) {
    gs_status status = GS_OK;
    while (status == GS_OK && *letters) {
        void *base;
        const gs_option *option = find_letter(p, *letters++, &base);
        if (!option)
            return gs_fail(p->error, GS_ERR_USAGE, "unknown option '-%c'", letters[-1]);
        if (option->value)
            return parse_value(p, option, base, *letters ? letters : NULL);
        status = gs_option_parse(option, base, "on", p->error);
    }
    return status;
}

static gs_status parse_operand(parser *p, char *text) {
    if (p->room == 0)
        return gs_fail(p->error, GS_ERR_USAGE, "unexpected argument '%.80s'", text);
    *p->operands++ = text;
    p->room--;
    return GS_OK;
}

gs_status cli_parse(char **arguments, const cli_target *targets, size_t count, size_t operands,
                    gs_error *error) {
    parser p = {targets, count, arguments, operands, arguments, error};
    bool options = true;
    gs_status status = GS_OK;
    while (status == GS_OK && *p.next) {
        char *argument = *p.next++;
        if (options && strcmp(argument, "--") == 0)
            options = false;
        else if (options && strncmp(argument, "--", 2) == 0)
            status = parse_long(&p, argument + 2);
        else if (options && argument[0] == '-' && argument[1])
            status = parse_letters(&p, argument + 1);
        else
            status = parse_operand(&p, argument);
    }
    if (operands > 0)
        *p.operands = NULL;
    return status;
}

bool cli_begin(const char *command, char **arguments, const cli_target *targets, size_t count,
               size_t operands, int *status) {
    cli_general general = {false, false};
    cli_target all[CLI_TARGETS];
    gs_error error;
    for (size_t i = 0; i < count; i++)
        all[i] = targets[i];
    all[count] = (cli_target){&cli_general_options, &general};
    if (cli_parse(arguments, all, count + 1, operands, &error) != GS_OK)
        *status = cli_fail(&error);
    else if (general.help)
        *status = cli_help(command);
    else if (general.version)
        *status = cmd_version((char *[]){NULL});
    else
        return true;
    return false;
}
