/* Safetensors files, and networks from them. */
#include "fuzz.h"
#include "net/config.h"
#include "train/load.h"

/* What a header that was accepted promises: names in order, and values within the file. */
static void check_tensors(const gs_safetensors *file) {
    size_t count;
    uint64_t bytes = 0;
    const gs_stored_tensor *tensors = gs_safetensors_tensors(file, &count);
    for (size_t i = 0; i < count; i++) {
        const gs_stored_tensor *tensor = &tensors[i];
        fuzz_check(gs_safetensors_find(file, tensor->name) == tensor, "to find it by its name");
        fuzz_check(tensor->count <= 1 << 20, "no more values than bytes");
        double *values = malloc((tensor->count + 1) * sizeof *values);
        fuzz_check(gs_safetensors_read(file, tensor, values, NULL) == GS_OK, "values");
        free(values);
        bytes += tensor->end - tensor->begin;
    }
    fuzz_check(bytes <= 1 << 20, "tensors that do not overlap");
}

static void check_error(const gs_error *error, gs_status status, const char *start) {
    fuzz_check(status == error->code && strncmp(error->message, start, strlen(start)) == 0,
               "a message that names the file");
}

static void load_network(const gs_config *config, const gs_safetensors *file) {
    gs_error error = {0};
    gs_network *network = gs_network_new(config, &error);
    if (network && gs_network_load(network, file, &error) != GS_OK)
        check_error(&error, error.code, gs_safetensors_path(file));
    gs_network_free(network);
}

static void read_file(void) {
    gs_error error = {0};
    gs_safetensors *file;
    gs_status status = gs_safetensors_open(fuzz_path("x"), &file, &error);
    if (status != GS_OK) {
        check_error(&error, status, fuzz_path("x"));
        fuzz_check(!file, "no file");
        return;
    }
    check_tensors(file);
    gs_config *config = gs_config_new(NULL);
    gs_config_set(config, "threads", "1", NULL);
    status = gs_config_load(config, file, &error);
    if (status != GS_OK)
        check_error(&error, status, fuzz_path("x"));
    else if (config->layers <= 8 && gs_config_widest(config) <= 64 && config->batch <= 64)
        load_network(config, file);
    gs_config_free(config);
    gs_safetensors_close(file);
}

/* As a whole file, and as one without its first 8 bytes, whose header ends with the last brace. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t prefix[8] = {0};
    size_t header = size;
    while (header > 0 && data[header - 1] != '}')
        header--;
    for (size_t i = 0; i < 4; i++)
        prefix[i] = (uint8_t)(header >> 8 * i);
    fuzz_write("x", NULL, data, size);
    read_file();
    fuzz_write("x", prefix, data, size);
    read_file();
    return 0;
}
