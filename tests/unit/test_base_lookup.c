/*
 * Lookups: entries that are found by what they hold.
 */
#include "base/lookup.h"
#include "test.h"

enum { ENTRIES = 1000 };

static bool is_number(const void *owner, size_t entry, const void *wanted) {
    return ((const int *)owner)[entry] == *(const int *)wanted;
}

static uint64_t hash_of(int number, uint64_t mask) {
    return gs_hash(0, &number, sizeof number) & mask;
}

/* With a mask of 0 all have the same hash. */
static void check_with(uint64_t mask) {
    static int numbers[ENTRIES];
    gs_lookup lookup = {0};
    for (int i = 0; i < ENTRIES; i++) {
        numbers[i] = 7 * i;
        CHECK(gs_lookup_find(&lookup, hash_of(7 * i, mask), is_number, numbers, &numbers[i]) ==
              GS_LOOKUP_NONE);
        CHECK(gs_lookup_add(&lookup, hash_of(7 * i, mask), (size_t)i, NULL) == GS_OK);
    }
    for (int n = 0; n < 7 * ENTRIES; n++)
        CHECK_THAT(gs_lookup_find(&lookup, hash_of(n, mask), is_number, numbers, &n) ==
                       (n % 7 == 0 ? (size_t)n / 7 : GS_LOOKUP_NONE),
                   "%d", n);
    gs_lookup_free(&lookup);
}

static void test_entries_are_found_and_others_are_not(void) {
    check_with(UINT64_MAX);
}

static void test_equal_hashes_are_told_apart(void) {
    check_with(0);
    check_with(0xf);
}

static void test_fnv_1a_is_as_published(void) {
    CHECK(gs_hash(0, "", 0) == 0xcbf29ce484222325u);
    CHECK(gs_hash(0, "a", 1) == 0xaf63dc4c8601ec8cu);
    CHECK(gs_hash(0, "foobar", 6) == 0x85944171f73967e8u);
    CHECK(gs_hash(gs_hash(0, "foo", 3), "bar", 3) == 0x85944171f73967e8u);
}

static void test_a_failed_allocation_leaves_what_is_there(void) {
    static const int numbers[] = {1, 2};
    gs_lookup lookup = {0};
    gs_error error;
    test_fail_allocation(1);
    CHECK(gs_lookup_add(&lookup, hash_of(1, UINT64_MAX), 0, &error) == GS_ERR_MEMORY);
    CHECK(gs_lookup_find(&lookup, hash_of(1, UINT64_MAX), is_number, numbers, &numbers[0]) ==
          GS_LOOKUP_NONE);
    gs_lookup_free(&lookup);
}

TEST_MAIN(TEST(test_entries_are_found_and_others_are_not), TEST(test_equal_hashes_are_told_apart),
          TEST(test_fnv_1a_is_as_published), TEST(test_a_failed_allocation_leaves_what_is_there))
