/*
 * Random bits from a counter: every number is a pure function of (key, counter), so any part of a
 * network can be drawn alone, in any order, on any thread.
 */
#ifndef GS_BASE_PHILOX_H
#define GS_BASE_PHILOX_H

#include <stdint.h>

/* Philox4x32-10: 128 random bits for a 128-bit counter under a 64-bit key. (Salmon, Moraes, Dror
   and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011, section 3.3.) */
void gs_philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

#endif
