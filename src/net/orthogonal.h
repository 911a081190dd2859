/*
 * Orthogonal weights, from a matrix of normal random numbers.
 */
#ifndef GS_NET_ORTHOGONAL_H
#define GS_NET_ORTHOGONAL_H

#include "net/matrix.h"

/* A stored W of independent normal numbers becomes uniform over the matrices with W W^T = scale^2 I,
   or W^T W = scale^2 I where it is tall: `scale` times the orthonormal factor of what it was. R of
   that factorisation has a positive diagonal (Saxe 2014, Mezzadri 2007). Errors: GS_ERR_MEMORY (work
   space: 128 doubles a column, or a row where W is tall, and 128 KiB). */
gs_status gs_make_orthogonal(const gs_engine *engine, double scale, gs_matrix *weight,
                             gs_error *error);

#endif
