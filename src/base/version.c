/*
 * The version of the library, for programs that link it and want to know.
 */
#include "gradsim.h"

const char *gs_version(void) {
    return GS_VERSION;
}
