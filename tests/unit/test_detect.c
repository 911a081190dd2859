#include "kernels/kernels.h"
#include "test.h"

#if defined(__aarch64__)
#include <sys/auxv.h>
#endif

static const char VARIABLE[] = "GRADSIM_ISA";

static size_t table_count(void) {
    size_t count = 0;
    while (gs_kernels_at(count))
        count++;
    return count;
}

static void test_every_table_found_is_runnable(void) {
    _Alignas(64) char x[GS_PANEL_BYTES], y[GS_PANEL_BYTES];
    const gs_kernels *kernels;
    for (size_t k = 0; (kernels = gs_kernels_at(k)); k++) {
        for (size_t i = 0; i < kernels->panel; i++)
            kernels->set(x + i * kernels->size, 0);
        kernels->exp(kernels->panel, x, y);
        for (size_t i = 0; i < kernels->panel; i++)
            CHECK(kernels->get(y + i * kernels->size) == 1);
    }
}

static void test_tables_come_in_pairs_of_f64_and_f32(void) {
    CHECK(table_count() >= 2 && table_count() % 2 == 0);
    CHECK_STRING(gs_kernels_at(0)->isa, "portable");
    for (size_t k = 0; k < table_count(); k++) {
        const gs_kernels *kernels = gs_kernels_at(k);
        CHECK(kernels->dtype == (k % 2 == 0 ? GS_F64 : GS_F32));
        CHECK(kernels->size == (k % 2 == 0 ? sizeof(double) : sizeof(float)));
        CHECK(kernels->panel * kernels->size == GS_PANEL_BYTES);
        CHECK_STRING(kernels->isa, gs_kernels_at(k - k % 2)->isa);
        CHECK(gs_kernels_beside(kernels, GS_F64) == gs_kernels_at(k - k % 2));
        CHECK(gs_kernels_beside(kernels, GS_F32) == gs_kernels_at(k - k % 2 + 1));
    }
}

/* From `activation` on a table holds nothing but function pointers. */
static void test_no_table_has_an_empty_row(void) {
    const gs_kernels *kernels;
    for (size_t k = 0; (kernels = gs_kernels_at(k)); k++)
        for (size_t at = offsetof(gs_kernels, activation); at < sizeof *kernels;) {
            void (*row)(void);
            memcpy(&row, (const char *)kernels + at, sizeof row);
            CHECK_THAT(row != NULL, "the row at byte %zu of %s is empty", at, kernels->isa);
            at += sizeof row;
        }
}

static bool found(const char *isa) {
    const gs_kernels *kernels;
    for (size_t k = 0; (kernels = gs_kernels_at(k)); k++)
        if (strcmp(kernels->isa, isa) == 0)
            return true;
    return false;
}

/* The compiler's own detector, or the system's, is another opinion. */
static void test_another_detector_finds_the_same(void) {
    CHECK(found("portable"));
#if defined(__x86_64__)
    __builtin_cpu_init();
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                  __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw");
    CHECK(found("avx2") == avx2);
    CHECK(found("avx512") == (avx2 && avx512));
    CHECK(!found("neon"));
#elif defined(__aarch64__)
    CHECK(found("neon") == ((getauxval(AT_HWCAP) & HWCAP_ASIMD) != 0));
    CHECK(!found("avx2") && !found("avx512"));
#else
    CHECK(table_count() == 2);
#endif
}

static void test_the_best_table_is_the_default(void) {
    const gs_kernels *kernels = NULL;
    gs_error error;
    unsetenv(VARIABLE);
    CHECK(gs_kernels_get(GS_F64, &kernels, &error) == GS_OK);
    CHECK(kernels == gs_kernels_at(table_count() - 2));
    setenv(VARIABLE, "", 1);
    CHECK(gs_kernels_get(GS_F32, &kernels, &error) == GS_OK);
    CHECK(kernels == gs_kernels_at(table_count() - 1));
}

static void test_the_variable_forces_any_table(void) {
    const gs_kernels *kernels = NULL;
    gs_error error;
    for (size_t k = 0; k < table_count(); k++) {
        setenv(VARIABLE, gs_kernels_at(k)->isa, 1);
        CHECK(gs_kernels_get(gs_kernels_at(k)->dtype, &kernels, &error) == GS_OK);
        CHECK(kernels == gs_kernels_at(k));
    }
}

/* The message that GRADSIM_ISA=name gives here. */
static const char *expected_message(const char *name) {
    static char text[256];
    int length = snprintf(text, sizeof text, "GRADSIM_ISA: expected one of ");
    for (size_t k = 0; k < table_count(); k += 2)
        length += snprintf(text + length, sizeof text - (size_t)length, "%s%s", k > 0 ? ", " : "",
                           gs_kernels_at(k)->isa);
    snprintf(text + length, sizeof text - (size_t)length, " on this machine, got '%s'", name);
    return text;
}

static void check_refused(const char *name, gs_status status) {
    const gs_kernels *kernels = NULL;
    gs_error error;
    setenv(VARIABLE, name, 1);
    CHECK(gs_kernels_get(GS_F64, &kernels, &error) == status);
    CHECK(error.code == status);
    CHECK_STRING(error.message, expected_message(name));
    CHECK(kernels == NULL);
    CHECK(gs_kernels_get(GS_F64, &kernels, NULL) == status);
}

static void test_an_unknown_instruction_set_is_bad_usage(void) {
    check_refused("avx3", GS_ERR_USAGE);
    check_refused("AVX2", GS_ERR_USAGE);
}

static void test_an_instruction_set_of_another_machine_is_unsupported(void) {
    static const char *const names[] = {"avx2", "avx512", "neon"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!found(names[i]))
            check_refused(names[i], GS_ERR_UNSUPPORTED);
}

TEST_MAIN(TEST(test_every_table_found_is_runnable), TEST(test_tables_come_in_pairs_of_f64_and_f32),
          TEST(test_no_table_has_an_empty_row), TEST(test_another_detector_finds_the_same),
          TEST(test_the_best_table_is_the_default), TEST(test_the_variable_forces_any_table),
          TEST(test_an_unknown_instruction_set_is_bad_usage),
          TEST(test_an_instruction_set_of_another_machine_is_unsupported))
