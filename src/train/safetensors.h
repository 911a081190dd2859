/*
 * A network as a safetensors file (little-endian 8-byte header length, JSON header, raw values), so
 * that an outside program can recompute everything.
 */
#ifndef GS_TRAIN_SAFETENSORS_H
#define GS_TRAIN_SAFETENSORS_H

#include <stdio.h>

#include "gradsim.h"

/* Save every tensor of `network` (see gs_network_tensor) as F64 or F32, little-endian, by the dtype
   of `config`. `__metadata__` holds, as strings, the seed and every option that is a column of the
   log. Written to a new file beside `path` and renamed when it is complete: `path` never holds half
   a network. What is not a regular file (a link, a pipe, /dev/stdout) is written to as it is.
   Errors: GS_ERR_IO; GS_ERR_MEMORY. */
gs_status gs_safetensors_save(const gs_network *network, const gs_config *config, const char *path,
                              gs_error *error);

/* Write `text` as a JSON string, with U+FFFD for each byte that is not UTF-8; only count if `out`
   is NULL. Returns the number of bytes. */
size_t gs_json_string(FILE *out, const char *text);

#endif
