/*
 * Norms of any size: numbers with an exponent beside them.
 */
#ifndef GS_NET_MAGNITUDE_H
#define GS_NET_MAGNITUDE_H

#include <stdint.h>

/* A norm, as a number that cannot overflow: sqrt(sum_squares) * 2^exponent. */
typedef struct {
    double sum_squares; /* nan or inf: something was not finite */
    int64_t exponent;
} gs_magnitude;

double gs_ldexp(double value, int64_t exponent);   /* value 2^exponent, for any exponent */
double gs_magnitude_log10(gs_magnitude magnitude); /* -inf for zero, nan for not finite */
double gs_magnitude_value(gs_magnitude magnitude); /* 0 or inf where it does not fit */
gs_magnitude gs_magnitude_add(gs_magnitude x, gs_magnitude y); /* of the two parts together */
double gs_magnitude_ratio(gs_magnitude numerator,
                          gs_magnitude denominator); /* nan if the latter is 0 */

#endif
