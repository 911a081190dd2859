/*
 * Expectations over two numbers as a sum of squares of expectations over one.
 */
#ifndef GS_THEORY_SERIES_H
#define GS_THEORY_SERIES_H

#include "theory/quadrature.h"

/* As gs_expect_pair, where `rule` is made for `law` and `degree`, with phi and slope filled, and
   `moments` are those of the two. False where the terms up to `degree` do not reach the accuracy:
   where the correlation is high, or the sphere has few dimensions and the activation a kink. */
bool gs_pair_series(gs_law law, double correlation, int degree, const gs_rule *rule,
                    const gs_moments *moments, gs_pair_moments *pair);

#endif
