/*
 * A lookup finds entries by what they hold: a hash table of their numbers. The entries themselves
 * are kept by someone else, who also says which one is meant.
 */
#ifndef GS_BASE_LOOKUP_H
#define GS_BASE_LOOKUP_H

#include "gradsim.h"

#define GS_LOOKUP_NONE SIZE_MAX

typedef struct {
    struct gs_lookup_slot *slots; /* [room] */
    size_t room, count;
} gs_lookup; /* {0} is empty */

/* Whether the entry holds what is looked for. */
typedef bool gs_lookup_match(const void *owner, size_t entry, const void *wanted);

/* FNV-1a, 64 bits (Fowler, Noll and Vo 1991), of what went before, whose hash is `hash`, and of
   `count` more bytes; 0 if nothing went before. */
uint64_t gs_hash(uint64_t hash, const void *bytes, size_t count);

/* The entry with this hash that matches, or GS_LOOKUP_NONE. */
size_t gs_lookup_find(const gs_lookup *lookup, uint64_t hash, gs_lookup_match *match,
                      const void *owner, const void *wanted);

/* Add an entry that is not there; it must be below 2^32 - 1. Errors: GS_ERR_MEMORY. */
gs_status gs_lookup_add(gs_lookup *lookup, uint64_t hash, size_t entry, gs_error *error);

void gs_lookup_free(gs_lookup *lookup); /* which is empty then */

#endif
