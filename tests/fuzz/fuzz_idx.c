/* A folder of IDX files: two bytes say how many of the others are the images, the rest the labels. */
#include "fuzz.h"
#include "train/data.h"

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
    fuzz_check(status == error.code, "a code in the error");
    fuzz_check((status == GS_OK) == (loaded.examples > 0), "examples if and only if it is read");
    for (size_t i = 0; i < loaded.examples; i++)
        fuzz_check(loaded.labels[i] < loaded.classes, "labels below the classes");
    gs_data_scale(&loaded, NULL, GS_SCALE_STANDARD);
    gs_data_free(&loaded);
    return 0;
}
