/*
 * Norms of any size.
 */
#include "net/magnitude.h"

#include <math.h>

#include "kernels/kernels.h"

double gs_ldexp(double value, int64_t exponent) {
    int64_t clipped = exponent > 4000 ? 4000 : exponent < -4000 ? -4000 : exponent;
    return ldexp(value, (int)clipped);
}

/* log10 of sqrt(s) 2^e = (log10 s) / 2 + e log10 2 */
double gs_magnitude_log10(gs_magnitude magnitude) {
    static const double log10_of_2 = 0.30102999566398119521;
    if (!isfinite(magnitude.sum_squares))
        return NAN;
    if (magnitude.sum_squares == 0)
        return -INFINITY;
    int shift;
    double mantissa = frexp(magnitude.sum_squares, &shift);
    double exponent = (double)magnitude.exponent + 0.5 * shift;
    return fma(exponent, log10_of_2, 0.5 * gs_log10(mantissa));
}

double gs_magnitude_value(gs_magnitude magnitude) {
    if (!isfinite(magnitude.sum_squares))
        return NAN;
    return gs_ldexp(sqrt(magnitude.sum_squares), magnitude.exponent);
}

gs_magnitude gs_magnitude_add(gs_magnitude x, gs_magnitude y) {
    if (y.sum_squares == 0 || (x.sum_squares != 0 && x.exponent >= y.exponent)) {
        x.sum_squares +=
            y.sum_squares == 0 ? 0 : gs_ldexp(y.sum_squares, 2 * (y.exponent - x.exponent));
        return x;
    }
    y.sum_squares +=
        x.sum_squares == 0 ? 0 : gs_ldexp(x.sum_squares, 2 * (x.exponent - y.exponent));
    return y;
}

double gs_magnitude_ratio(gs_magnitude numerator, gs_magnitude denominator) {
    if (denominator.sum_squares == 0)
        return NAN;
    return gs_ldexp(sqrt(numerator.sum_squares / denominator.sum_squares),
                    numerator.exponent - denominator.exponent);
}
