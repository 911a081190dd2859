/*
 * gradsim help: everything is read off the tables of commands, options, families and columns. The
 * first tier is one page; the second tells all there is to know of one option or topic.
 */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/topics.h"
#include "net/config.h"

/* What the overview lists; other commands have options of their own. */
static const gs_option_table *const tables[] = {&gs_config_options, &cli_output_options,
                                                &cli_run_options, &cli_general_options};
enum { TABLES = sizeof tables / sizeof tables[0] };

/* ---- A page: a column of terms and a column of text, in 80 columns ---- */

enum { PAGE_WIDTH = 79, TEXT_COLUMN = 27 };

static void print_words(const char *text, int column, int at) {
    while (*text) {
        int length = (int)strcspn(text, " ");
        if (at > column && at + 1 + length > PAGE_WIDTH) {
            printf("\n%*s", column, "");
            at = column;
        }
        at += printf("%s%.*s", at > column ? " " : "", length, text);
        text += length;
        text += strspn(text, " ");
    }
    putchar('\n');
}

static void print_row(const char *term, const char *text) {
    int at = printf("  %s", term);
    if (at > TEXT_COLUMN - 2) {
        putchar('\n');
        at = 0;
    }
    printf("%*s", TEXT_COLUMN - at, "");
    print_words(text, TEXT_COLUMN, TEXT_COLUMN);
}

static void print_rows(const help_row *rows) {
    for (; rows->term; rows++)
        print_row(rows->term, rows->text);
}

/* ---- Options ---- */

/* "--output FILE". */
static void add_option(gs_line *line, const gs_option *option) {
    gs_line_add(line, "--%s", option->name);
    if (option->value)
        gs_line_add(line, " %s", option->value);
}

static void add_default(gs_line *line, const gs_option *option) {
    if (option->standard)
        gs_line_add(line, " [%s]", option->standard);
}

/* "leaky-relu[:A]", "normal:STD", or the letter of a bare number. */
static void add_name(gs_line *line, const gs_name *row) {
    static const char *const forms[] = {[GS_PARAM_OPTIONAL] = "[:%s]", [GS_PARAM_REQUIRED] = ":%s"};
    gs_line_add(line, "%s", row->name ? row->name : row->letter);
    if (row->parameter != GS_PARAM_NONE)
        gs_line_add(line, forms[row->parameter], row->letter);
}

/* A line of the first tier: what an option does, the names that it takes if they are few, and its
   default. */
static void print_option(const gs_option *option) {
    gs_line term = {0}, names = {0}, text = {0};
    for (size_t i = 0; option->family && i < option->family->count; i++) {
        gs_line_add(&names, i > 0 ? ", " : ": ");
        add_name(&names, gs_family_row(option->family, i));
    }
    bool many = names.length > 60;
    if (option->letter)
        gs_line_add(&term, "-%c, ", option->letter);
    else
        gs_line_add(&term, "    ");
    add_option(&term, option);
    gs_line_add(&text, "%s", option->help);
    gs_line_add(&text, many ? ": see gradsim help %s" : "%s", many ? option->name : names.text);
    add_default(&text, option);
    print_row(term.text, text.text);
}

static void print_options(const gs_option_table *table) {
    for (size_t i = 0; i < table->count; i++) {
        if (table->rows[i].group)
            printf("\n%s:\n", table->rows[i].group);
        print_option(&table->rows[i]);
    }
}

/* ---- One option in full ---- */

static void add_range(gs_line *line, double minimum, double maximum) {
    char low[32], high[32];
    gs_format_real(low, minimum);
    gs_format_real(high, maximum);
    if (minimum < maximum)
        gs_line_add(line, " from %s to %s", low, high);
    else
        gs_line_add(line, " is %s", low);
}

