/*
 * JSON: strings to write, and a reader for text of a shape that is known.
 */
#ifndef GS_BASE_JSON_H
#define GS_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Write `text` as a JSON string, with U+FFFD for each byte that is not UTF-8; only count if `out`
   is NULL. Returns the number of bytes. */
size_t gs_json_string(FILE *out, const char *text);

/* Reads strictly (RFC 8259), piece by piece, so what it does not ask for is refused and it nests no
   deeper than its caller does:

       gs_json_open(&json, '{');
       for (size_t i = 0; gs_json_next(&json, '}', i == 0); i++)
           if ((name = gs_json_key(&json)))
               gs_json_whole(&json, &value);
       gs_json_end(&json);

   A function passes blanks and takes one piece, or returns false or NULL; from then on they all do,
   and `expected` says what should stand at `at`. */
typedef struct {
    char *text; /* text[length] is 0; a string that was read replaces its own source */
    size_t length;
    size_t at;            /* next byte to read */
    size_t start;         /* first byte of the piece that was read last */
    const char *expected; /* NULL: nothing has failed */
} gs_json_reader;

bool gs_json_open(gs_json_reader *json, char bracket); /* '{' or '[' */

/* Whether another member or element follows in what ends with `close`; takes the comma before it,
   or `close`. */
bool gs_json_next(gs_json_reader *json, char close, bool first);

/* A string, decoded and terminated, which stays where it is in `text`; the key also takes the
   colon. U+0000 is refused. */
const char *gs_json_text(gs_json_reader *json);
const char *gs_json_key(gs_json_reader *json);

/* A number without sign, fraction or exponent, below 2^63. */
bool gs_json_whole(gs_json_reader *json, uint64_t *value);

/* A string, a number or null as a text of `length` bytes, null as none; that of a number ends where
   the next piece begins. */
bool gs_json_scalar(gs_json_reader *json, const char **text, size_t *length);

/* That nothing but blanks follows. */
bool gs_json_end(gs_json_reader *json);

enum { GS_JSON_GOT = 40 };

/* What stands at `at`, for a message: "'x'", "'-1.5'", "byte 0xff", "the end". */
void gs_json_got(const gs_json_reader *json, char text[GS_JSON_GOT]);

#endif
