/*
 * The options of the command line that are none of the network's: where the numbers go, and in what
 * form.
 */
#include <stddef.h>

#include "cli/cli.h"

static const gs_name format_rows[] = {
    {.name = "table", .help = "for people: a line a layer, and a summary"},
    {.name = "csv", .help = "a line a layer, with the whole configuration (RFC 4180)"},
    {.name = "tsv", .help = "the same with tabs"},
    {.name = "jsonl", .help = "the same as one JSON object a line"},
};

static const gs_family formats = GS_FAMILY(format_rows);

/* clang-format off */
static const gs_option output_rows[] = {
    {"format", GS_OPTION_CHOICE, offsetof(cli_output, format), "NAME", "auto",
     "form of the log, by default as FILE ends (.csv, .tsv, .jsonl), else a table",
     .group = "Output", .family = &formats, .automatic = "auto"},
    {"output", GS_OPTION_TEXT, offsetof(cli_output, output), "FILE", NULL,
     "write there; -, the default, is standard output", .letter = 'o'},
    {"no-header", GS_OPTION_FLAG, offsetof(cli_output, no_header), NULL, NULL,
     "csv, tsv: no line of column names", .letter = 0},
    {"color", GS_OPTION_CHOICE, offsetof(cli_output, color), "WHEN", "auto",
     "colors in the table", .family = &cli_colors},
    {"quiet", GS_OPTION_FLAG, offsetof(cli_output, quiet), NULL, NULL,
     "table: the summary alone", .letter = 'q'},
};

static const gs_option general_rows[] = {
    {"help", GS_OPTION_FLAG, offsetof(cli_general, help), NULL, NULL,
     "print this", .group = "General", .letter = 'h'},
    {"version", GS_OPTION_FLAG, offsetof(cli_general, version), NULL, NULL,
     "print the version", .letter = 0},
};
/* clang-format on */

const gs_option_table cli_output_options = {output_rows,
                                            sizeof output_rows / sizeof output_rows[0]};
const gs_option_table cli_general_options = {general_rows,
                                             sizeof general_rows / sizeof general_rows[0]};
