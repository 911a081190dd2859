/*
 * The header of a safetensors file: {"name":{"dtype":"F64","shape":[2,3],"data_offsets":[0,48]},
 * "__metadata__":{"key":"text"}}, read by the JSON that the format allows and no more.
 */
#include "train/safetensors_header.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

/* ---- Messages ---- */

static gs_status refuse_json(const gs_safetensors *file, gs_error *error) {
    const gs_json_reader *json = &file->header;
    char got[GS_JSON_GOT];
    gs_json_got(json, got);
    bool end = json->at == json->length;
    return gs_safetensors_refuse(file, GS_SAFETENSORS_PREFIX + json->at, error,
                                 "expected %s, got %s%s", json->expected, got,
                                 end ? " of the header" : "");
}

/* Where the piece of the header that was read last begins. */
static uint64_t last_piece(const gs_safetensors *file) {
    return GS_SAFETENSORS_PREFIX + file->header.start;
}

/* ---- One tensor of the header ---- */

static gs_status read_dtype(gs_safetensors *file, gs_stored_tensor *tensor, gs_error *error) {
    const char *name = gs_json_text(&file->header);
    if (!name)
        return refuse_json(file, error);
    for (size_t i = 0; i < GS_STORED_COUNT; i++)
        if (strcmp(name, gs_stored_formats[i].name) == 0) {
            tensor->dtype = (gs_stored_dtype)i;
            return GS_OK;
        }
    return gs_safetensors_refuse(file, last_piece(file), error,
                                 "dtype of '%.*s': expected F64, F32, F16 or BF16, got '%.*s'",
                                 gs_stored_shown(tensor->name), tensor->name, gs_stored_shown(name),
                                 name);
}

static gs_status read_shape(gs_safetensors *file, gs_stored_tensor *tensor, gs_error *error) {
    gs_json_reader *json = &file->header;
    int shown = gs_stored_shown(tensor->name);
    gs_json_open(json, '[');
    tensor->rank = 0;
    tensor->count = 1;
    for (; gs_json_next(json, ']', tensor->rank == 0); tensor->rank++) {
        uint64_t size;
        if (!gs_json_whole(json, &size))
            break;
        if (tensor->rank == GS_STORED_RANK)
            return gs_safetensors_refuse(
                file, last_piece(file), error,
                "shape of '%.*s': expected %d dimensions at most, got more", shown, tensor->name,
                GS_STORED_RANK);
        if (size > SIZE_MAX || !gs_size_multiply(tensor->count, (size_t)size, &tensor->count))
            return gs_safetensors_refuse(
                file, last_piece(file), error,
                "shape of '%.*s': expected a number of values below 2^%zu, got more", shown,
                tensor->name, 8 * sizeof(size_t));
        tensor->shape[tensor->rank] = (size_t)size;
    }
    return json->expected ? refuse_json(file, error) : GS_OK;
}

static gs_status read_offsets(gs_safetensors *file, gs_stored_tensor *tensor, gs_error *error) {
    gs_json_reader *json = &file->header;
    uint64_t available = file->length - GS_SAFETENSORS_PREFIX - json->length, offsets[2] = {0};
    size_t count = 0;
    gs_json_open(json, '[');
    uint64_t position = last_piece(file);
    for (; gs_json_next(json, ']', count == 0); count++)
        if (!gs_json_whole(json, count < 2 ? &offsets[count] : &(uint64_t){0}))
            break;
    if (json->expected)
        return refuse_json(file, error);
    tensor->begin = offsets[0];
    tensor->end = offsets[1];
    int shown = gs_stored_shown(tensor->name);
    if (count != 2)
        return gs_safetensors_refuse(file, position, error,
                                     "data_offsets of '%.*s': expected 2 numbers, got %zu", shown,
                                     tensor->name, count);
    if (tensor->begin > tensor->end)
        return gs_safetensors_refuse(
            file, position, error,
            "data_offsets of '%.*s': expected the end after the begin, got [%llu,%llu]", shown,
            tensor->name, (unsigned long long)tensor->begin, (unsigned long long)tensor->end);
    if (tensor->end > available)
        return gs_safetensors_refuse(
            file, position, error,
            "data_offsets of '%.*s': expected an end of %llu at most, the bytes after "
            "the header, got %llu",
            shown, tensor->name, (unsigned long long)available, (unsigned long long)tensor->end);
    return GS_OK;
}

