/*
 * Safetensors files made byte by byte, that share nothing with the writer.
 */
#ifndef GS_STORED_FILES_H
#define GS_STORED_FILES_H

#include "configs.h"
#include "net/config.h"
#include "test_files.h"
#include "train/safetensors_read.h"

/* Writes the file `name`: the length that is claimed, the header, and `size` bytes of `data` (zeros
   if it is NULL). */
static inline void write_claimed(const char *name, uint64_t length, const char *header,
                                 const void *data, size_t size) {
    size_t text = strlen(header);
    unsigned char *bytes = calloc(8 + text + size + 1, 1);
    for (size_t i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(length >> 8 * i);
    memcpy(bytes + 8, header, text);
    if (data)
        memcpy(bytes + 8 + text, data, size);
    write_file(name, bytes, 8 + text + size);
    free(bytes);
}

static inline void write_stored(const char *name, const char *header, const void *data,
                                size_t size) {
    write_claimed(name, strlen(header), header, data, size);
}

/* Opens the file `name`, which must be well formed. */
static inline gs_safetensors *open_stored(const char *name) {
    gs_safetensors *file = NULL;
    gs_error error = {0};
    gs_status status = gs_safetensors_open(path_of(name), &file, &error);
    CHECK_THAT(status == GS_OK && file, "%s", error.message);
    return file;
}

/* "PATH: MESSAGE" of the file `name`. */
static inline const char *message_of(const char *name, const char *message) {
    static char text[1024];
    snprintf(text, sizeof text, "%s: %s", path_of(name), message);
    return text;
}

/* ---- Networks to save and to load ---- */

static inline gs_config *resolved_of(const char *options) {
    gs_config *config = config_of(options);
    CHECK_THAT(gs_config_resolve(config, 0, 0, NULL) == GS_OK, "%s", options);
    return config;
}

/* With a batch, and gone forward and backward. */
static inline gs_network *network_with(const gs_config *config) {
    gs_error error = {0};
    gs_network *network = gs_network_new(config, &error);
    if (!network) { /* the rest of the test has nothing to stand on */
        printf("not ok - network # %s\n", error.message);
        exit(1);
    }
    CHECK(gs_network_draw_batch(network, NULL) == GS_OK);
    CHECK(gs_network_keep_gradients(network, NULL) == GS_OK);
    CHECK(gs_network_forward(network, NULL, NULL) == GS_OK);
    CHECK(gs_network_backward(network, NULL) == GS_OK);
    return network;
}

#endif
