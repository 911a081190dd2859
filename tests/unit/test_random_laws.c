/*
 * What random tiles have of the laws they are drawn from: moments, distribution, tails, and that
 * one number says nothing about another.
 */
#include "draws.h"

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

enum { ROW_TILES = 1024, SIGMAS = 6 };

/* Of the numbers of a tile. */
static void count_tails(const double sigmas[SIGMAS], const gs_kernels *kernels, const char *numbers,
                        size_t above[SIGMAS], size_t below[SIGMAS]) {
    size_t rows = GS_TILE_SIZE / kernels->panel;
    if (kernels->count_below(rows, kernels->panel, sigmas[0], numbers) == GS_TILE_SIZE)
        return;
    for (size_t j = 0; j < GS_TILE_SIZE; j++) {
        double x = kernels->get(numbers + j * kernels->size);
        for (size_t s = 0; s < SIGMAS && fabs(x) > sigmas[s]; s++)
            (x > 0 ? above : below)[s]++;
    }
}

/* How many of n numbers lie past s is binomial: mean n P, standard deviation sqrt(n P). */
static void check_tails(gs_dtype dtype, uint32_t rows) {
    static const double sigmas[SIGMAS] = {3, 3.5, 4, 4.5, 5, 5.5};
    static _Alignas(64) char row[ROW_TILES * GS_TILE_SIZE * sizeof(double)];
    const gs_kernels *kernels = best(dtype);
    size_t above[SIGMAS] = {0}, below[SIGMAS] = {0};
    double n = (double)rows * ROW_TILES * GS_TILE_SIZE;
    for (uint32_t i = 0; i < rows; i++) {
        kernels->random_tiles(GS_DRAW_NORMAL, 1, 1, 3, i, 0, ROW_TILES, 1, row);
        for (size_t j = 0; j < ROW_TILES; j++)
            count_tails(sigmas, kernels, row + j * GS_TILE_SIZE * kernels->size, above, below);
    }
    for (size_t s = 0; s < SIGMAS; s++) {
        double expected = n * normal_distribution(-sigmas[s]);
        CHECK_THAT(fabs((double)above[s] - expected) < 4 * sqrt(expected) &&
                       fabs((double)below[s] - expected) < 4 * sqrt(expected) &&
                       fabs((double)(above[s] + below[s]) - 2 * expected) < 4 * sqrt(2 * expected),
                   "%zu above and %zu below %.1f sigma, not %.1f", above[s], below[s], sigmas[s],
                   expected);
    }
}

/* 5e8 numbers: 150 past 5 sigma on either side, and 20 past 5.5 on both, so that none would be too
   few. */
static void test_tails_past_5_sigma_are_as_heavy_as_they_should_be(void) {
    bool fast = strcmp(best(GS_F64)->isa, "portable") != 0;
    check_tails(GS_F64, fast ? 1u << 13 : 1u << 5);
    check_tails(GS_F32, fast ? 1u << 13 : 1u << 5);
}

/* A correlation of n pairs of independent numbers has the standard error 1 / sqrt(n), and so has
   that of their squares. Elements 16 apart share a radius and an angle's word; the other tiles have
   counters and keys that differ by 1. */
static void test_neighbours_are_uncorrelated(void) {
    enum { SIDE = 128, NEIGHBOURS = 9 };
    static const uint8_t partner[4] = {16, 1, 8, 32};
    double sums[NEIGHBOURS] = {0}, squares[NEIGHBOURS] = {0};
    double n = SIDE * SIDE * (double)GS_TILE_SIZE;
    for (uint32_t i = 0; i < SIDE * SIDE; i++) {
        const address at = {1, 1, 3, i / SIDE, i % SIDE};
        const address others[5] = {{1, 1, 3, at.row, at.col + 1},
                                   {1, 1, 3, at.row + 1, at.col},
                                   {1, 1, 4, at.row, at.col},
                                   {1, 2, 3, at.row, at.col},
                                   {2, 1, 3, at.row, at.col}};
        tile here, other[5];
        draw(best(GS_F64), GS_DRAW_NORMAL, at, 1, &here);
        for (size_t k = 0; k < 5; k++)
            draw(best(GS_F64), GS_DRAW_NORMAL, others[k], 1, &other[k]);
        for (size_t j = 0; j < GS_TILE_SIZE; j++)
            for (size_t k = 0; k < NEIGHBOURS; k++) {
                double x = here.value[j];
                double y = k < 4 ? here.value[j ^ partner[k]] : other[k - 4].value[j];
                sums[k] += x * y;
                squares[k] += (x * x - 1) * (y * y - 1) / 2;
            }
    }
    for (size_t k = 0; k < NEIGHBOURS; k++) {
        double factor = k < 4 ? sqrt(2) : 1; /* every pair within a tile is counted twice */
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

TEST_MAIN(TEST(test_normals_have_the_moments_of_a_normal_to_the_8th),
          TEST(test_uniforms_have_the_moments_of_a_uniform_to_the_8th),
          TEST(test_normals_pass_kolmogorov_and_smirnov),
          TEST(test_uniforms_pass_kolmogorov_and_smirnov),
          TEST(test_tails_past_5_sigma_are_as_heavy_as_they_should_be),
          TEST(test_neighbours_are_uncorrelated), TEST(test_uniforms_never_reach_either_end))
