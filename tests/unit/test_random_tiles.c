#define GS_ISA_PORTABLE
#define GS_DTYPE_F64

#include "base/philox.h"
#include "kernels/elementary.h"
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

static void draw(const gs_kernels *kernels, gs_draw law, address at, double factor, tile *t) {
    kernels->random_tile(law, at.seed, at.stream, at.layer, at.row, at.col, factor, t->typed);
    for (size_t i = 0; i < GS_TILE_SIZE; i++)
        t->value[i] = kernels->get(t->typed + i * kernels->size);
}

static bool same(const tile *a, const tile *b) {
    return memcmp(a->value, b->value, sizeof a->value) == 0;
}

/* The last table of a type; found once, for CPUID is slow in a virtual machine. */
static const gs_kernels *best(gs_dtype dtype) {
    static const gs_kernels *found[2];
    const gs_kernels *kernels;
    if (!found[dtype])
        for (size_t i = 0; (kernels = gs_kernels_at(i)); i++)
            found[kernels->dtype] = kernels;
    return found[dtype];
}

/* The n-th of a list of addresses, every word of which takes small and large values. */
static address address_at(uint32_t n) {
    uint32_t counter[4] = {n, 0, 0, 0}, key[2] = {20, 26}, word[4];
    gs_philox4x32(counter, key, word);
    address at = {(uint64_t)word[0] << 32 | word[1], word[2] >> 1, word[3], word[1] ^ word[2],
                  (word[0] ^ word[3]) >> 4};
    if (n % 4 == 0)
        at = (address){n, 1, n % 7, n % 5, n % 3};
    return at;
}

/* ---- The definition, one number at a time ---- */

typedef struct {
    uint32_t high, low; /* u = (high 2^32 + low + 1/2) / 2^64 */
} fraction;

static void fractions(address at, uint32_t q, fraction u[4]) {
    uint32_t key[2] = {(uint32_t)at.seed, (uint32_t)(at.seed >> 32)}, high[4], low[4];
    uint32_t counter[4] = {at.col << 4 | q, at.row, at.layer, at.stream << 1};
    gs_philox4x32(counter, key, high);
    counter[3] |= 1;
    gs_philox4x32(counter, key, low);
    for (size_t i = 0; i < 4; i++)
        u[i] = (fraction){high[i], low[i]};
}

static double rest_of(fraction u) {
    return (u.low + 0.5) / 0x1p32;
}

/* sqrt(-2 ln u); near u = 1, u - 1 is what double can hold. */
static double radius(fraction u) {
    if (u.high < 3u << 30)
        return sqrt(-2 * v_log((u.high + rest_of(u)) / 0x1p32));
    double below_one = ((u.high - 0x1p32) + rest_of(u)) / 0x1p32;
    return sqrt(-2 * log_join((log_parts){0, below_one}, 0));
}

static sincos_parts angle(fraction u) {
    double quadrant = rint(u.high / 0x1p30);
    return sincos_join(quadrant, (u.high - quadrant * 0x1p30 + rest_of(u)) / 0x1p32);
}

static double symmetric(fraction u) {
    double x = ((u.high - 0x1p31) + rest_of(u)) / 0x1p31, most = 1 - 0x1p-53;
    return x > most ? most : x < -most ? -most : x;
}

static void naive_tile(gs_draw law, address at, double factor, double t[GS_TILE_SIZE]) {
    for (uint32_t q = 0; q < 16; q++) {
        fraction u[4];
        fractions(at, q, u);
        for (size_t i = 0; i < 4; i++)
            t[16 * i + q] = symmetric(u[i]) * factor;
        for (size_t k = 0; k < 2 && law == GS_DRAW_NORMAL; k++) {
            double r = radius(u[k]);
            sincos_parts s = angle(u[k + 2]);
            t[32 * k + q] = r * s.cosine * factor;
            t[32 * k + 16 + q] = r * s.sine * factor;
        }
    }
}

