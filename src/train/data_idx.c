/*
 * IDX, the format of MNIST: 00 00, the element type, the rank, the sizes as big-endian 32-bit
 * numbers, the elements. What a header claims is held against the length of the file before
 * anything is allocated.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "train/data.h"

enum { UNSIGNED_BYTES = 0x08, RANK_MAX = 3 };

typedef struct {
    const char *what; /* as in the name of the file: images, labels */
    size_t rank;
    char *path; /* NULL where there is no such file */
    uint64_t length;
    FILE *file;
    size_t size[RANK_MAX]; /* [examples, height, width]; [examples] */
    size_t elements;
} idx_file;

static void close_file(idx_file *idx) {
    if (idx->file)
        fclose(idx->file);
    gs_free(idx->path);
}

/* ---- Finding the files ---- */

/* SET-WHAT-idxN-ubyte in four spellings. A .gz is found so that its contents can be refused for
   what they are: the alternative is to say that there is no file. */
static void spell_path(char *path, size_t room, const char *folder, const char *set,
                       const idx_file *idx, size_t spelling) {
    bool slash = folder[0] && folder[strlen(folder) - 1] == '/';
    gs_format(path, room, "%s%s%s-%s%cidx%zu-ubyte%s", folder, slash ? "" : "/", set, idx->what,
              spelling % 2 == 0 ? '-' : '.', idx->rank, spelling / 2 == 0 ? "" : ".gz");
}

static gs_status find_file(const char *folder, const char *set, idx_file *idx, gs_error *error) {
    size_t room = strlen(folder) + sizeof "/train-images-idx3-ubyte.gz";
    char *path = gs_alloc(room, 1, error);
    if (!path)
        return GS_ERR_MEMORY;
    struct stat info = {0};
    gs_status status = GS_OK;
    for (size_t spelling = 0; spelling < 4 && !idx->path && status == GS_OK; spelling++) {
        spell_path(path, room, folder, set, idx, spelling);
        if (stat(path, &info) == 0)
            idx->path = path;
        else if (errno != ENOENT)
            status = gs_fail(error, GS_ERR_IO, "%s: %s", path, strerror(errno));
    }
    if (!idx->path)
        gs_free(path);
    else if (!S_ISREG(info.st_mode))
        status = gs_fail(error, GS_ERR_FORMAT, "%s: is not a regular file", path);
    idx->length = (uint64_t)info.st_size;
    return status;
}

/* ---- Reading one file ---- */

/* What a magic number says, to `text`: "unsigned bytes, 3 dimensions". */
static void describe_magic(const unsigned char *magic, char text[64]) {
    static const char *const types[] = {
        [0x08] = "unsigned bytes",  [0x09] = "signed bytes",  [0x0b] = "16-bit integers",
        [0x0c] = "32-bit integers", [0x0d] = "32-bit floats", [0x0e] = "64-bit floats"};
    unsigned type = magic[2];
    bool known = type < sizeof types / sizeof *types && types[type];
    if (magic[0] == 0 && magic[1] == 0 && known)
        gs_format(text, 64, "%s, %d dimension%s", types[type], magic[3], magic[3] == 1 ? "" : "s");
    else
        gs_format(text, 64, "not IDX");
}

static gs_status refuse_magic(const idx_file *idx, const unsigned char *expected,
                              const unsigned char *got, gs_error *error) {
    char expected_text[64], got_text[64];
    describe_magic(expected, expected_text);
    describe_magic(got, got_text);
    return gs_fail(error, GS_ERR_FORMAT,
                   "%s: expected an IDX file of %s that begins with %02x %02x %02x %02x (%s), "
                   "got %02x %02x %02x %02x (%s)",
                   idx->path, idx->what, expected[0], expected[1], expected[2], expected[3],
                   expected_text, got[0], got[1], got[2], got[3], got_text);
}

static gs_status refuse_end(const idx_file *idx, uint64_t length, uint64_t expected,
                            gs_error *error) {
    return gs_fail(error, GS_ERR_FORMAT, "%s: ends after %llu bytes, expected %llu", idx->path,
                   (unsigned long long)length, (unsigned long long)expected);
}

/* Takes the sizes from a header and checks that they are those of this file. */
static gs_status take_sizes(idx_file *idx, const unsigned char *header, size_t header_size,
                            gs_error *error) {
    size_t expected;
    bool fits = true;
    idx->elements = 1;
    for (size_t i = 0; i < idx->rank; i++) {
        const unsigned char *b = header + 4 + 4 * i;
        idx->size[i] = (size_t)b[0] << 24 | (size_t)b[1] << 16 | (size_t)b[2] << 8 | b[3];
        fits = fits && gs_size_multiply(idx->elements, idx->size[i], &idx->elements);
    }
    if (!fits || !gs_size_add(idx->elements, header_size, &expected))
        return gs_fail(error, GS_ERR_FORMAT, "%s: the sizes in its header overflow", idx->path);
    if (idx->length < expected)
        return refuse_end(idx, idx->length, expected, error);
    if (idx->length > expected)
        return gs_fail(error, GS_ERR_FORMAT, "%s: goes on after byte %zu, where it should end",
                       idx->path, expected);
    if (idx->elements == 0)
        return gs_fail(error, GS_ERR_FORMAT, "%s: holds no %s", idx->path, idx->what);
    return GS_OK;
}

