#include "base/philox.h"
#include "test.h"

typedef struct {
    uint32_t counter[4];
    uint32_t key[2];
    uint32_t expected[4];
} known_answer;

static void check_answer(const known_answer *known) {
    uint32_t out[4];
    gs_philox4x32(known->counter, known->key, out);
    for (int i = 0; i < 4; i++)
        CHECK_THAT(out[i] == known->expected[i], "word %d is %08x, expected %08x", i,
                   (unsigned)out[i], (unsigned)known->expected[i]);
}

/* The three that follow are the vectors for philox4x32 with 10 rounds in Random123's kat_vectors.
 */

static void test_philox_of_zeros_is_the_published_answer(void) {
    check_answer(
        &(known_answer){{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}});
}

static void test_philox_of_ones_is_the_published_answer(void) {
    check_answer(&(known_answer){{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
                                 {0xffffffff, 0xffffffff},
                                 {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}});
}

static void test_philox_of_the_digits_of_pi_is_the_published_answer(void) {
    check_answer(&(known_answer){{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
                                 {0xa4093822, 0x299f31d0},
                                 {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}});
}

static void test_philox_can_write_over_its_counter(void) {
    uint32_t counter[4] = {0, 0, 0, 0}, key[2] = {0, 0};
    gs_philox4x32(counter, key, counter);
    CHECK(counter[0] == 0x6627e8d5 && counter[3] == 0x9b00dbd8);
}

/* Flipping one input bit should flip each of 128 output bits with probability 1/2. Over 192 input
   bits the mean count has a standard error of sqrt(128) / 2 / sqrt(192) = 0.41; five of them are
   allowed. */
static void test_philox_changes_half_the_bits_when_one_bit_changes(void) {
    uint32_t input[6] = {1, 2, 3, 4, 5, 6}, base[4], changed[4];
    unsigned flips = 0;
    gs_philox4x32(input, input + 4, base);
    for (int bit = 0; bit < 192; bit++) {
        input[bit / 32] ^= UINT32_C(1) << bit % 32;
        gs_philox4x32(input, input + 4, changed);
        input[bit / 32] ^= UINT32_C(1) << bit % 32;
        for (int word = 0; word < 4; word++)
            flips += (unsigned)__builtin_popcount(base[word] ^ changed[word]);
    }
    CHECK_CLOSE(flips / 192.0, 64.0, 5 * 0.41 / 64);
}

TEST_MAIN(TEST(test_philox_of_zeros_is_the_published_answer),
          TEST(test_philox_of_ones_is_the_published_answer),
          TEST(test_philox_of_the_digits_of_pi_is_the_published_answer),
          TEST(test_philox_can_write_over_its_counter),
          TEST(test_philox_changes_half_the_bits_when_one_bit_changes))
