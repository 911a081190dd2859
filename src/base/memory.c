/* Sizes and blocks: the only calls of the C allocator in the library. */
#define _DEFAULT_SOURCE /* madvise */
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/error.h"
#include "base/machine.h"
#include "base/text.h"

bool gs_size_multiply(size_t a, size_t b, size_t *product) {
    if (b != 0 && a > SIZE_MAX / b)
        return false;
    *product = a * b;
    return true;
}

bool gs_size_add(size_t a, size_t b, size_t *sum) {
    if (a > SIZE_MAX - b)
        return false;
    *sum = a + b;
    return true;
}

/* From here on it is worth the microseconds to ask first: a system that promises more memory than
   it has would kill the process when the pages are touched. */
static const size_t large_block = (size_t)64 << 20;

/* First touch of memory costs a page fault a page: 7 ms for 12 MiB of small pages, 2 ms of huge
   ones, and a run of that size takes few milliseconds altogether. */
static const size_t huge_page = (size_t)2 << 20;

static void *allocate(size_t bytes) {
    bool huge = bytes >= 2 * huge_page;
    void *block;
    if (posix_memalign(&block, huge ? huge_page : GS_ALIGNMENT, bytes) != 0)
        return NULL;
#ifdef MADV_HUGEPAGE
    if (huge)
        madvise(block, bytes, MADV_HUGEPAGE);
#endif
    return memset(block, 0, bytes);
}

static void *fail_to_allocate(gs_error *error, double bytes, const char *why) {
    char text[32];
    gs_format_bytes(text, bytes);
    gs_fail(error, GS_ERR_MEMORY, "cannot allocate %s%s", text, why);
    return NULL;
}

void *gs_alloc(size_t count, size_t size, gs_error *error) {
    double wanted = (double)count * (double)size;
    size_t bytes;
    if (!gs_size_multiply(count, size, &bytes))
        return fail_to_allocate(error, wanted, "");
    if (bytes >= large_block) {
        size_t available = gs_memory_available();
        if (bytes > available) {
            char why[64], text[32];
            gs_format_bytes(text, (double)available);
            gs_format(why, sizeof why, ": %s available", text);
            return fail_to_allocate(error, wanted, why);
        }
    }
    void *block = allocate(bytes > 0 ? bytes : 1);
    return block ? block : fail_to_allocate(error, wanted, "");
}

void gs_free(void *block) {
    free(block);
}

void gs_format_bytes(char out[32], double bytes) {
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    size_t unit = 0;
    /* 1023.95 of a unit would print as 1024.0. */
    while (bytes >= (unit == 0 ? 1024 : 1023.95) && unit + 1 < sizeof units / sizeof *units) {
        bytes /= 1024;
        unit++;
    }
    gs_format(out, 32, unit == 0 ? "%.0f %s" : "%.1f %s", bytes, units[unit]);
}
