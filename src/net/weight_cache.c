/*
 * A matrix has one slot, which its origin and shape choose, and takes it from what was there. Slots
 * stand on shelves, each with a lock and a share of the memory: where that is used up, other slots
 * of the shelf are emptied in turn. What is on loan then lives until it comes back; meanwhile the
 * matrix leaves its own memory untouched.
 */
#include "net/weight_cache.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/lookup.h"
#include "base/memory.h"

enum { SHELVES = 16, SLOTS = 2048 }; /* of a shelf */

/* What tells matrices apart; numbers of one size, so that there is nothing between them. */
typedef struct {
    uint64_t init, seed, layer, rows, cols, dtype;
    double parameter, gain;
} matrix_key;

/* A matrix that was drawn. */
struct gs_weight_loan {
    matrix_key key;
    int64_t exponent;
    gs_tile_source source;
    atomic_size_t users;   /* matrices that read it, and its slot */
    _Atomic(double) sigma; /* nan: not known */
    size_t bytes;          /* of the tiles */
    _Alignas(GS_ALIGNMENT) char tiles[];
};

typedef struct {
    pthread_mutex_t lock;
    size_t used, turn;            /* bytes; the slot that is emptied next */
    gs_weight_loan *slots[SLOTS]; /* NULL: empty */
} shelf;

struct gs_weight_cache {
    size_t share; /* bytes of a shelf */
    shelf shelves[SHELVES];
};

/* ---- Beginning and end ---- */

gs_weight_cache *gs_weight_cache_new(size_t bytes, gs_error *error) {
    gs_weight_cache *cache = gs_alloc(1, sizeof *cache, error);
    if (!cache)
        return NULL;
    cache->share = bytes / SHELVES;
    for (size_t i = 0; i < SHELVES; i++)
        pthread_mutex_init(&cache->shelves[i].lock, NULL);
    return cache;
}

void gs_weight_cache_take_back(gs_weight_loan *loan) {
    if (atomic_fetch_sub(&loan->users, 1) == 1)
        gs_free(loan);
}

static void empty(shelf *s, gs_weight_loan **slot) {
    if (!*slot)
        return;
    s->used -= (*slot)->bytes;
    gs_weight_cache_take_back(*slot);
    *slot = NULL;
}

void gs_weight_cache_free(gs_weight_cache *cache) {
    for (size_t i = 0; cache && i < SHELVES; i++) {
        for (size_t j = 0; j < SLOTS; j++)
            empty(&cache->shelves[i], &cache->shelves[i].slots[j]);
        pthread_mutex_destroy(&cache->shelves[i].lock);
    }
    gs_free(cache);
}

/* ---- Matrices ---- */

static matrix_key key_of(const gs_kernels *kernels, const gs_weight_origin *origin,
                         const gs_matrix *weight) {
    return (matrix_key){.init = origin->init.index,
                        .seed = origin->seed,
                        .layer = origin->layer,
                        .rows = weight->rows,
                        .cols = weight->cols,
                        .dtype = kernels->dtype,
                        .parameter = origin->init.parameter,
                        .gain = origin->gain};
}

static shelf *shelf_of(gs_weight_cache *cache, const matrix_key *key, gs_weight_loan ***slot) {
    uint64_t hash = gs_hash(0, key, sizeof *key);
    shelf *s = &cache->shelves[hash % SHELVES];
    *slot = &s->slots[hash / SHELVES % SLOTS];
    return s;
}

static void lend(gs_weight_loan *loan, gs_matrix *weight) {
    weight->loan = loan;
    weight->own = weight->data;
    weight->data = loan->tiles;
}

static gs_weight_loan *find(gs_weight_cache *cache, const matrix_key *key) {
    gs_weight_loan **slot, *found = NULL;
    shelf *s = shelf_of(cache, key, &slot);
    pthread_mutex_lock(&s->lock);
    if (*slot && memcmp(&(*slot)->key, key, sizeof *key) == 0) {
        found = *slot;
        atomic_fetch_add(&found->users, 1);
    }
    pthread_mutex_unlock(&s->lock);
    return found;
}

bool gs_weight_cache_lend(gs_weight_cache *cache, const gs_kernels *kernels,
                          const gs_weight_origin *origin, gs_matrix *weight) {
    size_t bytes = weight->row_tiles * weight->col_tiles * GS_TILE_SIZE * kernels->size;
    if (!cache || !weight->data || bytes > cache->share)
        return false;
    const matrix_key key = key_of(kernels, origin, weight);
    gs_weight_loan *loan = find(cache, &key);
    if (loan) {
        lend(loan, weight);
        weight->exponent = loan->exponent;
        weight->source = loan->source;
        return true;
    }
    loan = gs_alloc(sizeof *loan + bytes, 1, NULL);
    if (loan) {
        loan->key = key;
        loan->users = 1;
        loan->sigma = NAN;
        loan->bytes = bytes;
        lend(loan, weight);
    }
    return false;
}

void gs_weight_cache_keep(gs_weight_cache *cache, const gs_matrix *weight) {
    gs_weight_loan *loan = weight->loan, **slot;
    if (!loan)
        return;
    loan->exponent = weight->exponent;
    loan->source = weight->source;
    shelf *s = shelf_of(cache, &loan->key, &slot);
    pthread_mutex_lock(&s->lock);
    empty(s, slot);
    while (s->used > cache->share - loan->bytes)
        empty(s, &s->slots[s->turn++ % SLOTS]);
    atomic_fetch_add(&loan->users, 1);
    *slot = loan;
    s->used += loan->bytes;
    pthread_mutex_unlock(&s->lock);
}

/* ---- Its largest singular value ---- */

bool gs_weight_cache_recall_sigma(const gs_matrix *weight, double *sigma) {
    if (!weight->loan)
        return false;
    *sigma = atomic_load(&weight->loan->sigma);
    return !isnan(*sigma);
}

void gs_weight_cache_keep_sigma(const gs_matrix *weight, double sigma) {
    if (weight->loan)
        atomic_store(&weight->loan->sigma, sigma);
}
