#define _GNU_SOURCE /* sched_setaffinity */
#include "base/machine.h"

#include <ftw.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include "test.h"

/* A machine made of files: the tests write what a kernel would show, and ask what it allows. */
static char root[64];

static void make_machine(void) {
    strcpy(root, "/tmp/gradsim-machine-XXXXXX");
    CHECK(mkdtemp(root) != NULL);
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *place) {
    (void)status, (void)kind, (void)place;
    return remove(path);
}

static void remove_machine(void) {
    nftw(root, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void write_file(const char *name, const char *text) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", root, name);
    for (char *slash = strchr(path + strlen(root) + 1, '/'); slash;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    FILE *file = fopen(path, "w");
    CHECK_THAT(file && fputs(text, file) >= 0, "cannot write %s", path);
    if (file)
        fclose(file);
}

static void check_memory(size_t expected) {
    size_t limit = gs_memory_limit_under(root);
    CHECK_THAT(limit == expected, "memory is %zu, expected %zu", limit, expected);
}

static void check_cpus(size_t expected) {
    size_t limit = gs_cpu_limit_under(root);
    CHECK_THAT(limit == expected, "CPU limit is %zu, expected %zu", limit, expected);
}

static void test_machine_that_tells_nothing_sets_no_limit(void) {
    make_machine();
    check_memory(SIZE_MAX);
    check_cpus(SIZE_MAX);
    remove_machine();
}

static void test_memory_is_what_meminfo_says_is_available(void) {
    make_machine();
    write_file("proc/meminfo", "MemTotal:  2000 kB\nMemAvailable:     1000 kB\nSwapFree: 5 kB\n");
    check_memory(1000 * 1024);
    remove_machine();
}

static void test_group_of_version_2_leaves_its_limit_less_its_usage_but_not_its_cache(void) {
    make_machine();
    write_file("proc/meminfo", "MemAvailable: 9000000 kB\n");
    write_file("proc/self/cgroup", "0::/job\n");
    write_file("sys/fs/cgroup/job/memory.max", "1000000\n");
    write_file("sys/fs/cgroup/job/memory.current", "400000\n");
    check_memory(600000);
    write_file("sys/fs/cgroup/job/memory.stat", "anon 100000\ninactive_file 300000\nfile 1\n");
    check_memory(900000);
    write_file("sys/fs/cgroup/job/memory.current", "2000000\n");
    check_memory(0);
    write_file("sys/fs/cgroup/job/memory.max", "max\n");
    check_memory((size_t)9000000 * 1024);
    remove_machine();
}

static void test_group_of_version_1_is_found_by_its_controller(void) {
    make_machine();
    write_file("proc/self/cgroup", "7:cpu,cpuacct:/job\n5:memory:/job\n0::/\n");
    write_file("sys/fs/cgroup/memory/job/memory.limit_in_bytes", "5000\n");
    write_file("sys/fs/cgroup/memory/job/memory.usage_in_bytes", "3000\n");
    write_file("sys/fs/cgroup/memory/job/memory.stat",
               "inactive_file 1\ntotal_inactive_file 500\n");
    write_file("sys/fs/cgroup/cpu/job/cpu.cfs_quota_us", "150000\n");
    write_file("sys/fs/cgroup/cpu/job/cpu.cfs_period_us", "100000\n");
    check_memory(2500);
    check_cpus(2);
    write_file("sys/fs/cgroup/cpu/job/cpu.cfs_quota_us", "-1\n");
    check_cpus(SIZE_MAX);
    remove_machine();
}

static void test_limit_of_a_group_further_up_holds_too(void) {
    make_machine();
    write_file("proc/self/cgroup", "0::/slice/job\n");
    write_file("sys/fs/cgroup/slice/cpu.max", "100000 100000\n");
    write_file("sys/fs/cgroup/slice/job/cpu.max", "400000 100000\n");
    check_cpus(1);
    remove_machine();
}

static void test_container_sees_its_own_group_at_the_top(void) {
    make_machine();
    write_file("proc/self/cgroup", "0::/system.slice/docker-1234.scope\n");
    write_file("sys/fs/cgroup/cpu.max", "250000 100000\n");
    check_cpus(3);
    write_file("sys/fs/cgroup/cpu.max", "max 100000\n");
    check_cpus(SIZE_MAX);
    remove_machine();
}

static void test_group_files_with_nonsense_in_them_set_no_limit(void) {
    make_machine();
    write_file("proc/self/cgroup", "0::/\nnonsense\n:\n");
    write_file("sys/fs/cgroup/cpu.max", "100000\n");
    write_file("sys/fs/cgroup/memory.max", "");
    check_cpus(SIZE_MAX);
    check_memory(SIZE_MAX);
    write_file("sys/fs/cgroup/cpu.max", "100000 0\n");
    check_cpus(SIZE_MAX);
    remove_machine();
}

/* The mapped part of the address space can grow between two looks, so this is an upper bound. */
static void test_memory_obeys_the_limit_on_address_space(void) {
    struct rlimit before, limit;
    CHECK(getrlimit(RLIMIT_AS, &before) == 0);
    limit = before;
    limit.rlim_cur = 1;
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
    size_t available = gs_memory_available();
    setrlimit(RLIMIT_AS, &before);
    CHECK_THAT(available == 0, "%zu available", available);
    CHECK(gs_memory_available() > 0);
}

static void test_processors_obey_the_affinity_mask(void) {
    cpu_set_t before, one;
    if (sched_getaffinity(0, sizeof before, &before) != 0)
        SKIP("no affinity mask of the usual size here");
    size_t cpu = 0;
    while (!CPU_ISSET(cpu, &before))
        cpu++;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    CHECK(gs_cpus_available() >= 1 && gs_cpus_available() <= (size_t)CPU_COUNT(&before));
    if (sched_setaffinity(0, sizeof one, &one) != 0)
        SKIP("this process may not change its affinity mask");
    CHECK(gs_cpus_available() == 1);
    sched_setaffinity(0, sizeof before, &before);
}

static double seconds_of_the_system(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void test_seconds_are_those_of_the_monotonic_clock(void) {
    for (size_t i = 0; i < 1000; i++) {
        double before = seconds_of_the_system(), seconds = gs_monotonic_seconds();
        CHECK(before <= seconds && seconds <= seconds_of_the_system());
    }
}

TEST_MAIN(TEST(test_machine_that_tells_nothing_sets_no_limit),
          TEST(test_memory_is_what_meminfo_says_is_available),
          TEST(test_group_of_version_2_leaves_its_limit_less_its_usage_but_not_its_cache),
          TEST(test_group_of_version_1_is_found_by_its_controller),
          TEST(test_limit_of_a_group_further_up_holds_too),
          TEST(test_container_sees_its_own_group_at_the_top),
          TEST(test_group_files_with_nonsense_in_them_set_no_limit),
          TEST(test_memory_obeys_the_limit_on_address_space),
          TEST(test_processors_obey_the_affinity_mask),
          TEST(test_seconds_are_those_of_the_monotonic_clock))
