/*
 * gradsim: finds the command, runs it, and sees that what was printed has arrived.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/cli.h"

/* clang-format off */
const cli_command cli_commands[] = {
    {"run", cmd_run, NULL, {&cli_run_options},
     "build a network and print what reaches each layer (the default)"},
    {"sweep", cmd_sweep, NULL, {&cli_sweep_options},
     "the same for every point of a grid: each option takes a list"},
    {"compare", cmd_compare, NULL, {NULL},
     "this network with each known remedy, ranked: what mends the gradient?"},
    {"theory", cmd_theory, NULL, {&cli_theory_options},
     "what mean-field theory predicts for a network, without building it"},
    {"spectrum", cmd_spectrum, NULL, {&cli_spectrum_options},
     "every singular value of dx_L/dx_0 for one example: is it near isometry?"},
    {"merge", cmd_merge, "FILE...", {&cli_merge_options},
     "join the logs of shards of a sweep in the order of its points"},
    {"plot", cmd_plot, "FILE...", {&cli_plot_options, &cli_view_options},
     "draw what a log, or the summary of a sweep, has to show"},
    {"report", cmd_report, "FILE...", {&cli_report_options, &cli_view_options},
     "make a page of it: pictures, values at the pointer, a table that sorts"},
    {"check", cmd_check, NULL, {NULL},
     "verify this build on this machine: kernels, threads, gradients"},
    {"help", cmd_help, "[TOPIC]", {NULL}, "what there is to say about an option or a topic"},
    {"version", cmd_version, NULL, {NULL}, "the version"},
    {0},
};
/* clang-format on */

static const char *command_name_at(const void *commands, size_t index) {
    return ((const cli_command *)commands)[index].name;
}

int cli_fail(const gs_error *error) {
    fprintf(stderr, "gradsim: %s\n", error->message);
    bool usage = error->code == GS_ERR_USAGE || error->code == GS_ERR_UNSUPPORTED;
    return usage ? CLI_USAGE : CLI_FAILED;
}

static int run_command(char **arguments) {
    if (!arguments[0] || arguments[0][0] == '-')
        return cmd_run(arguments);
    for (const cli_command *command = cli_commands; command->name; command++)
        if (strcmp(command->name, arguments[0]) == 0)
            return command->run(arguments + 1);
    gs_error error;
    gs_unknown_name("command", "", arguments[0], command_name_at, cli_commands, &error);
    return cli_fail(&error);
}

/* A standard stream that came closed is opened for the wrong direction: using it is then an error,
   and no file that is opened later takes its place. */
static void hold_standard_streams(void) {
    for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; stream++)
        if (fcntl(stream, F_GETFD) == -1)
            open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

static int close_standard_output(int status) {
    bool failed = ferror(stdout) != 0;
    if ((fclose(stdout) == 0 && !failed) || status == CLI_FAILED)
        return status;
    gs_error error;
    gs_fail(&error, GS_ERR_IO, "cannot write standard output: %s", strerror(errno));
    return cli_fail(&error);
}

int main(int argc, char **argv) {
    hold_standard_streams();
    signal(SIGPIPE, SIG_DFL); /* some parents ignore it, and then `| head` would be an error */
    signal(SIGXFSZ, SIG_IGN); /* a file over the limit of its size is an error like a full disk */
    return close_standard_output(run_command(argc > 0 ? argv + 1 : argv));
}
