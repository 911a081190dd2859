/* Hash tables of numbers, with linear probing. */
#include "base/lookup.h"

#include "base/memory.h"

struct gs_lookup_slot {
    uint32_t hash;
    uint32_t entry; /* and 1; 0: free */
};

enum { FIRST_ROOM = 64 };

uint64_t gs_hash(uint64_t hash, const void *bytes, size_t count) {
    const unsigned char *next = bytes;
    hash = hash ? hash : 0xcbf29ce484222325u;
    for (size_t i = 0; i < count; i++)
        hash = (hash ^ next[i]) * 0x100000001b3u;
    return hash;
}

/* FNV's low bits are its best, and all of them count here. */
static uint32_t fold(uint64_t hash) {
    return (uint32_t)(hash ^ hash >> 32);
}

size_t gs_lookup_find(const gs_lookup *lookup, uint64_t hash, gs_lookup_match *match,
                      const void *owner, const void *wanted) {
    uint32_t folded = fold(hash);
    for (size_t i = folded; lookup->room > 0; i++) {
        const struct gs_lookup_slot *slot = &lookup->slots[i & (lookup->room - 1)];
        if (slot->entry == 0)
            break;
        if (slot->hash == folded && match(owner, slot->entry - 1, wanted))
            return slot->entry - 1;
    }
    return GS_LOOKUP_NONE;
}

static void insert(gs_lookup *lookup, struct gs_lookup_slot slot) {
    size_t i = slot.hash;
    while (lookup->slots[i & (lookup->room - 1)].entry != 0)
        i++;
    lookup->slots[i & (lookup->room - 1)] = slot;
    lookup->count++;
}

/* Half of the slots stay free. */
static gs_status grow(gs_lookup *lookup, gs_error *error) {
    gs_lookup larger = {.room = lookup->room > 0 ? 2 * lookup->room : FIRST_ROOM};
    larger.slots = gs_alloc(larger.room, sizeof *larger.slots, error);
    if (!larger.slots)
        return GS_ERR_MEMORY;
    for (size_t i = 0; i < lookup->room; i++)
        if (lookup->slots[i].entry != 0)
            insert(&larger, lookup->slots[i]);
    gs_lookup_free(lookup);
    *lookup = larger;
    return GS_OK;
}

gs_status gs_lookup_add(gs_lookup *lookup, uint64_t hash, size_t entry, gs_error *error) {
    if (2 * lookup->count >= lookup->room && grow(lookup, error) != GS_OK)
        return GS_ERR_MEMORY;
    insert(lookup, (struct gs_lookup_slot){fold(hash), (uint32_t)entry + 1});
    return GS_OK;
}

void gs_lookup_free(gs_lookup *lookup) {
    gs_free(lookup->slots);
    *lookup = (gs_lookup){0};
}
