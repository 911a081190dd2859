/*
 * Examples that are held out: which ones, how many, and that none is lost or seen twice.
 */
#include "test.h"

#include "base/memory.h"
#include "train/data.h"

static gs_error error;

enum { MOST = 100, FEATURES = 2 };

/* Example i of `examples` is (i, -i) of class i. */
static gs_data numbered(size_t examples) {
    gs_data data = {.examples = examples, .features = FEATURES, .classes = examples};
    data.values = gs_alloc(examples * FEATURES, sizeof *data.values, &error);
    data.labels = gs_alloc(examples, sizeof *data.labels, &error);
    for (size_t i = 0; i < examples; i++) {
        data.values[i * FEATURES] = (double)i;
        data.values[i * FEATURES + 1] = -(double)i;
        data.labels[i] = i;
    }
    return data;
}

typedef struct {
    gs_data kept, held_out;
} parts;

static parts split(size_t examples, double share, bool shuffle, uint64_t seed) {
    parts p = {.kept = numbered(examples)};
    gs_status status = gs_data_split(&p.kept, share, shuffle, seed, &p.held_out, &error);
    CHECK_THAT(status == GS_OK, "%s", error.message);
    return p;
}

static void free_parts(parts *p) {
    gs_data_free(&p->kept);
    gs_data_free(&p->held_out);
}

/* Whole examples, in the order of the file; those that are seen are counted. */
static void check_part(const gs_data *part, size_t *times) {
    for (size_t i = 0; i < part->examples; i++) {
        double label = (double)part->labels[i];
        CHECK(i == 0 || part->labels[i - 1] < part->labels[i]);
        CHECK(part->values[i * FEATURES] == label && part->values[i * FEATURES + 1] == -label);
        times[part->labels[i]]++;
    }
}

static void test_every_example_is_on_one_side_in_the_order_of_the_file(void) {
    for (size_t examples = 2; examples <= MOST; examples++)
        for (uint64_t seed = 0; seed < 10; seed++) {
            parts p = split(examples, 0.5, seed > 0, seed);
            size_t times[MOST] = {0};
            check_part(&p.kept, times);
            check_part(&p.held_out, times);
            for (size_t i = 0; i < examples; i++)
                CHECK_THAT(times[i] == 1, "example %zu of %zu: %zu times", i, examples, times[i]);
            CHECK(p.kept.features == FEATURES && p.held_out.features == FEATURES);
            CHECK(p.kept.classes == examples && p.held_out.classes == examples);
            free_parts(&p);
        }
}

static void test_the_share_is_rounded_to_whole_examples(void) {
    static const struct {
        double share;
        size_t examples, held_out;
    } known[] = {{0.2, 1797, 359}, {0.5, 5, 3},        {0.25, 10, 3}, {0.24, 10, 2},
                 {0.1, 5, 1},      {0.2, 10000, 2000}, {0.94, 10, 9}, {0.5, 2, 1}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        parts p = split(known[i].examples, known[i].share, true, 1);
        CHECK_THAT(p.held_out.examples == known[i].held_out, "%g of %zu: %zu", known[i].share,
                   known[i].examples, p.held_out.examples);
        CHECK(p.kept.examples == known[i].examples - known[i].held_out);
        free_parts(&p);
    }
}

static void test_without_shuffling_the_last_are_held_out(void) {
    parts p = split(10, 0.3, false, 1);
    CHECK(p.kept.examples == 7 && p.held_out.examples == 3);
    for (size_t i = 0; i < 10; i++)
        CHECK((i < 7 ? p.kept.labels[i] : p.held_out.labels[i - 7]) == i);
    free_parts(&p);
}

/* From another implementation of Philox and of the choice. */
static void test_the_choice_is_a_pure_function_of_the_seed(void) {
    static const struct {
        uint64_t seed;
        size_t held_out[7];
    } known[] = {{1, {1, 8, 9, 10, 11, 13, 16}},
                 {2, {2, 4, 6, 8, 9, 10, 15}},
                 {UINT64_MAX, {0, 4, 8, 10, 11, 14, 16}}};
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        parts p = split(20, 0.35, true, known[k].seed);
        CHECK(p.held_out.examples == 7);
        CHECK(memcmp(p.held_out.labels, known[k].held_out, sizeof known[k].held_out) == 0);
        free_parts(&p);
    }
}

/* Each of the 120 ways to hold 3 of 10 out has p = 1/120. Chi squared of 119 degrees of freedom is
   above 182 once in 5,000 times; the seeds are fixed, so this happens always or never. */
static void test_every_choice_of_examples_is_as_likely(void) {
    enum { SEEDS = 24000, WAYS = 120 };
    static double count[1024];
    double chi_squared = 0;
    size_t ways = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        parts p = split(10, 0.3, true, seed);
        count[1 << p.held_out.labels[0] | 1 << p.held_out.labels[1] | 1 << p.held_out.labels[2]]++;
        free_parts(&p);
    }
    for (size_t i = 0; i < 1024; i++) {
        ways += count[i] > 0;
        if (count[i] > 0)
            chi_squared += pow(count[i] - SEEDS / WAYS, 2) / (SEEDS / WAYS);
    }
    CHECK(ways == WAYS);
    CHECK_THAT(chi_squared < 182, "chi squared is %g", chi_squared);
}

static void test_a_share_of_nothing_holds_nothing_out(void) {
    parts p = split(10, 0, true, 1);
    CHECK(p.kept.examples == 10 && p.held_out.examples == 0 && !p.held_out.values);
    free_parts(&p);
}

static void test_a_share_that_leaves_one_side_empty_is_refused(void) {
    static const double shares[] = {0.04, 0.96, 1, 1e-9};
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        gs_data data = numbered(10), held_out;
        CHECK(gs_data_split(&data, shares[i], true, 1, &held_out, &error) == GS_ERR_USAGE);
        CHECK(data.examples == 10 && held_out.examples == 0);
        gs_data_free(&data);
    }
    gs_data single = numbered(1), held_out;
    CHECK(gs_data_split(&single, 0.5, true, 1, &held_out, &error) == GS_ERR_USAGE);
    CHECK_STRING(error.message, "--test-share: expected a share of 1 examples that holds one or "
                                "more back and leaves one or more, got '0.5'");
    gs_data_free(&single);
}

static void test_without_memory_nothing_is_moved(void) {
    for (size_t n = 1; n <= 2; n++) {
        gs_data data = numbered(10), held_out;
        size_t times[MOST] = {0};
        test_fail_allocation(n);
        CHECK(gs_data_split(&data, 0.5, true, 1, &held_out, &error) == GS_ERR_MEMORY);
        CHECK(test_allocation_failed());
        CHECK(data.examples == 10 && held_out.examples == 0 && !held_out.values);
        check_part(&data, times);
        gs_data_free(&data);
    }
}

TEST_MAIN(TEST(test_every_example_is_on_one_side_in_the_order_of_the_file),
          TEST(test_the_share_is_rounded_to_whole_examples),
          TEST(test_without_shuffling_the_last_are_held_out),
          TEST(test_the_choice_is_a_pure_function_of_the_seed),
          TEST(test_every_choice_of_examples_is_as_likely),
          TEST(test_a_share_of_nothing_holds_nothing_out),
          TEST(test_a_share_that_leaves_one_side_empty_is_refused),
          TEST(test_without_memory_nothing_is_moved))