static void test_f64_tiles_are_what_their_definition_says(void) {
    const gs_kernels *kernels;
    tile got, expected;
    for (size_t k = 0; (kernels = gs_kernels_at(k)); k++) {
        if (kernels->dtype != GS_F64)
            continue;
        for (uint32_t n = 0; n < 2000; n++)
            for (gs_draw law = GS_DRAW_NORMAL; law <= GS_DRAW_UNIFORM; law++) {
                draw(kernels, law, address_at(n), 0.3, &got);
                naive_tile(law, address_at(n), 0.3, expected.value);
                CHECK_THAT(same(&got, &expected), "tile %u of law %d differs on %s", n, (int)law,
                           kernels->isa);
            }
    }
}

static bool long_double_is_longer(void) {
    volatile long double one = 1, small = 1e-18L;
    return one + small != one;
}

/* Against the formulas alone, in long double: r and the cosine are each good to 2 eps, so a number
   is to 4 eps of r, and no r is above 10. Near u = 1 long double has too few digits for u, and r is
   small. */
static void test_normals_follow_the_formulas_of_box_and_muller(void) {
    const long double two_pi = 6.283185307179586476925286766559L;
    tile t;
    if (!long_double_is_longer())
        SKIP("long double is no longer than double here");
    for (uint32_t n = 0; n < 2000; n++) {
        draw(best(GS_F64), GS_DRAW_NORMAL, address_at(n), 1, &t);
        for (uint32_t q = 0; q < 16; q++) {
            fraction f[4];
            long double u[4];
            fractions(address_at(n), q, f);
            for (size_t i = 0; i < 4; i++)
                u[i] = ((long double)f[i].high + (f[i].low + 0.5L) / 0x1p32L) / 0x1p32L;
            for (size_t k = 0; k < 2; k++) {
                long double r = sqrtl(-2 * logl(u[k]));
                long double cosine = r * cosl(two_pi * u[k + 2]);
                long double sine = r * sinl(two_pi * u[k + 2]);
                CHECK(fabsl(t.value[32 * k + q] - cosine) < 1e-14L);
                CHECK(fabsl(t.value[32 * k + 16 + q] - sine) < 1e-14L);
            }
        }
    }
}

/* ---- The same numbers everywhere and for ever ---- */

static void test_every_instruction_set_gives_the_same_bits(void) {
    const gs_kernels *kernels;
    tile got, expected;
    for (size_t k = 0; (kernels = gs_kernels_at(k)); k++) {
        const gs_kernels *portable = gs_kernels_at(kernels->dtype);
        for (uint32_t n = 0; n < 4000; n++)
            for (gs_draw law = GS_DRAW_NORMAL; law <= GS_DRAW_UNIFORM; law++) {
                draw(kernels, law, address_at(n), 0.7, &got);
                draw(portable, law, address_at(n), 0.7, &expected);
                CHECK_THAT(same(&got, &expected), "tile %u differs on %s", n, kernels->isa);
            }
    }
}

/* FNV-1a over the bits of the values of 1000 tiles of each law. */
static uint64_t fingerprint(const gs_kernels *kernels) {
    uint64_t hash = 0xcbf29ce484222325;
    tile t;
    for (uint32_t n = 0; n < 2000; n++) {
        draw(kernels, n % 2 == 0 ? GS_DRAW_NORMAL : GS_DRAW_UNIFORM, address_at(n / 2), 1, &t);
        for (size_t i = 0; i < GS_TILE_SIZE; i++) {
            uint64_t bits;
            memcpy(&bits, &t.value[i], sizeof bits);
            hash = (hash ^ bits) * 0x100000001b3;
        }
    }
    return hash;
}

/* A change of these numbers changes every result that anyone has ever noted down. */
static void test_tiles_are_those_of_every_earlier_release(void) {
    uint64_t f64 = fingerprint(best(GS_F64)), f32 = fingerprint(best(GS_F32));
    CHECK_THAT(f64 == 0xbfb7c8a02a66ffb5, "f64: %#llx", (unsigned long long)f64);
    CHECK_THAT(f32 == 0xb60e21df34373325, "f32: %#llx", (unsigned long long)f32);
}

/* An angle of f32 is good to 2^-25 turns of 1/8, a radius to 2^-24 of itself, and both to an ulp of
   their functions: together 3e-7 at most. 1 in 2048 calls has a radius in the tail. */
