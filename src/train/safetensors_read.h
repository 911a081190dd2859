/*
 * Safetensors files, of ours and of others: the header is read and checked as a whole when a file
 * is opened, values when they are asked for.
 * https://github.com/huggingface/safetensors#format
 */
#ifndef GS_TRAIN_SAFETENSORS_READ_H
#define GS_TRAIN_SAFETENSORS_READ_H

#include "gradsim.h"

typedef struct gs_safetensors gs_safetensors;

typedef enum {
    GS_STORED_F64,
    GS_STORED_F32,
    GS_STORED_F16,
    GS_STORED_BF16,
    GS_STORED_COUNT
} gs_stored_dtype;

enum { GS_STORED_RANK = 8 }; /* at most */

typedef struct {
    const char *name;  /* UTF-8; good until the file is closed */
    uint64_t position; /* of the name in the file, from 0 */
    gs_stored_dtype dtype;
    size_t rank, shape[GS_STORED_RANK];
    size_t count;        /* of values: the product of the shape, 1 for rank 0 */
    uint64_t begin, end; /* data_offsets: of the values, in bytes after the header */
} gs_stored_tensor;

/* Open the regular file `path` and check its whole header: that the JSON is strict, that names are
   unique, dtypes are among those above, shapes agree with data_offsets, and that these cover what
   follows the header without a hole or an overlap. Needs memory in proportion to the header.
   Errors: GS_ERR_IO; GS_ERR_FORMAT, with the file, the byte, what was expected and what came;
   GS_ERR_MEMORY. *file is then NULL. */
gs_status gs_safetensors_open(const char *path, gs_safetensors **file, gs_error *error);
void gs_safetensors_close(gs_safetensors *file); /* NULL does nothing */

const char *gs_safetensors_path(const gs_safetensors *file);

/* All tensors, one after another, in the order of strcmp of their names. */
const gs_stored_tensor *gs_safetensors_tensors(const gs_safetensors *file, size_t *count);

/* The tensor called `name`; the text of `key` in `__metadata__`. NULL if there is none. */
const gs_stored_tensor *gs_safetensors_find(const gs_safetensors *file, const char *name);
const char *gs_safetensors_metadata(const gs_safetensors *file, const char *key);

/* The values of a tensor, row by row: values[tensor->count]. Each is exact.
   Errors: GS_ERR_IO; GS_ERR_FORMAT if the file has become shorter. */
gs_status gs_safetensors_read(const gs_safetensors *file, const gs_stored_tensor *tensor,
                              double *values, gs_error *error);

/* "[64,784]", for messages. */
enum { GS_SHAPE_TEXT = 24 * GS_STORED_RANK };
void gs_stored_shape(const gs_stored_tensor *tensor, char text[GS_SHAPE_TEXT]);

/* Bytes of a name that a message shows: a long one is cut between two characters, so that it
   does not push out what was expected. For "%.*s". */
int gs_stored_shown(const char *name);

#endif
