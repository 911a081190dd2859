/*
 * JSON: the one thing in it that takes care to write.
 */
#ifndef GS_BASE_JSON_H
#define GS_BASE_JSON_H

#include <stddef.h>
#include <stdio.h>

/* Write `text` as a JSON string, with U+FFFD for each byte that is not UTF-8; only count if `out`
   is NULL. Returns the number of bytes. */
size_t gs_json_string(FILE *out, const char *text);

#endif