/* "; N from 1 to 4096, or all", if the option is a number. */
static void add_option_range(gs_line *line, const gs_option *option) {
    if (option->kind == GS_OPTION_SEED)
        gs_line_add(line, "; %s from 0 to %llu", option->value, (unsigned long long)UINT64_MAX);
    if (option->kind == GS_OPTION_SIZE || option->kind == GS_OPTION_SIZES ||
        option->kind == GS_OPTION_REAL) {
        gs_line_add(line, "; %s", option->value);
        add_range(line, option->minimum, option->maximum);
        if (option->automatic)
            gs_line_add(line, ", or %s", option->automatic);
    }
}

static void print_name(const gs_name *row) {
    gs_line term = {0}, text = {0};
    char standard[32];
    add_name(&term, row);
    gs_line_add(&text, "%s", row->help);
    for (size_t i = 0; i < sizeof row->alias / sizeof row->alias[0] && row->alias[i]; i++)
        gs_line_add(&text, "%s%s", i == 0 ? "; also " : ", ", row->alias[i]);
    if (row->letter) {
        gs_line_add(&text, "; %s", row->letter);
        add_range(&text, row->minimum, row->maximum);
    }
    gs_format_real(standard, row->standard);
    if (row->parameter == GS_PARAM_OPTIONAL)
        gs_line_add(&text, " [%s]", standard);
    print_row(term.text, text.text);
}

static void print_option_page(const gs_option *option) {
    gs_line title = {0};
    add_option(&title, option);
    gs_line_add(&title, ": %s", option->help);
    add_default(&title, option);
    add_option_range(&title, option);
    print_words(title.text, 0, 0);
    for (size_t i = 0; option->family && i < option->family->count; i++)
        print_name(gs_family_row(option->family, i));
    for (const help_row *note = help_notes; note->term; note++)
        if (strcmp(note->term, option->name) == 0)
            print_words(note->text, 0, 0);
}

/* ---- Columns of the log ---- */

static void print_columns(const help_row *rows) {
    gs_line options = {0};
    printf("A line for each layer, with\n");
    print_rows(rows);
    for (gs_column column = 0; column < GS_COLUMN_COUNT; column++)
        print_row(gs_column_name(column), help_columns[column]);
    print_rows(help_steps);
    gs_line_add(&options, "and the options");
    for (size_t i = 0; i < gs_config_options.count; i++)
        if (gs_config_options.rows[i].column)
            gs_line_add(&options, " %s", gs_config_options.rows[i].name);
    gs_line_add(&options,
                ", with _ for -; the options gain, loss and lr, which are measurements too, stand "
                "as config_gain, config_loss and config_lr.");
    print_words(options.text, 0, 0);
    printf("\nWith --order act-dense the gains are those of the layer itself:\n");
    print_rows(help_act_dense_gains);
    printf("\nA cell that is no number:\n");
    print_rows(help_cells);
    print_words(
        "JSON lines have nan, inf and -inf as strings. A gradient that is zero in theory, as "
        "that of --loss sum or random through a batch norm at the output, shows as rounding noise.",
        0, 0);
}

/* ---- Finding a topic ---- */

static const struct {
    const char *name;
    const char *option;                  /* another name for the page of this option, or */
    void (*print)(const help_row *rows); /* what prints these rows */
    const help_row *rows;
} topics[] = {
    {"activations", "act", NULL, NULL},
    {"inits", "init", NULL, NULL},
    {"norms", "norm", NULL, NULL},
    {"residuals", "residual", NULL, NULL},
    {"losses", "loss", NULL, NULL},
    {"optimizers", "opt", NULL, NULL},
    {"schedules", "schedule", NULL, NULL},
    {"clipping", "clip", NULL, NULL},
    {"columns", NULL, print_columns, help_indices},
    {"environment", NULL, print_rows, help_environment},
    {"exit-status", NULL, print_rows, help_exit_statuses},
    {"verdict", NULL, print_rows, help_verdict},
    {"sweep", NULL, print_rows, help_sweep},
    {"plot", NULL, print_rows, help_plot},
    {"report", NULL, print_rows, help_report},
    {"compare", NULL, print_rows, help_compare},
    {"training", NULL, print_rows, help_training},
    {"theory", NULL, print_rows, help_theory},
    {"spectrum", NULL, print_rows, help_isometry},
};
enum { TOPICS = sizeof topics / sizeof topics[0] };

