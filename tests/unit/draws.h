/* Tiles for tests: addresses, and the words behind their numbers. */
#ifndef GS_TEST_DRAWS_H
#define GS_TEST_DRAWS_H

#include "base/philox.h"
#include "kernels/kernels.h"
#include "test.h"

typedef struct {
    uint64_t seed;
    uint32_t stream, layer, row, col;
} address;

typedef struct {
    _Alignas(64) char typed[GS_TILE_SIZE * sizeof(double)];
    double value[GS_TILE_SIZE];
} tile;

static inline void draw(const gs_kernels *kernels, gs_draw law, address at, double factor,
                        tile *t) {
    kernels->random_tiles(law, at.seed, at.stream, at.layer, at.row, at.col, 1, factor, t->typed);
    for (size_t i = 0; i < GS_TILE_SIZE; i++)
        t->value[i] = kernels->get(t->typed + i * kernels->size);
}

static inline bool same(const tile *a, const tile *b) {
    return memcmp(a->value, b->value, sizeof a->value) == 0;
}

/* The last table of a type; found once, for CPUID is slow in a virtual machine. */
static inline const gs_kernels *best(gs_dtype dtype) {
    static const gs_kernels *found[2];
    const gs_kernels *kernels;
    if (!found[dtype])
        for (size_t i = 0; (kernels = gs_kernels_at(i)); i++)
            found[kernels->dtype] = kernels;
    return found[dtype];
}

/* The n-th of a list of addresses, every word of which takes small and large values. */
static inline address address_at(uint32_t n) {
    uint32_t counter[4] = {n, 0, 0, 0}, key[2] = {20, 26}, word[4];
    gs_philox4x32(counter, key, word);
    address at = {(uint64_t)word[0] << 32 | word[1], word[2] >> 1, word[3], word[1] ^ word[2],
                  (word[0] ^ word[3]) >> 4};
    if (n % 4 == 0)
        at = (address){n, 1, n % 7, n % 5, n % 3};
    return at;
}

typedef struct {
    uint32_t high, low; /* u = (high 2^32 + low + 1/2) / 2^64 */
} fraction;

static inline void fractions(address at, uint32_t q, fraction u[4]) {
    uint32_t key[2] = {(uint32_t)at.seed, (uint32_t)(at.seed >> 32)}, high[4], low[4];
    uint32_t counter[4] = {at.col << 4 | q, at.row, at.layer, at.stream << 1};
    gs_philox4x32(counter, key, high);
    counter[3] |= 1;
    gs_philox4x32(counter, key, low);
    for (size_t i = 0; i < 4; i++)
        u[i] = (fraction){high[i], low[i]};
}

static inline bool long_double_is_longer(void) {
    volatile long double one = 1, small = 1e-18L;
    return one + small != one;
}

/* The four normals of a call, in long double. Above 3/4 it holds all the bits of 1 - u. */
static inline void box_muller(const fraction u[4], long double normal[4]) {
    const long double two_pi = 6.283185307179586476925286766559L;
    long double half = 0x1p-65L;
    for (size_t k = 0; k < 2; k++) {
        uint64_t word = (uint64_t)u[k].high << 32 | u[k].low;
        uint64_t turn = (uint64_t)u[k + 2].high << 32 | u[k + 2].low;
        uint64_t quadrant = turn + (1ull << 61);
        long double log_u = u[k].high < 3u << 30 ? logl(word * 0x1p-64L + half)
                                                 : log1pl(-((~word) * 0x1p-64L + half));
        long double y = (int64_t)(turn - (quadrant & 3ull << 62)) * 0x1p-64L + half;
        long double r = sqrtl(-2 * log_u), c = cosl(two_pi * y), s = sinl(two_pi * y);
        const long double cosine[4] = {c, -s, -c, s}, sine[4] = {s, c, -s, -c};
        normal[2 * k] = r * cosine[quadrant >> 62];
        normal[2 * k + 1] = r * sine[quadrant >> 62];
    }
}

/* ---- Words to order ---- */

static inline uint32_t inverse(uint32_t odd) { /* modulo 2^32, by Newton's iteration */
    uint32_t x = odd;
    for (int i = 0; i < 5; i++)
        x *= 2 - odd * x;
    return x;
}

/* Philox undone: the counter that the key makes these words of. */
static inline void counter_of(const uint32_t word[4], uint64_t seed, uint32_t counter[4]) {
    uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)}, c[4];
    memcpy(c, word, sizeof c);
    for (uint32_t round = 10; round-- > 0;) {
        uint32_t left = c[3] * inverse(0xd2511f53), right = c[1] * inverse(0xcd9e8d57);
        c[3] = c[2] ^ (uint32_t)(0xd2511f53ull * left >> 32) ^ (key[1] + round * 0xbb67ae85);
        c[1] = c[0] ^ (uint32_t)(0xcd9e8d57ull * right >> 32) ^ (key[0] + round * 0x9e3779b9);
        c[0] = left;
        c[2] = right;
    }
    memcpy(counter, c, sizeof c);
}

/* Every word of a radius where a formula changes or ends meets every such word of an angle: 0 and
   2^32, the tail of f32 below 2^20, half a unit of f32 at 2^23 and 2^24, sqrt(1/2), 3/4; and the
   bounds of quadrants and the quarters, as numbers of 2^32. */
enum { RADIUS_WORDS = 19, ANGLE_WORDS = 18, EXTREMES = RADIUS_WORDS * ANGLE_WORDS };

/* The n-th of them: an address, and the call q of its tile whose HI are these words. */
static inline address extreme_at(uint32_t n, uint32_t *q) {
    static const uint32_t radii[RADIUS_WORDS] = {
        0,          1,          0xfffff,    0x100000,   0x100001,   0x7fffff,   0x800000,
        0x800001,   0x1000000,  0x1000001,  0x7fffffff, 0x80000000, 0xb504f333, 0xb504f334,
        0xbfffffff, 0xc0000000, 0xfeffffff, 0xfffffffe, 0xffffffff};
    static const uint32_t angles[ANGLE_WORDS] = {
        0,          1,          0x1fffffff, 0x20000000, 0x20000001, 0x3fffffff,
        0x40000000, 0x5fffffff, 0x60000000, 0x60000001, 0x80000000, 0x9fffffff,
        0xa0000000, 0xa0000001, 0xc0000000, 0xdfffffff, 0xe0000000, 0xffffffff};
    const uint32_t word[4] = {radii[n % RADIUS_WORDS], radii[(n + 7) % RADIUS_WORDS],
                              angles[n % ANGLE_WORDS], angles[(n + 5) % ANGLE_WORDS]};
    uint32_t counter[4];
    uint64_t seed = n;
    do
        counter_of(word, ++seed, counter);
    while (counter[3] % 2 != 0);
    *q = counter[0] % 16;
    return (address){seed, counter[3] / 2, counter[2], counter[1], counter[0] / 16};
}

#endif
