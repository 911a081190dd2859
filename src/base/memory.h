/*
 * Memory: sizes whose products cannot overflow, and aligned, zeroed blocks. Everything that the
 * library allocates comes from gs_alloc.
 */
#ifndef GS_BASE_MEMORY_H
#define GS_BASE_MEMORY_H

#include "gradsim.h"

enum { GS_ALIGNMENT = 64 }; /* bytes: a cache line, and the widest vector register */

/* *product = a * b, or *sum = a + b. Returns false, and stores nothing, if that overflows. */
bool gs_size_multiply(size_t a, size_t b, size_t *product);
bool gs_size_add(size_t a, size_t b, size_t *sum);

/* A zeroed block of `count` elements of `size` bytes, aligned to GS_ALIGNMENT; freed by gs_free. A
   valid block even if count is 0. On failure returns NULL and fills `error` with GS_ERR_MEMORY. */
void *gs_alloc(size_t count, size_t size, gs_error *error);

/* Frees a block of gs_alloc; NULL does nothing. */
void gs_free(void *block);

/* The first `used` elements of `block` in one of `count`, the others zero; `block` is freed, and may
   be NULL. On failure returns NULL, and `block` is as it was. */
void *gs_realloc(void *block, size_t used, size_t count, size_t size, gs_error *error);

/* The same for an array that grows: `block` itself if `wanted` elements fit into its *room, else
   one with room for twice as many. */
void *gs_grow(void *block, size_t used, size_t wanted, size_t *room, size_t size, gs_error *error);

/* Writes a size for people to read: "640 B", "1.2 TiB". */
void gs_format_bytes(char out[32], double bytes);

/* ---- Arenas: blocks that are given back all at once ---- */

/* A stretch of memory that costs nothing until it is touched, and then less than many blocks do. */
typedef struct gs_arena gs_arena;

/* Room for `bytes`. Errors: GS_ERR_MEMORY. */
gs_arena *gs_arena_new(size_t bytes, gs_error *error);
void gs_arena_free(gs_arena *arena); /* and every block in it; NULL does nothing */

/* `bytes` zeros at a multiple of GS_ALIGNMENT; NULL if there is no room. */
void *gs_arena_alloc(gs_arena *arena, size_t bytes);

#endif
