/*
 * The most that an instruction set can do: independent chains of FMAs that never leave registers.
 * Compiled once per instruction set and element type, as the kernels are.
 */
#include "kernels/vector.h"

/* Two FMA units of latency 5 need 10 chains; with two constants they fit in 16 registers. */
enum { CHAINS = 12 };

double BENCH_PEAK(size_t rounds, double *sum);

/* Returns how many flops were done; the sum is there so that they must be. */
double BENCH_PEAK(size_t rounds, double *sum) {
    _Alignas(64) real lanes[LANES];
    vec chain[CHAINS], factor = v_set((real)0.5), step = v_set(1);
    for (size_t i = 0; i < CHAINS; i++)
        chain[i] = v_set((real)i);
    for (size_t round = 0; round < rounds; round++)
        for (size_t i = 0; i < CHAINS; i++)
            chain[i] = v_fma(chain[i], factor, step);
    for (size_t i = 0; i < CHAINS; i++) {
        v_store(lanes, chain[i]);
        *sum += (double)lanes[0];
    }
    return 2.0 * CHAINS * LANES * (double)rounds;
}
