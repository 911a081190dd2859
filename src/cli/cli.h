/*
 * The command line: what every command shares. A command takes the arguments after its name, does
 * its work, and returns the exit status of the program.
 */
#ifndef GS_CLI_CLI_H
#define GS_CLI_CLI_H

#include <stdio.h>

#include "net/option.h"

enum {
    CLI_DONE,
    CLI_FAILED,   /* input, output, memory, or a check that does not hold */
    CLI_USAGE,    /* a bad name or value, or an instruction set that this
                     machine has not: nothing was changed                 */
    CLI_CONDITION /* the --fail-on condition holds                        */
};

enum { CLI_COMMAND_TABLES = 2 };

typedef struct {
    const char *name;
    int (*run)(char **arguments); /* NULL past the last */
    const char *operand;          /* in help: "[TOPIC]", "FILE..."; NULL if it takes none */
    const gs_option_table *options[CLI_COMMAND_TABLES]; /* its own, NULL past the last */
    const char *summary;
} cli_command;

extern const cli_command cli_commands[]; /* ends with a NULL name */

int cmd_run(char **arguments);
int cmd_sweep(char **arguments);
int cmd_compare(char **arguments);
int cmd_theory(char **arguments);
int cmd_spectrum(char **arguments);
int cmd_merge(char **arguments);
int cmd_plot(char **arguments);
int cmd_report(char **arguments);
int cmd_check(char **arguments);
int cmd_help(char **arguments);
int cmd_version(char **arguments);

/* Print "gradsim: message" to standard error; returns the exit status that belongs to the error. */
int cli_fail(const gs_error *error);

/* The page of a command; the overview for the default one. */
int cli_help(const char *command);

/* ---- Options beside the configuration ---- */

typedef struct {
    gs_choice format; /* index is gs_report_format; GS_CHOICE_AUTO: by the ending of `output` */
    char *output;     /* NULL or "-": standard output */
    bool no_header;
    gs_choice color;
    bool quiet;
} cli_output;

enum { CLI_COLOR_AUTO, CLI_COLOR_ALWAYS, CLI_COLOR_NEVER };

extern const gs_option_table cli_output_options; /* of cli_output */
extern const gs_option_table cli_run_options;
extern const gs_option_table cli_sweep_options;
extern const gs_option_table cli_theory_options;
extern const gs_option_table cli_spectrum_options;
extern const gs_option_table cli_merge_options;
extern const gs_option_table cli_plot_options;
extern const gs_option_table cli_report_options;
extern const gs_option_table cli_view_options; /* of cli_view, in cli/reading.h */

typedef struct {
    bool help, version;
} cli_general;

extern const gs_option_table cli_general_options; /* of cli_general: what every command takes */

/* ---- Files ---- */

/* Whether two paths lead to one regular file, which may be yet to be made. NULL leads nowhere. */
bool cli_same_file(const char *a, const char *b);

/* What is written to one file would be lost to the other. */
gs_status cli_refuse_same_file(const char *option, const char *path, const char *other,
                               gs_error *error);

/* Refuse to do without operands, and to write to one of them; `command` and what is `wanted` are for
   messages. Errors: GS_ERR_USAGE. */
gs_status cli_check_operands(const char *command, const char *wanted, char *const *paths,
                             const char *output, gs_error *error);

/* The file of --output: NULL is standard output, here and below, and so is "-". */
const char *cli_output_path(const char *output);

/* Writes all of a file; what cannot be written shows in ferror(). */
typedef gs_status cli_writer(const void *context, FILE *file, gs_error *error);

/* Have a file written, which is whole or as it was before: interrupts wait, but not for a pipe,
   which might keep the program for ever. Errors: those of the writer; GS_ERR_IO, GS_ERR_MEMORY. */
gs_status cli_write_file(const char *path, cli_writer *write, const void *context, gs_error *error);

/* "cannot write 'PATH': REASON". Returns GS_ERR_IO. */
gs_status cli_fail_to_write(const char *path, const char *reason, gs_error *error);

/* ---- Terminals ---- */

extern const gs_family cli_colors; /* what --color takes */

/* Whether to write colours to `file`, as --color says. */
bool cli_use_color(gs_choice color, FILE *file);

/* How wide the terminal of a file descriptor is; `usual` if that is none, or not known. */
size_t cli_terminal_columns(int descriptor, size_t usual);

/* ---- Arguments ---- */

/* A table of options and the struct that it describes. */
typedef struct {
    const gs_option_table *table;
    void *base;
} cli_target;

enum { CLI_TARGETS = 4 }; /* at most, counting the general options */

/* Parse `arguments` into the structs of `targets`. The arguments that are no options, at most
   `operands` of them, are moved to the front of `arguments`, and NULL follows them; where none is
   taken `arguments` stay as they are. Errors: GS_ERR_USAGE. */
gs_status cli_parse(char **arguments, const cli_target *targets, size_t count, size_t operands,
                    gs_error *error);

/* Parse, and do what every command does alike: report a bad usage, or print the command's help or
   the version if they are asked for. Returns whether the command is to go on; else `*status` is the
   exit status. */
bool cli_begin(const char *command, char **arguments, const cli_target *targets, size_t count,
               size_t operands, int *status);

#endif
