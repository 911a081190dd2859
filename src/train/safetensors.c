/*
 * A network to a file: a header that describes the tensors, then their values one after another.
 * https://github.com/huggingface/safetensors#format
 */
#include "train/safetensors.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/replace.h"
#include "base/text.h"
#include "net/network.h"

/* ---- What is saved ---- */

typedef struct {
    const gs_network *network;
    const gs_config *config;
    const gs_extra_tensors *extra; /* NULL: nothing */
    size_t own;                    /* tensors of the network */
} content;

static size_t count_own(const gs_network *network) {
    gs_tensor tensor;
    size_t count = 0;
    while (gs_network_tensor(network, count, &tensor))
        count++;
    return count;
}

static bool tensor_at(const content *saved, size_t index, gs_tensor *tensor) {
    if (index < saved->own)
        return gs_network_tensor(saved->network, index, tensor);
    return saved->extra && saved->extra->tensor(saved->extra->context, index - saved->own, tensor);
}

static void read_at(const content *saved, size_t index, double *values) {
    if (index < saved->own)
        gs_network_read_entry(saved->network, &saved->network->entries[index], values);
    else
        saved->extra->read(saved->extra->context, index - saved->own, values);
}

/* ---- The header: each function returns its length, and only counts if `out` is NULL ---- */

__attribute__((format(printf, 2, 3))) static size_t put_text(FILE *out, const char *format, ...) {
    char text[192];
    va_list arguments;
    va_start(arguments, format);
    int length = gs_format_list(text, sizeof text, format, arguments);
    va_end(arguments);
    if (out)
        fputs(text, out);
    return (size_t)length;
}

static gs_status put_options(FILE *out, const gs_config *config, size_t *length, gs_error *error) {
    const char *separator = "";
    for (size_t i = 0; i < gs_config_options.count; i++) {
        const gs_option *option = &gs_config_options.rows[i];
        if (!option->column && !option->saved)
            continue;
        size_t room = gs_option_format(option, config, NULL, 0) + 1;
        char *text = gs_alloc(room, 1, error);
        if (!text)
            return GS_ERR_MEMORY;
        gs_option_format(option, config, text, room);
        *length += put_text(out, "%s\"%s\":", separator, option->name) + gs_json_string(out, text);
        gs_free(text);
        separator = ",";
    }
    return GS_OK;
}

static gs_status put_metadata(FILE *out, const content *saved, size_t *length, gs_error *error) {
    *length += put_text(out, "{\"__metadata__\":{");
    gs_status status = put_options(out, saved->config, length, error);
    for (size_t i = 0; saved->extra && i < saved->extra->metadata_count; i++)
        *length += put_text(out, ",\"%s\":\"%s\"", saved->extra->metadata[i][0],
                            saved->extra->metadata[i][1]);
    *length += put_text(out, "}");
    return status;
}

/* "name":{"dtype":"F64","shape":[2,3],"data_offsets":[0,48]} for every tensor; *largest is the most
   values that one of them has. */
static size_t put_tensors(FILE *out, const content *saved, size_t *largest) {
    size_t size = saved->config->dtype.index == GS_F32 ? 4 : 8, offset = 0, length = 0;
    gs_tensor tensor;
    *largest = 0;
    for (size_t i = 0; tensor_at(saved, i, &tensor); i++) {
        size_t count = gs_tensor_count(&tensor), end = offset + count * size;
        length += put_text(out, ",\"%s\":{\"dtype\":\"F%zu\",\"shape\":[%zu", tensor.name, 8 * size,
                           tensor.shape[0]);
        if (tensor.rank > 1)
            length += put_text(out, ",%zu", tensor.shape[1]);
        length += put_text(out, "],\"data_offsets\":[%zu,%zu]}", offset, end);
        offset = end;
        if (*largest < count)
            *largest = count;
    }
    return length + put_text(out, "}");
}

static gs_status put_header(FILE *out, const content *saved, size_t *length, size_t *largest,
                            gs_error *error) {
    *length = 0;
    gs_status status = put_metadata(out, saved, length, error);
    *length += put_tensors(out, saved, largest);
    return status;
}

/* ---- Values ---- */

static void put_little_endian(unsigned char *bytes, uint64_t bits, size_t size) {
    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)(bits >> 8 * i);
}

/* Of a float32 network, gradients alone may need rounding: sums over the batch are kept in double,
   and a power of two beside them may take them out of the range of float32, to 0 or inf. The sign
   and the payload of a nan depend on the instruction set, so none is stored. */
static uint64_t bits_of(double value, gs_dtype dtype) {
    if (isnan(value))
        return dtype == GS_F32 ? 0x7fc00000 : 0x7ff8000000000000;
    uint64_t wide;
    uint32_t narrow;
    float single = (float)value;
    memcpy(&wide, &value, sizeof wide);
    memcpy(&narrow, &single, sizeof narrow);
    return dtype == GS_F32 ? narrow : wide;
}

static void write_values(FILE *file, const double *values, size_t count, gs_dtype dtype) {
    unsigned char bytes[4096];
    size_t size = dtype == GS_F32 ? 4 : 8, filled = 0;
    for (size_t i = 0; i < count; i++) {
        put_little_endian(bytes + filled, bits_of(values[i], dtype), size);
        filled += size;
        if (filled == sizeof bytes || i + 1 == count) {
            fwrite(bytes, 1, filled, file);
            filled = 0;
        }
    }
}

static gs_status write_tensors(FILE *file, const content *saved, size_t largest, gs_error *error) {
    double *values = gs_alloc(largest, sizeof *values, error);
    if (!values)
        return GS_ERR_MEMORY;
    gs_tensor tensor;
    for (size_t i = 0; tensor_at(saved, i, &tensor) && !ferror(file); i++) {
        read_at(saved, i, values);
        write_values(file, values, gs_tensor_count(&tensor), (gs_dtype)saved->config->dtype.index);
    }
    gs_status status = ferror(file) ? gs_fail(error, GS_ERR_IO, "%s", strerror(errno)) : GS_OK;
    gs_free(values);
    return status;
}

static gs_status write_content(FILE *file, const content *saved, gs_error *error) {
    size_t length, largest;
    gs_status status = put_header(NULL, saved, &length, &largest, error);
    if (status != GS_OK)
        return status;
    size_t padding = (8 - length % 8) % 8;
    unsigned char prefix[8];
    put_little_endian(prefix, length + padding, sizeof prefix);
    fwrite(prefix, 1, sizeof prefix, file);
    status = put_header(file, saved, &length, &largest, error);
    fwrite("        ", 1, padding, file);
    return status == GS_OK ? write_tensors(file, saved, largest, error) : status;
}

/* ---- The file ---- */

gs_status gs_safetensors_save(const gs_network *network, const gs_config *config,
                              const gs_extra_tensors *extra, const char *path, gs_error *error) {
    const content saved = {network, config, extra, count_own(network)};
    gs_replacement replacement;
    gs_error why;
    gs_status status = gs_replace_open(&replacement, path, &why);
    if (status == GS_OK)
        status =
            gs_replace_close(&replacement, write_content(replacement.file, &saved, &why), &why);
    return status == GS_OK ? GS_OK : gs_fail(error, status, "%s: %s", path, why.message);
}

gs_status gs_safetensors_try(const char *path, gs_error *error) {
    gs_error why;
    gs_status status = gs_replace_try(path, &why);
    return status == GS_OK ? GS_OK : gs_fail(error, status, "%s: %s", path, why.message);
}