static void test_f32_normals_are_the_f64_normals(void) {
    tile wide, narrow;
    for (uint32_t n = 0; n < 100000; n++) {
        draw(best(GS_F64), GS_DRAW_NORMAL, address_at(n), 1, &wide);
        draw(best(GS_F32), GS_DRAW_NORMAL, address_at(n), 1, &narrow);
        for (size_t i = 0; i < GS_TILE_SIZE; i++) {
            double error = fabs(wide.value[i] - narrow.value[i]);
            CHECK_THAT(error <= 3e-7 * fmax(1, fabs(wide.value[i])), "%.9g is %.9g in f32",
                       wide.value[i], narrow.value[i]);
        }
    }
}

static void test_f32_uniforms_are_the_f64_uniforms(void) {
    tile wide, narrow;
    for (uint32_t n = 0; n < 20000; n++) {
        draw(best(GS_F64), GS_DRAW_UNIFORM, address_at(n), 1, &wide);
        draw(best(GS_F32), GS_DRAW_UNIFORM, address_at(n), 1, &narrow);
        for (size_t i = 0; i < GS_TILE_SIZE; i++)
            CHECK(fabs(wide.value[i] - narrow.value[i]) <= 0x1p-24);
    }
}

/* ---- Tiles of one another ---- */

static void test_a_tile_does_not_depend_on_what_was_drawn_before(void) {
    tile forward[64], again;
    for (uint32_t n = 0; n < 64; n++)
        draw(best(GS_F64), GS_DRAW_NORMAL, address_at(n), 1, &forward[n]);
    for (uint32_t n = 64; n-- > 0;) {
        draw(best(GS_F64), GS_DRAW_NORMAL, address_at(n), 1, &again);
        CHECK(same(&again, &forward[n]));
    }
}

static void test_every_word_of_an_address_matters(void) {
    const address base = {5, 6, 7, 8, 9};
    const address others[] = {
        {4, 6, 7, 8, 9},  {5 | 1ull << 32, 6, 7, 8, 9}, {5, 7, 7, 8, 9}, {5, 6 | 1u << 30, 7, 8, 9},
        {5, 6, 6, 8, 9},  {5, 6, 7 | 1u << 31, 8, 9},   {5, 6, 7, 9, 9}, {5, 6, 7, 8 | 1u << 31, 9},
        {5, 6, 7, 8, 10}, {5, 6, 7, 8, 9 | 1u << 27}};
    for (gs_dtype k = GS_F64; k <= GS_F32; k++) {
        tile first, second;
        draw(best(k), GS_DRAW_NORMAL, base, 1, &first);
        for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
            draw(best(k), GS_DRAW_NORMAL, others[i], 1, &second);
            for (size_t j = 0; j < GS_TILE_SIZE; j++)
                CHECK(first.value[j] != second.value[j]);
        }
    }
}

static void test_scaling_is_one_rounding_of_the_unit_tile(void) {
    tile unit, scaled;
    for (uint32_t n = 0; n < 100; n++)
        for (gs_draw law = GS_DRAW_NORMAL; law <= GS_DRAW_UNIFORM; law++) {
            draw(best(GS_F64), law, address_at(n), 1, &unit);
            draw(best(GS_F64), law, address_at(n), 1.0 / 3, &scaled);
            for (size_t i = 0; i < GS_TILE_SIZE; i++)
                CHECK(scaled.value[i] == unit.value[i] * (1.0 / 3));
        }
}

/* ---- Laws ---- */

/* The i-th tile of a matrix 1024 tiles wide, as a network would draw it. */
static void draw_next(const gs_kernels *kernels, gs_draw law, uint32_t i, tile *t) {
    draw(kernels, law, (address){1, 1, 3, i >> 10, i & 1023}, 1, t);
}

enum { MOMENT_TILES = 1 << 16, MOMENTS = 8 };

static double normal_moment(int order) { /* 1, 3, 15, 105, ... = (order - 1)!! */
    return order % 2 != 0 ? 0 : order == 0 ? 1 : (order - 1) * normal_moment(order - 2);
}

static double uniform_moment(int order) {
    return order % 2 != 0 ? 0 : 1.0 / (order + 1);
}

