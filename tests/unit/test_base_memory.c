#include "base/memory.h"
#include "test.h"

static void test_product_of_sizes_is_refused_exactly_when_it_overflows(void) {
    size_t product = 7;
    CHECK(gs_size_multiply(0, SIZE_MAX, &product) && product == 0);
    CHECK(gs_size_multiply(SIZE_MAX, 1, &product) && product == SIZE_MAX);
    CHECK(gs_size_multiply(SIZE_MAX / 2, 2, &product) && product == SIZE_MAX - 1);
    CHECK(!gs_size_multiply(SIZE_MAX / 2 + 1, 2, &product) && product == SIZE_MAX - 1);
}

static void test_sum_of_sizes_is_refused_exactly_when_it_overflows(void) {
    size_t sum = 7;
    CHECK(gs_size_add(SIZE_MAX - 1, 1, &sum) && sum == SIZE_MAX);
    CHECK(!gs_size_add(SIZE_MAX, 1, &sum) && sum == SIZE_MAX);
}

static void test_block_is_aligned_and_zero_even_where_memory_is_reused(void) {
    for (size_t count = 0; count <= 300; count++) {
        unsigned char *block = gs_alloc(count, 3, NULL);
        CHECK_THAT(block != NULL && (uintptr_t)block % GS_ALIGNMENT == 0, "count %zu", count);
        for (size_t i = 0; block && i < 3 * count; i++)
            CHECK_THAT(block[i] == 0, "count %zu: byte %zu is %d", count, i, block[i]);
        if (block)
            memset(block, 0xff, 3 * count);
        gs_free(block);
    }
}

/* Blocks of several megabytes take the way of huge pages. */
static void test_large_block_is_aligned_and_zero_where_memory_is_reused(void) {
    for (size_t bytes = (3 << 20) + 1; bytes < 9 << 20; bytes += 1 << 20) {
        unsigned char *block = gs_alloc(bytes, 1, NULL);
        CHECK_THAT(block != NULL && (uintptr_t)block % GS_ALIGNMENT == 0, "%zu bytes", bytes);
        for (size_t i = 0; block && i < bytes; i += 509)
            CHECK_THAT(block[i] == 0, "%zu bytes: byte %zu is %d", bytes, i, block[i]);
        CHECK(block && block[bytes - 1] == 0);
        if (block)
            memset(block, 0xff, bytes);
        gs_free(block);
    }
}

static void test_free_of_null_does_nothing(void) {
    gs_free(NULL);
    CHECK(gs_alloc(SIZE_MAX, 1, NULL) == NULL);
}

static void test_sizes_that_overflow_are_an_error_with_the_true_size(void) {
    gs_error error = {0};
    CHECK(gs_alloc(SIZE_MAX, 2, &error) == NULL);
    CHECK(error.code == GS_ERR_MEMORY);
    CHECK_STRING(error.message, "cannot allocate 32.0 EiB");
}

static void test_more_memory_than_there_is_is_an_error_and_not_an_attempt(void) {
    gs_error error = {0};
    CHECK(gs_alloc((size_t)1 << 50, 2, &error) == NULL);
    CHECK(error.code == GS_ERR_MEMORY);
    CHECK_THAT(strncmp(error.message, "cannot allocate 2.0 PiB", 23) == 0, "%s", error.message);
}

static void test_failed_allocation_says_how_much_was_wanted(void) {
    gs_error error = {0};
    test_fail_allocation(1);
    CHECK(gs_alloc(1536, 1, &error) == NULL);
    CHECK(test_allocation_failed());
    CHECK_STRING(error.message, "cannot allocate 1.5 KiB");
}

static void test_only_the_allocation_that_was_asked_to_fail_fails(void) {
    test_fail_allocation(2);
    void *first = gs_alloc(1, 1, NULL), *second = gs_alloc(1, 1, NULL),
         *third = gs_alloc(1, 1, NULL);
    CHECK(first && !second && third);
    gs_free(first);
    gs_free(third);
}

static void test_an_array_that_grows_keeps_what_is_used(void) {
    size_t room = 0;
    uint32_t *array = gs_grow(NULL, 0, 0, &room, sizeof *array, NULL);
    CHECK(array && room == 0);
    for (uint32_t count = 0; count < 1000; count++) {
        uint32_t *before = array;
        size_t room_before = room;
        array = gs_grow(array, count, count + 1, &room, sizeof *array, NULL);
        CHECK((array == before) == (count < room_before));
        CHECK(room == (count < room_before ? room_before : 2 * (count + 1)));
        for (size_t i = 0; array && array != before && i < room; i++)
            CHECK_THAT(array[i] == (i < count ? i + 1 : 0), "%zu of %zu is %u", i, room, array[i]);
        array[count] = count + 1;
    }
    gs_free(array);
}

static void test_an_array_that_cannot_grow_is_as_it_was(void) {
    static const size_t impossible[] = {SIZE_MAX, SIZE_MAX / 2 + 1, SIZE_MAX / 2, SIZE_MAX / 8};
    gs_error error = {0};
    size_t room = 0;
    uint32_t *array = gs_grow(NULL, 0, 1, &room, sizeof *array, NULL);
    array[0] = 7;
    test_fail_allocation(1);
    CHECK(!gs_grow(array, 1, 3, &room, sizeof *array, &error) && test_allocation_failed());
    CHECK(error.code == GS_ERR_MEMORY && room == 2 && array[0] == 7);
    for (size_t i = 0; i < sizeof impossible / sizeof *impossible; i++)
        for (size_t size = 1; size <= 8; size *= 8) {
            CHECK(!gs_grow(array, 1, impossible[i], &room, size, NULL));
            CHECK(!gs_realloc(array, 1, impossible[i], size, NULL));
        }
    CHECK(room == 2 && array[0] == 7);
    gs_free(array);
}

static void test_bytes_are_printed_for_people(void) {
    static const struct {
        double bytes;
        const char *text;
    } known[] = {{0, "0 B"},
                 {1023, "1023 B"},
                 {1024, "1.0 KiB"},
                 {1023.9 * 1024, "1023.9 KiB"},
                 {1023.96 * 1024, "1.0 MiB"},
                 {1.2 * 1099511627776.0, "1.2 TiB"},
                 {1e30, "867361737988.4 EiB"}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        char text[32];
        gs_format_bytes(text, known[i].bytes);
        CHECK_STRING(text, known[i].text);
    }
}

TEST_MAIN(TEST(test_product_of_sizes_is_refused_exactly_when_it_overflows),
          TEST(test_sum_of_sizes_is_refused_exactly_when_it_overflows),
          TEST(test_block_is_aligned_and_zero_even_where_memory_is_reused),
          TEST(test_large_block_is_aligned_and_zero_where_memory_is_reused),
          TEST(test_free_of_null_does_nothing),
          TEST(test_sizes_that_overflow_are_an_error_with_the_true_size),
          TEST(test_more_memory_than_there_is_is_an_error_and_not_an_attempt),
          TEST(test_failed_allocation_says_how_much_was_wanted),
          TEST(test_only_the_allocation_that_was_asked_to_fail_fails),
          TEST(test_an_array_that_grows_keeps_what_is_used),
          TEST(test_an_array_that_cannot_grow_is_as_it_was),
          TEST(test_bytes_are_printed_for_people))