static gs_status read_header(idx_file *idx, gs_error *error) {
    unsigned char header[4 + 4 * RANK_MAX] = {0};
    const unsigned char magic[4] = {0, 0, UNSIGNED_BYTES, (unsigned char)idx->rank};
    size_t size = 4 + 4 * idx->rank;
    idx->file = fopen(idx->path, "rb");
    if (!idx->file)
        return gs_fail(error, GS_ERR_IO, "%s: %s", idx->path, strerror(errno));
    size_t got = fread(header, 1, size, idx->file);
    if (ferror(idx->file))
        return gs_fail(error, GS_ERR_IO, "%s: %s", idx->path, strerror(errno));
    if (header[0] == 0x1f && header[1] == 0x8b)
        return gs_fail(error, GS_ERR_FORMAT, "%s: is gzip-compressed: unpack it with gunzip",
                       idx->path);
    if (got >= sizeof magic && memcmp(header, magic, sizeof magic) != 0)
        return refuse_magic(idx, magic, header, error);
    if (got < size)
        return refuse_end(idx, got, size, error);
    return take_sizes(idx, header, size, error);
}

/* The elements to *bytes, which gs_free frees. */
static gs_status read_elements(idx_file *idx, unsigned char **bytes, gs_error *error) {
    *bytes = gs_alloc(idx->elements, 1, error);
    if (!*bytes)
        return GS_ERR_MEMORY;
    size_t got = fread(*bytes, 1, idx->elements, idx->file);
    if (got == idx->elements)
        return GS_OK;
    if (ferror(idx->file))
        return gs_fail(error, GS_ERR_IO, "%s: %s", idx->path, strerror(errno));
    return refuse_end(idx, idx->length - idx->elements + got, idx->length, error);
}

/* ---- The two files together ---- */

static gs_status read_images(idx_file *idx, gs_data *data, gs_error *error) {
    unsigned char *bytes;
    gs_status status = read_elements(idx, &bytes, error);
    data->examples = idx->size[0];
    data->features = idx->size[1] * idx->size[2];
    if (status == GS_OK && !(data->values = gs_alloc(idx->elements, sizeof *data->values, error)))
        status = GS_ERR_MEMORY;
    for (size_t i = 0; status == GS_OK && i < idx->elements; i++)
        data->values[i] = bytes[i];
    gs_free(bytes);
    return status;
}

static gs_status read_labels(idx_file *idx, gs_data *data, gs_error *error) {
    unsigned char *bytes;
    gs_status status = read_elements(idx, &bytes, error);
    if (status == GS_OK && !(data->labels = gs_alloc(idx->elements, sizeof *data->labels, error)))
        status = GS_ERR_MEMORY;
    for (size_t i = 0; status == GS_OK && i < idx->elements; i++) {
        data->labels[i] = bytes[i];
        if (data->classes <= bytes[i])
            data->classes = bytes[i] + (size_t)1;
    }
    gs_free(bytes);
    return status;
}

static gs_status refuse_half(const char *folder, const char *set, const idx_file *found,
                             const idx_file *missing, gs_error *error) {
    return gs_fail(error, GS_ERR_FORMAT, "%s: expected %s-%s-idx%zu-ubyte beside %s", folder, set,
                   missing->what, missing->rank, strrchr(found->path, '/') + 1);
}

static gs_status read_set(idx_file *images, idx_file *labels, gs_data *data, gs_error *error) {
    gs_status status = read_header(images, error);
    if (status == GS_OK)
        status = read_header(labels, error);
    if (status == GS_OK && images->size[0] != labels->size[0])
        status = gs_fail(error, GS_ERR_FORMAT, "%s: expected %zu labels, one an image, got %zu",
                         labels->path, images->size[0], labels->size[0]);
    if (status == GS_OK)
        status = read_images(images, data, error);
    if (status == GS_OK)
        status = read_labels(labels, data, error);
    return status;
}

/* Loads SET if the folder has any of it; *found says whether. */
static gs_status load_set(const char *folder, const char *set, gs_data *data, bool *found,
                          gs_error *error) {
    idx_file images = {.what = "images", .rank = 3}, labels = {.what = "labels", .rank = 1};
    gs_status status = find_file(folder, set, &images, error);
    if (status == GS_OK)
        status = find_file(folder, set, &labels, error);
    *found = images.path || labels.path;
    if (status == GS_OK && *found)
        status = !labels.path   ? refuse_half(folder, set, &images, &labels, error)
                 : !images.path ? refuse_half(folder, set, &labels, &images, error)
                                : read_set(&images, &labels, data, error);
    close_file(&images);
    close_file(&labels);
    return status;
}

gs_status gs_data_load_idx(const char *folder, bool to_test, gs_data *data, gs_error *error) {
    static const char *const sets[] = {"train", "t10k"};
    *data = (gs_data){0};
    bool found = false;
    gs_status status = load_set(folder, sets[to_test], data, &found, error);
    if (status == GS_OK && !found)
        status = load_set(folder, sets[!to_test], data, &found, error);
    if (status == GS_OK && !found)
        status = gs_fail(error, GS_ERR_FORMAT,
                         "%s: has no IDX files: expected train-images-idx3-ubyte and "
                         "train-labels-idx1-ubyte, or t10k-images-idx3-ubyte and "
                         "t10k-labels-idx1-ubyte",
                         folder);
    if (status != GS_OK)
        gs_data_free(data);
    return status;
}