/* The mean of x^p over n numbers has the standard error sqrt((E x^2p - (E x^p)^2) / n). */
static void check_moments(gs_dtype dtype, gs_draw law, double (*moment)(int)) {
    double sums[MOMENTS + 1] = {0}, n = (double)MOMENT_TILES * GS_TILE_SIZE;
    tile t;
    for (uint32_t i = 0; i < MOMENT_TILES; i++) {
        draw_next(best(dtype), law, i, &t);
        for (size_t j = 0; j < GS_TILE_SIZE; j++) {
            double power = 1;
            for (int p = 1; p <= MOMENTS; p++)
                sums[p] += power *= t.value[j];
        }
    }
    for (int p = 1; p <= MOMENTS; p++) {
        double error = sqrt((moment(2 * p) - moment(p) * moment(p)) / n);
        CHECK_THAT(fabs(sums[p] / n - moment(p)) < 4 * error, "moment %d is %.6g, not %.6g", p,
                   sums[p] / n, moment(p));
    }
}

static void test_normals_have_the_moments_of_a_normal_to_the_8th(void) {
    check_moments(GS_F64, GS_DRAW_NORMAL, normal_moment);
    check_moments(GS_F32, GS_DRAW_NORMAL, normal_moment);
}

static void test_uniforms_have_the_moments_of_a_uniform_to_the_8th(void) {
    check_moments(GS_F64, GS_DRAW_UNIFORM, uniform_moment);
    check_moments(GS_F32, GS_DRAW_UNIFORM, uniform_moment);
}

enum { SAMPLE_TILES = 1 << 12, SAMPLE = SAMPLE_TILES * GS_TILE_SIZE };

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double normal_distribution(double x) {
    return erfc(-x / sqrt(2)) / 2;
}

static double uniform_distribution(double x) {
    return (x + 1) / 2;
}

/* Kolmogorov-Smirnov: sqrt(n) times the largest distance exceeds 1.95 once in a thousand samples.
 */
static void check_distribution(gs_dtype dtype, gs_draw law, double (*distribution)(double)) {
    static double sample[SAMPLE];
    double distance = 0;
    tile t;
    for (uint32_t i = 0; i < SAMPLE_TILES; i++) {
        draw_next(best(dtype), law, i, &t);
        memcpy(sample + (size_t)i * GS_TILE_SIZE, t.value, sizeof t.value);
    }
    qsort(sample, SAMPLE, sizeof *sample, ascending);
    for (size_t i = 0; i < SAMPLE; i++) {
        double expected = distribution(sample[i]);
        distance = fmax(distance, fabs(expected - (double)i / SAMPLE));
        distance = fmax(distance, fabs(expected - (double)(i + 1) / SAMPLE));
    }
    CHECK_THAT(sqrt(SAMPLE) * distance < 1.95, "distance %.3g", distance);
}

static void test_normals_pass_kolmogorov_and_smirnov(void) {
    check_distribution(GS_F64, GS_DRAW_NORMAL, normal_distribution);
    check_distribution(GS_F32, GS_DRAW_NORMAL, normal_distribution);
}

static void test_uniforms_pass_kolmogorov_and_smirnov(void) {
    check_distribution(GS_F64, GS_DRAW_UNIFORM, uniform_distribution);
    check_distribution(GS_F32, GS_DRAW_UNIFORM, uniform_distribution);
}

/* How many of n numbers lie past s is binomial: mean n P, standard deviation sqrt(n P). */
static void check_tails(gs_dtype dtype, uint32_t tiles) {
    static const double sigmas[] = {3, 4, 4.5, 5};
    const gs_kernels *kernels = best(dtype);
    size_t above[4] = {0}, below[4] = {0};
    double n = (double)tiles * GS_TILE_SIZE;
    tile t;
    for (uint32_t i = 0; i < tiles; i++) {
        draw_next(kernels, GS_DRAW_NORMAL, i, &t);
        for (size_t j = 0; j < GS_TILE_SIZE; j++)
            for (size_t s = 0; s < 4 && fabs(t.value[j]) > sigmas[s]; s++)
                (t.value[j] > 0 ? above : below)[s]++;
    }
    for (size_t s = 0; s < 4; s++) {
        double expected = n * normal_distribution(-sigmas[s]);
        CHECK_THAT(fabs((double)above[s] - expected) < 4 * sqrt(expected) &&
                       fabs((double)below[s] - expected) < 4 * sqrt(expected),
                   "%zu above and %zu below %.1f sigma, not %.1f", above[s], below[s], sigmas[s],
                   expected);
    }
}

