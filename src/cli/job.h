/*
 * What commands that build networks have in common: options -> data -> networks with their batch,
 * and the file that the results go to.
 */
#ifndef GS_CLI_JOB_H
#define GS_CLI_JOB_H

#include "cli/cli.h"
#include "cli/grid.h"
#include "cli/interrupts.h"
#include "net/config.h"
#include "net/weight_cache.h"
#include "report/sheet.h"
#include "train/data.h"
#include "train/safetensors_read.h"

typedef struct {
    gs_config *config; /* resolved by cli_job_load */
    cli_output output;
    gs_data data;     /* no examples: a network draws its own */
    gs_data held_out; /* no examples: nothing is */
    const char *path; /* of the results; NULL: standard output */
    FILE *file;       /* NULL until cli_job_open */
    cli_target own;   /* the command's own options */
    char **arguments;
    gs_weight_cache *weights; /* of other networks; NULL: none, as in a single one */
    bool trains;              /* set by a command that knows what to do with --steps */
    gs_safetensors *saved;    /* the network that --load names; NULL: weights are drawn */
    bool is_checkpoint;       /* of training, after so many steps */
    uint64_t step;
} cli_job;

/* Parse the arguments of a command: the options of every network, those of the output, and the
   command's own (a NULL table if it has none). Returns whether it is to go on, until cli_job_end;
   else `*status` is the exit status. */
bool cli_job_begin(cli_job *job, const char *command, char **arguments, cli_target own,
                   int *status);

/* The same where options of the network hold lists, which go there; `config` is then as usual. */
bool cli_job_begin_lists(cli_job *job, const char *command, char **arguments, cli_target own,
                         cli_lists *lists, int *status);

/* The data that a configuration asks for: those to train on, and those held out. */
gs_status cli_job_load_data(const gs_config *config, gs_data *data, gs_data *held_out,
                            gs_error *error);

/* Load the data, unless they are there, and what the file `saved` says of the network (NULL: there
   is none), and resolve the configuration. What the arguments say goes before what the file says.
   Errors: GS_ERR_USAGE for options that contradict each other, GS_ERR_IO, GS_ERR_FORMAT,
   GS_ERR_MEMORY. */
gs_status cli_job_load(cli_job *job, const char *saved, gs_error *error);

/* A network of `config` with its batch, from the data of the job if there are any, and its weights
   from the file if there is one. */
gs_network *cli_job_network(const cli_job *job, const gs_config *config, gs_error *error);

/* Moments of the input of that network, if it is from data; else nothing. Errors: as above. */
gs_status cli_job_moments(const cli_job *job, const gs_config *config, gs_input_moments *moments,
                          gs_error *error);

gs_report_format cli_job_format(const cli_job *job);

/* Open the file of the results, for the first of them: what fails before changes no file. `mode` is
   that of fopen, "w" or "r+". Fills in the style. Errors: GS_ERR_IO. */
gs_status cli_job_open(cli_job *job, const char *mode, gs_report_style *style, gs_error *error);

/* Hold interrupts while writing to a regular file: a record and a saved file are whole or not
   there. A pipe or a terminal might keep the program waiting for ever, and so might opening a
   FIFO. */
void cli_job_hold_interrupts(const cli_job *job);

/* Say why writing the results failed, by errno. */
gs_status cli_job_fail(const cli_job *job, gs_error *error);

/* Flush, close and check the file of the results, and free what the job and the command's own
   options hold. Prints `error` if `status` is an error, else what goes wrong now. Returns the exit
   status, which is `done` if all went well. */
int cli_job_end(cli_job *job, gs_status status, const gs_error *error, int done);

#endif
