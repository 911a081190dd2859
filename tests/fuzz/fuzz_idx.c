/* A folder of IDX files: two bytes say how many of the others are the images, the rest the labels. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    gs_data loaded;
    gs_error error = {0};
    if (size < 2)
        return 0;
    size_t images = (size_t)data[0] << 8 | data[1];
    if (images > size - 2)
        images = size - 2;
    fuzz_write("train-images-idx3-ubyte", NULL, data + 2, images);
    fuzz_write("train-labels-idx1-ubyte", NULL, data + 2 + images, size - 2 - images);
    gs_status status = gs_data_load_idx(fuzz_folder, false, &loaded, &error);
    fuzz_loaded(status, &loaded, &error);
    return 0;
}
