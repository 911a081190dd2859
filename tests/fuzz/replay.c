/*
 * Calls a fuzz target with every file of its corpus: that of fuzz_NAME is tests/fuzz/corpus/NAME.
 */
#include <dirent.h>

#include "fuzz.h"

static void replay(const char *path) {
    static uint8_t data[1 << 20];
    FILE *file = fopen(path, "rb");
    fuzz_check(file != NULL, "a file of the corpus");
    size_t size = fread(data, 1, sizeof data, file);
    fclose(file);
    uint8_t *copy = malloc(size + (size == 0)); /* of this size, so that a sanitizer sees its end */
    fuzz_check(copy != NULL, "memory");
    memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

int main(int argc, char **argv) {
    const char *name = argc > 0 ? strrchr(argv[0], '_') : NULL;
    char path[512];
    size_t files = 0;
    snprintf(path, sizeof path, "tests/fuzz/corpus/%s", name ? name + 1 : "");
    DIR *corpus = opendir(path);
    for (struct dirent *entry; corpus && (entry = readdir(corpus));) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "tests/fuzz/corpus/%s/%s", name + 1, entry->d_name);
        replay(path);
        files++;
    }
    if (corpus)
        closedir(corpus);
    printf("%s - the corpus of %s is read or refused%s\n", files > 0 ? "ok" : "not ok",
           name ? name + 1 : "", files > 0 ? "" : " # it is empty");
    return files > 0 ? 0 : 1;
}
