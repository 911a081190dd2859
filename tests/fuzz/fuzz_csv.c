/* Examples from CSV. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    gs_data loaded;
    gs_error error = {0};
    fuzz_write("x", NULL, data, size);
    gs_status status = gs_data_load_csv(fuzz_path("x"), &loaded, &error);
    fuzz_loaded(status, &loaded, &error);
    return 0;
}
