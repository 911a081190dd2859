/*
 * A strip: the magnitudes of all layers in a line of text, one character or less each.
 *
 *     ██▇▇▆▅▄▃▂▁·        001234567.
 */
#ifndef GS_REPORT_STRIP_H
#define GS_REPORT_STRIP_H

#include <stdbool.h>
#include <stddef.h>

enum { GS_STRIP_BYTES = 3 }; /* of a column, at most */

/* Write the strip of log10s[count] in min(count, columns) columns, of neighbours as alike in number
   as can be, to `out` of `size` bytes, always terminated; what does not fit is left out, by whole
   columns. Returns the bytes that the whole strip has.

   A column is the mean of its logarithms, and says how many decades it is below the largest column.
   Unicode: a full block where it is less than one, an eighth less for each further one, and U+00B7
   for 8 or more. ASCII: the digit, and . for 10 or more. If one layer is exactly zero (-inf) the
   column is 0, in ASCII z; and ! if one is not finite. */
size_t gs_strip_write(char *out, size_t size, const double *log10s, size_t count, size_t columns,
                      bool unicode);

#endif
