/*
 * Files of a test: a folder that is made for the run of a test program, and removed at its end.
 */
#ifndef GS_TEST_FILES_H
#define GS_TEST_FILES_H

#include <dirent.h>

#include "test.h"

static char folder[] = "/tmp/gradsim-test-XXXXXX";

/* The path of `name` in the folder; good until the next call but three. */
static inline const char *path_of(const char *name) {
    static char paths[4][512];
    static size_t next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static inline void write_file(const char *name, const void *bytes, size_t size) {
    FILE *file = fopen(path_of(name), "wb");
    CHECK_THAT(file && fwrite(bytes, 1, size, file) == size && fclose(file) == 0, "writing %s",
               name);
}

static inline void remove_file(const char *name) {
    CHECK_THAT(remove(path_of(name)) == 0, "removing %s", name);
}

/* With the files in it. */
static inline void remove_folder(void) {
    DIR *entries = opendir(folder);
    for (struct dirent *entry; entries && (entry = readdir(entries));)
        remove(path_of(entry->d_name)); /* . and .. stay */
    if (entries)
        closedir(entries);
    remove(folder);
}

/* Runs the tests; TEST_MAIN with a folder. */
#define TEST_MAIN_WITH_FOLDER(...)                                                                 \
    int main(int argc, char **argv) {                                                              \
        static const test_case cases[] = {__VA_ARGS__};                                            \
        if (!mkdtemp(folder))                                                                      \
            return 2;                                                                              \
        int status = test_main(cases, sizeof cases / sizeof *cases, argc > 1 ? argv[1] : "");      \
        remove_folder();                                                                           \
        return status;                                                                             \
    }

#endif