static const struct {
    const char *name;
    gs_status (*read)(gs_safetensors *file, gs_stored_tensor *tensor, gs_error *error);
} members[] = {{"dtype", read_dtype}, {"shape", read_shape}, {"data_offsets", read_offsets}};

enum { MEMBERS = sizeof members / sizeof *members };

static gs_status read_member(gs_safetensors *file, gs_stored_tensor *tensor, bool seen[MEMBERS],
                             gs_error *error) {
    const char *key = gs_json_key(&file->header);
    size_t i = 0;
    if (!key)
        return refuse_json(file, error);
    while (i < MEMBERS && strcmp(key, members[i].name) != 0)
        i++;
    if (i == MEMBERS || seen[i])
        return gs_safetensors_refuse(
            file, last_piece(file), error,
            "'%.*s': expected dtype, shape and data_offsets once each, got '%.*s'%s",
            gs_stored_shown(tensor->name), tensor->name, gs_stored_shown(key), key,
            i < MEMBERS ? " again" : "");
    seen[i] = true;
    return members[i].read(file, tensor, error);
}

static gs_status check_size(const gs_safetensors *file, const gs_stored_tensor *tensor,
                            gs_error *error) {
    size_t size;
    char shape[GS_SHAPE_TEXT];
    bool fits = gs_size_multiply(tensor->count, gs_stored_formats[tensor->dtype].size, &size);
    if (fits && tensor->end - tensor->begin == size)
        return GS_OK;
    gs_stored_shape(tensor, shape);
    return gs_safetensors_refuse(
        file, tensor->position, error,
        "'%.*s': expected data_offsets that are %zu times %zu bytes apart, as of %s %s, "
        "got [%llu,%llu]",
        gs_stored_shown(tensor->name), tensor->name, tensor->count,
        gs_stored_formats[tensor->dtype].size, gs_stored_formats[tensor->dtype].name, shape,
        (unsigned long long)tensor->begin, (unsigned long long)tensor->end);
}

static gs_status read_tensor(gs_safetensors *file, gs_stored_tensor *tensor, gs_error *error) {
    gs_json_reader *json = &file->header;
    bool seen[MEMBERS] = {false};
    gs_status status = GS_OK;
    gs_json_open(json, '{');
    for (bool first = true; status == GS_OK && gs_json_next(json, '}', first); first = false)
        status = read_member(file, tensor, seen, error);
    if (status != GS_OK)
        return status;
    if (json->expected)
        return refuse_json(file, error);
    for (size_t i = 0; i < MEMBERS; i++)
        if (!seen[i])
            return gs_safetensors_refuse(
                file, tensor->position, error, "'%.*s': expected %s, got none",
                gs_stored_shown(tensor->name), tensor->name, members[i].name);
    return check_size(file, tensor, error);
}

/* ---- The whole header ---- */

static gs_status add_tensor(gs_safetensors *file, const char *name, gs_error *error) {
    gs_stored_tensor *tensors = gs_grow(file->tensors, file->count, file->count + 1,
                                        &file->capacity, sizeof *tensors, error);
    if (!tensors)
        return GS_ERR_MEMORY;
    file->tensors = tensors;
    gs_stored_tensor *tensor = &tensors[file->count++];
    *tensor = (gs_stored_tensor){.name = name, .position = last_piece(file)};
    return read_tensor(file, tensor, error);
}

static gs_status add_metadata(gs_safetensors *file, gs_error *error) {
    gs_metadata entry = {.key = gs_json_key(&file->header)};
    entry.position = last_piece(file);
    if (entry.key)
        entry.text = gs_json_text(&file->header);
    if (!entry.text)
        return refuse_json(file, error);
    gs_metadata *metadata = gs_grow(file->metadata, file->metadata_count, file->metadata_count + 1,
                                    &file->metadata_capacity, sizeof *metadata, error);
    if (!metadata)
        return GS_ERR_MEMORY;
    file->metadata = metadata;
    metadata[file->metadata_count++] = entry;
    return GS_OK;
}

static gs_status read_metadata(gs_safetensors *file, gs_error *error) {
    gs_json_reader *json = &file->header;
    gs_status status = GS_OK;
    if (file->has_metadata)
        return gs_safetensors_refuse(file, last_piece(file), error,
                                     "expected each name once, got '__metadata__' "
                                     "again");
    file->has_metadata = true;
    gs_json_open(json, '{');
    for (bool first = true; status == GS_OK && gs_json_next(json, '}', first); first = false)
        status = add_metadata(file, error);
    return status == GS_OK && json->expected ? refuse_json(file, error) : status;
}

