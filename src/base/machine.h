/*
 * What this machine lets the process have: memory and processors, after the limits that a container
 * or a job scheduler puts on it (control groups, affinity, resource limits). And its clock.
 */
#ifndef GS_BASE_MACHINE_H
#define GS_BASE_MACHINE_H

#include <stddef.h>

/* Bytes that this process could still allocate and use: the least of what the system has available,
   what its control groups leave (page cache that can be dropped counts as free) and what RLIMIT_AS
   leaves. SIZE_MAX if nothing is known. */
size_t gs_memory_available(void);

/* Processors that this process may use: those in its affinity mask, or its control groups' CPU
   quota rounded up if that is less. At least 1. */
size_t gs_cpus_available(void);

/* The processor that the calling thread runs on now, -1 if that is not known. */
int gs_cpu_now(void);

/* If the calling thread runs on this processor, and may on others, move it to another. */
void gs_leave_cpu(int cpu);

/* The parts of the two above that are read from files, which are looked for under `root` ("" is the
   machine itself). SIZE_MAX if there is no limit. */
size_t gs_memory_limit_under(const char *root);
size_t gs_cpu_limit_under(const char *root);

/* Seconds since some moment, by a clock that nobody sets. A signal handler may ask. */
double gs_monotonic_seconds(void);

#endif