/* By its name or by its letter. */
static const gs_option *find_in(const gs_option_table *table, const char *name) {
    for (size_t i = 0; i < table->count; i++)
        if (table->rows[i].letter && table->rows[i].letter == name[0] && !name[1])
            return &table->rows[i];
    return gs_option_find(table, name);
}

static const gs_option *find_option(const char *name) {
    const gs_option *option = NULL;
    for (size_t i = 0; i < TABLES && !option; i++)
        option = find_in(tables[i], name);
    for (const cli_command *command = cli_commands; command->name; command++)
        for (size_t i = 0; i < CLI_COMMAND_TABLES && command->options[i] && !option; i++)
            option = find_in(command->options[i], name);
    return option;
}

/* Every topic, then every option. */
static const char *topic_name_at(const void *unused, size_t index) {
    (void)unused;
    if (index < TOPICS)
        return topics[index].name;
    index -= TOPICS;
    for (size_t i = 0; i < TABLES; index -= tables[i++]->count)
        if (index < tables[i]->count)
            return tables[i]->rows[index].name;
    return NULL;
}

static void print_command_page(const cli_command *command) {
    gs_line title = {0};
    gs_line_add(&title, "gradsim %s%s%s: %s", command->name, command->operand ? " " : "",
                command->operand ? command->operand : "", command->summary);
    print_words(title.text, 0, 0);
    for (size_t i = 0; i < CLI_COMMAND_TABLES && command->options[i]; i++)
        print_options(command->options[i]);
}

/* A command, a topic, an option: theory is the first two, help the first and the last. */
static int print_topic(const char *name) {
    bool found = false;
    for (const cli_command *command = cli_commands; command->name; command++)
        if (strcmp(command->name, name) == 0) {
            print_command_page(command);
            found = true;
        }
    for (size_t i = 0; i < TOPICS; i++) {
        if (strcmp(topics[i].name, name) != 0)
            continue;
        if (found)
            putchar('\n');
        if (topics[i].option)
            print_option_page(find_option(topics[i].option));
        else
            topics[i].print(topics[i].rows);
        found = true;
    }
    const gs_option *option = find_option(name);
    if (option)
        print_option_page(option);
    if (found || option)
        return CLI_DONE;
    gs_error error;
    gs_unknown_name("topic", "", name, topic_name_at, NULL, &error);
    return cli_fail(&error);
}

/* ---- The first tier ---- */

static void print_commands(void) {
    printf("Commands:\n");
    for (const cli_command *command = cli_commands; command->name; command++) {
        gs_line term = {0};
        gs_line_add(&term, "%s", command->name);
        if (command->operand)
            gs_line_add(&term, " %s", command->operand);
        print_row(term.text, command->summary);
    }
}

static void print_overview(void) {
    printf("gradsim: what happens to the gradient on its way back through a deep network\n\n"
           "Usage: gradsim [COMMAND] [OPTIONS]\n\n");
    print_commands();
    for (size_t i = 0; i < TABLES; i++)
        print_options(tables[i]);
    gs_line names = {0};
    for (size_t i = 0; i < TOPICS; i++)
        gs_line_add(&names, "%s, ", topics[i].name);
    gs_line_add(&names, "and every option");
    printf("\nTopics:\n  ");
    print_words(names.text, 2, 2);
}

int cli_help(const char *command) {
    if (strcmp(command, "run") != 0 && strcmp(command, "help") != 0)
        return print_topic(command);
    print_overview();
    return CLI_DONE;
}

/* `help --act` is `help act`, but `help --help` and `help --version` are what they always are. */
static void drop_dashes(char **argument) {
    char *name = *argument + strspn(*argument, "-");
    if (*name && !find_in(&cli_general_options, name))
        *argument = name;
}

int cmd_help(char **arguments) {
    int status;
    if (arguments[0])
        drop_dashes(&arguments[0]);
    if (!cli_begin("help", arguments, NULL, 0, 1, &status))
        return status;
    return arguments[0] ? print_topic(arguments[0]) : cli_help("run");
}
