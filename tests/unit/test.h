/*
 * Unit tests: a test is a function `static void test_something_is_true(void)` that makes CHECKs,
 * and a program ends with TEST_MAIN(TEST(test_something_is_true), ...). Each test prints one line:
 * "ok - name", "not ok - name # file:line: why" for its first failure, or "skip - name # why". An
 * argument runs only the tests whose name contains it.
 */
#ifndef GS_TEST_H
#define GS_TEST_H

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef struct {
    const char *name;
    void (*run)(void);
} test_case;

enum { TEST_SECONDS = 900 }; /* after so long a program hangs: SIGALRM ends it */

static struct {
    bool failed;
    bool skipped;
    char why[512];
    size_t fail_allocation; /* the how-manieth allocation from now fails; 0 for none */
    bool fail_threads;      /* no thread can be created */
} test_state;

/* ---- Assertions: the first that fails is recorded, and the test goes on ---- */

#define CHECK(condition) test_check((condition), __FILE__, __LINE__, "%s", #condition)

/* |actual - expected| <= relative_tolerance * |expected|; infinities and NaNs must be the same. */
#define CHECK_CLOSE(actual, expected, relative_tolerance)                                          \
    test_check_close((actual), (expected), (relative_tolerance), __FILE__, __LINE__, #actual)

#define CHECK_STRING(actual, expected)                                                             \
    test_check_string((actual), (expected), __FILE__, __LINE__, #actual)

/* For loops: says more than the condition does, as printf. */
#define CHECK_THAT(condition, ...) test_check((condition), __FILE__, __LINE__, __VA_ARGS__)

/* Ends the test, which then counts as skipped. */
#define SKIP(why)                                                                                  \
    do {                                                                                           \
        test_skip(why);                                                                            \
        return;                                                                                    \
    } while (0)

#define TEST(function)                                                                             \
    { #function, function }

#define TEST_MAIN(...)                                                                             \
    int main(int argc, char **argv) {                                                              \
        static const test_case cases[] = {__VA_ARGS__};                                            \
        return test_main(cases, sizeof cases / sizeof *cases, argc > 1 ? argv[1] : "");            \
    }

__attribute__((format(printf, 4, 5))) static inline void
test_check(bool condition, const char *file, int line, const char *format, ...) {
    if (condition || test_state.failed)
        return;
    test_state.failed = true;
    int length = snprintf(test_state.why, sizeof test_state.why, "%s:%d: ", file, line);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(test_state.why + length, sizeof test_state.why - (size_t)length, format, arguments);
    va_end(arguments);
}

static inline void test_check_close(double actual, double expected, double relative_tolerance,
                                    const char *file, int line, const char *what) {
    bool same = actual == expected || (isnan(actual) && isnan(expected));
    bool close = fabs(actual - expected) <= relative_tolerance * fabs(expected);
    test_check(same || (close && isfinite(expected)), file, line, "%s is %.17g, expected %.17g",
               what, actual, expected);
}

static inline void test_check_string(const char *actual, const char *expected, const char *file,
                                     int line, const char *what) {
    bool same = actual == expected || (actual && expected && strcmp(actual, expected) == 0);
    test_check(same, file, line, "%s is \"%s\", expected \"%s\"", what, actual ? actual : "(null)",
               expected ? expected : "(null)");
}

static inline void test_skip(const char *why) {
    test_state.skipped = true;
    snprintf(test_state.why, sizeof test_state.why, "%s", why);
}

/* ---- Failures to order: the linker sends calls of these functions here (--wrap) ---- */

int __real_posix_memalign(void **block, size_t alignment, size_t size);
int __wrap_posix_memalign(void **block, size_t alignment, size_t size);
void *__real_mmap(void *address, size_t size, int protection, int flags, int file, off_t offset);
void *__wrap_mmap(void *address, size_t size, int protection, int flags, int file, off_t offset);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *argument);

int __wrap_posix_memalign(void **block, size_t alignment, size_t size) {
    if (test_state.fail_allocation > 0 && --test_state.fail_allocation == 0)
        return ENOMEM;
    return __real_posix_memalign(block, alignment, size);
}

void *__wrap_mmap(void *address, size_t size, int protection, int flags, int file, off_t offset) {
    if (test_state.fail_allocation > 0 && --test_state.fail_allocation == 0) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    return __real_mmap(address, size, protection, flags, file, offset);
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *argument) {
    return test_state.fail_threads ? EAGAIN
                                   : __real_pthread_create(thread, attributes, start, argument);
}

/* Makes the nth allocation from now fail (1 is the next one); 0 cancels. A test that calls this
   with 1, 2, 3 ... until test_allocation_failed() is false has seen every allocation fail. */
static inline void test_fail_allocation(size_t nth) {
    test_state.fail_allocation = nth;
}

/* Whether the failure that was asked for has happened. */
static inline bool test_allocation_failed(void) {
    return test_state.fail_allocation == 0;
}

/* From now on, or no longer, the system refuses to create threads. */
static inline void test_fail_threads(bool fail) {
    test_state.fail_threads = fail;
}

/* ---- Running ---- */

static inline bool test_run(const test_case *test) {
    memset(&test_state, 0, sizeof test_state);
    test->run();
    if (test_state.failed)
        printf("not ok - %s # %s\n", test->name, test_state.why);
    else if (test_state.skipped)
        printf("skip - %s # %s\n", test->name, test_state.why);
    else
        printf("ok - %s\n", test->name);
    fflush(stdout);
    return !test_state.failed;
}

static inline int test_main(const test_case *cases, size_t count, const char *only) {
    bool passed = true;
    alarm(TEST_SECONDS);
    for (size_t i = 0; i < count; i++)
        if (strstr(cases[i].name, only))
            passed = test_run(&cases[i]) && passed;
    return passed ? 0 : 1;
}

#endif
