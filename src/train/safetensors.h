/*
 * A network as a safetensors file (little-endian 8-byte header length, JSON header, raw values), so
 * that an outside program can recompute everything.
 */
#ifndef GS_TRAIN_SAFETENSORS_H
#define GS_TRAIN_SAFETENSORS_H

#include "gradsim.h"

/* Tensors and metadata that go beyond a network. */
typedef struct {
    const void *context;
    /* The tensor at `index`, false past the last; and its values. */
    bool (*tensor)(const void *context, size_t index, gs_tensor *tensor);
    void (*read)(const void *context, size_t index, double *values);
    const char *const (*metadata)[2]; /* [metadata_count], key and value */
    size_t metadata_count;
} gs_extra_tensors;

/* Save every tensor of `network` (see gs_network_tensor), and `extra` if it is not NULL, as F64 or
   F32, little-endian, by the dtype of `config`. `__metadata__` holds, as strings, every option that
   is a column of the log, the seed, and what else a run needs to be continued. A nan is stored as
   the quiet one without a sign, whatever the machine made of it. Written to a new file beside
   `path`, or beside the file that a link leads to, and renamed when it is complete: there is never
   half a network. What is no regular file (a pipe, a device) is written to as it is.
   Errors: GS_ERR_IO; GS_ERR_MEMORY. */
gs_status gs_safetensors_save(const gs_network *network, const gs_config *config,
                              const gs_extra_tensors *extra, const char *path, gs_error *error);

/* Find out early whether that file could be written, as far as can be told: a file beside it is
   made and removed, and what is there is not touched. Errors: GS_ERR_IO; GS_ERR_MEMORY. */
gs_status gs_safetensors_try(const char *path, gs_error *error);

#endif
