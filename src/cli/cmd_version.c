/*
 * gradsim version
 */
#include "cli/cli.h"

int cmd_version(char **arguments) {
    int status;
    if (!cli_begin("version", arguments, NULL, 0, 0, &status))
        return status;
    printf("gradsim %s\n", gs_version());
    return CLI_DONE;
}
