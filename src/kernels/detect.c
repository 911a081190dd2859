/*
 * Which kernel tables this machine can run, and which one the program uses: the best, or the one
 * that the environment variable GRADSIM_ISA names.
 */
#include "kernels/kernels.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

/* What a table needs on x86: bits of CPUID leaf 1 (ECX) and leaf 7 (EBX), and of XCR0, the
   registers that the operating system saves when it switches threads. Every 64-bit Arm has NEON. */
typedef struct {
    uint32_t leaf_1, leaf_7, xcr0;
} features;

typedef struct {
    const char *name;
    features needs;
    const gs_kernels *tables[2]; /* indexed by gs_dtype; NULL on another kind of processor */
} instruction_set;

extern const gs_kernels gs_kernels_portable_f64, gs_kernels_portable_f32;
extern const gs_kernels gs_kernels_avx2_f64, gs_kernels_avx2_f32;
extern const gs_kernels gs_kernels_avx512_f64, gs_kernels_avx512_f32;
extern const gs_kernels gs_kernels_neon_f64, gs_kernels_neon_f32;

#if defined(GS_HAVE_X86)

#include <cpuid.h>

enum { XCR0_YMM = 0x06, XCR0_ZMM = 0xe6 };

/* XGETBV may be executed only where OSXSAVE says so. */
static features machine_features(void) {
    features found = {0, 0, 0};
    uint32_t a, b, c, d, leaves = __get_cpuid_max(0, NULL);
    if (leaves < 7)
        return found;
    __cpuid(1, a, b, found.leaf_1, d);
    __cpuid_count(7, 0, a, found.leaf_7, c, d);
    if (found.leaf_1 & bit_OSXSAVE)
        __asm__ volatile("xgetbv" : "=a"(found.xcr0), "=d"(d) : "c"(0));
    return found;
}

#else

static features machine_features(void) {
    return (features){0, 0, 0};
}

#endif

/* The best last. */
static const instruction_set sets[] = {
    {"portable", {0, 0, 0}, {&gs_kernels_portable_f64, &gs_kernels_portable_f32}},
#if defined(GS_HAVE_X86)
    {"avx2", {bit_AVX | bit_FMA, bit_AVX2, XCR0_YMM}, {&gs_kernels_avx2_f64, &gs_kernels_avx2_f32}},
    {"avx512",
     {bit_AVX | bit_FMA, bit_AVX2 | bit_AVX512F | bit_AVX512DQ | bit_AVX512VL | bit_AVX512BW,
      XCR0_ZMM},
     {&gs_kernels_avx512_f64, &gs_kernels_avx512_f32}},
#else
    {"avx2", {0, 0, 0}, {NULL, NULL}},
    {"avx512", {0, 0, 0}, {NULL, NULL}},
#endif
#if defined(GS_HAVE_NEON)
    {"neon", {0, 0, 0}, {&gs_kernels_neon_f64, &gs_kernels_neon_f32}},
#else
    {"neon", {0, 0, 0}, {NULL, NULL}},
#endif
};

enum { SET_COUNT = sizeof sets / sizeof *sets };

static bool has_bits(uint32_t value, uint32_t bits) {
    return (value & bits) == bits;
}

static bool runs_on(features machine, const instruction_set *set) {
    return set->tables[0] && has_bits(machine.leaf_1, set->needs.leaf_1) &&
           has_bits(machine.leaf_7, set->needs.leaf_7) && has_bits(machine.xcr0, set->needs.xcr0);
}

static gs_status fail_name(const char *name, features machine, gs_status code, gs_error *error) {
    char list[64] = "";
    for (size_t i = 0; i < SET_COUNT; i++)
        if (runs_on(machine, &sets[i])) {
            strcat(list, *list ? ", " : "");
            strcat(list, sets[i].name);
        }
    return gs_fail(error, code, "GRADSIM_ISA: expected one of %s on this machine, got '%s'", list,
                   name);
}

gs_status gs_kernels_get(gs_dtype dtype, const gs_kernels **kernels, gs_error *error) {
    const char *name = getenv("GRADSIM_ISA");
    bool forced = name && *name;
    features machine = machine_features();
    for (size_t i = SET_COUNT; i-- > 0;) {
        if (forced && strcmp(name, sets[i].name) != 0)
            continue;
        if (runs_on(machine, &sets[i])) {
            *kernels = sets[i].tables[dtype];
            return GS_OK;
        }
        if (forced)
            return fail_name(name, machine, GS_ERR_UNSUPPORTED, error);
    }
    return fail_name(name, machine, GS_ERR_USAGE, error);
}

const gs_kernels *gs_kernels_beside(const gs_kernels *kernels, gs_dtype dtype) {
    size_t i = 0;
    while (sets[i].tables[kernels->dtype] != kernels)
        i++;
    return sets[i].tables[dtype];
}

const gs_kernels *gs_kernels_at(size_t index) {
    features machine = machine_features();
    for (size_t i = 0; i < SET_COUNT; i++) {
        if (!runs_on(machine, &sets[i]))
            continue;
        if (index < 2)
            return sets[i].tables[index];
        index -= 2;
    }
    return NULL;
}
