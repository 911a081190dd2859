/*
 * What f32 makes of the words of a tile, by its definition in double, and what the kernels make of
 * the least and the greatest u.
 */
#define GS_ISA_PORTABLE
#define GS_DTYPE_F32

#include "kernels/random.h"

#include "draws.h"

/* ---- The definition, one number at a time ---- */

static double low_of(fraction u) {
    return (u.low + 0.5) / 0x1p32;
}

static float naive_radius(fraction u) {
    double low = u.high < 1u << 20 ? low_of(u) : 0.5;
    if (u.high < 3u << 30)
        return sqrtf(-2 * v_log((float)((u.high + low) / 0x1p32)));
    float below_one = (float)((u.high - 0x1p32 + low) / 0x1p32);
    return sqrtf(-2 * log_join((log_parts){0, below_one}, 0));
}

static sincos_parts naive_angle(fraction u) {
    double turn = rint(u.high / 0x1p30);
    return sincos_join((uint32_t)turn << 30, (float)((u.high - turn * 0x1p30 + 0.5) / 0x1p32));
}

static float naive_uniform(fraction u) {
    float x = (float)((u.high - 0x1p31 + 0.5) / 0x1p31), most = 1 - 0x1p-24f;
    return x > most ? most : x < -most ? -most : x;
}

static void check_definition(const gs_kernels *kernels, address at) {
    tile normal, uniform;
    draw(kernels, GS_DRAW_NORMAL, at, 0.3f, &normal);
    draw(kernels, GS_DRAW_UNIFORM, at, 0.3f, &uniform);
    for (uint32_t q = 0; q < 16; q++) {
        fraction u[4];
        fractions(at, q, u);
        for (size_t i = 0; i < 4; i++) {
            float r = naive_radius(u[i / 2]);
            sincos_parts s = naive_angle(u[2 + i / 2]);
            float z = r * (i % 2 == 0 ? s.cosine : s.sine) * 0.3f, x = naive_uniform(u[i]) * 0.3f;
            CHECK_THAT(normal.value[16 * i + q] == z, "%.9g on %s, not %.9g",
                       normal.value[16 * i + q], kernels->isa, z);
            CHECK_THAT(uniform.value[16 * i + q] == x, "%.9g on %s, not %.9g",
                       uniform.value[16 * i + q], kernels->isa, x);
        }
    }
}

static void test_f32_tiles_are_what_their_definition_says(void) {
    const gs_kernels *kernels;
    uint32_t q;
    for (size_t k = 0; (kernels = gs_kernels_at(k)); k++) {
        for (uint32_t n = 0; n < 4000 && kernels->dtype == GS_F32; n++)
            check_definition(kernels, address_at(n));
        for (uint32_t n = 0; n < EXTREMES && kernels->dtype == GS_F32; n++)
            check_definition(kernels, extreme_at(n, &q));
    }
}

/* In ulps as in f64: log 0.6, root 0.5, cosine 1.2, product 0.5, u 0.9, angle 0.4. */
static void test_f32_normals_follow_the_formulas_at_the_ends(void) {
    tile t;
    for (uint32_t n = 0; n < EXTREMES; n++) {
        uint32_t q;
        address at = extreme_at(n, &q);
        fraction u[4];
        long double expected[4];
        fractions(at, q, u);
        for (size_t i = 0; i < 4; i++)
            if (i >= 2 || u[i].high >= 1u << 20)
                u[i].low = 1u << 31; /* with the 1/2 of long double, 2^-33 above the middle */
        box_muller(u, expected);
        draw(best(GS_F32), GS_DRAW_NORMAL, at, 1, &t);
        for (size_t i = 0; i < 4; i++)
            CHECK_THAT(fabsl(t.value[16 * i + q] - expected[i]) <=
                           4.2L * 0x1p-23L * fabsl(expected[i]),
                       "%.9g, not %.9Lg", t.value[16 * i + q], expected[i]);
    }
}

/* ---- The ends ---- */

/* u = 2^-65 gives sqrt(2 ln 2^65) = 9.4927..., and u = 1 - 2^-65 gives 2^-32 or so. */
static void test_no_radius_is_past_the_root_of_130_ln_2(void) {
    dvec least = d_fraction(0, 0, 0x1p20);
    dvec most = d_fraction((1u << 30) - 1, UINT32_MAX, 0x1p20 + 0.25);
    CHECK(least == 0x1p-65);
    CHECK(most == -0x1p-65);
    CHECK_CLOSE(radius((float)least), sqrt(130 * log(2)), 1.1 * 0x1p-23);
    CHECK(radius((float)most) == 0x1p-32f);
    CHECK(isfinite(radius(-0.25f)) && radius(0.75f) < radius(0.5f));
}

TEST_MAIN(TEST(test_f32_tiles_are_what_their_definition_says),
          TEST(test_f32_normals_follow_the_formulas_at_the_ends),
          TEST(test_no_radius_is_past_the_root_of_130_ln_2))