static gs_status parse_header(gs_safetensors *file, gs_error *error) {
    gs_json_reader *json = &file->header;
    gs_status status = GS_OK;
    gs_json_open(json, '{');
    if (json->start > 0) /* the format allows no blank before it */
        return gs_safetensors_refuse(file, GS_SAFETENSORS_PREFIX, error,
                                     "expected '{', got a blank");
    for (bool first = true; status == GS_OK && gs_json_next(json, '}', first); first = false) {
        const char *name = gs_json_key(json);
        if (!name)
            break;
        status = strcmp(name, "__metadata__") == 0 ? read_metadata(file, error)
                                                   : add_tensor(file, name, error);
    }
    if (status == GS_OK)
        gs_json_end(json);
    return status == GS_OK && json->expected ? refuse_json(file, error) : status;
}

/* ---- All tensors together ---- */

static int compare_tensor_names(const void *a, const void *b) {
    const gs_stored_tensor *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order != 0 ? order : (x->position > y->position) - (x->position < y->position);
}

static int compare_keys(const void *a, const void *b) {
    const gs_metadata *x = a, *y = b;
    int order = strcmp(x->key, y->key);
    return order != 0 ? order : (x->position > y->position) - (x->position < y->position);
}

/* Empty tensors stand before the one that begins where they do. */
static int compare_places(const void *a, const void *b) {
    const gs_stored_tensor *x = a, *y = b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return x->end != y->end ? (x->end < y->end ? -1 : 1) : compare_tensor_names(a, b);
}

static gs_status refuse_twice(const gs_safetensors *file, const char *name, uint64_t position,
                              gs_error *error) {
    return gs_safetensors_refuse(file, position, error, "expected each name once, got '%.*s' again",
                                 gs_stored_shown(name), name);
}

static gs_status check_names(gs_safetensors *file, gs_error *error) {
    const gs_stored_tensor *tensors = file->tensors;
    const gs_metadata *entries = file->metadata;
    if (file->count > 1)
        qsort(file->tensors, file->count, sizeof *tensors, compare_tensor_names);
    for (size_t i = 1; i < file->count; i++)
        if (strcmp(tensors[i - 1].name, tensors[i].name) == 0)
            return refuse_twice(file, tensors[i].name, tensors[i].position, error);
    if (file->metadata_count > 1)
        qsort(file->metadata, file->metadata_count, sizeof *entries, compare_keys);
    for (size_t i = 1; i < file->metadata_count; i++)
        if (strcmp(entries[i - 1].key, entries[i].key) == 0)
            return refuse_twice(file, entries[i].key, entries[i].position, error);
    return GS_OK;
}

/* Each tensor begins where another ends, and the last one ends with the file. Leaves them in the
   order of their names. */
static gs_status check_places(gs_safetensors *file, gs_error *error) {
    uint64_t at = 0, first = GS_SAFETENSORS_PREFIX + file->header.length;
    if (file->count > 1)
        qsort(file->tensors, file->count, sizeof *file->tensors, compare_places);
    for (size_t i = 0; i < file->count; i++) {
        const gs_stored_tensor *tensor = &file->tensors[i];
        const char *before = i > 0 ? tensor[-1].name : "the header";
        if (tensor->begin != at)
            return gs_safetensors_refuse(
                file, tensor->position, error,
                "data_offsets of '%.*s': expected a begin of %llu, after %.*s, got %llu",
                gs_stored_shown(tensor->name), tensor->name, (unsigned long long)at,
                gs_stored_shown(before), before, (unsigned long long)tensor->begin);
        at = tensor->end;
    }
    if (first + at != file->length)
        return gs_safetensors_refuse(file, first + at, error,
                                     "expected the end of the file, got %llu more bytes",
                                     (unsigned long long)(file->length - first - at));
    if (file->count > 1)
        qsort(file->tensors, file->count, sizeof *file->tensors, compare_tensor_names);
    return GS_OK;
}

gs_status gs_safetensors_parse(gs_safetensors *file, gs_error *error) {
    gs_status status = parse_header(file, error);
    if (status == GS_OK)
        status = check_names(file, error);
    return status == GS_OK ? check_places(file, error) : status;
}
