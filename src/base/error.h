/*
 * Errors: how every function of the library says what went wrong. A function that can fail returns
 * a gs_status and takes a gs_error, which gs_fail fills in one line: what, where, what was
 * expected.
 */
#ifndef GS_BASE_ERROR_H
#define GS_BASE_ERROR_H

#include "gradsim.h"

/* Fills `error` (may be NULL) with `code` and a message formatted as printf does, in the C locale
   whatever the host program's. The message is one terminated line: a control character becomes '?',
   and what does not fit is cut. The arguments may point into error->message. Returns `code`. */
gs_status gs_fail(gs_error *error, gs_status code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
