/*
 * Functions of one double for the rest of the program: made of the portable kernels' code.
 */
#define GS_ISA_PORTABLE
#define GS_DTYPE_F64

#include "kernels/elementary.h"
#include "kernels/kernels.h"

double gs_log1p(double x) {
    return v_log1p(x);
}

double gs_exp(double x) {
    return v_exp(x);
}

double gs_cos2pi(double x) {
    return v_sincos2pi(x).cosine;
}

/* high + low = a b. */
static pair product_of(double a, double b) {
    double high = a * b;
    return (pair){high, fma(a, b, -high)};
}

/* log10 x = k log10(2) + log(1 + f) / ln 10, each number a sum of two, so that powers of ten give
   whole numbers. log(1 + f) is made as in log_join. */
double gs_log10(double x) {
    static const double log10_2 = 0x1.34413509f7p-2, log10_2_low = 0x1.3fde623e2566bp-43;
    static const double over_ln10 = 0x1.bcb7b1526e50ep-2, over_ln10_low = 0x1.95355baaafad3p-57;
    if (!(x > 0 && x < INFINITY))
        return v_log(x);
    bool tiny = x < MIN_NORMAL;
    log_parts p = log_split(tiny ? x * 0x1p54 : x);
    double k = tiny ? p.k - 54 : p.k, s = p.f / (2 + p.f), z = s * s;
    pair half_square = product_of(0.5 * p.f, p.f);
    double rest = s * (z * v_poly(LOG_SERIES, LOG_TERMS, z) + half_square.high) - half_square.low;
    double log_high = p.f - half_square.high;
    double log_low = ((p.f - log_high) - half_square.high) + rest;
    double sum = log_high + log_low;
    log_low = (log_high - sum) + log_low;

    pair scaled = product_of(sum, over_ln10);
    double low = scaled.low + sum * over_ln10_low + log_low * over_ln10 + k * log10_2_low;
    double whole = k * log10_2, total = whole + scaled.high;
    return total + ((whole - total) + scaled.high + low);
}
