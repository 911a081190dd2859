/* Sizes and blocks: the only calls of the C allocator in the library. */
#define _DEFAULT_SOURCE /* madvise */
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

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

void *gs_realloc(void *block, size_t used, size_t count, size_t size, gs_error *error) {
    void *moved = gs_alloc(count, size, error);
    if (!moved)
        return NULL;
    if (used > 0)
        memcpy(moved, block, used * size);
    gs_free(block);
    return moved;
}

void *gs_grow(void *block, size_t used, size_t wanted, size_t *room, size_t size, gs_error *error) {
    size_t count;
    if (block && wanted <= *room)
        return block;
    if (!gs_size_multiply(wanted, 2, &count))
        count = SIZE_MAX; /* which is refused, with its size */
    void *larger = gs_realloc(block, used, count, size, error);
    if (larger)
        *room = count;
    return larger;
}

/* ---- Arenas ---- */

struct gs_arena {
    void *map;
    size_t map_bytes;
    char *next;
    size_t left;
};

/* So many bytes between blocks, which the address sanitizer guards. */
#if defined(__SANITIZE_ADDRESS__)
enum { GAP = GS_ALIGNMENT };
static void guard(void *start, size_t bytes) {
    ASAN_POISON_MEMORY_REGION(start, bytes);
}
static void unguard(void *start, size_t bytes) {
    ASAN_UNPOISON_MEMORY_REGION(start, bytes);
}
#else
enum { GAP = 0 };
static void guard(void *start, size_t bytes) {
    (void)start, (void)bytes;
}
static void unguard(void *start, size_t bytes) {
    (void)start, (void)bytes;
}
#endif

gs_arena *gs_arena_new(size_t bytes, gs_error *error) {
    size_t map_bytes;
    gs_arena *arena = gs_alloc(1, sizeof *arena, error);
    if (!arena)
        return NULL;
    void *map =
        gs_size_add(bytes, huge_page, &map_bytes)
            ? mmap(NULL, map_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
            : MAP_FAILED;
    if (map == MAP_FAILED) {
        gs_free(arena);
        return fail_to_allocate(error, (double)bytes, "");
    }
    size_t past = (uintptr_t)map % huge_page, skipped = past > 0 ? huge_page - past : 0;
    *arena = (gs_arena){map, map_bytes, (char *)map + skipped, bytes};
#ifdef MADV_HUGEPAGE
    if (bytes >= 2 * huge_page)
        madvise(arena->next, bytes, MADV_HUGEPAGE);
#endif
    guard(map, map_bytes);
    return arena;
}

void gs_arena_free(gs_arena *arena) {
    if (!arena)
        return;
    unguard(arena->map, arena->map_bytes);
    munmap(arena->map, arena->map_bytes);
    gs_free(arena);
}

void *gs_arena_alloc(gs_arena *arena, size_t bytes) {
    size_t taken;
    if (!gs_size_add(bytes, GAP + GS_ALIGNMENT - 1, &taken))
        return NULL;
    taken = taken / GS_ALIGNMENT * GS_ALIGNMENT;
    if (taken > arena->left)
        return NULL;
    void *block = arena->next;
    arena->next += taken;
    arena->left -= taken;
    unguard(block, bytes);
    return block;
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
