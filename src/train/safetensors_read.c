/*
 * A safetensors file from disk: 8 bytes of header length, the header, the values. Nothing that the
 * file claims is believed before it is held against its length.
 */
#include "train/safetensors_read.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "train/safetensors_header.h"

enum { HEADER_MAX = 100000000 }; /* as the reference implementation has it */

/* ---- Messages ---- */

int gs_stored_shown(const char *name) {
    size_t length = strlen(name);
    if (length > 60)
        for (length = 60; ((unsigned char)name[length] & 0xc0) == 0x80;)
            length--;
    return (int)length;
}

void gs_stored_shape(const gs_stored_tensor *tensor, char text[GS_SHAPE_TEXT]) {
    size_t length = (size_t)gs_format(text, GS_SHAPE_TEXT, "[");
    for (size_t i = 0; i < tensor->rank; i++)
        length += (size_t)gs_format(text + length, GS_SHAPE_TEXT - length, "%s%zu",
                                    i > 0 ? "," : "", tensor->shape[i]);
    gs_format(text + length, GS_SHAPE_TEXT - length, "]");
}

gs_status gs_safetensors_refuse(const gs_safetensors *file, uint64_t position, gs_error *error,
                                const char *format, ...) {
    char message[sizeof error->message];
    va_list arguments;
    va_start(arguments, format);
    gs_format_list(message, sizeof message, format, arguments);
    va_end(arguments);
    return gs_fail(error, GS_ERR_FORMAT, "%s: byte %llu: %s", file->path,
                   (unsigned long long)position, message);
}

/* ---- Bytes ---- */

