/*
 * Fuzzing the readers of files. A target has the one function that libFuzzer calls (make fuzz);
 * replay.c calls it with every file of tests/fuzz/corpus/NAME (make test).
 */
#ifndef GS_FUZZ_H
#define GS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "train/data.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the program, which libFuzzer takes for a find, and a replay for a failure. */
static inline void fuzz_check(bool condition, const char *what) {
    if (condition)
        return;
    fprintf(stderr, "expected %s\n", what);
    abort();
}

static char fuzz_folder[] = "/tmp/gradsim-fuzz-XXXXXX";
static const char *const fuzz_names[] = {"x", "train-images-idx3-ubyte", "train-labels-idx1-ubyte"};

/* The path of a file in a folder of this process; good until the next call. */
static inline const char *fuzz_path(const char *name) {
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", fuzz_folder, name);
    return path;
}

static inline void fuzz_remove(void) {
    for (size_t i = 0; i < sizeof fuzz_names / sizeof *fuzz_names; i++)
        unlink(fuzz_path(fuzz_names[i]));
    rmdir(fuzz_folder);
}

/* Writes one of the files of `fuzz_names`: `prefix`, if any, and the data. */
static inline void fuzz_write(const char *name, const uint8_t *prefix, const uint8_t *data,
                              size_t size) {
    static bool made;
    if (!made) {
        fuzz_check(mkdtemp(fuzz_folder) != NULL, "a folder in /tmp");
        atexit(fuzz_remove);
        made = true;
    }
    FILE *file = fopen(fuzz_path(name), "wb");
    fuzz_check(file != NULL, "a file in /tmp");
    if (prefix)
        fwrite(prefix, 1, 8, file);
    if (size > 0)
        fwrite(data, 1, size, file);
    fuzz_check(fclose(file) == 0, "a file that can be written");
}

/* What a reader of examples promises; frees them. */
static inline void fuzz_loaded(gs_status status, gs_data *loaded, const gs_error *error) {
    fuzz_check(status == error->code, "a code in the error");
    fuzz_check((status == GS_OK) == (loaded->examples > 0), "examples if and only if it is read");
    for (size_t i = 0; i < loaded->examples; i++)
        fuzz_check(loaded->labels[i] < loaded->classes, "labels below the classes");
    gs_data_scale(loaded, NULL, GS_SCALE_STANDARD);
    gs_data_free(loaded);
}

#endif
