/*
 * Which kernel tables this machine can run, and which one the program uses: the best, or the one
 * that the environment variable GRADSIM_ISA names.
 */
#include "kernels/kernels.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

extern const gs_kernels gs_kernels_portable_f64, gs_kernels_portable_f32;

typedef struct {
    const char *name;
    bool (*supported)(void);
    const gs_kernels *tables[2]; /* indexed by gs_dtype */
} instruction_set;

static bool always(void) {
    return true;
}

static bool never(void) {
    return false;
}

#if defined(GS_HAVE_X86)

#include <cpuid.h>

extern const gs_kernels gs_kernels_avx2_f64, gs_kernels_avx2_f32;
extern const gs_kernels gs_kernels_avx512_f64, gs_kernels_avx512_f32;

/* Bits of XCR0: the registers that the operating system saves when it switches threads. */
enum { XCR0_YMM = 0x06, XCR0_ZMM = 0xe6 };

static bool has_bits(uint32_t value, uint32_t bits) {
    return (value & bits) == bits;
}

/* Whether the system saves the registers in `state`, asked of XGETBV, which OSXSAVE says is there.
 */
static bool has_state(uint32_t state) {
    uint32_t a, b, c, d, high;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !has_bits(c, bit_OSXSAVE))
        return false;
    __asm__ volatile("xgetbv" : "=a"(a), "=d"(high) : "c"(0));
    return has_bits(a, state);
}

static bool has_avx2(void) {
    uint32_t a, b, c, d;
    return has_state(XCR0_YMM) && __get_cpuid(1, &a, &b, &c, &d) &&
           has_bits(c, bit_AVX | bit_FMA) && __get_cpuid_count(7, 0, &a, &b, &c, &d) &&
           has_bits(b, bit_AVX2);
}

static bool has_avx512(void) {
    uint32_t a, b, c, d;
    return has_avx2() && has_state(XCR0_ZMM) && __get_cpuid_count(7, 0, &a, &b, &c, &d) &&
           has_bits(b, bit_AVX512F | bit_AVX512DQ | bit_AVX512VL | bit_AVX512BW);
}

#endif

/* The best last. */
static const instruction_set sets[] = {
    {"neon", never, {NULL, NULL}},
    {"portable", always, {&gs_kernels_portable_f64, &gs_kernels_portable_f32}},
#if defined(GS_HAVE_X86)
    {"avx2", has_avx2, {&gs_kernels_avx2_f64, &gs_kernels_avx2_f32}},
    {"avx512", has_avx512, {&gs_kernels_avx512_f64, &gs_kernels_avx512_f32}},
#else
    {"avx2", never, {NULL, NULL}},
    {"avx512", never, {NULL, NULL}},
#endif
};

enum { SET_COUNT = sizeof sets / sizeof *sets };

static gs_status fail_name(const char *name, gs_status code, gs_error *error) {
    char list[64] = "";
    for (size_t i = 0; i < SET_COUNT; i++)
        if (sets[i].supported()) {
            strcat(list, *list ? ", " : "");
            strcat(list, sets[i].name);
        }
    return gs_fail(error, code, "GRADSIM_ISA: expected one of %s on this machine, got '%s'", list,
                   name);
}

gs_status gs_kernels_get(gs_dtype dtype, const gs_kernels **kernels, gs_error *error) {
    const char *name = getenv("GRADSIM_ISA");
    bool forced = name && *name;
    for (size_t i = SET_COUNT; i-- > 0;) {
        if (forced && strcmp(name, sets[i].name) != 0)
            continue;
        if (sets[i].supported()) {
            *kernels = sets[i].tables[dtype];
            return GS_OK;
        }
        if (forced)
            return fail_name(name, GS_ERR_UNSUPPORTED, error);
    }
    return fail_name(name, GS_ERR_USAGE, error);
}

const gs_kernels *gs_kernels_at(size_t index) {
    for (size_t i = 0; i < SET_COUNT; i++) {
        if (!sets[i].supported())
            continue;
        if (index < 2)
            return sets[i].tables[index];
        index -= 2;
    }
    return NULL;
}
