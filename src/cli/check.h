/*
 * gradsim check: what the checks share.
 */
#ifndef GS_CLI_CHECK_H
#define GS_CLI_CHECK_H

#include "gradsim.h"

/* One check of one network. A status other than GS_OK: it does not hold, the message says why. */
typedef gs_status check_network(void *context, const gs_config *config, gs_error *error);

typedef struct {
    const char *option, *value;
} check_setting;

/* Check every network that the values of `options` make together, on top of `settings` (both end
   with NULL); those that contradict themselves are left out. Adds to `*count`. The message of an
   error names the network. */
gs_status check_networks(const char *const *options, const check_setting *settings,
                         check_network *check, void *context, size_t *count, gs_error *error);

/* A network with its batch. */
gs_network *check_build(const gs_config *config, gs_error *error);

/* The gradients of backward are those of central differences. `context` is a double: the largest
 * relative error so far. */
check_network check_gradients;

/* Two ways to compute one network give the same bytes. `context` is a check_ways. */
typedef struct {
    const char *isa[2], *threads[2], *dtype;
} check_ways;
check_network check_same_bytes;

#endif
