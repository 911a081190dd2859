/* Limits on memory and processors: /proc, control groups (version 2 and 1), affinity, RLIMIT_AS; and
   the clock. */
#define _GNU_SOURCE /* affinity */
#include "base/machine.h"

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"

/* The longest texts read here, /proc/meminfo and memory.stat, have about 3,000. */
enum { TEXT_BYTES = 8192 };

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

/* a - b, or 0 where that would be negative. */
static size_t without(size_t a, size_t b) {
    return a > b ? a - b : 0;
}

/* ---- Small files of numbers ---- */

/* Reads the file <folder>/<name>; an empty text if it cannot be read. */
static void read_text(const char *folder, const char *name, char text[TEXT_BYTES]) {
    char path[PATH_MAX];
    size_t length = 0;
    text[0] = '\0';
    if (gs_format(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
        return;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return;
    ssize_t got;
    while (length + 1 < TEXT_BYTES &&
           (got = read(file, text + length, TEXT_BYTES - 1 - length)) > 0)
        length += (size_t)got;
    close(file);
    text[length] = '\0';
}

/* Reads the size at the start of `text`, after blanks; false for "max", "-1" and the like. */
static bool leading_size(const char *text, size_t *value) {
    text += strspn(text, " \t");
    if (*text < '0' || *text > '9')
        return false;
    unsigned long long number = strtoull(text, NULL, 10);
    *value = number < SIZE_MAX ? (size_t)number : SIZE_MAX;
    return true;
}

/* The size on the line "<name> <size>" of `text`. */
static bool size_named(const char *text, const char *name, size_t *value) {
    size_t length = strlen(name);
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, name, length) == 0 && strchr(" \t", line[length]))
            return leading_size(line + length, value);
    }
    return false;
}

static bool size_in_file(const char *folder, const char *name, size_t *value) {
    char text[TEXT_BYTES];
    read_text(folder, name, text);
    return leading_size(text, value);
}

/* ---- Control groups ---- */

/* What one group, a folder, allows; SIZE_MAX if it sets no limit. */
typedef size_t group_limit(const char *folder);

static size_t memory_left(const char *folder, const char *limit_name, const char *usage_name,
                          const char *cache_name) {
    size_t limit, usage, cache;
    char statistics[TEXT_BYTES];
    if (!size_in_file(folder, limit_name, &limit) || !size_in_file(folder, usage_name, &usage))
        return SIZE_MAX;
    read_text(folder, "memory.stat", statistics);
    if (!size_named(statistics, cache_name, &cache))
        cache = 0;
    return without(limit, without(usage, cache));
}

static size_t memory_left_v2(const char *folder) {
    return memory_left(folder, "memory.max", "memory.current", "inactive_file");
}

static size_t memory_left_v1(const char *folder) {
    return memory_left(folder, "memory.limit_in_bytes", "memory.usage_in_bytes",
                       "total_inactive_file");
}

static size_t cpu_quota(size_t quota, size_t period) {
    return period == 0 ? SIZE_MAX : quota / period + (quota % period != 0);
}

static size_t cpu_quota_v2(const char *folder) {
    char text[TEXT_BYTES];
    size_t quota, period;
    read_text(folder, "cpu.max", text); /* "quota period", or "max period" */
    bool limited = leading_size(text, &quota) && leading_size(text + strcspn(text, " "), &period);
    return limited ? cpu_quota(quota, period) : SIZE_MAX;
}

static size_t cpu_quota_v1(const char *folder) {
    size_t quota, period;
    bool limited = size_in_file(folder, "cpu.cfs_quota_us", &quota) &&
                   size_in_file(folder, "cpu.cfs_period_us", &period);
    return limited ? cpu_quota(quota, period) : SIZE_MAX;
}

/* The least that the group <mount><group> and those above it allow. A container often sees only the
   lower end of its path, mounted as if it were the top: folders that are not there set no limit. */
static size_t least_up_the_tree(const char *mount, const char *group, group_limit *limit) {
    char folder[PATH_MAX];
    size_t allowed = SIZE_MAX;
    if (gs_format(folder, sizeof folder, "%s%s", mount, group) >= (int)sizeof folder)
        return SIZE_MAX;
    for (;;) {
        allowed = least(allowed, limit(folder));
        if (strlen(folder) <= strlen(mount))
            return allowed;
        *strrchr(folder, '/') = '\0';
    }
}

