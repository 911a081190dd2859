/*
 * The portable kernels' functions for single numbers: the rest of the program uses these, not libm's.
 */
#define GS_ISA_PORTABLE
#define GS_DTYPE_F64

#include "kernels/kernels.h"
#include "kernels/vector.h"

#include "kernels/elementary.h"

double gs_exp(double x) {
    return v_exp(x);
}

double gs_log(double x) {
    return v_log(x);
}

double gs_log10(double x) {
    return v_log(x) * 0.43429448190325182765;
}
