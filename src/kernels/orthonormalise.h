/*
 * What makes the lanes of a panel orthonormal, from their products with one another; in double
 * whatever the element type.
 */
#ifndef GS_KERNELS_ORTHONORMALISE_H
#define GS_KERNELS_ORTHONORMALISE_H

#include <math.h>

#include "kernels/vector.h"

enum { GRAM_SIZE = 16 };

_Alignas(64) static const
    double column[GRAM_SIZE] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/* A lane of which the lanes before it leave less than this share of its square is taken to have so
   much: in what is left there are no digits. */
#define LEAST_SHARE 0x1p-52

/* In each of the vectors `v` of a row, what column i adds to later ones: an elimination step. Row r
   has the products of column r of D with the others as they are now, or if r < i, how much of that
   column there is in them. */
static inline void eliminate(size_t i, double square, double *gram) {
    const double *own = gram + i * GRAM_SIZE;
    for (size_t v = i / DLANES; v < GRAM_SIZE / DLANES; v++) {
        dmask is_later = d_lt(d_set((double)i), d_load(column + v * DLANES));
        dvec factor = d_div(d_load(own + v * DLANES), d_set(-square));
        factor = d_select(is_later, factor, d_zero());
        for (size_t r = 0; r < GRAM_SIZE; r++) {
            double *place = gram + r * GRAM_SIZE + v * DLANES;
            dvec sum =
                r == i ? factor : d_fma(d_set(gram[r * GRAM_SIZE + i]), factor, d_load(place));
            d_store(place, sum);
        }
    }
    gram[i * (GRAM_SIZE + 1)] = 1;
}

/* Gram-Schmidt on the columns of D by D^T D alone (Cholesky QR: Stathopoulos and Wu 2002). */
static void orthonormalising_factor(size_t lanes, double *gram) {
    double least[GRAM_SIZE];
    _Alignas(64) double scale[GRAM_SIZE] = {0};
    for (size_t i = 0; i < lanes; i++)
        least[i] = LEAST_SHARE * gram[i * (GRAM_SIZE + 1)];
    for (size_t i = 0; i < lanes; i++) {
        double left = gram[i * (GRAM_SIZE + 1)], square = left > least[i] ? left : least[i];
        scale[i] = 1 / sqrt(square);
        eliminate(i, square, gram);
    }
    for (size_t r = 0; r < GRAM_SIZE; r++)
        for (size_t v = 0; v < GRAM_SIZE / DLANES; v++) {
            double *place = gram + r * GRAM_SIZE + v * DLANES;
            dmask is_below = d_lt(d_load(column + v * DLANES), d_set((double)r));
            dvec scaled = d_mul(d_load(scale + v * DLANES), d_load(place));
            d_store(place, d_select(is_below, d_zero(), scaled));
        }
}

#endif
