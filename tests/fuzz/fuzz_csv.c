/* Examples from CSV. */
#include "fuzz.h"
#include "train/data.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    gs_data loaded;
    gs_error error = {0};
    fuzz_write("x", NULL, data, size);
    gs_status status = gs_data_load_csv(fuzz_path("x"), &loaded, &error);
    fuzz_check(status == error.code, "a code in the error");
    fuzz_check((status == GS_OK) == (loaded.examples > 0), "examples if and only if it is read");
    for (size_t i = 0; i < loaded.examples; i++)
        fuzz_check(loaded.labels[i] < loaded.classes, "labels below the classes");
    gs_data_scale(&loaded, NULL, GS_SCALE_STANDARD);
    gs_data_free(&loaded);
    return 0;
}
