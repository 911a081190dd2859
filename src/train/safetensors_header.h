/*
 * The inside of a safetensors file that is open, for the two that share it: safetensors_read.c has
 * the file and its values, safetensors_header.c the header.
 */
#ifndef GS_TRAIN_SAFETENSORS_HEADER_H
#define GS_TRAIN_SAFETENSORS_HEADER_H

#include "base/json.h"
#include "train/safetensors_read.h"

enum { GS_SAFETENSORS_PREFIX = 8 }; /* bytes before the header: its length */

typedef struct {
    const char *key;
    uint64_t position;
    const char *text;
} gs_metadata;

struct gs_safetensors {
    char *path;
    int descriptor;
    uint64_t length; /* of the file */
    gs_json_reader header;
    gs_stored_tensor *tensors;
    size_t count, capacity;
    gs_metadata *metadata;
    size_t metadata_count, metadata_capacity;
    bool has_metadata;
};

/* Names of dtypes in the file, by gs_stored_dtype. */
typedef struct {
    const char *name;
    size_t size; /* of a value, in bytes */
    double (*value)(const unsigned char *bytes);
} gs_stored_format;

extern const gs_stored_format gs_stored_formats[GS_STORED_COUNT];

/* Read the header, whose text is there, and check it. */
gs_status gs_safetensors_parse(gs_safetensors *file, gs_error *error);

/* "FILE: byte N: ...", the rest as printf. Returns GS_ERR_FORMAT. */
gs_status gs_safetensors_refuse(const gs_safetensors *file, uint64_t position, gs_error *error,
                                const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
