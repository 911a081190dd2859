#define GS_ISA_PORTABLE
#define GS_DTYPE_F64

#include "kernels/elementary.h"

#include "draws.h"

/* ---- The definition, one number at a time ---- */

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
    return sincos_join((uint64_t)quadrant << 62,
                       (u.high - quadrant * 0x1p30 + rest_of(u)) / 0x1p32);
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

static void check_definition(const gs_kernels *kernels, address at) {
    tile got, expected;
    for (gs_draw law = GS_DRAW_NORMAL; law <= GS_DRAW_UNIFORM; law++) {
        draw(kernels, law, at, 0.3, &got);
        naive_tile(law, at, 0.3, expected.value);
        CHECK_THAT(same(&got, &expected), "a tile of law %d differs on %s", (int)law, kernels->isa);
    }
}

static void test_f64_tiles_are_what_their_definition_says(void) {
    const gs_kernels *kernels;
    uint32_t q;
    for (size_t k = 0; (kernels = gs_kernels_at(k)); k++) {
        for (uint32_t n = 0; n < 2000 && kernels->dtype == GS_F64; n++)
            check_definition(kernels, address_at(n));
        for (uint32_t n = 0; n < EXTREMES && kernels->dtype == GS_F64; n++)
            check_definition(kernels, extreme_at(n, &q));
    }
}

/* In ulps: log is good to 1.2, so r to 0.6 and 0.5 for the root; the cosine to 1.2; the product to
   0.5. Rounding u < 3/4 shifts r by 2^-53 / r, that is 0.9, and rounding the angle the cosine by
   0.4: 5.1 together, of a number's last place, which is eps at most. */
static void test_normals_follow_the_formulas_of_box_and_muller(void) {
    tile t;
    if (!long_double_is_longer())
        SKIP("long double is no longer than double here");
    for (uint32_t n = 0; n < 2000 + EXTREMES; n++) {
        uint32_t q = 0;
        address at = n < 2000 ? address_at(n) : extreme_at(n - 2000, &q);
        draw(best(GS_F64), GS_DRAW_NORMAL, at, 1, &t);
        for (uint32_t end = n < 2000 ? 16 : q + 1; q < end; q++) {
            fraction u[4];
            long double expected[4];
            fractions(at, q, u);
            box_muller(u, expected);
            for (size_t i = 0; i < 4; i++)
                CHECK_THAT(fabsl(t.value[16 * i + q] - expected[i]) <=
                               5.1L * 0x1p-52L * fabsl(expected[i]),
                           "%.17g, not %.17Lg", t.value[16 * i + q], expected[i]);
        }
    }
}

/* ---- The same numbers everywhere and for ever ---- */

static void test_every_instruction_set_gives_the_same_bits(void) {
    const gs_kernels *kernels;
    tile got, expected;
    for (size_t k = 0; (kernels = gs_kernels_at(k)); k++) {
        const gs_kernels *portable = gs_kernels_at(kernels->dtype);
        for (uint32_t n = 0; n < 4000 + EXTREMES; n++)
            for (gs_draw law = GS_DRAW_NORMAL; law <= GS_DRAW_UNIFORM; law++) {
                uint32_t q;
                address at = n < 4000 ? address_at(n) : extreme_at(n - 4000, &q);
                draw(kernels, law, at, 0.7, &got);
                draw(portable, law, at, 0.7, &expected);
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

static void test_a_row_of_tiles_is_its_tiles_and_nothing_more(void) {
    enum { MOST = 19 };
    static _Alignas(64) char row[(MOST + 1) * sizeof(((tile *)0)->typed)];
    const gs_kernels *kernels;
    tile t;
    for (size_t k = 0; (kernels = gs_kernels_at(k)); k++)
        for (size_t count = 0; count <= MOST; count++)
            for (gs_draw law = GS_DRAW_NORMAL; law <= GS_DRAW_UNIFORM; law++) {
                size_t bytes = GS_TILE_SIZE * kernels->size;
                address at = address_at((uint32_t)count);
                memset(row, 0x5a, sizeof row);
                kernels->random_tiles(law, at.seed, at.stream, at.layer, at.row, at.col, count, 0.7,
                                      row);
                for (size_t i = 0; i < count; i++, at.col++) {
                    draw(kernels, law, at, 0.7, &t);
                    CHECK(memcmp(t.typed, row + i * bytes, bytes) == 0);
                }
                for (size_t i = count * bytes; i < sizeof row; i++)
                    CHECK(row[i] == 0x5a);
            }
}

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

TEST_MAIN(TEST(test_f64_tiles_are_what_their_definition_says),
          TEST(test_normals_follow_the_formulas_of_box_and_muller),
          TEST(test_every_instruction_set_gives_the_same_bits),
          TEST(test_tiles_are_those_of_every_earlier_release),
          TEST(test_f32_normals_are_the_f64_normals), TEST(test_f32_uniforms_are_the_f64_uniforms),
          TEST(test_a_row_of_tiles_is_its_tiles_and_nothing_more),
          TEST(test_a_tile_does_not_depend_on_what_was_drawn_before),
          TEST(test_every_word_of_an_address_matters),
          TEST(test_scaling_is_one_rounding_of_the_unit_tile))