static void test_tails_past_5_sigma_are_as_heavy_as_they_should_be(void) {
    bool fast = strcmp(best(GS_F64)->isa, "portable") != 0;
    check_tails(GS_F64, fast ? 1u << 20 : 1u << 15);
    check_tails(GS_F32, fast ? 1u << 20 : 1u << 15);
}

/* A correlation of n pairs of independent numbers has the standard error 1 / sqrt(n). Elements 16
   apart share a radius and an angle's word; the next tile in a row and in a column has the next
   counters. */
static void test_neighbours_are_uncorrelated(void) {
    enum { SIDE = 128 };
    double sums[3] = {0}, squares[3] = {0}, n = SIDE * SIDE * (double)GS_TILE_SIZE;
    for (uint32_t i = 0; i < SIDE * SIDE; i++) {
        tile here, right, down;
        address at = {1, 1, 3, i / SIDE, i % SIDE};
        draw(best(GS_F64), GS_DRAW_NORMAL, at, 1, &here);
        at.col++;
        draw(best(GS_F64), GS_DRAW_NORMAL, at, 1, &right);
        at.col--;
        at.row++;
        draw(best(GS_F64), GS_DRAW_NORMAL, at, 1, &down);
        for (size_t j = 0; j < GS_TILE_SIZE; j++) {
            double z = here.value[j];
            const double others[3] = {here.value[j ^ 16], right.value[j], down.value[j]};
            for (size_t k = 0; k < 3; k++) {
                sums[k] += z * others[k];
                squares[k] += (z * z - 1) * (others[k] * others[k] - 1) / 2;
            }
        }
    }
    for (size_t k = 0; k < 3; k++) {
        double factor = k == 0 ? sqrt(2) : 1; /* every pair of the first kind is counted twice */
        CHECK_THAT(fabs(sums[k] / n) < 4 * factor / sqrt(n), "%zu: %.2g", k, sums[k] / n);
        CHECK_THAT(fabs(squares[k] / n) < 4 * factor / sqrt(n), "%zu: %.2g", k, squares[k] / n);
    }
}

static void test_uniforms_never_reach_either_end(void) {
    for (gs_dtype dtype = GS_F64; dtype <= GS_F32; dtype++) {
        double least = 1, most = -1;
        tile t;
        for (uint32_t i = 0; i < 1u << 19; i++) {
            draw_next(best(dtype), GS_DRAW_UNIFORM, i, &t);
            for (size_t j = 0; j < GS_TILE_SIZE; j++) {
                least = fmin(least, t.value[j]);
                most = fmax(most, t.value[j]);
            }
        }
        CHECK_THAT(least > -1 && most < 1, "from %.17g to %.17g", least, most);
        CHECK_THAT(least < -1 + 1e-6 && most > 1 - 1e-6, "from %.17g to %.17g", least, most);
    }
}

TEST_MAIN(TEST(test_f64_tiles_are_what_their_definition_says),
          TEST(test_normals_follow_the_formulas_of_box_and_muller),
          TEST(test_every_instruction_set_gives_the_same_bits),
          TEST(test_tiles_are_those_of_every_earlier_release),
          TEST(test_f32_normals_are_the_f64_normals), TEST(test_f32_uniforms_are_the_f64_uniforms),
          TEST(test_a_tile_does_not_depend_on_what_was_drawn_before),
          TEST(test_every_word_of_an_address_matters),
          TEST(test_scaling_is_one_rounding_of_the_unit_tile),
          TEST(test_normals_have_the_moments_of_a_normal_to_the_8th),
          TEST(test_uniforms_have_the_moments_of_a_uniform_to_the_8th),
          TEST(test_normals_pass_kolmogorov_and_smirnov),
          TEST(test_uniforms_pass_kolmogorov_and_smirnov),
          TEST(test_tails_past_5_sigma_are_as_heavy_as_they_should_be),
          TEST(test_neighbours_are_uncorrelated), TEST(test_uniforms_never_reach_either_end))