static bool lists(const char *controllers, const char *controller) {
    size_t length = strlen(controller);
    for (const char *at = controllers; at; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, controller, length) == 0 && strchr(",", at[length]))
            return true;
    }
    return false;
}

/* The least that this process's groups allow. A line of /proc/self/cgroup is
   "id:controllers:group", without controllers for version 2. */
static size_t group_limit_under(const char *root, const char *controller, group_limit *limit_v2,
                                group_limit *limit_v1) {
    char text[TEXT_BYTES], mount[PATH_MAX], *rest;
    size_t allowed = SIZE_MAX;
    read_text(root, "proc/self/cgroup", text);
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char *controllers = strchr(line, ':');
        char *group = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!group)
            continue;
        *group++ = '\0';
        bool version_2 = *++controllers == '\0';
        if (!version_2 && !lists(controllers, controller))
            continue;
        gs_format(mount, sizeof mount, version_2 ? "%s/sys/fs/cgroup" : "%s/sys/fs/cgroup/%s", root,
                  controller);
        allowed = least(allowed, least_up_the_tree(mount, group, version_2 ? limit_v2 : limit_v1));
    }
    return allowed;
}

/* ---- Memory ---- */

size_t gs_memory_limit_under(const char *root) {
    char text[TEXT_BYTES];
    size_t kibibytes, bytes, available = SIZE_MAX;
    read_text(root, "proc/meminfo", text);
    if (size_named(text, "MemAvailable:", &kibibytes) && gs_size_multiply(kibibytes, 1024, &bytes))
        available = bytes;
    return least(available, group_limit_under(root, "memory", memory_left_v2, memory_left_v1));
}

static size_t address_space_left(void) {
    struct rlimit limit;
    size_t pages = 0;
    if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return SIZE_MAX;
    size_in_file("/proc/self", "statm", &pages);
    return without((size_t)limit.rlim_cur, pages * (size_t)sysconf(_SC_PAGESIZE));
}

size_t gs_memory_available(void) {
    return least(gs_memory_limit_under(""), address_space_left());
}

/* ---- Processors ---- */

size_t gs_cpu_limit_under(const char *root) {
    return group_limit_under(root, "cpu", cpu_quota_v2, cpu_quota_v1);
}

/* The affinity mask of this thread, for CPU_FREE; NULL if the system does not say. The kernel
   refuses a mask that is smaller than its own; 1 << 16 is 8 times its maximum. */
static cpu_set_t *affinity_mask(size_t *bytes, int *cpus) {
    for (*cpus = 1024; *cpus <= 1 << 16; *cpus *= 2) {
        cpu_set_t *mask = CPU_ALLOC(*cpus);
        *bytes = CPU_ALLOC_SIZE(*cpus);
        if (mask && sched_getaffinity(0, *bytes, mask) == 0)
            return mask;
        CPU_FREE(mask);
    }
    return NULL;
}

/* 0 if the system does not say. */
static size_t cpus_in_affinity_mask(void) {
    size_t bytes;
    int cpus;
    cpu_set_t *mask = affinity_mask(&bytes, &cpus);
    size_t count = mask ? (size_t)CPU_COUNT_S(bytes, mask) : 0;
    CPU_FREE(mask);
    return count;
}

int gs_cpu_now(void) {
    return sched_getcpu();
}

/* Leave it out of the mask for a moment: that moves the thread. */
void gs_leave_cpu(int cpu) {
    size_t bytes;
    int cpus;
    cpu_set_t *mask = cpu >= 0 && sched_getcpu() == cpu ? affinity_mask(&bytes, &cpus) : NULL;
    if (mask && CPU_COUNT_S(bytes, mask) > 1) {
        CPU_CLR_S((size_t)cpu, bytes, mask);
        sched_setaffinity(0, bytes, mask);
        CPU_SET_S((size_t)cpu, bytes, mask);
        sched_setaffinity(0, bytes, mask);
    }
    CPU_FREE(mask);
}

size_t gs_cpus_available(void) {
    size_t cpus = cpus_in_affinity_mask();
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    if (cpus == 0)
        cpus = online > 0 ? (size_t)online : 1;
    size_t allowed = least(cpus, gs_cpu_limit_under(""));
    return allowed > 0 ? allowed : 1;
}

/* ---- The clock ---- */

double gs_monotonic_seconds(void) {
    struct timespec now = {0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}