static gs_status read_bytes(const gs_safetensors *file, uint64_t position, void *bytes,
                            size_t count, gs_error *error) {
    for (size_t done = 0; done < count;) {
        ssize_t got =
            pread(file->descriptor, (char *)bytes + done, count - done, (off_t)(position + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return gs_fail(error, GS_ERR_IO, "%s: %s", file->path, strerror(errno));
        if (got == 0)
            return gs_safetensors_refuse(file, position + done, error,
                                         "expected %zu more bytes, got the end", count - done);
        done += (size_t)got;
    }
    return GS_OK;
}

static uint64_t little_endian(const unsigned char *bytes, size_t size) {
    uint64_t bits = 0;
    for (size_t i = size; i-- > 0;)
        bits = bits << 8 | bytes[i];
    return bits;
}

/* ---- Values ---- */

static double f64_value(const unsigned char *bytes) {
    uint64_t bits = little_endian(bytes, 8);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static double f32_of(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static double f32_value(const unsigned char *bytes) {
    return f32_of((uint32_t)little_endian(bytes, 4));
}

/* bfloat16 is the upper half of a float32. */
static double bf16_value(const unsigned char *bytes) {
    return f32_of((uint32_t)little_endian(bytes, 2) << 16);
}

/* 1 bit of sign, 5 of exponent, 10 of mantissa (IEEE 754 binary16). */
static double f16_value(const unsigned char *bytes) {
    unsigned bits = (unsigned)little_endian(bytes, 2);
    int exponent = bits >> 10 & 31, mantissa = bits & 1023;
    double value = exponent == 0   ? ldexp(mantissa, -24)
                   : exponent < 31 ? ldexp(1024 + mantissa, exponent - 25)
                   : mantissa == 0 ? INFINITY
                                   : NAN;
    return bits >> 15 ? -value : value;
}

const gs_stored_format gs_stored_formats[GS_STORED_COUNT] = {
    [GS_STORED_F64] = {"F64", 8, f64_value},
    [GS_STORED_F32] = {"F32", 4, f32_value},
    [GS_STORED_F16] = {"F16", 2, f16_value},
    [GS_STORED_BF16] = {"BF16", 2, bf16_value},
};

gs_status gs_safetensors_read(const gs_safetensors *file, const gs_stored_tensor *tensor,
                              double *values, gs_error *error) {
    unsigned char bytes[1 << 14];
    size_t size = gs_stored_formats[tensor->dtype].size;
    uint64_t position = GS_SAFETENSORS_PREFIX + file->header.length + tensor->begin;
    for (size_t done = 0; done < tensor->count;) {
        size_t left = tensor->count - done, most = sizeof bytes / size;
        size_t count = left < most ? left : most;
        gs_status status = read_bytes(file, position + done * size, bytes, count * size, error);
        if (status != GS_OK)
            return status;
        for (size_t i = 0; i < count; i++)
            values[done + i] = gs_stored_formats[tensor->dtype].value(bytes + i * size);
        done += count;
    }
    return GS_OK;
}

/* ---- Opening and closing ---- */

static gs_status open_regular(gs_safetensors *file, gs_error *error) {
    struct stat info;
    /* Not to wait for whoever may write to a pipe. */
    file->descriptor = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file->descriptor < 0 || fstat(file->descriptor, &info) != 0)
        return gs_fail(error, GS_ERR_IO, "%s: %s", file->path, strerror(errno));
    if (!S_ISREG(info.st_mode))
        return gs_safetensors_refuse(file, 0, error, "expected a regular file, got %s",
                                     S_ISDIR(info.st_mode)    ? "a folder"
                                     : S_ISFIFO(info.st_mode) ? "a pipe"
                                                              : "a device");
    file->length = (uint64_t)info.st_size;
    return GS_OK;
}

static gs_status read_header(gs_safetensors *file, gs_error *error) {
    unsigned char prefix[GS_SAFETENSORS_PREFIX];
    if (file->length < sizeof prefix)
        return gs_safetensors_refuse(file, 0, error,
                                     "expected 8 bytes, the length of the header, got %llu",
                                     (unsigned long long)file->length);
    gs_status status = read_bytes(file, 0, prefix, sizeof prefix, error);
    if (status != GS_OK)
        return status;
    uint64_t length = little_endian(prefix, sizeof prefix), rest = file->length - sizeof prefix;
    if (length > HEADER_MAX || length > rest)
        return gs_safetensors_refuse(
            file, 0, error, "expected a safetensors header of %llu bytes at most, %s, got %llu",
            (unsigned long long)(rest < HEADER_MAX ? rest : HEADER_MAX),
            rest < HEADER_MAX ? "the rest of the file" : "as the format has it",
            (unsigned long long)length);
    file->header.length = (size_t)length;
    file->header.text = gs_alloc(file->header.length + 1, 1, error);
    if (!file->header.text)
        return GS_ERR_MEMORY;
    return read_bytes(file, sizeof prefix, file->header.text, file->header.length, error);
}

static gs_status open_file(gs_safetensors *file, const char *path, gs_error *error) {
    file->path = gs_alloc(strlen(path) + 1, 1, error);
    if (!file->path)
        return GS_ERR_MEMORY;
    strcpy(file->path, path);
    gs_status status = open_regular(file, error);
    if (status == GS_OK)
        status = read_header(file, error);
    return status == GS_OK ? gs_safetensors_parse(file, error) : status;
}

gs_status gs_safetensors_open(const char *path, gs_safetensors **file, gs_error *error) {
    *file = gs_alloc(1, sizeof **file, error);
    if (!*file)
        return GS_ERR_MEMORY;
    (*file)->descriptor = -1;
    gs_status status = open_file(*file, path, error);
    if (status != GS_OK) {
        gs_safetensors_close(*file);
        *file = NULL;
    }
    return status;
}

void gs_safetensors_close(gs_safetensors *file) {
    if (!file)
        return;
    if (file->descriptor >= 0)
        close(file->descriptor);
    gs_free(file->path);
    gs_free(file->header.text);
    gs_free(file->tensors);
    gs_free(file->metadata);
    gs_free(file);
}

/* ---- Looking up ---- */

const char *gs_safetensors_path(const gs_safetensors *file) {
    return file->path;
}

const gs_stored_tensor *gs_safetensors_tensors(const gs_safetensors *file, size_t *count) {
    *count = file->count;
    return file->tensors;
}

static int compare_name(const void *name, const void *tensor) {
    return strcmp(name, ((const gs_stored_tensor *)tensor)->name);
}

const gs_stored_tensor *gs_safetensors_find(const gs_safetensors *file, const char *name) {
    return file->count == 0
               ? NULL
               : bsearch(name, file->tensors, file->count, sizeof *file->tensors, compare_name);
}

static int compare_key(const void *key, const void *entry) {
    return strcmp(key, ((const gs_metadata *)entry)->key);
}

const char *gs_safetensors_metadata(const gs_safetensors *file, const char *key) {
    const gs_metadata *entry = file->metadata_count == 0
                                   ? NULL
                                   : bsearch(key, file->metadata, file->metadata_count,
                                             sizeof *file->metadata, compare_key);
    return entry ? entry->text : NULL;
}
