/* Configurations for tests, made from a line of options. */
#ifndef GS_TEST_CONFIGS_H
#define GS_TEST_CONFIGS_H

#include "gradsim.h"
#include "test.h"

/* `options` is "layers=3 act=relu"; what is not named has its default. */
static inline gs_config *config_of(const char *options) {
    gs_error why = {0};
    gs_config *config = gs_config_new(&why);
    char line[512], *rest = line, *word;
    snprintf(line, sizeof line, "%s", options);
    while ((word = strtok_r(rest, " ", &rest))) {
        char *value = strchr(word, '=');
        *value++ = '\0';
        CHECK_THAT(gs_config_set(config, word, value, &why) == GS_OK, "%s", why.message);
    }
    return config;
}

#endif
